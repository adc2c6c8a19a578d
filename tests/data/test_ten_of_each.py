"""Ten rows in every form that is read: what comes out is what was put in, in any choice of them, under any name."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reading import read
from slmfit.errors import DataError
from ten_of_each import CLASSES, ENTITIES, TOLD, Form
from ten_rows import Marked

FORMS = CLASSES | ENTITIES
TASKS = dict.fromkeys(CLASSES, "text-classification") | dict.fromkeys(ENTITIES, "token-classification")
TAGS = {"CoNLL", "CoNLL in .txt", "CoNLL, BIOES", "CoNLL, BILOU", "CoNLL, IO", "a token a row", "tokens and tags",
        "tags by number"}  # fmt: skip
OFFSETS = [name for name in ENTITIES if name not in TAGS]
MAY_LACK = {"pandas, index", "CoNLL, IO", "a token a row"}  # of a file of one row, or without an O, what tells the form
ENDINGS = ["txt", "csv", "tsv", "json", "jsonl", "conll", "iob2", "ner"]


def found(path: Path, form: Form, rows: list[Any]) -> tuple[str, list[Any], list[str]]:
    """The task, what is read of each row, and the notes."""
    path.write_bytes(form.write(rows))
    task, examples, notes = read(path, form.asked)
    return task, [_plain(example) for example in examples], notes


def _plain(example: Any) -> tuple[str, Any]:
    target = example.target
    if isinstance(target, str):
        return example.input, target
    return str(example.input), tuple((span.start, span.end, span.label) for span in target.spans)


@pytest.mark.parametrize("name", FORMS)
def test_what_was_put_in_comes_out_and_is_told_as_its_own_form(tmp_path: Path, name: str) -> None:
    form = FORMS[name]
    task, rows, notes = found(tmp_path / form.file, form, form.fitting)
    assert task == TASKS[name]
    assert rows == [tuple(row) for row in form.fitting]
    assert len(rows) >= len(form.rows) // 2
    assert {said for said in TOLD if said in " ".join(notes)} == {*form.told}


@given(st.sampled_from([*FORMS]), st.data())
@settings(max_examples=300)
def test_any_of_the_rows_are_read_as_what_they_are_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    form = FORMS[name]
    rows = data.draw(st.lists(st.sampled_from(form.fitting), min_size=1, max_size=4))
    try:
        task, read_as, _ = found(tmp_path_factory.mktemp("any") / form.file, form, rows)
    except DataError as error:
        assert error.fix
        assert name in MAY_LACK or not any(getattr(row, "marks", True) for row in rows)
    else:
        assert (task, read_as) == (TASKS[name], [tuple(row) for row in rows])


@pytest.mark.parametrize("name", FORMS)
def test_under_another_name_a_form_is_read_alike_or_refused(tmp_path: Path, name: str) -> None:
    form = FORMS[name]
    content = form.write(form.fitting)
    for ending in ENDINGS:
        path = tmp_path / f"d.{ending}"
        path.write_bytes(content)
        try:
            _, examples, _ = read(path, form.asked)
        except DataError as error:
            assert error.fix
        else:
            assert [_plain(example) for example in examples] == [tuple(row) for row in form.fitting]


@pytest.mark.parametrize("name", [name for name in FORMS if name not in ("packed", "zip") and "Parquet" not in name])
def test_with_a_byte_order_mark_other_line_ends_or_packed_it_is_the_same(tmp_path: Path, name: str) -> None:
    form = FORMS[name]
    rows = [row for row in form.fitting if "\n" not in row.text]
    content = form.write(rows)
    for file, written in {
        f"a{form.file}": b"\xef\xbb\xbf" + content, f"b{form.file}": content.replace(b"\n", b"\r\n"),
        f"c{form.file}": content.rstrip(b"\n"), f"d{form.file}.gz": gzip.compress(content),
    }.items():  # fmt: skip
        (tmp_path / file).write_bytes(written)
        _, examples, _ = read(tmp_path / file, form.asked)
        assert [_plain(example) for example in examples] == [tuple(row) for row in rows], file


@pytest.mark.parametrize("marks", [
    ((4, 12, "A"), (8, 17, "B")), ((4, 17, "A"), (8, 12, "B")), ((4, 12, "A"), (4, 12, "B")),
])  # fmt: skip
@pytest.mark.parametrize("name", OFFSETS)
def test_marks_that_overlap_are_refused(tmp_path: Path, name: str, marks: tuple[Any, ...]) -> None:
    form = FORMS[name]
    with pytest.raises(DataError, match=r"the spans 4–\d+ A and \d–\d+ B overlap"):
        found(tmp_path / form.file, form, [*form.fitting, Marked("see New York City", marks)])
