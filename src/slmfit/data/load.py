"""`load_data`: files and folders to a dataset, with what was guessed said in its notes.

data = load_data("tickets.csv", columns={"text": "body"}, merge=["comp.*=computers"])
len(data.train), data.task.labels, data.notes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit.data.annotated import accepted
from slmfit.data.as_before import columns_as_before, spelled_alike
from slmfit.data.asked_split import groups_of, held_against, times_of
from slmfit.data.audit.entities import offset_notes
from slmfit.data.audit.near import find_duplicates
from slmfit.data.columns import CLASSIFICATION, columns_of, no_column, task_and_roles
from slmfit.data.dataset import Dataset
from slmfit.data.examples import Row, ids_of, ids_within, label_cells, other_ids, parse
from slmfit.data.groupings import group_name, groupings
from slmfit.data.in_memory import Held, is_held
from slmfit.data.labels import merged_labels, refuse_rare, refuse_several
from slmfit.data.layout import of_split, read_parts
from slmfit.data.nested import with_nested
from slmfit.data.offsets import in_code_points
from slmfit.data.readers.rows import Part
from slmfit.data.recipe import STRIPS, TextRecipe
from slmfit.data.repaired import repair_notes
from slmfit.data.same_options import without_same_options
from slmfit.data.split import LEAST_IN_TRAIN, assign, assign_by_time, checked_seed
from slmfit.data.texts import in_any_order
from slmfit.data.time_doubts import doubtful_times
from slmfit.data.times import moments_of, spoken
from slmfit.data.titles import title
from slmfit.data.token_rows import as_bio
from slmfit.data.unlabelled import refuse_minus_one, without_hidden
from slmfit.data.unused import unused
from slmfit.errors import DataError, UsageError, did_you_mean
from slmfit.records import SPLITS, Example, Pair, Source
from slmfit.tasks.base import Task
from slmfit.text.figures import listed, part_of

_NEAR = "near-duplicates (at most one word in ten changed)"


def load_data(
    path: str | Path | Held,
    *,
    test: str | Path | Held | None = None,
    validation: str | Path | Held | None = None,
    task: str | None = None,
    columns: Mapping[str, str] | None = None,
    group: str | None = None,
    time: str | None = None,
    merge: Sequence[str] = (),
    merge_prefix: str | None = None,
    strip: Sequence[str] = (),
    seed: int = 0,
    name: str | None = None,
) -> Dataset:
    """Labelled examples in train, validation and test.

    path: a .csv, .tsv, .jsonl, .json or .parquet file, or CoNLL columns as .conll (each also .gz); a folder with such
        files named train, validation (valid, val, dev) and test; one of text files, LABEL/FILE or train/LABEL/FILE;
        one with seq.in, seq.out and label in train/, dev/ and test/; or a data set on Hugging Face's hub,
        hub:OWNER/NAME or hub:OWNER/NAME/CONFIGURATION, with @REVISION where you pin one; or rows that you hold: a list
        of dicts, a dict of columns, a data frame of polars or pandas.
    test, validation: further files, or rows, with the same columns.
    task: `text-classification`, `token-classification` or `multiple-choice`; recognised by the columns if None.
    columns: what a column is for -> its name, such as {"text": "body"}; recognised by name where not given. What
        objects in a column hold is a column, too: `meta.user` of {"meta": {"user": 7}}.
    group: a column; rows with the same value there stay together when the data are split.
    time: a column of numbers or ISO dates; the latest rows become test, those before them validation.
    merge: rules `PATTERN=NEW` for labels, or files of them; the first that matches counts.
    merge_prefix: a separator; labels become what stands before it.
    strip: some of `headers`, `footers`, `quotes` and `html`, removed from every text.
    seed: of the split.
    name: what the data are called in a report; None = as their file, or as the folder of a file called train.

    Splits that the data bring are used as they are: from files, or from a column `split`. Where only validation is
    missing it is a tenth of train. Else the split is 60/20/20, stratified by label, with near-duplicates on one side.

    Raises DataError for data that cannot be used, with file and line, and UsageError for arguments that fit no data.
    """
    merge = [merge] if isinstance(merge, str) else merge
    if group is not None and time is not None:
        raise UsageError("the split is either by group or by time", fix="leave one of the two out")
    if name is not None and not name.strip():
        raise UsageError("the name of the data is empty", fix="give a name, or leave it out")
    seed = checked_seed(seed)
    notes: list[str] = []
    if not isinstance(path, str | Path) and not is_held(path):
        what = f"the data are {type(path).__name__}, which cannot be read"
        raise UsageError(what, fix="give a path, a list of rows, a dict of columns or a data frame")
    recipe = _recipe(strip)
    parts = spelled_alike(read_parts(path, test, validation, notes), notes)
    named = [*(columns or {}).values(), *filter(None, (group, time))]
    parts = {split: with_nested(part, named) for split, part in parts.items()}
    text = (columns or {}).get("text")
    parts = {split: accepted(part, named, notes, text) for split, part in parts.items()}
    found, roles = task_and_roles(parts, task, columns or {}, notes)
    notes += unused(parts["train"], found, roles, columns or {})
    if not found.classifies and (merge or merge_prefix is not None or recipe.strip):
        raise UsageError(f"merge and strip are for {CLASSIFICATION}, and this is {found.name}", fix="leave them out")
    _check_columns(parts["train"], [c for c in (group, time) if c is not None])
    parts = as_bio(parts, found, roles, notes)
    parts = without_hidden(in_code_points(parts, found, roles, notes), found, roles, notes)
    (ids, kind), labels = ids_of(parts), label_cells(parts, roles)
    rows = {split: parse(part, found, roles, ids[split], labels) for split, part in parts.items()}
    for split, part in parts.items():
        notes += [*repair_notes(part, found, roles), *_half_pairs(part.file, [row.example for row in rows[split]])]
    everything = [row for part in rows.values() for row in part]
    merged: dict[str, str] = {}
    if found.classifies:
        _check_minus_one(rows, roles["label"], notes)
        notes += labels.notes
        merged = _merge(everything, merge, merge_prefix, notes)
        _check_labels(everything, rows["train"], roles["label"])
    else:
        _check_answers(found, rows["train"])
    if recipe.strip:
        for row in everything:
            if isinstance(row.example.input, str):
                row.example = replace(row.example, input=recipe(row.example.input))
    how = _split(rows, found, group, time, seed)
    notes += [how, *without_same_options(rows)]
    notes += doubtful_times(time, [row.cells.get(time) for row in everything]) if time is not None else []
    notes += held_against({split: rows[split] for split in SPLITS}, group, time, [s for s in parts if s != "train"])
    source = {
        "files": [{"file": p.file, "sha256": p.sha256, "used_as": s, "rows": len(p.rows)} for s, p in parts.items()],
        "columns": roles, "group": group, "time": time, "split": how, "ids": kind,
        "merge": [str(rule) for rule in merge], "merge_prefix": merge_prefix, "merged": merged,
    }  # fmt: skip
    targets = [row.example.target for row in everything if row.example.target is not None]
    splits = {split: tuple(row.example for row in rows[split]) for split in SPLITS}
    given = "validation" in parts
    cells = {split: [row.cells for row in rows[split]] for split in SPLITS}
    own = {"split", *roles.values(), *([time] if time else []), *(["id"] if kind == "column" else [])}
    beside = groupings(cells, own)
    held = frozenset(name for split in SPLITS[1:] for _, name in _named(rows[split], group))
    of_group = {row.example.id: name for split in SPLITS[:2] for row, name in _named(rows[split], group)}
    named_so = other_ids(rows["test"], {"split", *roles.values()}) if kind == "numbers" else {}
    task_of_all = found.with_labels(targets)
    return Dataset(
        title(path) if name is None else name,
        task_of_all,
        splits,
        recipe,
        source,
        given,
        tuple(notes),
        beside,
        named_so,
        held,
        of_group,
        times_of([*rows["validation"], *rows["test"]], time),
    )


def _named(rows: Sequence[Row], group: str | None) -> list[tuple[Row, str]]:
    """The rows that are of a group, and its name."""
    return [(row, name) for row, name in zip(rows, groups_of(rows, group), strict=True) if name]


def load_examples(
    part: Part, task: Task, origin: Source, columns: Mapping[str, str], notes: list[str], *, split: str
) -> list[Example]:
    """Labelled rows of one more file (see `read_file`) for a task that is known already, as they stand in the file.

    split: what they are for; rows of another by a column `split` are left out. origin: of the data that the task is of,
    whose columns these are where the file has them, and whose labels were merged as these are. columns: role -> column,
    where not. notes: filled with what was guessed, and with what was left out. Raises DataError as `load_data` does.
    """
    return [row.example for row in load_rows(part, task, origin, columns, notes, split=split)]


def load_rows(
    part: Part, task: Task, origin: Source, columns: Mapping[str, str], notes: list[str], *, split: str
) -> list[Row]:
    """What `load_examples` returns, each example with its place and its cells."""
    asked = columns
    part = with_nested(part, [*columns.values(), *origin.columns.values()])
    columns = columns_as_before(columns, origin, part, task, notes)
    if "split" not in columns.values():
        part = of_split(part, split, notes)
    part = accepted(part, list(columns.values()), notes, columns.get("text"))
    _, roles = task_and_roles({"train": part}, task.name, columns, notes)
    notes += unused(part, task, roles, asked)
    part = in_code_points(as_bio({"train": part}, task, roles, notes), task, roles, notes)["train"]
    merged = origin.merged
    known = [*merged, *task.labels]
    labels = label_cells({"train": part}, roles, known)
    rows = parse(part, task, roles, ids_within(part), labels)
    notes += [*labels.notes, *repair_notes(part, task, roles)]
    if task.classifies:
        found = [str(row.example.target) for row in rows]
        refuse_minus_one(found, known, lambda n: rows[n].where.at(roles["label"]))
    examples = [row.example for row in rows]
    notes += [*offset_notes(part.file, examples), *_half_pairs(part.file, examples)]
    for row, example in zip(rows, examples, strict=True):
        if isinstance(example.target, str):
            row.example = replace(example, target=merged.get(example.target, example.target))
    return rows


def _recipe(strip: Sequence[str]) -> TextRecipe:
    names = [strip] if isinstance(strip, str) else list(strip)
    for name in names:
        if name not in STRIPS:
            raise UsageError(f"nothing to strip is called {name!r}", fix=did_you_mean(name, STRIPS))
    return TextRecipe(tuple(name for name in STRIPS if name in names))


def _check_columns(train: Part, columns: Sequence[str]) -> None:
    """Raises DataError where a column that the split goes by is missing."""
    for column in columns:
        if column not in (present := columns_of(train)):
            raise no_column(column, present, train.file)


# --- rows -------------------------------------------------------------------------------------------------------------


def _merge(rows: list[Row], merge: Sequence[str], prefix: str | None, notes: list[str]) -> dict[str, str]:
    """Old label -> new label, where any rule is given; the rows have the new ones then."""
    if not merge and prefix is None:
        return {}
    old = Counter(str(row.example.target) for row in rows)
    new = merged_labels(old, merge, prefix)
    for row in rows:
        row.example = replace(row.example, target=new[str(row.example.target)])
    notes.append(f"{len(old)} labels were merged into {len(set(new.values()))}: {_merges(new)}.")
    return new


def _half_pairs(file: str, examples: Sequence[Example]) -> Iterator[str]:
    if lacking := sum(isinstance(e.input, Pair) and e.input.lacks for e in examples):
        said = part_of(lacking, len(examples), "pair", "have")
        yield f"{file}: {said} an empty text: drop these rows, or fill it in."


def _merges(new: Mapping[str, str]) -> str:
    """Which labels became which: 'net.a', 'netting' -> 'network'."""
    by_new: dict[str, list[str]] = {}
    for old, to in new.items():
        if old != to:
            by_new.setdefault(to, []).append(old)
    said = [f"{listed(olds)} -> {to!r}" for to, olds in by_new.items()]
    more = f"; and {len(said) - 10:,} more" if len(said) > 10 else ""
    return "; ".join(said[:10]) + more


def _check_minus_one(rows: Mapping[str, list[Row]], column: str, notes: list[str]) -> None:
    """Raises DataError for a -1 that means that there is no label; one that may mean it is noted."""
    found = {split: [str(row.example.target) for row in part] for split, part in rows.items()}
    for split, part in rows.items():
        refuse_minus_one(found[split], set(found["train"]), lambda n, part=part: part[n].where.at(column))  # type: ignore[misc]
    if "-1" in found["train"] and set(found["train"]) != {"-1", "1"}:
        file = rows["train"][0].where.file
        notes.append(f"{file}: -1 is read as a label like the others; drop its rows if it means that there is none.")


def _check_labels(everything: list[Row], train: list[Row], column: str) -> None:
    """Raises DataError for labels that cannot be learnt."""
    refuse_several([str(row.example.target) for row in everything], lambda n: everything[n].where.at(column))
    refuse_rare([str(row.example.target) for row in train], lambda n: train[n].where.at(column))


def _check_answers(task: Task, train: list[Row]) -> None:
    """Raises DataError where train has no label of any kind: `task` has none yet."""
    if task == task.with_labels(row.example.target for row in train if row.example.target is not None):
        others = [column for column in train[0].cells if column.startswith("tags_")]  # as CoNLL files have them
        named = f", or name the column that marks them: --column tags={others[0]}" if others else ""
        fix = f"mark some{named}; without any there is nothing to learn"
        raise DataError("no row of train has an entity or an intent", where=train[0].where.file, fix=fix)


# --- split ------------------------------------------------------------------------------------------------------------


def _split(rows: dict[str, list[Row]], task: Task, group: str | None, time: str | None, seed: int) -> str:
    """Take the splits that are missing from train, in place; says how, in a sentence."""
    shares = _shares(rows)
    if not shares:
        ignored = f", so {group or time!r} is not used" if group or time else ""
        return f"Train, validation and test are used as given{ignored}."
    train, kept = rows["train"], ""
    reach = ""
    if time is not None:
        chosen, reach = _chosen_by_time(train, time, shares)
        how = f"taken from the latest rows by {time!r}"
    else:
        labels = [task.label(row.example.target) for row in train if row.example.target is not None]
        groups = _groups(train, task, group)
        chosen = assign(labels, groups, shares, seed)
        together = _NEAR if group is None else f"rows of the same {group!r}"
        how = f"drawn at random from train (seed {seed}), stratified by label, with {together} in the same split"
        if group is not None and len(set(groups)) == len(train):
            how += f", but no two rows have the same {group!r}"
        if (distinct := len(set(groups))) < len(train):
            kept = f": with {together} in the same split they are {distinct} {'group' if distinct == 1 else 'groups'}"
    for split in shares:
        rows[split] = [row for row, to in zip(train, chosen, strict=True) if to == split]
        if not rows[split]:
            raise DataError(
                f"{len(train)} rows are too few to take some for {split}{kept or _all_rare(train, task)}",
                where=train[0].where.file,
                fix=f"add rows, or give the {split} rows with --{split}",
            )
    return " and ".join(f"{split} ({len(rows[split]):,} rows)" for split in shares if split != "train").capitalize() + (
        f" {'was' if len(shares) == 2 else 'were'} {how}{reach}."
    )


def _all_rare(train: list[Row], task: Task) -> str:
    """That no label has a row to spare, where that is why."""
    counts = Counter(task.label(row.example.target) for row in train if row.example.target is not None)
    rare = sum(count <= LEAST_IN_TRAIN for count in counts.values())
    few = f"{rare} of {len(counts)} labels have {LEAST_IN_TRAIN} rows or fewer, which all stay in train"
    return f": {few}" if 2 * rare > len(counts) else ""


def _shares(rows: Mapping[str, Any]) -> dict[str, float]:
    """Split -> share of what is `train` so far; empty where nothing is missing."""
    if "test" not in rows and "validation" not in rows:
        return {"train": 0.6, "test": 0.2, "validation": 0.2}
    if "test" not in rows:
        return {"train": 0.8, "test": 0.2}
    return {} if "validation" in rows else {"train": 0.9, "validation": 0.1}


def _groups(rows: list[Row], task: Task, column: str | None) -> list[Hashable]:
    """What must stay together: the rows with the same cell in `column`, else near-duplicates."""
    if column is None:
        groups: list[Hashable] = find_duplicates(
            [in_any_order(task, row.example.input) for row in rows]
        ).groups.tolist()
        return groups
    cells = [row.cells.get(column) for row in rows]
    for row, cell in zip(rows, cells, strict=True):
        if cell is None or not str(cell).strip() or cell != cell:  # nan alone is not itself
            raise DataError("this row has no group", where=row.where.at(column), fix="fill it in, or drop the row")
    return [group_name(cell) for cell in cells]


def _chosen_by_time(rows: list[Row], column: str, shares: Mapping[str, float]) -> tuple[list[str], str]:
    """The split of each row, and from when to when each split reaches."""
    moments = moments_of([row.cells.get(column) for row in rows], [row.where.at(column) for row in rows])
    chosen = assign_by_time(moments, shares)
    if chosen is None:
        raise DataError(
            "the rows have too few different times to split by",
            where=rows[0].where.file,
            fix="leave --time out, or give the test rows with --test",
        )
    reach = []
    for split in (split for split in SPLITS if split in shares):
        own = [i for i, to in enumerate(chosen) if to == split]
        first, last = min(own, key=moments.__getitem__), max(own, key=moments.__getitem__)
        reach.append(f"{split} {spoken(rows[first].cells.get(column))} to {spoken(rows[last].cells.get(column))}")
    return chosen, f": {', '.join(reach)}"
