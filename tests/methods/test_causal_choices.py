"""`causal` on multiple-choice, and on labels that are scored: what is the likeliest of the options is the answer."""

from dataclasses import replace

import numpy as np
import pytest
from finetuned import fit, score, texts
from ruled import permuted, questions

import tiny
from conftest import make_dataset
from slmfit.errors import UnsafeError, UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.readings import READINGS
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal, Settings
from slmfit.tasks.choice import MultipleChoice

QUICK = {"lora": False, "learning_rate": 5e-3, "batch_tokens": 1024}


@pytest.fixture(scope="module")
def data():
    made = make_dataset("multiple-choice", sizes=(2, 2, 2))
    rows = {"train": questions(800, 1), "validation": questions(40, 2), "test": questions(100, 3, held=True)}
    return replace(made, splits=rows, task=MultipleChoice(tuple("ABCD")))


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    told = [f"{e.input.question} {' '.join(e.input.options.values())} Question: Answer:" for e in data.train[:200]]
    return tiny.causal(tmp_path_factory.mktemp("base"), texts=told, words=500, hidden_size=64, num_attention_heads=4)


@pytest.fixture(scope="module")
def fitted(base, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    return fit(Causal(Settings(base_model=base, epochs=5, **QUICK)), data, folder)


def test_it_learns_a_rule_and_the_order_of_options_changes_nothing(fitted, data):
    """Its test is of pairs that it has never seen."""
    assert score(fitted, data, "accuracy") >= 0.9
    again = replace(data, splits={**data.splits, "test": tuple(permuted(e, 1) for e in data.test)})
    told = [e.input.options[a.target] for e, a in zip(data.test, fitted.predict(texts(data)), strict=True)]
    then = [e.input.options[a.target] for e, a in zip(again.test, fitted.predict(texts(again)), strict=True)]
    assert told == then


def test_every_reading_is_shown_and_the_best_is_taken(fitted):
    assert [one["scoring"] for one in fitted.search] == list(READINGS)
    best = max(one["accuracy"] for one in fitted.search)
    assert fitted.chosen["scoring"] == next(one["scoring"] for one in fitted.search if one["accuracy"] == best)
    assert fitted.chosen["why"]["scoring"] == "the best of 5 on validation"
    assert fitted.rows_used["way of reading"] == "validation"


def test_loaded_it_answers_the_same_alone_too(fitted, data):
    again = Causal.load(fitted.folder, data.task, fitted.settings)
    answers = fitted.predict(texts(data))
    assert again.predict(texts(data)) == answers
    assert [again.predict([one])[0].target for one in texts(data)[:8]] == [answer.target for answer in answers[:8]]
    for answer in answers:
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert answer.target == max(answer.probabilities, key=answer.probabilities.get)


def test_its_card_calls_it(fitted, data, capsys):
    """A number as the method itself finds it."""
    code = (fitted.folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0]
    offer = fitted.head.form.offer(data.test[0].input)
    code = code.replace("this-folder", str(fitted.folder)).replace('"…\\nAnswer:"', repr(offer.prompt))
    with pretrained.quiet():
        exec(code.replace('" an option"', repr(offer.options["A"])), {})
    found = fitted.head._seen(fitted.model, texts(data)[:1], ["text"], fitted.max_length)[0].text[0]
    assert float(capsys.readouterr().out.removeprefix("tensor(").partition(",")[0]) == pytest.approx(found, abs=1e-3)


def test_a_folder_that_names_no_reading_is_refused(fitted, data, tmp_path):
    import shutil

    shutil.copytree(fitted.folder, tmp_path / "other")
    (tmp_path / "other" / "choices.json").write_text('{"reading": "tea leaves"}')
    with pytest.raises(UnsafeError, match="names no reading"):
        Causal.load(tmp_path / "other", data.task, fitted.settings)


def test_who_always_says_the_same_letter_is_exposed_by_another_order(base, data):
    """Trained where A is always right, it is right on such rows, and as good as a guess once they are mixed."""
    rows = {"train": questions(300, 1, always="A"), "validation": questions(20, 2, always="A")}
    biased = replace(data, splits={**rows, "test": questions(100, 3, held=True, always="A")})
    method = fit(Causal(Settings(base_model=base, epochs=1, scoring="letter", **QUICK)), biased)
    assert score(method, biased, "accuracy") == 1
    mixed = [permuted(e, 1) for e in biased.test]
    answers = method.predict([e.input for e in mixed])
    found = data.task.score([e.target for e in mixed], answers)
    assert found.values["accuracy"].high < 0.5
    assert {one["letter"]: one["answered"] for one in found.details["by_letter"]}["A"] == 1
    assert method.chosen["scoring"] == "letter" and method.search == []


@pytest.mark.parametrize("reading", ["mean", "characters", "pmi"])
def test_what_is_read_is_what_is_learnt(base, data, reading):
    """The loss is that of the scores that are read (of pmi of the text, as what is taken off is nobody's answer)."""
    method = Causal(Settings(base_model=base, epochs=0, scoring=reading))
    method.fit(data.task, data.train, data.validation, Context())
    material = method.head.material(data.train[:8], None)
    job = method.head.job(material, material, max_length=128, metric="accuracy")
    seen = method.head._seen(method.model, [e.input for e in data.train[:8]], ["text"], 128)
    per = {"mean": lambda one: one.tokens, "characters": lambda one: one.characters}.get(reading, lambda one: 1)
    scores = np.array([one.text / per(one) for one in seen])
    expected = np.logaddexp.reduce(scores, axis=1) - scores[np.arange(8), material.right]
    assert job.loss(method.model, np.arange(8)).item() == pytest.approx(expected.sum(), rel=1e-4)


def test_labels_are_scored_where_a_model_has_no_head_for_them_yet(base):
    """Untuned and with examples beside the tuned one, which learns a head as ever."""
    rows = make_dataset(sizes=(60, 20, 20))
    for given in ({"epochs": 0}, {"epochs": 0, "shots": 6}, {"epochs": 1, "answers": "scored", "lora": False}):
        method = fit(Causal(Settings(base_model=base, **given)), rows)
        assert {one.target for one in method.predict(texts(rows))} <= set(rows.task.labels)
        assert "scoring" in method.chosen
    assert method.head._shown == ("", "")
    with pytest.raises(UsageError, match="shows examples to a model that is not tuned"):
        fit(Causal(Settings(base_model=base, answers="scored", shots=2)), rows)


def test_examples_stand_before_the_question_answered_as_it_is(base, data, tmp_path):
    method = fit(Causal(Settings(base_model=base, epochs=0, shots=4)), data, tmp_path)
    drawn = method.head.shots.examples
    assert sorted(e.target for e in drawn) == ["A", "B", "C", "D"]
    told, lettered = method.head._shown
    for e in drawn:
        assert f"{e.input.question}\nAnswer: {e.input.options[e.target]}\n\n" in told
        assert f"D. {e.input.options['D']}\nAnswer: {e.target}\n\n" in lettered
    again = Causal.load(tmp_path, data.task, method.settings)
    assert again.predict(texts(data)[:5]) == method.predict(texts(data)[:5])


def test_more_labels_than_letters_have_no_letters(base):
    made = make_dataset(sizes=(60, 4, 4))
    rows = [replace(e, target=f"label {i % 30}") for i, e in enumerate(made.train)]
    many = replace(made, task=made.task.with_labels([e.target for e in rows]))
    many = replace(many, splits={"train": tuple(rows), "validation": tuple(rows[:10]), "test": tuple(rows[:4])})
    method = fit(Causal(Settings(base_model=base, epochs=0)), many)
    assert [one["scoring"] for one in method.search] == list(READINGS[:-1])
    with pytest.raises(UsageError, match="more labels than letters"):
        method = Causal(Settings(base_model=base, epochs=0, scoring="letter"))
        method.fit(many.task, many.train, many.validation, Context())
        method.predict(texts(many))


def test_a_helping_process_learns_of_the_same_rows(base, data):
    method = Causal(Settings(base_model=base, epochs=0, scoring="characters"))
    method.fit(data.task, (), (), Context())
    material = method.head.material(data.train[:8], None)
    job = method.head.job(material, material, max_length=128, metric="accuracy")
    again = method.head.unpacked(*method.head.packed(job))
    assert again.loss(method.model, np.arange(8)).item() == job.loss(method.model, np.arange(8)).item()
