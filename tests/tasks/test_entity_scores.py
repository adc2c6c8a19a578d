"""Entities are counted as seqeval and nervaluate count them, and what is made of the counts."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from nervaluate import Evaluator
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from slmfit.errors import UsageError
from slmfit.records import Entities, Prediction, Span
from slmfit.tasks.answers import target_from_json, target_to_json
from slmfit.tasks.entity_scores import METRICS
from slmfit.tasks.matching import (
    SCHEMES,
    Outcomes,
    f1,
    macro,
    matched,
    outcomes,
    precision,
    recall,
    tally,
    tally_by_type,
)
from slmfit.tasks.spans import spans_from_tags
from slmfit.tasks.tagging import TokenClassification

TASK = TokenClassification(("X", "Y"), ("i", "j"))
TYPES = ("A", "B", "A-B")
SEQUENCES = 10_000
THEIRS = {"strict": "strict", "boundary": "exact", "partial": "partial", "type": "ent_type"}  # nervaluate's names


# --- against the references ---


def tags(rng: random.Random) -> tuple[list[str], list[str]]:
    """Truth and answer for one row: unrelated, or the answer is the truth with some harm done to it."""
    size = rng.choice([0, 1, 2, 3, 5, 8, 13, 40])
    types = TYPES[: rng.randint(1, 3)]
    words = ["O"] * rng.choice([1, 2, 12]) + [f"{prefix}-{label}" for prefix in "BBI" for label in types]

    def drawn() -> list[str]:
        goes_on, found = rng.choice([0.0, 0.5, 0.8]), list[str]()
        for _ in range(size):
            inside = found and found[-1] != "O" and rng.random() < goes_on
            found.append(f"I-{found[-1][2:]}" if inside else rng.choice(words))
        return found

    true = drawn()
    if rng.random() < 0.5:
        return true, drawn()
    found = list(true)
    for _ in range(rng.randint(0, 4) if size else 0):
        at = rng.randrange(size)
        match rng.randrange(5):
            case 0:  # another tag
                found[at] = rng.choice(words)
            case 1:  # entities of another type
                found = [f"{t[:2]}B" if i >= at and t != "O" else t for i, t in enumerate(found)]
            case 2:  # all moved by one
                found = ["O", *found[:-1]] if rng.random() < 0.5 else [*found[1:], "O"]
            case 3:  # torn apart
                found[at] = found[at].replace("I-", "B-")
            case 4:  # one long entity
                found[at:] = [found[at].replace("B-", "I-")] * (size - at)
    return true, found


@pytest.fixture(scope="module")
def sequences() -> list[tuple[list[str], list[str]]]:
    rng = random.Random(6)
    drawn = (tags(rng) for _ in range(SEQUENCES))
    return list({(tuple(true), tuple(found)): (true, found) for true, found in drawn}.values())  # each once


def spans(sequence: Sequence[str]) -> list[Span]:
    return spans_from_tags(sequence, [(2 * i, 2 * i + 1) for i in range(len(sequence))])[0]


def test_exact_scores_equal_seqeval(sequences: Any) -> None:
    for start in range(0, len(sequences), 20):  # a few rows at a time, so that errors cannot make up for each other
        some = sequences[start : start + 20]
        true, found = [spans(t) for t, _ in some], [spans(f) for _, f in some]
        labels = sorted({span.label for row in (*true, *found) for span in row})
        by_type = tally_by_type(true, found, labels).sum(axis=0)[:-1]
        counts = tally(true, found).sum(axis=0)
        theirs = {
            average: precision_recall_fscore_support(*zip(*some, strict=True), average=average, zero_division=0)
            for average in ("micro", "macro", None)
        }
        for i, score in enumerate((precision, recall, f1)):
            assert score(counts) == pytest.approx(theirs["micro"][i])
            assert macro(by_type, score) == pytest.approx(theirs["macro"][i])
            assert score(by_type) == pytest.approx(theirs[None][i])
        assert by_type[:, 2].tolist() == theirs[None][3].tolist()


def test_all_four_schemes_equal_nervaluate(sequences: Any) -> None:
    for row, (t, f) in enumerate(sequences):
        true, found = spans(t), spans(f)
        theirs = Evaluator([t], [f], tags=list(TYPES), loader="list").evaluate()
        for scheme in SCHEMES:
            expected = theirs["overall"][THEIRS[scheme]]
            ours = outcomes([matched(true, found, scheme)], scheme)
            assert ours == Outcomes(*(getattr(expected, name) for name in Outcomes._fields)), (scheme, t, f)
            counts = tally([true], [found], scheme).sum(axis=0)
            by_type = tally_by_type([true], [found], TYPES, scheme).sum(axis=0)
            for score in (precision, recall, f1):
                assert abs(score(counts) - getattr(expected, score.__name__)) < 1e-9
                for i, label in enumerate(TYPES if row % 5 == 0 else ()):
                    known = theirs["entities"].get(label)
                    each = getattr(known[THEIRS[scheme]], score.__name__) if known else 0.0
                    assert abs(score(by_type[i]) - each) < 1e-9, (scheme, label, t, f)


# --- what is made of the counts ---

A, B, C = Span(0, 1, "X"), Span(2, 3, "X"), Span(4, 5, "Y")
TRUTH = [Entities((A, C), "i"), Entities((B,), "j"), Entities((), "i"), Entities((C,), "i")]
ANSWERS = [
    Prediction(Entities((A, C), "i")),  # all right
    Prediction(Entities((Span(2, 4, "X"), C), "i")),  # one edge wrong, one spurious, intent wrong
    Prediction(Entities((), "i")),
    Prediction(Entities((C,), "i"), outcome="truncated"),  # failed: wrong whatever it says
]


def test_scores_by_hand() -> None:
    scores = TASK.score(TRUTH, ANSWERS)
    values = {name: score.value for name, score in scores.values.items()}
    assert values == pytest.approx({
        "entity_f1": 2 * 2 / (4 + 4),
        "entity_precision": 2 / 4,
        "entity_recall": 2 / 4,
        "entity_f1_macro": (2 / 4 + 2 / 4) / 2,
        "entity_precision_macro": (1 / 2 + 1 / 2) / 2,
        "entity_recall_macro": (1 / 2 + 1 / 2) / 2,
        "boundary_f1": 2 * 2 / (4 + 4),
        "partial_f1": 2 * 2.5 / (4 + 4),
        "type_f1": 2 * 3 / (4 + 4),
        "intent_accuracy": 2 / 4,
        "exact_match": 2 / 4,
    })  # fmt: skip
    assert tuple(values) == METRICS == TASK.metrics
    assert all(s.low is not None and s.high is not None and s.low <= s.value <= s.high for s in scores.values.values())
    assert all(0 < s.low < s.high < 1 for s in scores.values.values())


def test_details_by_hand() -> None:
    details = TASK.score(TRUTH, ANSWERS).details
    assert (details["rows"], details["outcomes"], details["unplaced"]) == (4, {"ok": 3, "truncated": 1}, 0)
    strict, _, partial, type = details["schemes"]
    assert [strict[name] for name in Outcomes._fields] == [2, 1, 0, 1, 1]
    assert [partial[name] for name in Outcomes._fields] == [2, 0, 1, 1, 1]
    assert [type[name] for name in Outcomes._fields] == [3, 0, 0, 1, 1]
    assert partial["f1"] == 0.625 and partial["macro"]["f1"] == pytest.approx((0.75 + 0.5) / 2)
    x, y = details["per_type"]
    assert (x["label"], x["right"], x["found"], x["support"], x["partial"]["f1"], x["type"]["f1"]) == (
        "X",
        1,
        2,
        2,
        0.75,
        1,
    )
    assert (y["label"], y["precision"], y["recall"], y["f1"]) == ("Y", 0.5, 0.5, 0.5)
    assert details["per_intent"] == [
        {"label": "i", "right": 2, "found": 3, "support": 3},
        {"label": "j", "right": 0, "found": 0, "support": 1},
    ]
    assert details["confusion"] == [
        {"true": "X", "found": "X", "count": 2, "exact": 1},
        {"true": "Y", "found": "Y", "count": 1, "exact": 1},
        {"true": "Y", "found": None, "count": 1, "exact": 0},
        {"true": None, "found": "Y", "count": 1, "exact": 0},
    ]
    assert json.loads(json.dumps(details)) == details


def test_components_sum_to_the_score_and_proportions_are_paired() -> None:
    scores = TASK.score(TRUTH, ANSWERS)
    for metric in TASK.metrics:
        parts = TASK.components(metric, TRUTH, ANSWERS)
        assert parts.value == scores.values[metric].value
        assert parts.paired_mean == (metric in ("intent_accuracy", "exact_match"))
        stacked = np.stack([parts.rows.sum(axis=0)] * 3)
        assert parts.combine(stacked).tolist() == [parts.value] * 3
        other = TASK.components(metric, TRUTH, [Prediction(Entities((Span(0, 1, "Z"),)))] * 4)
        assert other.rows.shape == parts.rows.shape  # so that two methods can be paired


def test_an_entity_without_a_place_is_found_and_wrong() -> None:
    answer = Entities((A, C), "i", unplaced=(("Oslo", "X"), ("Oslo", "X")))
    scores = TASK.score(TRUTH[:1], [Prediction(answer)])
    assert scores.values["entity_precision"].value == 2 / 4
    assert scores.values["entity_recall"].value == 1
    assert scores.values["exact_match"].value == 0
    assert scores.details["unplaced"] == 2
    assert {"true": None, "found": "X", "count": 2, "exact": 0} in scores.details["confusion"]
    assert target_from_json(json.loads(json.dumps(target_to_json(answer)))) == answer


def test_a_type_that_the_task_does_not_know_is_wrong_and_named() -> None:
    answers = [Prediction(Entities((A, Span(4, 5, "RIVER")), "i"))]
    scores = TASK.score(TRUTH[:1], answers)
    assert scores.values["entity_f1"].value == 0.5
    assert scores.values["entity_f1_macro"].value == pytest.approx(1 / 3)
    assert [row["label"] for row in scores.details["per_type"]] == ["RIVER", "X", "Y"]


def test_rows_without_an_intent_do_not_count_for_it() -> None:
    truth, answers = [Entities((), "i"), Entities(), Entities()], [Prediction(Entities((), "i"))] * 3
    assert TASK.score(truth, answers).values["intent_accuracy"].value == 1.0
    assert TASK.score(truth, answers).values["exact_match"].value == 1.0
    assert "intent_accuracy" not in TASK.score(truth[1:], answers[1:]).values
    with pytest.raises(UsageError, match="no row has an intent"):
        TASK.components("intent_accuracy", truth[1:], answers[1:])
    with pytest.raises(UsageError, match="did you mean 'entity_f1'"):
        TASK.components("entity_f2", truth, answers)


def test_nothing_found_scores_zero() -> None:
    scores = TASK.score([Entities((A,))], [Prediction(None, outcome="refused")])
    assert {name: s.value for name, s in scores.values.items()} == dict.fromkeys(
        [name for name in METRICS if name != "intent_accuracy"], 0.0)  # fmt: skip
