"""The labels that answers state: few values, however each is spelled and whatever is said around it now and then.

    found = labels_of(["billing", "delivery", "Topic: billing", "Delivery.", …])
    found.values, found.frames         # {"billing": "billing", "delivery": "delivery"}, [("topic: ", "")]

"Topic: billing" beside "billing" is that label in other words, "not spam" beside "spam" another label. Words are taken
for a frame where they stand around several labels, deny nothing, and are in no list of the schema: after a colon or the
like, as a sentence, or where the prompt names the labels without them. What cannot be told stays a label of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.tasks.reply_shapes import name_of
from slmfit.tasks.wording import MARKS, Frame, Wording, folded

FREE = "answers in free text"
MOST_CHARACTERS = 60  # of a label
LONGEST = 400  # characters of an answer that holds a label and other words
ROWS_A_LABEL = 5  # answers for every label, on average
MOSTLY, BARE = 0.95, 0.75  # the share of the answers that hold a label, and of those that state one
_SENTENCE = 3  # words of a frame that is said, and not part of a name
_SAYS = (":", "=", ">")
_DENIES = frozenset(
    "not no non never neither nor without cannot t wont cant dont nicht kein keine pas ne sans não sem geen niet "
    "inte ikke ej nie bez не нет nem ei sin 不 没 非 ない".split()
)


@dataclass(frozen=True)
class Labels:
    """values: label -> the value as it is mostly written. frames: see `Shape`."""

    values: Mapping[str, Any]
    frames: Sequence[Frame]


def labels_of(values: Sequence[Any], allowed: Sequence[Any] = (), named: str = "") -> Labels | str:
    """The labels, where there are few of them; else why there are not.

    values: of JSON. allowed: by the schema. named: what the prompt says.
    """
    answers: dict[str, Counter[str]] = defaultdict(Counter)  # folded -> as it is written
    plain: dict[str, Any] = {}
    for value in values:
        if isinstance(value, dict | list | float) or (isinstance(value, str) and not value.strip()):
            continue
        name = name_of(value)
        if len(name) <= LONGEST:
            plain.setdefault(name, value)
            answers[folded(name)][name] += 1
    known = {folded(name_of(value)) for value in allowed}
    often = {key for key, count in answers.items() if _is_short(key) and (count.total() > 1 or key in known)}
    frames = _frames(answers, often, known, named)
    wording = Wording({label: label for label in (_unframed(key, frames) for key in often)}, frames)
    stated: dict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, Counter[str]] = defaultdict(Counter)
    others = 0
    for key, count in answers.items():
        label = wording.label_of(key)
        if label is None:
            others += count.total() * (len(wording.held(key)) == 1)
            continue
        stated[label] += count
        for name, times in count.items():
            names[label][_within(name, label)] += times * (1000 if key == label else 1)  # alone, it is called so
    closed = sum(count.total() for count in stated.values())
    if closed < BARE * len(values) or closed + others < MOSTLY * len(values):
        return FREE
    if not known and len(stated) > max(2, len(values) // ROWS_A_LABEL):
        return FREE
    if len(stated) < 2:
        return next((f"always answers {count.most_common(1)[0][0]!r}" for count in stated.values()), FREE)
    found = {names[label].most_common(1)[0][0]: plain[count.most_common(1)[0][0]] for label, count in stated.items()}
    return Labels({name: found[name] for name in sorted(found)}, frames)


def in_doubt(values: Iterable[str], named: str) -> list[tuple[str, str]]:
    """Labels that hold another one's words, with that one, where the prompt does not name them."""
    wording, said = Wording({folded(label): label for label in values}), folded(named)
    found = []
    for key, label in wording.labels.items():
        if _stands(key, said):
            continue
        within = [other for start, end in _spans(key) if (other := wording.labels.get(key[start:end])) is not None]
        found += [(label, max(within, key=len))] if within else []
    return found


def _is_short(key: str) -> bool:
    return len(key) <= MOST_CHARACTERS and "\n" not in key


def _frames(answers: Iterable[str], often: set[str], known: set[str], named: str) -> list[Frame]:
    """What stands around several of the labels, and is no part of their names."""
    around: dict[Frame, set[str]] = defaultdict(set)
    longest, wording = max(map(len, often), default=0), Wording({key: key for key in often})
    for key in answers:
        if not wording.held(key):
            continue
        for line in key.split("\n"):
            line = folded(line)
            inside = [(start, end) for start, end in _spans(line, longest) if line[start:end] in often]
            widest = [one for one in inside if not any(_holds(other, one) for other in inside)]
            if len(widest) == 1:
                ((start, end),) = widest
                around[line[:start], line[end:]].add(line[start:end])
    said = folded(named)
    return [frame for frame, labels in sorted(around.items()) if _is_frame(frame, labels, known, said)]


def _is_frame(frame: Frame, labels: set[str], known: set[str], named: str) -> bool:
    before, after = frame
    whole = {before + label + after for label in labels}
    words = re.findall(r"\w+", before + " " + after)
    if len(labels) < 2 or known & whole or _DENIES & set(words) or before.endswith(("non-", "un-")):
        return False
    named_so = sum(_stands(one, named) for one in whole)
    if named_so > 1:  # "bug, other, mobile: bug or mobile: other"
        return False
    if before.rstrip(MARKS + "_([«").endswith(_SAYS):
        return True
    if named_so:
        return False
    return len(words) >= _SENTENCE or all(label in known or _stands(label, named) for label in labels)


def _unframed(key: str, frames: Sequence[Frame]) -> str:
    for before, after in frames:
        inner = key[len(before) : len(key) - len(after)]
        if key.startswith(before) and key.endswith(after) and inner.strip(MARKS):
            return inner
    return key


def _spans(key: str, longest: int = MOST_CHARACTERS) -> Iterator[tuple[int, int]]:
    """The stretches of whole words, but for the whole."""
    edges = [
        at for at in range(len(key) + 1) if not (0 < at < len(key) and key[at - 1].isalnum() and key[at].isalnum())
    ]
    for at, start in enumerate(edges):
        for end in edges[at + 1 :]:
            if end > start + longest:
                break
            if end - start < len(key):
                yield start, end


def _holds(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] <= other[0] and other[1] <= one[1]


def _stands(words: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def _within(name: str, label: str) -> str:
    """A label, in the case in which it stands in an answer."""
    at = name.casefold().find(label)
    return name[at : at + len(label)] if at >= 0 and len(name.casefold()) == len(name) else label
