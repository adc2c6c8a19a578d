"""Files that were refused or warned of without the cause or the way out: what a tenth reader had to look up."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.errors import DataError
from slmfit.methods.estimator import SlmClassifier

NAMES = ("Mona", "Jonas", "Dieter", "Greta", "Karin", "Emma")
PLACES = ("Athens", "Dublin", "Oslo", "Vienna", "Genoa", "Turin")
WORDS = [a + b for a in "ba de fi go ku la me ni po ra".split() for b in "ck ll mp nd rn st".split()]


def text(k: int, words: int = 9) -> str:
    return " ".join(random.Random(k).sample(WORDS, words))


def rows(labels: list[Any]) -> list[dict[str, Any]]:
    return [{"text": text(k), "label": label} for k, label in enumerate(labels)]


def findings(data: Any) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in audit_dataset(data)["findings"]}


def conll(path: Path, inner: str) -> Path:
    """Sentences as GermEval has them: a number, the token, its outer tag, its inner tag. inner: that of each place."""
    blocks = []
    for k in range(36):
        words = [(NAMES[k % 6], "B-PER", "O"), ("saw", "O", "O"), (PLACES[(k // 6) % 6], "B-LOC", inner)]
        words += [(word, "O", "O") for word in text(k, 3).split()]
        blocks.append("".join(f"{n}\t{' '.join(w).replace(' ', chr(9))}\n" for n, w in enumerate(words, 1)))
    path.write_text("\n".join(blocks))
    return path


@pytest.mark.parametrize("inner", ["O", "B-COUNTRY"])
def test_another_column_of_tags_is_read_where_it_is_named(tmp_path: Path, inner: str) -> None:
    path = conll(tmp_path / "a.conll", inner)
    data = load_data(path, columns={"tags": "tags_3"})
    assert data.task.labels == ("LOC", "PER")
    assert sum(len(row.target.spans) for split in (data.train, data.validation, data.test) for row in split) == 72
    if inner == "O":
        with pytest.raises(DataError, match="no row of train has an entity") as error:
            load_data(path)
        assert "--column tags=tags_3" in str(error.value.fix)
    else:
        data = load_data(path)
        assert data.task.labels == ("COUNTRY",)
        assert any("(column 3 holds tags, too: --column tags=tags_3 reads those)" in note for note in data.notes)


@pytest.mark.parametrize(
    ("before", "encoding", "size", "name"),
    [("Größe: ", "utf-8", 1, "bytes of UTF-8"), ("\U0001f600\U0001f600 ", "utf-16-le", 2, "UTF-16 units")],
)
def test_offsets_that_count_something_else_are_called_by_it(before: str, encoding: str, size: int, name: str) -> None:
    def place(text: str, at: int) -> int:
        return len(text[:at].encode(encoding)) // size

    made = []
    for k in range(60):
        said = f"{before}{NAMES[k % 6]} saw {text(k, 5)}"
        start = len(before)
        end = start + len(NAMES[k % 6])
        assert eval(WAYS[name], {"text": said, "offset": place(said, end)}) == end  # the advice, on an offset
        made.append({"text": said, "spans": [{"start": place(said, start), "end": place(said, end), "label": "PER"}]})
    found = findings(load_data(made, task="token-classification"))["span_in_word"]
    assert f"read as {name}, hardly any does." in found["message"]
    assert WAYS[name] in found["fix"]


WAYS = {
    "bytes of UTF-8": "len(text.encode()[:offset].decode())",
    "UTF-16 units": "len(text.encode('utf-16-le')[:2 * offset].decode('utf-16-le'))",
}


def test_offsets_of_tokens_are_called_by_nothing_else() -> None:
    made = [{"text": f"{NAMES[k % 6]} saw {text(k, 5)}", "spans": [[2, 3, "PER"]]} for k in range(60)]
    found = findings(load_data(made, task="token-classification"))["span_in_word"]
    assert "read as" not in found["message"] and "Check the offsets" in found["fix"]


@pytest.mark.parametrize("marked", ["[Rome](city)", "[Rome](city:capital)", '[Rome]{"entity": "city"}'])
def test_entities_marked_in_the_texts_are_told_of(marked: str) -> None:
    made = [{"text": f"to {marked} {text(k)}", "intent": "ab"[k % 2]} for k in range(60)]
    assert "entities marked in the text" in findings(load_data(made))["marked_entity"]["message"]
    links = [row | {"text": f"see [Rome](https://example.org/rome) or [1](a.html) {text(k)}"}
             for k, row in enumerate(made)]  # fmt: skip
    assert "marked_entity" not in findings(load_data(links))


def test_true_and_false_beside_other_numbers_are_told_of() -> None:
    def notes(*labels: Any) -> str:
        return " ".join(load_data(rows([labels[k % len(labels)] for k in range(60)])).notes)

    said = "Labels true and false stand beside numbers"
    assert said in notes(0, 1, 2, True, False)
    assert said not in notes(0, 1, True, False) and said not in notes("true", "false") and said not in notes(0, 1, 2)


def test_one_hot_labels_are_told_how_they_become_one_a_text() -> None:
    texts = [text(k) for k in range(12)]
    with pytest.raises(DataError) as error:
        SlmClassifier().fit(texts, np.eye(3)[np.arange(12) % 3])
    assert "argmax(axis=1)" in str(error.value.fix)
    with pytest.raises(DataError) as error:
        SlmClassifier().fit(texts, np.array([["a"], ["b"]] * 6))
    assert "ravel()" in str(error.value.fix)


def test_labels_without_a_row_to_spare_are_told_as_the_cause() -> None:
    with pytest.raises(DataError, match="40 of 40 labels have 2 rows or fewer, which all stay in train"):
        load_data(rows([f"SKU{k // 2}" for k in range(80)]))


def test_a_column_that_the_text_was_taken_from_is_no_other_text() -> None:
    made = [{"data": {"body": text(k), "title": "x"}, "ann": {"kind": "ab"[k % 2]}} for k in range(60)]
    notes = load_data(made, columns={"text": "data.body", "label": "ann.kind"}).notes
    assert not any("are not used" in note for note in notes)
