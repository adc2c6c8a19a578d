"""The ladder: the table of methods, the bars of their scores, and every score they have.

groups(source)[0]["title"]      # 'As good as the best'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slmfit.records import SPLITS, MethodRow
from slmfit.reporting.charts import bar
from slmfit.reporting.disk import Source
from slmfit.reporting.headline import compared
from slmfit.reporting.pictures import look
from slmfit.storage import file_name
from slmfit.text.figures import (
    below,
    by_unit,
    bytes_words,
    dollars,
    failures,
    interval,
    milliseconds,
    parts_of,
    percent,
    seconds_words,
    seeds_words,
    speed_words,
    told,
)


def groups(source: Source) -> list[dict[str, Any]]:
    """The ladder's lines: the best and what cannot be told from it, the others, and what did not run."""
    scored = _in_order(source)
    out = [row for row in source.methods if not row.scores]
    if not source.comparison or not compared(source):
        titles = [("", scored), ("Not run", out)]
    else:
        first = {source.best, *source.comparison.verdict.tied}
        top = [row for row in scored if row.id in first]
        name = "As good as the best, as far as this test can tell" if len(top) > 1 else "Clearly better than all others"
        titles = [
            (name, top),
            ("Clearly worse than the best", [r for r in scored if r.id not in first]),
            ("Not run", out),
        ]
    return [{"title": title, "lines": [_line(source, row) for row in rows]} for title, rows in titles if rows]


def _in_order(source: Source) -> list[MethodRow]:
    """The methods that ran, the pick first, then the highest score."""
    scored = [row for row in source.methods if row.scores]
    return sorted(scored, key=lambda row: (row.id != source.picked, -(row.scores or {})["test"][source.metric].value))


def _line(source: Source, row: MethodRow) -> dict[str, Any]:
    """One line of the ladder: a pair of words per column, the second in small print."""
    record = source.records.get(row.id)
    about: dict[str, Any] = {"id": row.id, "name": row.name, "picked": row.id == source.picked, "status": row.status}
    base = record.base_model if record else None
    about["base_model"] = None if base is None or row.id.endswith(file_name(base)) else base
    about["seeds"] = seeds_words(source.metric, row)
    parts = [(told(name), by_unit(name, score.value)) for name, score in parts_of(row, source.metric).items()]
    if row.cascade:
        parts.append((f"answered by {row.cascade['small']['id']}", percent(row.cascade["share"]["test"])))
    about["parts"] = parts
    if not row.scores:
        return about | {"reason": row.reason or ""}
    metric = source.metric
    test = row.scores["test"][metric]
    paired = source.comparison.paired.get(row.id) if source.comparison else None
    shown = {split: by_unit(metric, scores[metric].value) for split, scores in row.scores.items() if metric in scores}
    cells = [
        ("size", bytes_words(row.size_bytes), ""),
        ("score", by_unit(metric, test.value), interval(metric, test)),
        ("below", *(below(paired.difference) if paired else ("best" if row.id == source.best else "", ""))),
        ("fitting", shown.get("validation", ""), f"train {shown['train']}" if "train" in shown else ""),
        (
            "fit",
            seconds_words(row.fit_seconds),
            f"search {seconds_words(row.search_seconds)}" if row.search_seconds is not None else "",
        ),
        ("latency", *_latency(row)),
        ("speed", speed_words(row.rows_per_second), _busy(row)),
        ("memory", bytes_words(row.peak_memory_bytes), ""),
        ("money", "" if row.usd_per_1000_rows is None else dollars(row.usd_per_1000_rows), ""),
    ]
    return about | {"cells": cells}


def _latency(row: MethodRow) -> tuple[str, str]:
    """p50; p95 and whether the machine was busy, a line each."""
    if not row.latency_ms:
        return "", ""
    return milliseconds(row.latency_ms["p50"]), f"{milliseconds(row.latency_ms['p95'])}\n{_busy(row)}"


def _busy(row: MethodRow) -> str:
    return "machine busy" if row.measured.get("busy") is True else ""


def failing(source: Source) -> Iterator[tuple[str, str, str]]:
    """Methods with answers that could not be used: id, how many, and how many of which kind."""
    for row in source.methods:
        outcomes = source.details(row.id).get("outcomes", {})
        if words := failures(outcomes):
            yield row.id, f"{sum(outcomes.values()) - outcomes.get('ok', 0):,}", words


def bars(source: Source) -> list[dict[str, Any]]:
    """A bar per method that ran, in the order of the table."""
    scored = [(row, row.scores["test"][source.metric]) for row in _in_order(source) if row.scores]
    line = least(source)
    guess = line[1] if line else None
    return [
        {
            "id": row.id,
            "picked": row.id == source.picked,
            "value": by_unit(source.metric, score.value),
            "interval": interval(source.metric, score),
            "picture": bar(score.value, score.low, score.high, guess=guess, look=look(source, row.id)),
        }
        for row, score in scored
    ]


def least(source: Source) -> tuple[str, float] | None:
    """What a method has to beat to be worth anything, by name: what answers without reading, or else a guess."""
    floors = [(row.id, row.scores["test"][source.metric].value) for row in source.methods if row.floor and row.scores]
    guess = guess_score(source)
    found = max(floors, key=lambda one: one[1]) if floors else ("random guess", guess or 0.0)
    return found if found[1] else None


def guess_score(source: Source) -> float | None:
    """What guessing would score in the metric."""
    found = (source.details(id).get("random_guess", {}).get(source.metric) for id in source.records)
    return next((guess for guess in found if guess is not None), None)


def all_scores(source: Source) -> dict[str, Any]:
    """Every score of every split, method by method, and what guessing has."""
    scored = [row for row in source.methods if row.scores]
    names = list(dict.fromkeys(n for row in scored for s in (row.scores or {}).values() for n in s))
    rows = [
        (row.id, split, [row.scores[split].get(name) for name in names])
        for row in scored
        if row.scores
        for split in SPLITS
        if split in row.scores
    ]
    guesses = (source.details(id).get("random_guess") for id in source.records)
    guess: Mapping[str, float] = next((found for found in guesses if found), {})
    return {"names": names, "rows": rows, "guess": [guess.get(name) for name in names] if guess else None}
