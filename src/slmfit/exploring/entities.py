"""What train and validation mark as entities: how many, how long, and which words are not always the same thing.

entity_types(data)["types"][0]        # {"type": "CITY", "spans": 4343, "words": {"median": 1, "most": 3}, …}
entity_types(data)["ambiguous"][0]    # {"text": "May", "types": {"DATE": 31, "NAME": 2}, "unmarked": 12}
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.records import Span
from slmfit.tasks.answers import entities_of

FREQUENT = 8  # texts shown of an entity type
AMBIGUOUS = 20
LONGEST = 5  # words of an entity that is looked for where it is not marked
_WORD = re.compile(r"\w+|[^\w\s]")

Words = tuple[str, ...]  # in small letters


def entity_types(data: Dataset) -> dict[str, Any]:
    """Empty where the task has no entities. Otherwise {"types": [{"type", "spans", "rows", "different": texts, "words":
    {"median", "most"}, "frequent": [[text, n], …]}], most spans first; "ambiguous": [{"text", "types": {type: n},
    "unmarked": n}]}: texts that are marked as several types, or here and not there (case aside; inside of another
    entity they do not count), the least decided first.
    """
    rows = list(_marked(data))
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    in_rows: Counter[str] = Counter()
    for text, spans in rows:
        in_rows.update({span.label for span in spans})
        for span in spans:
            texts[span.label][" ".join(text[span.start : span.end].split())] += 1
    if not texts:
        return {}
    types = [
        {
            "type": name,
            "spans": found.total(),
            "rows": in_rows[name],
            "different": len(found),
            "words": _lengths(found),
            "frequent": [[text[:80], n] for text, n in found.most_common(FREQUENT)],
        }
        for name, found in sorted(texts.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    return {"types": types, "ambiguous": _ambiguous(rows)}


def _marked(data: Dataset) -> Iterator[tuple[str, tuple[Span, ...]]]:
    for split in ("train", "validation"):
        for example in data.splits[split]:
            if data.task.marks and example.target is not None:
                yield data.task.text(example.input), entities_of(example.target).spans


def _lengths(found: Counter[str]) -> dict[str, int]:
    """In words, of the spans (not of the different texts)."""
    lengths = sorted(len(text.split()) for text in found.elements())
    return {"median": lengths[(len(lengths) - 1) // 2], "most": lengths[-1]}


def _ambiguous(rows: list[tuple[str, tuple[Span, ...]]]) -> list[dict[str, Any]]:
    types_of: dict[Words, Counter[str]] = defaultdict(Counter)
    shown: dict[Words, str] = {}
    for text, spans in rows:
        for span in spans:
            words = tuple(_WORD.findall(text[span.start : span.end].lower()))
            types_of[words][span.label] += 1
            shown.setdefault(words, " ".join(text[span.start : span.end].split())[:80])
    unmarked = _unmarked(rows, types_of)
    found = [
        {"text": shown[words], "types": dict(types.most_common()), "unmarked": unmarked[words]}
        for words, types in types_of.items()
        if words and (len(types) > 1 or unmarked[words])
    ]
    found.sort(key=lambda one: (-_undecided(one), one["text"]))
    return found[:AMBIGUOUS]


def _undecided(found: dict[str, Any]) -> int:
    """How often it is something else than what it is most often."""
    counts = [*found["types"].values(), found["unmarked"]]
    return sum(counts) - max(counts)


def _unmarked(rows: list[tuple[str, tuple[Span, ...]]], known: dict[Words, Counter[str]]) -> Counter[Words]:
    """How often the known words stand outside of all entities."""
    lengths = sorted({len(words) for words in known if 0 < len(words) <= LONGEST})
    counts: Counter[Words] = Counter()
    for text, spans in rows:
        edges = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            words = _WORD.findall(text[start:end].lower())
            for n in lengths:
                grams = zip(*(words[i:] for i in range(n)), strict=False)
                counts.update(gram for gram in grams if gram in known)
    return counts
