"""Predictions for texts, streams and files: order and columns are kept, memory is not the file's."""

import csv
import datetime
import gzip
import io
import json
import os
import subprocess
import sys
import threading
import unittest.mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import make_dataset
from slmfit.cli.predictions import show
from slmfit.comparison.compare import train
from slmfit.data.given import read_answers
from slmfit.data.load import load_data
from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.records import Prediction
from slmfit.runs import predicting
from slmfit.runs.part_files import predict_files
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


class Refusing:
    """A run whose first answer is a refusal, and every third."""

    def __init__(self, run):
        self.task, self.record, self.count, self.labels = run.task, run.record, 0, []

    def predict(self, inputs):
        answers = []
        for _ in inputs:
            label = self.task.labels[self.count % len(self.task.labels)]
            given = Prediction(label, probabilities={label: 1.0}) if self.count % 3 else Prediction(None, "refused")
            answers.append(given)
            self.labels.append(given.target)
            self.count += 1
        return answers


OURS = ("outcome", "prediction", "probability", "probabilities")
names = st.one_of(
    st.sampled_from(
        [*OURS, *(f"slmfit_{name}" for name in OURS), "slmfit_slmfit_prediction", "label", "my_probabilities"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5),
)
cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@st.composite
def tables_of(draw, form):
    """Rows with a text and other columns; in JSON a key may occur in any row and lack in others."""
    columns = draw(
        st.lists(names.filter(lambda name: name.strip() not in ("text", "")), max_size=4, unique_by=str.strip)
    )
    size = draw(st.integers(1, 12))
    if form.startswith(("csv", "tsv")):
        columns = [name.strip() for name in columns]
        return [{"text": draw(cells) + ".", **{name: draw(cells) for name in columns}} for _ in range(size)]
    rows = [{"text": draw(cells) + "."} for _ in range(size)]
    for name in columns:
        for row in draw(st.lists(st.integers(0, size - 1), min_size=1, unique=True)):
            rows[row][name] = draw(
                st.one_of(cells, st.booleans(), st.integers(-9, 9), st.lists(st.integers(0, 3), max_size=2))
            )
    return rows


def write_rows(path, rows, form):
    opener = gzip.open if form.endswith(".gz") else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        if form.startswith("jsonl"):
            file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            writer = csv.DictWriter(
                file, list(rows[0]), delimiter="\t" if "tsv" in form else ",", quoting=csv.QUOTE_ALL
            )
            writer.writeheader()
            writer.writerows(rows)


def read_written(path, form):
    opener = gzip.open if form.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        if form.startswith("jsonl"):
            return [json.loads(line) for line in file.read().split("\n")[:-1]]
        return list(csv.DictReader(file, delimiter="\t" if "tsv" in form else ",", strict=True))


FORMS = ["csv", "tsv", "jsonl", "csv.gz", "jsonl.gz"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_nothing_of_a_file_is_lost_and_all_answers_stand_under_one_name(run, tmp_path, drawn):
    reads, writes = drawn.draw(st.sampled_from(FORMS)), drawn.draw(st.sampled_from(FORMS))
    rows = drawn.draw(tables_of(reads))
    source, output, refusing = tmp_path / f"in.{reads}", tmp_path / f"out.{writes}", Refusing(run)
    write_rows(source, rows, reads)
    with unittest.mock.patch.object(predicting, "BATCH", 3):
        assert predicting.predict_file(refusing, source, output) == len(rows)
    found = read_written(output, writes)
    own = {name for row in rows for name in row}
    before = ""
    while any(before + name in own for name in OURS):
        before += "slmfit_"
    table = not writes.startswith("jsonl")
    ours = {before + name for name in OURS if not (table and name == "probabilities")}
    for row, answered, label in zip(rows, found, refusing.labels, strict=True):
        assert answered.get(f"{before}prediction") == ("" if label is None and table else label)
        assert answered[f"{before}outcome"] == ("refused" if label is None else "ok")
        if table:
            assert answered.keys() == own | ours
            assert answered[f"{before}probability"] == ("" if label is None else "1.0")
            plain = {name: value if isinstance(value, str) else json.dumps(value) for name, value in row.items()}
            assert {name: answered[name] for name in own} == {name: plain.get(name, "") for name in own}
        else:
            assert {name: answered[name] for name in row} == row and answered.keys() <= row.keys() | ours
            assert (f"{before}probability" in answered) == (label is not None)


RUNS = ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0", "@SUM(A1)", "-2"]  # labels; the last is a number, and harmless


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_labels_that_a_spreadsheet_would_run_are_guarded_and_read_back(tmp_path, form):
    words = ["invoice refund", "courier late", "login reset", "price order"]
    rows = [{"id": str(i), "text": f"{words[i % 4]} {i}", "label": RUNS[i % 4], "note": "=1+1"} for i in range(120)]
    write_rows(tmp_path / "d.csv", rows, "csv")
    data = load_data(tmp_path / "d.csv")
    assert set(data.task.labels) == set(RUNS)  # the user's own cells stay as they are, apostrophe and all
    found = train(data, "linear", out=tmp_path / "o")
    output = tmp_path / f"answered.{form}"
    predicting.predict_file(found, tmp_path / "d.csv", output)
    written = read_written(output, form)
    assert {row["note"] for row in written} == {"=1+1"} and {row["label"] for row in written} == set(RUNS)
    plain = {"=cmd|' /C calc'!A0", "@SUM(A1)", "'=cmd|' /C calc'!A0", "-2"}
    cells = {row["prediction"] for row in written}
    assert cells == (plain if form == "jsonl" else {"'=cmd|' /C calc'!A0", "''=cmd|' /C calc'!A0", "'@SUM(A1)", "-2"})
    expected = [answer.target for answer in found.predict([e.input for e in data.test])]
    assert [answer.target for answer in read_answers(output, data)] == expected
    again = load_data(output, columns={"label": "prediction"})
    by_id = {example.id: example.target for split in again.splits.values() for example in split}
    assert by_id == {
        row["id"]: answer.target for row, answer in zip(rows, found.predict([r["text"] for r in rows]), strict=True)
    }


@pytest.mark.parametrize("link", ["none", "soft", "hard"])
def test_a_file_is_not_written_over_itself(run, tmp_path, link):
    source, output = tmp_path / "new.csv", tmp_path / ("new.csv" if link == "none" else "out.csv")
    source.write_text("text\nx\n")
    if link != "none":
        (output.symlink_to if link == "soft" else output.hardlink_to)(source)
    with pytest.raises(UsageError, match=r"(new|out)\.csv: is the input, too"):
        predicting.predict_file(run, source, output)
    assert source.read_text() == "text\nx\n"


def test_what_comes_out_of_a_pipe_is_read_twice_all_the_same(run, tmp_path):
    pipe, output = tmp_path / "new.jsonl", tmp_path / "out.csv"
    os.mkfifo(pipe)
    rows = [{"text": f"card {i}"} for i in range(9)] + [{"text": "last", "prediction": "mine"}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    assert predicting.predict_file(run, pipe, output) == 10
    writer.join()
    assert [row["prediction"] for row in rows_of(output)] == [""] * 9 + ["mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.jsonl", "out.csv"]


def test_a_parquet_file_with_dates_is_answered(run, tmp_path):
    polars = pytest.importorskip("polars")
    polars.DataFrame({"text": ["my card"], "on": [datetime.date(2026, 1, 31)]}).write_parquet(tmp_path / "new.parquet")
    predicting.predict_file(run, tmp_path / "new.parquet", tmp_path / "out.jsonl")
    assert rows_of(tmp_path / "out.jsonl")[0]["on"] == "2026-01-31"


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
    command = [sys.executable, "-c", "from slmfit.__main__ import main; main()", "predict", str(run.folder), "-"]
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


@pytest.mark.parametrize(("written", "said"), [
    ("\ufeffbill\n".encode(), ["bill"]), ("bill\n".encode("utf-16"), r"is UTF-16.*\n.*iconv -f UTF-16"),
])  # fmt: skip
def test_marks_before_the_first_line(run, written, said):
    read, write = os.pipe()
    os.write(write, written)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        if isinstance(said, list):
            assert [row["text"] for row in predicting.predict_lines(run, stream)] == said
        else:
            with pytest.raises(DataError, match=said):
                list(predicting.predict_lines(run, stream))


def test_blank_lines_are_answered_and_counted(run):
    for written, said in (
        (b"bill\n\n \t\nparcel", ["standard input: 2 rows of 4 have an empty text"]),
        (b"bill\n", []),
    ):
        read, write = os.pipe()
        os.write(write, written)
        os.close(write)
        notes: list[str] = []
        with os.fdopen(read, "rb") as stream:
            assert len(list(predicting.predict_lines(run, stream, notes))) == written.count(b"\n") + bool(said)
        assert [note.partition(",")[0] for note in notes] == said


@pytest.mark.parametrize("way", ["x/../rows.csv", "x/y/rows.csv", "./x/../../new.csv"])
def test_a_folder_on_the_way_to_the_output_that_is_not_there_is_named(run, tmp_path, way):
    rows = tmp_path / "rows.csv"
    rows.write_text("text\nbill\n")
    with pytest.raises(SlmfitError, match=rf"there is no folder '{tmp_path}/x'\n.*mkdir -p"):
        predicting.predict_file(run, rows, tmp_path / way)
    assert rows.read_text() == "text\nbill\n"


def test_a_line_that_is_not_utf8(run):
    read, write = os.pipe()
    os.write(write, b"fine\ncaf\xe9\n")
    os.close(write)
    with os.fdopen(read, "rb") as stream, pytest.raises(DataError, match="standard input, line 2"):
        list(predicting.predict_lines(run, stream))


def test_a_line_without_an_end(run, monkeypatch):
    monkeypatch.setattr(predicting, "LONGEST_LINE", 1000)
    monkeypatch.setattr(predicting, "CHUNK", 100)
    read, write = os.pipe()
    os.write(write, b"fine\n" + b"x" * 1200)  # and it stays open
    with os.fdopen(read, "rb") as stream, pytest.raises(DataError, match="input, line 2: this line is longer"):
        list(predicting.predict_lines(run, stream))
    os.close(write)


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


def test_a_text_is_no_question(tmp_path):
    run = train(make_dataset("multiple-choice"), "majority", out=tmp_path / "o")
    with pytest.raises(UsageError, match=r"a question with its options is needed[^\0]*--input FILE"):
        predicting.predict_texts(run, ["hello"])
    with pytest.raises(UsageError, match="a question with its options"):
        run.predict([3])
    source = tmp_path / "q.jsonl"
    source.write_text('{"question": "Ice is", "options": {"A": "hot", "B": "cold"}}\n')
    assert predicting.predict_file(run, source, tmp_path / "answered.jsonl") == 1
    assert '"prediction": ' in (tmp_path / "answered.jsonl").read_text()
    other = tmp_path / "odd.jsonl"
    other.write_text('{"stem": "Ice is", "options": {"A": "hot", "B": "cold"}}\n')
    assert predicting.predict_file(run, other, tmp_path / "answered.jsonl", columns={"question": "stem"}) == 1


def test_cells_of_other_kinds_stay_as_they_are(run, tmp_path):
    pl = pytest.importorskip("polars")
    import decimal

    day, moment = datetime.date(2025, 1, 1), datetime.datetime(2025, 1, 1, 10, 0, 0, 123456)
    cells = {"day": day, "moment": moment, "price": decimal.Decimal("1.10"), "took": datetime.timedelta(seconds=5)}
    source = tmp_path / "new.parquet"
    pl.DataFrame([{"text": "my card", **cells, "n": 3, "ok": True, "tags": ["a"]}]).write_parquet(source)
    predicting.predict_file(run, source, tmp_path / "out.csv")
    [row] = rows_of(tmp_path / "out.csv")
    assert {name: row[name] for name in cells} == {name: str(cell) for name, cell in cells.items()}
    assert [row["n"], row["ok"], row["tags"]] == ["3", "true", '["a"]']


NUMBERS = '{"big": 1e400, "n": [1.10, 0.12345678901234567890123, 1E5, 12345678901234567890123, 0.5]}'


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("studio", [False, True])
def test_numbers_of_json_come_back_as_they_were_written(run, tmp_path, studio, many):
    row = f'"data": {{"text": "my card"}}, "meta": {NUMBERS}' if studio else f'"text": "my card", "meta": {NUMBERS}'
    for ending, text in (("jsonl", f"{{{row}}}\n"), ("json", f"[{{{row}}}]")):
        source, output = tmp_path / f"new.{ending}", tmp_path / f"out-{ending}"
        source.write_text(text)
        if many:
            answered = predict_files(run, str(source), output)
            [output] = answered.folder.glob("part-*")
        else:
            output = output.with_suffix(".jsonl")
            predicting.predict_file(run, source, output)
        assert f'"meta": {NUMBERS}' in output.read_text()
    if not (studio or many):
        predicting.predict_file(run, source, tmp_path / "out.csv")
        assert [row["meta"] for row in rows_of(tmp_path / "out.csv")] == [NUMBERS]


def test_another_column_than_the_runs_own_is_named(run, tmp_path):
    source, notes = tmp_path / "new.jsonl", []
    source.write_text('{"message": "hello", "extra": "my card"}\n')
    predicting.predict_file(run, source, tmp_path / "out.csv", notes=notes)
    assert run.record.origin.columns.get("text") is None or "the texts are those of 'message'" in notes[0]


def test_empty_texts_are_counted_and_a_file_without_any_is_refused(run, tmp_path):
    source, notes = tmp_path / "new.csv", []
    source.write_text("id,text\n1,my card\n2,\n3,\n")
    predicting.predict_file(run, source, tmp_path / "out.csv", notes=notes)
    assert notes == [f"{source}: 2 rows of 3 have an empty text, and are answered as such."]
    source.write_text("id,text,body\n1,,my card\n2,,parcel\n")
    with pytest.raises(DataError, match="the text is empty in every row, and there are words in 'body'"):
        predicting.predict_file(run, source, tmp_path / "out2.csv")
    assert not (tmp_path / "out2.csv").exists()
    source.write_text("id,text\n1,\n")
    assert predicting.predict_file(run, source, tmp_path / "out3.csv") == 1


@pytest.mark.parametrize("table", [{"text": ["a"]}, "polars"])
def test_a_table_is_no_list_of_texts(run, table):
    if table == "polars":
        table = pytest.importorskip("polars").DataFrame({"text": ["a", "b"], "n": [1, 2]})
    with pytest.raises(UsageError, match="a table was given"):
        run.predict(table)


@pytest.mark.parametrize("texts", [{"a", "b"}, frozenset("ab"), {"a": 1}.keys()])
def test_a_set_has_no_order_to_answer_in(run, texts):
    with pytest.raises(UsageError, match="a set was given, which has no order"):
        run.predict(texts)


def asked(run, path, rows, **more):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    notes = []
    predicting.predict_file(run, path, path.with_name("out.jsonl"), notes=notes, **more)
    return notes


def test_which_column_holds_the_text(tmp_path):
    data = load_data([{"text": f"card {i} {'ab'[i % 2]}", "label": "ab"[i % 2]} for i in range(60)])
    run = train(data, "majority", out=tmp_path / "out")
    path = tmp_path / "in.jsonl"
    with pytest.raises(DataError, match=r"'message', 'body' may each be meant\n.*--column text=NAME"):
        asked(run, path, [{"body": "card", "message": "x"}])
    assert asked(run, path, [{"body": "card", "message": "x"}], columns={"text": "body"}) == []
    assert "the texts are those of 'Text'" in asked(run, path, [{"Text": "card", "body": "x", "message": "x"}])[0]
    with pytest.raises(DataError, match="line 2, column 'text': the text is missing"):
        asked(run, path, [{"text": "card"}, {"other": "x"}])


def test_a_column_without_a_name_is_told_of(run, tmp_path):
    (tmp_path / "in.csv").write_text(",text\n0,card\n")
    notes = []
    predicting.predict_file(run, tmp_path / "in.csv", tmp_path / "out.csv", notes=notes)
    assert "what has no name in the header is called 'column 1'" in notes[0]
