"""A mark without a label, in any form that has marks, is refused with the row it stands in: it is not no entity."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from slmfit.data import load_data
from slmfit.errors import DataError

PLACES = ["Rome", "Oslo", "Lima", "Kyiv"] * 5
WRONG = 5  # of these rows
LACKING = {"no key": {}, "null": {"label": None}, "nothing": {"label": ""}, "space": {"label": " "}}


def text(i: int) -> str:
    return f"fly to {PLACES[i]} on day {i}"


def at(i: int, **more: Any) -> dict[str, Any]:
    return {"start": 7, "end": 7 + len(PLACES[i]), **more}


def task(i: int, value: dict[str, Any], *more: dict[str, Any], kind: str = "labels") -> dict[str, Any]:
    result = [{"id": "a", "type": kind, "value": at(i, text=PLACES[i]) | value}, *more]
    return {"id": 100 + i, "data": {"text": text(i)}, "annotations": [{"was_cancelled": False, "result": result}]}


def several(said: dict[str, Any], key: str = "labels") -> dict[str, Any]:
    """As a list: without a label an empty one, or one with None in it, or the like."""
    return {key: [said["label"]] if said["label"] != "" else []} if "label" in said else {}


def named(said: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: said["label"]} if said else {}


def triple(i: int, said: dict[str, Any]) -> list[Any]:
    return [*at(i).values(), *(said or {"": None}).values()]


FORMS: dict[str, Any] = {
    "studio.json": lambda i, s: task(i, several(s)),
    "min.json": lambda i, s: {"text": text(i), "id": 100 + i, "ner": [at(i) | several(s)], "annotation_id": i},
    "min.csv": lambda i, s: {"text": text(i), "id": i, "ner": json.dumps([at(i) | several(s)]), "annotation_id": i},
    "doccano.jsonl": lambda i, s: {"text": text(i), "label": [triple(i, s)]},
    "bare.jsonl": lambda i, s: {"text": text(i), "label": [[*at(i).values(), *s.values()]]},
    "relations.jsonl": lambda i, s: {"text": text(i), "entities": [
        {"start_offset": 7, "end_offset": 7 + len(PLACES[i]), **s}]},
    "prodigy.jsonl": lambda i, s: {"text": text(i), "spans": [at(i, token_start=2, **s)], "answer": "accept"},
    "counted.jsonl": lambda i, s: {"tokens": text(i).split(), "spans": [{"token_start": 2, "token_end": 2, **s}]},
    "words.jsonl": lambda i, s: {"tokens": text(i).split(), "spans": [{"start": 2, "end": 3, "text": PLACES[i], **s}]},
    "gliner.json": lambda i, s: {"tokenized_text": text(i).split(), "ner": [[2, 2, *s.values()]]},
    "spans.jsonl": lambda i, s: {"text": text(i), "spans": [at(i, **s)]},
    "pairs.json": lambda i, s: [text(i), {"entities": [triple(i, s)]}],
    "doc.jsonl": lambda i, s: {"text": text(i), "ents": [at(i, **s)], "tokens": [{"start": 0, "end": 3}]},
    "rasa.json": lambda i, s: {"text": text(i), "entities": [at(i, value=PLACES[i], **named(s, "entity"))]},
    "luis.json": lambda i, s: {"text": text(i), "entities": [
        {"startPos": 7, "endPos": 6 + len(PLACES[i]), **named(s, "entity")}]},
    "clu.json": lambda i, s: {"text": text(i), "entities": [
        {"offset": 7, "length": len(PLACES[i]), **named(s, "category")}]},
    "tagged.jsonl": lambda i, s: {"tokens": text(i).split(), "tags": f"O O B-{s.get('label') or ''} O O O".split()},
}  # fmt: skip


def written(path: Path, rows: list[Any]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
        else:
            file.write(json.dumps(rows) if path.suffix == ".json" else "".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("name", FORMS)
def test_a_mark_without_a_label_is_refused_with_its_row(tmp_path: Path, name: str) -> None:
    rows = [FORMS[name](i, {"label": "CITY"}) for i in range(len(PLACES))]
    data = load_data(written(tmp_path / name, rows))
    found = [e for split in data.splits.values() for e in split]
    assert [len(e.target.spans) for e in found] == [1] * len(PLACES)  # type: ignore[union-attr]
    of_row = f"id {100 + WRONG}" if name in ("studio.json", "min.json") else f"row {WRONG + 1}"
    line = {".json": f"line 1, {of_row}", ".csv": f"line {WRONG + 2}"}.get(Path(name).suffix, f"line {WRONG + 1}")
    for lacking in LACKING.values():
        rows[WRONG] = FORMS[name](WRONG, lacking)
        with pytest.raises(DataError) as caught:
            load_data(written(tmp_path / name, rows))
        assert str(caught.value.where).startswith(f"{tmp_path / name}, {line}, column "), str(caught.value)
        says = "no BIO tag" if name == "tagged.jsonl" else "span 1, 7 to 11 ('Oslo'), has no label"
        assert says in caught.value.what


@pytest.mark.parametrize("kind", ["choices", "rating", "textarea"])
def test_what_is_said_of_a_mark_is_no_answer_for_the_text(tmp_path: Path, kind: str) -> None:
    said = {"choices": ["good"], "rating": 3, "text": ["a remark"]}
    more = [{"id": "a", "type": kind, "value": at(i, **said)} for i in range(len(PLACES))]
    rows = [task(i, {"labels": ["CITY"]}, more[i]) for i in range(len(PLACES))]
    data = load_data(written(tmp_path / "a.json", rows))
    targets = [e.target for split in data.splits.values() for e in split]
    assert {(len(t.spans), t.intent) for t in targets} == {(1, None)}  # type: ignore[union-attr]
    rows[WRONG] = task(WRONG, {}, more[WRONG])
    with pytest.raises(DataError, match=f"id {100 + WRONG}, column 'spans': span 1.* has no label"):
        load_data(written(tmp_path / "a.json", rows))


def test_marks_in_a_page_are_refused(tmp_path: Path) -> None:
    rows = [task(i, {"labels": ["CITY"]}) for i in range(len(PLACES))]
    rows[WRONG] = task(WRONG, {"hypertextlabels": ["CITY"]}, kind="hypertextlabels")
    with pytest.raises(DataError, match="has no label"):
        load_data(written(tmp_path / "a.json", rows))


def test_what_a_text_is_about_beside_its_marks_is_told_of() -> None:
    rows = [{"text": text(i), "spans": [at(i, label="CITY")], "annotator": i % 2} for i in range(len(PLACES))]
    said = "the column 'label' may say what each text is about, and is not used: --column intent=label reads it"
    assert not any("what each text is about" in note for note in load_data(rows).notes)
    for named in ({"label": "a"}, {"label": "b"}), ({"cats": {"a": 1, "b": 0}}, {"cats": {"a": 0, "b": 1}}):
        both = [row | named[i % 2] for i, row in enumerate(rows)]
        assert any(said in note for note in load_data(both).notes)
        data = load_data(both, columns={"intent": "label"})
        assert data.task.intents == ("a", "b")  # type: ignore[attr-defined]
        assert not any("what each text is about" in note for note in data.notes)
