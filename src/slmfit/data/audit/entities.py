"""What is odd about entities and intents: their labels by split, and spans whose edges are white space.

entity_findings([("train", Example("1", "to Rome ", Entities((Span(3, 8, "CITY"),))))])
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from slmfit.data.audit.findings import Finding, excerpt, finding
from slmfit.data.audit.labels import INTENT, TYPE, label_findings
from slmfit.records import Example
from slmfit.tasks.answers import entities_of
from slmfit.text.figures import part_of


def entity_findings(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """rows: (split, example) of all splits; nothing is found where targets are no entities."""
    intents: dict[str, Counter[str]] = defaultdict(Counter)
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for split, example in rows:
        target = entities_of(example.target)
        intents[split].update([target.intent] if target.intent is not None else [])
        types[split].update(span.label for span in target.spans)
    yield from label_findings(intents, INTENT)
    yield from label_findings(types, TYPE)
    yield from _edges(rows, sum(counts.total() for counts in types.values()))


def _edges(rows: Sequence[tuple[str, Example]], spans: int) -> Iterator[Finding]:
    """Spans that begin or end with white space, which no method that marks words can find."""
    odd = [
        {"id": example.id, "split": split, "label": span.label, "text": excerpt(repr(words))}
        for split, example in rows
        for span in entities_of(example.target).spans
        if (words := str(example.input)[span.start : span.end]) != words.strip()
    ]
    if odd:
        message = f"{part_of(len(odd), spans, 'span', 'have')} white space at an edge."
        fix = "Move their edges to the words: a method marks words, and cannot find these exactly."
        yield finding("edge_space", "warning", len(odd), message, fix, ({"rows": [row]} for row in odd))
