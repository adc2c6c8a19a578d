"""Progress in words: a live line on a terminal; else a line per step, and one every half a minute.

lines = Lines(print)
lines.told("progress", {"run": "knn", "stage": "embedding train", "rows": 512, "of_rows": 20_000})
lines.beat()                 # from a clock of its own, so that a log does not stand still while nothing is told
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slmfit.text.figures import number_words
from slmfit.timing.budget import Clock, monotonic

EVERY = 30.0  # seconds between two lines in a log
STEPS = ("audit", "fit", "refit", "measure", "answered", "reuse", "failed", "tried")  # what is worth a line that stays
# What is told beside the words of the stage, and stands in no line.
LEFT_OUT = ("run", "traceback", "stage", "eta_seconds", "of_rows", "unit", "reasons", "usd")


class Lines:
    """keep: prints a line that stays. show: changes the live line; None where there is none."""

    def __init__(
        self, keep: Callable[[str], None], show: Callable[[str], None] | None = None, clock: Clock = monotonic
    ) -> None:
        self._keep, self._show, self._clock = keep, show, clock
        self._ends: float | None = None  # of the budget
        self._kind, self._fields, self._told = "", {}, clock()  # type: str, Mapping[str, Any], float
        self._printed = self._told

    def told(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Something has happened."""
        if kind == "budget":
            self._ends = self._clock() + fields["seconds"]
            return
        self._kind, self._fields, self._told = kind, fields, self._clock()
        if kind in STEPS:
            self._print(self._line())
        else:
            self.beat()

    def beat(self) -> None:
        """Some time has passed."""
        if not self._kind:
            return
        if self._show:
            self._show(self._line())
        elif self._clock() - self._printed >= EVERY:
            self._print(self._line())

    def _print(self, line: str) -> None:
        self._printed = self._clock()
        self._keep(line)

    def _line(self) -> str:
        """What happened last, how long ago, and when this piece and all of it will be done."""
        since = self._clock() - self._told
        parts = [in_words(self._kind, self._fields)]
        eta = self._fields.get("eta_seconds")
        if isinstance(eta, int | float):
            parts.append(f"{about(eta - since)} to go")
        elif since >= 2:
            parts.append(f"for {about(since)}")
        if self._ends is not None and self._kind != "reuse":
            parts.append(f"all of it done in {about(self._ends - self._clock())}")
        run = self._fields.get("run")
        return (f"{run}: " if run else "") + "; ".join(parts)


def in_words(kind: str, fields: Mapping[str, Any]) -> str:
    """What happened: "embedding train 512 of 20,000 rows"."""
    if kind == "failed":
        return f"failed: {fields['reason']}"
    if kind == "progress":
        return f"{fields['stage']} {fields['rows']:,} of {fields['of_rows']:,} {fields.get('unit', 'rows')}"
    if kind == "loss" and "of_rows" in fields:
        return f"training {fields['rows']:,} of {fields['of_rows']:,} rows, loss {number_words(fields['loss'])}"
    rest = ", ".join(f"{k} {number_words(v)}" for k, v in fields.items() if k not in LEFT_OUT)
    verbs = {
        "reuse": "already fitted, used again",
        "measure": "measuring speed and memory in a fresh process",
        "judge": "pairing the answers, drawing the report",
        "suspects": "looking for doubtful labels",
        "curve": "learning curve",
        "audit": "checking for duplicates, leaks and doubtful labels:",
    }
    return f"{verbs.get(kind, kind)} {rest}".rstrip()


def about(seconds: float) -> str:
    """75.3 -> '1m 15s': nobody knows it to a tenth."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s" if minutes else f"{rest}s"
