"""A TOML file's tables, read key by key: what is missing, unknown or of another kind is named with its place.

table = Table(tomllib.loads(text), "emails.toml")
table.take("name", str)
table.done()                 # raises for a key that nobody took
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from slmfit.errors import DataError, did_you_mean

T = TypeVar("T")
LEAST_SHARE, MOST_SHARE = 1e-9, 1e9  # between which sums and quotients stay numbers
_KINDS = {str: "a text", int: "a whole number", float: "a number", list: "a list of texts", dict: "a table"}


class Table:
    """One table of a file. `place` names it in messages."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self.place = place
        self._values = dict(values)
        self._taken: list[str] = []

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value under a key, of that kind (a list is one of texts).

        Raises DataError for another kind, and where it is missing and has no default.
        """
        self._taken.append(key)
        if key not in self._values:
            if default is None:
                raise self.error(key, "is missing", f"give it as {_KINDS[kind]}")
            return default
        value: Any = self._values.pop(key)
        if kind is float and type(value) is int:
            value = float(value)
        wrong = [item for item in value if type(item) is not str] if type(value) is list else []
        if type(value) is not kind or wrong:
            raise self.error(key, f"is {str(value)[:60]!r}", f"write {_KINDS[kind]}")
        return value

    def share(self, key: str, most: float = MOST_SHARE, default: float | None = None) -> float:
        """A number above 0 and at most `most`."""
        value = self.take(key, float, default)
        if not LEAST_SHARE <= value <= most:
            raise self.error(key, f"is {value}", f"write a number above 0, at most {most:g}")
        return value

    def part(self, key: str) -> float:
        """A number from 0 to 1; 0 where it is missing."""
        value = self.take(key, float, 0.0)
        if not 0 <= value <= 1:
            raise self.error(key, f"is {value}", "write a number from 0 to 1")
        return value

    def table(self, key: str) -> Table:
        """The table under a key; an empty one where it is missing."""
        inside = self.place.endswith("]")
        place = f"{self.place[:-1]}.{key}]" if inside else f"{self.place}, [{key}]"
        return Table(self.take(key, dict, {}), place)

    def tables(self) -> dict[str, Table]:
        """Key -> table, for a table of tables."""
        return {key: self.table(key) for key in list(self._values)}

    def lists(self) -> dict[str, list[str]]:
        """All that was not taken yet, each a list of texts."""
        return {key: self.take(key, list) for key in list(self._values)}

    def done(self) -> None:
        """Raises DataError for a key that was not taken."""
        for key in self._values:
            raise self.error(key, "is no key of a recipe", did_you_mean(key, self._taken))

    def error(self, key: str, what: str, fix: str) -> DataError:
        return DataError(f"{key!r} {what}", where=self.place, fix=fix)
