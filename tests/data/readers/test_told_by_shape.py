"""Forms that are told by their shape: tokens in several ways, fastText's labels, pandas' tables, splits, a zip."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from slmfit.data import load_data
from slmfit.data.readers.plain_reader import rows_of_txt
from slmfit.data.readers.rows import read_rows
from slmfit.data.readers.token_a_row import gathered
from slmfit.data.readers.token_spans import with_tags
from slmfit.errors import DataError


def read(path: Path, content: str) -> tuple[list[dict[str, Any]], list[str]]:
    path.write_text(content, encoding="utf-8")
    notes: list[str] = []
    return [row for _, row in read_rows(path, notes)], notes


def refused(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as caught:
        load_data(path)
    return str(caught.value)


# --- columns ---


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.text"])
def test_columns_are_told_by_their_shape(tmp_path: Path, name: str) -> None:
    rows, _ = read(tmp_path / name, 'fly\tO\n"\tO\nRome\tB-CITY\n\n#rome\tB-CITY\n')
    assert rows == [
        {"tokens": ["fly", '"', "Rome"], "tags": ["O", "O", "B-CITY"]},
        {"tokens": ["#rome"], "tags": ["B-CITY"]},
    ]


@pytest.mark.parametrize("content", [
    "text\tlabel\nO positive blood\tO\nA negative blood\tA\n", "text\tlabel\nmy card\tB-1\nmy parcel\tB-2\n",
    "word\tlabel\none\tO\ntwo\tX\n",
])  # fmt: skip
def test_tables_are_no_columns_of_tokens(tmp_path: Path, content: str) -> None:
    rows, _ = read(tmp_path / "a.tsv", content)
    assert len(rows) == 2 and all("label" in row for row in rows)


def test_a_wrong_line_of_a_text_of_columns_is_told_as_one(tmp_path: Path) -> None:
    content = "fly O\nto O\nRome B-CITY\n\n" * 4
    for name in ("a.txt", "a.tsv"):
        text = content.replace(" ", "\t") if name == "a.tsv" else content
        said = refused(tmp_path / name, text + "Oslo B-CITY X\n".replace(" ", "\t"))
        assert "line 17: this line has" in said
    assert "line 17: 'x' is no BIO tag" in refused(tmp_path / "a.txt", content + "Oslo x\n")


def test_a_line_that_names_the_columns_is_no_token(tmp_path: Path) -> None:
    rows, _ = read(tmp_path / "a.tsv", "token\tner_tag\nfly\tO\n\nRome\tB-CITY\n")
    assert [row["tokens"] for row in rows] == [["fly"], ["Rome"]]


def test_tokens_with_nothing_in_them_are_left_out_and_counted(tmp_path: Path) -> None:
    for name, content in {"a.conll": "fly\tO\n\tO\nRome\tB-X\n", "b.txt": "fly O\n O\nRome B-X\n"}.items():
        rows, notes = read(tmp_path / name, content)
        assert rows == [{"tokens": ["fly", "Rome"], "tags": ["O", "B-X"]}]
        assert any("1 token with nothing in it left out" in note for note in notes)
    made = [{"tokens": ["fly", "", f"to {i}"], "tags": ["O", "O", "B-X"]} for i in range(20)]
    data = load_data(made)
    assert all(" " + str(e.input).split(" ", 1)[1] == str(e.input)[3:] for e in data.train)
    assert any("20 tokens with nothing in them left out" in note for note in data.notes)


def test_a_folder_of_conll_2003(tmp_path: Path) -> None:
    for name, places in {"train.txt": "Rome Oslo Lima", "valid.txt": "Kyiv", "test.txt": "Paris Berlin"}.items():
        blocks = "".join(f"to TO I-PP O\n{place} NNP I-NP I-LOC\n\n" for place in places.split())
        (tmp_path / name).write_text("-DOCSTART- -X- -X- O\n\n" + blocks)
    data = load_data(tmp_path)
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 3, "validation": 1, "test": 2}
    (tmp_path / "more").mkdir()
    with pytest.raises(DataError, match="no text"):  # a folder of labels, beside which a .txt is a list or a licence
        load_data(tmp_path)


def test_tags_that_are_parts_of_speech_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path / "a.conll", "fly VB\nRome NNP\n\n" * 9)
    assert "every token has a tag, and none is O" in said and "column 'tags'" in said


def test_the_wrong_tag_is_told_with_its_own_line(tmp_path: Path) -> None:
    assert "line 5: 'CITY' is no BIO tag" in refused(tmp_path / "a.conll", "a B-X\nb I-X\n\nc O\nd CITY\n")
    table = "sentence_id,word,tag\n1,fly,O\n1,Rome,B-X\n2,from,O\n2,Oslo,CITY\n"
    assert "line 5, column 'tag': 'CITY' is no BIO tag" in refused(tmp_path / "a.csv", table)
    row = json.dumps({"tokens": ["a", "b"], "tags": ["B-X", "x"]})
    assert "line 1, column 'tags': 'x' is no BIO tag (token 2)" in refused(tmp_path / "a.jsonl", row)


# --- a token a row ---

WORDS = [("1", "fly", "O"), ("1", "Rome", "B-X"), ("2", "from", "O"), ("2", "NA", "B-X")]


@pytest.mark.parametrize("names", [
    ("sentence_id", "word", "tag"), ("Sentence #", "Word", "Tag"), ("sent_idx", "token", "ner_tags"),
    ("sentence", "tokens", "label"),
])  # fmt: skip
def test_tokens_of_a_sentence_are_gathered(names: tuple[str, str, str]) -> None:
    rows = [(n, dict(zip(names, row, strict=True)) | {"lang": "en"}) for n, row in enumerate(WORDS, 2)]
    notes: list[str] = []
    found = list(gathered(rows, "a.csv", notes))
    assert found == [
        (2, {"lang": "en", names[0]: "1", "tokens": ["fly", "Rome"], "tags": ["O", "B-X"]}),
        (4, {"lang": "en", names[0]: "2", "tokens": ["from", "NA"], "tags": ["O", "B-X"]}),
    ]
    assert len(notes) == 1 and repr(names[0]) in notes[0]


def test_numbers_of_sentences_begin_anew_in_a_document_and_a_split() -> None:
    rows = [{"split": split, "doc": doc, "sentence_id": n, "word": f"w{n}", "tag": tag}
            for split in ("train", "test") for doc in "ab" for n in (1, 2) for tag in ("O", "B-X")]  # fmt: skip
    data = load_data(rows * 1)
    assert {split: len(found) for split, found in data.splits.items() if split != "validation"}["test"] == 4


def test_rows_of_a_sentence_that_stand_apart_are_refused(tmp_path: Path) -> None:
    table = "sentence_id,word,tag\n1,fly,O\n1,Rome,B-X\n2,from,O\n1,Oslo,B-X\n"
    assert "line 5, column 'sentence_id': 'sentence_id' '1' was there already, on line 2" in refused(
        tmp_path / "a.csv", table
    )


@pytest.mark.parametrize("rows", [
    [{"sentence_id": n, "word": f"w{n}", "complexity": n / 9} for n in (1, 1, 2)],
    [{"sentence_id": n, "word": f"w{n}", "label": "easy"} for n in (1, 1, 2)],
    [{"sentence_id": n, "word": f"w{n}", "tag": "O"} for n in (1, 2, 3)],
    [{"sentence": "fly to Rome", "word": "Rome", "tag": "B-X"}] * 2,
    [{"sentence_id": 1, "tokens": ["fly"], "tags": ["O"]}] * 2,
    [{"sentence_id": 1, "word": "two words", "tag": "O"}] * 2,
])  # fmt: skip
def test_other_tables_stay_as_they_are(rows: list[dict[str, Any]]) -> None:
    numbered = list(enumerate(rows))
    assert list(gathered(iter(numbered), "a.csv", notes := [])) == numbered and notes == []


# --- spans that count tokens ---


@pytest.mark.parametrize(("row", "tags"), [
    ({"tokenized_text": ["a", "b", "c"], "ner": [[1, 2, "X"]]}, ["O", "B-X", "I-X"]),
    ({"tokens": ["a", "b", "c"], "spans": [{"token_start": 0, "token_end": 1, "label": "X"}]}, ["B-X", "I-X", "O"]),
    ({"tokens": ["a", "b", "c"], "spans": [{"start": 0, "end": 2, "label": "X", "text": "a b"}]}, ["B-X", "I-X", "O"]),
    ({"words": ["a", "b", "c"], "entities": [{"start": 1, "end": 2, "label": "X", "text": "bc"}]}, ["O", "B-X", "I-X"]),
    ({"tokens": ["a"], "spans": []}, ["O"]),
])  # fmt: skip
def test_spans_that_say_how_they_count_are_tags(row: dict[str, Any], tags: list[str]) -> None:
    found = with_tags(row | {"id": 7})
    assert found == {"id": 7, "tokens": next(iter(row.values())), "tags": tags}


@pytest.mark.parametrize("row", [
    {"tokens": ["a", "b"], "spans": [[0, 1, "X"]]},
    {"tokens": ["a", "b"], "spans": [{"start": 0, "end": 1, "label": "X"}]},
    {"tokens": ["a", "b"], "spans": [{"start": 0, "end": 1, "label": "X", "text": "else"}]},
    {"tokens": ["a", "a", "a"], "spans": [{"start": True, "end": 1, "label": "X"}]},
    {"text": "a b", "tokens": ["a", "b"], "spans": [{"token_start": 0, "token_end": 0, "label": "X"}]},
    {"tokens": [{"text": "a"}], "spans": []},
])  # fmt: skip
def test_other_spans_are_left_alone(row: dict[str, Any]) -> None:
    assert with_tags(row) is None


def test_spans_of_gliner_that_overlap_or_stand_outside_are_refused(tmp_path: Path) -> None:
    for ner, says in (([[0, 1, "X"], [1, 2, "Y"]], "overlap"), ([[2, 3, "X"]], "outside of the text")):
        said = refused(tmp_path / "a.json", json.dumps([{"tokenized_text": ["a", "b", "c"], "ner": ner}]))
        assert "line 1" in said and says in said


def test_rows_that_count_in_an_unknown_way_are_told_what_to_write(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "b"], "spans": []}, {"tokens": ["a", "b"], "spans": [[0, 1, "X"]]}]
    said = refused(tmp_path / "a.json", json.dumps(rows))
    assert "'spans' beside tokens counts tokens" in said and "write a BIO tag for each token" in said


# --- fastText ---


def fasttext(content: str) -> list[dict[str, Any]]:
    return [row for _, row in rows_of_txt(io.BytesIO(content.encode()), "a.txt", [])]


def test_labels_of_fasttext_stand_before_or_after() -> None:
    assert fasttext("__label__a x, y ,\n\nz __label__b\n__label__a\t__label__b , w\n__label__c\n") == [
        {"text": "x, y ,", "label": "a"},
        {"text": "z", "label": "b"},
        {"text": "w", "label": ["a", "b"]},
        {"text": "", "label": "c"},
    ]
    assert fasttext("\x0b\n__label__a x\n\x85\n") == [{"text": "x", "label": "a"}]


def test_a_line_without_a_label_is_told() -> None:
    with pytest.raises(DataError, match=r"a\.txt, line 2: this line neither begins nor ends with __label__"):
        fasttext("__label__a x\ny __label__b z\n")


@pytest.mark.parametrize(
    "line", ["__label__a " * 200_000, "x " + "__label__a " * 200_000, "x" + " " * 2_000_000 + "y __label__a"]
)
def test_long_lines_take_no_time(line: str) -> None:
    begin = time.process_time()
    assert len(fasttext(line)) == 1
    assert time.process_time() - begin < 2


# --- JSON ---


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
@pytest.mark.parametrize("index", [None, ["x", "y", "z"]])
def test_what_pandas_writes_is_read(tmp_path: Path, orient: Any, index: list[str] | None) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"text": ["my card", "mein \U0001f4e6", "بطاقتي"], "label": [1, 2, 1]}, index=index)
    frame.to_json(tmp_path / "a.json", orient=orient)
    rows = [row for _, row in read_rows(tmp_path / "a.json", [])]
    assert [(row["text"], row["label"]) for row in rows] == list(frame.itertuples(index=False, name=None))
    if index and orient in ("columns", "index", "split"):
        assert [row["id"] for row in rows] == index


@pytest.mark.parametrize("value", [
    {"text": {"0": "a"}, "label": {"1": "b"}},
    {"text": ["a", "b"], "label": ["c"]}, {"columns": ["text"], "index": [0], "data": [["a", "b"]]}, {}, {"text": []},
])  # fmt: skip
def test_objects_that_are_no_table_are_refused(tmp_path: Path, value: Any) -> None:
    assert "holds an object without a list of objects in it" in refused(tmp_path / "a.json", json.dumps(value))


def test_splits_in_one_object_are_used_as_they_are(tmp_path: Path) -> None:
    def rows(start: int, count: int) -> list[dict[str, Any]]:
        return [{"text": f"word{i} of {i * 7}", "label": "ab"[i % 2]} for i in range(start, start + count)]

    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"version": 2, "train": rows(0, 40), "Dev": rows(40, 9), "test": rows(50, 20)}, indent=1)
    )
    data = load_data(path)
    assert {split: len(found) for split, found in data.splits.items()} == {"train": 40, "validation": 9, "test": 20}
    assert any("the splits are the lists under 'train', 'Dev', 'test'" in note for note in data.notes)


# --- columns inside objects ---


@pytest.mark.parametrize("around", ["data", "fields", "meta"])
def test_a_column_inside_an_object_goes_by_its_whole_name(tmp_path: Path, around: str) -> None:
    rows = [{"id": i, around: {"text": f"word{i} of {i * 7}", "lang": "en"}, "label": "ab"[i % 2]} for i in range(40)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = load_data(tmp_path / "a.jsonl", columns={"text": f"{around}.text"})
    assert str(data.train[0].input).startswith("word")


# --- a .zip ---


def packed(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


TABLE = "text,label\nmy card,billing\nmy parcel,delivery\n"


def test_the_one_file_in_a_zip_is_read(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", **{"all/": "", "all/a.csv": TABLE, "__MACOSX/all/._a.csv": "x", ".DS_Store": "x"})
    notes: list[str] = []
    assert [(str(where), row["label"]) for where, row in read_rows(path, notes)] == [
        (f"{path}, line 2", "billing"),
        (f"{path}, line 3", "delivery"),
    ]
    assert notes == [f"{path}: read a.csv in it."]


def test_other_archives_are_refused_with_what_is_in_them(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for members, says in (
        ({"a.csv": TABLE, "b.csv": TABLE}, "is an archive of 2 files: 'a.csv', 'b.csv'"),
        ({}, "is an archive of 0 files"), ({"a.exe": "x"}, r"files named \*.exe cannot be read"),
        ({"a.csv.gz": "x"}, r"\*.csv.gz cannot"), ({"a.csv": "x" * 9_000_000}, "grows to more than 200 times its size"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=says):
            load_data(packed(path, **members))
    whole = packed(path, **{"a.csv": TABLE}).read_bytes()
    for damaged in (whole[:60], b"PK\x03\x04", whole.replace(b"my", b"no"), b"", whole[:30] + b"\xff" + whole[31:]):
        assert refused(path, damaged)


# --- what is not known ---


@pytest.mark.parametrize(("name", "content", "says"), [
    ("a.train", "__label__a x\n", "lines have fastText's __label__\n"), ("a.ner", "a O\nb B-X\n", "lines are tokens"),
    ("data", '{"text": "a"}\n', "its lines are JSON"), ("a.dat", "text;label\na;b\n", "2 cells with semicolons"),
    ("a.dat", "[\n{}]", "its text is JSON"), ("a.xlsx", "PK", "is a workbook\n"), ("a.spacy", "x", "DocBin"),
    ("a.ann", "T1\tX 0 1\ta", "brat"), ("a.yml", "nlu:", "rasa data convert"), ("a.pkl", "x", "may run code"),
    ("a.md", "a text\n", r"files named *.md cannot be read"), ("a.txt", "text,label\na,b\n", "2 cells with commas"),
    ("a.txt", '{"text": "a"}\n', "rename it to NAME.jsonl"), ("a.txt", "\n", "is empty"),
])  # fmt: skip
def test_what_is_not_known_is_told_with_the_nearest_form(tmp_path: Path, name: str, content: str, says: str) -> None:
    assert says.replace("\n", "") in refused(tmp_path / name, content)
