"""Labels: fewer of them by rules, and what cannot be learnt from.

mapping = merged_labels(labels, ["comp.*=computers"], prefix=".")
mapping["comp.graphics"], mapping["sci.space"]     # "computers", "sci"
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from slmfit.data.label_cells import several
from slmfit.data.readers.lines import lines_of
from slmfit.data.readers.rows import reading
from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.text.figures import listed

Rule = tuple[str, str]  # a pattern as in file names (* ? […]), and the label it becomes
Place = Callable[[int], Where]  # the label cell of the row with this number, from 0
_LONGEST_PATTERN = 1000  # characters; what looks for a bracket's end takes quadratic time
_SEPARATORS = "|;,#\n"  # between the labels of a cell that holds several


def refuse_several(labels: Sequence[str], place: Place) -> None:
    """Raises DataError for a label such as `a|b` where `a` and `b` are labels of other rows, and for tags of words."""
    known = set(labels)
    if all(map(_are_tags, known)):
        fix = 'to find entities give lists: {"tokens": ["fly", "to", "Rome"], "tags": ["O", "O", "B-CITY"]}'
        raise DataError(f"the labels are tags, one a word: {labels[0]!r:.60}", where=place(0), fix=fix)
    objects = sorted(label for label in known if _is_object(label))
    if objects and len(objects) < len(known):
        fix = "write one label, a text; for several labels a row, keep the one that matters most"
        raise DataError(f"the label is an object: {objects[0]:.60}", where=place(labels.index(objects[0])), fix=fix)
    for label in sorted(known):
        for separator in _SEPARATORS:
            parts = {part.strip() for part in label.split(separator)}
            if len(parts) > 1 and parts <= known:
                raise several(repr(label), place(labels.index(label)))


def _is_object(label: str) -> bool:
    """Whether it is JSON with names in it, as tools export several choices."""
    if not label.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(label), dict)
    except (ValueError, RecursionError):
        return False


def _are_tags(label: str) -> bool:
    tags = label.replace(",", " ").split()
    return len(tags) > 1 and all(tag == "O" or (tag[:2] in ("B-", "I-") and len(tag) > 2) for tag in tags)


def refuse_rare(labels: Sequence[str], place: Place) -> None:
    """Raises DataError for a single label, and for a label with a single row: it cannot be both learnt and checked."""
    counts = Counter(labels)
    where = Where(place(0).file, column=place(0).column)
    if len(counts) < 2:
        raise DataError(
            f"every row has the label {labels[0]!r}, so there is nothing to learn",
            where=where,
            fix="name another column with --label, or add rows with other labels",
        )
    rare = sorted((label for label, n in counts.items() if n == 1), key=lambda label: (label != labels[0], label))
    if len(rare) > max(1, len(counts) // 2):
        if all(_is_number(label) for label in counts):
            raise DataError(
                f"{len(rare)} of {len(counts)} labels occur only once: slmfit predicts classes, not numbers",
                where=where,
                fix="name another column with --label, or group the numbers into classes",
            )
        raise DataError(
            f"{len(rare)} of {len(counts)} labels occur only once, so this may not be the label column",
            where=where,
            fix="name the label column with --label, or add rows: every label needs at least two",
        )
    if rare:
        more = f" (and {len(rare) - 1} more labels like it)" if len(rare) > 1 else ""
        raise DataError(
            f"the label {rare[0]!r} has a single row{more}; every label needs two",
            where=place(labels.index(rare[0])),
            fix=f"add a row with it, merge it into another label (--merge '{rare[0]}=LABEL'), or drop the row"
            + _header_again(labels, rare),
        )


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def _header_again(labels: Sequence[str], rare: Sequence[str]) -> str:
    """What a label that only the first row has may be besides: a second line of headers."""
    return ", which comes first and may be a second header" if rare[0] == labels[0] else ""


def merged_labels(labels: Iterable[str], merge: Sequence[str], prefix: str | None) -> dict[str, str]:
    """Old label -> new label for every label.

    merge: rules `PATTERN=NEW`, or files of such lines (or of CSV lines `old,new`). Where several rules match a label,
    the first one counts. prefix: a separator; a label that no rule matches becomes what stands before it.
    Raises UsageError for a rule or separator that matches no label, DataError for a file that cannot be read.
    """
    known = sorted(set(labels))
    mapping: dict[str, str] = {}
    for pattern, new in [rule for item in merge for rule in _rules(str(item))]:
        matched = [label for label in known if label == pattern or fnmatchcase(label, pattern)]
        if not matched:
            fix = did_you_mean(pattern, known, f"the labels are: {listed(known, 30, quoted=False)}")
            raise UsageError(f"the merge rule {pattern!r} matches no label", fix=fix)
        for label in matched:
            mapping.setdefault(label, new)
    if prefix is not None:
        if not prefix or not any(prefix in label.lstrip(prefix) for label in known):
            raise UsageError(
                f"no label holds the separator {prefix!r}", fix=f"the labels are: {listed(known, 30, quoted=False)}"
            )
        for label in known:
            mapping.setdefault(label, label.partition(prefix)[0] or label)
    return {label: mapping.get(label, label) for label in known}


def _rules(item: str) -> list[Rule]:
    """The rule that `item` is (it holds a `=`), or the rules in the file that it names."""
    if "=" in item:
        return [_rule(item, "--merge")]
    with reading(item):
        if not Path(item).is_file():
            raise UsageError(f"the merge rule {item!r} is neither PATTERN=NEW nor a file", fix="write comp.*=computers")
        with Path(item).open("rb") as handle:
            lines = [line.strip() for line in lines_of(handle, item)]
    return [_rule(line, f"{item}, line {number}") for number, line in enumerate(lines, 1) if line]


def _rule(text: str, where: str) -> Rule:
    if "=" in text:
        old, _, new = text.partition("=")
        cells = [old, new]
    else:
        cells = next(csv.reader([text[:10_000]]))  # no label is longer, and csv has a limit of its own
    if len(cells) != 2 or not all(cell.strip() for cell in cells):
        said = repr(text if len(text) < 80 else f"{text[:80]}…")
        raise UsageError(f"{said} is not a merge rule", where=where, fix="write PATTERN=NEW, or old,new in a file")
    if len(cells[0]) > _LONGEST_PATTERN:
        fix = "write * in place of a part of it"
        raise UsageError(f"this pattern has more than {_LONGEST_PATTERN:,} characters", where=where, fix=fix)
    return cells[0].strip(), cells[1].strip()
