"""Figures as the report writes them, where `slmfit.wording` has no word for them: pairs, intervals, table cells.

interval("accuracy", Score(0.909, 0.905, 0.913))         # '90.5–91.3'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from slmfit.records import Score
from slmfit.visible import visible
from slmfit.wording import PLAIN, by_unit, number_words, seconds_words


def interval(score: Score, metric: str) -> str:
    """An interval in the metric's unit, without the unit; empty where there is none."""
    if score.low is None or score.high is None:
        return ""
    return "–".join(by_unit(metric, end).removesuffix(" %") for end in (score.low, score.high))


def span(plain: Mapping[str, Any], metric: str = "accuracy") -> str:
    """`interval` of a score as JSON has it."""
    return interval(Score(0.0, plain["low"], plain["high"]), metric)


def below(difference: Mapping[str, float]) -> tuple[str, str]:
    """A paired difference to the best in points, positive = below it, and its interval: ('0.6', '0.1 to 1.1')."""
    value, low, high = (_points(difference[end]) for end in ("value", "low", "high"))
    return value, f"{low} to {high}"


def milliseconds(value: float) -> str:
    """0.2134 -> '0.21 ms', 9.41 -> '9.4 ms', 1700 -> '1.7 s'."""
    if value >= 995:
        return seconds_words(value / 1000)
    return f"{value:.2g} ms" if value < 0.95 else f"{value:.1f} ms" if value < 9.95 else f"{value:.0f} ms"


def duration(seconds: float | None) -> str:
    """`seconds_words`, but what took time is never zero."""
    return "<1 ms" if seconds is not None and 0 < seconds < 0.0005 else seconds_words(seconds)


def cell(value: Any, column: str) -> str:
    """A tried setting or its score, for a table: scores with two decimals more than elsewhere, as tries are close."""
    if value is None:
        return "–"
    if isinstance(value, float) and column.startswith(PLAIN):
        return f"{value:.4f}"
    if (
        isinstance(value, float)
        and 0 <= value <= 1
        and ("accuracy" in column or "f1" in column or column == "exact_match")
    ):
        return f"{100 * value:.2f} %"
    return number_words(value)


def ticked(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    parts = [escape(visible(part)) for part in sentence.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))


def _points(share: float) -> str:
    words = f"{100 * share:.1f}"
    return "0.0" if words == "-0.0" else words.replace("-", "−")
