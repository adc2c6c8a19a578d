"""Predictions for files too many or too large to answer in one go: a folder of part files, taken up again by part.

    predict_files(load("compared"), "new/*.csv", Path("answered"), processes=4)
    # answered/answered.json, answered/part-000001.csv, answered/part-000002.csv …

A part holds rows of one file, in order, and appears whole or not at all; so a part that is there is done. What all
parts have in common, such as columns, is decided over all rows before the first is answered; answered.json holds it.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.readers.rows import ending, read_rows
from slmfit.environment import code_version
from slmfit.errors import DataError, UsageError
from slmfit.events import Listener
from slmfit.records import from_plain, to_plain
from slmfit.runs.part_worker import Asked, Packed, Workers, answer_part, packed
from slmfit.runs.predicting import Row, Sheet, looked_at, suggested
from slmfit.runs.run import Run
from slmfit.runs.suggesting import tool_of
from slmfit.runs.tables import JSON
from slmfit.timing.work import counted, told_to

FORMAT, RECORD = "slmfit.answered/1", "answered.json"
ROWS = 10_000  # of a part, at most
CHARACTERS = 2**24  # of a part's cells, but for its last row: memory is bounded where texts are long, too
_DECIDES = {"run": "the run", "slmfit": "slmfit", "columns": "--column"}

Elsewhere = Callable[[Run, Asked, Iterable[Packed]], Iterator[int]]  # writes the parts, and tells the rows of each


@dataclass(frozen=True)
class Answered:
    """rows: of the whole input. parts: how many files they are in. reused: of these, those that were there already."""

    folder: Path
    rows: int
    parts: int
    reused: int


def is_pattern(given: str) -> bool:
    """Whether it stands for files by a pattern: no file has that very name."""
    return glob.has_magic(given) and not Path(given).exists()


def predict_files(
    run: Run, given: str, folder: Path, *, processes: int = 1, elsewhere: Elsewhere | None = None,
    columns: Mapping[str, str] | None = None, method: str | None = None, notes: list[str] | None = None,
    listen: Listener | None = None,
) -> Answered:  # fmt: skip
    """Answer every row of the files that a name or a pattern (`new/*.csv`) stands for, into a folder of parts.

    Parts are CSV or TSV where all files are, else JSON lines. The same call goes on where one was killed: it answers
    the parts that are not there. processes: how many answer at once, each with its share of the cores. elsewhere:
    what answers the parts instead. method: the class of a run whose method slmfit does not bring. columns, notes: as
    `predict_file`.
    Raises UsageError for no file, for a folder that holds anything else, and where run, code or input are not those
    that the folder was begun with; what `predict_file` raises, before anything is answered.
    """
    files = _files(given, folder)
    if processes < 1:
        raise UsageError(f"--processes cannot be {processes}", fix="give 1 or more")
    if (processes > 1 or elsewhere) and run.record.remote:
        fix = "leave --processes and --cluster out; it asks the server several rows at once anyway"
        raise UsageError("the run asks a server, and what that takes is counted in one process", fix=fix)
    _check_folder(folder)
    with storage.locked(folder):
        plan = _plan(run, files, folder, columns or {}, notes if notes is not None else [], listen)
        with storage.undamaged(folder / RECORD):
            asked = Asked(folder, from_plain(Sheet, plan["sheet"]), plan["columns"], method)
            names = _names(plan)
            sizes = dict(zip(chain(*names), chain(*(one["parts"] for one in plan["input"])), strict=True))
        there = sizes.keys() & {path.name for path in folder.iterdir()}
        if odd := [name for name in sorted(there) if not (folder / name).is_file() or (folder / name).is_symlink()]:
            raise UsageError("is not a part that was written here", where=str(folder / odd[0]), fix="remove it")
        parts = _parts(run, plan, files, names, there)
        with counted(
            told_to(listen), "predicting", sum(size for name, size in sizes.items() if name not in there)
        ) as work:
            for rows in elsewhere(run, asked, parts) if elsewhere else _answered(run, asked, parts, processes):
                work.advance(rows)
    return Answered(folder, plan["rows"], len(sizes), len(there))


def _answered(run: Run, asked: Asked, parts: Iterable[Packed], processes: int) -> Iterator[int]:
    """The rows of each part as it is written."""
    if processes == 1:
        yield from (answer_part(run, asked, part.line) for part in parts)
        return
    with Workers(run, asked, processes) as workers:
        yield from workers.each(parts)


def _files(given: str, folder: Path) -> list[Path]:
    """What is to be read, by name. Raises UsageError for nothing, and for what lies where the parts go."""
    if not is_pattern(given):
        files = [Path(given)]
    else:
        files = [path for name in sorted(glob.glob(given, recursive=True)) if (path := Path(name)).is_file()]  # noqa: PTH207
    if not files:
        raise UsageError(
            "no file has such a name", where=given, fix="check the pattern, and quote it: --input 'new/*.csv'"
        )
    if inside := [path for path in files if path.resolve().is_relative_to(folder.resolve())]:
        raise UsageError("lies in the folder of the output", where=str(inside[0]), fix="give another --output")
    return files


def _check_folder(folder: Path) -> None:
    """Refuse what holds anything but parts: nothing of the user's is written over, or taken for a part."""
    if not folder.is_dir() and (folder.exists() or ending(folder)):
        fix = "name a folder, which need not exist yet: --output answered"
        raise UsageError("is a file, and several files or processes write into a folder", where=str(folder), fix=fix)
    if folder.is_dir() and not (folder / RECORD).is_file():
        others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        if others:
            fix = "give an empty folder, or one that does not exist yet"
            raise UsageError(f"holds other files ({', '.join(others[:3])})", where=str(folder), fix=fix)


def _plan(
    run: Run, files: Sequence[Path], folder: Path, columns: Mapping[str, str], notes: list[str], listen: Listener | None
) -> dict[str, Any]:
    """What answered.json holds: as it was begun where it was, else found by reading all rows once."""
    model = storage.hash_json(dict(run.record.files))
    begun = {"run": {"id": run.record.id, "key": run.record.key, "model": model}, "slmfit": code_version()}
    begun |= {"columns": dict(columns)}
    if (folder / RECORD).is_file():
        plan: dict[str, Any] = storage.read_json(folder / RECORD, "format", *begun, "input", "rows", "sheet", "notes")
        storage.check_format(plan, FORMAT, folder / RECORD)
        with storage.undamaged(folder / RECORD):
            _check_same(plan, begun, files, folder)
            if plan["sheet"]["kind"] != _kind(files):  # it ends the parts' names
                raise ValueError("parts of another kind")
            notes += plan["notes"]
        return plan
    own: dict[str, None] = {}
    input, said, kind = list[dict[str, Any]](), list[str](), _kind(files)
    with counted(told_to(listen), "reading", len(files), unit="files") as work:
        for path in files:
            sha = storage.hash_file(path) if path.is_file() else None
            sizes = list(_sizes(looked_at(run, path, path, columns, said, own)))
            input.append({"file": str(path), "sha256": sha, "parts": sizes})
            tool = tool_of(path, run.task) if kind in JSON else None
            said += [suggested(path, tool)] if tool else []
            work.advance(1)
    sheet = to_plain(Sheet.of(run, own, kind))
    rows = sum(sum(one["parts"]) for one in input)
    plan = {"format": FORMAT, **begun, "rows": rows, "input": input, "sheet": sheet, "notes": said}
    storage.write_json(folder / RECORD, plan)
    notes += said
    return plan


def _check_same(plan: Mapping[str, Any], begun: Mapping[str, Any], files: Sequence[Path], folder: Path) -> None:
    """Raise UsageError where the folder was begun with something else, and say with what."""
    differ = [said for what, said in _DECIDES.items() if plan[what] != begun[what]]
    then = [one["sha256"] for one in plan["input"]]
    if len(then) != len(files):
        differ.append(f"the input, which was {len(then)} files and is {len(files)}")
    else:
        now = ((path, storage.hash_file(path) if path.is_file() else None) for path in files)
        differ += [str(path) for (path, sha), was in zip(now, then, strict=True) if sha != was][:3]
    if differ:
        what = f"was begun with another state of {', '.join(differ)}"
        raise UsageError(what, where=str(folder), fix="give another --output, or delete this one")


def _kind(files: Sequence[Path]) -> str:
    """What the parts are: as the files where all are CSV, or all TSV; else JSON lines, which hold anything."""
    kinds = {ending(path) for path in files}
    return str(kinds.pop()) if kinds in ({"csv"}, {"tsv"}) else "jsonl"


def _sizes(rows: Iterable[Row]) -> Iterator[int]:
    """How many rows each part has."""
    count = characters = 0
    for row in rows:
        count += 1
        characters += sum(len(cell) for cell in row.values() if isinstance(cell, str))
        if count == ROWS or characters >= CHARACTERS:
            yield count
            count = characters = 0
    if count:
        yield count


def _names(plan: Mapping[str, Any]) -> list[list[str]]:
    """The names of each file's parts; sorted by name, parts are in the order of the rows."""
    counts, number, names = [len(one["parts"]) for one in plan["input"]], 0, []
    width = max(6, len(str(sum(counts))))
    for count in counts:
        numbers = range(number + 1, number + count + 1)
        names.append([f"part-{n:0{width}}.{plan['sheet']['kind']}" for n in numbers])
        number += count
    return names


def _parts(
    run: Run, plan: Mapping[str, Any], files: Sequence[Path], names: Sequence[Sequence[str]], there: set[str]
) -> Iterator[Packed]:
    """The parts that are not there yet. Raises DataError for a file that has other rows than it had."""
    for path, one, own in zip(files, plan["input"], names, strict=True):
        if there.issuperset(own):
            continue
        rows = read_rows(path, [])
        tool = tool_of(path, run.task) if plan["sheet"]["kind"] in JSON else None
        tasks = tool.rows() if tool else None
        for name, size in zip(own, one["parts"], strict=True):
            placed, beside = list(islice(rows, size)), list(islice(tasks, size)) if tasks else None
            if len(placed) < size:
                raise DataError("changed while it was read", where=str(path), fix="run the same command again")
            if name not in there:
                yield packed(name, path, placed, tool, beside)
