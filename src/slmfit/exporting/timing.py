"""How long ways to the same answers take, measured side by side: processor seconds a row, in turns.

seconds_a_row({"torch": run.predict, "onnx": served.predict}, inputs)       # {"torch": 0.0143, "onnx": 0.0061}
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from slmfit.records import Input

SECONDS = 2.0  # of a processor, for each way
ROUNDS = 5
WARMING = 4  # rows, before any time counts
ROWS = 400  # in a round, at most
SHORT = 0.02  # seconds that the clock of processor time is surely finer than


def seconds_a_row(ways: Mapping[str, Callable[[list[Input]], object]], inputs: Sequence[Input]) -> dict[str, float]:
    """The median of some rounds, in each of which every way answers the same rows: inputs spread over those given, once
    all together and once each alone, as texts come in.

    Processor time counts every thread and no waiting, so other work on the machine disturbs little.
    """
    for way in ways.values():
        way(list(inputs[:WARMING]))
    few = _spread(inputs, 16)
    slowest = max(_taken(way, few) for way in ways.values())
    each = SECONDS / ROUNDS
    rows = _spread(inputs, min(ROWS, max(8, int(len(few) * each / max(slowest, 1e-6)))))
    repeats = max(1, int(SHORT * len(few) / max(len(rows) * slowest, 1e-6)))
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(_taken(way, rows * repeats) / (len(rows) * repeats))
    return {name: statistics.median(times) for name, times in taken.items()}


def _taken(way: Callable[[list[Input]], object], rows: list[Input]) -> float:
    """For both of it, half: what one answer to each row takes."""
    begin = time.process_time()
    way(rows)
    for row in rows:
        way([row])
    return (time.process_time() - begin) / 2


def _spread(inputs: Sequence[Input], most: int) -> list[Input]:
    """At most so many of them, evenly spread: of all their lengths."""
    step = max(1, len(inputs) // most)
    return list(inputs[::step][:most])
