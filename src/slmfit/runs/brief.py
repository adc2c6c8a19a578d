"""A record in brief, where a page is too much: in a notebook, in a pull request.

comparison_html(record)      # what a notebook shows, also after the kernel is gone
markdown(record)             # a table for a pull request
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from slmfit.records import ComparisonRecord, MethodRow, RunRecord, Score
from slmfit.text.figures import (
    by_unit,
    bytes_words,
    dollars,
    failures,
    interval,
    latency_words,
    parts_of,
    percent,
    seconds_words,
    seeds_words,
    speed_words,
    ticked,
    told,
)
from slmfit.text.visible import visible

HEADS = ("method", "test", "95 % interval", "size", "one fit", "p50", "rows / s")
_CELL = "padding:.3em .8em .3em 0;text-align:{};border-bottom:1px solid #8884;vertical-align:middle;white-space:nowrap"


def comparison_html(record: ComparisonRecord) -> str:
    """The verdict and the table as a fragment with everything inside: no script, no style sheet, no file."""
    verdict = record.verdict
    notes = "".join(_paragraph(caveat, "opacity:.75;font-size:.9em") for caveat in verdict.caveats)
    ordered = sorted(record.methods, key=lambda row: -(_score(row, verdict.metric) or Score(-1)).value)
    return (
        f"<div>{_paragraph(verdict.sentence, 'font-weight:600;font-size:1.15em;max-width:50em')}"
        f"{_table(ordered, verdict.metric, verdict.method)}{notes}</div>"
    )


def run_html(record: RunRecord) -> str:
    """One run in the same way."""
    title = _paragraph(
        f"{record.id} on {record.dataset['name']}: {score_sentence(record)}", "font-weight:600;font-size:1.15em"
    )
    return f"<div>{title}{_table([record], record.metric, record.id)}</div>"


def markdown(record: ComparisonRecord | RunRecord) -> str:
    """The verdict and the table, for a pull request; nothing in it is taken for markup or a mention."""
    if isinstance(record, RunRecord):
        rows: Sequence[MethodRow | RunRecord] = [record]
        metric, picked, title = (
            record.metric,
            None,
            f"{record.id} on {record.dataset['name']}: {score_sentence(record)}",
        )
    else:
        rows, metric, picked = record.methods, record.verdict.metric, record.verdict.method
        title = record.verdict.sentence
    lines = [f"**{escaped(title)}**", "", f"| {' | '.join(HEADS)} |", "|:--|" + "--:|" * (len(HEADS) - 1)]
    for row in rows:
        name = f"**{escaped(row.id)}**" if row.id == picked else escaped(row.id)
        cells = _cells(row, metric) if row.scores else [_reason(row), *[""] * 5]
        lines.append(f"| {' | '.join([name, *map(escaped, cells)])} |")
    caveats = [] if isinstance(record, RunRecord) else [f"\n{escaped(caveat)}" for caveat in record.verdict.caveats]
    test = record.split["test"]
    lost = [(row.id, failures(_outcomes(row))) for row in rows]
    caveats += [f"\n{escaped(id)}, no answer: {words}; they count as wrong." for id, words in lost if words]
    paid = [(row.id, row.usd_per_1000_rows) for row in rows if isinstance(row, MethodRow)]
    caveats += [f"\n{escaped(id)}: {escaped(dollars(usd))} per 1,000 rows." for id, usd in paid if usd is not None]
    origin = f"\n{test.rows:,} test rows, sha256 {test.hash[:12]}, seed {record.seed}"
    return "\n".join([*lines, *caveats, origin, ""])


# --- parts ---


def score_sentence(record: RunRecord) -> str:
    """'test accuracy 91.3 % (90.5–92.1)'."""
    score = record.scores["test"][record.metric]
    span = interval(record.metric, score)
    return f"test {told(record.metric)} {by_unit(record.metric, score.value)}" + (f" ({span})" if span else "")


def _score(row: MethodRow | RunRecord, metric: str) -> Score | None:
    return (row.scores or {}).get("test", {}).get(metric)


def _cells(row: MethodRow | RunRecord, metric: str) -> list[str]:
    score, seeds = _score(row, metric), seeds_words(metric, row)
    parts = ", ".join(f"{told(name)} {by_unit(name, part.value)}" for name, part in parts_of(row, metric).items())
    return [
        by_unit(metric, score.value) if score else "",
        "; ".join(filter(None, [interval(metric, score) if score else "", parts])) + (f" ({seeds})" if seeds else ""),
        bytes_words(row.size_bytes),
        seconds_words(row.fit_seconds),
        latency_words(row),
        speed_words(row.rows_per_second) if row.rows_per_second else "",
    ]


def _outcomes(row: MethodRow | RunRecord) -> Mapping[str, int] | None:
    return row.outcomes if isinstance(row, MethodRow) else row.details.get("test", {}).get("outcomes")


def _reason(row: MethodRow | RunRecord) -> str:
    """Why there is no score."""
    return f"{row.status}: {row.reason or ''}" if isinstance(row, MethodRow) else ""


def _table(rows: Sequence[MethodRow | RunRecord], metric: str, picked: str | None) -> str:
    """A table whose bars are cells: what cleans a notebook of scripts and styles leaves it whole."""
    left, right = (_CELL.format(side) for side in ("left", "right"))
    head = f'<th style="{left}">{HEADS[0]}</th><th colspan="2" style="{left}">{HEADS[1]} {_safe(told(metric))}</th>'
    head += "".join(f'<th style="{right}">{name}</th>' for name in HEADS[2:])
    lines = [f"<tr>{head}</tr>"]
    for row in rows:
        score, strong = _score(row, metric), "font-weight:700;" if row.id == picked else ""
        cells = [f'<td style="{strong}{left}">{_safe(row.id)}</td>']
        if score is None:
            reason = f"{left};white-space:normal;opacity:.75"
            cells.append(f'<td colspan="7" style="{reason}">{ticked(_reason(row))}</td>')
        else:
            width = percent(max(0.0, min(1.0, score.value))).replace(" ", "")
            bar = f"width:{width};height:.7em;background-color:{'#2f6fde' if row.id == picked else '#9a9fa6'}"
            cells.append(
                f'<td style="width:8em;{left}"><div style="min-width:4em"><div style="{bar}"></div></div></td>'
            )
            cells += [f'<td style="{strong}{right}{_wrapped(cell)}">{_safe(cell)}</td>' for cell in _cells(row, metric)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    style = "border-collapse:collapse;color:inherit;font:inherit;font-variant-numeric:tabular-nums"
    table = f'<table style="{style}">{"".join(lines)}</table>'
    return f'<div class="slmfit-table" tabindex="0" style="overflow-x:auto">{table}</div>'


def _wrapped(cell: str) -> str:
    """More than a figure may stand on several lines; a figure is never broken."""
    return ";white-space:normal;min-width:7em" if ", " in cell else ""


def _paragraph(text: str, style: str) -> str:
    """A paragraph, what stands between backticks as code."""
    return f'<p style="margin:.4em 0;{style}"><bdi>{ticked(text)}</bdi></p>'


def _safe(text: Any) -> Markup:
    return Markup("<bdi>{}</bdi>").format(escape(visible(str(text))))


def escaped(text: str) -> str:
    """Text that Markdown takes for nothing else, on one line; an @ names nobody."""
    line = " ".join(visible(text).replace("`", "'").split())
    return re.sub(r"([\\*_{}\[\]<>#|~$&])", r"\\\1", line).replace("@", "@\u200b")
