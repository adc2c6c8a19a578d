"""Rows of a file to look through, some at a time.

    tables = Tables()
    tables.part(path, start=0, count=100, search="charged")
    # {"columns": ["id", "text"], "rows": [[0, ["7", "My card was charged twice"]], …], "total": 3000, "found": 12, …}

A file is read once for as long as it stays the same, since only its end says how many rows it has.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from slmfit.data.readers.rows import read_rows

MOST_ROWS = 200_000  # of a file that can be looked through; the first
MOST_COLUMNS = 30
CELL = 2000  # characters of a cell that are shown
AT_ONCE = 500  # rows in one answer
KEPT = 2  # files that stay in memory


@dataclass(frozen=True)
class Table:
    """columns: of the whole file. rows: a cell a column, as text. more: whether the file goes on."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    more: bool
    notes: tuple[str, ...]


class Tables:
    """See the module."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Table] = OrderedDict()
        self._found: dict[tuple[tuple[str, int, int], str], list[int]] = {}
        self._lock = threading.Lock()  # two requests for the same file read it once

    def part(self, path: Path, start: int, count: int, search: str = "") -> dict[str, Any]:
        """Some rows of those that hold the words searched for. Raises what `read_rows` raises."""
        with self._lock:
            key, table = self._table(path)
            places: Any = range(len(table.rows)) if not search.strip() else self._search(key, table, search.strip())
        start = max(0, start)
        chosen = places[start : start + min(max(0, count), AT_ONCE)]
        return {
            "columns": table.columns,
            "rows": [[place, [cell[:CELL] for cell in table.rows[place]]] for place in chosen],
            "total": len(table.rows),
            "found": len(places),
            "more": table.more,
            "notes": table.notes,
        }

    def _table(self, path: Path) -> tuple[tuple[str, int, int], Table]:
        stat = path.stat()
        key = (str(path), stat.st_mtime_ns, stat.st_size)
        if key not in self._kept:
            self._kept[key] = _read(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            self._found = {}
        self._kept.move_to_end(key)
        return key, self._kept[key]

    def _search(self, key: tuple[str, int, int], table: Table, search: str) -> list[int]:
        if (key, search) not in self._found:
            word = search.casefold()
            if len(self._found) > 20:
                self._found = {}
            rows = enumerate(table.rows)
            self._found[key, search] = [i for i, row in rows if any(word in cell.casefold() for cell in row)]
        return self._found[key, search]


def _read(path: Path) -> Table:
    notes: list[str] = []
    columns: dict[str, None] = {}
    read = []
    rows = read_rows(path, notes, name=path.name)
    for _, row in islice(rows, MOST_ROWS):
        columns.update(dict.fromkeys(row))
        read.append(row)
    more = next(rows, None) is not None
    names = tuple(columns)[:MOST_COLUMNS]
    cells = [tuple(_cell(row.get(name)) for name in names) for row in read]
    return Table(tuple(str(name) for name in names), cells, more, tuple(notes))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
