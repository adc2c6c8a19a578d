"""Tables of scores label by label: of one run on validation and test, or of several methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from slmfit.cli.console import new_console
from slmfit.cli.screen import say
from slmfit.comparison.compare import Comparison
from slmfit.runs.labelled import KINDS, Kind, by_label, of_splits, share
from slmfit.text.figures import percent

MOST = 20  # labels in a table; beyond, those that do worst
SIDE_BY_SIDE = 4  # methods in a table
HEADS = {"f1": "F1", "right": "right", "accuracy": "accuracy"}

Details = Mapping[str, Mapping[str, Any]]  # split -> details, or method -> them


def show_labels(details: Details) -> None:
    """A table for each kind of label of one run: precision, recall and F1, split by split.

    details: split -> its details, those that matter most last.
    """
    for key, kind in KINDS.items():
        tables = {split: _named(by_label(some)[key], kind) for split, some in details.items() if some.get(key)}
        if tables:
            _print_run(kind, tables)


def _print_run(kind: Kind, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    table = _table(kind)
    for split in tables:
        columns = ["precision", "recall", "F1"] if kind.score == "f1" else [HEADS[kind.score]]
        columns += ["answered"] if kind.name == "letter" else []
        table.add_column(f"{split} {kind.unit}".strip(), justify="right")
        for name in columns:
            table.add_column(name, justify="right")
    names = list(dict.fromkeys(name for rows in tables.values() for name in rows))
    shown = _worst(names, list(tables.values())[-1], kind)
    for name in shown:
        table.add_row(escape(name), *(cell for rows in tables.values() for cell in _cells(rows.get(name), kind)))
    _print(table, len(names) - len(shown))


def _cells(row: Mapping[str, Any] | None, kind: Kind) -> list[str]:
    names = ["precision", "recall", "f1"] if kind.score == "f1" else [kind.score]
    names += ["answered"] if kind.name == "letter" else []
    if row is None:
        return [""] * (len(names) + 1)
    scores = [share(row, kind) if name == kind.score else row[name] for name in names]
    return [f"{row['support']:,}", *("" if score is None else percent(score) for score in scores)]


def show_methods_by_label(comparison: Comparison) -> None:
    """A table for each kind of label, the pick first, then the methods as they score."""
    record, runs = comparison.record, comparison.runs
    metric, first = record.verdict.metric, record.verdict.method or record.verdict.best
    scored = [row for row in record.methods if row.scores and row.id in runs]
    scored.sort(key=lambda row: (row.id != first, -row.scores["test"][metric].value if row.scores else 0.0))
    found = {row.id: of_splits(runs[row.id].record) for row in scored[:SIDE_BY_SIDE]}
    for key, kind in KINDS.items():
        tables = {id: some for id, some in found.items() if some.get("test", {}).get(key)}
        if tables:
            _print_methods(key, kind, tables)
    if found and len(scored) > SIDE_BY_SIDE:
        say(f"{len(scored) - SIDE_BY_SIDE} more methods: in the report, and with --json", err=True)


def _print_methods(key: str, kind: Kind, tables: Mapping[str, Mapping[str, Any]]) -> None:
    table = _table(kind)
    table.add_column(f"test {kind.unit}", justify="right")
    parts = {id: {split: _named(some.get(key, ()), kind) for split, some in splits.items()}
             for id, splits in tables.items()}  # fmt: skip
    for id in parts:
        table.add_column(f"{escape(id)}\n{HEADS[kind.score]} (validation)", justify="right")
    names = list(dict.fromkeys(name for splits in parts.values() for rows in splits.values() for name in rows))
    shown = _worst(names, next(iter(parts.values()))["test"], kind)
    for name in shown:
        support = next((s["test"][name]["support"] for s in parts.values() if name in s["test"]), 0)
        table.add_row(escape(name), f"{support:,}", *(_both(splits, name, kind) for splits in parts.values()))
    _print(table, len(names) - len(shown))


def _both(splits: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str, kind: Kind) -> str:
    """'88.3 % (89.1)': on test, and on validation."""
    test, validation = (_score(splits.get(split, {}).get(name), kind) for split in ("test", "validation"))
    return f"{test or '–'} ({validation.removesuffix(' %') or '–'})"


def _score(row: Mapping[str, Any] | None, kind: Kind) -> str:
    value = None if row is None else share(row, kind)
    return "" if value is None else percent(value)


def _named(rows: Sequence[Mapping[str, Any]], kind: Kind) -> dict[str, Mapping[str, Any]]:
    return {str(row[kind.name]): row for row in rows}


def _worst(names: list[str], rows: Mapping[str, Mapping[str, Any]], kind: Kind) -> list[str]:
    """All of the names where they fit; else those with the lowest scores, the lowest first."""
    if len(names) <= MOST:
        return names
    return sorted(names, key=lambda name: (share(rows[name], kind) if name in rows else None) or 0.0)[:MOST]


def _table(kind: Kind) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(kind.title)
    return table


def _print(table: Table, more: int) -> None:
    console = new_console()
    console.print()
    console.print(table)
    if more:
        say(f"the {MOST} that do worst; {more:,} more in the report, and with --json", err=True)
