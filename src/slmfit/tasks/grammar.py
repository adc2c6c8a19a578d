"""Which answers may be written, piece by piece: fixed strings, and words copied out of a text in its order.

    grammar = Grammar({b"B-CITY: ": True, b"": False}, {b"\\nB-CITY: ": True, b"\\n": False})
    writing = Writing(grammar, Words([b"R", b"o", b"m", b"e"], starts=[0], ends=[4]))
    writing.moves(writing.start)            # byte -> the state after it; here only b"B"
    writing.rest(writing.start)             # how many pieces an answer still takes at least; here 0

An answer is a string of `first`, and after words that were copied one of `then`, until a string after which none are
copied. Words are copied from where the words before them ended at the earliest, so whatever is written has places in
the text in that order, and comes to an end.

Moves go byte by byte, as what a model writes at once (its tokens) may begin in one part of an answer and end in
another. `rest` counts such pieces: from a state with a rest of n some piece leads to one with n - 1, so whoever only
enters states with a rest below their room always comes to an end; and it is `NEVER` where no way leads on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

NEVER = 1 << 40


@dataclass(frozen=True)
class Pieces:
    """What can be written at once. whole: all of it; begun: whatever one of them begins with, and they themselves."""

    whole: Collection[bytes]
    begun: Collection[bytes]

    @classmethod
    def of(cls, whole: Collection[bytes]) -> Pieces:
        return cls(whole, {piece[:end] for piece in whole for end in range(1, len(piece) + 1)})

    def fewest(self, data: bytes, ends: Collection[int]) -> list[int]:
        """From every place in `data`, its end included, the fewest pieces to the next of `ends`, 0 at one itself."""
        found = [0 if at in ends else NEVER for at in range(len(data) + 1)]
        for at in range(len(data) - 1, -1, -1):
            if found[at]:
                found[at] = self.onward(data, at, found)
        return found

    def onward(self, data: bytes, at: int, found: Sequence[int]) -> int:
        """The fewest pieces from a place, at least one, when so many are `found` to be from those after it."""
        return min((1 + found[end] for end in self._after(data, at) if found[end] < NEVER), default=NEVER)

    def _after(self, data: bytes, at: int) -> Iterator[int]:
        """Where the pieces that `data` has at a place end."""
        end = at + 1
        while end <= len(data) and (piece := data[at:end]) in self.begun:
            if piece in self.whole:
                yield end
            end += 1


BYTES = Pieces.of({bytes((byte,)) for byte in range(256)})


class Node:
    """A place within fixed strings. to_end, to_copy: the fewest pieces to the end of one that ends, or that copies."""

    __slots__ = ("copies", "ends", "moves", "to_copy", "to_end")

    def __init__(self) -> None:
        self.moves: dict[int, Node] = {}
        self.copies = self.ends = False
        self.to_copy = self.to_end = NEVER


State = tuple[Node | None, int | tuple[int, ...]]  # a node with where words may go on; or where copied words may be


def tree(strings: Iterable[tuple[bytes, bool]], pieces: Pieces) -> Node:
    """Strings by their first bytes, with whether words are copied after each."""
    root = Node()
    for string, copies in strings:
        node = root
        for at, rest in enumerate(pieces.fewest(string, (len(string),))):
            if copies:
                node.to_copy = min(node.to_copy, rest)
            else:
                node.to_end = min(node.to_end, rest)
            if at < len(string):
                node = node.moves.setdefault(string[at], Node())
        node.copies, node.ends = node.copies or copies, node.ends or not copies
    return root


@dataclass(frozen=True)
class Grammar:
    """first, then: string -> whether words are copied after it. No byte that may follow words begins a `then`."""

    first: Mapping[bytes, bool]
    then: Mapping[bytes, bool]
    pieces: Pieces = BYTES

    def written_in(self, pieces: Pieces, lead: bytes = b"") -> Grammar:
        """The same in these pieces, with answers that begin with `lead`; the empty answer stays."""
        return Grammar({lead + s if s or copies else s: copies for s, copies in self.first.items()}, self.then, pieces)

    def unwritable(self) -> bytes | None:
        """A string that there are no pieces for."""
        strings = (*self.first, *self.then)
        return next((s for s in strings if self.pieces.fewest(s, (len(s),))[0] == NEVER), None)

    @cached_property
    def least(self) -> int:
        """Pieces of the shortest answer."""
        return self.beginning(False).to_end

    def beginning(self, copying: bool) -> Node:
        """Where an answer begins. copying: whether there are words to copy."""
        return self._nodes[0][copying]

    def going_on(self, copying: bool) -> Node:
        """Where it goes on after words."""
        return self._nodes[1][copying]

    @cached_property
    def _nodes(self) -> list[tuple[Node, Node]]:
        made = []
        for strings in (self.first, self.then):
            ending = [(string, False) for string, copies in strings.items() if not copies]
            made.append((tree(ending, self.pieces), tree(strings.items(), self.pieces)))
        return made


class Words:
    """What may be copied of a text: the stretches from a start to a later end, both counted in characters."""

    def __init__(
        self, characters: Sequence[bytes], starts: Iterable[int], ends: Iterable[int], pieces: Pieces = BYTES
    ) -> None:
        """characters: each as it is written, one or more bytes."""
        places = [0]
        for character in characters:
            places.append(places[-1] + len(character))
        self.data = b"".join(characters)
        self.ends = {places[end] for end in ends}
        self.rest = pieces.fewest(self.data, self.ends)
        self.starts = sorted(places[start] for start in starts)
        self.shortest = [NEVER] * (len(self.starts) + 1)  # of the words that begin at a start or after it
        for i in range(len(self.starts) - 1, -1, -1):
            self.shortest[i] = min(self.shortest[i + 1], pieces.onward(self.data, self.starts[i], self.rest))

    def least(self, cursor: int) -> int:
        """Pieces of the shortest words that begin at `cursor` or later."""
        return self.shortest[bisect_left(self.starts, cursor)]

    def beginnings(self, cursor: int) -> Sequence[int]:
        return self.starts[bisect_left(self.starts, cursor) :]


class Writing:
    """One answer as it is written."""

    def __init__(self, grammar: Grammar, words: Words) -> None:
        self.grammar, self.words = grammar, words
        self.start: State = (grammar.beginning(words.least(0) < NEVER), 0)
        self._least = grammar.going_on(False).to_end

    def moves(self, state: State) -> dict[int, State]:
        """Every byte that may come next, and the state after it."""
        node, where = state
        if node is None:
            assert isinstance(where, tuple)
            goes_on, cursor = self._past_words(where)
            moves = self._copied(where)
            return moves | {byte: (later, cursor) for byte, later in goes_on.moves.items()} if goes_on else moves
        assert isinstance(where, int)
        moves = {byte: (later, where) for byte, later in node.moves.items()}
        return moves | self._copied(self.words.beginnings(where)) if node.copies else moves

    def ends(self, state: State) -> bool:
        """Whether the answer may end here."""
        node, where = state
        if node is None:
            assert isinstance(where, tuple)
            node = self._past_words(where)[0]
        return node is not None and node.ends

    def rest(self, state: State) -> int:
        """How many pieces an answer still takes at least."""
        node, where = state
        if node is None:
            assert isinstance(where, tuple)
            return min(self.words.rest[at] for at in where) + self._least
        assert isinstance(where, int)
        return min(node.to_end, node.to_copy + self.words.least(where) + self._least)

    def _copied(self, places: Sequence[int]) -> dict[int, State]:
        """The bytes at these places, each with the places after it."""
        found: dict[int, list[int]] = {}
        for at in places:
            if at < len(self.words.data):
                found.setdefault(self.words.data[at], []).append(at + 1)
        return {byte: (None, tuple(after)) for byte, after in found.items()}

    def _past_words(self, places: Sequence[int]) -> tuple[Node | None, int]:
        """Where it goes on, and from where words may then be copied, if words may end at one of these places."""
        cursor = min((at for at in places if at in self.words.ends), default=-1)
        return (self.grammar.going_on(self.words.least(cursor) < NEVER), cursor) if cursor >= 0 else (None, cursor)
