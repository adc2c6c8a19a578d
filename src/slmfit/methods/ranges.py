"""What `slmfit tune` may make of a setting, as it is declared beside it.

ranges_of(Linear(), "text-classification", fixed=["C"])["power"].words()       # "0.5 to 2.5"
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.methods.base import Method


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included, or one of several `values`.

    log: drawn evenly on a logarithmic scale. whole: whole numbers only.
    """

    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    values: Sequence[str] = ()

    @classmethod
    def of(cls, declared: Sequence[Any], whole: bool) -> Range:
        """From the `search` of `setting`; ValueError for what is none. whole: whether it takes no fractions."""
        if all(isinstance(value, str) for value in declared):
            return cls(values=tuple(declared))
        low, high, *scale = declared
        if scale not in ([], ["log"]) or not (math.isfinite(low) and low < high < math.inf and (low > 0 or not scale)):
            raise ValueError(f"{declared!r} is no range")
        return cls(low, high, bool(scale), whole)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        if self.values:
            return value in self.values
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or value == int(value))

    def words(self) -> str:
        """For people: '1e-05 to 0.001 on a log scale', 'one of near, far'."""
        if self.values:
            return f"one of {', '.join(self.values)}"
        return f"{self.low:g} to {self.high:g}{' on a log scale' if self.log else ''}"


def declared_range(field: dataclasses.Field[Any], hint: Any) -> Range | None:
    """The range of a field of a settings class; None where tuning leaves it alone."""
    declared = field.metadata.get("search")
    kinds = typing.get_args(hint) or (hint,)
    return None if declared is None else Range.of(declared, whole=int in kinds and float not in kinds)


def ranges_of(method: Method, task: str, fixed: Collection[str] = ()) -> dict[str, Range]:
    """Setting -> its range, in the order they stand, for those that change something in a task and are not fixed."""
    hints, left_alone = typing.get_type_hints(method.Settings), {*fixed, *method.idle(task)}
    found = {f.name: declared_range(f, hints[f.name]) for f in dataclasses.fields(method.Settings)}
    return {name: range for name, range in found.items() if range is not None and name not in left_alone}
