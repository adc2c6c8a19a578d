"""Entities answered in a file of tokens, or into one: what is read back is what was answered."""

import json
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slmfit.data.readers.rows import read_rows
from slmfit.errors import UsageError
from slmfit.records import Entities, Prediction, Source, Span
from slmfit.runs import predicting
from slmfit.tasks.classification import TextClassification
from slmfit.tasks.tagging import TokenClassification

TASK = TokenClassification(("CITY", "DAY"), ("book", "cancel"))


def run_of(*answers, task=TASK):
    given = iter(answers)
    return SimpleNamespace(
        task=task,
        record=SimpleNamespace(origin=Source(), cascade=None),
        predict=lambda inputs: [next(given) for _ in inputs],
    )


def back(path):
    return [TASK.parse(row, where, "") for where, row in read_rows(path, [], str(path))]


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@st.composite
def answered(draw):
    """A text of one line with a word in it, and spans that neither begin nor end at a space."""
    text = draw(st.text("ab'-.#é\u0301😀🇩\u200d好 \t", max_size=15)) + draw(st.sampled_from("xz"))
    letters = [i for i, letter in enumerate(text) if not letter.isspace()]
    edges = sorted(draw(st.lists(st.sampled_from(letters), max_size=6, unique=True)))
    spans = [
        Span(start, end + 1, draw(st.sampled_from(TASK.labels)))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    return text, Entities(tuple(spans), draw(st.sampled_from([None, *TASK.intents])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(answered(), min_size=1, max_size=4))
def test_conll_is_read_back_as_it_was_answered(tmp_path, rows):
    source = lines(tmp_path / "in.jsonl", [{"id": 7, "text": text} for text, _ in rows])
    output = tmp_path / "out.conll"
    assert predicting.predict_file(run_of(*(Prediction(answer) for _, answer in rows)), source, output) == len(rows)
    found = back(output)
    assert [example.input for example in found] == [text for text, _ in rows]
    assert [example.target for example in found] == [answer for _, answer in rows]


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_tokens_that_were_given_get_tags(tmp_path, ending):
    rows = [{"tokens": ["fly", "to", "New", "York"], "n": 1}, {"tokens": ["on", "Sunday"], "n": 2}, {"tokens": ["no"]}]
    answers = [Entities((Span(7, 15, "CITY"),)), Entities((Span(3, 9, "DAY"),))]
    run = run_of(*map(Prediction, answers), Prediction(None, "timeout"))
    output = tmp_path / f"out.{ending}"
    predicting.predict_file(run, lines(tmp_path / "in.jsonl", rows), output)
    found = [row["tags"] for _, row in read_rows(output, [], str(output))]
    if ending == "csv":
        found = [json.loads(cell) if cell else None for cell in found]
    assert found == [["O", "O", "B-CITY", "I-CITY"], ["O", "B-DAY"], None]


def test_tags_of_the_file_stay_beside_those_that_were_answered(tmp_path):
    source, output = tmp_path / "in.conll", tmp_path / "out.jsonl"
    source.write_text("to O\nRome B-CITY\n", encoding="utf-8")
    predicting.predict_file(run_of(Prediction(Entities())), source, output)
    [(_, row)] = read_rows(output, [], str(output))
    assert (row["tags"], row["slmfit_tags"]) == (["O", "B-CITY"], ["O", "O"])
    again = tmp_path / "out.conll"
    predicting.predict_file(run_of(Prediction(Entities((Span(0, 2, "DAY"),)))), source, again)
    assert again.read_text(encoding="utf-8") == "# text = to Rome\nto\tB-DAY\nRome\tO\n\n"


def test_tokens_with_a_tab_or_a_line_break_in_them(tmp_path):
    source, output = lines(tmp_path / "in.jsonl", [{"tokens": ["New York", "is\tbig", "a\nb"]}]), tmp_path / "out.conll"
    predicting.predict_file(run_of(Prediction(Entities((Span(0, 8, "CITY"),)))), source, output)
    [example] = back(output)
    assert (example.input, example.target) == ("New York is big a b", Entities((Span(0, 8, "CITY"),)))


def test_classes_are_no_tags(tmp_path):
    source = lines(tmp_path / "in.jsonl", [{"text": "hello"}])
    with pytest.raises(UsageError, match=r"text-classification has no tags.*\n.*\.csv"):
        predicting.predict_file(run_of(task=TextClassification(("a", "b"))), source, tmp_path / "out.conll")
