"""knn: the votes, what is chosen, and what can be strange about the data."""

import math
import shutil

import numpy as np
import pytest

from conftest import make_dataset
from slmfit import methods
from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.knn import WEIGHTINGS, Settings
from slmfit.methods.knn.voting import Voter as Knn
from slmfit.records import Example
from slmfit.tasks import by_name
from static_model import model2vec_folder


def fitted(train, validation=None, labels=None, **settings):
    task = by_name("text-classification").with_labels(labels or [label for _, label in train])
    method = Knn(Settings(**settings))
    rows = [[Example(str(i), text, label) for i, (text, label) in enumerate(p)] for p in (train, validation or [])]
    method.fit(task, *rows, Context())
    return method


def check(prediction, labels):
    assert set(prediction.probabilities) == set(labels)
    assert math.isclose(sum(prediction.probabilities.values()), 1, abs_tol=1e-9)
    assert all(0 < p <= 1 for p in prediction.probabilities.values())


def test_learns_and_keeps_the_whole_curve(data):
    events = []
    method = methods.create("knn")
    context = Context(event=lambda kind, **fields: events.append((kind, fields)))
    method.fit(data.task, data.train, data.validation, context)
    assert len(method.search) == 100 * len(WEIGHTINGS)
    best = max(method.search, key=lambda row: (row["accuracy"], -row["log_loss"]))
    assert {key: method.chosen[key] for key in ("k", "weighting")} == {key: best[key] for key in ("k", "weighting")}
    answers = method.predict([e.input for e in data.validation])
    assert np.mean([a.target == e.target for a, e in zip(answers, data.validation, strict=True)]) == best["accuracy"]
    right = [a.target == e.target for a, e in zip(method.predict([e.input for e in data.test]), data.test, strict=True)]
    assert np.mean(right) > 0.8
    assert [kind for kind, _ in events] == ["search"]
    assert method.fit_seconds > 0 and method.rows_used["settings_chosen"] == "validation"


def test_other_metrics_choose_too(data):
    method = methods.create("knn", {"weighting": "uniform"})
    method.fit(data.task, data.train, data.validation, Context(metric="f1_macro"))
    k = method.chosen["k"]
    answers = method.predict([e.input for e in data.validation])
    value = data.task.components("f1_macro", [e.target for e in data.validation], answers).value
    assert value == method.search[k - 1]["f1_macro"] == max(row["f1_macro"] for row in method.search)


def test_given_settings_are_kept(data):
    method = methods.create("knn", {"k": "7", "weighting": "softmax-0.1", "dimension": "5"})
    method.fit(data.task, data.train, data.validation, Context())
    assert [(row["k"], row["weighting"]) for row in method.search] == [(7, "softmax-0.1")]
    assert (method.chosen["k"], method.chosen["weighting"], method.part.embedding.dimension) == (7, "softmax-0.1", 5)
    with pytest.raises(UsageError, match="one of uniform"):
        methods.create("knn", {"weighting": "distance"})


def test_static_embeddings_make_the_run_self_contained(data, tmp_path):
    source, model = model2vec_folder(tmp_path / "potion"), tmp_path / "model"
    method = methods.create("knn", base_model=str(source))
    method.fit(data.task, data.train, data.validation, Context())
    model.mkdir()
    method.save(model)
    shutil.rmtree(source)
    texts = [e.input for e in data.test] + ["", "nothing known"]
    again = Knn.load(model, data.task, method.settings)
    assert again.predict(texts) == method.predict(texts)


@pytest.mark.parametrize("text", ["", "\ud800", "unheard words", "invoice", "x " * 10_000])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_small_and_strange(rows, text):
    train = [("invoice refund card", "billing"), ("parcel courier late", "delivery")] * 15
    method = fitted(train[:rows], validation=[("invoice", "billing"), ("", "delivery")], labels=["billing", "delivery"])
    (answer,) = method.predict([text])
    check(answer, ["billing", "delivery"])
    assert answer.target == max(answer.probabilities, key=answer.probabilities.get)


def test_k_beyond_the_rows_is_all_rows():
    method = fitted([("red apple", "a"), ("red brick", "b"), ("red berry", "a")], [("red apple", "a")], k=50)
    assert method.chosen["k"] == 50
    assert method.predict(["red berry"])[0].target == "a"


def test_one_class_and_no_validation():
    method = fitted([("some text", "only"), ("more text", "only")])
    assert method.predict(["text"])[0].target == "only"
    check(method.predict(["text"])[0], ["only"])


def test_unknown_text_gets_the_most_frequent_label():
    train = [("parcel late", "z")] * 5 + [("invoice wrong", "a")] * 3
    answer = fitted(train, [("parcel", "z")] * 3).predict(["☃"])[0]
    assert answer.target == "z" and math.isclose(answer.probabilities["z"], 6 / 10)


def test_equal_votes_go_to_the_nearer_then_to_the_first_label():
    train = [("apple pear", "b"), ("apple pear plum", "a"), ("stone plum", "c"), ("stone plum", "c")]
    assert fitted(train, k=2, weighting="uniform").predict(["apple pear"])[0].target == "b"
    same = [("apple pear", "b"), ("apple pear", "a"), ("stone sand", "c"), ("stone sand", "c")]
    assert fitted(same, k=2, weighting="uniform").predict(["apple pear"])[0].target == "a"


def test_few_validation_rows_do_not_make_it_bold():
    train = [("invoice refund", "billing"), ("parcel courier", "delivery")] * 20
    method = fitted(train, [("invoice", "billing"), ("parcel", "delivery")])
    assert 0.6 < method.predict(["invoice"])[0].probabilities["billing"] < 0.99


def test_refit_keeps_what_was_chosen_and_indexes_all_rows(data):
    method = methods.create("knn")
    method.fit(data.task, data.train, data.validation, Context())
    chosen = dict(method.chosen)
    method.refit(data.task, [*data.train, *data.validation], Context())
    assert method.chosen == chosen
    ids, similarities = method.part.neighbours([data.validation[3].input], k=1)
    assert len(method.part.index.rows) == len(data.train) + len(data.validation)
    assert similarities[0, 0] > 0.99 and [*data.train, *data.validation][ids[0, 0]].input == data.validation[3].input


def test_one_by_one_as_in_a_batch(data):
    method = methods.create("knn")
    method.fit(data.task, data.train, data.validation, Context())
    texts = [e.input for e in make_dataset(sizes=(600, 1, 1), seed=5).train]
    batch = method.predict(texts)
    assert [method.predict([text])[0] for text in texts[:50]] == batch[:50]
