"""`load_data`: files and folders to a dataset, with what was guessed said in its notes.

    data = load_data("tickets.csv", columns={"text": "body"}, merge=["comp.*=computers"])
    len(data.train), data.task.labels, data.notes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slmfit.data.columns import CLASSIFICATION, columns_of, no_column, task_and_roles
from slmfit.data.dataset import STRIPS, Dataset, TextRecipe
from slmfit.data.labels import label_text, merged_labels, refuse_rare, refuse_several
from slmfit.data.layout import SPLIT_NAMES, Part, read_part, read_parts
from slmfit.data.near import find_duplicates
from slmfit.data.read import Placed
from slmfit.data.split import assign, assign_by_time, moment
from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.records import SPLITS, Example
from slmfit.tasks.base import Task


def load_data(
    path: str | Path,
    *,
    test: str | Path | None = None,
    validation: str | Path | None = None,
    task: str | None = None,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    time: str | None = None,
    merge: Sequence[str] = (),
    merge_prefix: str | None = None,
    strip: Sequence[str] = (),
    seed: int = 0,
) -> Dataset:
    """Labelled examples in train, validation and test.

    path: a .csv, .tsv, .jsonl, .json or .parquet file (each also .gz); a folder with such files named train,
        validation (valid, val, dev) and test; or a folder of text files, LABEL/FILE or train/LABEL/FILE.
    test, validation: further files with the same columns.
    task: `text-classification`, `token-classification` or `multiple-choice`; recognised by the columns if None.
    columns: what a column is for -> its name, such as {"text": "body"}; recognised by name where not given.
    group: a column; rows with the same value there stay together when the data are split.
    time: a column of numbers or ISO dates; the latest rows become test, those before them validation.
    merge: rules `PATTERN=NEW` for labels, or files of them; the first that matches counts.
    merge_prefix: a separator; labels become what stands before it.
    strip: some of `headers`, `footers`, `quotes` and `html`, removed from every text.
    seed: of the split.

    Splits that the data bring are used as they are: from files, or from a column `split`. Where only validation is
    missing it is a tenth of train. Else the split is 60/20/20, stratified by label, with near-duplicates on one side.

    Raises DataError for data that cannot be used, with file and line, and UsageError for arguments that fit no data.
    """
    if group is not None and time is not None:
        raise UsageError("the split is either by group or by time", fix="leave one of the two out")
    notes: list[str] = []
    recipe = _recipe(strip)
    parts = _parts(path, test, validation, notes)
    files = list({part.file: part for part in parts.values()}.values())
    found, roles = task_and_roles(parts, task, columns or {}, notes)
    classifies = found.name == CLASSIFICATION
    if not classifies and (merge or merge_prefix is not None or recipe.strip):
        raise UsageError(f"merge and strip are for {CLASSIFICATION}, and this is {found.name}", fix="leave them out")
    _check_columns(files, [c for c in (group, time) if c is not None])
    rows = {split: _parse(part, found, roles) for split, part in parts.items()}
    _name(rows, len(files) > 1)
    everything = [row for part in rows.values() for row in part]
    if classifies:
        _merge(everything, merge, merge_prefix, notes)
        refuse_several([(str(row.example.target), row.where.at(roles["label"])) for row in everything])
        refuse_rare([(str(row.example.target), row.where.at(roles["label"])) for row in rows["train"]])
    if recipe.strip:
        for row in everything:
            row.example = replace(row.example, input=recipe(str(row.example.input)))
    how = _split(rows, found, group, time, seed)
    notes.append(f"Split: {how}")
    source = {
        "files": [{"file": part.file, "sha256": part.sha256, "rows": len(part.rows)} for part in files],
        "columns": roles, "merge": list(merge), "merge_prefix": merge_prefix, "split": how,
    }  # fmt: skip
    targets = [row.example.target for row in everything if row.example.target is not None]
    splits = {split: tuple(row.example for row in rows[split]) for split in SPLITS}
    given = "validation" in parts
    return Dataset(_title(path), found.with_labels(targets), splits, recipe, source, given, tuple(notes))


@dataclass(slots=True)
class _Row:
    """An example on its way: `cells` are the columns it came from."""

    example: Example
    where: Where
    cells: Mapping[str, Any]


class _Place(Where):
    """A place whose columns are asked for by role and shown by their name in the file."""

    __slots__ = ("roles",)

    def __init__(self, where: Where, roles: Mapping[str, str]) -> None:
        super().__init__(where.file, where.line)
        self.roles = roles

    def at(self, column: str) -> Where:
        return Where(self.file, self.line, self.roles.get(column, column))


def _recipe(strip: Sequence[str]) -> TextRecipe:
    names = [strip] if isinstance(strip, str) else list(strip)
    for name in names:
        if name not in STRIPS:
            raise UsageError(f"nothing to strip is called {name!r}", fix=did_you_mean(name, list(STRIPS)))
    return TextRecipe(tuple(name for name in STRIPS if name in names))


def _title(path: str | Path) -> str:
    """The file's or folder's name without its endings."""
    path = Path(path).resolve()
    return path.name if path.is_dir() else path.name.removesuffix(".gz").rpartition(".")[0]


# --- parts ------------------------------------------------------------------------------------------------------------


def _parts(
    path: str | Path, test: str | Path | None, validation: str | Path | None, notes: list[str]
) -> dict[str, Part]:
    """Split -> rows as the data bring them; `train` alone where nothing is split yet."""
    parts = read_parts(path, notes)
    if len(parts) == 1 and Path(path).is_file():
        parts = _by_split_column(parts["train"], notes)
    for split, file in (("validation", validation), ("test", test)):
        if file is not None:
            if split in parts:
                raise UsageError(f"there are {split} rows in {path} already", fix=f"leave --{split} out")
            parts[split] = read_part(file, notes)
    return {split: parts[split] for split in SPLITS if split in parts}


def _by_split_column(part: Part, notes: list[str]) -> dict[str, Part]:
    """The part taken apart by a column `split`, if it has one that says so."""
    column = next((c for c in part.rows[0][1] if c.lower() == "split"), None)
    if column is None:
        return {"train": part}
    found: dict[str, list[Placed]] = {}
    strange: Where | None = None
    for where, cells in part.rows:
        split = SPLIT_NAMES.get(str(cells.get(column)).strip().lower())
        if split:
            found.setdefault(split, []).append((where, cells))
        else:
            strange = strange or where
    if not found:
        notes.append(f"{part.file}: the column {column!r} names no splits, so it is not used.")
        return {"train": part}
    if strange:
        raise DataError("this is no split", where=strange.at(column), fix="write train, validation or test")
    if "train" not in found:
        raise DataError("no row is in train", where=Where(part.file).at(column), fix="write train in some rows")
    if len(found) > 1:
        notes.append(f"{part.file}: the splits are those of the column {column!r}.")
    return {split: Part(part.file, part.sha256, rows) for split, rows in found.items()}


def _check_columns(files: Sequence[Part], columns: Sequence[str]) -> None:
    """Raises DataError where the file to be split lacks a column that the split goes by."""
    for column in columns:
        if column not in (present := columns_of(files[0])):
            raise no_column(column, present, files[0].file)


# --- rows -------------------------------------------------------------------------------------------------------------


def _parse(part: Part, task: Task, roles: Mapping[str, str]) -> list[_Row]:
    rows = []
    for number, (where, cells) in enumerate(part.rows, 1):
        place = _Place(where, roles)
        keyed = {role: cells.get(column) for role, column in roles.items()}
        if task.name == CLASSIFICATION:
            keyed["label"] = label_text(keyed["label"], place.at("label"))
        example = task.parse(keyed, place, str(number))
        if example.target is None:
            raise DataError("the answer is missing", where=where, fix="give it, or drop the row")
        rows.append(_Row(example, where, cells))
    return rows


def _name(rows: Mapping[str, list[_Row]], several_files: bool) -> None:
    """Ids: the column `id` where it tells all rows apart, else the row's number, with its split if need be."""
    given = {split: [_given_id(row.cells.get("id")) for row in part] for split, part in rows.items()}
    ids = [name for names in given.values() for name in names]
    sound = None not in ids and all(len(set(names)) == len(names) for names in given.values())
    if not sound:
        given = {split: [row.example.id for row in part] for split, part in rows.items()}
    marked = len(set(ids)) < len(ids) if sound else several_files
    for split, part in rows.items():
        for row, name in zip(part, given[split], strict=True):
            row.example = replace(row.example, id=f"{split}:{name}" if marked else str(name))


def _given_id(cell: Any) -> str | None:
    return str(cell) if isinstance(cell, str | int) and str(cell).strip() else None


def _merge(rows: list[_Row], merge: Sequence[str], prefix: str | None, notes: list[str]) -> None:
    if not merge and prefix is None:
        return
    old = Counter(str(row.example.target) for row in rows)
    new = merged_labels(old, [merge] if isinstance(merge, str) else merge, prefix)
    for row in rows:
        row.example = replace(row.example, target=new[str(row.example.target)])
    notes.append(f"{len(old)} labels were merged into {len(set(new.values()))}.")


# --- split ------------------------------------------------------------------------------------------------------------


def _split(rows: dict[str, list[_Row]], task: Task, group: str | None, time: str | None, seed: int) -> str:
    """Fill the splits that are missing from train, in place; says how, in a sentence."""
    shares = _shares(rows)
    if not shares:
        return "as given."
    train = rows["train"]
    what = " and ".join(f"{split} ({share:.0%})" for split, share in shares.items() if split != "train")
    if time is not None:
        moments = [_moment(row, time) for row in train]
        chosen = assign_by_time(moments, shares)
        how = f"{what} taken from the latest rows by {time!r}."
        if chosen is None:
            raise DataError("too few different times to split by", where=train[0].where.at(time),
                            fix="leave --time out, or give the test rows with --test")
    else:
        labels = [task.label(row.example.target) for row in train if row.example.target is not None]
        if group is not None:
            groups: Sequence[Hashable] = [_group(row, group) for row in train]
            how = f"{what} taken from train, rows with the same {group!r} together, seed {seed}."
        else:
            groups = find_duplicates([task.text(row.example.input) for row in train]).groups.tolist()
            how = f"{what} taken from train, stratified by label, near-duplicates together, seed {seed}."
        chosen = assign(labels, groups, shares, seed)
    for split in shares:
        rows[split] = [row for row, to in zip(train, chosen, strict=True) if to == split]
        if not rows[split]:
            raise DataError(f"{len(train)} rows{' in groups' if group else ''} are too few to leave some for {split}",
                            where=train[0].where.file, fix=f"add rows, or give the {split} rows with --{split}")
    return how


def _shares(rows: Mapping[str, Any]) -> dict[str, float]:
    """Split -> share of what is `train` so far; empty where nothing is missing."""
    if "test" not in rows and "validation" not in rows:
        return {"train": 0.6, "test": 0.2, "validation": 0.2}
    if "test" not in rows:
        return {"train": 0.8, "test": 0.2}
    return {} if "validation" in rows else {"train": 0.9, "validation": 0.1}


def _group(row: _Row, column: str) -> str:
    cell = row.cells.get(column)
    if cell is None or not str(cell).strip():
        raise DataError("this row has no group", where=row.where.at(column), fix="fill it in, or drop the row")
    return str(cell)


def _moment(row: _Row, column: str) -> float:
    found = moment(row.cells.get(column))
    if found is None:
        raise DataError(f"{str(row.cells.get(column))[:40]!r} is no time", where=row.where.at(column),
                        fix="write a number or an ISO date, such as 2026-01-31 or 2026-01-31T08:30:00")
    return found
