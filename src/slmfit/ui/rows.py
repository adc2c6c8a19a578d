"""Rows of a file to look through, some at a time.

    tables = Tables()
    tables.part(path, start=0, count=100, search="charged")
    # {"columns": ["id", "text"], "rows": [[0, ["7", "My card was charged twice"]], …], "total": 3000, "found": 12, …}

A file is read once for as long as it stays the same, by a thread of its own: its first rows are there long before its
last one, and only that one says how many there are.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from itertools import islice
from pathlib import Path
from typing import Any

from slmfit.data.readers.rows import read_rows
from slmfit.errors import SlmfitError

MOST_ROWS = 200_000  # of a file that can be looked through; the first
MOST_COLUMNS = 30
CELL = 2000  # characters of a cell that are shown
AT_ONCE = 500  # rows in one answer
KEPT = 2  # files that stay in memory
_TOLD = 100  # rows after which whoever waits looks again

Key = tuple[str, int, int]


class Table:
    """A file while it is read, and after.

    columns: met so far. rows: a cell a column, as text; those that came before a column have none of it. more: whether
    the file goes on. over: whether no more rows come; where an error is why, `error` is it.
    """

    def __init__(self, path: Path) -> None:
        self.columns: list[str] = []
        self.rows: list[tuple[str, ...]] = []
        self.more = self.over = self.dropped = False
        self.notes: list[str] = []
        self.error: Exception | None = None
        self._grown = threading.Condition()
        threading.Thread(target=self._read, args=(path,), name=f"rows of {path.name}", daemon=True).start()

    def wait(self, rows: int | None) -> None:
        """Until so many rows are there, or all; None = all. Raises what `read_rows` raised before the first one."""
        with self._grown:
            self._grown.wait_for(lambda: self.over or (rows is not None and len(self.rows) >= rows))
        if self.error is not None and not self.rows:
            raise self.error

    def _read(self, path: Path) -> None:
        try:
            rows = read_rows(path, self.notes, name=path.name)
            names: dict[str, None] = {}
            for number, (_, row) in enumerate(islice(rows, MOST_ROWS), 1):
                if len(names) < MOST_COLUMNS and not names.keys() >= row.keys():
                    names.update(dict.fromkeys(list({**names, **row})[:MOST_COLUMNS]))
                    self.columns = [str(name) for name in names]
                self.rows.append(tuple(_cell(row.get(name)) for name in names))
                if number % _TOLD == 0:
                    self._tell()
                if self.dropped:
                    return
            self.more = next(rows, None) is not None
        except Exception as error:
            self.error = error  # told to whoever asks for rows
        finally:
            self.over = True
            self._tell()

    def _tell(self) -> None:
        with self._grown:
            self._grown.notify_all()


class Tables:
    """See the module."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Table] = OrderedDict()
        self._found: dict[tuple[Key, str], list[int]] = {}
        self._lock = threading.Lock()  # two requests for the same file read it once

    def part(self, path: Path, start: int, count: int, search: str = "") -> dict[str, Any]:
        """Some rows of those that hold the words searched for, which all are read for.

        reading: whether more rows come. stopped: at what the reading stopped, where that is not the end.
        Raises what `read_rows` raises before the first row.
        """
        key, table = self._table(path)
        start, count, search = max(0, start), min(max(0, count), AT_ONCE), search.strip()
        table.wait(None if search else start + count)
        reading = not table.over  # asked before the rows are counted: what comes in between is told the next time
        places: Any = self._search(key, table, search) if search else range(len(table.rows))
        chosen = places[start : start + count]
        return {
            "columns": table.columns,
            "rows": [[place, [cell[:CELL] for cell in table.rows[place]]] for place in chosen],
            "total": len(table.rows),
            "found": len(places),
            "reading": reading,
            "more": table.more,
            "notes": table.notes,
            "stopped": None if reading or table.error is None else _why(table.error),
        }

    def _table(self, path: Path) -> tuple[Key, Table]:
        stat = path.stat()
        key = (str(path), stat.st_mtime_ns, stat.st_size)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Table(path)
                while len(self._kept) > KEPT:
                    _, old = self._kept.popitem(last=False)
                    old.dropped = True
                self._found = {}
            self._kept.move_to_end(key)
            return key, self._kept[key]

    def _search(self, key: Key, table: Table, search: str) -> list[int]:
        with self._lock:
            if (key, search) not in self._found:
                word = search.casefold()
                if len(self._found) > 20:
                    self._found = {}
                rows = enumerate(table.rows)
                self._found[key, search] = [i for i, row in rows if any(word in cell.casefold() for cell in row)]
            return self._found[key, search]


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, SlmfitError) else f"it cannot be read ({type(error).__name__})"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
