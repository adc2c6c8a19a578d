"""Ten rows in every form of docs/data.md, beside rows that were rejected, skipped or not annotated.

form = FORMS["doccano"]
form.write(form.fitting)    # the bytes of a file named form.file; each of the rows must come out as it is
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ten_rows import MARKED, SAID, Marked, Said, conll, each, spans, tags, token_marks, triples, units
from whole_files import as_csv, as_json, as_jsonl, as_parquet


@dataclass(frozen=True)
class Form:
    """write: rows to a file's bytes. asked: as on the command line. told: what the notes say of this form alone.
    left: rows that the form cannot hold.
    """

    file: str
    write: Callable[[list[Any]], bytes]
    rows: list[Any]
    asked: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    left: tuple[int, ...] = ()

    @property
    def fitting(self) -> list[Any]:
        return [row for i, row in enumerate(self.rows) if i not in self.left]


def _of(make: Callable[..., dict[str, Any]], writer: Callable[[Any], bytes], more: Any = ()) -> Any:
    """Rows by what makes one of its row and its number, and further ones that were rejected."""
    return lambda rows: writer([make(row, i) for i, row in enumerate(rows, 1)] + list(more))


def _plain(row: Said, _: int) -> dict[str, Any]:
    return {"text": row.text, "label": row.label}


def _columns(rows: list[Said]) -> dict[str, list[str]]:
    return {"text": [row.text for row in rows], "label": [row.label for row in rows]}


def _zipped(rows: list[Said]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("d/d.csv", as_csv([_plain(row, 0) for row in rows]))
        archive.writestr("__MACOSX/d/._d.csv", "")
    return out.getvalue()


# --- Label Studio ---


def _task(text: str, i: int, result: list[Any]) -> dict[str, Any]:
    return {"id": i, "data": {"text": text}, "annotations": [{"id": i, "was_cancelled": False, "result": result}]}


def _chosen(row: Said, i: int) -> dict[str, Any]:
    return _task(row.text, i, [{"id": "a", "type": "choices", "value": {"choices": [row.label]}}])


def _starred(row: Said, i: int) -> dict[str, Any]:
    return _task(row.text, i, [{"id": "a", "type": "rating", "value": {"rating": int(row.label)}}])


def _values(row: Marked) -> list[dict[str, Any]]:
    return [{"start": units(row.text, s), "end": units(row.text, e), "text": row.text[s:e], "labels": [label]}
            for s, e, label in row.marks]  # fmt: skip


def _studio(row: Marked, i: int) -> dict[str, Any]:
    results = [{"id": f"r{n}", "type": "labels", "value": value} for n, value in enumerate(_values(row))]
    return _task(row.text, i, [*results, {"type": "relation", "from_id": "r0", "to_id": "r1"}] if results else [])


STARS = [Said(row.text, str(1 + i % 5)) for i, row in enumerate(SAID)]
UNDONE = [
    {"id": 90, "data": {"text": "skipped"}, "annotations": [{"id": 9, "was_cancelled": True, "result": []}]},
    {"id": 91, "data": {"text": "to be done"}, "annotations": []},
]


def _min(cells: dict[str, Any], text: str, i: int) -> dict[str, Any]:
    return {"text": text, "id": i, **cells, "annotator": 1, "annotation_id": i, "lead_time": 2.5}


MIN_UNDONE = [{"text": "to be done", "id": 91, "annotator": None, "annotation_id": None, "lead_time": None}]

# --- marks ---


def _doc(row: Marked, _: int) -> dict[str, Any]:
    places = [{"id": n, "start": m.start(), "end": m.end()} for n, m in enumerate(re.finditer(r"\S+", row.text))]
    ents = {"ents": spans(row)} if row.marks else {}
    return {"text": row.text, **ents, "sents": [{"start": 0, "end": len(row.text)}], "tokens": places}


TAG_NAMES = sorted({tag for row in MARKED for tag in tags(row)})

STUDIO, DOC, CATS = "what Label Studio marked", "spaCy's Doc.to_json()", "spaCy's categories"
CHATS, COUNTED, TABLE = "chats, each with one answer", "spans that count tokens", "one object holds a table"
CONLL, TOLD_SO, OTHER = "tokens are column", "so it is read as CoNLL", "tags are of another scheme"
IO, EACH, SPLITS = "labels without B- and I- (IO)", "a token a row", "the splits are the lists"
FASTTEXT, INSIDE, LISTED = "as fastText has them", "columns inside an object", "the rows are the list under"
LUIS = "LUIS' or CLU's utterances"
TOLD = (
    STUDIO,
    DOC,
    CATS,
    CHATS,
    COUNTED,
    TABLE,
    CONLL,
    TOLD_SO,
    OTHER,
    IO,
    EACH,
    SPLITS,
    FASTTEXT,
    INSIDE,
    LISTED,
    LUIS,
)

CLASSES = {
    "CSV": Form("d.csv", _of(_plain, as_csv), SAID),
    "TSV": Form("d.tsv", _of(_plain, lambda rows: as_csv(rows, "\t")), SAID),
    "semicolons": Form("d.csv", _of(_plain, lambda rows: as_csv(rows, ";")), SAID),
    "JSON lines": Form("d.jsonl", _of(_plain, as_jsonl), SAID),
    "packed": Form("d.jsonl.gz", lambda rows: gzip.compress(_of(_plain, as_jsonl)(rows)), SAID),
    "JSON": Form("d.json", _of(_plain, as_json), SAID),
    "a list in JSON": Form("d.json", _of(_plain, lambda rows: as_json({"n": 1, "rows": rows})), SAID, told=(LISTED,)),
    "Parquet": Form("d.parquet", _of(_plain, as_parquet), SAID),
    "zip": Form("d.zip", _zipped, SAID),
    "Label Studio, choices": Form("d.json", _of(_chosen, as_json, UNDONE), SAID, told=(STUDIO,)),
    "Label Studio, stars": Form("d.json", _of(_starred, as_json, UNDONE), STARS, told=(STUDIO,)),
    "JSON-MIN, choices": Form(
        "d.json", _of(lambda row, i: _min({"kind": row.label}, row.text, i), as_json, MIN_UNDONE), SAID,
        (("--label", "kind"),),
    ),
    "doccano, classes": Form(
        "d.jsonl", _of(lambda row, i: {"id": i, "data": row.text, "label": [row.label]}, as_jsonl,
                       [{"id": 90, "data": "to be done", "label": []}]), SAID,
    ),
    "Prodigy, choices": Form(
        "d.jsonl", _of(lambda row, i: {"text": row.text, "options": [], "accept": [row.label], "answer": "accept"},
                       as_jsonl, [{"text": "x", "options": [], "accept": [], "answer": "ignore"}]), SAID,
    ),
    "Prodigy, a label": Form(
        "d.jsonl", _of(lambda row, i: {"text": row.text, "label": row.label, "answer": "accept"}, as_jsonl,
                       [{"text": "x", "label": "billing", "answer": "reject"}]), SAID,
    ),
    "spaCy, categories": Form(
        "d.jsonl", _of(lambda row, i: {"text": row.text, "cats": {r.label: float(r.label == row.label) for r in SAID}},
                       as_jsonl), SAID, told=(CATS,),
    ),
    "chats": Form(
        "d.jsonl", _of(lambda row, i: {"messages": [{"role": "user", "content": row.text},
                                                    {"role": "assistant", "content": row.label}]}, as_jsonl),
        SAID, told=(CHATS,),
    ),
    "ShareGPT": Form(
        "d.json", _of(lambda row, i: {"conversations": [{"from": "human", "value": row.text},
                                                        {"from": "gpt", "value": row.label}]}, as_json),
        SAID, told=(CHATS,),
    ),
    "fastText": Form(
        "d.txt", lambda rows: "".join(f"__label__{row.label} {row.text}\n" for row in rows).encode(),
        [row for row in SAID if " " not in row.label and "\n" not in row.text], told=(FASTTEXT,),
    ),
    "pandas, columns": Form(
        "d.json", lambda rows: as_json({c: dict(enumerate(cells)) for c, cells in _columns(rows).items()}), SAID,
        told=(TABLE,),
    ),
    "pandas, index": Form(
        "d.json", lambda rows: as_json({f"r{i}": _plain(row, i) for i, row in enumerate(rows)}), SAID, told=(TABLE,)
    ),
    "pandas, split": Form(
        "d.json", lambda rows: as_json({"columns": ["text", "label"], "index": [*range(len(rows))],
                                        "data": [[*row] for row in rows]}), SAID, told=(TABLE,),
    ),
    "pandas, table": Form(
        "d.json", lambda rows: as_json({"schema": {"fields": []}, "data": [_plain(row, 0) for row in rows]}), SAID,
        told=(LISTED,),
    ),
    "lists": Form("d.json", lambda rows: as_json(_columns(rows)), SAID, told=(TABLE,)),
    "intents": Form(
        "d.json", lambda rows: as_json({"intents": [{"tag": row.label, "patterns": [row.text]} for row in rows]}), SAID,
        told=(TABLE,),
    ),
    "splits": Form(
        "d.json", lambda rows: as_json({"train": [_plain(row, 0) for row in rows[:-2]],
                                        "test": [_plain(row, 0) for row in rows[-2:]]}), SAID, told=(SPLITS,),
    ),
    "nested": Form(
        "d.jsonl", _of(lambda row, i: {"meta": {"body": row.text}, "topic": {"name": row.label}}, as_jsonl), SAID,
        (("--text", "meta.body"), ("--label", "topic.name")),
    ),
}  # fmt: skip

ENTITIES = {
    "spans": Form("d.jsonl", _of(lambda row, i: {"text": row.text, "spans": spans(row)}, as_jsonl), MARKED),
    "spans, lists": Form("d.jsonl", _of(lambda row, i: {"text": row.text, "spans": triples(row)}, as_jsonl), MARKED),
    "spans in CSV": Form("d.csv", _of(lambda row, i: {"text": row.text, "spans": spans(row)}, as_csv), MARKED),
    "spans in Parquet": Form(
        "d.parquet", _of(lambda row, i: {"text": row.text, "spans": spans(row)}, as_parquet), MARKED
    ),
    "Label Studio": Form("d.json", _of(_studio, as_json, UNDONE), MARKED, told=(STUDIO,)),
    "JSON-MIN": Form(
        "d.json", _of(lambda row, i: _min({"ner": _values(row)} if row.marks else {}, row.text, i), as_json,
                      MIN_UNDONE), MARKED,
    ),
    "Label Studio's CSV": Form(
        "d.csv", _of(lambda row, i: _min({"ner": json.dumps(_values(row)) if row.marks else ""}, row.text, i), as_csv),
        MARKED,
    ),
    "doccano": Form(
        "d.jsonl", _of(lambda row, i: {"id": i, "text": row.text, "label": triples(row)}, as_jsonl), MARKED
    ),
    "doccano, relations": Form(
        "d.jsonl", _of(lambda row, i: {"id": i, "text": row.text, "relations": [], "Comments": [],
                                       "entities": spans(row, "start_offset", "end_offset")}, as_jsonl), MARKED,
    ),
    "Prodigy": Form(
        "d.jsonl", _of(lambda row, i: {"text": row.text, "spans": spans(row), "answer": "accept"}, as_jsonl,
                       [{"text": "Rome", "spans": [{"start": 0, "end": 4, "label": "X"}], "answer": "reject"},
                        {"text": "Rome", "spans": [], "answer": "ignore"}]), MARKED,
    ),
    "spaCy, pairs": Form(
        "d.json", lambda rows: as_json([[row.text, {"entities": triples(row)}] for row in rows]), MARKED
    ),
    "spaCy, Doc.to_json": Form("d.jsonl", _of(_doc, as_jsonl), MARKED, told=(DOC,)),
    "Rasa": Form(
        "d.json", _of(lambda row, i: {"text": row.text, "entities": [
            {"start": s, "end": e, "value": row.text[s:e], "entity": label} for s, e, label in row.marks]},
            lambda rows: as_json({"rasa_nlu_data": {"common_examples": rows}})), MARKED, told=(LISTED,),
    ),
    "CoNLL": Form("d.conll", conll("\t"), MARKED, told=(CONLL,), left=(2,)),
    "CoNLL in .txt": Form("d.txt", conll(" ", head="-DOCSTART- X O\n\n"), MARKED, told=(CONLL,), left=(2,)),
    "CoNLL, BIOES": Form(
        "d.tsv", conll("\t", "B-", "I-", "E-", "S-"), MARKED, told=(CONLL, TOLD_SO, OTHER), left=(2,)
    ),
    "CoNLL, BILOU": Form("d.iob", conll("\t", "B-", "I-", "L-", "U-"), MARKED, told=(CONLL, OTHER), left=(2,)),
    "CoNLL, IO": Form("d.conll", conll(" ", "", "", "", ""), MARKED, told=(CONLL, IO), left=(2, 6, 7, 8, 9)),
    "a token a row": Form("d.csv", each, MARKED, told=(EACH,), left=(2,)),
    "tokens and tags": Form("d.jsonl", _of(lambda row, i: {"tokens": row.tokens, "tags": tags(row)}, as_jsonl), MARKED),
    "tags by number": Form(
        "d.jsonl", _of(lambda row, i: {"tokens": row.tokens, "ner_tags": [TAG_NAMES.index(tag) for tag in tags(row)],
                                       "tag_names": TAG_NAMES}, as_jsonl), MARKED,
    ),
    "GLiNER": Form(
        "d.json", _of(lambda row, i: {"tokenized_text": row.tokens,
                                      "ner": [[s, e - 1, label] for s, e, label in token_marks(row)]}, as_json),
        MARKED, told=(COUNTED,),
    ),
    "token_start": Form(
        "d.jsonl", _of(lambda row, i: {"tokens": row.tokens, "spans": [
            {"token_start": s, "token_end": e - 1, "label": label} for s, e, label in token_marks(row)]}, as_jsonl),
        MARKED, told=(COUNTED,),
    ),
    "spans of tokens": Form(
        "d.jsonl", _of(lambda row, i: {"tokens": row.tokens, "spans": [
            {"start": s, "end": e, "label": label, "text": " ".join(row.tokens[s:e])}
            for s, e, label in token_marks(row)]}, as_jsonl), MARKED, told=(COUNTED,),
    ),
    "LUIS": Form(
        "d.json", _of(lambda row, i: {"text": row.text, "entities": [
            {"startPos": s, "endPos": e - 1, "entity": label} for s, e, label in row.marks]}, as_json), MARKED,
        told=(LUIS,),
    ),
    "CLU": Form(
        "d.json", _of(lambda row, i: {"text": row.text, "entities": [
            {"offset": s, "length": e - s, "category": label} for s, e, label in row.marks]}, as_json), MARKED,
        told=(LUIS,),
    ),
}  # fmt: skip
