"""The files that `slmfit generate` writes: the examples in one of three forms, how they came to be, what was rejected.

    emails.jsonl             spans: {"id", "text", "spans": [{"start", "end", "label"}], "intent", "form"} a line
                             tokens: {"id", "text", "tokens", "tags", "intent", "form"} a line
    emails.json              words: {"system_prompt", "model", "dataset": [{"text", "labels": [{"word", "label"}], …}]}
    emails.jsonl.about.json  the recipe, the writer, the seed, versions, what was asked for and found, what it cost
    emails.jsonl.rejected.jsonl    {"reason", "text", "label", "form"} a line: the text as it was written, marks and all

Labels without entities are {"id", "text", "label", "form"} a line. The examples appear once what was rejected
is down, and how they came to be after them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from slmfit import storage, streams
from slmfit.errors import UsageError
from slmfit.records import Span
from slmfit.storage import named
from slmfit.tasks.spans import tags_from_spans
from slmfit.tasks.words import words_from_spans

FORMS = {"spans": ".jsonl", "tokens": ".jsonl", "words": ".json"}
ABOUT = "slmfit.generated/1"
_TOKEN = re.compile(r"\w+(?:[^\w\s]+\w+)*|[^\w\s]")  # words with what joins them inside; other signs one by one

Row = Mapping[str, Any]


def output_path(given: str | Path | None, recipe: str, form: str) -> Path:
    """Where the examples go: NAME.jsonl, or NAME.json in the words form, unless given.

    Raises UsageError for a name with another ending, by which the file could not be read again.
    """
    ending = FORMS[form]
    path = named(given if given is not None else f"{recipe}{ending}")
    if path.suffix != ending and not streams.is_stream(path):
        raise UsageError(
            f"{form} are written as {ending}", where=str(path), fix=f"end the name of --output in {ending}"
        )
    if path.is_dir():
        raise UsageError("is a folder", where=str(path), fix="give the name of a file")
    return path


def beside(output: Path, what: str) -> Path:
    """emails.jsonl.about.json for emails.jsonl."""
    return output.with_name(f"{output.name}.{what}")


def write_examples(output: Path, rows: Sequence[Row], form: str, about: Mapping[str, Any]) -> None:
    """The examples' file, whole or not at all."""
    if form == "words":
        storage.write_output(output, storage.to_json(words_form(rows, about)))
    else:
        storage.write_output(output, _lines(tokens_row(row) if form == "tokens" else row for row in rows))


def write_lines(path: Path, rows: Iterable[Row]) -> None:
    """A JSON object a line, whole or not at all."""
    storage.write_text(path, _lines(rows))


def _lines(rows: Iterable[Row]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def words_form(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """The third seed project's form: entity words with BIO tags, in reading order; the others are left out."""
    dataset = []
    for row in rows:
        words = words_from_spans(row["text"], spans_of(row))
        labels = [{"word": word, "label": tag} for word, tag in words]
        intent = {"intent": row["intent"]} if "intent" in row else {}
        dataset.append({"text": row["text"], "labels": labels, **intent})
    model, prompt = about["model"] or about["writer"], about["system_prompt"] or ""
    rest = {key: value for key, value in about.items() if key not in ("model", "system_prompt", "made")}
    return {"system_prompt": prompt, "model": model, "about": rest, "dataset": dataset}


def tokens_row(row: Row) -> dict[str, Any]:
    """Tokens with BIO tags derived from the offsets, and the text they tile."""
    offsets = tokenise(row["text"], spans_of(row))
    new: dict[str, Any] = {k: v for k, v in row.items() if k != "spans"}
    new["tokens"] = [row["text"][start:end] for start, end in offsets]
    new["tags"] = tags_from_spans(spans_of(row), offsets)
    return new


def tokenise(text: str, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Where words and signs stand; none crosses the edge of a span."""
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    offsets: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text):
        cuts = [match.start(), *(e for e in edges if match.start() < e < match.end()), match.end()]
        offsets += pairwise(cuts)
    return offsets


def spans_of(row: Row) -> list[Span]:
    return [Span(span["start"], span["end"], span["label"]) for span in row["spans"]]
