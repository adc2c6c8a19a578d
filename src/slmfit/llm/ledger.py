"""The ledger: an append-only JSONL file of what was reserved, found out and answered. What is in it is not asked again.

    ledger = Ledger(folder / "ledger.jsonl")
    ledger.find(ask.key(model))                      # the line of its answer, or None
    ledger.append({"answer": key, …}, then)          # `then()` is called once the line is on the disk
    ledger.close()

    {"format": "slmfit.ledger/1", "opened": "2026-11-22T10:00:00Z"}
    {"found": {"form": "schema", …}, "model": "m", "server": "http://localhost:11434/v1", "charged": {…}}
    {"reserved": KEY, "tokens": 412, "usd": 0.0003}            only under a budget
    {"answer": KEY, "id": "7", "outcome": "ok", "value": …, "charged": {"tokens": 97, "usd": 0.0001}, …}

Lines are written in groups, and each group is flushed to the disk before any of its answers counts as finished. A line
that a kill cut short is removed when the file is opened again; one that is damaged is counted and left alone (lines.py
says what one may say). What was reserved and never answered before the file was opened again counts as spent: the
server may have charged it.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slmfit import storage
from slmfit.environment import now
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.llm.limits import Cost
from slmfit.llm.lines import LONGEST, cost_of, record_of
from slmfit.llm.prices import PICO

FORMAT = "slmfit.ledger/1"
FOUND = "found"  # the key under which finding out is reserved
_LOOSE = 4096  # keys of the index that are not sorted in yet
_GATHER_SECONDS = 0.005  # a group is written this long after its first line came
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_Entry = tuple[bytes, str | None, Callable[[], None]]


def _nothing() -> None:
    """What is done after a line that nobody waits for."""


class Ledger:
    """One open ledger; `path` None keeps nothing.

    Raises UsageError when another process writes it, UnsafeError for a link and for what is no file.

    spent: what its answers were charged, and what calls that never came back could cost.
    damaged: how many lines could not be read.
    on_group, on_error: called from the writing thread after each group, and when the disk refuses.
    """

    def __init__(self, path: Path | None) -> None:
        self.spent, self.damaged, self.answers = Cost(), 0, 0
        self.error: SlmfitError | None = None
        self.on_group: Callable[[], None] = _nothing
        self.on_error: Callable[[], None] = _nothing
        self._found: dict[tuple[str, str], dict[str, Any]] = {}
        self._index = Index()
        self._path = path
        self._entries: deque[_Entry] = deque()
        self._begun = False
        self._stirred, self._closing = threading.Event(), False
        self._thread: threading.Thread | None = None
        if path is not None:
            self._open(path)

    def find(self, key: str) -> dict[str, Any] | None:
        """The line that answers this key."""
        offset = self._index.find(key)
        if offset is None:
            return None
        self._reader.seek(offset)
        line: dict[str, Any] = json.loads(self._reader.readline())
        return line if line.get("answer") == key else None

    def found(self, model: str, server: str) -> dict[str, Any] | None:
        """What was found out about this model on this server."""
        return self._found.get((model, server))

    def append(self, record: Mapping[str, Any], then: Callable[[], None] = _nothing) -> None:
        """Write a line; `then` is called in the writing thread once it lasts, never if it does not."""
        if self._thread is None:
            then()
            self.on_group()
            return
        line = _ENCODER.encode(record) + "\n"
        self._entries.append((line.encode("utf-8", "backslashreplace"), record.get("answer"), then))
        if not self._stirred.is_set():
            self._stirred.set()

    def close(self) -> None:
        """Write what was appended and let go of the file. Raises SlmfitError when the disk had refused."""
        if self._thread is None:
            return
        self._closing = True
        self._stirred.set()
        self._thread.join()
        self._thread = None
        self._writer.close()
        self._reader.close()
        if self.error:
            raise self.error

    # --- opening ---

    def _open(self, path: Path) -> None:
        storage.make_folder(path.parent)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise UnsafeError("is no file of ours: a ledger is never a link", where=str(path), fix="remove it")
        with contextlib.ExitStack() as opened:
            try:
                self._writer = opened.enter_context(path.open("ab", buffering=0))
                storage.hold(self._writer, str(path))
                self._reader = opened.enter_context(path.open("rb"))
                self._size = self._read_all()
                os.truncate(path, self._size)
            except OSError as error:
                raise _refused(path, error) from None
            opened.pop_all()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    def _read_all(self) -> int:
        """Take in every whole line; the size up to the last of them."""
        reserved: dict[str, Cost] = {}
        offset = 0
        for line, size in self._lines():
            try:
                self._take_in(record_of(line), offset, reserved)
            except (ValueError, KeyError, TypeError):
                self.damaged += 1
            offset += size
        self._give_up(reserved)
        return offset

    def _lines(self) -> Iterator[tuple[bytes, int]]:
        """Every whole line and how long it is; an empty one for what is longer than any of ours."""
        while line := self._reader.readline(LONGEST):
            size, part = len(line), line
            while part and not part.endswith(b"\n"):
                part = self._reader.readline(LONGEST)
                line, size = b"", size + len(part)
            if not part:
                return
            yield line, size

    def _give_up(self, reserved: dict[str, Cost]) -> None:
        """Count as spent what was reserved by a run that is over: never less than nothing."""
        for cost in reserved.values():
            self.spent = self.spent.plus(Cost(max(0, cost.tokens), max(0, cost.pico)))
        reserved.clear()

    def _take_in(self, line: dict[str, Any], offset: int, reserved: dict[str, Cost]) -> None:
        if "answer" in line:
            key = line["answer"]
            self.spent = self.spent.plus(cost_of(line["charged"]))
            reserved.pop(key, None)
            self.answers += self._index.find(key) is None
            self._index.add(key, offset)  # of two the later one: the first was no answer to what was asked
        elif "reserved" in line:
            reserved[line["reserved"]] = reserved.get(line["reserved"], Cost()).plus(cost_of(line, least=-1))
        elif "found" in line:
            self._found[line["model"], line["server"]] = line["found"]
            self.spent = self.spent.plus(cost_of(line["charged"]))
            reserved.pop(FOUND, None)
        elif line["format"] == FORMAT:
            self._give_up(reserved)
        else:
            fix = "use the slmfit that wrote it, or another folder"
            raise SlmfitError(f"is a ledger of format {line['format']!r}", where=str(self._path), fix=fix)

    # --- writing, in a thread of its own ---

    def _work(self) -> None:
        try:
            while not self._closing:
                self._stirred.wait()
                if not self._closing:
                    time.sleep(_GATHER_SECONDS)
                self._stirred.clear()
                self._write_group()
            self._write_group()
        except OSError as error:
            self.error = _refused(self._path, error)
            self.on_error()

    def _write_group(self) -> None:
        """All lines that wait."""
        entries = [self._entries.popleft() for _ in range(len(self._entries))]
        if not entries:
            return
        if not self._begun:
            head = json.dumps({"format": FORMAT, "opened": now()}).encode() + b"\n"
            entries.insert(0, (head, None, _nothing))
            self._begun = True
        offsets = self._write([line for line, _, _ in entries])
        for (_, key, then), offset in zip(entries, offsets, strict=True):
            if key is not None:
                self._index.add(key, offset)
            then()
        self.on_group()

    def _write(self, lines: list[bytes]) -> list[int]:
        """Append and flush; where each line starts. Leaves no half line when the disk refuses."""
        try:
            rest = memoryview(b"".join(lines))
            while rest:
                rest = rest[self._writer.write(rest) :]
            os.fsync(self._writer.fileno())
        except OSError:
            os.truncate(self._writer.fileno(), self._size)
            raise
        offsets = []
        for line in lines:
            offsets.append(self._size)
            self._size += len(line)
        return offsets


def charged(cost: Cost) -> dict[str, Any]:
    """A cost as the ledger writes it."""
    return {"tokens": cost.tokens, "usd": cost.pico / PICO}


def _refused(path: Path | None, error: OSError) -> SlmfitError:
    fix = "free some space or choose another folder; the same command then goes on from here"
    return SlmfitError(f"cannot be written: {error.strerror}", where=str(path), fix=fix)


class Index:
    """Where a key (hex) stands in a file: 16 bytes a key, so that a hundred thousand calls do not fill the memory.

    A sorted table, and a few loose ones that are sorted in now and then. Only the first 16 hex digits are kept: whoever
    reads the place found checks that it is of the same key. One thread may add while another finds.
    """

    def __init__(self) -> None:
        self._table = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint64)
        self._loose: dict[int, int] = {}

    def add(self, key: str, offset: int) -> None:
        self._loose[int(key[:16], 16)] = offset
        if len(self._loose) >= _LOOSE:
            self._sort_in()

    def find(self, key: str) -> int | None:
        short = int(key[:16], 16)
        if (offset := self._loose.get(short)) is not None:
            return offset
        keys, offsets = self._table
        at = int(np.searchsorted(keys, np.uint64(short)))
        return int(offsets[at]) if at < len(keys) and int(keys[at]) == short else None

    def _sort_in(self) -> None:
        late = np.array(list(self._loose), dtype=np.uint64)
        kept = ~np.isin(self._table[0], late)
        keys = np.concatenate([self._table[0][kept], late])
        offsets = np.concatenate([self._table[1][kept], np.array(list(self._loose.values()), dtype=np.uint64)])
        order = np.argsort(keys, kind="stable")
        self._table = keys[order], offsets[order]
        self._loose = {}  # after the table, so that whoever finds meanwhile meets each key in one of them
