"""`linear` for questions with options: what it reads, what it leaves unread, and that it comes back as it was saved."""

import random

import numpy as np
import pytest

from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear, Settings
from slmfit.records import Example, Question
from slmfit.tasks import by_name

THINGS = {"sky": "blue", "grass": "green", "snow": "white", "coal": "black", "blood": "red", "sun": "yellow"}


def questions(n, seed=0):
    """The right option depends on the question alone: each colour is right as often as it is wrong."""
    rng, found = random.Random(seed), []
    for i in range(n):
        thing = rng.choice(sorted(THINGS))
        colours = [*rng.sample(sorted({*THINGS.values()} - {THINGS[thing]}), rng.randint(1, 4)), THINGS[thing]]
        rng.shuffle(colours)
        options = dict(zip("ABCDE", colours, strict=False))
        letter = next(one for one, colour in options.items() if colour == THINGS[thing])
        found.append(Example(str(i), Question(f"What colour is the {thing}?", options), letter))
    return found


def fitted(rows, **settings):
    task = by_name("multiple-choice").with_labels(e.target for e in rows)
    method = Linear(Settings(**settings))
    method.fit(task, rows[:-40], rows[-40:], Context())
    return method, task


def share(method, rows):
    answers = method.predict([e.input for e in rows])
    return float(np.mean([a.target == e.target for a, e in zip(answers, rows, strict=True)]))


def test_a_rule_that_needs_the_question_is_learnt_and_the_options_alone_do_not_tell_it():
    rows, others = questions(400), questions(200, seed=1)
    assert share(fitted(rows)[0], others) >= 0.98
    for reads in ("options", "lengths"):
        assert share(fitted(rows, reads=reads)[0], others) < 0.6  # two to five options


def test_probabilities_are_those_of_the_options_offered(tmp_path):
    rows = questions(120)
    method, task = fitted(rows)
    before = method.predict([e.input for e in rows])
    for answer, row in zip(before, rows, strict=True):
        assert list(answer.probabilities) == list(row.input.options)
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert max(answer.probabilities, key=answer.probabilities.get) == answer.target
    method.save(tmp_path)
    again = Linear.load(tmp_path, task, Settings())
    again.check(task)
    assert again.predict([e.input for e in rows]) == before
    assert method.predict([rows[3].input]) == [before[3]]  # alone as among others


def test_odd_questions_are_answered():
    method, _ = fitted(questions(80))
    odd = [
        Question("", {"A": "", "B": ""}),
        Question("\ud800 ?", {"A": "\ud800", "B": "x" * 5000}),
        Question("What?", dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "same"), "a context " * 900),
    ]
    for answer, question in zip(method.predict(odd), odd, strict=True):
        assert answer.target in question.options
        assert np.isfinite(list(answer.probabilities.values())).all()


def test_rows_without_an_answer_teach_nothing():
    rows = questions(60)
    method, _ = fitted([*[Example(e.id, e.input, None) for e in rows[:20]], *rows[20:]])
    assert method.predict([rows[0].input])[0].target in rows[0].input.options
    nothing, _ = fitted([Example(e.id, e.input, None) for e in rows])
    assert nothing.predict([rows[0].input])[0].outcome == "ok"


def test_settings_of_other_tasks_are_refused():
    for name, value in {"features": "words", "c2": 1.0, "power": 2.0}.items():
        with pytest.raises(UsageError, match=rf"linear\.{name} says nothing in multiple-choice"):
            fitted(questions(60), **{name: value})
    rows = [Example(str(i), f"text {i % 2}", str(i % 2)) for i in range(20)]
    task = by_name("text-classification").with_labels(e.target for e in rows)
    with pytest.raises(UsageError, match=r"linear\.reads says nothing in text-classification"):
        Linear(Settings(reads="options")).fit(task, rows, rows, Context())
