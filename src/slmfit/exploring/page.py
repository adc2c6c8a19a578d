"""The page of an exploration: findings put into words and pictures, in the report's frame.

draw(explore(data))    # '<!doctype html>…', one file that asks no server for anything
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slmfit.exploring import pictures
from slmfit.reporting.page import render
from slmfit.tasks import by_name
from slmfit.text.figures import percent
from slmfit.text.places import Placeless
from slmfit.text.visible import excerpt

NAME = 32  # characters of a class beside its bar; its table has all of them
CLASSES = 60  # shown of each kind; the rest are counted
SUSPECTS = 100
TYPES = 30  # of entities; the rest are folded away
EVEN = 1.5  # largest class against smallest; below, they are about equally frequent

TWINS = ("leak", "copies", "contradiction", "near_contradiction", "duplicate")
TEXTS = ("empty_text", "long_text")  # drawn as odd rows
ODD = {"empty": "Empty", "very_long": "Very long", "few_letters": "Mostly not letters"}

Found = Mapping[str, Any]


def draw(findings: Found) -> str:
    """The page as a string. Everything in it that comes from the data is escaped."""
    return render(Path(__file__).with_name("page.html"), **_view(findings))


def _view(found: Found) -> dict[str, Any]:
    """Everything page.html names."""
    audit = found["audit"]["findings"]
    order = {row["name"]: i for group in found["classes"] for i, row in enumerate(group["rows"])}
    lengths = found["lengths"]
    suspects = found["suspects"].get("rows", [])
    return {
        "title": found["dataset"]["name"],
        "task": found["dataset"]["task"],
        "notes": Placeless().all(found["dataset"]["notes"]),
        "rows": found["rows"],
        "head": _head(found),
        "lead": _lead(found),
        "figures": _figures(found),
        "warnings": [f["message"] for f in audit if f["severity"] == "warning"],
        "classes": [_classes(group) for group in found["classes"]],
        "label_findings": [f for f in audit if f["kind"] not in TWINS + TEXTS],
        "lengths": lengths,
        "windows": [{**w, "share": _share(w["share"]), "lost": _share(w["lost"])} for w in lengths["windows"]],
        "histogram": pictures.histogram(lengths["histogram"], lengths["windows"]),
        "by_class": _by_class(lengths["by_class"], order),
        "twin_findings": [f for f in audit if f["kind"] in TWINS],
        "duplicates": found["audit"]["duplicates"],
        "words": _words(found, order),
        "odd": [{**kind, "title": ODD[kind["kind"]]} for kind in found["odd_rows"]],
        "entities": found["entities"],
        "most_types": TYPES,
        "suspects": found["suspects"],
        "suspect_rows": [{**row, "text": excerpt(row["text"], 300)} for row in suspects[:SUSPECTS]],
    }


# --- the head ---


def _head(found: Found) -> str:
    """What the data are, in one sentence."""
    total = sum(found["rows"].values())
    groups = [f"{len(g['rows']):,} {g['kind']}{_s(len(g['rows']))}" for g in found["classes"]]
    noun = by_name(found["dataset"]["task"]).noun
    sentence = f"{total:,} {noun}{_s(total)}"
    if groups:
        sentence += f" with {' and '.join(groups)}"
    if len(found["classes"]) == 1 and len(found["classes"][0]["rows"]) > 1:
        times = found["classes"][0]["imbalance"]
        sentence += (
            ", about equally frequent" if times < EVEN else f", the largest {_times(times)} the size of the smallest"
        )
    return sentence + "."


def _lead(found: Found) -> str:
    """How long texts are, and whether common models read them whole."""
    spread, windows = found["lengths"]["all"], found["lengths"]["windows"]
    if not spread["words"]:
        return ""
    words = spread["words"]
    sentence = (
        f"Half of the texts have {words['median']:,} words or fewer, nineteen in twenty {words['p95']:,} or fewer. "
    )
    fits = next((w for w in windows if w["share"] < 0.01), None)
    if fits:
        share = "all of them" if not fits["rows"] else f"all but {_share(fits['share'])} of them"
        return sentence + f"A model that reads {fits['tokens']} tokens reads {share} whole."
    last = windows[-1]
    return sentence + f"A model that reads {last['tokens']} tokens would cut {percent(last['share'])} of them."


def _figures(found: Found) -> list[tuple[str, str, str]]:
    """(what, value, remark) of the figures below the head."""
    rows, spread = found["rows"], found["lengths"]["all"]
    figures = [("rows", f"{sum(rows.values()):,}", " · ".join(f"{n:,} {split}" for split, n in rows.items()))]
    for group in found["classes"]:
        some = group["rows"]
        remark = f"{some[0]['total']:,} to {some[-1]['total']:,} {group['counts']} each" if some else ""
        figures.append((f"{group['kind']}{_s(len(some))}", f"{len(some):,}", remark))
    if spread["words"]:
        about = "" if found["lengths"]["tokens_are"].startswith("counted") else "about "
        remark = f"{spread['characters']['median']:,} characters, {about}{spread['tokens']['median']:,} tokens"
        figures.append(("median length", f"{spread['words']['median']:,} words", remark))
    leak = next((f for f in found["audit"]["findings"] if f["kind"] == "leak"), None)
    if leak:
        twin, row = leak["examples"][0]["rows"]
        figures.append(("leaks", f"{leak['count']:,}", f"{row['split']} rows with a twin in {twin['split']}"))
    return figures


# --- the parts ---


def _classes(group: Found) -> dict[str, Any]:
    shown = group["rows"][:CLASSES]
    most = max((row["total"] for row in shown), default=1)
    lines = [
        {
            "name": excerpt(row["name"], NAME),
            "picture": pictures.class_bar(row, most),
            "total": f"{row['total']:,}",
            "share": percent(row["share"]),
        }
        for row in shown
    ]
    left = group["rows"][CLASSES:]
    rest = f"and {len(left):,} more, {left[0]['total']:,} {group['counts']} or fewer each" if left else ""
    return {"kind": group["kind"], "counts": group["counts"], "lines": lines, "rest": rest, "rows": shown}


def _by_class(lengths: Sequence[Found], order: Mapping[str, int]) -> list[dict[str, Any]]:
    shown = sorted(lengths, key=lambda one: order.get(one["name"], 0))[:CLASSES]
    if not shown:
        return []
    low = min(one["tokens"]["least"] for one in shown)
    high = max(one["tokens"]["p95"] for one in shown)
    return [{**one, "picture": pictures.spread(one["tokens"], low, high)} for one in shown]


def _words(found: Found, order: Mapping[str, int]) -> list[dict[str, Any]]:
    total = found["telling_words"]["rows"]
    sizes = {
        row["name"]: row["train"] + row["validation"]
        for group in found["classes"]
        if group["counts"] == "rows"
        for row in group["rows"]
    }
    classes = [c for c in found["telling_words"]["classes"] if c["words"]]
    classes.sort(key=lambda one: order.get(one["name"], 0))
    return [
        {
            "name": one["name"],
            "picture": pictures.words(one["words"], sizes[one["name"]], total - sizes[one["name"]]),
            "list": ", ".join(f"{w['word']} ({w['texts']:,}, elsewhere {w['elsewhere']:,})" for w in one["words"]),
        }
        for one in classes[:CLASSES]
    ]


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _share(share: float) -> str:
    """A share in percent in which a few are not none."""
    return "0 %" if share == 0 else "under 0.1 %" if share < 0.001 else percent(share)


def _times(times: float) -> str:
    return f"{times:.1f} times" if times < 10 else f"{times:,.0f} times"
