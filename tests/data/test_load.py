"""load_data: columns, labels, splits and what is said about them; and what is refused, by file and line."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from slmfit.data import load_data
from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.records import SPLITS, Entities, Question

COLOURS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()


def text(i: int) -> str:
    """Sixteen by sixteen texts that are nobody's twin."""
    return f"{COLOURS[i % 16]} {COLOURS[i // 16 % 16]} number {i} {COLOURS[i * 7 % 16]}"


def table(n: int = 60, **columns: Any) -> str:
    """A CSV of n texts, labels a, b, c in turn, and further columns (index -> cell)."""
    head = ["text", "label", *columns]
    rows = [[text(i), "abc"[i % 3], *(str(cell(i)) for cell in columns.values())] for i in range(n)]
    return "".join(",".join(row) + "\n" for row in [head, *rows])


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Writes a file below tmp_path and returns its path."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def refusal(error: type[SlmfitError], path: Any, **options: Any) -> str:
    with pytest.raises(error) as caught:
        load_data(path, **options)
    assert caught.value.fix
    assert caught.value.__cause__ is None
    return str(caught.value)


# --- splits -----------------------------------------------------------------------------------------------------------


def test_one_file_is_split_60_20_20_by_label(write: Any) -> None:
    data = load_data(write("tickets.csv", table()))
    assert data.name == "tickets"
    assert data.task.labels == ("a", "b", "c")
    for split, n in (("train", 36), ("validation", 12), ("test", 12)):
        assert Counter(e.target for e in data.splits[split]) == dict.fromkeys("abc", n // 3)
    assert not data.validation_given
    assert sorted(int(e.id) for s in SPLITS for e in data.splits[s]) == list(range(1, 61))
    assert [e.id for e in data.train] == sorted((e.id for e in data.train), key=int)
    assert all(e.input == text(int(e.id) - 1) for e in data.test)


def test_the_seed_decides_the_split(write: Any) -> None:
    path = write("a.csv", table())
    assert load_data(path).fingerprint == load_data(str(path)).fingerprint
    assert load_data(path).fingerprint != load_data(path, seed=1).fingerprint


def test_near_duplicates_are_on_one_side(write: Any) -> None:
    long = " ".join(f"word{i}" for i in range(30))
    lines = [f"{long} {text(i)},a\n{long.upper()} {text(i)}!,a\n" for i in range(8)]
    data = load_data(write("a.csv", table() + "".join(lines)))
    side = {e.input.lower().rstrip("!"): s for s in SPLITS for e in data.splits[s] if "ord1" in str(e.input).lower()}
    for split in SPLITS:
        for example in data.splits[split]:
            assert side.get(str(example.input).lower().rstrip("!"), split) == split


def test_ready_made_splits_are_used_as_given(write: Any) -> None:
    rows = table(30).splitlines(keepends=True)
    write("set/train.csv", "".join(rows[:20]))
    write("set/dev.csv", rows[0] + "".join(rows[20:25]))
    path = write("set/test.csv", rows[0] + "".join(rows[25:]))
    write("set/README.md", "about")
    data = load_data(path.parent)
    assert (len(data.train), len(data.validation), len(data.test)) == (19, 5, 6)
    assert data.validation_given
    assert data.test[0].id == "test:1"
    by_option = load_data(path.parent / "train.csv", test=path, validation=path.parent / "dev.csv")
    assert by_option.fingerprint == data.fingerprint
    assert [f["used_as"] for f in data.source["files"]] == list(SPLITS)  # type: ignore[index]
    json.dumps(dict(data.source))


def test_a_tenth_of_train_is_validation_where_only_that_is_missing(write: Any) -> None:
    data = load_data(write("a.csv", table(90)), test=write("b.csv", table(9)))
    assert (len(data.train), len(data.validation), len(data.test)) == (81, 9, 9)
    assert Counter(e.target for e in data.validation) == {"a": 3, "b": 3, "c": 3}
    assert not data.validation_given


def test_a_fifth_of_train_is_test_where_only_that_is_missing(write: Any) -> None:
    data = load_data(write("a.csv", table(90)), validation=write("b.csv", table(9)))
    assert (len(data.train), len(data.validation), len(data.test)) == (72, 9, 18)
    assert data.validation_given


def test_a_column_split_is_honoured(write: Any) -> None:
    names = ["train", "Train", "test", "dev"]
    data = load_data(write("a.csv", table(40, Split=lambda i: names[i % 4])))
    assert (len(data.train), len(data.validation), len(data.test)) == (20, 10, 10)
    assert data.test[0].id == "3"
    assert any("'Split'" in note for note in data.notes)
    other = load_data(write("b.csv", table(40, split=lambda i: i % 2)))
    assert any("names no splits" in note for note in other.notes)


def test_rows_of_one_customer_stay_together(write: Any) -> None:
    path = write("a.csv", table(200, customer=lambda i: i // 5))
    data = load_data(path, group="customer")
    sides = [{(int(e.id) - 1) // 5 for e in data.splits[s]} for s in SPLITS]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert len(data.test) == pytest.approx(40, abs=5)


def test_the_latest_rows_are_test(write: Any) -> None:
    data = load_data(write("a.csv", table(100, day=lambda i: f"2026-{i % 10 + 1:02}-01")), time="day")
    month = {s: {(int(e.id) - 1) % 10 + 1 for e in data.splits[s]} for s in SPLITS}
    assert month == {"train": {1, 2, 3, 4, 5, 6}, "validation": {7, 8}, "test": {9, 10}}


# --- columns, tasks, ids ----------------------------------------------------------------------------------------------


def test_columns_are_recognised_or_named_and_what_was_guessed_is_said(write: Any) -> None:
    path = write("a.csv", table().replace("text,label", "Body,Category"))
    notes = " ".join(load_data(path).notes)
    assert "'Body'" in notes
    assert "'Category'" in notes
    named = load_data(path, columns={"text": "Body", "label": "Category"})
    assert not any("Body" in note for note in named.notes)
    assert named.source["columns"] == {"text": "Body", "label": "Category"}


def test_tasks_are_recognised_by_their_columns(write: Any) -> None:
    span = {"start": 0, "end": 5, "label": "COLOUR"}
    texts = [{"text": text(i), "spans": [span], "intent": "ab"[i % 2]} for i in range(30)]
    data = load_data(write("a.json", json.dumps(texts)))
    assert data.task.name == "token-classification"
    assert isinstance(data.train[0].target, Entities)
    questions = [{"question": text(i), "options": {"A": "yes", "B": "no"}, "answer": "AB"[i % 2]} for i in range(30)]
    data = load_data(write("b.json", json.dumps(questions)))
    assert data.task.name == "multiple-choice"
    assert isinstance(data.train[0].input, Question)
    assert "strip" in refusal(UsageError, write("b.json", json.dumps(questions)), strip=["html"])


@pytest.mark.parametrize(("labels", "expected"), [
    ([0, 1], ("0", "1")), ([0.0, 1.0], ("0", "1")), ([0.5, 2], ("0.5", "2")), ([True, False], ("false", "true")),
    (["Ja", "Nein"], ("Ja", "Nein")), ([1, "1 "], ("1", "1 ")),
])  # fmt: skip
def test_labels_become_text_predictably(write: Any, labels: list[Any], expected: tuple[str, ...]) -> None:
    rows = "".join(json.dumps({"text": text(i), "label": labels[i % 2]}) + "\n" for i in range(30))
    assert load_data(write("a.jsonl", rows)).task.labels == expected


def test_ids_are_those_given_where_they_tell_rows_apart(write: Any) -> None:
    train, test = table(30, id=lambda i: f"t{i}"), table(9, id=lambda i: f"u{i}")
    data = load_data(write("a.csv", train), test=write("b.csv", test))
    assert data.test[0].id == "u0"
    same = load_data(write("a.csv", train), test=write("b.csv", test.replace(",u", ",t")))
    assert same.test[0].id == "test:t0"
    twice = load_data(write("a.csv", table(30, id=lambda i: i // 2)))
    assert len({e.id for s in SPLITS for e in twice.splits[s]}) == 30


def test_a_label_only_in_test_is_allowed(write: Any) -> None:
    data = load_data(write("a.csv", table(30)), test=write("b.csv", table(9) + "new thing,d\n"))
    assert data.task.labels == ("a", "b", "c", "d")


# --- folders of texts -------------------------------------------------------------------------------------------------


def test_a_folder_of_folders_named_by_label(write: Any, tmp_path: Path) -> None:
    for i in range(30):
        post = f"Subject: {i}\r\n\r\n{text(i)} caf\xe9".encode("latin-1")
        write(f"news/{'sci.space' if i % 2 else 'rec.autos'}/{60000 + i}", post)
    write("news/.DS_Store/x", "junk")
    data = load_data(tmp_path / "news", strip=("headers",))
    assert data.task.labels == ("rec.autos", "sci.space")
    assert data.train[0].id.startswith("rec.autos/6")
    assert str(data.train[0].input).endswith("café")
    assert str(data.train[0].input)[:5] in COLOURS
    assert any("30 of 30 texts are not UTF-8" in note for note in data.notes)
    assert data.recipe.strip == ("headers",)


@pytest.mark.parametrize("prefix", ["", "20news-bydate-"])
def test_folders_of_folders_by_split(write: Any, tmp_path: Path, prefix: str) -> None:
    for i in range(40):
        split, label = "test" if i % 4 == 0 else "train", "ab"[i // 4 % 2]
        write(f"news/{prefix}{split}/{label}/{i}.txt", text(i))
    data = load_data(tmp_path / "news")
    assert (len(data.train) + len(data.validation), len(data.test)) == (30, 10)
    assert {e.target for e in data.test} == {"a", "b"}


@pytest.mark.parametrize(("files", "words"), [
    ({"README.md": b"x"}, "holds no data"),
    ({"a.csv": b"x", "b.csv": b"y"}, "no file here is named train (found: a.csv, b.csv)"),
    ({"train.csv": b"x", "train.jsonl": b"y"}, "two files are train"),
    ({"valid.csv": b"x", "dev.csv": b"y", "train.csv": b"z"}, "two files are validation"),
    ({"label/data.csv": b"x"}, "holds a table (data.csv), not texts"),
    ({"label/.hidden": b"x"}, "no text in any of its folders"),
    ({"label/image": b"ab\nc\0"}, "image, line 2: there is a NUL byte"),
    ({"label/book": b"x" * 1_000_001}, "longer than 1,000,000 characters"),
])  # fmt: skip
def test_folders_that_are_refused(write: Any, tmp_path: Path, files: dict[str, bytes], words: str) -> None:
    for name, content in files.items():
        write(f"set/{name}", content)
    assert words in refusal(DataError, tmp_path / "set")


# --- merging ----------------------------------------------------------------------------------------------------------

GROUPS = ["comp.graphics", "comp.sys.mac", "sci.space", "sci.med", "misc.forsale"]


def news(n: int = 50) -> str:
    return "text,label\n" + "".join(f"{text(i)},{GROUPS[i % 5]}\n" for i in range(n))


@pytest.mark.parametrize(("options", "labels"), [
    ({"merge": ["comp.*=computers"]}, ("computers", "misc.forsale", "sci.med", "sci.space")),
    ({"merge": ["comp.graphics=art", "comp.*=pc", "sci.*=science"]}, ("art", "misc.forsale", "pc", "science")),
    ({"merge_prefix": "."}, ("comp", "misc", "sci")),
    ({"merge": "sci.med=health", "merge_prefix": "."}, ("comp", "health", "misc", "sci")),
    ({"merge": ["*=x", "sci.*=y"]}, None),
])  # fmt: skip
def test_merging(write: Any, options: dict[str, Any], labels: tuple[str, ...] | None) -> None:
    path = write("a.csv", news())
    if labels is None:
        assert "every row has the label 'x'" in refusal(DataError, path, **options)
        return
    data = load_data(path, **options)
    assert data.task.labels == labels
    assert any(f"5 labels were merged into {len(labels)}" in note for note in data.notes)


@pytest.mark.parametrize("rules", ["comp.*=computers\n\nsci.*=science\n", 'comp.*,computers\r\n"sci.*",science'])
def test_merging_by_a_file(write: Any, rules: str) -> None:
    data = load_data(write("a.csv", news()), merge=[str(write("rules.txt", rules))])
    assert data.task.labels == ("computers", "misc.forsale", "science")


@pytest.mark.parametrize(("options", "words"), [
    ({"merge": ["com.graphics=x"]}, "did you mean 'comp.graphics'?"),
    ({"merge": ["zzz*=x"]}, "the labels are: comp.graphics"),
    ({"merge": ["nonsense"]}, "neither PATTERN=NEW nor a file"),
    ({"merge": ["=x"]}, "not a merge rule"),
    ({"merge": ["x" * 300 + "=y"]}, "matches no label"),
    ({"merge_prefix": "/"}, "no label holds the separator '/'"),
    ({"merge_prefix": ""}, "no label holds the separator ''"),
    ({"strip": ["header"]}, "did you mean 'headers'?"),
    ({"columns": {"txt": "text"}}, "did you mean 'text'?"),
    ({"columns": {"text": "text", "label": "text"}}, "both text and label"),
    ({"group": "text", "time": "label"}, "either by group or by time"),
    ({"task": "text-clasification"}, "did you mean 'text-classification'?"),
])  # fmt: skip
def test_calls_that_fit_no_data(write: Any, options: dict[str, Any], words: str) -> None:
    assert words in refusal(UsageError, write("a.csv", news()), **options)


# --- refused data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "options", "words"), [
    (table().replace("label", "kind"), {}, "cannot tell which column holds the label; the columns are: text, kind"),
    (table(), {"columns": {"label": "lable"}}, "no column 'lable'; the columns are: text, label\n  fix: did you mean"),
    (table(), {"group": "customer"}, "there is no column 'customer'"),
    (table(), {"time": "day"}, "there is no column 'day'"),
    (table() + "x,\n", {}, "line 62, column 'label': the label is empty"),
    (table() + "x,  \n", {}, "line 62, column 'label': the label is empty"),
    (table() + "x,lonely\n", {}, "line 62, column 'label': the label 'lonely' has a single row; every label needs two"),
    (table() + "x,d\ny,e\n", {}, "line 62, column 'label': the label 'd' has a single row (and 1 more"),
    (table() + "x,a|b\ny,a|b\n", {}, "line 62, column 'label': 'a|b' is several labels"),
    (table() + 'x,"b, a"\ny,"b, a"\n', {}, "line 62, column 'label': 'b, a' is several labels"),
    (table(9).replace("b\n", "a\n").replace("c\n", "a\n"), {}, "every row has the label 'a'"),
    (table(), {"columns": {"label": "text", "text": "label"}}, "60 of 60 labels occur only once"),
    (table(6), {}, "6 rows are too few to take some for"),
    (table(60, day=lambda i: "soon" if i == 9 else i), {"time": "day"}, "line 11, column 'day': 'soon' is not a date"),
    (table(60, day=lambda i: 1), {"time": "day"}, "too few different times"),
    (table(60, who=lambda i: "" if i == 9 else i), {"group": "who"}, "line 11, column 'who': this row has no group"),
    (table(60, who=lambda i: i % 2), {"group": "who"}, "too few to take some for"),
    (table(60, split=lambda i: "held out" if i == 9 else "train"), {}, "line 11, column 'split': this is no split"),
    (table(60, split=lambda i: "test"), {}, "no row is in train"),
])  # fmt: skip
def test_refused_by_line(write: Any, content: str, options: dict[str, Any], words: str) -> None:
    assert words in refusal(DataError, write("a.csv", content), **options)


@pytest.mark.parametrize(("row", "words"), [
    ({"text": None, "label": "a"}, "column 'text': the text is"),
    ({"label": "a"}, "column 'text': the text is"),
    ({"text": 7, "label": "a"}, "column 'text': the text is"),
    ({"text": "x"}, "column 'label': the label is empty"),
    ({"text": "x", "label": float("nan")}, "column 'label': the label is empty"),
    ({"text": "x", "label": ["a", "b"]}, "column 'label': ['a', 'b'] is several labels"),
    ({"text": "x", "label": {"name": "a"}}, "column 'label': a label is text or a number"),
])  # fmt: skip
def test_refused_cells_of_json(write: Any, row: dict[str, Any], words: str) -> None:
    rows = [{"text": text(i), "label": "abc"[i % 3]} for i in range(30)] + [row]
    path = write("a.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    message = refusal(DataError, path)
    assert words in message
    assert "line 31" in message


def test_a_test_file_with_other_columns_is_refused(write: Any) -> None:
    other = write("b.csv", table(9).replace("label", "category"))
    assert f"{other}: there is no column 'label'" in refusal(DataError, write("a.csv", table()), test=other)
    assert "is a folder" in refusal(DataError, write("a.csv", table()), test=other.parent)


def test_a_split_given_twice_is_refused(write: Any) -> None:
    path = write("a.csv", table(60, split=lambda i: ["train", "test"][i % 2]))
    assert "holds test rows already" in refusal(UsageError, path, test=path)


@pytest.mark.real_data
@pytest.mark.skipif("SLMFIT_DATA" not in os.environ, reason="SLMFIT_DATA names no folder of real data")
def test_20_newsgroups_has_seven_topics() -> None:
    path = Path(os.environ["SLMFIT_DATA"]) / "newsgroups20"
    data = load_data(path, merge_prefix=".", strip=("headers", "footers", "quotes"))
    assert data.task.labels == ("alt", "comp", "misc", "rec", "sci", "soc", "talk")
    assert (len(data.train) + len(data.validation), len(data.test)) == (11314, 7532)


def test_results_written_among_the_folders_of_texts_are_no_label(tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / "abc"[i % 3]).mkdir(exist_ok=True)
        (tmp_path / "abc"[i % 3] / f"{i}.txt").write_text(text(i))
    before = load_data(tmp_path).fingerprint
    (tmp_path / "out" / "runs").mkdir(parents=True)
    (tmp_path / "out" / "comparison.json").write_text("{}")
    assert load_data(tmp_path).fingerprint == before


# --- what reading had to decide ---------------------------------------------------------------------------------------


def words_form(*rows: tuple[str, str]) -> str:
    """The words form as its third seed project writes it: (text, "word/TAG word/TAG") for each row."""
    dataset = [
        {"text": text, "labels": [dict(zip(("word", "label"), w.split("/"), strict=True)) for w in words.split()]}
        for text, words in rows
    ]
    return json.dumps({"system_prompt": "…", "model": "m", "dataset": [d | {"intent": "cancel"} for d in dataset]})


def test_what_reading_words_had_to_decide_is_said_with_its_lines(write: Any) -> None:
    rows = [(f"Cancel {c} at 1 on March 1", "1/B-TIME March/B-DATE 1/I-DATE") for c in COLOURS[:12]]
    rows += [("Cancel it at 9", "9/B-TIME Bob/B-NAME Ann/B-NAME at/O"), ("No 5 PM then", "PM/I-TIME")]
    path = write("mails.json", words_form(*rows))
    data = load_data(path)
    counted, unplaced, stray, mended = (note.removeprefix(f"{path}: ") for note in data.notes[2:6])
    assert counted.startswith("24 words") and "line 1 '1' at 16; line 1 '1' at 27" in counted
    assert unplaced.startswith("2 words") and unplaced.endswith("line 1 'Bob' (B-NAME); line 1 'Ann' (B-NAME).")
    assert stray.startswith("a word listed as O") and mended.startswith("a tag I-")
    [example] = [e for split in SPLITS for e in data.splits[split] if e.input == "Cancel it at 9"]
    assert [span.start for span in example.target.spans] == [13]


def test_long_lists_of_what_was_decided_are_cut_and_counted(write: Any) -> None:
    rows = [(f"At 1, not 1: {text(i)}", "1/B-TIME") for i in range(40)]
    [note] = [n for n in load_data(write("mails.json", words_form(*rows))).notes if "reading order" in n]
    assert note.count("line ") == 30 and note.endswith("; and 10 more.")
