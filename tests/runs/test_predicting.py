"""Predictions for texts, streams and files: order and columns are kept, memory is not the file's."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys

import pytest

from conftest import make_dataset
from slmfit.cli.predictions import show
from slmfit.comparison.compare import train
from slmfit.errors import DataError, UsageError
from slmfit.runs import predicting
from slmfit.runs.run import load


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(make_dataset(), "knn", out=tmp_path_factory.mktemp("out"))


def rows_of(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)) if ".csv" in path.name else [json.loads(line) for line in file]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz"])
def test_a_file_keeps_its_order_and_columns(run, tmp_path, ending, monkeypatch):
    monkeypatch.setattr(predicting, "BATCH", 7)
    source, output = tmp_path / "new.csv", tmp_path / f"out.{ending}"
    texts = [f'parcel "{i}", late\nand more' if i % 2 else f"card {i} 😀" for i in range(40)]
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "text", "prediction"])
        writer.writerows([[f"c{i}", text, "theirs"] for i, text in enumerate(texts)])
    assert predicting.predict_file(run, source, output) == 40
    rows = rows_of(output)
    assert [row["text"] for row in rows] == texts
    assert [row["customer"] for row in rows] == [f"c{i}" for i in range(40)]
    assert {row["prediction"] for row in rows} == {"theirs"}
    expected = [p.target for p in run.predict(texts)]
    assert [row["slmfit_prediction"] for row in rows] == expected


def test_a_bad_row_leaves_no_output(run, tmp_path):
    source = tmp_path / "new.jsonl"
    source.write_text('{"text": "fine"}\n' * 20 + '{"text": null}\n')
    with pytest.raises(DataError, match="line 21"):
        predicting.predict_file(run, source, tmp_path / "out.jsonl")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.jsonl"]


def test_a_file_without_a_text_column(run, tmp_path):
    source = tmp_path / "new.csv"
    source.write_text("who,what\na,parcel is late\n")
    with pytest.raises(DataError, match="--column text=NAME"):
        predicting.predict_file(run, source, tmp_path / "out.csv")
    assert predicting.predict_file(run, source, tmp_path / "out.csv", columns={"text": "what"}) == 1


def test_an_ending_that_is_not_written(run, tmp_path):
    (tmp_path / "new.csv").write_text("text\nx\n")
    with pytest.raises(UsageError, match=r"\.csv"):
        predicting.predict_file(run, tmp_path / "new.csv", tmp_path / "out.xlsx")


def test_lines_are_answered_as_they_come(run):
    command = [sys.executable, "-c", "from slmfit.__main__ import main; main()", "predict", str(run.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write("my parcel is läte\n".encode())
        process.stdin.flush()
        first = json.loads(process.stdout.readline())  # before stdin is closed
        process.stdin.write(b"\nlast, without a line break")
        rest, _ = process.communicate()
    assert first["text"] == "my parcel is läte"
    assert [json.loads(line)["text"] for line in rest.splitlines()] == ["", "last, without a line break"]


def test_a_line_split_between_two_reads(run, monkeypatch):
    monkeypatch.setattr(predicting, "CHUNK", 3)
    read, write = os.pipe()
    os.write(write, "größe a\r\nb\n".encode())
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        assert [row["text"] for row in predicting.predict_lines(run, stream)] == ["größe a", "b"]


def test_a_line_that_is_not_utf8(run):
    read, write = os.pipe()
    os.write(write, b"fine\ncaf\xe9\n")
    os.close(write)
    with os.fdopen(read, "rb") as stream, pytest.raises(DataError, match="standard input, line 2"):
        list(predicting.predict_lines(run, stream))


def test_a_terminal_gets_words_a_pipe_gets_json(run, monkeypatch, capsys):
    rows = predicting.predict_texts(run, ["where is my parcel"])
    show(rows, as_json=False)
    assert json.loads(capsys.readouterr().out)["prediction"] == rows[0]["prediction"]

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    show(rows, as_json=False)
    assert "where is my parcel" in screen.getvalue() and "{" not in screen.getvalue()


def test_a_loaded_run_says_what_it_is(run):
    assert "knn" in repr(load(run.folder))
