"""What is wrong with the data, found before anything is fitted: twins, leaks, doubtful labels, odd texts.

    found = audit(["Cancel it", "cancel it!"], ["refund", "billing"], ["train", "test"])
    found["findings"][0]["kind"]    # "leak"

A clean dataset has no findings. The result is JSON as it stands; the users' texts are in the examples only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from slmfit.data.audit.entities import entity_findings
from slmfit.data.audit.findings import Finding, Rows, counted, finding
from slmfit.data.audit.giveaways import giveaways
from slmfit.data.audit.groups import torn_groups
from slmfit.data.audit.labels import FEW, LABEL, label_findings
from slmfit.data.audit.near import Duplicates, find_duplicates
from slmfit.data.audit.numbers import same_but_for_numbers
from slmfit.data.audit.odd_labels import NO_TEXT, TAG, TAGS_FIX
from slmfit.data.audit.options import option_findings
from slmfit.data.audit.shift import shift
from slmfit.data.audit.texts import exported as _exported
from slmfit.data.audit.torn_answers import torn_answers
from slmfit.data.audit.twins import contradictions, copies, every_twin, leaks, repeats
from slmfit.data.dataset import Dataset
from slmfit.data.texts import in_any_order
from slmfit.records import SPLITS, Example
from slmfit.text.cutting import words_of
from slmfit.text.figures import listed, number_of, part_of

FORMAT = "slmfit.audit/1"
_UNIQUE = 0.9  # a label column with this share of different values is no label
_LETTER = re.compile(r"\w")
_LONG, _HUGE = 20, 100_000  # times the median length (and over 5,000 characters) · characters


def audit_dataset(data: Dataset) -> dict[str, Any]:
    """`audit` of all splits of a dataset; of entities also what `entity_findings` finds. Also of its other columns."""
    return audit_with_twins(data)[0]


def audit_with_twins(data: Dataset) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """`audit_dataset`, and every row that has a twin (see `twins.every_twin`), of which the findings show ten."""
    rows = [(split, example) for split in SPLITS for example in data.splits[split]]
    columns = Rows(
        ids=[example.id for _, example in rows],
        texts=[data.task.text(example.input) for _, example in rows],
        labels=[e.target if e.target is None else data.task.agreed(e.target) for _, e in rows],
        splits=[split for split, _ in rows],
    )
    twins = turned = find_duplicates(columns.texts)
    texts = [in_any_order(data.task, example.input) for _, example in rows]
    if texts != columns.texts:
        turned = find_duplicates(texts)
    found = _audited(columns, twins, turned, data.task.classifies)
    copied = copies(columns, turned)
    findings = [
        *shift(data),
        *found["findings"],
        *copied,
        *same_but_for_numbers(columns),
        *entity_findings(rows),
        *option_findings(rows),
        *_torn(data, rows),
    ]
    if not data.task.classifies:  # intents are classes too
        classes = [None if e.target is None else data.task.class_of(e.target) for _, e in rows]
        findings += giveaways(Rows(columns.ids, columns.texts, classes, columns.splits))
    return found | {"findings": sorted(findings, key=_warnings_first)}, list(every_twin(columns, turned))


def _torn(data: Dataset, rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """What `torn_groups` finds, else `torn_answers`, where rows are not split by time, which has its own reason."""
    of_rows = Counter(split for split, _ in rows)
    groups = {
        column: np.concatenate([np.asarray(numbers[split], np.int64) for split in SPLITS])
        for column, numbers in data.groupings.items()
        if all(len(numbers[split]) == of_rows[split] for split in SPLITS)
    }
    labels = [None if e.target is None else data.task.class_of(e.target) for _, e in rows]
    if not groups or data.source.get("time"):
        return
    one_file = len({part["file"] for part in data.source.get("files", ())}) == 1
    said = set()
    if any(label is not None for label in labels):
        texts, ids = [data.task.text(e.input) for _, e in rows], [e.id for _, e in rows]
        for column, found in torn_groups(Rows(ids, texts, labels, [split for split, _ in rows]), groups, one_file):
            said.add(column)
            yield found
    if not data.task.classifies:
        yield from torn_answers(rows, {column: of for column, of in groups.items() if column not in said}, one_file)


def audit(
    texts: Sequence[str],
    labels: Sequence[str | None],
    splits: Sequence[str],
    ids: Sequence[str] | None = None,
    *,
    classes: bool = True,
) -> dict[str, Any]:
    """Everything doubtful about n rows, warnings before notes.

    texts, labels, splits, ids: n each. A label is None where it is unknown; splits are `train`, `validation`, `test`.
    classes: whether the labels name classes; False for answers of other kinds (an option's letter, spans), where only
        contradictions are looked for.

    Returns {"format", "rows": {split: n}, "labels": n, "duplicates": {"exact", "variant", "near", "groups",
    "complete"}, "findings": [{"kind", "severity", "count", "message", "fix", "examples"}]}. duplicates: rows that
    repeat an earlier one exactly, or but for case, spaces and punctuation; near pairs; groups of two rows or more; and
    whether `near` counts all. Examples are ten at most, {"rows": [{"id", "split", "label", "text"}], ...} or
    {"label", "rows"}; texts are cut to 80 characters.
    """
    rows = Rows(ids if ids is not None else [str(k) for k in range(len(texts))], texts, labels, splits)
    twins = find_duplicates(texts)
    return _audited(rows, twins, twins, classes)


def _audited(rows: Rows, twins: Duplicates, turned: Duplicates, classes: bool) -> dict[str, Any]:
    """turned: the twins where a pair turned round, and options in another order, are the same."""
    findings = [*leaks(rows, turned), *contradictions(rows, twins, near_too=classes), *repeats(rows, twins)]
    findings += [*_labels(rows), *giveaways(rows), *_texts(rows)] if classes else _texts(rows)
    return {
        "format": FORMAT,
        "rows": dict(Counter(rows.splits)),
        "labels": len(set(rows.labels) - {None}),
        "duplicates": _totals(twins),
        "findings": sorted(findings, key=_warnings_first),
    }


def _warnings_first(found: Finding) -> bool:
    return found["severity"] != "warning"


def _totals(twins: Duplicates) -> dict[str, Any]:
    rows = np.arange(len(twins.exact))
    exact, repeated = int((twins.exact != rows).sum()), int((twins.variant != rows).sum())
    groups = int((np.bincount(twins.groups) > 1).sum()) if len(rows) else 0
    near = len(twins.near)
    return {"exact": exact, "variant": repeated - exact, "near": near, "groups": groups, "complete": twins.complete}


# --- labels -----------------------------------------------------------------------------------------------------------


def _labels(rows: Rows) -> Iterator[Finding]:
    """Whether this is a label column at all, and if so what is odd about its labels."""
    known = [
        (label, text, split)
        for label, text, split in zip(rows.labels, rows.texts, rows.splits, strict=True)
        if label is not None
    ]
    counts = Counter(label for label, _, _ in known)
    copies = sum(label.strip() == text.strip() != "" for label, text, _ in known)
    fix = "Name the column of the label with --label."
    if len(known) >= FEW and copies >= _UNIQUE * len(known):
        message = f"{part_of(copies, len(known), 'row', 'have')} a label that is the text itself."
        yield finding("label_is_text", "warning", copies, message, fix)
    elif len(known) >= FEW and len(counts) >= _UNIQUE * len(known):
        message = (
            f"{number_of(len(known), 'row', 'have')} {len(counts):,} different labels: this looks like an id or text."
        )
        yield finding("label_is_id", "warning", len(counts), message, fix, counted(counts, counts))
    else:
        present = [split for split in SPLITS if split in set(rows.splits)]
        per_split = {split: Counter(label for label, _, s in known if s == split) for split in present}
        yield from label_findings(per_split, LABEL)
        yield from _tokens(known)


def _tokens(known: Sequence[tuple[str, str, str]]) -> Iterator[Finding]:
    """A row a token, labelled PER, LOC or O: that none is marked says O; with B- and I- the labels themselves tell."""
    single = sum(len(text.split()) == 1 for _, text, _ in known)
    labels = {label for label, _, _ in known}
    if len(known) >= FEW and "O" in labels and single >= _UNIQUE * len(known) and not any(map(TAG.fullmatch, labels)):
        message = (
            f"{part_of(single, len(known), 'text', 'are')} a single word, and one label is O: these look like the tags "
            f"of tokens, one a row: {listed(sorted(labels), quoted=False)}."
        )
        yield finding("tags", "warning", single, message, TAGS_FIX)


# --- texts ------------------------------------------------------------------------------------------------------------


def _texts(rows: Rows) -> Iterator[Finding]:
    """Texts that are empty, without a word, enormous, or all the same."""
    lengths = np.fromiter(map(len, rows.texts), np.int64, len(rows.texts))
    blank = [k for k, text in enumerate(rows.texts) if not text.strip()]
    if blank:
        message = f"{part_of(len(blank), len(lengths), 'text', 'are')} empty."
        fix = "Drop these rows: there is nothing to learn from them, and what they are scored is luck."
        yield finding("empty_text", "warning", len(blank), message, fix, (rows.example([k]) for k in blank))
    wordless = [
        k for k, text in enumerate(rows.texts) if text.strip() and not _LETTER.search(text) and not words_of(text)
    ]
    if wordless:
        message = f"{part_of(len(wordless), len(lengths), 'text', 'hold')} no word, only marks such as full stops."
        fix = "Methods that count words see nothing in them: drop these rows, or check that the file was read right."
        yield finding("no_word", "note", len(wordless), message, fix, (rows.example([k]) for k in wordless))
    nothing = [k for k, text in enumerate(rows.texts) if len(text) < 16 and text.strip().lower() in NO_TEXT]
    if nothing:
        message = (
            f"{part_of(len(nothing), len(lengths), 'text', 'read')} as if there were none: "
            f"{listed(sorted({rows.texts[k].strip() for k in nothing}))}."
        )
        fix = "Drop these rows, or mend the sheet or program that they are from."
        yield finding("no_text", "warning", len(nothing), message, fix, (rows.example([k]) for k in nothing))
    yield from _exported(rows, lengths)
    numbers = sum(map(str.isdecimal, map(str.strip, rows.texts)))
    if numbers >= FEW and numbers >= _UNIQUE * len(lengths):
        message = f"{part_of(numbers, len(lengths), 'text', 'are')} a number and nothing else."
        yield finding("text_is_number", "warning", numbers, message, "Name the column of the text with --text.")
    filled = lengths[lengths > 0]
    if len(filled) > 1 and len({text.strip() for text in rows.texts}) == 1:
        message = f"All {number_of(len(lengths), 'text')} are the same."
        yield finding("constant_text", "warning", len(lengths), message, "Name the column of the text with --text.")
    median = float(np.median(filled)) if len(filled) else 0.0
    limit = min(max(_LONG * median, 5_000), _HUGE)
    long = np.flatnonzero(lengths > limit)
    if len(long):
        long = long[np.argsort(-lengths[long], kind="stable")]
        message = (
            f"{part_of(len(long), len(lengths), 'text', 'are')} longer than {limit:,.0f} characters (the longest has "
            f"{lengths[long[0]]:,}, the median {median:,.0f})."
        )
        fix = "Models read only the beginning of such texts; cut or split them, or check that the file was read right."
        examples = (rows.example([k], characters=int(lengths[k])) for k in long.tolist())
        yield finding("long_text", "note", len(long), message, fix, examples)
