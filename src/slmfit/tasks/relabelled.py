"""Whether answers are right but for the names of the labels, as where one side counts from 0 and the other from 1.

relabelled(["0", "1", "0", …], [Prediction("1"), Prediction("0"), Prediction("1"), …])
# "the truth is mostly another label than the answer, and always the same one: '1' where it is '0', …"
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from slmfit.records import Entities, Prediction, Target

_FEWEST = 20  # rows
_NEARLY_ALL = 0.8  # of the answers, that would be right
_GAIN = 0.4  # of the rows
_TOLD = 4  # labels


def relabelled(truth: Sequence[Target], answers: Sequence[Prediction]) -> str:
    """The sentence; empty where answers are what they say, or no labels."""
    pairs: Counter[tuple[str, str]] = Counter()
    every = 0
    for one, true in zip(answers, truth, strict=True):
        every += len(true.spans) if isinstance(true, Entities) else 1
        if one.outcome == "ok" and one.target is not None:
            pairs.update(_named(one.target, true))
    if pairs.total() < _FEWEST:
        return ""
    meant: dict[str, str] = {}
    for (said, true), _ in pairs.most_common():
        meant.setdefault(said, true)
    right = sum(count for (said, true), count in pairs.items() if said == true)
    would = sum(pairs[pair] for pair in meant.items())
    one_each = len(set(meant.values())) == len(meant) > 1
    if not one_each or would < _NEARLY_ALL * pairs.total() or would - right < _GAIN * every:
        return ""
    moved = sorted(pair for pair in meant.items() if pair[0] != pair[1])
    told = ", ".join(f"{true!r} where it is {said!r}" for said, true in moved[:_TOLD])
    return (
        f"the truth is mostly another label than the answer, and always the same one: {told}"
        f"{' …' if len(moved) > _TOLD else ''}; read so, {would:,} of {every:,} would be right in place of "
        f"{right:,}: are labels numbered, or named, alike everywhere?"
    )


def _named(said: Target, true: Target) -> Iterator[tuple[str, str]]:
    """What is said and what is true: of entities, the types at the same places."""
    if isinstance(said, Entities) and isinstance(true, Entities):
        types = {(span.start, span.end): span.label for span in true.spans}
        yield from ((span.label, types[at]) for span in said.spans if (at := (span.start, span.end)) in types)
    elif isinstance(said, str) and isinstance(true, str):
        yield said, true
