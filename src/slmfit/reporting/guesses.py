"""What multiple choice comes to without reading, and which methods do more than that.

view = guesses(source)          # None for other tasks
view["lines"][0]                # {"id": "knn", "cells": [("8.1 points above", "p 0.002"), …]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmfit.reporting.disk import Source
from slmfit.text.figures import by_unit, points_words


def guesses(source: Source) -> dict[str, Any] | None:
    """The floors that each method was tested against, a line a method; and what the longest option scores."""
    tested = source.comparison.floors if source.comparison else {}
    if not tested:
        return None
    floors = list(dict.fromkeys(floor for each in tested.values() for floor in each))
    lines = [
        {"id": id, "cells": [standing(each[floor]) if floor in each else ("", "") for floor in floors]}
        for id, each in tested.items()
    ]
    details = [source.details(id).get("longest_option", {}).get("accuracy") for id in source.records]
    longest = next((share for share in details if share is not None), None)
    return {
        "floors": floors,
        "lines": lines,
        "longest": None if longest is None else by_unit("accuracy", longest),
    }


def standing(test: Mapping[str, Any]) -> tuple[str, str]:
    """'8.1 points above' or 'not distinguishable', and the p-value."""
    p_value = test["p_value"]
    small = f"p {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
    gap = points_words(abs(test["difference"]))
    if not test["differs"]:
        return "not distinguishable", f"{gap} {'above' if test['difference'] >= 0 else 'below'}, {small}"
    return f"{gap} {'above' if test['difference'] > 0 else 'below'}", small
