"""What is odd about a set of labels by their counts: twins, labels that train or test lacks, few rows, imbalance.

    label_findings({"train": Counter(a=90, b=2), "test": Counter(a=20, c=1)}, LABEL)

The same for intents and for entity types, which are counted in spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Literal

from slmfit.data.audit.findings import EXAMPLES, Finding, counted, finding
from slmfit.data.audit.label_twins import Likeness, label_twins
from slmfit.data.audit.odd_labels import odd_labels
from slmfit.text.figures import listed, number_of, part_of, verb_of
from slmfit.text.looks import beside, told_apart

FEW = 10  # rows of a label; with fewer, neither learning nor scoring it means much
_MUCH = 0.1  # of train; a label with more of it that test lacks is a warning
_IMBALANCE = 20  # largest label against smallest
_LIKENESS: Mapping[Likeness, str] = {
    "look": "only in characters that look alike",
    "spelling": "only in case, spaces or punctuation",
    "letter": "in one letter only",
}


@dataclass(frozen=True)
class Kind:
    """What the labels are, and what they are counted in. macro: a metric that sees the small ones as `metric` does not;
    empty where there is none."""

    noun: str
    unit: str
    metric: str
    macro: str = ""


LABEL = Kind("label", "row", "accuracy", "f1_macro")
INTENT = Kind("intent", "row", "intent accuracy")
TYPE = Kind("entity type", "span", "entity F1", "entity_f1_macro")


def label_findings(splits: Mapping[str, Counter[str]], kind: Kind) -> Iterator[Finding]:
    """splits: split -> label -> how many there are, for the splits there are."""
    yield from _twins(sum(splits.values(), Counter()), kind)
    yield from odd_labels(sum(splits.values(), Counter()), kind.noun, kind.unit)
    yield from _unseen(splits, kind)
    yield from _few(splits, kind)
    yield from _imbalance(splits.get("train", Counter()), kind)


def _twins(counts: Counter[str], kind: Kind) -> Iterator[Finding]:
    """Labels that look like one label written twice."""
    alike = label_twins(counts)
    for likeness, words in _LIKENESS.items():
        groups = [labels for labels, how in alike if how == likeness]
        if not groups:
            continue
        said = [
            listed(told_apart(group), quoted=False) if likeness == "look" else listed(group) for group in groups[:3]
        ]
        shown = "; ".join(said) + (" and more" if len(groups) > 3 else "")
        message = (
            f"{number_of(len(groups), 'group')} of {kind.noun}s {verb_of(len(groups), 'differ')} {words}: {shown}."
        )
        keep = max(groups[0], key=lambda label: (counts[label], label))
        other = next(label for label in groups[0] if label != keep)
        fix = f"If they mean the same, merge them: --merge {quote(f'{other[:80]}={keep[:80]}')}"
        if kind is not LABEL:
            fix = f"If they mean the same, write {listed([keep])} for {listed([other])} in the data."
        examples = ({"labels": list(counted(group[:EXAMPLES], counts))} for group in groups)
        severity: Literal["warning", "note"] = "note" if likeness == "letter" else "warning"
        yield finding("label_twins", severity, len(groups), message, fix, examples)


def _unseen(splits: Mapping[str, Counter[str]], kind: Kind) -> Iterator[Finding]:
    """Labels that only one of train and the splits scored on has."""
    train = splits.get("train", Counter())
    for split in ("validation", "test"):
        counts = splits.get(split, Counter())
        if not train or not counts:
            continue
        if unseen := sorted(counts.keys() - train.keys()):
            lost = number_of(sum(counts[label] for label in unseen), kind.unit)
            can = f"answer {lost} of {split} right" if kind.unit == "row" else f"find {lost} of {split}"
            some = f"{number_of(len(unseen), f'{split} {kind.noun}')} never {verb_of(len(unseen), 'occur')} in train"
            named = listed(beside(unseen, train), quoted=False)
            message = f"{some}, so no method can {can}: {named}."
            merge = " merge the labels with --merge," if kind is LABEL else ""
            fix = f"Add such rows to train,{merge} or give one file for slmfit to split."
            yield finding("unseen_label", "warning", len(unseen), message, fix, counted(unseen, counts))
        if absent := sorted(train.keys() - counts.keys()):
            some = f"{number_of(len(absent), f'train {kind.noun}')} never {verb_of(len(absent), 'occur')} in {split}"
            message = f"{some}, where nothing measures how well they are recognised: {listed(absent)}."
            fix = f"Add rows of them to {split} if they matter."
            large = split == "test" and any(train[label] > _MUCH * train.total() for label in absent)
            if large:
                fix = f"Check that {split} is of the same kind as train; rows without a true label belong in neither."
            severity: Literal["warning", "note"] = "warning" if large else "note"
            yield finding("absent_label", severity, len(absent), message, fix, counted(absent, train))


def _few(splits: Mapping[str, Counter[str]], kind: Kind) -> Iterator[Finding]:
    """Labels with too few rows in a split to be learnt or measured."""
    for split, counts in splits.items():
        rare = sorted((label for label in counts if counts[label] < FEW), key=lambda label: (counts[label], label))
        if not rare:
            continue
        part = part_of(len(rare), len(counts), f"{split} {kind.noun}", "have")
        message = f"{part} fewer than {FEW} {kind.unit}s: {listed(rare)}."
        learnt = split == "train"
        merge = ", or merge these labels with --merge" if kind is LABEL else ""
        fix = f"Add rows{merge}." if learnt else "Add rows, or read their scores with care."
        yield finding("few_rows", "warning" if learnt else "note", len(rare), message, fix, counted(rare, counts))


def _imbalance(counts: Counter[str], kind: Kind) -> Iterator[Finding]:
    """One label that drowns another."""
    if len(counts) < 2 or not kind.macro:
        return
    most = max(counts, key=lambda label: (counts[label], label))
    least = min(counts, key=lambda label: (counts[label], label))
    if (times := counts[most] // counts[least]) >= _IMBALANCE:
        message = (
            f"The largest {kind.noun} of train, {listed([most])}, has {times:,} times the {kind.unit}s of the "
            f"smallest, {listed([least])}: {counts[most]:,} against {counts[least]:,}."
        )
        fix = f"Compare by --metric {kind.macro}: {kind.metric} hardly sees the small {kind.noun}s."
        yield finding("imbalance", "note", times, message, fix, counted([most, least], counts))
