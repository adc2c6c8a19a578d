"""Small files of every format that is read, as they should be: rows, and how each format writes them.

as_csv(texts()), as_jsonl(tagged()), columns(tokens()), as_parquet(asked()) …
"""

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import polars as pl

ROWS = 14
WORDS = (
    "my invoice was wrong",
    "where is my parcel",
    "I cannot log in",
    'she said "no", and left',
    "café naïve 東京 🙂",
)


def as_csv(rows, separator=","):
    """Rows as a spreadsheet writes them; what is no text as JSON."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    writer.writerow(rows[0])
    writer.writerows([v if isinstance(v, str) else json.dumps(v) for v in row.values()] for row in rows)
    return out.getvalue().encode()


def as_jsonl(rows):
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_json(rows):
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def as_parquet(rows):
    out = io.BytesIO()
    pl.DataFrame(rows).write_parquet(out)
    return out.getvalue()


def texts():
    return [{"id": str(i), "text": f"{WORDS[i % 5]} {i}", "label": "ab"[i % 2]} for i in range(ROWS)]


def tagged():
    rows = []
    for i in range(ROWS):
        city = ("Rome", "Oslo", "東京")[i % 3]
        span = {"start": 7, "end": 7 + len(city), "label": "CITY"}
        rows.append({"text": f"fly to {city} on day {i}", "spans": [span], "intent": ("book", "drop")[i % 2]})
    return rows


def tokens():
    tags = ["O", "O", "B-CITY", "O"]
    return [{"tokens": ["fly", "to", "Rome", str(i)], "tags": tags, "intent": "ab"[i % 2]} for i in range(ROWS)]


def columns(rows):
    blocks = ["".join(f"{t}\tX\t{tag}\n" for t, tag in zip(r["tokens"], r["tags"], strict=True)) for r in rows]
    return "\n".join(f"# intent = {r['intent']}\n{b}" for r, b in zip(rows, blocks, strict=True)).encode()


def slots(rows):
    """Path -> bytes of JointBERT's three files."""
    lines = {"seq.in": [" ".join(row["tokens"]) for row in rows], "seq.out": [" ".join(row["tags"]) for row in rows]}
    lines["label"] = [row["intent"] for row in rows]
    return {f"train/{name}": "\n".join(column).encode() for name, column in lines.items()}


def asked():
    options = [{"A": str(i), "B": str(i + 1)} for i in range(ROWS)]
    return [{"question": f"What is {i} + 1?", "options": options[i], "answer": "B"} for i in range(ROWS)]


def lettered(row):
    """A question with a column per option."""
    options = {f"op{letter}": row["options"].get(letter.upper(), f"{letter} of it") for letter in "abcd"}
    return {"question": row["question"], **options, "answer": row["answer"]}


def answered(data):
    return [{"id": e.id, "text": e.input, "prediction": e.target, "outcome": "ok"} for e in data.test]


def of_folder(folder, *patterns):
    """Relative path -> bytes of a folder's files; without what the clock said, so that they are always the same."""
    paths = [path for pattern in patterns for path in sorted(Path(folder).glob(pattern)) if path.is_file()]
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: data if "/model/" in name else _steady(data) for name, data in found.items()}


def _steady(data):
    data = re.sub(rb"\d+\.\d+(?:e-?\d+)?", b"0.5", data)
    return re.sub(rb"\b\d{7,}\b", b"1000000", re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-11-22T10:00:00Z", data))


def zipped(data):
    """A zip file of a table."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(zipfile.ZipInfo("train.csv"), data)
    return out.getvalue()
