"""The page of a tuning: what came of it, the score against each setting, what each accounts for, and all trials.

write_page(Path("tuned-linear"), read_tuning(Path("tuned-linear")))       # report.html in that folder
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markupsafe import Markup

from slmfit import storage
from slmfit.records import Score
from slmfit.reporting.charts import Axis, Dot, Series, bar, cloud, lines, strip
from slmfit.reporting.page import STYLES, render
from slmfit.reporting.pictures import score_axis
from slmfit.text.figures import by_unit, cell, number_of, number_words, percent, points_words, seconds_words, told
from slmfit.tuning.record import TuningRecord
from slmfit.tuning.trials import Tried

HERE = Path(__file__).parent
FILE = "report.html"
SHEETS = (*STYLES, HERE / "page.css")


def write_page(folder: Path, record: TuningRecord) -> None:
    """Draw a tuning as one self-contained HTML file. Raises SlmfitError when it cannot be written."""
    storage.write_text(folder / FILE, draw(record, folder.name))


def draw(record: TuningRecord, folder: str) -> str:
    """The page as a string; whatever comes from data and settings is escaped. folder: what it is called."""
    scored = [one for one in record.trials if one.score is not None]
    axis = score_axis(record.metric, [Score(one.score or 0.0) for one in scored])
    ordered = sorted(record.trials, key=lambda one: (one.score is None, -(one.score or 0.0), one.number))
    return render(
        HERE / "page.html",
        styles=SHEETS,
        title=f"{record.method} on {record.dataset['name']}",
        record=record,
        metric=told(record.metric),
        figures=list(_figures(record)),
        settings=[_setting(record, name, scored, axis) for name in record.ranges],
        shares=[
            {"name": name, "picture": bar(share or 0.0, None, None, guess=None, look="rest"), "words": percent(share)}
            for name, share in sorted(record.importance.items(), key=lambda one: -(one[1] or 0.0))
            if share is not None
        ],
        over_time=_over_time(record, axis),
        trials=[
            {
                "number": one.number or "defaults",
                "kept": one.number == (record.best if record.kept == "best" else 0),
                "score": one.state if one.score is None else by_unit(record.metric, one.score),
                "time": seconds_words(one.seconds),
                "cells": [cell(one.known.get(name), name) for name in record.ranges],
                "reason": one.reason,
            }
            for one in ordered
        ],
        command=_command(record, folder),
    )


def _figures(record: TuningRecord) -> Iterator[tuple[str, str, str]]:
    """(what, value, remark) of the figures below the head."""
    defaults, best = record.trials[0], record.trials[record.best]
    yield "defaults", by_unit(record.metric, defaults.score or 0.0), f"{told(record.metric)} on validation"
    if record.best:
        name = f"trial {record.best}"
        yield name, by_unit(record.metric, best.score or 0.0), f"the best of {number_of(len(record.trials), 'trial')}"
    if record.smallest_gain is not None:
        yield "power", points_words(record.smallest_gain), "the gain that is told nine times in ten"
    rows = f"{record.split['validation'].rows:,} validation rows each"
    yield "time", seconds_words(sum(one.seconds for one in record.trials)), rows


def _looks(record: TuningRecord, one: Tried) -> str:
    """The defaults and the best trial stand out."""
    return "pick" if one.number == record.best else "rest" if one.number == 0 else "faded"


def _setting(record: TuningRecord, name: str, scored: list[Tried], axis: Axis) -> dict[str, Any]:
    """The score of every trial against one setting."""
    range, level = record.ranges[name], record.trials[0].score or 0.0
    shown = [one for one in scored if range.values or isinstance(one.known.get(name), int | float)]
    marked = [one for one in shown if one.number in (0, record.best)]
    found: dict[str, Any] = {
        "name": f"{record.method}.{name}",
        "words": "" if range.values else range.words(),
        "picture": None,
        "strips": [],
    }
    if range.values:
        for value in range.values:
            own = sorted((one for one in shown if one.known.get(name) == value), key=lambda one: one in marked)
            scores = [(one.score or 0.0, _looks(record, one)) for one in own]
            found["strips"].append({"name": value, "picture": strip(scores, axis, level=level)})
        found["ends"] = [axis.words(axis.low), axis.words(axis.high)]
    elif shown:
        dots = [_dot(one, name) for one in shown if one not in marked]
        named = [Series(_name(one), [_dot(one, name)], _looks(record, one)) for one in marked]
        values = [float(one.known[name]) for one in shown]
        x = Axis.of([range.low, range.high, *(v for v in values if v > 0 or not range.log)], log=range.log)
        picture = cloud(dots, named, x.named(f"{told(name)} →", number_words), axis, level=level)
        found["picture"] = picture
    return found


def _dot(one: Tried, name: str) -> Dot:
    return Dot(float(one.known[name]), one.score or 0.0)


def _name(one: Tried) -> str:
    return f"trial {one.number}" if one.number else "defaults"


def _over_time(record: TuningRecord, axis: Axis) -> Markup:
    """The best score so far, by the time that the trials took."""
    spent, best, dots = 0.0, 0.0, list[Dot]()
    for one in record.trials:
        spent += one.seconds
        if one.score is not None and (not dots or one.score > best):
            dots += [Dot(spent, best), Dot(spent, one.score)] if dots else [Dot(spent, one.score)]
            best = one.score
    level = record.trials[0].score or 0.0
    series = [Series("defaults", [Dot(dots[0].x, level), Dot(spent, level)], "rest", dots=False)] if record.best else []
    series.append(Series("best so far", [*dots, Dot(spent, best)], "pick", dots=False))
    x = Axis.of([0.0, spent]).named("time →", seconds_words)
    return lines(series, Axis(0.0, x.high, tuple(t for t in x.ticks if t >= 0), title=x.title, words=x.words), axis)


def _command(record: TuningRecord, folder: str) -> str:
    plain = record.method if record.base_model is None else f"{record.method}={record.base_model}"
    return f"slmfit compare DATA --methods {plain},{record.method}@tuned={folder}"
