"""The verb `leave`: what a log asks of a large model, and how much of it something small answers as that does.

slmfit leave logs/ --out left
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slmfit.cli.options import Json, Out, option, settings_of
from slmfit.cli.screen import say

if TYPE_CHECKING:
    from slmfit.comparison.left import CostRecord, LeaveRecord, PromptRecord
    from slmfit.leaving import Left

_SHOWN = 12  # labels


def leave(
    logs: Annotated[
        Path, typer.Argument(metavar="LOGS", help="Calls of a chat model: .jsonl or .json (also .gz), or a folder.")
    ],
    methods: Annotated[
        str, option("--methods", "What to compare with the model that answered, as in `compare`.", "A,B")
    ] = "majority,linear,knn",
    prices: Annotated[
        Path | None, option("--prices", "A TOML file of prices; default: the package genai-prices.", "FILE")
    ] = None,
    set_: Annotated[
        list[str] | None, option("--set", "A setting of a method; may be repeated.", "METHOD.KEY=VALUE")
    ] = None,
    seed: Annotated[int, option("--seed", "For everything random.")] = 0,
    seeds: Annotated[int, option("--seeds", "Train N times, each with its own seed.", "N")] = 1,
    out: Out = None,
    json: Json = False,
) -> None:
    """Read the logs of a large model, and say how much of its work a small one would do."""
    from slmfit.cli import display
    from slmfit.cli.fitting import typed
    from slmfit.leaving import leave as leaving

    with display.progress() as listen:
        left = leaving(
            logs,
            methods,
            settings=settings_of(set_),
            prices=prices,
            out=out,
            seed=seed,
            seeds=seeds,
            command=typed(),
            listen=listen,
        )
    show_left(left, as_json=json)


def show_left(left: "Left", *, as_json: bool) -> None:
    """The prompts with their counts, and of each task how far methods agree and what it costs."""
    from slmfit.checking import last_said
    from slmfit.cli.nexts import say_next
    from slmfit.cli.screen import print_json
    from slmfit.records import to_plain

    record = left.record
    if as_json:
        return print_json({"left": str(left.folder), **to_plain(record)})
    for note in record.notes:
        say(note, err=True)
    _say_log(record)
    for prompt in record.prompts:
        say("")
        _say_prompt(prompt)
        if prompt.comparison is not None:
            _show_methods(left, prompt)
            if said := last_said(left.folder / prompt.comparison):
                say(f"checked by a person: {said}")
    say(f"\n{left.folder}", err=True)
    for prompt in record.tasks:
        say(f"report: {left.folder / str(prompt.comparison) / 'report.html'}", err=True)
    for prompt in record.tasks:
        say_next("check", str(left.folder / str(prompt.comparison)))
    if record.tasks:
        say_next("serve", str(left.folder), "--as-openai")
    return None


def _say_log(record: "LeaveRecord") -> None:
    from slmfit.text.figures import number_of

    by = f" of {record.teacher}" if record.teacher else ""
    say(f"{number_of(record.calls, 'call')}{by} in {number_of(record.files, 'file')}; {_cost(record.cost)}")
    for what, count in record.others.items():
        say(f"  not read: {what} ({count:,})")


def _say_prompt(prompt: "PromptRecord") -> None:
    from slmfit.text.figures import number_of, percent
    from slmfit.text.visible import excerpt

    what = {"text-classification": "labels", "token-classification": "entities"}.get(prompt.kind)
    task = what or f"not a task that slmfit can do: {prompt.why}"
    say(f"{prompt.name}: {number_of(prompt.calls, 'call')}, {task}")
    if prompt.asks:
        say(f"  asks: {prompt.asks}")
    counts = {
        "failed": prompt.ended.get("failed", 0),
        "cut off": prompt.ended.get("truncated", 0),
        "refused": prompt.ended.get("refused", 0) + prompt.ended.get("filtered", 0),
        "retries": prompt.retries,
        "duplicates": prompt.duplicates,
        "in another form": prompt.unread,
        "entities that are not in the text": prompt.unplaced,
        "with a label of their own": prompt.rare,
    }
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    rows = f"{number_of(prompt.rows, 'text')} with an answer" if what else ""
    if rows or said:
        say(f"  {'; '.join(filter(None, (rows, said)))}")
    if prompt.labels:
        more = ", …" if len(prompt.labels) > _SHOWN else ""
        kinds = "labels" if what == "labels" else "types"
        some = [f"{excerpt(name, 40)} {count:,}" for name, count in list(prompt.labels.items())[:_SHOWN]]
        say(f"  {len(prompt.labels):,} {kinds}: {', '.join(some)}{more}")
    for note in prompt.notes:
        say(f"  {note}")
    if prompt.differing:
        share, texts = percent(prompt.differing / prompt.repeated), number_of(prompt.repeated, "text")
        say(f"  asked again, it answered {prompt.differing:,} of {texts} ({share}) differently")
    if prompt.split:
        say(f"  {prompt.split}")
    if what and prompt.why:
        say(f"  not compared: {prompt.why}")
    if what:
        say(f"  {_cost(prompt.cost)}")


def _cost(cost: "CostRecord") -> str:
    """What calls cost, with who says the prices."""
    from slmfit.text.figures import dollars, number_of

    untold = f"; {number_of(cost.untold, 'call')} without token counts" if cost.untold else ""
    tokens = f"{cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
    each = cost.usd_per_1000
    if cost.usd is None or each is None:
        return f"{tokens}{untold}; price {cost.source}"
    return f"{dollars(cost.usd)}, {dollars(each)} per 1,000 calls ({tokens}{untold}; prices: {cost.source})"


def _show_methods(left: "Left", prompt: "PromptRecord") -> None:
    """How far each method agrees with the teacher, and what it takes."""
    from rich.markup import escape
    from rich.table import Table

    from slmfit.cli.console import new_console
    from slmfit.text.figures import by_unit, bytes_words, dollars, interval, latency_words, seconds_words, told

    record = left.comparisons[prompt.name].record
    metric = record.verdict.metric
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("method")
    agrees = "agrees" if metric == "accuracy" else f"{told(metric)} against it"
    for name in (agrees, "95 % interval", "p50", "1,000 texts take", "$ / 1,000 texts", "size"):
        table.add_column(name, justify="right")
    for row in record.methods:
        if row.scores is None:
            table.add_row(escape(row.id), escape(row.reason or row.status), "", "", "", "", "")
            continue
        score = row.scores["test"][metric]
        seconds = 1000 / row.rows_per_second if row.rows_per_second else None
        usd = "no vendor" if row.usd_per_1000_rows is None else dollars(row.usd_per_1000_rows)
        cells: list[Any] = [by_unit(metric, score.value), interval(metric, score), latency_words(row)]
        mark = " ←" if row.id == record.verdict.method else ""
        table.add_row(escape(row.id) + mark, *cells, seconds_words(seconds), usd, bytes_words(row.size_bytes))
    console = new_console()
    console.print(table)
    rows = record.split["test"].rows
    said = f"Agreement with {escape(prompt.teacher)} on {rows:,} texts; whether it was right, only a person can tell."
    console.print(said, style="dim")
    for warning in record.warnings[1:]:  # the first says whose answers the labels are
        if warning not in prompt.notes:
            say(f"warning: {warning}")
