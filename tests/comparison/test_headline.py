"""What stands beside the headline: another metric's best, the parts of a score, what `majority` always answers."""

import pytest

from slmfit.comparison.compare import compare
from slmfit.comparison.others import disagreements
from slmfit.comparison.remarks import always
from slmfit.data.load import load_data
from slmfit.evidence import verdict as verdicts
from slmfit.evidence.statistic import Difference
from slmfit.records import Entities, MethodRow, Prediction, Score, Span
from slmfit.reporting import html
from slmfit.tasks.tagging import TokenClassification


def row(id, **scores):
    test = {name: Score(value, value - 0.02, value + 0.02) for name, value in scores.items()}
    return MethodRow(id=id, name=id, status="ok", scores={"test": test})


def told(rows, metric, best, p_value=0.001):
    return list(disagreements(rows, metric, best, lambda other, name: Difference(0.1, 0.05, 0.15, p_value)))


def test_accuracy_and_macro_f1_that_disagree_are_both_said():
    rows = [row("linear", accuracy=0.91, f1_macro=0.64), row("knn", accuracy=0.88, f1_macro=0.712)]
    assert told(rows, "accuracy", "linear") == [
        "By macro F1 knn is the best: 71.2 % against 64.0 % of linear, which is the best by accuracy."
    ]
    assert "not distinguishable by it" in told(rows, "accuracy", "linear", p_value=0.3)[0]
    assert told(rows, "f1_macro", "knn")[0].startswith("By accuracy linear is the best: 91.0 %")


def test_agreement_ties_and_missing_scores_are_not_spoken_of():
    rows = [row("linear", accuracy=0.9, f1_macro=0.7), row("knn", accuracy=0.8, f1_macro=0.7)]
    assert told(rows, "accuracy", "linear") == []
    assert told([row("linear", accuracy=0.9), row("knn", accuracy=0.8)], "accuracy", "linear") == []


def test_entities_and_intents_go_by_rows_wholly_right():
    plain = TokenClassification(("CITY",))
    assert plain.metric == "entity_f1" and TokenClassification(("CITY",), ("book", "ask")).metric == "exact_match"
    rows = [row("linear", exact_match=0.567, entity_f1=1.0, intent_accuracy=0.567),
            row("encoder", exact_match=0.867, entity_f1=0.989, intent_accuracy=0.9)]  # fmt: skip
    assert told(rows, "exact_match", "encoder") == [
        "By entity F1 linear is the best: 100.0 % against 98.9 % of encoder, which is the best by rows wholly right."
    ]


@pytest.mark.parametrize("answers, words", [
    (["neutral"] * 3, "'neutral'"),
    (["neutral", "good"], ""),
    ([Entities((), "book")] * 2, "'book' and no entities"),
    ([Entities()] * 2, "no entities"),
    ([], ""),
])  # fmt: skip
def test_the_one_answer_in_words(answers, words):
    assert always([Prediction(answer) for answer in answers]) == words


def test_a_pick_of_majority_says_what_it_does():
    majority = verdicts.Candidate("majority", Score(0.9, 0.89, 0.91), 1, is_baseline=True, always="'neutral'")
    linear = verdicts.Candidate("linear", Score(0.905, 0.895, 0.915), 10)
    gap = {"majority": Difference(0.005, 0.001, 0.009, 0.01)}
    found = verdicts.verdict([majority, linear], gap, metric="accuracy", rows=900)
    said = verdicts.sentence(found)
    assert said.startswith("Nothing beats majority (always answers 'neutral') by more than the margin: accuracy 90.0 %")


def test_both_parts_stand_in_headline_and_table(tmp_path):
    """Entities that are never found beside an intent that is always right: by no part alone is that 50 %."""
    rows = "".join(
        f'{{"text": "fly to %s a{k} b{k} c{k}", "spans": %s, "intent": "book"}}\n'
        % (("Rome", '[[7, 11, "CITY"]]') if k % 2 else (f"bed {k}", "[]"))
        for k in range(60)
    )
    (tmp_path / "a.jsonl").write_text(rows)
    data = load_data(tmp_path / "a.jsonl")
    true = [Prediction(Entities((Span(7, 11, "CITY"),) if "Rome" in str(e.input) else (), "book")) for e in data.test]
    found = compare(data, "majority", given={"mine": true}, out=tmp_path / "out").record
    assert found.verdict.metric == "exact_match"
    assert "mine: every answer equals the truth: is it the truth itself?" in found.warnings
    assert "rows wholly right 100.0 %" in found.verdict.sentence
    assert "entity F1 100.0 %, intent accuracy 100.0 %" in found.verdict.sentence
    page = html([tmp_path / "out"])
    assert 'data-key="part">entity F1 0.0 %' in page and 'data-key="part">intent accuracy 100.0 %' in page
