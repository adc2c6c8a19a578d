"""What a notebook shows: text that is nothing but text, entities marked, no backticks, no figure broken in two."""

import re

import pytest

from slmfit.records import ComparisonRecord, Entities, MethodRow, Prediction, Score, Span, Split, Verdict
from slmfit.runs.brief import comparison_html

ATTACK = "<img src=x onerror=alert(1)>\x1b[31m\u202e"


def test_entities_are_marked_in_their_text():
    text = "fly to Rome <now>\nor 👩\u200d👧 never"
    answer = Prediction(Entities((Span(7, 11, "CITY"), Span(12, 17, "<i>")), "book"), probabilities={"book": 0.934})
    shown = Prediction(answer.target, probabilities=answer.probabilities, input=text)._repr_html_()
    assert [re.sub("<.*?>", "", mark) for mark in re.findall("<mark.*?</mark>", shown)] == [
        "Rome CITY",
        "&lt;now&gt; &lt;i&gt;",
    ]
    assert re.sub("<.*?>", "", shown) == "book 93 %fly to Rome CITY &lt;now&gt; &lt;i&gt; or 👩\u200d👧 never"
    assert re.sub("<.*?>", "", answer._repr_html_()) == "book 93 %7–11 CITY12–17 &lt;i&gt;"


@pytest.mark.parametrize(
    "answer",
    [
        Prediction(ATTACK, input=ATTACK, probabilities={ATTACK: 0.5}),
        Prediction(Entities((Span(0, 5, ATTACK),), ATTACK, ((ATTACK, ATTACK),)), input=ATTACK),
        Prediction(None, "refused", input=ATTACK),
    ],
)
def test_nothing_in_an_answer_is_obeyed(answer):
    shown = answer._repr_html_()
    assert "<img" not in shown and "\x1b" not in shown and "\u202e" not in shown
    assert ("no answer: <bdi>refused</bdi>" in shown) == (answer.target is None)


def test_the_text_is_no_part_of_an_answer():
    assert Prediction("a", input="x") == Prediction("a", input="y") and "x" not in repr(Prediction("a", input="x"))


def test_a_comparison_has_no_backticks_and_whole_figures():
    scores = {"test": {"exact_match": Score(0.831, 0.8, 0.86), "entity_f1": Score(0.9), "intent_accuracy": Score(0.9)}}
    rows = [
        MethodRow(id="linear", name="linear", status="ok", scores=scores, size_bytes=918_000, rows_per_second=138663.0),
        MethodRow(id="causal", name="causal", status="skipped", reason="needs `pip install <b>`"),
    ]
    verdict = Verdict(kind="pick", method="linear", metric="exact_match", best="linear", sentence="linear it is.",
                      caveats=["see `slmfit evaluate`."])  # fmt: skip
    about = {"dataset": {"name": "x"}, "split": {"test": Split(1, "0")}, "paired": {}, "warnings": [], "command": ""}
    about |= {"seed": 0, "environment": {}, "created": "", "methods": rows, "verdict": verdict}
    shown = comparison_html(ComparisonRecord(**about))
    assert "<code>slmfit evaluate</code>" in shown and "<code>pip install &lt;b&gt;</code>" in shown
    assert "`" not in shown
    cells = re.findall('<td style="([^"]*)"><bdi>(.*?)</bdi></td>', shown)
    assert all(("white-space:normal" in style) == (", " in words) for style, words in cells)
    assert "139,000" in [words for _, words in cells]
    assert re.search('<th colspan="2"[^>]*>test <bdi>rows wholly right</bdi></th>', shown)  # the bar's head too
