"""A split that is asked to go by groups or times, beside splits that the data bring."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from slmfit.data import load_data
from slmfit.data.added import add_rows
from slmfit.errors import DataError

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
DAY = datetime.date(2025, 6, 1)


def rows(start: int, count: int, users: int = 20, day: datetime.date = DAY) -> list[dict[str, Any]]:
    return [
        {"text": f"{WORDS[i % 16]} {WORDS[i // 16 % 16]} number {i} {WORDS[i * 7 % 16]}", "label": "ab"[i % 2],
         "user": f"u{i % users}", "day": str(day + datetime.timedelta(days=i - start))}
        for i in range(start, start + count)
    ]  # fmt: skip


def write(path: Path, made: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def notes_of(tmp_path: Path, test: list[dict[str, Any]], **asked: str) -> list[str]:
    path = write(tmp_path / "t.jsonl", test)
    return list(load_data(write(tmp_path / "a.jsonl", rows(0, 160)), test=path, **asked).notes)  # type: ignore[arg-type]


def test_groups_of_a_given_test_that_stand_in_train_are_told_of(tmp_path: Path) -> None:
    said = "have a 'user' that stands in train or validation as well: splits that are given stay as they are."
    assert f"40 of 40 test rows (100.0 %) {said}" in notes_of(tmp_path, rows(200, 40), group="user")
    new = [row | {"user": f"v{row['user']}"} for row in rows(200, 40)]
    assert not any(said in note for note in notes_of(tmp_path, new, group="user"))
    assert f"1 of 40 test rows (2.5 %) {said.replace('have', 'has')}" in notes_of(
        tmp_path, [*new[:39], rows(200, 40)[39]], group="user"
    )
    none = [{"text": row["text"], "label": row["label"]} for row in new]
    assert any("there is no 'user', so test may hold groups" in n for n in notes_of(tmp_path, none, group="user"))


def test_groups_in_a_column_of_splits_and_in_validation(tmp_path: Path) -> None:
    made = [row | {"split": ["train", "train", "test"][i % 3]} for i, row in enumerate(rows(0, 120))]
    notes = load_data(write(tmp_path / "a.jsonl", made), group="user").notes
    assert any("40 of 40 test rows" in note and "as well" in note for note in notes)
    train, other = write(tmp_path / "b.jsonl", rows(0, 160)), write(tmp_path / "v.jsonl", rows(200, 20))
    notes = load_data(train, validation=other, group="user").notes
    assert any("20 of 20 validation rows" in note or ("test row" in note and "as well" in note) for note in notes)
    assert not any("as well" in note for note in load_data(train, group="user").notes)


def test_a_given_test_that_is_older_than_train_is_told_of(tmp_path: Path) -> None:
    notes = notes_of(tmp_path, rows(200, 30, day=datetime.date(2024, 6, 1)), time="day")
    assert "By 'day', test reaches from 2024-06-01 to 2024-06-30." in notes
    assert any("By 'day', test begins before validation ends" in note for note in notes)
    later = notes_of(tmp_path, rows(200, 30, day=datetime.date(2026, 6, 1)), time="day")
    assert "By 'day', test reaches from 2026-06-01 to 2026-06-30." in later
    assert not any("begins before" in note for note in later)


def test_the_times_of_a_given_test_are_looked_at(tmp_path: Path) -> None:
    digits = [row | {"day": row["day"].replace("-", "")} for row in rows(200, 30)]
    with pytest.raises(DataError, match="is a date in digits, but"):
        notes_of(tmp_path, digits, time="day")
    none = [{"text": row["text"], "label": row["label"]} for row in rows(200, 30)]
    assert any(
        "there is no 'day', so whether test is later is not known" in n for n in notes_of(tmp_path, none, time="day")
    )
    made = [row | {"split": ["train", "train", "test"][i % 3]} for i, row in enumerate(rows(0, 120))]
    notes = load_data(write(tmp_path / "s.jsonl", made), time="day").notes
    assert "By 'day', test reaches from 2025-06-03 to 2025-09-28." in notes
    assert any("test begins before validation ends" in note for note in notes)


def test_added_rows_of_groups_in_test_are_left_out(tmp_path: Path) -> None:
    data = load_data(write(tmp_path / "a.jsonl", rows(0, 160)), group="user")
    held = {row["user"] for row in rows(0, 160) if row["text"] in {e.input for e in (*data.test, *data.validation)}}
    more = rows(400, 60)
    found = add_rows(data, write(tmp_path / "more.jsonl", more))
    left = [row for row in more if row["user"] in held]
    assert 0 < len(left) < 60 and found.record["left_out"] == len(left) and found.record["rows"] == 60 - len(left)
    assert any(
        f"{len(left)} rows of more.jsonl have a 'user' that stands in validation or test" in n for n in found.notes
    )
    none = write(tmp_path / "none.jsonl", [{"text": row["text"], "label": row["label"]} for row in more])
    assert any("there is no 'user', so rows of groups" in note for note in add_rows(data, none).notes)


def test_added_rows_as_late_as_test_are_left_out(tmp_path: Path) -> None:
    data = load_data(write(tmp_path / "a.jsonl", rows(0, 160)), time="day")
    held = {e.input for e in (*data.validation, *data.test)}
    first = min(row["day"] for row in rows(0, 160) if row["text"] in held)
    more = rows(400, 60, day=DAY + datetime.timedelta(days=70))
    late = [row for row in more if row["day"] >= first]
    found = add_rows(data, write(tmp_path / "more.jsonl", more))
    assert 0 < len(late) < 60 and found.record["left_out"] == len(late) and found.record["rows"] == 60 - len(late)
    assert found.notes[-1] == (
        f"{len(late)} rows of more.jsonl have a 'day' not before that of the first validation or test row, {first}, "
        "and are not added."
    )
    with pytest.raises(DataError, match="every row is a twin of a validation or test row, or as late as they are"):
        add_rows(data, write(tmp_path / "late.jsonl", late))
    some = [row | {"id": f"m{i}", "day": row["day"] if i else None} for i, row in enumerate(more)]
    notes = add_rows(data, write(tmp_path / "some.jsonl", some)).notes
    assert any("some.jsonl: 1 row has no 'day', so rows as late as validation" in note for note in notes)
    none = write(tmp_path / "none.jsonl", [{"text": row["text"], "label": row["label"]} for row in more])
    assert any("there is no 'day', so rows as late as validation" in note for note in add_rows(data, none).notes)
    counted = write(tmp_path / "counted.jsonl", [row | {"day": 1_700_000_000 + i} for i, row in enumerate(more)])
    with pytest.raises(DataError, match=r"a count of seconds since 1970, but .* of .*a\.jsonl is a date"):
        add_rows(data, counted)


def test_added_rows_of_groups_may_have_ids(tmp_path: Path) -> None:
    own = [row | {"id": f"a{i}"} for i, row in enumerate(rows(0, 160))]
    data = load_data(write(tmp_path / "a.jsonl", own), group="user")
    named = write(tmp_path / "more.jsonl", [row | {"id": f"m{i}"} for i, row in enumerate(rows(400, 60))])
    plain = write(tmp_path / "plain.jsonl", rows(400, 60))
    assert add_rows(data, named).record["left_out"] == add_rows(data, plain).record["left_out"] > 0
