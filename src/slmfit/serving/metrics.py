"""/metrics in Prometheus's text form: what was asked, how long it takes, and what drift is seen by.

Of every count that may drift there is one of validation beside it. There are no texts in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from slmfit.serving.as_openai import Prompts
from slmfit.serving.drift import BINS
from slmfit.serving.line import Line
from slmfit.serving.upstream import Upstream


class Page:
    """Lines of the text form: all of a metric together, its help before them."""

    def __init__(self) -> None:
        self._metrics: dict[str, list[str]] = {}

    def add(self, name: str, kind: str, help: str, value: float, suffix: str = "", **labels: object) -> None:
        lines = self._metrics.setdefault(name, [f"# HELP {name} {help}", f"# TYPE {name} {kind}"])
        told = ",".join(f'{key}="{_escaped(str(label))}"' for key, label in labels.items())
        lines.append(f"{name}{suffix}{{{told}}} {value:.10g}" if told else f"{name}{suffix} {value:.10g}")

    def text(self) -> str:
        return "".join(f"{line}\n" for lines in self._metrics.values() for line in lines)


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").encode("utf-8", "replace").decode()


def text(
    lines: Iterable[Line],
    requests: Mapping[tuple[str, int], int],
    prompts: Prompts | None = None,
    upstream: Upstream | None = None,
) -> str:
    """The page."""
    page, lines = Page(), list(lines)
    for (route, status), count in sorted(requests.items()):
        page.add("slmfit_requests_total", "counter", "Requests answered.", count, route=route, status=status)
    if prompts is not None and upstream is not None:
        for (prompt, by), count in sorted(prompts.answered.items()):
            help = "Requests of a log's prompts, by who answered."
            page.add("slmfit_prompts_total", "counter", help, count, model=prompt, by=by)
        for said, count in sorted(upstream.answers.items()):
            page.add("slmfit_upstream_total", "counter", "What the large model's server said.", count, status=said)
    for name, kind, help, value_of in _OF_A_LINE:
        for line in lines:
            page.add(name, kind, help, value_of(line), model=line.name)
    counted = [("", line.name, _plain(line)) for line in lines]
    before = [("validation_", line.name, seen) for line in lines if (seen := line.about.get("validation"))]
    for sort in (counted, before):
        for prefix, model, counts in sort:
            _drift(page, prefix, model, counts)
    page.add("process_cpu_seconds_total", "counter", "Of the server's own process.", time.process_time())
    if (held := resident_bytes()) is not None:
        page.add("process_resident_memory_bytes", "gauge", "Of the server's own process.", held)
    return page.text()


_OF_A_LINE: list[tuple[str, str, str, Any]] = [
    ("slmfit_ready", "gauge", "Whether the model is loaded.", lambda line: int(line.ready)),
    ("slmfit_waiting", "gauge", "Inputs that wait for the model.", lambda line: len(line.waiting)),
    ("slmfit_batches_total", "counter", "Times the model was asked.", lambda line: line.batches),
    ("slmfit_busy_seconds_total", "counter", "Time in which it was.", lambda line: line.busy_seconds),
    ("slmfit_refused_total", "counter", "Inputs refused since too many waited.", lambda line: line.refused),
    ("slmfit_dropped_total", "counter", "Inputs whose client had left.", lambda line: line.dropped),
    ("slmfit_restarts_total", "counter", "Times the model's process was started again.", lambda line: line.restarts),
]


def _plain(line: Line) -> dict[str, Any]:
    return line.counts.plain()


def _drift(page: Page, prefix: str, model: str, counts: Mapping[str, Any]) -> None:
    name, of = f"slmfit_{prefix}", " of validation" if prefix else ""
    kind, end = ("gauge", "") if prefix else ("counter", "_total")
    for outcome, count in sorted(counts["outcomes"].items()):
        page.add(f"{name}outcomes{end}", kind, f"Inputs{of} by outcome.", count, model=model, outcome=outcome)
    for label, count in sorted(counts["answers"].items()):
        page.add(f"{name}answers{end}", kind, f"Answers{of} by label.", count, model=model, label=label)
    for part, count in sorted(counts["by"].items()):
        page.add(f"{name}answered_by{end}", kind, f"Inputs{of} by who answered.", count, model=model, part=part)
    if any(counts["confidence"]):
        for suffix, value, labels in _buckets(counts):
            help = f"The answers' own probability{of}."
            page.add(f"{name}confidence", "histogram", help, value, suffix, model=model, **labels)
    for what in ("words", "unseen") if counts["words"] else ():
        help = f"Words{of}{' that the run was not fitted on' if what == 'unseen' else ''}."
        page.add(f"{name}{what}{'_words' if what == 'unseen' else ''}{end}", kind, help, counts[what], model=model)
    if counts["truncated"]:
        page.add(f"{name}truncated{end}", kind, f"Inputs{of} not read to their end.", counts["truncated"], model=model)


def _buckets(counts: Mapping[str, Any]) -> Iterator[tuple[str, float, dict[str, str]]]:
    total = 0
    for place, count in enumerate(counts["confidence"], 1):
        total += count
        yield "_bucket", total, {"le": f"{place / BINS:g}"}
    yield "_bucket", total, {"le": "+Inf"}
    yield "_sum", counts["confidence_sum"], {}
    yield "_count", total, {}


def resident_bytes() -> int | None:
    """Memory that this process holds; None where no one knows."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
