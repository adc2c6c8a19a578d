"""The prompts of a log: what each asks, about which texts, and what was answered; and what is no task of ours.

    for prompt in prompts_of(read_log("calls.jsonl")):
        prompt.name, prompt.kind, len(prompt.rows), prompt.why

One row a text: what was asked again has the answer that was given most often, of equals the latest.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slmfit.leaving.labels import FREE, in_doubt
from slmfit.leaving.logs import Call, Log
from slmfit.leaving.prompts import Group, alike, groups_of
from slmfit.leaving.shapes import shape_of
from slmfit.records import Entities, Target
from slmfit.storage import hash_json
from slmfit.tasks.answers import target_to_json
from slmfit.tasks.framed import Frame, masked
from slmfit.tasks.reply_shapes import Shape
from slmfit.text.figures import number_of, percent
from slmfit.text.visible import excerpt

FREE_TEXT = "free-text"
ALONE = "requests that share no prompt with others"
_SHARED = 0.5  # of the labels, for two frames to be versions of one prompt
_SHOWN = 3  # examples in a note
_ASKS = 200  # characters of a prompt that are shown
_NOT_TELLING = {"label", "answer", "response", "result", "output", "entities", "class", "value"}


@dataclass(frozen=True, slots=True)
class AnsweredText:
    """time: when it was asked first."""

    id: str
    text: str
    target: Target
    time: datetime | None


@dataclass
class Found:
    """One prompt. shape: None where it is no task of ours, and `why` says why.

    repeated: texts that were asked again after an answer; differing: those of them that got several answers. unread:
    answers that are none of this shape. unplaced: entities whose words are not in the text. reworded: answers that say
    their label otherwise than it is mostly written; notes: these and the unread ones, each with an example, in words.
    """

    name: str
    frames: list[Frame]
    calls: list[Call]
    shape: Shape | None
    why: str | None = None
    rows: list[AnsweredText] = field(default_factory=list)
    retries: int = 0
    duplicates: int = 0
    repeated: int = 0
    differing: int = 0
    unread: int = 0
    unplaced: int = 0
    reworded: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return FREE_TEXT if self.shape is None else self.shape.task

    @property
    def ended(self) -> Counter[str]:
        return Counter(call.ended for call in self.calls)

    @property
    def models(self) -> Counter[str]:
        return Counter(call.model for call in self.calls if call.model is not None)

    @property
    def asks(self) -> str:
        """What it begins with, for people."""
        words = " ".join(turn.before.strip() for frame in self.frames[:1] for turn in frame.turns)
        return " ".join(words.split())[:_ASKS]


@dataclass
class _Learnt:
    group: Group
    shape: Shape | str


def prompts_of(log: Log) -> list[Found]:
    """The prompts, those that are tasks first, and among them the most asked first."""
    groups, alone = groups_of(log.calls)
    learnt = [_Learnt(group, _shape(group)) for group in groups]
    found = [_found(some) for some in _versions(learnt)]
    if alone:
        found.append(Found("", [], alone, None, ALONE))
        _count_again(found[-1], [call.messages for call in alone])
    found.sort(key=lambda one: (one.shape is None, -len(one.calls)))
    taken: set[str] = set()
    for one in found:
        name = _name(one)
        one.name = next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(found) + 2))) if n not in taken)
        taken.add(one.name)
    return found


def _shape(group: Group) -> Shape | str:
    good = [(call.said, text) for call, text in zip(group.calls, group.texts, strict=True) if call.ended == "ok"]
    if not good:
        return "has no answer"
    return shape_of(
        [said for said, _ in good], [text for _, text in good], group.calls[0].schema, _named([group.frame])
    )


def _named(frames: Sequence[Frame]) -> str:
    """What a prompt says, whatever it is asked about."""
    return "\n".join(part for frame in frames for turn in frame.turns for part in (turn.before, turn.after or ""))


def _versions(learnt: Sequence[_Learnt]) -> list[list[_Learnt]]:
    """Those that are one prompt put together: the same text turn and schema, turns that are alike, the same labels; or
    texts of one prompt that happen to begin alike.
    """
    merged: list[list[_Learnt]] = []
    for one in sorted(learnt, key=lambda one: (isinstance(one.shape, str), -len(one.group.calls))):
        like = next((some for some in merged if any(_one_prompt(one, other) for other in some)), None)
        if like is None:
            merged.append([one])
        else:
            like.append(one)
    return merged


def _one_prompt(one: _Learnt, other: _Learnt) -> bool:
    if isinstance(one.shape, str) or isinstance(other.shape, str) or not _like(one.shape, other.shape):
        return False
    a, b = one.group.frame, other.group.frame
    if [turn.role for turn in a.turns] != [turn.role for turn in b.turns] or a.at != b.at:
        return False
    if hash_json(one.group.calls[0].schema) != hash_json(other.group.calls[0].schema):
        return False
    framed = [(turn.before, turn.after or "") for turn in (a.turns[a.at], b.turns[b.at])]
    if one.group.signature == other.group.signature:
        return any(before == "" and after == "" for before, after in framed)
    others = [[masked(turn.before) for i, turn in enumerate(frame.turns) if i != frame.at] for frame in (a, b)]
    return len(set(framed)) == 1 and bool(others[0]) and alike(*others)


def _like(one: Shape, other: Shape) -> bool:
    """Whether answers are of one form, and mostly of the same labels or types."""
    if (one.form, one.label, one.spans is None) != (other.form, other.label, other.spans is None):
        return False
    if one.spans is not None and other.spans is not None:
        return one.spans.key == other.spans.key and one.spans.label == other.spans.label
    a, b = set(one.values), set(other.values)
    return len(a & b) >= _SHARED * min(len(a), len(b))


def _found(learnt: Sequence[_Learnt]) -> Found:
    """A prompt with its rows. The calls of several frames are read by the shape of all of them."""
    calls = [call for one in learnt for call in one.group.calls]
    texts = [text for one in learnt for text in one.group.texts]
    frames = [one.group.frame for one in learnt]
    bare = [frame for frame in frames if not frame.turns[frame.at].before and not frame.turns[frame.at].after]
    if bare and len({one.group.signature for one in learnt}) == 1 and len(learnt) > 1:  # texts that begin alike
        frames = bare
        texts = [bare[0].text_of(call.messages) or "" for call in calls]
    shape = learnt[0].shape
    if len(learnt) > 1:
        good = [(call.said, text) for call, text in zip(calls, texts, strict=True) if call.ended == "ok"]
        shape = shape_of([said for said, _ in good], [text for _, text in good], calls[0].schema, _named(frames))
    made = Found("", frames, calls, None if isinstance(shape, str) else shape)
    if isinstance(shape, str):
        made.why = shape
        _count_again(made, [call.messages for call in calls])
    else:
        _count_again(made, texts)
        _fill(made, shape, texts)
    return made


def _count_again(found: Found, asked: Sequence[Hashable]) -> None:
    """Retries, which follow on failures, and duplicates, which follow on answers."""
    answered: dict[Hashable, bool] = {}
    for call, what in zip(found.calls, asked, strict=True):
        if what in answered:
            found.retries += not answered[what]
            found.duplicates += answered[what]
        answered[what] = call.ended not in ("failed", "truncated")


def _fill(found: Found, shape: Shape, texts: Sequence[str]) -> None:
    """The rows, and what of the calls is none."""
    answers: dict[str, list[tuple[Call, Target]]] = {}
    others, unread = Counter[tuple[str, str]](), Counter[str]()
    for call, text in zip(found.calls, texts, strict=True):
        if call.ended != "ok" or not text.strip():
            continue
        target = shape.read(call.said, text)
        if target is None:
            unread[call.said] += 1
            continue
        if isinstance(target, str) and (said := shape.spelled(call.said)) not in (
            shape.values[target],
            target,
        ):
            others[str(said), target] += 1
        if not isinstance(target, str):
            found.unplaced += len(target.unplaced)
            target = Entities(target.spans, target.intent)
        answers.setdefault(text, []).append((call, target))
    ids = Counter(some[0][0].id for some in answers.values())
    for number, (text, some) in enumerate(answers.items(), 1):
        counts = Counter(hash_json(target_to_json(target)) for _, target in some)
        most = max(counts.values())
        _, chosen = [one for one in some if counts[hash_json(target_to_json(one[1]))] == most][-1]
        found.repeated += len(some) > 1
        found.differing += len(counts) > 1
        first = some[0][0]
        id = first.id if first.id is not None and ids[first.id] == 1 else f"call-{number}"
        found.rows.append(AnsweredText(id, text, chosen, first.time))
    found.unread, found.reworded = unread.total(), others.total()
    found.notes += _several(found.models) + _notes(others, unread, sum(map(len, answers.values())))
    found.notes += _doubts(found, shape) if shape.spans is None else []


def _several(models: Counter[str]) -> list[str]:
    """That what a method is held against is of several models."""
    some = [f"{model} {count:,}" for model, count in models.most_common(_SHOWN)]
    more = ", …" if len(models) > _SHOWN else ""
    held = "agreement is with the one that answered each text"
    return [f"{len(models)} models answered ({', '.join(some)}{more}); {held}."] if len(models) > 1 else []


def _notes(others: Counter[tuple[str, str]], unread: Counter[str], read: int) -> list[str]:
    """What was said otherwise, and what was made of it. read: answers that are rows."""
    notes = []
    if others:
        some = [
            f"{excerpt(said, 40)!r} as {label!r} ({times:,})" for (said, label), times in others.most_common(_SHOWN)
        ]
        more = ", …" if len(others) > _SHOWN else ""
        share = f"{others.total():,} of {number_of(read, 'answer')} ({percent(others.total() / read)})"
        notes.append(f"Written otherwise, and read as the label: {share}: {', '.join(some)}{more}.")
    if unread:
        said, _ = unread.most_common(1)[0]
        notes.append(
            f"In another form, and left out: {number_of(unread.total(), 'answer')}, such as {excerpt(said, 80)!r}."
        )
    return notes


def _doubts(found: Found, shape: Shape) -> list[str]:
    schema = found.calls[0].schema
    said = _named(found.frames) + ("" if schema is None else json.dumps(schema, ensure_ascii=False))
    counts = Counter(str(row.target) for row in found.rows)
    some = [f"{label!r} ({counts[label]:,}) beside {other!r}" for label, other in in_doubt(shape.values, said)]
    if not some:
        return []
    more = ", …" if len(some) > _SHOWN else ""
    return [f"Labels of their own, by their look; the prompt does not name them: {', '.join(some[:_SHOWN])}{more}."]


def _name(found: Found) -> str:
    """After the schema's name, or the member that is answered; else what it answers with."""
    if found.shape is None:
        return FREE_TEXT if found.why in (FREE, ALONE) else "other"
    words = [found.calls[0].schema_name, found.shape.label]
    plain = [_safe(word) for word in words if word]
    telling = [word for word in plain if word and word not in _NOT_TELLING]
    return telling[0] if telling else "labels" if found.shape.spans is None else "entities"


def _safe(word: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40]
