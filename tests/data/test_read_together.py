"""What one row does not show: rows in a cell, headers between rows, positions from 1, a group in two spellings."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.groupings import group_name
from slmfit.data.readers.rows import read_rows
from slmfit.errors import DataError

LABELS = ("billing", "delivery", "account")


def lines(rows, first=0):
    return [f"{first + i},words number {first + i},{LABELS[i % 3]}" for i in range(rows)]


def rows_of(path, text, notes=None):
    path.write_text(text, encoding="utf-8")
    return [row for _, row in read_rows(path, [] if notes is None else notes)]


@pytest.mark.parametrize("columns", [3, 2])
def test_rows_between_two_stray_quotation_marks_are_not_swallowed(tmp_path, columns):
    written = lines(60) if columns == 3 else [line.rpartition(",")[0] for line in lines(60)]
    head = "id,text,label" if columns == 3 else "id,text"
    written[20] = '20,"not closed' + ",billing" * (columns == 3)
    written[40] = '40,closed here"' + ",delivery" * (columns == 3)
    with pytest.raises(DataError, match=r"line 22: a cell of this row holds 19 lines that are rows by their look"):
        rows_of(tmp_path / "a.csv", "\n".join([head, *written, ""]))


@pytest.mark.parametrize(
    "letter",
    [
        "Dear all,\nmy parcel is late, again\nthe bill, too\nand the card, I fear\nbye",
        "one\ntwo\nthree\nfour\nfive\nsix",
        "a, b\n\nc, d\n\ne, f\n",
        "1. x\n2. y\n3. z\n4. u\n5. v",
    ],
)
def test_a_letter_of_several_lines_is_a_text(tmp_path, letter):
    [row, _] = rows_of(tmp_path / "a.csv", f'text,label\n"{letter}",billing\nshort,account\n')
    assert row == {"text": letter, "label": "billing"}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), st.sampled_from([("csv", ","), ("tsv", "\t")]))
def test_a_header_between_rows_is_no_row(tmp_path_factory, places, kind):
    ending, delimiter = kind
    written = ["text,label", *(line.partition(",")[2] for line in lines(20))]
    for place in sorted(places, reverse=True):
        written.insert(place + 1, "text,label")
    notes = []
    path = tmp_path_factory.mktemp("a") / f"a.{ending}"
    rows = rows_of(path, "\n".join(written).replace(",", delimiter), notes)
    assert len(rows) == 20 and {row["label"] for row in rows} == set(LABELS)
    [note] = notes
    assert "that repeat" in note and note.startswith(str(path))


def test_a_text_may_be_called_as_its_only_column(tmp_path):
    assert len(rows_of(tmp_path / "a.csv", "text\ntext\nwords\n")) == 2


def questions(path, first, rows, options=4, seed=0):
    rng = random.Random(seed)
    made = [
        {"question": f"Which {i}?", "choices": [f"{i} is {n}" for n in "pqrs"[:options]],
         "answer": rng.randrange(first, options)}
        for i in range(rows)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path, made


def test_positions_are_counted_from_0_and_that_is_said(tmp_path):
    path, made = questions(tmp_path / "q.jsonl", 0, 60)
    data = load_data(path)
    everything = {e.id: e.target for split in ("train", "validation", "test") for e in data.splits[split]}
    assert everything == {str(i): "ABCD"[row["answer"]] for i, row in enumerate(made, 1)}
    assert any("positions counted from 0: 0 is A" in note for note in data.notes)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("split", ["train", "test"])
def test_positions_counted_from_1_are_refused(tmp_path, as_text, split):
    first, _ = questions(tmp_path / "one.jsonl", 1, 40)
    other, _ = questions(tmp_path / "two.jsonl", 0, 40, seed=1)
    if as_text:
        first.write_text(first.read_text().replace('"answer": ', '"answer": "').replace("}", '"}'))
    given = (first, other) if split == "train" else (other, first)
    with pytest.raises(DataError, match="is a position counted from 0, and in 40 such rows none is 0"):
        load_data(given[0], test=given[1])


@pytest.mark.parametrize("cells", [["7", "7.0", "7 ", 7, 7.0], ["a", " a"], ["-3", "-3.00"]])
def test_one_group_has_one_name(cells):
    assert len({group_name(cell) for cell in cells}) == 1


def test_names_that_differ_stay_apart():
    assert len({group_name(cell) for cell in ["7", "7.5", "07", "v1.0", "v1", "", "1.0.0"]}) == 7


def test_a_group_spelled_in_several_ways_stays_on_one_side(tmp_path):
    rng = random.Random(0)
    path = tmp_path / "a.csv"
    written = ["text,label,user"]
    for i in range(120):
        spelled = rng.choice(["{}", "{}.0", "{} "]).format(i % 24)
        written.append(f"words number {i},{LABELS[i % 3]},{spelled}")
    path.write_text("\n".join(written))
    data = load_data(path, group="user")
    user = {f"words number {i}": i % 24 for i in range(120)}
    sides = [{user[str(e.input)] for e in data.splits[split]} for split in ("train", "validation", "test")]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
