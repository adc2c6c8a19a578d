"""Files as annotation tools, quizzes and spreadsheets write them: read as they are meant, or refused with a remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.label_cells import LabelCells
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.data.texts import in_any_order
from slmfit.errors import DataError, Where
from slmfit.records import Entities, Span
from slmfit.tasks import by_name
from slmfit.tasks.spans import read_spans
from slmfit.text.visible import written

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
CITIES = ["Rome", "Oslo", "Lima"]


def text(i: int) -> str:
    return f"{WORDS[i % 16]} {WORDS[i // 16 % 16]} number {i} {WORDS[i * 7 % 16]}"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows_of(path: Path, content: str) -> tuple[list[dict[str, Any]], list[str]]:
    notes: list[str] = []
    path.write_text(content)
    return [cells for _, cells in read_file(path, notes).rows], notes


# --- spans where labels stand ---

FORMS = {
    "doccano": lambda start, end, words: [start, end, "CITY"],
    "doccano with relations": lambda start, end, words: {"id": 1, "label": "CITY", "start_offset": start,
                                                         "end_offset": end},
    "Label Studio": lambda start, end, words: {"start": start, "end": end, "text": words, "labels": ["CITY"]},
    "a pipeline": lambda start, end, words: {"entity_group": "CITY", "word": words.lower(), "start": start, "end": end},
    "ours": lambda start, end, words: {"start": start, "end": end, "label": "CITY"},
}  # fmt: skip


def spans_rows(form: str, column: str = "label", empty: bool = True) -> list[dict[str, Any]]:
    made = []
    for i in range(60):
        city, before = CITIES[i % 3], f"{text(i)} to "
        spans = [] if empty and i % 5 == 0 else [FORMS[form](len(before), len(before) + len(city), city)]
        made.append({"id": i, "text": f"{before}{city} soon", column: spans, "Comments": []})
    return made


@pytest.mark.parametrize("column", ["label", "labels", "Label"])
@pytest.mark.parametrize("form", FORMS)
def test_spans_under_a_labels_name_are_entities(tmp_path: Path, form: str, column: str) -> None:
    path = write(tmp_path / "a.jsonl", spans_rows(form, column))
    for task in (None, "token-classification"):
        data = load_data(path, task=task)
        assert data.task.labels == ("CITY",) and data.origin.columns["spans"] == column
        every = [e for split in data.splits.values() for e in split]
        found = [str(e.input)[s.start : s.end] for e in every for s in e.target.spans]  # type: ignore[union-attr]
        assert len(every) == 60 and sorted(found) == sorted(CITIES[i % 3] for i in range(60) if i % 5)
    named = load_data(path, columns={"spans": column})
    assert named.task == data.task and named.train[0].target == data.train[0].target


def test_spans_written_in_a_table_are_entities_too(tmp_path: Path) -> None:
    import csv

    with (tmp_path / "a.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        table.writerows([row["text"], json.dumps(row["label"])] for row in spans_rows("Label Studio"))
    assert load_data(tmp_path / "a.csv").task.labels == ("CITY",)


@pytest.mark.parametrize("form", FORMS)
def test_spans_asked_for_as_a_label_are_refused_with_the_line_to_type(tmp_path: Path, form: str) -> None:
    path = write(tmp_path / "a.jsonl", spans_rows(form, empty=False))
    with pytest.raises(DataError, match="--task token-classification --column spans=label") as refused:
        load_data(path, columns={"label": "label"})
    shown = str(refused.value).partition("\n")[0]
    assert shown.count("'") % 2 == 0, "cut within quotation marks"


def test_labels_that_only_look_like_spans_stay_labels(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "[[0, 4, 'x']]y" if i % 2 else "[[0, 4]]"} for i in range(60)]
    assert load_data(write(tmp_path / "a.jsonl", rows)).task.labels == ("[[0, 4, 'x']]y", "[[0, 4]]")


def test_a_span_with_two_labels_is_refused() -> None:
    with pytest.raises(DataError, match="span 1 has 2 labels"):
        read_spans([{"start": 0, "end": 2, "labels": ["A", "B"]}], "abc", Where("f", 1))


@given(st.lists(st.text("a'\" b", max_size=30), max_size=8), st.integers(10, 60))
def test_what_is_shown_of_a_value_is_not_cut_in_a_quotation(value: list[str], limit: int) -> None:
    shown = written([one.replace("'", "").replace('"', "") for one in value], limit)
    assert len(shown) <= limit + 1 and shown.count("'") % 2 == 0


def test_labels_beside_spans_that_are_all_empty_are_labels(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2], "spans": [], "answer": "accept"} for i in range(60)]
    assert load_data(write(tmp_path / "a.jsonl", rows)).task.labels == ("a", "b")
    with pytest.raises(DataError, match="no row of train has an entity"):
        load_data(write(tmp_path / "b.jsonl", [{"text": row["text"], "spans": []} for row in rows]))


def test_labels_joined_as_doccano_does_are_several(tmp_path: Path) -> None:
    for label in ("a#b", "a\nb"):
        rows = [{"text": text(i), "label": ["a", "b", label][i % 3]} for i in range(60)]
        with pytest.raises(DataError, match=r"'a(#|\\n)b' is several labels"):
            load_data(write(tmp_path / "a.jsonl", rows))


def test_tags_of_words_in_one_cell_are_no_classes(tmp_path: Path) -> None:
    for tags in ("O O B-CITY", "O,O,B-CITY,I-CITY"):
        rows = [{"text": text(i), "label": [tags, f"{tags} O"][i % 2]} for i in range(60)]
        with pytest.raises(DataError, match="the labels are tags, one a word"):
            load_data(write(tmp_path / "a.jsonl", rows))


def test_objects_that_are_not_looked_into_are_named(tmp_path: Path) -> None:
    rows = [{"id": i, "item": {"text": text(i)}} for i in range(9)]
    with pytest.raises(DataError, match="as in 'item', is a column, too: --column text=item"):
        load_data(write(tmp_path / "a.jsonl", rows))
    chats = [{"messages": [{"role": "assistant", "content": text(i)}] * 2} for i in range(9)]
    with pytest.raises(DataError, match="each chat in 'messages' must end in its one answer"):
        load_data(write(tmp_path / "b.jsonl", chats))


def test_a_page_that_is_called_a_table_is_named(tmp_path: Path) -> None:
    for start in ("<html><body>", "\ufeff \n<!DOCTYPE html>", "<table>"):
        with pytest.raises(DataError, match="is an HTML page"):
            rows_of(tmp_path / "a.csv", f"{start}<tr><td>text</td></tr>")


def test_endings_of_a_context_are_options(tmp_path: Path) -> None:
    rows = [{"ctx": text(i), "endings": [f"a{i}", f"b{i}"], "label": str(i * 7 % 2)} for i in range(60)]
    data = load_data(write(tmp_path / "a.jsonl", rows))
    by_ctx = {row["ctx"]: row for row in rows}
    assert all(e.target == "AB"[int(by_ctx[e.input.question]["label"])] for e in data.train)  # type: ignore[union-attr]


# --- a column for each option ---


@pytest.mark.parametrize(
    "columns", [list("ABCD"), list("abcd"), [f"option_{c}" for c in "abcd"], [f"Choice {c}" for c in "ABCD"],
                [f"op{c}" for c in "abcd"], [f"option{c}" for c in "ABCD"]]
)  # fmt: skip
@pytest.mark.parametrize("question, answer", [("question", "answer"), ("prompt", "label"), ("Question", "correct")])
def test_columns_of_options(tmp_path: Path, columns: list[str], question: str, answer: str) -> None:
    letters = "ABCD"
    rows = [{question: f"What {text(i)}?"} | {c: f"{c}{i}" for c in columns} | {answer: letters[i * 7 % 4]}
            for i in range(60)]  # fmt: skip
    data = load_data(write(tmp_path / "a.jsonl", rows))
    assert data.task.name == "multiple-choice"
    by_question = {row[question]: row for row in rows}
    for example in data.train:
        row = by_question[example.input.question]  # type: ignore[union-attr]
        assert list(example.input.options.values()) == [row[c] for c in columns]  # type: ignore[union-attr]
        assert example.target == row[answer]
    assert any("the options from '" in note for note in data.notes)


def test_positions_among_columns_of_options_are_counted_from_0(tmp_path: Path) -> None:
    rows = [{"question": f"What {text(i)}?", "A": f"p{i}", "B": f"q{i}", "C": f"r{i}", "answer": i * 5 % 3}
            for i in range(60)]  # fmt: skip
    data = load_data(write(tmp_path / "a.jsonl", rows))
    first = data.train[0]
    [row] = [row for row in rows if row["question"] == first.input.question]  # type: ignore[union-attr]
    assert first.target == "ABC"[row["answer"]]  # type: ignore[index]
    with pytest.raises(DataError, match=r"the answer 3 is not among the options[^$]*counted from 0"):
        load_data(write(tmp_path / "b.jsonl", [row | {"answer": row["answer"] + 1} for row in rows]))  # type: ignore[operator]


def test_answers_that_fit_no_option_are_told_of(tmp_path: Path) -> None:
    rows = [{"question": text(i), "A": "p", "B": "q", "answer": "AB"[i % 2] + "."} for i in range(60)]
    assert load_data(write(tmp_path / "a.jsonl", rows)).task.labels == ("A", "B")
    with pytest.raises(
        DataError, match=r"which column holds the label.*\n.*fits no option: see --task multiple-choice"
    ):
        load_data(write(tmp_path / "a.jsonl", [row | {"answer": "A,B"} for row in rows]))


def test_options_that_a_named_label_leaves_unused_are_told_of(tmp_path: Path) -> None:
    rows = [{"question": f"What {text(i)}?", "A": f"p{i}", "B": f"q{i}", "answer": "AB"[i % 2]} for i in range(60)]
    data = load_data(write(tmp_path / "a.jsonl", rows), columns={"label": "answer"})
    assert data.task.name == "text-classification"
    assert any("its columns are those of multiple-choice" in note and "--task multiple-choice" in note
               for note in data.notes)  # fmt: skip


def test_columns_named_like_options_without_an_answer_that_fits_are_none(tmp_path: Path) -> None:
    rows = [{"question": f"What {text(i)}?", "a": f"{i}", "b": "x", "label": ["good", "bad"][i % 2]} for i in range(60)]
    data = load_data(write(tmp_path / "a.jsonl", rows))
    assert data.task.name == "text-classification" and data.task.labels == ("bad", "good")


def test_numbered_columns_that_may_be_options_are_told_of(tmp_path: Path) -> None:
    rows = [
        {"question": f"What {text(i)}?", "option1": f"p{i}", "option 2": f"q{i}", "label": i % 2} for i in range(60)
    ]
    data = load_data(write(tmp_path / "a.jsonl", rows))
    [note] = [note for note in data.notes if "may be options" in note]
    assert note.endswith("--task multiple-choice --column opa=option1 --column opb='option 2'.")
    asked = load_data(tmp_path / "a.jsonl", task="multiple-choice", columns={"opa": "option1", "opb": "option 2"})
    assert asked.task.labels == ("A", "B") and list(asked.train[0].input.options) == ["A", "B"]  # type: ignore[union-attr]


def test_a_question_without_options_says_where_they_go(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"question": text(i), "answer": "A"} for i in range(9)])
    with pytest.raises(DataError, match="has no options\n  fix: give them in a column 'options', or in a column each"):
        load_data(path, task="multiple-choice")


def test_a_run_on_columns_of_options_sees_other_forms() -> None:
    task, columns = by_name("multiple-choice"), {"question": "question", "opa": "A", "opb": "B", "answer": "answer"}
    for row in ({"question": "q", "A": "x", "B": "y"}, {"Question": "q", "option_a": "x", "option_b": "y"},
                {"question_stem": "q", "choices": ["x", "y"]}):  # fmt: skip
        found, _ = task.seen(row, columns, Where("f", 1))
        assert found.question == "q" and found.options == {"A": "x", "B": "y"}  # type: ignore[union-attr]


# --- tables and lists ---


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("before", ["", "\n\n"])
def test_a_list_in_a_file_of_lines(tmp_path: Path, indent: int | None, before: str) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(5)]
    found, notes = rows_of(tmp_path / "a.jsonl", before + json.dumps(rows, indent=indent))
    assert found == rows and "this is no object a line but one value" in notes[0]
    split = "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n"
    assert rows_of(tmp_path / "a.jsonl", split)[0] == rows
    assert rows_of(tmp_path / "a.jsonl", split.replace("[\n", "["))[0] == rows


def test_other_values_in_a_file_of_lines(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(5)]
    assert rows_of(tmp_path / "a.jsonl", json.dumps({"data": rows}, indent=1))[0] == rows
    with pytest.raises(DataError, match=r"line 1: an object goes over several lines\n  fix: .*jq -c"):
        rows_of(tmp_path / "a.jsonl", "\n".join(json.dumps(row, indent=1) for row in rows))
    with pytest.raises(DataError, match="remove the comma at the end of the line"):
        rows_of(tmp_path / "a.jsonl", ",\n".join(map(json.dumps, rows)))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert rows_of(tmp_path / "a.jsonl", f"\ufeff{lines}\ufeff{lines}")[0] == rows * 2


def test_lines_of_spacys_pairs_are_no_list(tmp_path: Path) -> None:
    pairs = [[text(i), {"entities": [[0, 5, "X"]]}] for i in range(3)]
    found, notes = rows_of(tmp_path / "a.jsonl", "".join(json.dumps(pair) + "\n" for pair in pairs))
    assert [row["text"] for row in found] == [pair[0] for pair in pairs] and not notes


def test_cells_between_bars(tmp_path: Path) -> None:
    found, notes = rows_of(tmp_path / "a.csv", "text|label\n" + "".join(f"{text(i)}, so|b\n" for i in range(9)))
    assert found[3] == {"text": f"{text(3)}, so", "label": "b"} and "split at each vertical bar" in notes[0]
    with pytest.raises(DataError, match=r"line 3: this row has 3 cells, but the header has 2\n.*holds a vertical bar"):
        rows_of(tmp_path / "a.csv", "text|label\none|a\ntwo|three|b\n")


@pytest.mark.parametrize("title", ["# exported 2025-08-25", "Report of May", "#FORMAT=WebAnno TSV 3.3", "//x"])
def test_a_line_above_the_header_is_named(tmp_path: Path, title: str) -> None:
    with pytest.raises(DataError, match="line 3: this row has 2 cells") as refused:
        rows_of(tmp_path / "a.csv", f"{title}\n\ntext,label\n" + "".join(f"{text(i)},b\n" for i in range(9)))
    assert f"if line 1 is no header ({title!r}), remove it" in str(refused.value)


def test_a_second_header_row_is_named(tmp_path: Path) -> None:
    lines = ["text,label", "What do you say?,Which is it?", *(f"{text(i)},{'ab'[i % 2]}" for i in range(30))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"line 2, column 'label': .*\n.*may be a second header"):
        load_data(tmp_path / "a.csv")


def test_a_header_with_a_byte_order_mark_between_rows_is_no_row(tmp_path: Path) -> None:
    half = "\ufefftext,label\n" + "".join(f"{text(i)},b\n" for i in range(4))
    found, notes = rows_of(tmp_path / "a.csv", half + half)
    assert len(found) == 8 and "1 line that repeats the header is left out" in notes[0]


def test_merged_labels_are_named(tmp_path: Path) -> None:
    names = ["net.a", "netting", "other"]
    data = load_data([{"text": text(i), "label": names[i % 3]} for i in range(60)], merge=["net*=network"])
    assert "3 labels were merged into 2: 'net.a', 'netting' -> 'network'." in data.notes


# --- rows that a program holds ---


def test_numbers_of_numpy_are_labels() -> None:
    np = pytest.importorskip("numpy")
    rows = [{"text": text(i), "label": kind(i % 2)} for i in range(60) for kind in [np.int64, np.float32][i % 2 :][:1]]
    assert load_data(rows).task.labels == ("0", "1")


def test_what_is_no_table_is_refused_in_words() -> None:
    with pytest.raises(Exception, match="the data are generator, which cannot be read\n  fix: give a path"):
        load_data({"text": text(i), "label": "a"} for i in range(3))


# --- further files ---


def test_a_test_files_columns_in_another_case(tmp_path: Path) -> None:
    train = write(tmp_path / "a.jsonl", [{"text": text(i), "label": "ab"[i % 2]} for i in range(60)])
    test = write(tmp_path / "t.jsonl", [{"Text": text(100 + i), "LABEL": "ab"[i % 2]} for i in range(8)])
    data = load_data(train, test=test)
    assert [e.input for e in data.test] == [text(100 + i) for i in range(8)]
    assert any("read as train's: 'Text as text', 'LABEL as label'" in note for note in data.notes)
    other = write(tmp_path / "o.jsonl", [{"sentence": text(i), "label": "ab"[i % 2]} for i in range(8)])
    with pytest.raises(
        DataError, match=r"no column 'text'; the columns are: sentence, label\n  fix: rename its column to"
    ):
        load_data(train, test=other)


def test_entities_and_spans_are_what_they_were() -> None:
    row = {"text": "fly to Rome", "label": [{"start": 7, "end": 11, "text": "Rome", "labels": ["CITY"]}]}
    example = by_name("token-classification").parse({**row, "spans": row["label"]}, Where("f", 1), "1")
    assert example.target == Entities((Span(7, 11, "CITY"),), None)


@pytest.mark.parametrize("known", [(), ("Pr\u00fcfung", "b"), ("Pru\u0308fung", "b")])
def test_accents_in_two_forms_are_one_label(tmp_path: Path, known: tuple[str, ...]) -> None:
    whole, apart = "Pr\u00fcfung", "Pru\u0308fung"
    cells = LabelCells([[whole, "b"], [apart, "b"]], known)
    assert {cells.read(whole, Where("f", 1)), cells.read(apart, Where("f", 1))} == {known[0] if known else whole}
    if not known:
        train = write(tmp_path / "a.jsonl", [{"text": text(i), "label": [whole, "b"][i % 2]} for i in range(60)])
        test = write(tmp_path / "t.jsonl", [{"text": text(90 + i), "label": [apart, "b"][i % 2]} for i in range(8)])
        data = load_data(train, test=test)
        assert data.task.labels == (whole, "b")
        assert any("accents are written in two ways are read as one" in note for note in data.notes)
        assert data.task.form().read(apart, "x").target == whole
    assert LabelCells([[apart, "b"]]).read(apart, Where("f", 1)) == apart


def test_a_column_of_splits_by_another_name_is_told_of(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2], "is_test": i % 5 == 0} for i in range(60)]
    [note] = [note for note in load_data(write(tmp_path / "a.jsonl", rows)).notes if "is_test" in note]
    assert "the column 'is_test' is not used; to split by it, call it 'split'" in note


@pytest.mark.parametrize("cells", [("train", "test"), ("Training", " dev", "test")])
def test_a_column_whose_cells_are_splits_is_told_of_whatever_its_name(tmp_path: Path, cells: tuple[str, ...]) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2], "origin": cells[i // 2 % len(cells)]} for i in range(60)]
    assert any("the column 'origin' is not used" in note for note in load_data(write(tmp_path / "a.jsonl", rows)).notes)
    rows[7]["origin"] = "elsewhere"
    assert not any("'origin'" in note for note in load_data(write(tmp_path / "a.jsonl", rows)).notes)


def test_files_beside_those_of_splits_are_told_of(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(60)]
    for name in ("train", "train (1)", "test"):
        write(tmp_path / f"{name}.jsonl", rows[:40] if name != "test" else rows[40:])
    note = next(note for note in load_data(tmp_path).notes if "read" in note)
    assert note.endswith("read train.jsonl as train, test.jsonl as test; not 'train (1).jsonl'.")


def test_objects_one_after_another_in_json(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 5: .*\n  fix: one object follows another"):
        rows_of(tmp_path / "a.json", "\n".join(json.dumps({"text": text(i), "label": "a"}, indent=1) for i in range(3)))


@pytest.mark.parametrize("several", ["{joy,anger}", "{'joy', 'anger'}", '{"joy","anger"}', "[[0, 4, 'PER']]"])
def test_arrays_in_a_tables_labels_are_several(tmp_path: Path, several: str) -> None:
    (tmp_path / "a.csv").write_text(
        "text;label\n" + "".join(f"{text(i)};{['{joy}', '{anger}', several][i % 3]}\n" for i in range(60))
    )
    if several.startswith("{"):
        with pytest.raises(DataError, match="is several labels"):
            load_data(tmp_path / "a.csv")
    braces = LabelCells([["{joy}", "{anger}"]])
    assert braces.read("{joy}", Where("f", 1)) == "{joy}"
    assert LabelCells([["{joy}", "{joy,anger}"]]).read("{joy}", Where("f", 1)) == "joy"


@pytest.mark.parametrize("cell", [[[0, 4, "PER"]], [{"label": "joy", "score": 0.9}], [{"a": 1}, {"b": 2}]])
def test_lists_of_objects_are_no_label_in_a_table_either(tmp_path: Path, cell: Any) -> None:
    rows = [{"text": text(i), "label": cell if i % 2 else "joy"} for i in range(60)]
    with pytest.raises(DataError, match="line 2, column 'label'"):
        load_data(write(tmp_path / "a.jsonl", rows), columns={"label": "label"})
    with pytest.raises(DataError, match="line 2, column 'label'"):
        load_data([row | {"label": json.dumps(row["label"])} for row in rows], columns={"label": "label"})


def test_rows_that_an_annotator_put_aside_are_told_of(tmp_path: Path) -> None:
    states = ["Discarded", *["submitted"] * 4]
    rows = [{"text": text(i), "label": "ab"[i % 2], "status": states[i % 5]} for i in range(60)]
    notes = load_data(write(tmp_path / "a.jsonl", rows)).notes
    assert any("the column 'status' calls 12 rows discarded, and they are read as all others" in note for note in notes)
    for row in rows:
        row["status"], row["was_cancelled"] = "Discarded", row["status"] == "Discarded"
    notes = load_data(write(tmp_path / "a.jsonl", rows)).notes
    assert not any("'status'" in note for note in notes)
    assert any("the column 'was_cancelled' calls 12 rows true" in note for note in notes)


def test_one_name_written_in_two_ways_is_one_group(tmp_path: Path) -> None:
    users = ["Caf\u00e9", "cafe\u0301", "CAFE\u0301"]
    rows = [{"text": text(i), "label": "ab"[i % 2], "user": f"{users[i // 2 % 3]}{i % 20}"} for i in range(120)]
    data = load_data(write(tmp_path / "a.jsonl", rows), group="user")
    number = {row["text"]: i % 20 for i, row in enumerate(rows)}
    sides = [{number[e.input] for e in data.splits[split]} for split in ("train", "validation", "test")]
    assert all(one.isdisjoint(other) for i, one in enumerate(sides) for other in sides[:i])


@pytest.mark.parametrize("second", [None, "", " "])
def test_a_pair_that_lacks_a_text_is_told_of(tmp_path: Path, second: str | None) -> None:
    rows = [{"premise": text(i), "hypothesis": f"{text(i)} too", "label": "ab"[i % 2]} for i in range(60)]
    rows[7] = {**rows[7], "hypothesis": second}
    notes = load_data(write(tmp_path / "a.jsonl", rows)).notes
    assert any("1 of 60 pairs" in note and "an empty text" in note for note in notes)


def test_shards_as_the_hub_names_them(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(80)]
    for n in range(3):
        write(tmp_path / f"train-0000{n}-of-00003.jsonl", rows[n * 20 : n * 20 + 20])
    write(tmp_path / "test-00000-of-00001.jsonl", rows[60:])
    data = load_data(tmp_path)
    assert [e.input for e in data.test] == [row["text"] for row in rows[60:]]
    assert {e.input for e in (*data.train, *data.validation)} == {row["text"] for row in rows[:60]}
    (tmp_path / "train-00001-of-00003.jsonl").unlink()
    with pytest.raises(DataError, match=r"of the 3 shards of train these are here: 'train-00000-of-00003\.jsonl'"):
        load_data(tmp_path)


def test_splits_in_a_dict_are_named_as_such() -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(60)]
    with pytest.raises(DataError, match=r'holds splits.*\n  fix: load_data\(data\["train"\], test=data\["test"\]\)'):
        load_data({"train": rows[:40], "test": rows[40:]})


def test_a_split_that_some_rows_lack_is_refused_wherever_the_first_has_it(tmp_path: Path) -> None:
    rows = [{"text": text(i), "label": "ab"[i % 2]} for i in range(80)]
    path = write(tmp_path / "a.jsonl", [*rows[:60], *({**row, "split": "test"} for row in rows[60:])])
    with pytest.raises(DataError, match="line 1, column 'split': this is no split"):
        load_data(path)
    data = load_data(write(tmp_path / "b.jsonl", rows))
    with pytest.raises(DataError, match="this is no split"):
        load_examples(read_file(path, []), data.task, data.origin, {}, [], split="test")


def test_numbers_of_groups_with_a_point_are_those_without(tmp_path: Path) -> None:
    """As pandas writes a column of whole numbers once one is missing."""

    def of(form: str) -> object:
        cells = "".join(f"{text(i)},{'ab'[i % 2]},{1000 + i % 20}{form}\n" for i in range(120))
        (tmp_path / "a.csv").write_text(f"text,label,user\n{cells}")
        return load_data(tmp_path / "a.csv").groupings

    assert of(".0") == of("") and "user" in of("")


def test_a_pair_turned_round_and_options_in_another_order_are_twins(tmp_path: Path) -> None:
    texts = [(f"{text(i)} here", f"{text(i + 7)} there") for i in range(60)]
    pairs = [{"sentence1": one, "sentence2": two, "label": "ab"[i % 2]} for i, (one, two) in enumerate(texts)]
    turned = [{**row, "sentence1": row["sentence2"], "sentence2": row["sentence1"]} for row in pairs]
    asked = [
        {"question": f"what is {text(i)}?", "options": ["red", "blue", text(i)], "answer": i % 3} for i in range(60)
    ]
    other = [{**row, "options": row["options"][::-1], "answer": 2 - row["answer"]} for row in asked]
    for rows, again in ((pairs, turned), (asked, other)):
        train, test = write(tmp_path / "train.jsonl", rows), write(tmp_path / "test.jsonl", again[:20])
        assert "leak" in {found["kind"] for found in audit_dataset(load_data(train, test=test))["findings"]}
        data = load_data(write(tmp_path / "both.jsonl", [*rows, *again]))
        sides = [{in_any_order(data.task, e.input) for e in part} for part in data.splits.values()]
        assert all(one.isdisjoint(two) for i, one in enumerate(sides) for two in sides[:i])


def test_labels_with_and_without_a_point_are_said_to_be_one(tmp_path: Path) -> None:
    cells = "".join(f"{text(i)},{['1.0', '1', '2'][i % 3]}\n" for i in range(60))
    (tmp_path / "a.csv").write_text(f"text,label\n{cells}")
    assert "Labels written with and without .0 are read as one: '1'." in load_data(tmp_path / "a.csv").notes


def test_objects_among_labels_are_refused(tmp_path: Path) -> None:
    """Label Studio's CSV, where some rows have several choices."""
    cells = ["pos", "neg", '"{""choices"": [""pos"",""neg""]}"']
    lines = "".join(f"{text(i)},{cells[i % 3]}\n" for i in range(60))
    (tmp_path / "a.csv").write_text(f"text,label\n{lines}")
    with pytest.raises(DataError, match="the label is an object"):
        load_data(tmp_path / "a.csv")
