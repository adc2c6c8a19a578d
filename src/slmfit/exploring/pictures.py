"""The charts of an exploration as inline SVG: across in percent of the width, down in pixels; names at the marks.

histogram(findings["lengths"]["histogram"], findings["lengths"]["windows"])

The classes of marks and text are those of the report's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from slmfit.records import SPLITS
from slmfit.reporting.svg import join, tag
from slmfit.text.figures import percent

HEIGHT, BOTTOM = 150, 26  # pixels of the histogram's bars, and of the numbers below them
NAME = 20  # of a name above them
LINE = 25  # pixels of a telling word
LONGEST = 20  # characters of a word that are shown

Row = Mapping[str, Any]


def class_bar(row: Row, most: int) -> Markup:
    """One class: its rows of train, validation and test end to end, strongest first; `most` is the longest bar's."""
    parts, start = [], 0.0
    for split, faint in zip(SPLITS, (1, 0.62, 0.34), strict=True):
        width = 100 * row[split] / most
        parts.append(tag("rect", x=f"{start:.2f}%", y=6, width=f"{width:.2f}%", height=16, class_="bar pick",
                          opacity=faint))  # fmt: skip
        start += width
    return _svg(28, parts, "bar-row")


def histogram(bins: Sequence[Row], windows: Sequence[Row]) -> Markup:
    """Rows by tokens on a log scale; a line for each window of a model, with the texts that it cuts."""
    if not bins:
        return Markup("")
    low, high = max(bins[0]["low"], 1), bins[-1]["high"]

    def at(tokens: float) -> float:
        return 100 * math.log(max(tokens, low) / low) / math.log(max(high / low, 1.0001))

    inside = [window for window in windows if low < window["tokens"] < high]
    top = NAME * len(inside) + 6
    density = [bar["rows"] / max(at(bar["high"]) - at(bar["low"]), 0.01) for bar in bins]
    most = max(density)
    parts = []
    for bar, value in zip(bins, density, strict=True):
        left, height = at(bar["low"]), HEIGHT * value / most
        width = max(at(bar["high"]) - left - 0.15, 0.1)
        parts.append(tag("rect", x=f"{left:.2f}%", y=f"{top + HEIGHT - height:.1f}", width=f"{width:.2f}%",
                          height=f"{height:.1f}", class_="bar rest"))  # fmt: skip
    parts.append(_line(0, top + HEIGHT, 100, top + HEIGHT, "axis"))
    for tick in _powers(low, high):
        anchor = "start" if at(tick) < 2 else "end" if at(tick) > 98 else "middle"
        parts.append(
            tag("text", f"{tick:,}", x=f"{at(tick):.2f}%", y=top + HEIGHT + 18, text_anchor=anchor, class_="tick")
        )
    for level, window in enumerate(inside):
        x, y = at(window["tokens"]), 8 + NAME * level
        parts.append(_line(x, y - 4, x, top + HEIGHT, "guess"))
        left = x > 50
        rows = f"{window['rows']:,} text{'' if window['rows'] == 1 else 's'} longer than {window['tokens']}"
        side = {"dx": -6, "text_anchor": "end"} if left else {"dx": 6, "text_anchor": "start"}
        parts.append(tag("text", rows, x=f"{x:.2f}%", y=y + 6, class_="name", **side))
    return _svg(top + HEIGHT + BOTTOM, parts, "plot")


def spread(lengths: Row, low: int, high: int) -> Markup:
    """The middle half of a class's lengths as a bar, all but the longest twentieth as a line, the median as a dot."""

    def at(value: float) -> float:
        return 2 + 96 * math.log(max(value, 1) / max(low, 1)) / math.log(max(high / max(low, 1), 1.0001))

    parts = [
        _line(at(lengths["least"]), 9, at(lengths["p95"]), 9, "axis"),
        tag("rect", x=f"{at(lengths['p25']):.2f}%", y=4, height=10, class_="bar rest",
             width=f"{max(at(lengths['p75']) - at(lengths['p25']), 0.5):.2f}%"),
        tag("circle", cx=f"{at(lengths['median']):.2f}%", cy=9, r=4, class_="dot pick"),
    ]  # fmt: skip
    return Markup('<svg width="190" height="18" aria-hidden="true">{}</svg>').format(join(parts))


def words(found: Sequence[Row], here: int, elsewhere: int) -> Markup:
    """A class's telling words: the share of its texts that have each as a bar, that of all others as a tick."""
    shares = [(w["texts"] / max(here, 1), w["elsewhere"] / max(elsewhere, 1)) for w in found]
    most = max(max(pair) for pair in shares)
    parts = []
    for i, (word, (own, other)) in enumerate(zip(found, shares, strict=True)):
        y = LINE * i
        name = word["word"] if len(word["word"]) <= LONGEST else word["word"][: LONGEST - 1] + "…"
        parts += [
            tag("text", name, x=0, y=y + 13, class_="name"),
            tag("text", percent(own), x="100%", y=y + 13, text_anchor="end"),
            tag("rect", x=0, y=y + 17, width=f"{100 * own / most:.2f}%", height=3, class_="bar pick"),
            _line(100 * other / most, y + 15, 100 * other / most, y + 22, "interval"),
        ]
    return _svg(LINE * len(found), parts, "")


# --- parts ---


def _powers(low: int, high: int) -> list[int]:
    """Powers of two between, not more than nine."""
    every = [2**n for n in range(math.ceil(math.log2(max(low, 1))), math.floor(math.log2(high)) + 1)]
    return every[:: math.ceil(len(every) / 9)] if every else []


def _svg(height: int, parts: Iterable[Markup], look: str) -> Markup:
    return Markup('<svg class="{}" width="100%" height="{}" aria-hidden="true">{}</svg>').format(
        look, height, join(parts)
    )


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> Markup:
    return tag("line", x1=f"{x1:.2f}%", y1=y1, x2=f"{x2:.2f}%", y2=y2, class_=look)
