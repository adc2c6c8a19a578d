"""Files that were refused without the remedy that helps, or read with a guess that nobody said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from slmfit.comparison.compare import train
from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.given import read_answers
from slmfit.data.label_cells import LabelCells
from slmfit.data.layout import read_file
from slmfit.errors import DataError, MissingPart, Where
from slmfit.records import Entities, Question
from slmfit.runs.evaluation import evaluate

COLOURS = ("red", "blue", "green", "grey")
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def text(i: int) -> str:
    return f"word{i} and {i * 7} or {i * 13} of {i % 9}"


def rows(count: int = 60, **columns: Any) -> list[dict[str, Any]]:
    return [{"text": text(i), "label": "ab"[i % 2], **{c: cells[i % len(cells)] for c, cells in columns.items()}}
            for i in range(count)]  # fmt: skip


def asked(i: int) -> dict[str, Any]:
    return {"question": text(i), "options": [f"{colour} {i}" for colour in COLOURS]}


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def found(data: Any) -> dict[str, str]:
    return {one["kind"]: one["message"] for one in audit_dataset(data)["findings"]}


# --- splits ---


@pytest.mark.parametrize("cells", [("Training", "PublicTest", "PrivateTest"), ("train_1", "train_2", "holdout")])
def test_cells_that_hold_the_name_of_a_split_are_told_of_by_every_verb(tmp_path: Path, cells: tuple[str, ...]) -> None:
    path = jsonl(tmp_path / "a.jsonl", rows(Usage=cells))
    data = load_data(path)
    said = "the column 'Usage' is not used; to split by it, call it 'split'"
    assert sum(said in note for note in data.notes) == 1
    run = train(data, "majority", out=tmp_path / "o")
    assert any(said in note for note in evaluate(run, path).details["notes"])
    for others in (("train", "trainer", "Training"), ("training set", "none of them")):
        assert not any("Usage" in note for note in load_data(jsonl(path, rows(Usage=others))).notes)


def test_without_its_library_a_saved_data_set_is_told_the_line_that_writes_it_as_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slmfit.data.hub.missing", lambda *_: ["datasets"])
    for name in ("dataset_dict.json", "train/state.json", "train/dataset_info.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises(MissingPart, match=r"save_to_disk.*\n.*load_from_disk.*for n, p in d\.items"):
        load_data(tmp_path)
    with pytest.raises(MissingPart, match=r'save_to_disk.*\n.*d\.to_parquet\("train\.parquet"\)'):
        load_data(tmp_path / "train")
    with pytest.raises(MissingPart, match="save_to_disk"):
        load_data(rows(), test=tmp_path)


# --- bytes ---


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.parquet", "a.conll", "a.csv.gz"])
def test_what_is_no_table_is_named_in_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    packed = gzip.compress(LFS) if name.endswith(".gz") else LFS
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"pointer that git LFS left here\n.*git lfs pull"):
        read_file(path, [])
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(packed))
        with pytest.raises(DataError, match=r"is gzipped twice\n.*gunzip"):
            read_file(path, [])


@pytest.mark.parametrize(("written", "said"), [
    (LFS, "git LFS"), (gzip.compress(gzip.compress(b"a text", mtime=0), mtime=0), "gzipped twice"),
    ("äöü".encode("utf-16"), "UTF-16"),
])  # fmt: skip
def test_and_in_folders_of_texts(tmp_path: Path, written: bytes, said: str) -> None:
    for i in range(6):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        name = f"{i}.txt.gz" if said == "gzipped twice" else f"{i}.txt"
        (tmp_path / "ab"[i % 2] / name).write_bytes(written)
    with pytest.raises(DataError, match=said):
        load_data(tmp_path)


# --- labels ---


def test_a_version_keeps_its_zero_unless_it_stands_without_it_elsewhere() -> None:
    def read(*files: list[Any]) -> list[list[str]]:
        cells = LabelCells(files)
        return [[cells.read(cell, Where("f", 1)) for cell in file] for file in files]

    assert read(["1.0", "1.1", "1.10"]) == [["1.0", "1.1", "1.10"]]
    assert read(["1.0", "0.5", "2.0"], [1, "0.5", 2.0]) == [["1", "0.5", "2"], ["1", "0.5", "2"]]
    assert read(["1.0", "0.5"], [2, 0.5]) == [["1.0", "0.5"], ["2", "0.5"]]
    assert read(["1.0", "0.0"]) == [["1", "0"]]


@pytest.mark.parametrize("types", [("B-PER", "PER", "per"), ("B-PER", "I-PER", "LOC"), ("B-PER", "B-LOC", "B-ORG")])
def test_types_with_the_prefix_of_tags_are_told_of(types: tuple[str, ...]) -> None:
    made = [{"text": text(i), "spans": [[0, 4 + len(str(i)), types[i % 3]]]} for i in range(60)]
    assert "as tags of tokens do: 'B-PER'" in found(load_data(made))["tag_prefix"].replace("'B-LOC', 'B-ORG', ", "")
    plain = [row | {"spans": [[*row["spans"][0][:2], ("U-turn", "LOC", "PER")[i % 3]]]} for i, row in enumerate(made)]
    assert "tag_prefix" not in found(load_data(plain))


# --- what tools write ---


def annotated(i: int, form: str) -> dict[str, Any]:
    if form == "choices":
        result: list[Any] = [{"type": "choices", "value": {"choices": ["ab"[i % 2]]}}]
    else:
        result = [{"type": "labels", "value": {"start": 0, "end": 4, "labels": ["X"]}}]
    skipped = i % 5 == 0
    return {
        "id": i,
        "data": {"text": text(i)},
        "annotations": [{"was_cancelled": skipped, "result": [] if skipped else result}],
    }


@pytest.mark.parametrize("form", ["choices", "labels"])
def test_what_an_annotator_of_label_studio_skipped_is_left_out(tmp_path: Path, form: str) -> None:
    path = jsonl(tmp_path / "a.jsonl", [annotated(i, form) for i in range(60)])
    data = load_data(path)
    assert sum(map(len, data.splits.values())) == 48
    assert any(note.endswith("12 rows left out: their annotation was cancelled.") for note in data.notes)
    scores = evaluate(train(data, "majority", out=tmp_path / "o"), path)
    assert scores.details["rows"] == 48
    with pytest.raises(DataError, match="every annotation was cancelled"):
        load_data([annotated(5 * i, form) for i in range(20)])


@pytest.mark.parametrize("names", [("tokens", "spans"), ("words", "entities"), ("tokens", "ner")])
def test_spans_that_count_tokens_are_refused_with_what_to_write(names: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=rf"'{names[1]}' beside tokens counts tokens.*write a BIO tag for each token"):
        load_data([{names[0]: text(i).split(), names[1]: [[0, 1, "X"]]} for i in range(60)])


@pytest.mark.parametrize("form", ["LUIS", "CLU"])
def test_utterances_of_luis_and_clu_are_read_as_they_count(form: str) -> None:
    def marked(i: int) -> dict[str, Any]:
        size = len(text(i).split()[0])
        if form == "LUIS":
            return {"entity": "W", "startPos": 0, "endPos": size - 1}
        return {"category": "W", "offset": 0, "length": size}

    data = load_data([{"text": text(i), "intent": "ab"[i % 2], "entities": [marked(i)] if i % 4 else []}
                      for i in range(60)])  # fmt: skip
    assert any("LUIS' or CLU's utterances (endPos is an entity's last character)" in note for note in data.notes)
    for example in (example for split in data.splits.values() for example in split):
        assert isinstance(example.target, Entities)
        for span in example.target.spans:
            assert str(example.input)[span.start : span.end] == str(example.input).split()[0]


# --- questions ---


@pytest.mark.parametrize("inside", [True, False])
def test_marked_choices_name_the_right_one(inside: bool) -> None:
    made = []
    for i in range(60):
        both = {"choices": asked(i)["options"], "labels": [int(at == i * 7 % 4) for at in range(4)]}
        made.append({"question": text(i), **({"mc1_targets": both, "mc2_targets": both} if inside else both)})
    data = load_data(made)
    for example in data.train:
        assert isinstance(example.input, Question)
        row = int(example.input.question.split()[0][4:])
        assert example.target == "ABCD"[row * 7 % 4]
    with pytest.raises(DataError, match="marks 2 of 4 options as right"):
        load_data([asked(i) | {"labels": [1, 1, 0, 0]} for i in range(60)])


def test_quality_counts_its_answers_from_1_and_another_column_is_asked_for() -> None:
    data = load_data([asked(i) | {"gold_label": 1 + i % 4, "article": "long"} for i in range(60)])
    assert any("the answer, counted from 1, from 'gold_label'" in note for note in data.notes)
    for example in data.train:
        assert example.target == "ABCD"[int(example.input.question.split()[0][4:]) % 4]  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"--column answer=NAME \(answer_number=NAME .*one of: solution"):
        load_data([asked(i) | {"solution": "A"} for i in range(60)])


def test_an_option_that_is_none_and_a_letter_that_is_always_right_are_told_of() -> None:
    made = [asked(i) | {"answer": "ABC"[i % 3]} for i in range(60)]
    assert found(load_data(made)).keys().isdisjoint({"no_option", "one_letter"})
    sodium = [row | {"options": [*row["options"][:3], "Na"]} for row in made]
    assert "no_option" not in found(load_data(sodium))
    none = [row | {"options": [*row["options"][:3], "N/A"]} for row in made]
    assert "60 of 60 questions (100.0 %) have an option that reads as if" in found(load_data(none))["no_option"]
    first = [row | {"answer": "A"} for row in made]
    assert "60 of 60 questions (100.0 %) have their right answer at A" in found(load_data(first))["one_letter"]


# --- answers of batches ---


def batched(form: str, id: str, said: str, *, ended: str = "stop") -> dict[str, Any]:
    if form == "Anthropic":
        message = {"content": [{"type": "text", "text": said}], "stop_reason": {"stop": "end_turn"}.get(ended, ended)}
        return {"custom_id": id, "result": {"type": "succeeded", "message": message}}
    if form == "responses":
        body: dict[str, Any] = {"status": {"stop": "completed"}.get(ended, "incomplete"), "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": said}]},
        ]}  # fmt: skip
    else:
        body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": ended}]}
    return {"id": "batch_req_1", "custom_id": id, "response": {"status_code": 200, "body": body}, "error": None}


@pytest.mark.parametrize("form", ["chat", "responses", "Anthropic"])
def test_answers_of_a_batch_are_read_by_their_custom_id(tmp_path: Path, form: str) -> None:
    data = load_data([{"id": f"row-{i}", **row} for i, row in enumerate(rows())])
    lines = [batched(form, e.id, f'{{"label": "{e.target}"}}') for e in reversed(data.test)]
    lines[0] = {"id": "x", "custom_id": lines[0]["custom_id"], "response": None, "error": {"message": "expired"}}
    lines[1] = batched(form, lines[1]["custom_id"], "a", ended="length")
    notes: list[str] = []
    answers = read_answers(jsonl(tmp_path / "batch.jsonl", lines), data, notes=notes)[::-1]
    assert [answer.outcome for answer in answers[:3]] == ["error", "truncated", "ok"]
    assert [answer.target for answer in answers[2:]] == [e.target for e in data.test[::-1][2:]]
    assert notes[0] == "batch.jsonl: answers from column 'prediction', matched by id."
