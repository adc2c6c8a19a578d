"""Figures in words, the same in the terminal, the report and the model card."""

from __future__ import annotations

from typing import Any

# Scores that are losses or distances, not shares: shown as they are, not in percent.
PLAIN = ("log_loss", "brier", "expected_calibration_error")


def percent(value: float) -> str:
    """0.9134 -> '91.3 %'."""
    return f"{100 * value:.1f} %"


def by_unit(metric: str, value: float) -> str:
    """A score as people say it: shares in percent, losses with three decimals."""
    return f"{value:.3f}" if metric.startswith(PLAIN) else percent(value)


def bytes_words(size: int | None) -> str:
    """3400000 -> '3.4 MB'; unknown is empty, never zero."""
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError


def seconds_words(seconds: float | None) -> str:
    """0.012 -> '12 ms', 75 -> '1m 15s'; unknown is empty."""
    if seconds is None:
        return ""
    if seconds < 0.995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s"


def number_words(value: Any) -> str:
    """A setting's or event's value, short."""
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
