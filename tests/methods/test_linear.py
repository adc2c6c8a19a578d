"""linear: chosen on validation, calibrated on rows it was not trained on, the same bits however it is asked."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from conftest import make_dataset
from slmfit import methods
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear, Settings, solver
from slmfit.methods.linear import search as searching
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.search import CS, FEATURES
from slmfit.methods.linear.solver import Curve, fit_curve, folds, held_out_margins, margins, train_svm
from slmfit.records import Example
from slmfit.tasks.classification import TextClassification
from static_model import model2vec_folder


def rows(pairs):
    return [Example(str(i), text, label) for i, (text, label) in enumerate(pairs)]


def fit(train, validation=(), metric="accuracy", seed=0, **given):
    examples = [*train, *validation]
    task = TextClassification().with_labels(e.target for e in examples)
    method = Classifier(Settings(**given))
    method.fit(task, train, validation, Context(seed=seed, metric=metric))
    return method, task


def accuracy(method, examples):
    answers = method.predict([e.input for e in examples])
    return np.mean([a.target == e.target for a, e in zip(answers, examples, strict=True)])


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(300, 100, 200))


@pytest.fixture(scope="module")
def method(data):
    return fit(data.train, data.validation)[0]


def test_it_learns(method, data):
    assert accuracy(method, data.test) > 0.9
    assert method.chosen["features"] in FEATURES
    assert method.chosen["C"] in CS
    assert method.fit_seconds is not None
    assert method.rows_used == {
        "fitted": "train",
        "settings_chosen": "train + validation, cross-validated",
        "calibrated": "the fitted rows, each held out once",
    }


def test_the_search_lists_every_candidate(method):
    tried = [{name: c[name] for name in c if name not in ("accuracy", "log_loss")} for c in method.search]
    assert all(one not in tried[:i] for i, one in enumerate(tried))
    assert {block for c in method.search for block in c["features"].split("+")} == {"words", "pairs", "characters"}
    assert {c.get("characters") for c in method.search} == {None, 1.0, 0.5}
    assert {"accuracy", "log_loss"} <= method.search[0].keys()
    assert method.chosen in tried


def test_one_text_and_many_give_the_same_bits(method, data):
    texts = [e.input for e in data.test] + ["", "?!", "refund", "我的包裹", "a\ud800b"]
    assert method.predict(texts) == [method.predict([text])[0] for text in texts]


def test_saved_and_loaded_without_scikit_learn(method, data, tmp_path):
    method.save(tmp_path)
    task = TextClassification(method.labels)
    texts = [e.input for e in data.test]
    again = Classifier.load(tmp_path, task, method.settings)
    assert again.predict(texts) == method.predict(texts)
    code = (
        "import sys, pathlib; from slmfit.methods.linear import Linear, Settings\n"
        "from slmfit.tasks.classification import TextClassification as T\n"
        f"m = Linear.load(pathlib.Path({str(tmp_path)!r}), T({method.labels!r}), Settings())\n"
        "a = m.predict(['my invoice was charged'])\n"
        "assert not {'sklearn', 'scipy', 'polars'} & set(sys.modules), 'one text needs numpy alone'\n"
        "m.predict(['my invoice was charged'] * 20)\n"
        "assert 'sklearn' not in sys.modules\n"
        "print(a[0].target)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "billing"


def test_given_settings_are_kept(data):
    method, _ = fit(data.train, data.validation, features="words", power=1.0, C=2.5, ratios=0.1)
    assert method.chosen == {"features": "words", "power": 1.0, "C": 2.5, "ratios": 0.1}
    assert method.search == []
    method, _ = fit(data.train, data.validation, C=2.5)
    assert {c["C"] for c in method.search} == {2.5}
    method, _ = fit(data.train, data.validation, features="words+pairs", power=0.0)
    assert {(c["features"], c["power"]) for c in method.search} == {("words+pairs", 0.0)}


def test_the_metric_asked_for_is_what_is_searched(data):
    method, _ = fit(data.train, data.validation, metric="f1_macro", features="words")
    assert all(0 <= c["f1_macro"] <= 1 for c in method.search)


def test_refit_takes_all_rows(data):
    method, task = fit(data.train, data.validation, features="words")
    chosen = dict(method.chosen)
    method.refit(task, [*data.train, *data.validation], Context())
    assert method.chosen == chosen
    unseen = Example("new", "zebrastripe zebrastripe", "billing")
    method.refit(task, [*data.train, *[unseen] * 5], Context())
    assert method.predict(["zebrastripe"])[0].target == "billing"


def test_explain_adds_up_to_the_margin(method, data):
    text = data.test[0].input
    for k, label in enumerate(method.labels):
        total = sum(share for _, share in method.explain(text, label, top=1000)) + method.intercepts[k]
        assert total == pytest.approx(method._margins([text])[0, k], abs=1e-9)
    strongest = method.explain("the invoice is with my thanks", "billing", top=1)
    assert strongest[0][0] == "invoice"
    assert strongest[0][1] > 0
    with pytest.raises(ValueError):
        method.explain(text, "no such label")


# --- small, odd and large ---


def test_ten_rows():
    train = rows([("refund my card", "billing"), ("card charged", "billing"), ("late parcel", "delivery")] * 2)
    validation = rows([("my card", "billing"), ("the parcel", "delivery")])
    method, _ = fit(train, validation)
    assert [p.target for p in method.predict(["card", "parcel"])] == ["billing", "delivery"]
    assert sum(method.predict(["card"])[0].probabilities.values()) == pytest.approx(1)


def test_without_validation():
    method, _ = fit(rows([("good film", "yes"), ("bad film", "no")] * 5))
    assert method.search == []
    assert method.predict(["good"])[0].target == "yes"


def test_a_label_without_train_rows_is_possible_but_never_first():
    train = rows([("good film", "yes"), ("bad film", "no")] * 5)
    method, _ = fit(train, rows([("a film", "maybe"), ("good", "yes")]))
    answer = method.predict(["good film"])[0]
    assert answer.target == "yes"
    assert 0 < answer.probabilities["maybe"] < answer.probabilities["yes"]


def test_one_label_and_texts_without_words():
    method, _ = fit(rows([("a", "yes"), ("", "yes")]))
    assert method.predict(["whatever"])[0].target == "yes"
    method, _ = fit(rows([("", "yes"), ("?", "yes"), ("!", "no")] * 2), rows([("", "yes")]))
    assert method.predict(["", "word"])[0].target == "yes"


def test_texts_without_spaces():
    rng = random.Random(0)
    kinds = {"包裹": "delivery", "退款": "billing"}
    noise = "我你他的了在是有不这中大来上国个到说们为"

    def sentence(word):
        left, right = ("".join(rng.choices(noise, k=5)) for _ in range(2))
        return left + word + right

    made = rows([(sentence(word), label) for word, label in kinds.items() for _ in range(120)])
    rng.shuffle(made)
    method, _ = fit(made[:140], made[140:190])
    assert accuracy(method, made[190:]) > 0.9


def test_many_labels():
    made = rows([(f"topic{i} about thing{j}", f"label{i:03}") for i in range(150) for j in range(4)])
    method, _ = fit(made[::2], made[1::4], features="words", power=2.0, C=1.0)
    assert accuracy(method, made[3::4]) == 1


@pytest.mark.parametrize("features", ["words", "embeddings"])
def test_a_large_train_set_is_searched_in_part(features, data, monkeypatch):
    monkeypatch.setattr(searching, "MOST_CHARACTERS", 4000)
    seen = []
    original = searching.train_svm
    monkeypatch.setattr(searching, "train_svm", lambda f, *a: seen.append(f.shape[0]) or original(f, *a))
    method, _ = fit(data.train, data.validation, features=features)
    assert max(seen) < len(data.train) / 2
    assert accuracy(method, data.test) > 0.9


# --- on embeddings ---


def test_on_lsa_it_learns_and_c_alone_is_searched(data):
    method, task = fit(data.train, data.validation, features="embeddings")
    assert accuracy(method, data.test) > 0.9
    assert method.chosen.keys() == {"features", "C"} and method.chosen["C"] in CS
    assert [c["features"] for c in method.search] == ["embeddings"] * len(method.search)
    assert len({c["C"] for c in method.search}) == len(method.search) >= 2
    assert all(c.keys() == {"features", "C", "accuracy", "log_loss"} for c in method.search)
    chosen, vectors = dict(method.chosen), method.features.embedding
    method.refit(task, [*data.train, *[Example("new", "zebrastripe zebrastripe", "billing")] * 5], Context())
    assert method.chosen == chosen and method.features.embedding is not vectors  # LSA is learnt anew
    assert method.predict(["zebrastripe"])[0].target == "billing"


@pytest.mark.parametrize("features", ["embeddings", "words+embeddings"])
def test_on_static_embeddings_the_run_is_self_contained(features, data, tmp_path):
    source, model = model2vec_folder(tmp_path / "potion"), tmp_path / "model"
    method = methods.create("linear", base_model=str(source))
    assert method.settings == Settings(embeddings=str(source))
    method = methods.create("linear", {"features": features}, base_model=str(source))
    method.fit(data.task, data.train, data.validation, Context())
    method.refit(data.task, [*data.train, *data.validation], Context())
    model.mkdir()
    method.save(model)
    shutil.rmtree(source)
    again = Linear.load(model, data.task, method.settings)
    texts = [e.input for e in data.test] + ["", "nothing known", "a\ud800b"]
    answers = again.predict(texts)
    assert answers == method.predict(texts)
    assert answers == [again.predict([text])[0] for text in texts]
    counted = {"features.safetensors", "vocabulary.json"} if features != "embeddings" else set()
    assert {p.name for p in model.iterdir()} == {"embedding", "linear.json", "weights.safetensors"} | counted


def test_vectors_of_one_text_and_of_many_give_the_same_bits(data):
    method, _ = fit(data.train, data.validation, features="embeddings", C=10.0)
    texts = [e.input for e in data.test] + ["", "?!", "我的包裹", "refund " * 5000]
    assert method.search == []
    assert method.predict(texts) == [method.predict([text])[0] for text in texts]


def test_what_vectors_leave_without_a_meaning_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"linear\.features=words counts, and linear\.embeddings=potion does not"):
        methods.create("linear", {"features": "words"}, base_model="potion")
    with pytest.raises(UsageError, match=r"linear\.power weighs counted words"):
        methods.create("linear", {"features": "embeddings", "power": "1"})
    with pytest.raises(UsageError, match="no such folder"):
        fit(rows([("a", "yes"), ("b", "no")]), embeddings=str(tmp_path / "none"))
    method, _ = fit(rows([("good film", "yes"), ("bad film", "no")] * 5), features="embeddings")
    with pytest.raises(UsageError, match="a vector has no terms"):
        method.explain("good", "yes")


@pytest.mark.parametrize("train", [
    [("", "yes"), ("?", "yes"), ("!", "no")], [("a", "yes")], [("good film", "yes"), ("bad film", "no")] * 20,
])  # fmt: skip
def test_vectors_of_small_and_strange_texts(train):
    for validation in ([], [("good", "yes"), ("a film", "maybe")]):
        method, task = fit(rows(train), rows(validation), features="embeddings")
        method.refit(task, rows(train), Context())
        for answer in method.predict(["", "film", "unheard", "\ud800"]):
            assert answer.target in ("yes", "no")
            assert sum(answer.probabilities.values()) == pytest.approx(1)


# --- margins and probabilities ---


def drawn(n, classes=3, seed=0):
    """Margins whose true probabilities are sigmoids, to sum 1."""
    rng = np.random.default_rng(seed)
    m = rng.normal(-0.5, 0.7, (n, classes))
    shares = Curve(3.0, 1.0).probabilities(m)
    codes = (shares.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return m, codes, shares


def elsewhere(*_):
    raise ImportError("a scikit-learn that has it elsewhere")


@pytest.mark.parametrize(("classes", "sparse"), [(2, True), (5, True), (2, False), (5, False)])
def test_liblinear_itself_and_through_scikit_learn_give_the_same_bits(classes, sparse, monkeypatch):
    rng = np.random.default_rng(3)
    features, codes = np.where(rng.random((90, 40)) < 0.2, rng.random((90, 40)), 0.0), rng.integers(0, classes, 90)
    features = csr_matrix(features) if sparse else features
    direct = solver._by_liblinear(features, codes, 0.3, 7)
    assert all(map(np.array_equal, direct, solver._by_scikit_learn(features, codes, 0.3, 7)))
    found = train_svm(features, codes, classes, 0.3, 7)
    monkeypatch.setattr(solver, "_by_liblinear", elsewhere)
    assert all(map(np.array_equal, found, train_svm(features, codes, classes, 0.3, 7)))


def test_the_curve_finds_the_true_probabilities():
    m, codes, shares = drawn(20_000)
    found = fit_curve(m, codes)
    assert np.abs(found.probabilities(m) - shares).mean() < 0.01


def test_few_rows_do_not_make_the_curve_bold():
    m = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert fit_curve(m, np.array([0, 1])).probabilities(m).max() < 0.999
    assert fit_curve(np.zeros((0, 2)), np.zeros(0, int)) == fit_curve(np.zeros((0, 3)), np.zeros(0, int))


@pytest.mark.parametrize("spread", [0.0, 1e-6, 0.5, 40.0])
def test_no_curve_nearby_says_more(spread):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 300)
    m = spread * rng.normal(size=(300, 4)) - 1
    m[np.arange(300), codes] += 2 * spread * rng.random(300)
    found = fit_curve(m, codes)

    def loss(slope, offset):
        pull = (np.log(slope) - 1.5) ** 2 + (offset / 2) ** 2
        return Curve(slope, offset).losses(m, codes).mean() + pull / 300

    least = loss(found.slope, found.offset)
    for slope, offset in ((1.02, 0), (0.98, 0), (1, 0.02), (1, -0.02), (3, 1), (0.3, -1)):
        assert least <= loss(found.slope * slope, found.offset + offset) + 1e-9


def test_probabilities_of_extreme_margins_are_numbers():
    shares = Curve(8.0, 1.0).probabilities(np.array([[500.0, -500.0], [-500.0, -499.0], [500.0, 500.0]]))
    assert np.isfinite(shares).all()
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares.argmax(axis=1).tolist() == [0, 1, 0]


def test_held_out_margins_know_nothing_of_their_row():
    from scipy.sparse import csr_matrix, identity

    codes = np.arange(60) % 3
    found = held_out_margins(csr_matrix(identity(60)), codes, folds(codes, 5), lambda x, y: train_svm(x, y, 3, 1.0))
    trained = margins(csr_matrix(identity(60)), *train_svm(csr_matrix(identity(60)), codes, 3, 1.0))
    assert (trained.argmax(axis=1) == codes).all()
    assert np.ptp(found, axis=0).max() < 0.2  # a text of its own is no help to the others


@pytest.mark.parametrize("features", ["words", "embeddings"])
def test_probabilities_are_calibrated_after_refit(features):
    """With every sixth label wrong, a sure answer is right five times in six and little more."""
    rng = random.Random(1)
    made = make_dataset(sizes=(1500, 600, 1500))
    labels = made.task.labels
    noisy = {
        split: [Example(e.id, e.input, rng.choice(labels) if rng.random() < 0.25 else e.target) for e in examples]
        for split, examples in made.splits.items()
    }
    for validation in (noisy["validation"], noisy["validation"][:100]):
        method, task = fit(noisy["train"], validation, features=features)
        method.refit(task, [*noisy["train"], *validation], Context())
        answers = method.predict([e.input for e in noisy["test"]])
        sure = np.mean([max(a.probabilities.values()) for a in answers])
        right = np.mean([a.target == e.target for a, e in zip(answers, noisy["test"], strict=True)])
        assert abs(sure - right) < 0.04


def test_what_is_written_down_is_json(method, tmp_path):
    method.save(tmp_path)
    assert json.loads(json.dumps({"chosen": method.chosen, "search": method.search})) == {
        "chosen": method.chosen,
        "search": method.search,
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "features.safetensors", "linear.json", "vocabulary.json", "weights.safetensors",
    ]  # fmt: skip


@pytest.mark.real_data
@pytest.mark.skipif("SLMFIT_DATA" not in os.environ, reason="SLMFIT_DATA names no folder with data sets")
def test_ag_news():
    folder = Path(os.environ["SLMFIT_DATA"]) / "ag_news"
    columns = {"text": "text", "label": "label"}
    news = load_data(folder / "train.csv.gz", test=folder / "test.csv.gz", columns=columns)
    method, task = fit(news.train, news.validation)
    method.refit(task, [*news.train, *news.validation], Context())
    assert accuracy(method, news.test) >= 0.905
