"""Which row goes where: stratified, with the rows of one group together, or by time.

    shares = {"train": 0.6, "test": 0.2, "validation": 0.2}
    assign(["billing", "delivery", …], groups=[0, 1, 1, …], shares=shares, seed=0)     # ["train", "test", "test", …]

The same labels, groups and seed give the same split on every machine: randomness is `random.Random.random`, whose
sequence Python promises to keep.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence

from slmfit.errors import UsageError

LEAST_IN_TRAIN = 2  # rows of a label that stay in train however few there are: one teaches, one more checks

Shares = Mapping[str, float]


def checked_seed(seed: int) -> int:
    """The seed of everything random. Raises UsageError for one that numpy and scikit-learn would not take."""
    if not 0 <= seed < 2**32:
        raise UsageError(f"the seed cannot be {seed}", fix=f"give a whole number from 0 to {2**32 - 1:,}")
    return seed


def assign(labels: Sequence[str], groups: Sequence[Hashable], shares: Shares, seed: int) -> list[str]:
    """The split of every row, so that each label is spread over the splits by `shares` and no group is torn apart.

    labels, groups: one a row. shares: split -> share of the rows, summing to 1; holds `train`.
    Groups of several rows are placed first, largest first, each where it is most missed; single rows then fill up
    what is missing, label by label, so that without large groups every label is within a row of its share. A split
    stays empty only where rows or groups are too few.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    draw = random.Random(seed)
    shuffled = sorted((draw.random(), rows[0], rows) for rows in members.values())
    total = Counter(labels)
    missing = {split: {label: n * share for label, n in total.items()} for split, share in shares.items()}
    chosen = [""] * len(labels)

    several = sorted((rows for _, _, rows in shuffled if len(rows) > 1), key=len, reverse=True)
    empty = set(shares)
    for place, rows in enumerate(several):
        group_labels = Counter(labels[row] for row in rows)
        groups_left = len(shuffled) - place
        splits = [s for s in shares if s in empty] if groups_left <= len(empty) else list(shares)
        split = max(splits, key=lambda s: _missed(missing[s], group_labels, total))
        empty.discard(split)
        for row in rows:
            chosen[row] = split
            missing[split][labels[row]] -= 1

    singles: dict[str, list[int]] = defaultdict(list)
    for _, _, rows in shuffled:
        if len(rows) == 1:
            singles[labels[rows[0]]].append(rows[0])
    carried = dict.fromkeys(shares, 0.0)  # what rounding took from a split so far, given back with the next label
    for label in sorted(singles):
        rows = singles[label]
        in_train = total[label] * shares["train"] - missing["train"][label]
        least = min(len(rows), max(0, LEAST_IN_TRAIN - round(in_train)))
        counts = _fill({s: missing[s][label] for s in shares}, carried, len(rows), least)
        for split, n in counts.items():
            for row in rows[:n]:
                chosen[row] = split
            rows = rows[n:]
    return chosen


def _missed(missing: Mapping[str, float], group: Mapping[str, int], total: Mapping[str, int]) -> float:
    """How much a split is short of a group's rows; a rare label counts for as much as a common one."""
    return sum(n * missing[label] / total[label] for label, n in group.items())


def _fill(missing: Shares, carried: dict[str, float], rows: int, least_in_train: int) -> dict[str, int]:
    """Whole numbers of rows per split, summing to `rows` and close to what is missing; updates `carried`."""
    wanted = {split: max(0.0, m) for split, m in missing.items()}
    scale = rows / sum(wanted.values()) if sum(wanted.values()) else 0.0
    wanted = {split: w * scale for split, w in wanted.items()} if scale else {s: rows * (s == "train") for s in wanted}
    due = {split: max(0.0, w + carried[split]) for split, w in wanted.items()}
    counts = {split: math.floor(d + 1e-9) for split, d in due.items()}
    counts["train"] = max(counts["train"], least_in_train)
    while (left := rows - sum(counts.values())) != 0:
        step = 1 if left > 0 else -1
        can = [s for s in counts if step > 0 or counts[s] > (least_in_train if s == "train" else 0)]
        counts[max(can, key=lambda s: step * (due[s] - counts[s]))] += step
    for split in counts:
        carried[split] = min(1.0, max(-1.0, carried[split] + wanted[split] - counts[split]))
    return counts


def assign_by_time(moments: Sequence[float], shares: Shares) -> list[str] | None:
    """The split of every row with test on the latest rows and validation just before; None where that cannot be.

    moments: one number a row, later is greater. Rows of one moment stay together, so the borders stand at the changes
    nearest to the shares; None means that there are fewer moments than splits.
    """
    order = sorted(range(len(moments)), key=moments.__getitem__)
    changes = [i for i in range(1, len(order)) if moments[order[i]] != moments[order[i - 1]]]
    splits = [s for s in ("train", "validation", "test") if s in shares]
    if len(changes) < len(splits) - 1:
        return None
    chosen = [""] * len(moments)
    end = len(order)
    for later in range(len(splits) - 1, 0, -1):
        goal = len(order) * sum(shares[s] for s in splits[:later])
        open_changes = [c for c in changes if c < end][later - 1 :]  # keep a change for each split still to come
        start = min(open_changes, key=lambda c: abs(c - goal))
        for row in order[start:end]:
            chosen[row] = splits[later]
        end = start
    for row in order[:end]:
        chosen[row] = "train"
    return chosen
