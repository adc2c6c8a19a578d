"""Charts for a notebook: a fragment with its style inside, at home on a light page and on a dark one.

    Chart.lines({"train": {1: 0.4, 2: 0.2}, "validation": {1: 0.5, 2: 0.4}}, x="epoch", y="loss")
    Chart.bars({"majority": Score(0.22, 0.19, 0.26), "linear": Score(0.92, 0.89, 0.94)}, percent=True)

No script, no file and no package that draws. What a picture shows can be read as text too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeAlias

from markupsafe import Markup, escape

from slmfit.errors import UsageError
from slmfit.records import Score
from slmfit.reporting.charts import Axis, Dot, Series, lines, scatter
from slmfit.reporting.svg import join, tag
from slmfit.text.figures import percent as in_percent
from slmfit.text.visible import visible

Value: TypeAlias = float | Score
DENSE = 40  # points; a line of more has none of them marked

STYLE = """
.slmfit-chart { --ink: currentColor; --accent: color-mix(in srgb, #2f6fde 78%, currentColor);
 --paper: var(--color-background-primary, var(--jp-layout-color0, Canvas));
 --quiet: color-mix(in srgb, currentColor 72%, transparent); --line: color-mix(in srgb, currentColor 18%, transparent);
 --bar: color-mix(in srgb, currentColor 38%, transparent); margin: 1.2em 0; max-width: 46em; font-size: 14px; }
.slmfit-chart figcaption { font-weight: 600; margin: 0 0 .6em; text-align: left; }
.slmfit-chart svg { display: block; overflow: visible; }
.slmfit-chart svg text { fill: var(--quiet); font-size: 12.5px; }
.slmfit-chart .plot-frame { padding: 2em 9em 3.6em 4em; }
.slmfit-chart .plot-frame.dots { padding-right: 1em; }
.slmfit-chart .name { font-weight: 600; fill: var(--ink); paint-order: stroke; stroke: var(--paper);
 stroke-width: 4px; }
.slmfit-chart .name.pick { fill: var(--accent); }
.slmfit-chart .grid { stroke: var(--line); } .slmfit-chart .axis { stroke: var(--quiet); }
.slmfit-chart .guess { stroke: var(--ink); stroke-dasharray: 3 3; }
.slmfit-chart .interval, .slmfit-chart .whisker { stroke: var(--ink); stroke-width: 1.5; }
.slmfit-chart .whisker.pick { stroke: var(--accent); }
.slmfit-chart .leader { stroke: var(--quiet); stroke-width: .75; }
.slmfit-chart .bar { fill: var(--bar); } .slmfit-chart .bar.pick { fill: var(--accent); }
.slmfit-chart .line { fill: none; stroke: var(--quiet); stroke-width: 1.75; vector-effect: non-scaling-stroke; }
.slmfit-chart .line.pick { stroke: var(--accent); stroke-width: 2.75; }
.slmfit-chart .dash-1 { stroke-dasharray: 7 3; } .slmfit-chart .dash-2 { stroke-dasharray: 2 3; }
.slmfit-chart .dash-3 { stroke-dasharray: 9 3 2 3; }
.slmfit-chart .dot { fill: var(--ink); } .slmfit-chart .dot.pick { fill: var(--accent); }
.slmfit-chart .bars { display: grid; grid-template-columns: fit-content(14em) minmax(4em, 1fr) auto;
 align-items: center; gap: 0 .9em; }
.slmfit-chart .bars > :nth-child(3n + 1) { text-align: right; overflow-wrap: anywhere; }
.slmfit-chart .number { font-variant-numeric: tabular-nums; }
.slmfit-chart .clouds { display: grid; grid-template-columns: repeat(auto-fill, minmax(9em, 1fr)); gap: 1em; }
.slmfit-chart .clouds svg { box-sizing: border-box; width: 100%; border: 1px solid var(--line); border-radius: 4px; }
.slmfit-chart .clouds path { fill: none; stroke-linecap: round; stroke-width: 2.6; stroke: var(--line); }
.slmfit-chart .clouds path.own { stroke: var(--accent); stroke-width: 3.2; }
.slmfit-chart .scroll { overflow-x: auto; }
.slmfit-chart table { border-collapse: collapse; width: auto; margin: 0; font-size: 12.5px; }
.slmfit-chart :is(th, td) { border: 0; padding: 2px 4px; text-align: center; font-weight: 400; background: none;
 font-variant-numeric: tabular-nums; }
.slmfit-chart tbody th { text-align: right; white-space: nowrap; padding-right: .6em; }
.slmfit-chart .cells td { min-width: 2.5em; height: 2.1em; }
.slmfit-chart .cells thead th { vertical-align: bottom; }
.slmfit-chart .cells thead span { writing-mode: vertical-rl; rotate: 180deg; white-space: nowrap; }
@media (max-width: 34em) { .slmfit-chart .cells { font-size: 11px; }
 .slmfit-chart .cells td { min-width: 0; padding: 2px 1px; }
 .slmfit-chart .cells :is(td, thead th) { width: 1.75em; box-sizing: border-box; } }
.slmfit-chart td.none { background: repeating-linear-gradient(45deg, var(--line) 0 1px, transparent 1px 5px); }
.slmfit-chart summary { cursor: pointer; font-weight: 400; color: var(--quiet); }
"""


class Chart:
    """A picture for a notebook. It is made by `lines`, `dots`, `bars`, `clouds` or `grid`.

    Values are numbers, or scores, whose intervals are drawn. title: what the picture shows. percent: whether values are
    shares, to be written as 91.7 %. strong: the name that stands out.
    """

    def __init__(self, title: str, inside: Markup) -> None:
        self.title, self._inside = title, inside

    def __repr__(self) -> str:
        return f"<slmfit chart {self.title!r}>"

    def _repr_html_(self) -> str:
        caption = Markup("<figcaption>{}</figcaption>").format(visible(self.title)) if self.title else ""
        parts = (Markup("<style>{}</style>").format(Markup(STYLE)), caption, self._inside)
        return str(Markup('<figure class="slmfit-chart">{}{}{}</figure>').format(*parts))

    @classmethod
    def lines(
        cls,
        series: Mapping[str, Mapping[float, Value]],
        *,
        x: str = "",
        y: str = "",
        title: str = "",
        percent: bool = False,
        log: bool = False,
        strong: str | None = None,
    ) -> Self:
        """Lines: name -> x -> value. log: whether every step along x multiplies it.

        Raises UsageError for no values, and for an x that a log scale cannot show.
        """
        dots = {name: [_dot(at, value) for at, value in sorted(some.items())] for name, some in series.items() if some}
        every = [dot for some in dots.values() for dot in some]
        words, (across, up) = _words(percent), _axes(every, x, y, percent, log)
        drawn = [
            Series(name, some, "pick" if name == strong else "rest", dots=len(some) <= DENSE)
            for name, some in dots.items()
        ]
        picture = Markup('<div class="plot-frame">{}</div>').format(lines(drawn, across, up))
        columns = sorted({dot.x for dot in every})
        rows = [(name, [words(found[at].y) if at in found else "" for at in columns])
                for name, some in dots.items() for found in [{dot.x: dot for dot in some}]]  # fmt: skip
        return cls(title or f"{y} by {x}", picture + _behind(x, [_number(at) for at in columns], rows))

    @classmethod
    def dots(
        cls,
        points: Mapping[str, tuple[float, Value]],
        *,
        x: str = "",
        y: str = "",
        title: str = "",
        percent: bool = False,
        log: bool = False,
        strong: str | None = None,
    ) -> Self:
        """A dot with its name for each: name -> (x, value). log: whether every step along x multiplies it.

        Raises UsageError for no points, and for an x that a log scale cannot show.
        """
        dots = {name: _dot(at, value) for name, (at, value) in points.items()}
        drawn = [Series(name, [dot], "pick" if name == strong else "rest") for name, dot in dots.items()]
        across, up = _axes(list(dots.values()), x, y, percent, log)
        picture = Markup('<div class="plot-frame dots">{}</div>').format(scatter(drawn, (), across, up))
        rows = [(name, [_number(dot.x), _words(percent)(dot.y)]) for name, dot in dots.items()]
        return cls(title or f"{y} by {x}", picture + _behind("", [x, y], rows))

    @classmethod
    def bars(
        cls,
        values: Mapping[str, Value],
        *,
        title: str = "",
        percent: bool = False,
        guess: float | None = None,
        strong: str | None = None,
    ) -> Self:
        """A bar for each name, leftwards where it is below zero. guess: a value that gets a line through all bars."""
        scores = {name: _score(value) for name, value in values.items()}
        ends = [end for s in scores.values() for end in (0.0, s.value, s.low, s.high) if end is not None]
        ends += [1.0] if percent else []
        low, high = min([*ends, guess or 0.0]), max([*ends, guess or 0.0]) or 1.0
        words, cells = _words(percent), Markup("")
        for name, score in scores.items():
            bar = _bar(score, low, high, guess, "pick" if name == strong else "rest")
            told = words(score.value)
            if score.low is not None and score.high is not None:
                told += f" ({words(score.low).removesuffix(' %')}–{words(score.high).removesuffix(' %')})"
            cells += Markup('<span>{}</span>{}<span class="number">{}</span>').format(visible(name), bar, told)
        return cls(title, Markup('<div class="bars">{}</div>').format(cells))

    @classmethod
    def clouds(cls, points: Mapping[str, Sequence[tuple[float, float]]], *, title: str = "") -> Self:
        """A small picture for each name, its own points strong and everybody else's pale: where each of them lies."""
        every = [tuple(map(float, point)) for some in points.values() for point in some]
        if not every:
            raise UsageError("a chart of no points", fix="give at least one: {'billing': [(0.1, 0.2)]}")
        sides = [(min(side), (max(side) - min(side)) or 1.0) for side in zip(*every, strict=True)]

        def path(some: Sequence[tuple[float, float]], look: str) -> Markup:
            (left, across), (bottom, up) = sides
            places = ((4 + 92 * (a - left) / across, 96 - 92 * (b - bottom) / up) for a, b in some)
            return tag("path", d="".join(f"M{a:.1f} {b:.1f}h0" for a, b in places), class_=look)

        everybody = path([(a, b) for a, b in every], "other")
        parts = Markup("")
        for name, some in points.items():
            inside = join([everybody, path(some, "own")])
            picture = Markup('<svg viewBox="0 0 100 100" aria-hidden="true">{}</svg>').format(inside)
            parts += Markup("<div>{}{}</div>").format(picture, escape(visible(name)))
        return cls(title, Markup('<div class="clouds">{}</div>').format(parts))

    @classmethod
    def grid(
        cls,
        values: Sequence[Sequence[float | None]],
        *,
        rows: Sequence[str],
        columns: Sequence[str],
        title: str = "",
        percent: bool = False,
    ) -> Self:
        """A table of numbers, the darker the larger; None is a cell that cannot have one.

        values: [rows, columns], none below zero.
        """
        table = [[None if v is None else float(v) for v in row] for row in values]
        most = max((v for row in table for v in row if v is not None), default=1.0) or 1.0
        head = Markup("").join(Markup('<th scope="col"><span>{}</span></th>').format(visible(name)) for name in columns)
        lines_ = Markup("")
        for name, row in zip(rows, table, strict=True):
            cells = Markup("").join(_cell(value, most, percent) for value in row)
            lines_ += Markup('<tr><th scope="row">{}</th>{}</tr>').format(visible(name), cells)
        whole = (
            '<div class="scroll" tabindex="0"><table class="cells"><thead><tr><td></td>{}</tr></thead>'
            "<tbody>{}</tbody></table></div>"
        )
        return cls(title, Markup(whole).format(head, lines_))


def _cell(value: float | None, most: float, percent: bool) -> Markup:
    if value is None:
        return Markup('<td class="none"></td>')
    shade = f"background: color-mix(in srgb, var(--accent) {70 * value / most:.0f}%, transparent)"
    words = f"{100 * value:.0f}" if percent else f"{value:.2f}"
    return Markup('<td style="{}">{}</td>').format(shade, words if float(words) else "")


def _bar(score: Score, low: float, high: float, guess: float | None, look: str) -> Markup:
    def at(value: float) -> str:
        return f"{100 * (value - low) / (high - low):.2f}%"

    left, right = sorted((0.0, score.value))
    width = f"{100 * (right - left) / (high - low):.2f}%"
    parts = [tag("rect", x=at(left), y=5, width=width, height=14, rx=2, class_=f"bar {look}")]
    if guess is not None:
        parts.append(tag("line", x1=at(guess), y1=0, x2=at(guess), y2=24, class_="guess"))
    if score.low is not None and score.high is not None:
        parts.append(tag("line", x1=at(score.low), y1=12, x2=at(score.high), y2=12, class_="interval"))
        parts += [tag("line", x1=at(v), y1=8, x2=at(v), y2=16, class_="interval") for v in (score.low, score.high)]
    return Markup('<svg width="100%" height="24" aria-hidden="true">{}</svg>').format(join(parts))


def _behind(x: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> Markup:
    """The figures of a picture as a table, for who does not see it or wants them."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(name) for name in columns)
    body = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            visible(name), Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells)
        )
        for name, cells in rows
    )
    whole = (
        '<details><summary>The figures</summary><div class="scroll" tabindex="0"><table><thead><tr><th>{}</th>{}</tr>'
        "</thead><tbody>{}</tbody></table></div></details>"
    )
    return Markup(whole).format(x, head, body)


def _words(percent: bool) -> Callable[[float], str]:
    return in_percent if percent else _number


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


def _is_whole(share: float) -> bool:
    return abs(100 * share - round(100 * share)) < 1e-6


def _axes(dots: Sequence[Dot], x: str, y: str, percent: bool, log: bool) -> tuple[Axis, Axis]:
    """The scales that hold these dots with their intervals: across, and up."""
    if not dots:
        raise UsageError("a chart of no values", fix="give at least one: {'validation': {1: 0.9}}")
    if log and min(dot.x for dot in dots) <= 0:
        raise UsageError("a log scale cannot show 0 or less", fix="leave log out, or give values above 0")
    ends = [end for dot in dots for end in (dot.y, dot.low, dot.high) if end is not None]
    up = Axis.of(ends, most=1.0 if percent else None)
    up = up.named(y, _whole if percent and all(map(_is_whole, up.ticks)) else _words(percent))
    return Axis.of([dot.x for dot in dots], log=log).named(f"{x} →", _number), up


def _whole(share: float) -> str:
    """A share in percent beside an axis, where a decimal would say nothing."""
    return f"{100 * share:.0f} %"


def _score(value: Value) -> Score:
    return value if isinstance(value, Score) else Score(float(value))


def _dot(x: float, value: Value) -> Dot:
    score = _score(value)
    return Dot(float(x), score.value, score.low, score.high)
