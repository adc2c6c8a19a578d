"""The charts of a report, each from the part of the records that it draws.

costs(source)["size"].picture        # quality against bytes
learning_curve(source)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from slmfit.records import MethodRow, Score
from slmfit.reporting.charts import Axis, Dot, Series, lines, reliability, scatter
from slmfit.reporting.disk import Source, read_lines
from slmfit.text.figures import PLAIN, by_unit, bytes_words, milliseconds, seconds_words, told


@dataclass(frozen=True)
class Cost:
    """One thing that quality costs: its name for a switch, for an axis, where it is in a record, and in words."""

    key: str
    title: str
    axis: str
    of: Callable[[MethodRow], float | None]
    words: Callable[[float], str]


@dataclass(frozen=True)
class CostPicture:
    cost: Cost
    picture: Markup | None
    unknown: tuple[str, ...]  # methods whose cost nobody knows
    below: tuple[str, ...]  # methods too far below the others to be in the picture
    frontier: tuple[str, ...]


def _p50(row: MethodRow) -> float | None:
    """Seconds."""
    return row.latency_ms["p50"] / 1000 if row.latency_ms else None


def _size(value: float) -> str:
    return _trimmed(bytes_words(round(value)))


def _time(seconds: float) -> str:
    return _trimmed(seconds_words(seconds)) if seconds >= 0.001 else milliseconds(1000 * seconds)


COSTS = (
    Cost("size", "Size", "size on disk", lambda row: row.size_bytes, _size),
    Cost("latency", "Time per text", "time to answer one text", _p50, _time),
    Cost("memory", "Memory", "peak memory", lambda row: row.peak_memory_bytes, _size),
    Cost("fit", "Time to learn", "time to learn once", lambda row: row.fit_seconds, _time),
    Cost("cost", "Money", "US$ per 1,000 rows", lambda row: row.usd_per_1000_rows, lambda v: f"${v:.3g}"),
)


def look(source: Source, id: str) -> str:
    """The pick stands out."""
    return "pick" if id == source.picked else "rest"


def costs(source: Source) -> list[CostPicture]:
    """Quality against each thing it costs."""
    return [_cost_picture(source, cost) for cost in COSTS]


def _cost_picture(source: Source, cost: Cost) -> CostPicture:
    scored = [(row, row.scores["test"][source.metric]) for row in source.methods if row.scores]
    known = [(row, score, value) for row, score in scored if (value := cost.of(row))]
    unknown = tuple(row.id for row, _ in scored if not cost.of(row))
    far = _far_below([(row.id, score) for row, score, _ in known], {r.id for r in source.methods if r.floor})
    shown = [(row, score, value) for row, score, value in known if row.id not in far]
    if len(shown) < 2:  # one dot says nothing that its figures do not
        return CostPicture(cost, None, unknown, (), ())
    best, frontier = float("-inf"), []
    for row, score, value in sorted(known, key=lambda one: (one[2], -one[1].value)):
        if score.value > best:
            best = score.value
            frontier.append((row.id, Dot(value, score.value)))
    ids = {id for id, _ in frontier}
    points = [
        Series(row.id, [_dot(value, score)], look(source, row.id) if row.id in ids else "faded")
        for row, score, value in shown
    ]
    x = Axis.of([value for *_, value in shown], log=True).named(f"{cost.axis} →", cost.words)
    y = score_axis(source.metric, [score for _, score, _ in shown])
    stairs = [dot for id, dot in frontier if id not in far]
    picture = scatter(points, stairs, x, y)
    return CostPicture(cost, picture, unknown, tuple(far), tuple(id for id, _ in frontier))


def _far_below(scores: Sequence[tuple[str, Score]], floor: set[str]) -> list[str]:
    """The floor's methods, where showing them would press all the others into one line."""
    others = [score.value for id, score in scores if id not in floor]
    if not others:
        return []
    reach = max(0.02, max(others) - min(others))
    return [id for id, score in scores if id in floor and score.value < min(others) - reach]


# --- can the probabilities be trusted ---


def calibration(source: Source) -> list[dict[str, Any]]:
    """A reliability curve per method that gives probabilities and reads what it is asked."""
    found = []
    floor = {row.id for row in source.methods if row.floor}
    for id, record in source.by_score():
        bins = source.details(id).get("reliability")
        if bins and (id not in floor or floor.issuperset(source.records)):
            scores = record.scores["test"]
            picture = reliability([(b["confidence"], b["accuracy"], b["rows"]) for b in bins], look(source, id))
            error = scores.get("expected_calibration_error")
            found.append({"id": id, "picture": picture, "off": error.value if error else None, "bins": bins})
    return found


def coverage(source: Source) -> dict[str, Any] | None:
    """Accuracy of the surest answers against how many are answered."""
    points = {id: p for id in source.records if (p := source.details(id).get("coverage"))}
    floor = {row.id for row in source.methods if row.floor}
    drawn = {id: p for id, p in points.items() if id not in floor} or points
    if not drawn:
        return None
    series = [Series(id, [_dot(p["coverage"], _point_score(p)) for p in some], look(source, id), dots=False)
              for id, some in drawn.items()]  # fmt: skip
    y = score_axis("accuracy", [_point_score(p) for some in drawn.values() for p in some[1:] or some])
    x = Axis(0, 1, (0, 0.25, 0.5, 0.75, 1)).named("share that is answered →", lambda v: f"{100 * v:.0f} %")
    picture = lines(series, x, y)
    told = {id: [p for p in some if round(20 * p["coverage"]) % 2 == 0] for id, some in drawn.items()}  # every tenth
    first = {source.picked: told[source.picked]} if source.picked in told else {}
    return {"picture": picture, "points": first | told, "left_out": [id for id in points if id not in drawn]}


def _point_score(point: Mapping[str, Any]) -> Score:
    return Score(point["accuracy"], point["low"], point["high"])


# --- how many labels do I need ---


def learning_curve(source: Source) -> dict[str, Any] | None:
    """Score against rows of train, for the methods that were fitted on fractions of it."""
    curve = (source.diagnostics or {}).get("learning_curve") or {}
    if not curve.get("points"):
        return None
    by_method: dict[str, list[Dot]] = defaultdict(list)
    for point in sorted(curve["points"], key=lambda p: p["rows"]):
        by_method[point["method"]].append(_dot(point["rows"], Score(**point["score"])))
    metric, rows = curve["metric"], sorted({point["rows"] for point in curve["points"]})
    x = Axis.of(rows, log=True) if rows[0] != rows[-1] else Axis.of(rows)
    ticks = tuple(n for n in rows if all(n >= more or x.at(more) - x.at(n) > 0.12 for more in rows))
    x = Axis(x.low, x.high, ticks, x.log).named("rows of train →", lambda v: f"{v:,.0f}")
    y = score_axis(metric, [Score(**point["score"]) for point in curve["points"]])
    series = [Series(id, dots, look(source, id)) for id, dots in by_method.items()]
    picture = lines(series, x, y)
    points = sorted(curve["points"], key=lambda p: (list(by_method).index(p["method"]), p["rows"]))
    return {"picture": picture, "metric": metric, "scored_on": curve.get("scored_on", "test"), "points": points}


# --- training ---


def training(source: Source) -> Iterator[dict[str, Any]]:
    """Curves of what was written down while training: losses and scores, each by split and by how it was taken."""
    for id, folder in source.folders.items():
        curves: dict[str, dict[str, list[Dot]]] = defaultdict(lambda: defaultdict(list))
        for event in read_lines(folder / "events.jsonl"):
            if event.get("event") == "loss":
                name = f"{event.get('split', 'train')}, {event.get('measured', 'evaluated')}"
                for what in ("loss", source.records[id].metric):
                    if isinstance(event.get(what), int | float):
                        curves[what][name].append(Dot(float(event.get("epoch") or 0), event[what]))
        if curves:
            yield {"id": id, "pictures": [(what, _training_picture(what, some)) for what, some in curves.items()]}


def _training_picture(what: str, curves: Mapping[str, Sequence[Dot]]) -> Markup:
    dots = [dot for some in curves.values() for dot in some]
    looks = {
        name: "pick" if name == "validation, evaluated" else "faded" if "running" in name else "rest" for name in curves
    }
    series = [Series(name, _thinned(some), looks[name], dots="running" not in name) for name, some in curves.items()]
    epochs = [dot.x for dot in dots]
    x = Axis.of(epochs, least=1.0 if max(epochs) - min(epochs) > 2 else 0.0).named("epoch →", lambda v: f"{v:.3g}")
    return lines(series, x, score_axis(what, [Score(dot.y) for dot in dots]))


def _thinned(dots: Sequence[Dot], most: int = 400) -> Sequence[Dot]:
    """Every n-th, and the last: more than a screen has columns."""
    step = -(-len(dots) // most)
    return [*dots[:-1][::step], dots[-1]]


# --- scales ---


def _dot(x: float, score: Score) -> Dot:
    return Dot(x, score.value, score.low, score.high)


def score_axis(metric: str, scores: Sequence[Score]) -> Axis:
    ends = [end for s in scores for end in (s.value, s.low, s.high) if end is not None]
    share = metric != "loss" and not metric.startswith(PLAIN)
    axis = Axis.of(ends, most=1.0 if share else None)
    return axis.named(told(metric), (lambda v: _trimmed(by_unit(metric, v))) if share else (lambda v: f"{v:.3g}"))


def _trimmed(words: str) -> str:
    """Without a decimal that says nothing."""
    return words.replace(".0 ", " ")
