"""`knn` for questions: an option is compared alone, with its question or with what was right of questions like it."""

import random

import numpy as np
import pytest

from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.knn import Knn, Settings
from slmfit.records import Example, Question
from slmfit.tasks import by_name
from slmfit.timing.work import advance, counted
from static_model import model2vec_folder

KINDS = {
    "animal": ("paw fur tail bark".split(), "dog cat horse".split()),
    "plant": ("leaf root bloom seed".split(), "rose oak fern".split()),
    "metal": ("ore melt rust alloy".split(), "iron gold zinc".split()),
}


def questions(n, seed=0, *, right_alone=False):
    """A question of some words of a kind; the right option is a thing of that kind, and no shorter than the others."""
    rng, found = random.Random(seed), []
    for i in range(n):
        kind, *others = rng.sample(sorted(KINDS), 3)
        shown = [rng.choice(KINDS[other][1]) for other in others[: rng.randint(1, 2)]]
        right = " ".join(rng.sample(KINDS[kind][0], 3)) if right_alone else rng.choice(KINDS[kind][1])
        shown.insert(rng.randrange(len(shown) + 1), right)
        options = dict(zip("ABC", shown, strict=False))
        asked = Question(f"what has {' and '.join(rng.sample(KINDS[kind][0], 2))}", options)
        found.append(Example(str(i), asked, next(one for one, text in options.items() if text == right)))
    return found


def fitted(rows, **settings):
    task = by_name("multiple-choice").with_labels(e.target for e in rows)
    method = Knn(Settings(**settings))
    method.fit(task, rows[:-40], rows[-40:], Context())
    return method, task


def share(method, rows):
    answers = method.predict([e.input for e in rows])
    return float(np.mean([a.target == e.target for a, e in zip(answers, rows, strict=True)]))


def test_what_goes_with_what_is_found_and_the_reading_chosen():
    method, _ = fitted(questions(200))
    assert share(method, questions(100, seed=1)) > 0.9
    assert [tried["k"] for tried in method.search] == [0, 1, 3, 10, 30, 100]
    best = max(tried["accuracy"] for tried in method.search)
    assert next(tried["k"] for tried in method.search if tried["accuracy"] == best) == method.chosen["k"]


def test_the_shortest_option_does_not_win_for_being_short():
    method, _ = fitted(questions(200, right_alone=True))
    assert share(method, questions(100, seed=1, right_alone=True)) > 0.95


def test_it_comes_back_as_saved_and_alone_as_among_others(tmp_path):
    rows = questions(120)
    for k in (None, 5):
        method, task = fitted(rows, k=k)
        before = method.predict([e.input for e in rows])
        for answer, row in zip(before, rows, strict=True):
            assert list(answer.probabilities) == list(row.input.options)
            assert sum(answer.probabilities.values()) == pytest.approx(1)
        folder = tmp_path / str(k)
        folder.mkdir()
        method.save(folder)
        again = Knn.load(folder, task, Settings(k=k))
        again.check(task)
        assert again.predict([e.input for e in rows]) == before
        assert method.predict([rows[3].input]) == [before[3]]
    assert method.chosen["k"] == 5 and len(method.search) == 1


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


def test_a_weighting_is_refused_where_nothing_votes():
    with pytest.raises(UsageError, match=r"knn\.weighting says nothing in multiple-choice"):
        fitted(questions(60), weighting="uniform")


def test_vectors_of_another_model_are_taken(tmp_path):
    """A table in which each thing lies near the words of its kind, so that the question alone tells the option."""
    words = [[*words, *things] for words, things in KINDS.values()]
    vocabulary = ["[UNK]", *(word for kind in words for word in kind)]
    table = np.zeros((len(vocabulary), 4), np.float32)
    for place, kind in enumerate(words):
        table[[vocabulary.index(word) for word in kind], place] = 1
    folder = model2vec_folder(tmp_path / "table", table=table, words=vocabulary)
    rows = questions(120)
    method, task = fitted(rows, embeddings=str(folder))
    assert method.chosen["k"] == 0 and share(method, questions(60, seed=1)) == 1
    (tmp_path / "run").mkdir()
    method.save(tmp_path / "run")
    again = Knn.load(tmp_path / "run", task, method.settings)
    assert again.predict([e.input for e in rows]) == method.predict([e.input for e in rows])


def test_progress_counts_questions_and_not_their_texts(monkeypatch):
    method, _ = fitted(questions(80))
    embed = method.part.embedding.embed

    def slowly(texts):
        advance(len(texts))  # as a sentence encoder says it
        return embed(texts)

    monkeypatch.setattr(method.part.embedding, "embed", slowly)
    inputs = [e.input for e in questions(30, seed=1)]
    with counted(lambda kind, **fields: None, "predicting", len(inputs)) as work:
        method.predict(inputs)
    assert work.done == pytest.approx(len(inputs))
