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

from slmfit.data.audit.near import find_duplicates
from slmfit.data.columns import CLASSIFICATION, columns_of, no_column, task_and_roles
from slmfit.data.dataset import STRIPS, Dataset, TextRecipe
from slmfit.data.hub import Place, is_hub
from slmfit.data.labels import label_text, merged_labels, refuse_rare, refuse_several
from slmfit.data.layout import read_file, read_parts
from slmfit.data.readers.rows import Part, is_table
from slmfit.data.repaired import repair_notes
from slmfit.data.split import assign, assign_by_time, checked_seed, moment
from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.records import SPLITS, Example
from slmfit.tasks.answers import holds_labels, read_back
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

    path: a .csv, .tsv, .jsonl, .json or .parquet file, or CoNLL columns as .conll (each also .gz); a folder with such
        files named train, validation (valid, val, dev) and test; one of text files, LABEL/FILE or train/LABEL/FILE;
        one with seq.in, seq.out and label in train/, dev/ and test/; or a data set on Hugging Face's hub,
        hub:OWNER/NAME or hub:OWNER/NAME/CONFIGURATION, with @REVISION where you pin one.
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
    merge = [merge] if isinstance(merge, str) else merge
    if group is not None and time is not None:
        raise UsageError("the split is either by group or by time", fix="leave one of the two out")
    seed = checked_seed(seed)
    notes: list[str] = []
    recipe = _recipe(strip)
    parts = read_parts(path, test, validation, notes)
    found, roles = task_and_roles(parts, task, columns or {}, notes)
    classifies = found.name == CLASSIFICATION
    if not classifies and (merge or merge_prefix is not None or recipe.strip):
        raise UsageError(f"merge and strip are for {CLASSIFICATION}, and this is {found.name}", fix="leave them out")
    _check_columns(parts["train"], [c for c in (group, time) if c is not None])
    ids = _ids(parts)
    rows = {split: _parse(part, found, roles, ids[split]) for split, part in parts.items()}
    for part in parts.values():
        notes += repair_notes(part, found, roles)
    everything = [row for part in rows.values() for row in part]
    merged: dict[str, str] = {}
    if classifies:
        merged = _merge(everything, merge, merge_prefix, notes)
        _check_labels(everything, rows["train"], roles["label"])
    else:
        _check_answers(found, rows["train"])
    if recipe.strip:
        for row in everything:
            row.example = replace(row.example, input=recipe(str(row.example.input)))
    how = _split(rows, found, group, time, seed)
    notes.append(how)
    source = {
        "files": [{"file": p.file, "sha256": p.sha256, "used_as": s, "rows": len(p.rows)} for s, p in parts.items()],
        "columns": roles, "group": group, "time": time, "split": how,
        "merge": [str(rule) for rule in merge], "merge_prefix": merge_prefix, "merged": merged,
    }  # fmt: skip
    targets = [row.example.target for row in everything if row.example.target is not None]
    splits = {split: tuple(row.example for row in rows[split]) for split in SPLITS}
    given = "validation" in parts
    return Dataset(_title(path), found.with_labels(targets), splits, recipe, source, given, tuple(notes))


def load_examples(path: str | Path, task: Task, columns: Mapping[str, str], merged: Mapping[str, str]) -> list[Example]:
    """Labelled rows of one more file for a task that is known already, as they stand in the file.

    columns: role -> column, recognised by name where not given. merged: old label -> new label.
    Raises DataError as `load_data` does.
    """
    part = read_file(Path(path), [])
    _, roles = task_and_roles({"train": part}, task.name, columns, [])
    examples = [row.example for row in _parse(part, task, roles, [str(number) for number in part.numbers])]
    return [replace(e, target=merged.get(e.target, e.target)) if isinstance(e.target, str) else e for e in examples]


@dataclass(slots=True)
class _Row:
    """An example on its way: `cells` are the columns it came from."""

    example: Example
    where: Where
    cells: Mapping[str, Any]


class _Place(Where):
    """The row being parsed: a task asks for its columns by role, and messages show the column's name in the file."""

    __slots__ = ("roles",)

    def __init__(self, file: str, roles: Mapping[str, str]) -> None:
        super().__init__(file)
        self.roles = roles

    def at(self, column: str) -> Where:
        return Where(self.file, self.line, self.roles.get(column, column))


def _recipe(strip: Sequence[str]) -> TextRecipe:
    names = [strip] if isinstance(strip, str) else list(strip)
    for name in names:
        if name not in STRIPS:
            raise UsageError(f"nothing to strip is called {name!r}", fix=did_you_mean(name, STRIPS))
    return TextRecipe(tuple(name for name in STRIPS if name in names))


def _title(path: str | Path) -> str:
    """The file's or folder's name without its endings, or the data set's on the hub."""
    if is_hub(path):
        return Place.parse(str(path)).title
    path = Path(path).resolve()
    return path.name if path.is_dir() else path.name.removesuffix(".gz").rpartition(".")[0]


def _check_columns(train: Part, columns: Sequence[str]) -> None:
    """Raises DataError where a column that the split goes by is missing."""
    for column in columns:
        if column not in (present := columns_of(train)):
            raise no_column(column, present, train.file)


# --- rows -------------------------------------------------------------------------------------------------------------


def _ids(parts: Mapping[str, Part]) -> dict[str, list[str]]:
    """Split -> ids: the column `id` where it tells all rows of a split apart, else the rows' numbers in their files.

    The split is put before them where rows of two splits would have the same.
    """
    given = {split: [_given_id(cells.get("id")) for _, cells in part.rows] for split, part in parts.items()}
    if all(None not in ids and len(set(ids)) == len(ids) for ids in given.values()):
        found = {split: [str(id) for id in ids] for split, ids in given.items()}
        marked = len(set().union(*found.values())) < sum(map(len, found.values()))
    else:
        found = {split: [str(number) for number in part.numbers] for split, part in parts.items()}
        marked = len({part.file for part in parts.values()}) > 1
    return {split: [f"{split}:{id}" for id in ids] if marked else ids for split, ids in found.items()}


def _parse(part: Part, task: Task, roles: Mapping[str, str], ids: Sequence[str]) -> list[_Row]:
    rows = []
    place = _Place(part.file, roles)
    answered = is_table(Path(part.file)) and any(map(holds_labels, roles.values()))
    for (where, cells), id in zip(part.rows, ids, strict=True):
        place.file, place.line = where.file, where.line
        plain = read_back(cells) if answered else cells
        keyed = {role: plain.get(column) for role, column in roles.items()}
        if task.name == CLASSIFICATION:
            keyed["label"] = label_text(keyed["label"], place)
        example = task.parse(keyed, place, id)
        if example.target is None:
            raise DataError("the answer is missing", where=where, fix="give it, or drop the row")
        rows.append(_Row(example, where, cells))
    return rows


def _given_id(cell: Any) -> str | None:
    return str(cell) if isinstance(cell, str | int) and str(cell).strip() else None


def _merge(rows: list[_Row], merge: Sequence[str], prefix: str | None, notes: list[str]) -> dict[str, str]:
    """Old label -> new label, where any rule is given; the rows have the new ones then."""
    if not merge and prefix is None:
        return {}
    old = Counter(str(row.example.target) for row in rows)
    new = merged_labels(old, merge, prefix)
    for row in rows:
        row.example = replace(row.example, target=new[str(row.example.target)])
    notes.append(f"{len(old)} labels were merged into {len(set(new.values()))}.")
    return new


def _check_labels(everything: list[_Row], train: list[_Row], column: str) -> None:
    """Raises DataError for labels that cannot be learnt."""
    refuse_several([str(row.example.target) for row in everything], lambda n: everything[n].where.at(column))
    refuse_rare([str(row.example.target) for row in train], lambda n: train[n].where.at(column))


def _check_answers(task: Task, train: list[_Row]) -> None:
    """Raises DataError where train has no label of any kind: `task` has none yet."""
    if task == task.with_labels(row.example.target for row in train if row.example.target is not None):
        fix = "mark some; without any there is nothing to learn"
        raise DataError("no row of train has an entity or an intent", where=train[0].where.file, fix=fix)


# --- split ------------------------------------------------------------------------------------------------------------


def _split(rows: dict[str, list[_Row]], task: Task, group: str | None, time: str | None, seed: int) -> str:
    """Take the splits that are missing from train, in place; says how, in a sentence."""
    shares = _shares(rows)
    if not shares:
        ignored = f", so {group or time!r} is not used" if group or time else ""
        return f"Train, validation and test are used as given{ignored}."
    train, kept = rows["train"], ""
    if time is not None:
        chosen = _chosen_by_time(train, time, shares)
        how = f"from the latest rows by {time!r}"
    else:
        labels = [task.label(row.example.target) for row in train if row.example.target is not None]
        groups = _groups(train, task, group)
        chosen = assign(labels, groups, shares, seed)
        together = "near-duplicates" if group is None else f"rows of the same {group!r}"
        how = f"from train by chance (seed {seed}), labels in proportion, {together} on one side"
        if (distinct := len(set(groups))) < len(train):
            kept = f": with {together} on one side they are {distinct} {'group' if distinct == 1 else 'groups'}"
    for split in shares:
        rows[split] = [row for row, to in zip(train, chosen, strict=True) if to == split]
        if not rows[split]:
            raise DataError(
                f"{len(train)} rows are too few to take some for {split}{kept}",
                where=train[0].where.file,
                fix=f"add rows, or give the {split} rows with --{split}",
            )
    return " and ".join(f"{split} ({len(rows[split]):,} rows)" for split in shares if split != "train").capitalize() + (
        f" {'was' if len(shares) == 2 else 'were'} taken {how}."
    )


def _shares(rows: Mapping[str, Any]) -> dict[str, float]:
    """Split -> share of what is `train` so far; empty where nothing is missing."""
    if "test" not in rows and "validation" not in rows:
        return {"train": 0.6, "test": 0.2, "validation": 0.2}
    if "test" not in rows:
        return {"train": 0.8, "test": 0.2}
    return {} if "validation" in rows else {"train": 0.9, "validation": 0.1}


def _groups(rows: list[_Row], task: Task, column: str | None) -> list[Hashable]:
    """What must stay together: the rows with the same cell in `column`, else near-duplicates."""
    if column is None:
        groups: list[Hashable] = find_duplicates([task.text(row.example.input) for row in rows]).groups.tolist()
        return groups
    cells = [row.cells.get(column) for row in rows]
    for row, cell in zip(rows, cells, strict=True):
        if cell is None or not str(cell).strip():
            raise DataError("this row has no group", where=row.where.at(column), fix="fill it in, or drop the row")
    return [str(cell) for cell in cells]


def _chosen_by_time(rows: list[_Row], column: str, shares: Mapping[str, float]) -> list[str]:
    moments = []
    for row in rows:
        cell = row.cells.get(column)
        found = moment(cell)
        if found is None:
            raise DataError(
                f"{str(cell)[:40]!r} is no time",
                where=row.where.at(column),
                fix="write a number or an ISO date, such as 2026-01-31 or 2026-01-31T08:30:00",
            )
        moments.append(found)
    chosen = assign_by_time(moments, shares)
    if chosen is None:
        raise DataError(
            "the rows have too few different times to split by",
            where=rows[0].where.file,
            fix="leave --time out, or give the test rows with --test",
        )
    return chosen
