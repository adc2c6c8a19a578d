"""Entities as columns that are data again, and marked on a terminal, whatever the text is."""

import csv
import gzip
import io
import json
import sys

import pytest

from conftest import make_dataset
from slmfit.cli.predictions import Palette, marked, show
from slmfit.comparison.compare import train
from slmfit.data.readers.rows import read_rows
from slmfit.errors import Where
from slmfit.records import Entities, Prediction, Span
from slmfit.runs import predicting
from slmfit.tasks import by_name
from slmfit.tasks.answers import combined, entity_columns

TEXT = "see Ann 👩\u200d🚀 on\t10 May"
ANSWER = Entities((Span(4, 7, "NAME"), Span(len(TEXT) - 6, len(TEXT), "DATE")), "confirm")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def on_terminal(monkeypatch, rows, **environment):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    show(rows, as_json=False)
    return screen.getvalue()


def row(prediction, text=TEXT):
    return {"text": text, **by_name("token-classification").columns(prediction, text)}


def test_columns_hold_words_probabilities_and_entities_by_type():
    found = row(Prediction(ANSWER, probabilities={"confirm": 0.9, "cancel": 0.1}, span_probabilities=[0.5, 0.98]))
    assert found["spans"][0] == {"start": 4, "end": 7, "label": "NAME", "text": "Ann", "probability": 0.5}
    assert (found["intent"], found["intent_probability"]) == ("confirm", 0.9)
    assert found["entities"] == {"NAME": ["Ann"], "DATE": ["10 May"]}
    assert "unplaced" not in found and "outcome" not in found
    assert "probability" not in row(Prediction(ANSWER))["spans"][0]
    assert combined("a b a", Entities((Span(0, 1, "X"), Span(4, 5, "X")))) == {"X": ["a", "a"]}


def test_columns_are_read_as_data_again():
    found = json.loads(json.dumps(row(Prediction(ANSWER, span_probabilities=[1, 1]))))
    example = by_name("token-classification").parse(found, Where("answered.jsonl", 1), "1")
    assert (example.input, example.target) == (TEXT, ANSWER)


def test_what_could_not_be_placed_and_what_failed_is_shown(monkeypatch):
    odd = row(Prediction(Entities((), "confirm", (("Oslo", "CITY"),)), raw="{…}"))
    assert odd["unplaced"] == [{"text": "Oslo", "label": "CITY"}]
    failed = row(Prediction(None, "refused"))
    assert failed == {"text": TEXT, "spans": None, "intent": None, "entities": None, "outcome": "refused"}
    shown = on_terminal(monkeypatch, [odd, failed], NO_COLOR="1")
    assert "not in the text: Oslo CITY" in shown and "no answer: refused" in shown


def test_a_terminal_gets_the_text_with_its_entities_in_colour(monkeypatch):
    rows = [row(Prediction(ANSWER, probabilities={"confirm": 0.9}, span_probabilities=[0.5, 0.98]))]
    shown = on_terminal(monkeypatch, rows)
    assert "\x1b[1;36mAnn\x1b[0m" in shown and "\x1b[1;35m10 May\x1b[0m" in shown
    plain = on_terminal(monkeypatch, rows, NO_COLOR="1")
    assert plain == "confirm               90.0 %  see [Ann NAME 50 %] 👩\u200d🚀 on [10 May DATE 98 %]\n"
    assert "\x1b" not in on_terminal(monkeypatch, rows, TERM="dumb")


def test_a_terminal_obeys_nothing_in_a_text(monkeypatch):
    text = "\x1b[31mred\x1b]8;;https://example.com\x07 [bold]not bold[/] \u202egnp\x9b1m"
    answer = Entities((Span(0, 5, "\x1b[5m"), Span(5, len(text), "[red]")), "\x1b[2J")
    shown = on_terminal(monkeypatch, [row(Prediction(answer), text)], NO_COLOR="1")
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert "[bold]not bold[/]" in shown
    coloured = on_terminal(monkeypatch, [row(Prediction(answer), text)])
    assert "[bold]not bold[/]" in coloured and "\x1b]8" not in coloured and "\x1b[2J" not in coloured


def test_a_type_keeps_its_colour_and_neighbours_differ():
    palette = Palette()
    assert palette["A"] != palette["B"] == palette["B"]
    assert str(marked(row(Prediction(ANSWER)), palette)).endswith("on [10 May DATE]")


def test_long_texts_are_not_cut(monkeypatch):
    text = "word " * 500
    answer = Entities((Span(2495, 2499, "LAST"),))
    shown = on_terminal(monkeypatch, [row(Prediction(answer), text)], COLUMNS="40", NO_COLOR="1")
    assert shown.count("\n") == 1 and shown.rstrip().endswith("[word LAST]")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = make_dataset("token-classification")
    return train(data, "majority", out=tmp_path_factory.mktemp("out"))


@pytest.mark.parametrize("ending", ["jsonl", "csv", "csv.gz"])
def test_a_file_of_tokens_or_texts_is_answered(run, tmp_path, ending):
    source, output = tmp_path / "new.jsonl", tmp_path / f"out.{ending}"
    rows = [{"tokens": ["fly", "to", "Rome"], "tags": ["O", "O", "B-CITY"]}, {"tokens": ["a"], "tags": ["O"]}]
    source.write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert predicting.predict_file(run, source, output) == 2
    if ending == "jsonl":
        first = next(read_rows(output, []))[1]
        assert first["slmfit_spans"] == [] and first["slmfit_intent"] == "book" and first["slmfit_outcome"] == "ok"
        assert first["tags"] == ["O", "O", "B-CITY"] and first["text"] == "fly to Rome"
        again = [run.task.parse(row, where, "").target.spans for where, row in read_rows(output, [])]
        assert again == [(Span(7, 11, "CITY"),), ()]
    else:
        opener = gzip.open if ending.endswith("gz") else open
        with opener(output, "rt", encoding="utf-8") as file:
            first = next(csv.DictReader(file))
        assert (first["slmfit_spans"], first["slmfit_entities"], first["slmfit_intent"]) == ("[]", "{}", "book")
    source.write_text('{"text": "fly to Rome", "spans": [[7, 11, "CITY"]]}\n')
    predicting.predict_file(run, source, tmp_path / "again.jsonl")
    [again] = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert again["spans"] == [[7, 11, "CITY"]] and again["slmfit_spans"] == [] and "intent" not in again


def test_one_row_with_spans_of_its_own_names_the_answers_of_all(run, tmp_path):
    source, output = tmp_path / "new.jsonl", tmp_path / "out.csv"
    source.write_text('{"text": "a"}\n{"text": "fly to Rome", "spans": [[7, 11, "CITY"]]}\n')
    predicting.predict_file(run, source, output)
    with output.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["slmfit_spans"] for row in rows] == ["[]", "[]"]
    assert [row["spans"] for row in rows] == ["", '[[7, 11, "CITY"]]']


def test_a_pipe_gets_json_lines(run, capsys):
    show(predicting.predict_texts(run, ["fly to Rome"]), as_json=False)
    assert json.loads(capsys.readouterr().out) == {
        "text": "fly to Rome", "spans": [], "intent": "book", "entities": {}}  # fmt: skip


def test_every_span_needs_its_probability():
    with pytest.raises(ValueError, match="zip"):
        entity_columns(Prediction(ANSWER, span_probabilities=[0.5]), TEXT)
