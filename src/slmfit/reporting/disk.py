"""What a comparison's or some runs' directories hold, read whole, before anything is drawn.

    source = read([Path("slmfit-out/tickets-3fa9c1")])
    source.methods[0].scores["test"]["accuracy"].value

Several runs without a comparison may be shown together when their test rows are the same; there is no verdict then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.errors import SlmfitError, UsageError
from slmfit.records import ComparisonRecord, MethodRow, RunRecord
from slmfit.runs.run import list_runs, not_here, read_comparison, read_run
from slmfit.runs.stressed import StressRecord, read_stressed


@dataclass(frozen=True)
class Source:
    """Everything there is to draw.

    comparison: None for runs that were not compared. methods: a line each, skipped ones too. records, folders: method
    id -> its run. stressed: likewise, what it answers to rows written otherwise, where it was asked. notes: what could
    not be shown, and why.
    """

    comparison: ComparisonRecord | None
    methods: Sequence[MethodRow]
    records: Mapping[str, RunRecord]
    folders: Mapping[str, Path]
    data: Path | None
    audit: Mapping[str, Any] | None = None
    diagnostics: Mapping[str, Any] | None = None
    stressed: Mapping[str, StressRecord] = field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def about(self) -> ComparisonRecord | RunRecord:
        """What names the dataset, split, seed and machine."""
        return self.comparison or next(iter(self.records.values()))

    @property
    def metric(self) -> str:
        """What the verdict goes by."""
        return self.comparison.verdict.metric if self.comparison else next(iter(self.records.values())).metric

    @property
    def picked(self) -> str | None:
        """The verdict's method; the only run where there is just one."""
        if self.comparison:
            return self.comparison.verdict.method
        return next(iter(self.records)) if len(self.records) == 1 else None

    @property
    def best(self) -> str | None:
        """The method with the highest score."""
        if self.comparison:
            return self.comparison.verdict.best
        return max(self.records, key=lambda id: self.records[id].scores["test"][self.metric].value)

    def by_score(self) -> list[tuple[str, RunRecord]]:
        """The runs, the highest score first."""
        return sorted(self.records.items(), key=lambda pair: -pair[1].scores["test"][self.metric].value)

    def details(self, id: str, split: str = "test") -> Mapping[str, Any]:
        """The scores' details of a run, empty where it has none."""
        return self.records[id].details.get(split, {}) if id in self.records else {}


@dataclass
class _Gathered:
    methods: list[MethodRow] = field(default_factory=list)
    records: dict[str, RunRecord] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(folders: Sequence[Path]) -> Source:
    """One comparison, or one run or more. Raises UsageError for a folder that is neither, and for runs over
    different test rows; SlmfitError where a record is damaged."""
    if not folders:
        raise UsageError("no run is named", fix="name a run's folder, or a comparison's")
    if len(folders) == 1 and (folders[0] / "comparison.json").is_file():
        return _comparison(folders[0])
    found = _Gathered()
    for folder in _run_folders(folders):
        record = read_run(folder)
        same = sum(other.id == record.id for other in found.records.values())
        id = f"{record.id} ({same + 1})" if same else record.id
        found.methods.append(MethodRow.of(record, id=id))
        found.records[id], found.folders[id] = record, folder
    _check_same_rows(found.records)
    data = next((d for f in found.folders.values() if (d := f.parent.parent / "data").is_dir()), None)
    return _with_data(None, found, data)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file; none where it is missing, and a last line that a kill cut short is left out."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="surrogatepass") as file:
        for line in file:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, dict):
                yield row


def _comparison(folder: Path) -> Source:
    record, found = read_comparison(folder), _Gathered()
    for row in record.methods:
        found.methods.append(row)
        if not row.run:
            continue
        place = storage.inside(folder, row.run)
        try:
            run = read_run(place)
        except SlmfitError:
            found.notes.append(f"The run of {row.id} is no longer there, so only its line in the table is shown.")
            continue
        shown = next((one.scores for one in row.seeds if one.run == row.run), row.scores) or {}
        if any(run.scores.get(split) != of for split, of in shown.items() if split not in record.scored):
            found.notes.append(f"{row.id} was fitted again since; compare again to see its details.")
            continue
        found.records[row.id], found.folders[row.id] = replace(run, scores=shown), place
        if any(run.rows_scored(split) > rows for split, rows in record.scored.items()):
            found.notes.append(
                f"{row.id}: its classes are of all {run.rows_scored('test'):,} test rows that it answered."
            )
        if len(row.seeds) > 1:
            found.notes.append(f"{row.id}: its rows, classes and curves are of the training with seed {run.seed}.")
    return _with_data(record, found, folder / "data")


def _with_data(comparison: ComparisonRecord | None, found: _Gathered, data: Path | None) -> Source:
    stressed = {id: read_stressed(folder, found.records[id]) for id, folder in found.folders.items()}
    return Source(
        comparison,
        found.methods,
        found.records,
        found.folders,
        data,
        _json(data, "audit.json"),
        _json(data, "diagnostics.json") if comparison else None,
        {id: record for id, record in stressed.items() if record is not None},
        found.notes,
    )


def _json(folder: Path | None, name: str) -> Any:
    path = folder / name if folder else None
    return storage.read_json(path) if path and path.is_file() else None


def _run_folders(folders: Sequence[Path]) -> Iterator[Path]:
    """Each run once, those of a comparison in its order."""
    seen = set()
    for folder in folders:
        if (folder / "comparison.json").is_file():
            inside = [storage.inside(folder, row.run) for row in read_comparison(folder).methods if row.run]
        elif (folder / "run.json").is_file():
            inside = [folder]
        else:
            inside = [run.folder for run in list_runs(folder)]
        if not inside:
            raise not_here(folder, "neither a run nor a comparison")
        for run in inside:
            if run.resolve() not in seen:
                seen.add(run.resolve())
                yield run


def _check_same_rows(records: Mapping[str, RunRecord]) -> None:
    first, *others = records.items()
    for id, record in others:
        if record.split["test"].hash != first[1].split["test"].hash:
            what = f"{first[0]} and {id} were scored on different test rows, so they cannot be compared"
            raise UsageError(what, fix="report them one by one, or compare the methods anew on one split")
