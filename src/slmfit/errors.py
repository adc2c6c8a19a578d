"""The error tree. Every message says what went wrong, where, and how to fix it.

    SlmfitError            1  anything that failed
    ├── UsageError         2  the command or call itself is wrong
    ├── DataError          3  the user's data: file, line and column
    ├── UnsafeError        4  refused as unsafe, or by a gate
    ├── BudgetReached      5  a budget ran out; what was done is kept
    └── MissingPart        1  an extra, a key, a program or the network is missing

The number is the exit code of the command line.

    raise DataError("the column 'label' is missing", where="tickets.csv, line 1",
                    fix="name it with --label COL; the columns are: text, category")
"""

from __future__ import annotations

from collections.abc import Iterable


class SlmfitError(Exception):
    """Base of all errors that slmfit raises on purpose.

    what: one clause that says what is wrong, in the user's words.
    where: file, line and column, or the setting; omitted when the what already says it.
    fix: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: Where | str | None = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}\n  fix: {fix}" if fix else message)


class UsageError(SlmfitError):
    """The command or the call itself is wrong: an unknown method, setting, metric or option."""

    exit_code = 2


class DataError(SlmfitError):
    """The user's data cannot be used as they are."""

    exit_code = 3


class UnsafeError(SlmfitError):
    """Refused as unsafe (a changed weight file, a planted link) or by a gate."""

    exit_code = 4


class BudgetReached(SlmfitError):
    """A budget of time, tokens or money ran out; what was done is kept."""

    exit_code = 5


class MissingPart(SlmfitError):
    """An extra, a key, a program or the network is missing; `fix` is the line that enables it."""


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """\"did you mean 'X'?\" for the closest known word, first one that differs in case alone; where nothing is close
    `otherwise`, or the whole list.
    """
    from difflib import get_close_matches

    known = list(known)
    same = [one for one in known if one.casefold() == word.casefold()]
    if close := same or get_close_matches(word, known, n=1):
        return f"did you mean {close[0]!r}?"
    return otherwise or f"choose one of: {', '.join(known)}"


class Where:
    """A place in the user's data, for messages: `str(Where("tickets.csv", 88, "label"))`.

    row: what tells this row from others on its line, such as "row 7".
    """

    __slots__ = ("column", "file", "line", "row")

    def __init__(self, file: str, line: int | None = None, column: str | None = None, row: str = "") -> None:
        self.file, self.line, self.column, self.row = file, line, column, row

    def at(self, column: str) -> Where:
        """The same row, one column of it."""
        return Where(self.file, self.line, column, self.row)

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.row:
            parts.append(self.row)
        if self.column is not None:
            parts.append(f"column {self.column!r}")
        return ", ".join(parts)
