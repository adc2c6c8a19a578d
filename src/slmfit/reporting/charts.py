"""Charts as inline SVG that need no script: across in percent of the width, so they fit any screen; down in pixels.

    bar(0.91, 0.905, 0.915, guess=0.25)
    rows, score = Axis.of([100, 1000], log=True), Axis.of([0.7, 0.9])
    lines([Series("linear", [Dot(100, 0.71), Dot(1000, 0.88)])], rows.named("rows", str), score.named("accuracy", str))

Text keeps its size when the chart shrinks, and names stand at the lines and dots themselves, not in a legend.
Colours are classes of style.css: `pick`, `rest`, `faded`, `ink`, `wrong`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from markupsafe import Markup

from slmfit.reporting.svg import join, tag

HEIGHT = 300  # pixels of a plot, without the numbers below it
LINE = 16  # pixels between two names
LONGEST = 26  # characters of a name
NUMBER = 0.14  # of the width that a number below takes on a phone
MARKS = (tuple(range(1, 10)), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))  # of a decade, the most that have room first
WIDE = 30  # percent of the width that a name may take on a phone


@dataclass(frozen=True)
class Axis:
    """A scale from low to high; `ticks` are the values that get a number, written by `words`, under a title."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False
    title: str = ""
    words: Callable[[float], str] = str

    def named(self, title: str, words: Callable[[float], str]) -> Axis:
        """The same scale with its title and its numbers in words."""
        return replace(self, title=title, words=words)

    @classmethod
    def of(cls, values: Iterable[float], *, log: bool = False, most: float | None = None, least: float = 0.0) -> Axis:
        """A scale that holds these values with some air, and round ticks `least` apart or more; never above `most`."""
        known = sorted(values)
        if log:
            return cls._logarithmic(known[0], known[-1])
        low, high = known[0], known[-1]
        air = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
        low, high = low - air, high + air
        if most is not None:
            high = min(high, most + 0.02 * (most - low))
        step = max(least, _round_step((high - low) / 5))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return cls(low, high, tuple(step * i for i in range(first, last + 1)))

    @classmethod
    def _logarithmic(cls, low: float, high: float) -> Axis:
        air = (high / low) ** 0.06 if high > low else 2.0
        low, high = low / air, high * air
        decades = math.log10(high / low)
        every = 1 if decades <= 5 else 2
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        held: list[float] = []
        for marks in MARKS:
            ticks = [mark * 10.0**e for e in exponents if e % every == 0 for mark in marks]
            held = [tick for tick in ticks if low <= tick <= high]
            if all(math.log10(two / one) >= NUMBER * decades for one, two in pairwise(held)):
                break
        if len(held) < 2:
            step = _round_step((high - low) / 4)
            held = [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
        return cls(low, high, tuple(held), log=True)

    def at(self, value: float) -> float:
        """Where a value is, as a share of the way."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """A named line, or one dot. look: `pick`, `rest` or `faded`; dots: whether each point is marked."""

    name: str
    points: Sequence[Dot]
    look: str = "rest"
    dots: bool = True


def bar(value: float, low: float | None, high: float | None, *, guess: float | None, look: str) -> Markup:
    """One bar from 0 to 1 with its interval, and the line of guessing, which joins those above and below it."""
    parts = [tag("rect", x=0, y=6, width=f"{100 * value:.2f}%", height=16, rx=2, class_=f"bar {look}")]
    if guess is not None:
        parts.append(_line(100 * guess, 0, 100 * guess, 28, "guess"))
    if low is not None and high is not None:
        parts += [_line(100 * low, 14, 100 * high, 14, "halo")]
        parts += [_line(100 * end, 9, 100 * end, 19, "halo") for end in (low, high)]
        parts += [_line(100 * low, 14, 100 * high, 14, "interval")]
        parts += [_line(100 * end, 10, 100 * end, 18, "interval") for end in (low, high)]
    return Markup('<svg class="bar-row" width="100%" height="28" aria-hidden="true">{}</svg>').format(join(parts))


def scatter(points: Sequence[Series], frontier: Sequence[Dot], x: Axis, y: Axis) -> Markup:
    """Dots with their intervals and names, and the stairs of the frontier."""
    parts = list(_grid(x, y))
    for here, after in zip_longest(frontier, frontier[1:]):
        left, level = _x(x, here.x), _y(y, here.y)
        right = _x(x, after.x) if after else 100.0
        parts.append(_line(left, level, right, level, "frontier"))
        if after:
            parts.append(_line(right, level, right, _y(y, after.y), "frontier"))
    named = []
    on_line = [dot for dot in (one.points[0] for one in points) if any((dot.x, dot.y) == (f.x, f.y) for f in frontier)]
    for one in points:
        dot = one.points[0]
        parts += [*_whisker(dot, x, y, one.look), _dot(dot, x, y, one.look, 6)]
        left = _x(x, dot.x) > 100 - WIDE
        below = 0 if left or dot not in on_line else 13  # the frontier leaves a dot to the right
        named.append(_Name(one.name, _x(x, dot.x), _y(y, dot.y) + below, one.look, left_of=left))
    return _plot([*parts, *_names(named)])


def cloud(dots: Sequence[Dot], marked: Sequence[Series], x: Axis, y: Axis, *, level: float) -> Markup:
    """Dots without a name, over them those of the series with theirs; a line across at `level`."""
    parts = [*_grid(x, y), _line(0, _y(y, level), 100, _y(y, level), "guess")]
    parts += [_dot(dot, x, y, "faded", 4) for dot in dots]
    named = []
    for one in marked:
        dot = one.points[0]
        parts.append(_dot(dot, x, y, one.look, 6))
        named.append(_Name(one.name, _x(x, dot.x), _y(y, dot.y), one.look, left_of=_x(x, dot.x) > 100 - WIDE))
    return _plot([*parts, *_names(named)])


def strip(dots: Sequence[tuple[float, str]], axis: Axis, *, level: float) -> Markup:
    """Dots along one line, each with its look, and a tick at `level`; strips below each other share their axis."""
    parts = [_line(0, 14, 100, 14, "grid"), _line(100 * axis.at(level), 2, 100 * axis.at(level), 26, "guess")]
    for value, look in dots:
        parts.append(tag("circle", cx=f"{100 * axis.at(value):.2f}%", cy=14, r=5, class_=f"dot {look}"))
    return Markup('<svg class="bar-row" width="100%" height="28" aria-hidden="true">{}</svg>').format(join(parts))


def lines(series: Sequence[Series], x: Axis, y: Axis, *, named: bool = True) -> Markup:
    """Lines with their names at the right end; `faded` and `rest` lie below the pick."""
    parts, names = list(_grid(x, y)), []
    rest = [one.name for one in series if one.look == "rest"]
    for one in sorted(series, key=lambda s: ("faded", "rest", "pick").index(s.look)):
        dashes = f" dash-{rest.index(one.name) % 4}" if one.look == "rest" else ""
        path = " ".join(f"{_x(x, p.x):.2f},{_y(y, p.y):.1f}" for p in one.points)
        inner = tag("polyline", points=path, class_=f"line {one.look}{dashes}")
        parts.append(
            Markup('<svg width="100%" height="{}" viewBox="0 0 100 {}" preserveAspectRatio="none">{}</svg>').format(
                HEIGHT, HEIGHT, inner
            )
        )
        if one.dots:
            parts += [mark for p in one.points for mark in (*_whisker(p, x, y, one.look), _dot(p, x, y, one.look, 3.5))]
        last = one.points[-1]
        if len(one.points) == 1:
            above = {"x": f"{_x(x, last.x):.2f}%", "y": f"{_y(y, last.y) - 12:.1f}", "class_": f"name {one.look}"}
            parts.append(tag("text", _short(one.name), text_anchor="middle", **above))
        else:
            names.append(_Name(one.name, _x(x, last.x), _y(y, last.y), one.look))
    return _plot([*parts, *(_names(names) if named else ())])


def reliability(bins: Sequence[tuple[float, float, int]], look: str) -> Markup:
    """Confidence against accuracy of each bin; a dot's area is its rows, its distance to the diagonal the error."""
    most = max((rows for _, _, rows in bins), default=1)
    parts = [tag("line", x1=0, y1=100, x2=100, y2=0, class_="diagonal")]
    for confidence, accuracy, rows in bins:
        x, y, r = 100 * confidence, 100 - 100 * accuracy, 1.2 + 4.3 * math.sqrt(rows / most)
        parts.append(tag("line", x1=f"{x:.2f}", y1=f"{100 - x:.2f}", x2=f"{x:.2f}", y2=f"{y:.2f}", class_="gap"))
        parts.append(tag("circle", cx=f"{x:.2f}", cy=f"{y:.2f}", r=f"{r:.2f}", class_=f"dot {look}"))
    for words, x, y, anchor in (
        ("right ↑", -4, -5, "start"),
        ("how sure →", 106, 115, "end"),
        ("0 %", 0, 115, "start"),
    ):
        parts.append(tag("text", words, x=x, y=y, text_anchor=anchor, class_="mini"))
    return Markup('<svg class="square" viewBox="-6 -14 112 132" aria-hidden="true">{}</svg>').format(join(parts))


# --- names ---


@dataclass
class _Name:
    text: str
    x: float
    y: float
    look: str
    left_of: bool = False
    shown: float = 0.0


def _names(names: list[_Name]) -> Iterator[Markup]:
    """Names beside their places, pushed apart where they would touch; a thin line leads back to a place that is far."""
    for name in names:
        name.shown = min(max(name.y, 6.0), HEIGHT - 6.0)
    for _ in range(80):
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                _push_apart(one, other)
    for name in names:
        side = -1 if name.left_of else 1
        if abs(name.shown - name.y) > LINE / 2:
            yield Markup('<svg x="{}%" y="0" width="1" height="{}" overflow="visible">{}</svg>').format(
                f"{name.x:.2f}", HEIGHT,
                tag("line", x1=side * 5, y1=f"{name.y:.1f}", x2=side * 10, y2=f"{name.shown:.1f}", class_="leader"),
            )  # fmt: skip
        attributes = {
            "x": f"{name.x:.2f}%",
            "dx": side * 12,
            "y": f"{name.shown + 4:.1f}",
            "class_": f"name {name.look}",
        }
        yield tag("text", _short(name.text), text_anchor="end" if name.left_of else "start", **attributes)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _push_apart(one: _Name, other: _Name) -> None:
    reach = WIDE if one.left_of == other.left_of else 2 * WIDE
    if abs(one.x - other.x) > reach or abs(one.shown - other.shown) >= LINE:
        return
    upper, lower = (one, other) if (one.shown, one.y, one.text) <= (other.shown, other.y, other.text) else (other, one)
    shift = (LINE - (lower.shown - upper.shown)) / 2 + 0.01
    upper.shown = max(6.0, upper.shown - shift)
    lower.shown = min(HEIGHT - 6.0, lower.shown + shift)


# --- parts ---


def _plot(parts: Iterable[Markup]) -> Markup:
    return Markup('<svg class="plot" width="100%" height="{}" aria-hidden="true">{}</svg>').format(HEIGHT, join(parts))


def _grid(x: Axis, y: Axis) -> Iterator[Markup]:
    yield tag("text", y.title, x="0", dx=-46, y=-18, class_="title")
    for tick in y.ticks:
        yield _line(0, _y(y, tick), 100, _y(y, tick), "grid")
        yield tag("text", y.words(tick), x="0", dx=-8, y=f"{_y(y, tick) + 4:.1f}", text_anchor="end", class_="tick")
    yield _line(0, HEIGHT, 100, HEIGHT, "axis")
    for tick in x.ticks:
        yield _line(_x(x, tick), HEIGHT, _x(x, tick), HEIGHT + 5, "axis")
        place = f"{_x(x, tick):.2f}%"
        yield tag("text", x.words(tick), x=place, y=HEIGHT + 20, text_anchor="middle", class_="tick")
    yield tag("text", _title(x), x="100%", y=HEIGHT + 40, text_anchor="end", class_="title")


def _title(axis: Axis) -> str:
    """The title; of a scale on which every step multiplies it says so."""
    return axis.title.replace(" →", ", log scale →") if axis.log else axis.title


def _whisker(dot: Dot, x: Axis, y: Axis, look: str) -> Iterator[Markup]:
    if dot.low is not None and dot.high is not None:
        across = _x(x, dot.x)
        yield _line(across, _y(y, dot.low), across, _y(y, dot.high), f"whisker {look}")


def _dot(dot: Dot, x: Axis, y: Axis, look: str, radius: float) -> Markup:
    return tag("circle", cx=f"{_x(x, dot.x):.2f}%", cy=f"{_y(y, dot.y):.1f}", r=radius, class_=f"dot {look}")


def _x(axis: Axis, value: float) -> float:
    return 100 * axis.at(value)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT * (1 - axis.at(value))


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> Markup:
    return tag("line", x1=f"{x1:.2f}%", y1=f"{y1:.1f}", x2=f"{x2:.2f}%", y2=f"{y2:.1f}", class_=look)


def _round_step(step: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= step - 1e-12)
