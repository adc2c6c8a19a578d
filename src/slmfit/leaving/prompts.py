"""Calls to prompts: what is the same in many requests is a prompt's frame, and what varies in it is the text.

    for group in groups_of(log.calls):
        group.frame, group.texts[0], group.calls[0].said

Requests are told apart by their turns but for the one that holds the text, and by the schema of the answer. Digits
count as one, and so do turns that differ in few words, as in a name or a day. In the text's own turn a frame is a long
beginning, or end, that many share, up to a line break or a mark such as `:`.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from slmfit.leaving.logs import Call
from slmfit.storage import hash_json
from slmfit.tasks.framed import Frame, Turn, masked

FEWEST = 10  # different texts: with fewer, nobody can tell the frame from the text
_SHORTEST = 20  # characters of a frame that tells one prompt from another
_SHARE = 100  # one in so many texts begins with it, at least
_LONGEST = 2560  # characters at which frames are looked for
_ALIKE = 0.7  # of a turn, for two to be one whose words vary
_MOST_CLUSTERS = 200
_MARK = re.compile(r"[\n:>\"'`(\[{|#=\-«“][ \t]*$")
_MARK_AT_THE_END = re.compile(r"^[ \t]*[\n<\"'`)\]}|#=\-»”(]")


@dataclass
class Group:
    """Calls of one frame. signature: of what else is the same; groups with one signature may be one prompt's."""

    frame: Frame
    calls: list[Call]
    signature: str = ""

    @cached_property
    def texts(self) -> list[str]:
        return [self.frame.text_of(call.messages) or "" for call in self.calls]


@dataclass(eq=False)
class _Bucket:
    """Calls with the same turns but for one. others: those turns, digits as 0."""

    others: tuple[str, ...]
    calls: list[Call] = field(default_factory=list)


def groups_of(calls: Sequence[Call]) -> tuple[list[Group], list[Call]]:
    """The calls that share a frame with others, and those that share none."""
    rough: dict[str, dict[tuple[str, ...], _Bucket]] = defaultdict(dict)
    for call in calls:
        at = _asked(call)
        others = tuple(masked(words) for i, (_, words) in enumerate(call.messages) if i != at)
        schema = None if call.schema is None else hash_json(call.schema)
        kind = hash_json([[role for role, _ in call.messages], schema])
        rough[kind].setdefault(others, _Bucket(others)).calls.append(call)
    found: list[Group] = []
    alone: list[Call] = []
    for kind, buckets in rough.items():
        for bucket in _clustered(list(buckets.values())):
            at = _varying(bucket.calls)
            signature = hash_json([kind, bucket.others])
            for part in _split_by_frame(bucket.calls, at):
                if len({call.messages for call in part}) < FEWEST:
                    alone += part
                else:
                    found.append(Group(_frame(part, at), part, signature))
    return sorted(found, key=lambda group: -len(group.calls)), alone


def _asked(call: Call) -> int:
    """The turn that a text is looked for in: the last that a user says."""
    users = [i for i, (role, _) in enumerate(call.messages) if role == "user"]
    return users[-1] if users else len(call.messages) - 1


def _varying(calls: Sequence[Call]) -> int:
    """The turn that differs most from call to call; where several do, the last that a user says."""
    counts = [len({masked(call.messages[i][1]) for call in calls}) for i in range(len(calls[0].messages))]
    asked = _asked(calls[0])
    return max(range(len(counts)), key=lambda i: (counts[i], i == asked))


def _clustered(buckets: list[_Bucket]) -> list[_Bucket]:
    """Buckets of few texts put together where their turns are alike; the others as they are."""
    few = [bucket for bucket in buckets if len({call.messages for call in bucket.calls}) < FEWEST]
    many = [bucket for bucket in buckets if len({call.messages for call in bucket.calls}) >= FEWEST]
    made: list[_Bucket] = []
    for bucket in sorted(few, key=lambda bucket: bucket.others):
        like = next((one for one in reversed(made) if alike(one.others, bucket.others)), None)
        if like is not None:
            like.calls += bucket.calls
        else:
            made.append(_Bucket(bucket.others, list(bucket.calls)))
            if len(made) > _MOST_CLUSTERS:  # these are no prompts, and nobody waits for the square of their number
                return many + few
    return many + made


def _shared_by(one: str, other: str) -> str:
    """What two texts both begin with."""
    return os.path.commonprefix([one, other])  # noqa: RUF071  # of characters is what is meant


def alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether turns are the same but for a stretch that is short beside them."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        begin = len(_shared_by(a, b))
        end = min(len(_shared_by(a[::-1], b[::-1])), min(len(a), len(b)) - begin)
        if begin + end < _ALIKE * max(len(a), len(b)):
            return False
    return True


# --- the turn with the text ---


def _split_by_frame(calls: list[Call], at: int) -> list[list[Call]]:
    """The calls apart by long beginnings of that turn, or by long ends, that many share; first those, last the rest."""
    parts, rest = _shared(calls, [masked(call.messages[at][1]) for call in calls])
    ends, rest = _shared(rest, [masked(call.messages[at][1])[::-1] for call in rest], backwards=True)
    return [part for part in (*parts, *ends, rest) if part]


def _shared(calls: list[Call], words: list[str], backwards: bool = False) -> tuple[list[list[Call]], list[Call]]:
    """Those with a long beginning that many share, by it, and the others."""
    least = max(FEWEST, len(set(words)) // _SHARE)

    def parts(places: Sequence[int], begun: int, length: int) -> list[list[int]]:
        """The places by what their words go on with, after so many characters that all share."""
        by_start: dict[str, list[int]] = defaultdict(list)
        for place in places:
            by_start[words[place][begun : begun + length]].append(place)
        found: list[list[int]] = []
        for start, inner in by_start.items():
            texts = {words[place] for place in inner}
            if len(start) < length or len(texts) < least:
                continue
            shared = _marked(_shared_by(min(texts), max(texts)), backwards)
            if len(shared) < begun + _SHORTEST:
                found += parts(inner, begun, 2 * length) if length < _LONGEST else []
                continue
            deeper = parts(inner, len(shared), _SHORTEST)
            inside = {place for part in deeper for place in part}
            if 10 * len(inside) < 9 * len(inner):  # texts that begin alike are no prompts
                deeper, inside = [], set()
            rest = [place for place in inner if place not in inside]
            found += [*deeper, rest] if rest else deeper
        return found

    found = parts(range(len(words)), 0, _SHORTEST)
    taken = {place for part in found for place in part}
    rest = [call for place, call in enumerate(calls) if place not in taken]
    return [[calls[place] for place in part] for part in found], rest


def _marked(shared: str, backwards: bool = False) -> str:
    """A beginning up to its last line break or mark; of words turned round, to the first."""
    mark = _MARK_AT_THE_END if backwards else _MARK
    for end in range(len(shared), 0, -1):
        around = shared[max(0, end - 8) : end]
        if mark.search(around[::-1] if backwards else around):
            return shared[:end]
    return ""


def _frame(calls: Sequence[Call], at: int) -> Frame:
    """What is the same in every turn of these calls."""
    turns = []
    for i, (role, words) in enumerate(calls[0].messages):
        said = sorted({call.messages[i][1] for call in calls})
        plain = sorted(set(map(masked, said)))
        if len(plain) == 1 and i != at:
            turns.append(Turn(role, words))
            continue
        before = words[: len(_framed(plain, i == at))]
        rest = sorted(text[len(before) :][::-1] for text in plain)
        length = len(_framed(rest, i == at, backwards=True))
        turns.append(Turn(role, before, words[len(words) - length :] if length else ""))
    return Frame(tuple(turns), at)


def _framed(plain: Sequence[str], text: bool, backwards: bool = False) -> str:
    """What sorted words begin with. text: of a text's turn, where a first word that all share is the text's own."""
    shared = _shared_by(plain[0], plain[-1])
    if not text:
        return shared
    whole = shared
    while whole and whole[-1].isalnum():  # not within a word
        whole = whole[:-1]
    marked = _marked(shared, backwards)
    return whole if len(whole) - len(marked) >= _SHORTEST else marked
