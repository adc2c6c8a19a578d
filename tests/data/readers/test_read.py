"""Readers: any bytes become rows with their places, or an error that names the place and the remedy."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patience import of_work
from slmfit.data.load import load_data
from slmfit.data.readers import csv_reader
from slmfit.data.readers.lines import LONGEST_LINE
from slmfit.data.readers.rows import READERS, ending, read_rows, rows_from
from slmfit.errors import DataError, SlmfitError

ROWS = [{"text": "a parcel, late", "label": "delivery"}, {"text": 'she said "no"\nand left', "label": "billing"}]
CSV = b'text,label\n"a parcel, late",delivery\n"she said ""no""\nand left",billing\n'
ZIPPED = gzip.compress(CSV, mtime=0)  # the same bytes in each process
JSONL = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)


def rows(data: bytes, kind: str = "csv", notes: list[str] | None = None) -> list[dict[str, Any]]:
    return [row for _, row in rows_from(io.BytesIO(data), "f", kind, [] if notes is None else notes)]


def lines(data: bytes, kind: str = "csv") -> list[int | None]:
    return [where.line for where, _ in rows_from(io.BytesIO(data), "f", kind, [])]


def refusal(data: bytes, kind: str = "csv") -> str:
    with pytest.raises(DataError) as caught:
        rows(data, kind)
    assert caught.value.fix
    return str(caught.value)


def parquet(table: pl.DataFrame, **options: Any) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, **options)
    return buffer.getvalue()


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("name", "data"), [
    ("a.csv", CSV),
    ("a.CSV", b"\xef\xbb\xbf" + CSV.replace(b"\n", b"\r\n").replace(b"\r\nand", b"\nand")),
    ("a.tsv", CSV.replace(b"parcel, late", b"parcel; late").replace(b",", b"\t").replace(b"parcel;", b"parcel,")),
    ("a.jsonl", JSONL),
    ("a.ndjson", b"\n" + JSONL.replace(b"\n", b"\n\n")),
    ("a.json", json.dumps(ROWS, indent=1).encode()),
    ("a.json", json.dumps({"version": 1, "data": ROWS, "empty": []}).encode()),
    ("a.json", JSONL),
    ("a.parquet", parquet(pl.DataFrame(ROWS))),
])  # fmt: skip
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, data: bytes, zipped: bool) -> None:
    path = tmp_path / (name + (".gz" if zipped else ""))
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert [row for _, row in read_rows(path, [])] == ROWS


def test_a_place_is_the_file_and_the_line_its_row_starts_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    assert [str(where) for where, _ in read_rows(path, [])] == [f"{path}, line 2", f"{path}, line 3"]
    assert lines(CSV + b"\n\nx,y\n") == [2, 3, 7]
    assert lines(CSV.replace(b"\n", b"\r")) == [2, 3]
    assert lines(JSONL.replace(b"\n", b"\n\n"), "jsonl") == [1, 3]
    assert lines(json.dumps(ROWS, indent=1).encode(), "json") == [2, 6]
    assert lines(b'{"a": {"b": [[]]}, \n "c" : [\r\n {"x": "\\"]}"},{"x":2}\r,\r{"x": 3} ] }', "json") == [3, 3, 5]


def test_what_is_guessed_is_said() -> None:
    notes: list[str] = []
    assert rows(b"text;label\na, b;c\n", notes=notes) == [{"text": "a, b", "label": "c"}]
    assert rows(b"text\tlabel\na, b\tc\n", notes=notes) == [{"text": "a, b", "label": "c"}]
    assert rows(b'text\tlabel\n"a\tb\nc\td\n', "tsv", notes) == [
        {"text": '"a', "label": "b"}, {"text": "c", "label": "d"}]  # fmt: skip
    assert rows(JSONL, "json", notes) == ROWS
    assert rows(b'{"data": [{"a": 1}]}', "json", notes) == [{"a": 1}]
    said = ["semicolon", "tab", "ordinary characters", "JSON lines", "'data'"]
    assert all(word in note for word, note in zip(said, notes, strict=True))


def test_a_nameless_column_is_called_by_its_number() -> None:
    assert rows(b",text , label\n0,a,b\n") == [{"column 1": "0", "text": "a", "label": "b"}]


def test_a_tsv_quotes_where_that_makes_sense() -> None:
    assert rows(b'text\tlabel\n"a\tb"\tc\n', "tsv") == [{"text": "a\tb", "label": "c"}]


def test_class_names_in_parquet_are_put_back(tmp_path: Path) -> None:
    features = {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}, "text": {"dtype": "string"}}
    known = {"huggingface": json.dumps({"info": {"features": features}})}
    data = parquet(pl.DataFrame({"text": ["a", "b", "c"], "label": [1, 0, -1]}), metadata=known)
    notes: list[str] = []
    assert [row["label"] for row in rows(data, "parquet", notes)] == ["yes", "no", None]
    assert "class names" in notes[0]


def test_a_raised_limit_of_csv_is_not_lowered() -> None:
    import csv

    before = csv.field_size_limit(5_000_000)
    try:
        rows(CSV)
        assert csv.field_size_limit() == 5_000_000
    finally:
        csv.field_size_limit(max(before, csv_reader.LONGEST_TEXT))


def test_rows_are_streamed() -> None:
    class Endless(io.RawIOBase):
        line = b"text,label\n"

        def read(self, size: int = -1) -> bytes:
            line, self.line = self.line, b"words,name\n" * (size // 11)
            return line

    found = rows_from(Endless(), "stdin", "csv", [])  # type: ignore[arg-type]
    assert [next(found)[0].line for _ in range(3)] == [2, 3, 4]


# --- what is refused --------------------------------------------------------------------------------------------------

BROKEN_AT_88 = b'{"text": "a"}\n' * 87 + b'{"text": "a" "label": 1}\n'


@pytest.mark.parametrize(("kind", "data", "words"), [
    ("csv", b"", "empty"),
    ("csv", b"\n\n", "empty"),
    ("csv", b"text,label\n", "no rows"),
    ("csv", b"text,label\na,b\nc\n", "line 3: this row has 1 cell, but the header has 2"),
    ("csv", b"text,label\na,b\nc,d,e\n", "line 3: this row has 3 cells"),
    ("csv", b'text,label\na,b\n"c\nd,e\nf,g\n', "line 3: a quotation mark that opens in this row is never closed"),
    ("csv", b'text,label\n"c"d,e\n', "line 2: there is text right after a closing quotation mark"),
    ("csv", b"text,label,text\na,b,c\n", "line 1: the header names 'text' twice (columns 1 and 3)"),
    ("csv", b"text,label\na,b\nc\0,d\n", "line 3: there is a NUL byte"),
    ("csv", b"text,label\na,b\nc\xe9,d\n", "line 3: byte 2 of this line (0xE9) is not UTF-8"),
    ("csv", "text,label\na,b\n".encode("utf-16"), "UTF-16"),
    ("csv", "text,label\na,b\n".encode("utf-16-le"), "NUL"),
    ("csv", ZIPPED, "add .gz"),
    ("csv", b"PK\x03\x04rest of an xlsx", "Excel"),
    ("csv", b"text,label\n" + b"x" * 1_000_001 + b",b\n", "1,000,000 characters"),
    ("csv", b"text,label\n" + b"x" * 10_000_000 + b",b\n", "1,000,000 characters"),
    ("csv", b"text,label\na,b\n" + b"x" * (LONGEST_LINE + 2**21), "line 3: this line is longer than"),
    ("csv", b'text,label\n"x' + b"yyyyyyyyyyy\n" * 100_000, "line 2: a cell that starts in this row is longer"),
    ("jsonl", BROKEN_AT_88, "line 88: broken JSON at character 14"),
    ("jsonl", b'{"text": "a"}\n[1]\n', "line 2: a row must be an object, and this is a list"),
    ("jsonl", b'{"text": "a"', "line 1: broken JSON"),
    ("jsonl", b'{"text": "\\ud83d"}\n', "line 1: half a character (\\ud83d alone)"),
    ("jsonl", b'{"text": "a", "n": ' + b"9" * 5000 + b"}\n", "line 1: JSON that cannot be read"),
    ("jsonl", b"[" * 200_000, "line 1: JSON that cannot be read"),
    ("jsonl", b'{"text": "' + b"x" * 1_000_001 + b'"}', "line 1, column 'text': this text has 1,000,001 characters"),
    ("json", b"[{},\n{]", "line 2: broken JSON"),
    ("json", b"[[1]]", "a row must be an object"),
    ("json", b"17", "a number, not a list"),
    ("json", b"{}", "without a list of objects"),
    ("json", b'{"rows": [{"a": 1}], "test": [{"a": 2}]}', "2 lists of objects ('rows', 'test')"),
    ("json", b"[]", "no rows"),
    ("json", b'[{"a": "\\ud83d"}]', "half a character"),
    ("json", b'[\n{"a": "\xff"}]', "line 2: byte 8"),
    ("parquet", b"", "not a whole Parquet file"),
    ("parquet", parquet(pl.DataFrame(ROWS))[:-3], "not a whole Parquet file"),
    ("parquet", parquet(pl.DataFrame({"text": []}, schema={"text": pl.String})), "no rows"),
    ("parquet", b"PAR1" + b"\xff" * 100 + b"PAR1", "not sound Parquet"),
])  # fmt: skip
def test_refused_with_place_and_remedy(kind: str, data: bytes, words: str) -> None:
    message = refusal(data, kind)
    assert words in message
    assert message.startswith("f")


def test_emoji_written_as_two_halves_are_whole() -> None:
    assert rows(b'{"text": "\\ud83d\\ude00"}', "jsonl") == [{"text": "😀"}]


@pytest.mark.parametrize(("name", "data", "words"), [
    ("a.xlsx", b"PK", "is a workbook"),
    ("a", b"text", "no ending"),
    (".csv", b"text", "no ending"),
    ("a.csv.gz", CSV, "not a gzip file, or is damaged"),
    ("a.csv.gz", ZIPPED[:-9], "not a gzip file, or is damaged"),
    ("a.csv.gz", ZIPPED[:20] + b"\xff\xff\xff\xff" + ZIPPED[24:], "not a gzip file, or is damaged"),
    ("a.csv.gz", b"", "is empty"),
    ("a.csv.gz", gzip.compress(b"text,label\n" + b"a,b\n" * 10_000_000, mtime=0), "200 times its size"),
    ("a.parquet.gz", gzip.compress(bytes(40_000_000), mtime=0), "200 times its size"),
])  # fmt: skip
def test_refused_files(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        list(read_rows(path, []))
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.fix
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_file_is_told_its_sibling(tmp_path: Path) -> None:
    (tmp_path / "tickets.csv").write_bytes(CSV)
    with pytest.raises(DataError, match=r"did you mean '.*tickets\.csv'"):
        list(read_rows(tmp_path / "tikets.csv", []))
    with pytest.raises(DataError, match="check the path"):
        list(read_rows(tmp_path / "none" / "x.csv", []))
    with pytest.raises(DataError, match="no such file"):
        list(read_rows("a\0b.csv", []))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    os.mkfifo(tmp_path / "b.csv")
    for name in ("a.csv", "b.csv"):
        with pytest.raises(DataError, match="not a file"):
            list(read_rows(tmp_path / name, []))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)

    def denied(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DataError, match="cannot be read: Permission denied") as caught:
        list(read_rows(tmp_path / "a.csv", []))
    assert caught.value.__suppress_context__


def test_a_gzip_bomb_never_reaches_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb") as handle:
        for _ in range(300):
            handle.write(bytes(2**20))
    program = ("import resource, sys\nfrom slmfit.data.readers.rows import read_rows\n"
               "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
               "try:\n    list(read_rows(sys.argv[1], []))\nexcept Exception as error:\n    print(error)\n"
               "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert "200 times" in done.stdout
    assert int(done.stdout.split()[-1]) < 30  # MiB


# Each takes another way down inside polars: a panic, an unwrapped error, exabytes asked for.
@pytest.mark.parametrize("seed", range(6))
def test_damaged_parquet_cannot_take_the_process_down(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    import random

    draw = random.Random(seed)
    data = bytearray(parquet(pl.DataFrame({"text": [f"text {i}" for i in range(50)], "label": ["a", "b"] * 25})))
    for _ in range(8):
        data[draw.randrange(4, len(data) - 4)] = draw.randrange(256)
    try:
        rows(bytes(data), "parquet")
    except DataError as error:
        assert "not sound Parquet" in str(error)
    assert "panicked" not in capfd.readouterr().err


# --- any bytes --------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from([b"text,label\n", b"a,b\n", b'"', b",", b"\n", b"\r", b"\t", b";", b"{", b"}", b"[", b"]",
                          b":", b'"text"', b'"\\ud800"', b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\xc3", "é".encode(),
                          b"1e999", b"NaN", b"\x1f", b"\\", b" ", b'{"text": "a", "label": "b"}\n'])  # fmt: skip
BYTES = st.one_of(st.binary(max_size=200), st.lists(PIECES | st.binary(max_size=4), max_size=25).map(b"".join))


@settings(max_examples=300)
@given(data=BYTES, kind=st.sampled_from(sorted(set(READERS) - {"parquet"})))
def test_any_bytes_are_rows_or_an_error_of_ours(data: bytes, kind: str) -> None:
    with of_work(2):
        try:
            found = list(rows_from(io.BytesIO(data), "f", kind, []))
        except SlmfitError as error:
            assert error.fix
            return
    assert found
    for where, row in found:
        json.dumps(row, ensure_ascii=False).encode()
        assert where.line is not None
        assert 1 <= where.line <= data.count(b"\n") + data.count(b"\r") + 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=BYTES, damage=BYTES, at=st.integers(0, 300))
def test_any_damage_to_gzip_is_rows_or_an_error_of_ours(tmp_path: Path, data: bytes, damage: bytes, at: int) -> None:
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(data)
    path.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
    with of_work(2):
        try:
            list(read_rows(path, []))
        except SlmfitError as error:
            assert error.fix


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(max_examples=150, deadline=None)
@given(table=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), chunk=st.integers(1, 40))
def test_what_csv_writes_is_read_back_whatever_the_chunks(table: list[tuple[str, str]], chunk: int) -> None:
    import csv

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(chunk)

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *table])
    jsonl = "".join(json.dumps({"text": a, "label": b}) + "\n" for a, b in table)
    # Four bytes at least arrive at once, so that the file's kind can be told.
    data = buffer.getvalue().encode()
    found = [tuple(row.values()) for _, row in rows_from(Slow(data), "f", "csv", [])]
    assert found == table
    assert [tuple(row.values()) for _, row in rows_from(Slow(jsonl.encode()), "f", "jsonl", [])] == table


def test_120_000_rows_are_read_in_a_moment(tmp_path: Path) -> None:
    import time

    path = tmp_path / "a.csv"
    rows = "".join(f"this is the text with number {i},label {i % 7}\n" for i in range(120_000))
    path.write_text("text,label\n" + rows)
    start = time.process_time()
    assert sum(1 for _ in read_rows(path, [])) == 120_000
    assert time.process_time() - start < 5


def test_endings_are_those_of_the_readers() -> None:
    assert ending(Path("a.b.JSONL.gz")) == "jsonl"
    assert ending(Path("csv")) is None
    assert ending(Path("a.txt")) is None


@pytest.mark.parametrize(
    "text, encoding", [("привет, где моя посылка", "koi8-r"), ("荷物はどこですか", "shift-jis"), ("包裹在哪里", "gbk")]
)
def test_what_is_not_western_is_not_called_so(tmp_path, text, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,label\n" + f"{text},a\n".encode(encoding) * 3)
    with pytest.raises(DataError, match=r"iconv -f ENCODING .* such as KOI8-R"):
        list(read_rows(path, []))


def test_what_macos_and_windows_put_beside_texts_is_no_text(tmp_path):
    for label in ("good", "bad"):
        for i in range(12):
            (tmp_path / label).mkdir(exist_ok=True)
            (tmp_path / label / f"{i}.txt").write_text(f"{label} words number {i}")
        (tmp_path / label / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "1.txt").write_text("junk")
    data = load_data(tmp_path)
    assert data.task.labels == ("bad", "good") and sum(len(part) for part in data.splits.values()) == 24
