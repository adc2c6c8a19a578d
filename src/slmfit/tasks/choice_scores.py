"""How questions were answered beside right and wrong: by letter, by number of options, by subject, and what needs no
reading.

details(targets, predictions, right, clusters, inputs)["by_letter"][0]["answered"]     # the share of answers that say A
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import share_right
from slmfit.records import Input, Prediction, Question, Score, Target
from slmfit.tasks.forms.letters import question_of


def by_letter(
    targets: Sequence[Target], predictions: Sequence[Prediction], right: np.ndarray, clusters: Clusters | None
) -> list[dict[str, Any]]:
    """Per letter how often it is right, the accuracy there (None if never), and its share of all answers."""
    there = {letter: (rows, asdict(accuracy)) for letter, accuracy, rows in _grouped(targets, right, clusters)}
    answers = Counter(p.target for p in predictions if p.outcome == "ok" and isinstance(p.target, str))
    table = []
    for letter in sorted(there.keys() | answers.keys()):
        support, accuracy = there.get(letter, (0, None))
        share = answers[letter] / len(predictions)
        table.append({"letter": letter, "support": support, "accuracy": accuracy, "answered": share})
    return table


def of_questions(
    inputs: Sequence[Input], targets: Sequence[Target], right: np.ndarray, clusters: Clusters | None
) -> dict[str, Any]:
    """`by_options`, and `by_subject` where the data name any; `random_guess` and `longest_option`: the accuracy to
    expect of guessing, and of who always takes the longest option, the first of equals.
    """
    questions = [question_of(i) for i in inputs]
    counts = [len(q.options) for q in questions]
    groups = _grouped(counts, right, clusters)
    longest = [_longest(q) == target for q, target in zip(questions, targets, strict=True)]
    found: dict[str, Any] = {
        "by_options": [{"options": n, "support": rows, "accuracy": asdict(a)} for n, a, rows in groups],
        "random_guess": {"accuracy": float(np.mean([1 / n for n in counts]))},
        "longest_option": {"accuracy": float(np.mean(longest))},
    }
    subjects = [q.subject or "" for q in questions]
    if len(set(subjects)) > 1:
        by = _grouped(subjects, right, clusters)
        found["by_subject"] = [{"subject": s, "support": rows, "accuracy": asdict(a)} for s, a, rows in by]
    return found


def _longest(question: Question) -> str:
    return max(question.options, key=lambda letter: len(question.options[letter]))


def _grouped(keys: Sequence[Any], right: np.ndarray, clusters: Clusters | None) -> list[tuple[Any, Score, int]]:
    """Key, sorted -> accuracy and number of its rows."""
    groups = [(key, np.array([k == key for k in keys])) for key in sorted(set(keys))]
    return [
        (key, share_right(right[rows], clusters.among(rows) if clusters else None), int(rows.sum()))
        for key, rows in groups
    ]
