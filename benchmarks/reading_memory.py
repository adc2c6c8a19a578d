"""How much memory and time a file takes to read, by its form: `python benchmarks/reading_memory.py FORM [MB]`.

The file is made, of texts of forty words, and read in a process of its own; the peak is over what importing took.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

RANDOM = random.Random(0)
WORDS = [f"word{i}" for i in range(3000)]
TAGS = ["O", "O", "B-CITY", *["O"] * 40]


def texts() -> Iterator[tuple[int, str]]:
    count = 0
    while True:
        yield count, "fly to Rome " + " ".join(RANDOM.choices(WORDS, k=40))
        count += 1


def row(i: int, text: str) -> str:
    return json.dumps({"text": text, "label": "ab"[i % 2]})


def task(i: int, text: str) -> str:
    """As Label Studio has it."""
    value = {"start": 7, "end": 11, "text": "Rome", "labels": ["CITY"]}
    mark = {"id": "a", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    found = [{"id": i, "was_cancelled": False, "result": [mark]}]
    return json.dumps({"id": i, "data": {"text": text}, "annotations": found})


def a_token(text: str, sign: str, before: str = "") -> str:
    return "\n".join(f"{before}{w}{sign}{'B-CITY' if k == 2 else 'O'}" for k, w in enumerate(text.split()))


# form -> what begins the file, what a row is, what stands between two, what ends it
FORMS: dict[str, tuple[str, Callable[[int, str], str], str, str]] = {
    "table.csv": ("text,label\n", lambda i, t: f"{t},{'ab'[i % 2]}", "\n", "\n"),
    "rows.jsonl": ("", row, "\n", "\n"),
    "doccano.jsonl": ("", lambda i, t: json.dumps({"id": i, "text": t, "label": [[7, 11, "CITY"]]}), "\n", "\n"),
    "list.json": ("[", row, ",\n", "]"),
    "splits.json": ('{"train": [', row, ",\n", "]}"),
    "studio.json": ("[", task, ",\n", "]"),
    "pandas_index.json": ("{", lambda i, t: f'"{i}": {row(i, t)}', ",", "}"),
    "tokens.jsonl": (
        "",
        lambda i, t: json.dumps({"tokens": t.split(), "tags": TAGS}),
        "\n",
        "\n",
    ),
    "tokens.csv": ("sentence,word,tag\n", lambda i, t: a_token(t, ",", f"{i},"), "\n", "\n"),
    "tokens.conll": ("", lambda i, t: a_token(t, " "), "\n\n", "\n"),
}


def peak() -> int:
    """Bytes that this process held at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("form", choices=FORMS)
    parser.add_argument("megabytes", type=float, nargs="?", default=100)
    given = parser.parse_args()
    begins, one, between, ends = FORMS[given.form]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / given.form
        if os.fork() == 0:
            with path.open("w", encoding="utf-8") as file:
                file.write(begins)
                for i, text in texts():
                    file.write((between if i else "") + one(i, text))
                    if file.tell() >= given.megabytes * 1e6:
                        break
                file.write(ends)
            os._exit(0)
        os.wait()
        from slmfit.data.layout import read_parts

        before, began, size = peak(), time.process_time(), path.stat().st_size
        parts = read_parts(str(path), None, None, [])
        took, rows = time.process_time() - began, sum(len(part.rows) for part in parts.values())
        held = (peak() - before) / size
        print(f"{given.form}: {size / 1e6:.0f} MB, {rows:,} rows, {held:.1f} times its size, {took:.1f} s of processor")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
