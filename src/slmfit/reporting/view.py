"""From what is on disk to what the page shows: words and order, no figure that a record does not hold.

view = build(read([folder]), texts=True)
view["verdict"]["lead"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from slmfit.evidence.verdict import SAME_ROWS
from slmfit.records import GIVEN, OUTCOMES, SPLITS, MethodRow, to_plain
from slmfit.reporting import entities, glossary, guesses, headline, ladder, mistakes, pictures, plain, searching, warned
from slmfit.reporting.as_written import as_written
from slmfit.reporting.checked import read_checked
from slmfit.reporting.disk import Source
from slmfit.reporting.doubted import doubted
from slmfit.reporting.rows import labels
from slmfit.reporting.stressed import stressed
from slmfit.runs.labelled import KINDS
from slmfit.text.figures import (
    SHARES,
    by_unit,
    bytes_words,
    dollars,
    interval,
    milliseconds,
    number_words,
    percent,
    told,
)
from slmfit.text.visible import all_visible, excerpt

SCHEMES = {
    "strict": "type, start and end",
    "boundary": "start and end",
    "partial": "start and end, where an overlap counts half",
    "type": "type, and some overlap",
}
UNFOLDED = 12  # rows of such a table that are shown without being asked for
CLASSES = 60  # rows of a per-class table; beyond, those the subject does worst on
SUSPECTS = 200


def build(source: Source, *, texts: bool) -> dict[str, Any]:
    """Everything page.html names, but the rows."""
    costs, subject = pictures.costs(source), headline.subject(source)
    return {
        "title": source.about.dataset["name"],
        "task": source.about.dataset["task"],
        "metric": source.metric,
        "metric_words": told(source.metric),
        "verdict": _verdict(source),
        "plain": plain.plain(source),
        "mistakes": mistakes.label_table(source, subject) if subject and source.comparison else None,
        "compared": headline.compared(source),
        "job": plain.job(source.about.dataset["task"], brief=True),
        "methods": glossary.methods(source),
        "words": glossary.words(source),
        "warnings": warned.warnings(source),
        "notes": list(source.notes),
        "checked": read_checked(source.data.parent, source.comparison) if source.comparison and source.data else None,
        "groups": ladder.groups(source),
        "money": any(row.usd_per_1000_rows is not None for row in source.methods),
        "failing": list(ladder.failing(source)),
        "asked": [id for id, record in source.records.items() if record.remote],
        "given": [row.id for row in source.methods if row.scores and row.name == GIVEN],
        "bars": ladder.bars(source),
        "least": ladder.least(source),
        "guesses": guesses.guesses(source),
        "scores": ladder.all_scores(source),
        "costs": costs,
        "pictured": any(one.picture for one in costs),
        "prefer": _preferred(source),
        "schemes": _schemes(source),
        "as_written": as_written(source),
        "breakdowns": list(_breakdowns(source)),
        "stressed": stressed(source.stressed),
        "suspects": _suspects(source, texts),
        "undiagnosed": source.comparison is not None and source.diagnostics is None,
        "calibration": pictures.calibration(source),
        "coverage": pictures.coverage(source),
        "learning": pictures.learning_curve(source),
        "searches": list(searching.searches(source)),
        "training": list(pictures.training(source)),
        "audit": _audit(source, texts),
        "splits": [{"split": s, **to_plain(source.about.split[s])} for s in SPLITS if s in source.about.split],
        "about": source.about,
        "files": list(_files(source)),
        "runs": list(source.records.items()),
        "reused": {row.id for row in source.methods if row.reused},
        "picked": source.picked,
        "texts": texts,
        "facts": _facts(source),
    }


def _facts(source: Source) -> dict[str, Any]:
    """What script.js needs beside the rows: labels, and each method's confusion as [truth, answer, rows]."""
    ids = list(source.folders)
    subject = source.picked or source.best
    tagged = entities.is_tagged(source)
    confusion = entities.confusion if tagged else _confusion
    floors = {row.id for row in source.methods if row.floor}
    return all_visible(
        {
            "labels": [label[:300] for label in labels(source)],
            "outcomes": OUTCOMES,
            "methods": [{"id": id, "confusion": confusion(source, id), "floor": id in floors} for id in ids],
            "entities": tagged,
            "intents": [intent[:300] for intent in entities.intents(source)],
            "first": ids.index(subject) if subject in ids else 0,
            "sure": any("reliability" in source.details(id) for id in ids),
        }
    )


def _confusion(source: Source, id: str) -> list[list[int]] | None:
    counts = source.details(id).get("confusion")
    return counts and [[t, a, n] for t, row in enumerate(counts) for a, n in enumerate(row) if n]


def _verdict(source: Source) -> dict[str, Any]:
    """The headline, the sentence it stands for, and the figures of the method it is about."""
    sentence = ""
    if source.comparison:
        head = headline.headline(source) or headline.Headline("Nothing ran", "", "")
        # Records of old have a hyphen before numbers below zero.
        sentence = re.sub(r"(?<![\w–-])-(?=\d)", "−", source.comparison.verdict.sentence)
        caveats = list(source.comparison.verdict.caveats)
        standing = [one for one in caveats if SAME_ROWS in one and headline.compared(source)]
        caveats = [one for one in caveats if SAME_ROWS not in one]
    else:
        ids = list(source.records)
        lead = f"{ids[0]} on {source.about.dataset['name']}" if len(ids) == 1 else f"{len(ids)} runs, not compared"
        rest = (
            "" if len(ids) == 1 else "`slmfit compare` puts methods to the test against each other and gives a verdict."
        )
        head, standing = headline.Headline(lead, "", "", (rest,) if rest else ()), []
        caveats = [f"{id}: {said}" for id, one in source.records.items() for said in one.cascade.get("said", ())]
    row = headline.subject(source)
    return {
        "head": head,
        "sentence": sentence,
        "caveats": caveats,
        "doubted": doubted(source) if source.comparison else "",
        "standing": standing,
        "subject": row,
        "figures": list(_figures(source, row)),
    }


def _figures(source: Source, row: MethodRow | None) -> Iterator[tuple[str, str, str, str]]:
    """The numbers behind the verdict: key, name, value, remark."""
    if row is None or not row.scores:
        return
    score = row.scores["test"][source.metric]
    yield "score", f"test {told(source.metric)}", by_unit(source.metric, score.value), interval(source.metric, score)
    if source.metric in SHARES:
        yield "wrong", "wrong", mistakes.of_1000(1 - score.value), "of 1,000 texts"
    if row.size_bytes is not None:
        yield "size_bytes", "size", bytes_words(row.size_bytes), "on disk"
    if row.latency_ms:
        busy = ", machine busy" if row.measured.get("busy") is True else ""
        most = f"19 of 20 under {milliseconds(row.latency_ms['p95'])}{busy}"
        yield "latency_p50", "one text", milliseconds(row.latency_ms["p50"]), most
    if row.usd_per_1000_rows is not None:
        yield "usd", "1,000 rows", dollars(row.usd_per_1000_rows), "answered"


def _files(source: Source) -> Iterator[dict[str, str]]:
    """The files the data came from: their names only, as folders are nobody else's business."""
    for file in source.about.dataset.get("source", {}).get("files", ()):
        yield {"name": PurePath(file["file"]).name, "sha256": file["sha256"]}


def _preferred(source: Source) -> str:
    prefer = source.comparison.verdict.prefer if source.comparison else "size"
    return prefer if prefer in {cost.key for cost in pictures.COSTS} else "size"


def _breakdowns(source: Source) -> Iterator[dict[str, Any]]:
    """Scores by class, entity type, letter …, the methods side by side."""
    ordered = sorted((id for id, _ in source.by_score()), key=lambda id: id != source.picked)  # the pick, then the rest
    for key, kind in KINDS.items():
        name, score = kind.name, kind.score
        tables = {id: rows for id in ordered if (rows := source.details(id).get(key))}
        if not tables:
            continue
        floor = {row.id for row in source.methods if row.floor}
        if not floor.issuperset(tables):
            tables = {id: rows for id, rows in tables.items() if id not in floor}
        by_name = {id: {row[name]: row for row in rows} for id, rows in tables.items()}
        subject = source.picked or source.best
        first = by_name.get(subject or "") or next(iter(by_name.values()))
        names = list(dict.fromkeys(n for some in by_name.values() for n in some))
        weakest = key == "per_type" or len(names) > CLASSES  # a reader looks for what fails, not for a letter
        shown = sorted(names, key=lambda n: _part(first.get(n), score))[:CLASSES] if weakest else names
        lines = [
            {"name": str(n), "support": next(r[n]["support"] for r in by_name.values() if n in r),
             "cells": [_breakdown_cell(rows.get(n), score) for rows in by_name.values()]}
            for n in shown
        ]  # fmt: skip
        yield {
            "title": kind.title,
            "key": key,
            "unit": kind.unit,
            "score": score,
            "ids": list(tables),
            "lines": lines,
            "all": len(names),
            "subject": subject,
            "folded": len(lines) > UNFOLDED,
        }


def _schemes(source: Source) -> dict[str, Any] | None:
    """F1 by how much must agree, the methods side by side; and how many entities had no place in their text."""
    floor = {row.id for row in source.methods if row.floor}
    every = [id for id, _ in source.by_score() if source.details(id).get("schemes")]
    ordered = [id for id in every if id not in floor] or every
    if not ordered:
        return None
    tables = [{row["scheme"]: row for row in source.details(id)["schemes"]} for id in ordered]
    lines = [
        {"name": name, "words": words, "cells": [_breakdown_cell(table.get(name), "f1") for table in tables]}
        for name, words in SCHEMES.items()
    ]
    unplaced = [(id, f"{n:,}") for id in ordered if (n := source.details(id).get("unplaced"))]
    said = [_if_less_mattered(id, table) for id, table in zip(ordered, tables, strict=True)]
    return {"ids": ordered, "lines": lines, "unplaced": unplaced, "said": said}


def _if_less_mattered(id: str, table: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, str, str]:
    """Of a method: its F1; what it would be were only the bounds looked at; and were it only the type."""
    return id, percent(table["strict"]["f1"]), percent(table["boundary"]["f1"]), percent(table["type"]["f1"])


def _part(row: Mapping[str, Any] | None, score: str) -> float:
    value = row[score] if row else None
    return (value["value"] if isinstance(value, Mapping) else value) or 0.0


def _breakdown_cell(row: Mapping[str, Any] | None, score: str) -> tuple[str, str, float] | None:
    """Score, small print, share of the way for a bar."""
    if row is None or (row[score] is None and "answered" not in row):
        return None
    value = _part(row, score)
    if score == "right":
        return f"{row['right']:,}", f"of {row['support']:,}", row["right"] / row["support"] if row["support"] else 0.0
    if "answered" in row:
        of_answers = f"{100 * row['answered']:.1f} of answers"
        return "–" if row[score] is None else f"{100 * value:.1f}", of_answers, value
    small = f"{100 * row['precision']:.1f} · {100 * row['recall']:.1f}" if "precision" in row else ""
    return f"{100 * value:.1f}", small, value


def _suspects(source: Source, texts: bool) -> dict[str, Any] | None:
    """Rows whose label the folds that did not see them doubt."""
    found = (source.diagnostics or {}).get("suspects") or {}
    if not found.get("rows"):
        return None
    rows = [
        {**row, "text": excerpt(str(row["text"]), 240) if texts and row.get("text") else ""}
        for row in found["rows"][:SUSPECTS]
    ]
    return {
        "method": found["method"],
        "folds": found["folds"],
        "rows": rows,
    }


def _audit(source: Source, texts: bool) -> list[dict[str, Any]] | None:
    """The findings; without the users' texts where they are not to be shown."""
    if source.audit is None:
        return None
    return [
        {**found, "examples": [_example(e, texts) for e in found["examples"]]} for found in source.audit["findings"]
    ]


def _example(example: Mapping[str, Any], texts: bool) -> dict[str, Any]:
    """Rows, labels with their counts, and the rest in words."""
    rows = example.get("rows")
    named = example.get("labels") or ([example] if "label" in example else [])
    known = {"rows", "labels", "label", "text", "id", "split"}
    return {
        "rows": [{**row, "text": row.get("text", "") if texts else ""} for row in rows]
        if isinstance(rows, list)
        else [],
        "labels": [{"label": one["label"], "rows": one["rows"]} for one in named],
        "more": ", ".join(f"{key} {number_words(value)}" for key, value in example.items() if key not in known),
    }
