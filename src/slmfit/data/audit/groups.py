"""A column whose rows are alike and stand on both sides of the split: its values are recognised, not the labels.

    list(torn_groups(rows, {"user_id": numbers}, one_file=True))
    # [("user_id", {"kind": "group", "message": "Rows with the same 'user_id' are alike …", "fix": "… --group …"})]

Two things must come together. The value alone must tell the label: the commonest label that its rows have in train is
right far more often than the commonest of all. And texts must give the value away: the nearest text of train has the
row's label far less often once texts of the same value are left out. A column that tells the label only as texts do (a
product, a language, a finer label) fails the second, one that texts do not show (who annotated) the first or second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Literal

import numpy as np

from slmfit.data.audit.edits import Integers
from slmfit.data.audit.findings import Finding, Rows, finding
from slmfit.data.groupings import BEGUN_ALIKE, PART_OF
from slmfit.text.figures import number_of, percent
from slmfit.text.tfidf import Counter, Tfidf

MORE = 0.1  # more rows right by this share, for either
SURE, LIKELY = 3.0, 2.0  # and by so many standard errors, over values; where these are few
FEWEST = 4  # values on both sides of the split, and two more than labels
SURELY = 10  # values, and more than two for each label: with fewer, it may also be what the labels say more finely
_ASKED, _READ, _CHARACTERS = 1_000, 20_000, 2_000  # rows whose nearest text is looked for, texts of train, and of each


def torn_groups(rows: Rows, groups: Mapping[str, Integers], one_file: bool) -> Iterator[tuple[str, Finding]]:
    """Columns, and what is found of each.

    groups: column -> per row the number of its value, -1 where it has none. one_file: slmfit makes the split.
    """
    _, labels = np.unique([label or "" for label in rows.labels], return_inverse=True)
    splits = np.array(rows.splits)
    train, held = np.flatnonzero(splits == "train"), np.flatnonzero(splits != "train")
    for column, group in groups.items():
        asked = _told(group, labels, train, held)
        if len(asked) and (found := _nearest(rows, group, labels, train, asked)):
            values = len(np.unique(group[asked]))
            sure = values >= max(SURELY, 2 * len(np.unique(labels)) + 1)
            yield column, _finding(rows, column, one_file, "warning" if sure else "note", *found)


def _told(group: Integers, labels: Integers, train: Integers, held: Integers) -> Integers:
    """The rows of validation and test whose value is in train, if the labels it has there tell theirs; else none."""
    nobody = np.zeros(0, np.int64)
    train = train[group[train] >= 0]
    held = held[np.isin(group[held], group[train])]
    values = np.unique(group[held])
    if len(values) < max(FEWEST, len(np.unique(labels)) + 2):
        return nobody
    kinds, times = np.unique(np.column_stack([group[train], labels[train]]), axis=0, return_counts=True)
    order = np.lexsort((-times, kinds[:, 0]))
    first = order[np.unique(kinds[order, 0], return_index=True)[1]]
    common = np.full(int(group.max()) + 1, -1)
    common[kinds[first, 0]] = kinds[first, 1]
    by_value = common[group[held]] == labels[held]
    by_chance = np.bincount(labels[train]).argmax() == labels[held]
    return held if far_more(by_value, by_chance, group[held]) else nobody


def far_more(one: np.ndarray, other: np.ndarray, group: Integers) -> bool:
    """Whether one way is right far more often than another, rows of one value counted as a cluster.

    Few clusters cannot be as sure: what is found of them is a note.
    """
    gain = one.astype(float) - other
    values, number = np.unique(group, return_inverse=True)
    sure = SURE if len(values) >= SURELY else LIKELY
    beyond = np.bincount(number, weights=gain - gain.mean())
    error = float(np.sqrt((beyond**2).sum())) / len(gain)
    return bool(gain.mean() >= MORE and gain.mean() >= sure * error)


def _nearest(
    rows: Rows, group: Integers, labels: Integers, train: Integers, asked: Integers
) -> tuple[Integers, Integers, np.ndarray, np.ndarray] | None:
    """Rows, the nearest text of train to each, and whether its label is theirs: of all texts, and of other values'."""
    asked = asked[:: -(-len(asked) // _ASKED)]
    if len(train) > _READ:
        own = np.isin(group[train], group[asked])
        others = np.flatnonzero(~own)
        own[others[:: max(1, -(-len(others) // _READ))]] = True
        train = train[own][: 2 * _READ]
    read = np.concatenate([train, asked])
    counter, counts = Counter.fit([rows.texts[row][:_CHARACTERS] for row in read.tolist()], ("words",))
    features = Tfidf.fit(counter, counts, power=1).weigh(counts).tocsr()
    known, sought = features[: len(train)], features[len(train) :]
    nearest, other = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
    for start in range(0, len(asked), 100):
        part = slice(start, start + 100)
        alike = (sought[part] @ known.T).toarray()
        nearest[part] = alike.argmax(axis=1)
        alike[group[asked[part], None] == group[train]] = -1.0
        other[part] = alike.argmax(axis=1)
    with_own, without = (labels[train[found]] == labels[asked] for found in (nearest, other))
    return (asked, train[nearest], with_own, without) if far_more(with_own, without, group[asked]) else None


def _finding(
    rows: Rows,
    column: str,
    one_file: bool,
    severity: Literal["warning", "note"],
    asked: Integers,
    nearest: Integers,
    with_own: np.ndarray,
    without: np.ndarray,
) -> Finding:
    message = (
        f"Rows with the same {column!r} are alike and stand on both sides of the split: the nearest text of train has "
        f"the label of {percent(float(with_own.mean()))} of {number_of(len(asked), 'row')} of validation and test, and "
        f"of {percent(float(without.mean()))} where texts of the same {column!r} are left out."
    )
    lost = np.flatnonzero(with_own & ~without)
    examples = (rows.example([int(nearest[k]), int(asked[k])]) for k in lost.tolist())
    return finding("group", severity, len(asked), message, way_out(column, one_file), examples)


def way_out(column: str, one_file: bool) -> str:
    """What to type so that rows with the same value stand on one side. one_file: slmfit makes the split."""
    if column == BEGUN_ALIKE:
        new, line = "be of others, write that part of the ids into a column and split by it", "--group COLUMN"
    elif column.endswith(PART_OF):
        new, line = "have other values there, write that part into a column and split by it", "--group COLUMN"
    else:
        new, line = "have other values of it, split by it", f"--group {quote(column)}"
    line = line if one_file else f"give all rows as one file, with {line}"
    return f"If new rows will {new}: {line}. Until then the scores are too good."
