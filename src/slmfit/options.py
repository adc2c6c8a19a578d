"""The options that every command which reads a dataset has, declared once.

@app.command()
@reads_data
def explore(source: DataOptions) -> None: ...
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from slmfit.data.dataset import Dataset


def option(flag: str, help: str, metavar: str | None = None) -> Any:
    """An option of a command; `metavar` stands for its value in the help."""
    return typer.Option(flag, help=help, metavar=metavar)


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dataclass(frozen=True)
class DataOptions:
    """Where the examples come from: each field is an option of every command that reads a dataset."""

    data: Annotated[str, typer.Argument(metavar="DATA", help="CSV, TSV, JSONL, JSON, Parquet (also .gz) or a folder.")]
    test: Annotated[str | None, option("--test", "Test rows, when they are a file of their own.", "FILE")] = None
    validation: Annotated[str | None, option("--validation", "Validation rows, likewise.", "FILE")] = None
    task: Annotated[
        str | None, option("--task", "text-classification, token-classification or multiple-choice.", "TASK")
    ] = None
    text: Annotated[str | None, option("--text", "The column that holds the text.", "COL")] = None
    label: Annotated[str | None, option("--label", "The column that holds the label.", "COL")] = None
    group: Annotated[str | None, option("--group", "Keep rows that agree in this column on one side.", "COL")] = None
    time: Annotated[str | None, option("--time", "Test on the latest rows by this column.", "COL")] = None
    merge: Annotated[
        list[str] | None, option("--merge", "Merge labels: 'comp.*=computers', or a file of such lines.", "RULE")
    ] = None
    merge_prefix: Annotated[
        str | None, option("--merge-prefix", "Merge labels that agree up to the first SEP.", "SEP")
    ] = None
    strip: Annotated[str | None, option("--strip", "Clean the texts of: headers,footers,quotes,html.", "PARTS")] = None
    seed: Annotated[int, option("--seed", "For everything random.")] = 0

    def load(self) -> Dataset:
        """The dataset; what was guessed is said on stderr."""
        from slmfit.data import load_data

        columns = {role: column for role, column in (("text", self.text), ("label", self.label)) if column}
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
        )
        for note in loaded.notes:
            typer.echo(note, err=True)
        return loaded


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the fields of DataOptions as its first arguments, and hand it the object."""
    own = [p for p in inspect.signature(command).parameters.values() if p.name != "source"]
    shared = list(inspect.signature(DataOptions).parameters.values())

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        names = {p.name for p in shared}
        source = DataOptions(**{k: v for k, v in values.items() if k in names})
        command(source=source, **{k: v for k, v in values.items() if k not in names})

    hints = {**get_type_hints(DataOptions, include_extras=True), **get_type_hints(command, include_extras=True)}
    arguments_first = sorted([*own, *shared], key=lambda p: p.default is not p.empty)
    typed = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints[p.name]) for p in arguments_first]
    wrapper.__signature__ = inspect.Signature(typed)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in typed}
    return wrapper
