"""Options that several commands have, declared once.

@app.command()
@reads_data
def train(source: DataOptions, fit: FitOptions) -> None: ...
"""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from slmfit.cli.screen import say
from slmfit.errors import UsageError

if TYPE_CHECKING:
    from slmfit.data.dataset import Dataset
    from slmfit.llm import Limits
    from slmfit.timing.budget import Budget


ANSWERS = "prediction"  # the role of a column in a file of answers, not in the data


def option(flag: str, help: str, metavar: str | None = None) -> Any:
    """An option of a command; `metavar` stands for its value in the help."""
    return typer.Option(flag, help=help, metavar=metavar)


Columns = Annotated[
    list[str] | None, option("--column", "The column that holds a role, such as question=stem.", "ROLE=NAME")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
NoTexts = Annotated[bool, typer.Option("--no-texts", help="Do not write the texts of your rows.")]
Out = Annotated[Path | None, option("--out", "Where results go; the same command in the same folder resumes.", "DIR")]


@dataclass(frozen=True)
class DataOptions:
    """Where the examples come from: each field is an option of every command that reads a dataset."""

    data: Annotated[str, typer.Argument(metavar="DATA", help="CSV, TSV, JSONL, JSON, Parquet (also .gz) or a folder.")]
    test: Annotated[str | None, option("--test", "File of test rows, if separate from DATA.", "FILE")] = None
    validation: Annotated[
        str | None, option("--validation", "File of validation rows, if separate from DATA.", "FILE")
    ] = None
    task: Annotated[
        str | None, option("--task", "text-classification, token-classification or multiple-choice.", "TASK")
    ] = None
    text: Annotated[str | None, option("--text", "The column that holds the text.", "COL")] = None
    label: Annotated[str | None, option("--label", "The column that holds the label.", "COL")] = None
    column: Columns = None
    group: Annotated[str | None, option("--group", "Keep rows with the same value here in the same split.", "COL")] = (
        None
    )
    time: Annotated[str | None, option("--time", "Test on the latest rows by this column.", "COL")] = None
    merge: Annotated[
        list[str] | None, option("--merge", "Merge labels: 'comp.*=computers', or a file of such lines.", "RULE")
    ] = None
    merge_prefix: Annotated[
        str | None, option("--merge-prefix", "Merge labels with the same text before the first SEP.", "SEP")
    ] = None
    strip: Annotated[str | None, option("--strip", "Remove from the texts: headers,footers,quotes,html.", "PARTS")] = (
        None
    )
    seed: Annotated[int, option("--seed", "For everything random.")] = 0

    def words(self) -> list[str]:
        """These options as they are typed, so that another verb may be given the same data."""
        words = [self.data]
        for field in fields(self)[1:]:
            value, flag = getattr(self, field.name), f"--{field.name.replace('_', '-')}"
            if value != field.default:
                words += [word for one in (value if isinstance(value, list) else [value]) for word in (flag, str(one))]
        return words

    def load(self, name: str | None = None) -> "Dataset":
        """The dataset; what was guessed is said on stderr. name: None = as its file or folder is called."""
        from slmfit.data import load_data

        columns = given_columns(self.column, text=self.text, label=self.label)
        columns.pop(ANSWERS, None)
        loaded = load_data(
            self.data,
            test=self.test,
            validation=self.validation,
            task=self.task,
            columns=columns,
            group=self.group,
            time=self.time,
            merge=tuple(self.merge or ()),
            merge_prefix=self.merge_prefix,
            strip=tuple(part.strip() for part in (self.strip or "").split(",") if part.strip()),
            seed=self.seed,
            name=name,
        )
        for note in loaded.notes:
            say(note, err=True)
        return loaded


MaxUsd = Annotated[
    float | None, option("--max-usd", "llm: spend no more than this; earlier runs of the same command count.", "USD")
]
MaxTokens = Annotated[
    int | None,
    option("--max-tokens", "llm: use no more tokens than this; earlier runs of the same command count.", "N"),
]
MaxMinutes = Annotated[float | None, option("--max-minutes", "llm: ask for no longer than this.", "MINUTES")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do and cost; write and send nothing.")]


@dataclass(frozen=True)
class TrainOptions:
    """How methods are fitted: options of every command that does."""

    set_: Annotated[
        list[str] | None, option("--set", "A setting of a method; may be repeated.", "METHOD.KEY=VALUE")
    ] = None
    metric: Annotated[
        str | None, option("--metric", "Metric that decides the verdict, for example f1_macro.", "NAME")
    ] = None
    seeds: Annotated[
        int,
        option(
            "--seeds", "Train N times, each with its own seed: scores are means, and intervals include the spread.", "N"
        ),
    ] = 1
    budget: Annotated[str | None, option("--budget", "Time for all of it, such as 90s, 15m or 2h.", "TIME")] = None
    out: Out = None

    def arguments(self) -> dict[str, Any]:
        """What the function behind the command takes of it. Raises UsageError for what is no setting or no time."""
        given = {"settings": settings_of(self.set_), "metric": self.metric, "out": self.out, "seeds": self.seeds}
        return given | {"budget_seconds": _seconds(self.budget)}


@dataclass(frozen=True)
class FitOptions(TrainOptions):
    """And what servers may take that are asked."""

    base_url: Annotated[str | None, option("--base-url", "llm: any server that speaks OpenAI's API.", "URL")] = None
    max_usd: MaxUsd = None
    max_tokens: MaxTokens = None
    max_minutes: MaxMinutes = None
    dry_run: DryRun = False

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        if self.base_url is not None:
            given["settings"].setdefault("llm", {})["base_url"] = self.base_url
        return given

    def begun(self) -> "Budget":
        """The budget as it runs from now on: reading the data counts."""
        from slmfit.timing.budget import Budget

        return Budget.of(_seconds(self.budget))

    @property
    def limits(self) -> "Limits | None":
        """What servers may take; None = no limit."""
        if self.max_usd is None and self.max_tokens is None and self.max_minutes is None:
            return None
        from slmfit.llm import Limits

        return Limits(self.max_usd, self.max_tokens, None if self.max_minutes is None else 60 * self.max_minutes)


def given_columns(words: list[str] | None, **named: str | None) -> dict[str, str]:
    """Role -> column, from ["question=stem"] and from options of their own. Raises UsageError for anything else."""
    found = {role: column for role, column in named.items() if column}
    for word in words or ():
        role, equals, column = word.partition("=")
        if not (equals and role.strip() and column):
            raise UsageError(f"--column {word!r} is not ROLE=NAME", fix="write for example --column question=stem")
        found[role.strip()] = column
    return found


def _seconds(budget: str | None) -> float | None:
    """900.0 from "15m". Raises UsageError for anything but a number with s, m or h."""
    if budget is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget.strip())
    if not found or not float(found[1]):
        raise UsageError(f"--budget {budget!r} is not a time", fix="write a number with s, m or h, for example 15m")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def settings_of(given: list[str] | None) -> dict[str, dict[str, str]]:
    """`{"linear": {"C": "3"}}` from ["linear.C=3"]. Raises UsageError for anything else."""
    settings: dict[str, dict[str, str]] = {}
    for word in given or ():
        left, equals, value = word.partition("=")
        method, dot, key = left.rpartition(".")  # a method's own name, or its module's, may have dots
        if not (equals and dot and method and key):
            raise UsageError(f"--set {word!r} is not METHOD.KEY=VALUE", fix="write for example --set linear.C=3")
        settings.setdefault(method.strip(), {})[key.strip()] = value.strip()
    return settings


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the fields of the option classes among its parameters as options, and hand it the objects."""
    written = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    groups = {p.name: written[p.name] for p in parameters if is_dataclass(written[p.name])}
    shared = {name: inspect.signature(kind).parameters for name, kind in groups.items()}

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        made = {name: groups[name](**{k: values.pop(k) for k in fields}) for name, fields in shared.items()}
        command(**made, **values)

    hints = {k: v for kind in groups.values() for k, v in get_type_hints(kind, include_extras=True).items()} | written
    flat = [p for p in parameters if p.name not in groups] + [p for fields in shared.values() for p in fields.values()]
    arguments_first = sorted(flat, key=lambda p: p.default is not p.empty)
    typed = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints[p.name]) for p in arguments_first]
    wrapper.__signature__ = inspect.Signature(typed)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in typed}
    return wrapper
