"""Folders of texts to rows: LABEL/FILE, each file a text, each also gzipped.

read_texts(Path("reviews"), [Path("reviews/good"), Path("reviews/bad")], notes)      # Part of {"text", "label", "id"}
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from pathlib import Path

from slmfit.data.readers.lines import begun, decode
from slmfit.data.readers.packed import LITTER
from slmfit.data.readers.rows import (
    LONGEST_TEXT,
    Part,
    Placed,
    ending,
    reading,
    refuse_bomb,
)
from slmfit.data.readers.unknown import is_packed, unreadable
from slmfit.errors import DataError, Where
from slmfit.text.figures import listed, number_of

_KIND = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
# What a folder of texts that nobody labelled is called.
_UNLABELLED = {"unsup", "unsupervised", "unlabeled", "unlabelled", "unlabeleddata", "unlabelleddata", "nolabels"}


def read_texts(root: Path, labels: list[Path], notes: list[str]) -> Part:
    """The texts of ROOT/LABEL/FILE, by label and file name; folders of unlabelled texts are left out, and counted."""
    digest = hashlib.sha256()
    rows: list[Placed] = []
    latin, kinds = 0, Counter[str]()
    without = [label for label in labels if _says_unlabelled(label.name)]
    if without and len(without) < len(labels):
        labels = [label for label in labels if label not in without]
        texts = sum(1 for label in without for file in label.iterdir() if not file.name.startswith("."))
        names = ", ".join(label.name for label in without)
        notes.append(f"{root}: {number_of(texts, 'text')} in {names} left out: by that name, they have no label.")
    for label in labels:
        for file in sorted(label.iterdir()):
            if file.name.startswith(".") or file.name in LITTER or not file.is_file():
                continue
            data = _bytes(file)
            text, by_latin = _decode(data, file)
            latin += by_latin
            kinds[_kind(file)] += 1
            digest.update(f"{label.name}/{file.name}\0{len(data)}\0".encode("utf-8", "surrogatepass") + data)
            row = {"text": text, "label": label.name, "id": f"{label.name}/{file.name}"}
            rows.append((Where(str(file)), row))
    if deeper := [f"{label.name}/{one.name}" for label in labels for one in _folders_in(label)]:
        notes.append(f"{root}: what lies deeper, in folders within those of the labels, is not read: {listed(deeper)}.")
    if not rows:
        raise DataError("there is no text in any of its folders", where=str(root), fix="put a folder per label here")
    if len(kinds) > 1:
        named = ", ".join(f"{count:,} {kind or 'without an ending'}" for kind, count in sorted(kinds.items()))
        notes.append(f"{root}: its files are of several kinds ({named}), and each is read as a text.")
    if latin:
        notes.append(f"{root}: {latin} of {len(rows)} texts are not UTF-8 and were read as latin-1.")
    return Part(str(root), digest.hexdigest(), rows, range(1, len(rows) + 1))


def _folders_in(label: Path) -> list[Path]:
    """The folders in a label's own that hold something, but for what programs put there."""
    inside = (one for one in sorted(label.iterdir()) if one.is_dir() and one.name not in LITTER)
    return [one for one in inside if not one.name.startswith(".") and any(one.iterdir())]


def _kind(file: Path) -> str:
    """The ending of a file's name, where it is one as programs give them; 53068 of `alt.53068` is none."""
    found = _KIND.search(file.name.removesuffix(".gz"))
    return found[0].lower() if found else ""


def _says_unlabelled(name: str) -> bool:
    return "".join(filter(str.isalpha, name.lower())) in _UNLABELLED


def _bytes(file: Path) -> bytes:
    """What a text's file holds, unpacked. Raises DataError for a file that is no text."""
    if ending(file):
        fix = "give this file, or this folder, itself"
        raise DataError(f"this folder holds a table ({file.name}), not texts", where=str(file.parent), fix=fix)
    if is_packed(file):
        raise unreadable(file)
    zipped = file.name.lower().endswith(".gz")
    with reading(str(file)):
        if zipped:
            refuse_bomb(file)
        with gzip.open(file) if zipped else file.open("rb") as handle:
            return handle.read(4 * LONGEST_TEXT + 1)


def _decode(data: bytes, file: Path) -> tuple[str, bool]:
    """UTF-8, or latin-1 as in the Usenet of old (True); line ends become \\n, as in any text file."""
    latin = False
    data = begun(data, str(file))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text, latin = data.decode("latin-1"), True
    if "\0" in text:
        decode(data, str(file))  # raises, naming the line
    if len(text) > LONGEST_TEXT:
        raise DataError(
            f"this text is longer than {LONGEST_TEXT:,} characters", where=str(file), fix="shorten or remove the file"
        )
    return text.replace("\r\n", "\n"), latin
