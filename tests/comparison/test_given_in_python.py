"""Answers handed over in Python: what is none for the test rows is refused with its row, before anything is written."""

import numpy as np
import pytest

from conftest import make_dataset
from slmfit.comparison.compare import compare
from slmfit.comparison.given import checked_given
from slmfit.errors import UsageError
from slmfit.records import Entities, Prediction, Span, Usage

DATA = make_dataset()
TRUE = [str(e.target) for e in DATA.test]
FIRST = f"given['gpt'][0], test row '{DATA.test[0].id}'"


def each(**more):
    return [Prediction(label, **more) for label in TRUE]


WRONG = {
    "too few": (each()[:3], "holds 3 answers for 60 test rows", "in its order"),
    "too many": ([*each(), Prediction("billing")], "holds 61 answers", "in its order"),
    "labels": (TRUE, f"{FIRST}: is str, not a prediction", f"slmfit.Prediction({TRUE[0]!r})"),
    "an array": (np.array(TRUE), f"{FIRST}: is str_", f"slmfit.Prediction({TRUE[0]!r})"),
    "a dict": ({e.id: e.target for e in DATA.test}, "is dict", "slmfit.Prediction(answers[row.id])"),
    "a text": ("billing", "is str, not a list", "for row in data.test"),
    "nothing": (None, "is NoneType", "for row in data.test"),
    "numbers": ([Prediction(2)] * 60, f"{FIRST}: the answer is int", "'account', 'billing'"),
    "entities": ([Prediction(Entities())] * 60, "the answer is Entities", "'account', 'billing'"),
    "an outcome": (each(outcome="fine"), "no outcome 'fine'", "refused"),
    "over 1": (each(probabilities={"billing": 5.0}), "probability of 'billing' is 5.0", "0 to 1"),
    "unknown": (each(probabilities={"zz": 1.0}), "a probability of 'zz'", "'billing'"),
    "a sum": (each(probabilities={"billing": 0.9, "account": 0.9}), "sum to 1.8", "leave probabilities out"),
    "no dict": (each(probabilities=[1.0]), "the probabilities are list", "leave probabilities out"),
    "sure": (each(confidence=float("nan")), "the confidence is nan", "0 to 1"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_answer_is_refused_with_its_row(kind, tmp_path):
    answers, what, fix = WRONG[kind]
    with pytest.raises(UsageError) as caught:
        compare(DATA, "majority", given={"gpt": answers}, out=tmp_path / "o")
    assert what in str(caught.value) and fix in caught.value.fix and "given['gpt']" in str(caught.value)
    assert not (tmp_path / "o").exists()


def test_entities_lie_in_their_text():
    data = make_dataset("token-classification")
    for target, what in (
        (Entities((Span(0, 999, "CITY"),)), "no stretch of the row's text"),
        ("Bern", "the answer is str"),
    ):
        with pytest.raises(UsageError, match=what):
            checked_given({"gpt": [Prediction(target)] * len(data.test)}, data)
    shares = [Prediction(Entities((Span(0, 2, "CITY"),)), span_probabilities=[0.1, 0.2])] * len(data.test)
    with pytest.raises(UsageError, match="2 probabilities do not go with 1 span"):
        checked_given({"gpt": shares}, data)
    right = [Prediction(e.target) for e in data.test]
    assert checked_given({"gpt": right}, data) == {"gpt": right}


def test_answers_that_are_right_are_taken_and_none_is_invalid(tmp_path):
    shares = {"billing": np.float32(0.75), "account": 0.25}
    answers = [Prediction(None), *(Prediction(label, probabilities=shares) for label in TRUE[1:])]
    given = {"gpt": np.array(answers, dtype=object)}
    result = compare(DATA, "majority", given=given, out=tmp_path / "o")
    details = result.runs["predictions-gpt"].record.details["test"]
    assert details["outcomes"] == {"ok": 59, "invalid": 1}


def test_a_pick_whose_cost_nobody_knows_is_said_to_be_so(tmp_path):
    cheap = compare(DATA, "majority", given={"gpt": each()}, prefer="cost", out=tmp_path / "out").record.verdict
    assert cheap.method == "predictions-gpt" and cheap.sentence.startswith("No cheaper method is as good")
    assert any(said.startswith("The cost of predictions-gpt is unknown") for said in cheap.caveats)
    known = [Prediction(label, usage=Usage(usd=0.001)) for label in TRUE]
    told = compare(DATA, "majority", given={"gpt": known}, prefer="cost", out=tmp_path / "known").record.verdict
    assert not any("is unknown" in said for said in told.caveats)
