"""What commands show: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from threading import Event, Thread
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from slmfit.cli.console import new_console
from slmfit.cli.labels import show_labels, show_methods_by_label
from slmfit.cli.lines import Lines, about
from slmfit.cli.nexts import after_comparison, ask, say_next
from slmfit.cli.screen import print_json, say
from slmfit.cli.stressed import show_stressed
from slmfit.comparison.compare import Comparison, Trained
from slmfit.comparison.planning import Step
from slmfit.events import Listener, kept_too
from slmfit.records import SPLITS, MethodRow, Score, to_plain
from slmfit.reporting.guesses import standing
from slmfit.runs.labelled import by_label, of_splits
from slmfit.runs.run import Run
from slmfit.runs.stressed import StressRecord
from slmfit.tasks.base import Scores
from slmfit.text.figures import (
    PARTS,
    by_unit,
    bytes_words,
    dollars,
    failures,
    interval,
    latency_words,
    listed,
    number_of,
    number_words,
    percent,
    seconds_words,
    seeds_words,
    speed_words,
    told,
)
from slmfit.text.looks import beside

if TYPE_CHECKING:
    from slmfit.llm import Quote


def show_comparison(
    comparison: Comparison, *, as_json: bool, stressed: Mapping[str, StressRecord | str] | None = None
) -> None:
    """The table of methods, the verdict and where the result is. stressed: what the methods take, or why not asked."""
    record = comparison.record
    if as_json:
        plain = to_plain(record)
        for run in (one for row in plain["methods"] for one in (row, *row["seeds"])):
            run["run"] = run["run"] and str(comparison.folder / run["run"])
        for row in plain["methods"]:
            row["details"] = of_splits(comparison.runs[row["id"]].record) if row["run"] else None
            if stressed and row["id"] in stressed:
                row["stress"] = to_plain(stressed[row["id"]])
        return print_json(plain)
    show_warnings(record.warnings)
    console = new_console()
    metric = record.verdict.metric
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    asked = {
        "$ / 1,000 rows": ["" if (usd := row.usd_per_1000_rows) is None else dollars(usd) for row in record.methods],
        "no answer": [failures(row.outcomes) for row in record.methods],
        "seeds": [seeds_words(metric, row) for row in record.methods],
        "by the small one": [percent(row.cascade["share"]["test"]) if row.cascade else "" for row in record.methods],
        **{told(name): [_part(row, name) for row in record.methods] for name in PARTS.get(metric, ())},
    }
    more = {name: cells for name, cells in asked.items() if any(cells)}
    figures = (
        f"test {metric}",
        "95 % interval",
        "validation",
        "train",
        "fit",
        "search",
        "p50",
        "rows/s",
        "size",
        "memory",
    )
    table.add_column("method")
    for name in (*figures, *more):
        table.add_column(name, justify="right")
    for n, row in enumerate(record.methods):
        cells = _cells(row, metric, picked=row.id == record.verdict.method)
        table.add_row(*cells, *(column[n] for column in more.values()))
    console.print(table)
    for row in record.methods:
        if row.reason:
            console.print(f"{escape(row.id)}: {escape(row.reason.splitlines()[0])}", style="dim")
    show_methods_by_label(comparison)
    if stressed:
        show_stressed(stressed)
    console.print()
    console.print(escape(record.verdict.sentence), style="bold")
    for caveat in record.verdict.caveats:
        console.print(escape(caveat), style="dim")
    for id, each in record.floors.items():
        against = "; ".join(f"against {floor}: {', '.join(standing(test))}" for floor, test in each.items())
        console.print(escape(f"{id} {against}"), style="dim")
    _say(f"\n{comparison.folder}\nreport: {comparison.folder / 'report.html'}")
    return say_next(*after_comparison(comparison))


def show_warnings(messages: Sequence[str]) -> None:
    """What is wrong with the data, a line each."""
    for message in messages:
        _say(f"warning: {message}")


def show_plan(steps: Sequence[Step], *, as_json: bool, budget: float | None = None) -> None:
    """What would be done for each method, what that would cost, and what would leave this machine."""
    if as_json:
        return print_json([asdict(step) for step in steps])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("method", "plan", "time", "price"):
        table.add_column(name)
    for step in steps:
        price = price_words(step.quote) if step.quote else ""
        table.add_row(f"[bold]{escape(step.id)}[/]", escape(_planned(step)), _time_words(step), escape(price))
    new_console().print(table)
    show_total(steps, budget)
    sent = [(step, step.quote) for step in steps if step.quote and step.quote.leaves_machine and step.quote.texts]
    for step, quote in sent:
        examples = ", with texts of train as examples" if step.shown else ""
        say(f"{step.id}: {quote.texts:,} texts of {step.split} would leave this machine, to {quote.host}{examples}")
    return None if sent else say("No text would leave this machine.")


def show_total(steps: Sequence[Step], budget: float | None) -> None:
    """How long all of it would take, and whether the budget would end it."""
    fitted = [step for step in steps if step.action == "fit"]
    known = [(step.forecast, step.trainings) for step in fitted if step.forecast]
    if not known:
        return
    low, seconds, high = (
        sum(getattr(one, name) * times for one, times in known) for name in ("low", "seconds", "high")
    )
    without = "" if len(known) == len(fitted) else ", without the methods whose time is unknown"
    line = f"Total: about {about(seconds)} ({about(low)} to {about(high)}){without}, estimated from a few rows."
    if budget is not None and high > budget:
        line += f" The budget ends it after {about(budget)}: what is slow then takes fewer rows."
    say(line)


def _time_words(step: Step) -> str:
    found = step.forecast
    return f"about {about(found.seconds)} ({about(found.low)} to {about(found.high)})" if found else ""


def tokens_words(quote: Quote) -> str:
    """Expected tokens, with low and high."""
    words = "{1:,} tokens in ({0:,} to {2:,})".format(*quote.input_tokens)
    return words + ", {1:,} out ({0:,} to {2:,})".format(*quote.output_tokens)


def price_words(quote: Quote) -> str:
    """The expected price, with low and high; unknown is never $0."""
    if quote.usd is None:
        return "unknown" if quote.leaves_machine else "this machine's time"
    low, expected, high = map(dollars, quote.usd)
    return f"{expected} ({low} to {high}), by prices of {quote.price_date} from {quote.price_source}"


def _planned(step: Step) -> str:
    if step.quote:
        kept = f"; {step.kept:,} more are answered already" if step.kept else ""
        of = "" if step.split == "test" else f" of {step.split}"
        return f"asked {step.quote.texts:,} texts{of} at {step.quote.host}: {tokens_words(step.quote)}{kept}"
    times = f", {step.trainings} times" if step.trainings > 1 else ""
    peak = step.forecast.fit_peak_memory_bytes if step.forecast else None
    memory = f", in about {bytes_words(peak)} of memory" if peak else ""
    words = {"fit": f"fitted on {step.rows:,} rows{times}{memory}", "reuse": "used again as it is"}
    return words.get(step.action, f"skipped: {step.reason}")


def show_run(run: Trained, *, as_json: bool) -> None:
    """A method's scores, over its seeds where there are several, and the run that predicts."""
    scores = run.row.scores or {}
    if as_json:
        seeds = {"seeds": to_plain(run.row.seeds), "mean_scores": to_plain(scores)}
        return print_json({"run": str(run.folder), **to_plain(run.record), **seeds})
    show_scores({split: scores[split] for split in ("test", "validation") if split in scores})
    show_labels(of_splits(run.record))
    if spread := seeds_words(run.record.metric, run.row):
        _say(
            f"{spread} {run.record.metric}; that of seed {run.record.seed} did best on validation, and is the run below"
        )
    if lost := failures(run.row.outcomes):
        _say(f"no answer: {lost}; they count as wrong")
    simple = {k: v for k, v in run.record.chosen.items() if not isinstance(v, dict) and v is not None}
    asked = run.record.settings
    for said in run.record.cascade.get("said", ()):
        _say(said)
    if chosen := ", ".join(f"{k} {number_words(v)}" for k, v in simple.items() if asked.get(k) != v):
        _say(f"chosen: {chosen}")
    _say(f"\n{run.folder}")
    return say_next(*ask(run.folder, run.record))


def show_evaluation(scores: Scores, *, as_json: bool) -> None:
    """All scores of rows kept apart, then label by label."""
    found = by_label(scores.details)
    orders = scores.details.get("orders")
    if as_json:
        more = {} if orders is None else {"orders": orders}
        return print_json({**to_plain(scores.values), "details": {**found, **more}})
    show_scores({"test": scores.values}, title="score")
    show_labels({"": found})
    if orders is not None:
        changed = Score(**orders["changed"])
        words = f"{percent(changed.value)} of the questions ({interval('accuracy', changed)})"
        _say(
            f"in {len(orders['accuracy'])} orders of the options: accuracy {percent(orders['mean'])} on average, "
            f"{percent(orders['lowest'])} to {percent(orders['highest'])}; the answer changes for {words}; "
            f"right in all orders: {percent(orders['right_in_all']['value'])}"
        )
    return None


def show_scores(scores: Mapping[str, Mapping[str, Score]], title: str | None = None) -> None:
    """Score names, values and intervals, split by split; the first split's are all there are.

    title: None = the first split's name.
    """
    first, *others = scores
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(title or first)
    for name in ("value", "95 % interval", *(n for split in others for n in (split, "95 % interval"))):
        table.add_column(name, justify="right")
    for name in scores[first]:
        found = [scores[split].get(name) for split in scores]
        table.add_row(
            name, *(c for s in found for c in ((by_unit(name, s.value), interval(name, s)) if s else ("", "")))
        )
    return new_console().print(table)


def show_unseen(names: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> None:
    """A warning for each kind of name (labels, intents) that rows had and the run had not."""
    for kind, unseen in names.items():
        if unseen:
            count = number_of(len(unseen), kind.removesuffix("s"))
            which = listed(beside(unseen, known[kind]), quoted=False)
            _say(f"warning: {count} the run never saw and cannot answer: {which}")


def show_runs(runs: Sequence[Run], *, as_json: bool) -> None:
    """Runs as a table, newest last."""
    if as_json:
        return print_json([{"run": str(r.folder), **to_plain(r.record)} for r in runs])
    if not runs:
        _say("no runs here; `slmfit compare DATA` makes some")
        return say_next("compare", "DATA")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "dataset", "metric"):
        table.add_column(name)
    for name in ("test", "95 % interval", "size", "made"):
        table.add_column(name, justify="right")
    for run in sorted(runs, key=lambda r: r.record.created):
        record = run.record
        score = record.scores["test"][record.metric]
        made = record.created.replace("T", " ").removesuffix("Z")
        size, value = bytes_words(record.size_bytes), by_unit(record.metric, score.value)
        cells = (
            str(run.folder),
            record.dataset["name"],
            record.metric,
            value,
            interval(record.metric, score),
            size,
            made,
        )
        table.add_row(*map(escape, cells))
    new_console().print(table)
    return say_next("report", str(max(runs, key=lambda r: r.record.created).folder))


@contextmanager
def progress() -> Iterator[Listener]:
    """A listener that shows what happens: one live line on a terminal, else a line per step and every half a minute."""
    console = new_console(err=True)
    with console.status("") if console.is_terminal else nullcontext() as status:
        lines = Lines(
            lambda line: console.print(escape(line), soft_wrap=True),
            None if status is None else lambda line: status.update(escape(line)),
        )
        over = Event()

        def beat() -> None:
            while not over.wait(1.0):
                lines.beat()

        Thread(target=beat, daemon=True).start()
        try:
            with kept_too(lines.told) as told:
                yield told
        finally:
            over.set()


def _cells(row: MethodRow, metric: str, picked: bool) -> list[str]:
    name = f"[bold]{escape(row.id)}[/]{' ←' if picked else ''}"
    if row.status != "ok" or row.scores is None:
        return [name, row.status, *[""] * 9]
    values = {s: by_unit(metric, row.scores[s][metric].value) if s in row.scores else "" for s in SPLITS}
    speed = speed_words(row.rows_per_second) if row.rows_per_second else ""
    return [
        name,
        values["test"],
        interval(metric, row.scores["test"][metric]),
        values["validation"],
        values["train"],
        seconds_words(row.fit_seconds),
        seconds_words(row.search_seconds),
        latency_words(row),
        speed,
        bytes_words(row.size_bytes),
        bytes_words(row.peak_memory_bytes),
    ]


def _part(row: MethodRow, metric: str) -> str:
    score = (row.scores or {}).get("test", {}).get(metric)
    return by_unit(metric, score.value) if score else ""


def _say(text: str) -> None:
    say(text, err=True)
