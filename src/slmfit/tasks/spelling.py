"""A text that came as tokens, as people write it, and what its tokens say of the signs that stand apart.

    apart = signs_apart([["x", "-", "y", "."], ["a", "-", "b"]])       # {"-", "."}: no token holds one within a word
    as_written(["Rome", "(", "x", "-", "y", ")", ",", "it", "'s", "ok", "."], apart)
    # ("Rome (x-y), it's ok.", [(0, 4), (5, 6), (6, 7), …])

Tokens joined by spaces are not what a model is asked once it serves: nobody writes `Rome ,` or `it 's`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

from slmfit.records import Entities, Example, Span, Tokens
from slmfit.tasks.spans import Offsets, join_tokens

CLITIC = r"(?:n['’]t|['’](?:s|m|d|re|ve|ll|t))"
_CLITIC = re.compile(CLITIC, re.IGNORECASE)
_ENDS = re.compile(r"(?![:;][)\]}])[.,;:!?…%)\]}”»。、，；：！？）」]+")  # what stands to the word before it; no :)
_BEGINS = re.compile(r"[(\[{“«¿¡（「]+")  # and to the word behind it
_MONEY = re.compile(r"[$£€¥]")
_QUOTES = ('"', "'")  # one sign for both ends: by turns
_BETWEEN = "-–/'’&_+@#:.,"  # may stand between two words without spaces
_NUMBERS = ":.,"  # these only between digits: 5:30, 1.5, 1,000
_WITHIN = re.compile(rf"(?<=\w)([{re.escape(_BETWEEN)}])(?=\w)")
RARE = 0.1  # tokens that hold a sign within, for one where it is a token between two words: few enough to be slips


def signs_apart(texts: Iterable[Sequence[str]]) -> frozenset[str]:
    """The signs that these tokens have as tokens between two words, and hardly ever within one."""
    apart, within = Counter[str](), Counter[str]()
    for tokens in texts:
        within.update(sign for token in tokens for sign in set(_WITHIN.findall(token)))
        between = zip(tokens, tokens[1:], tokens[2:], strict=False)
        apart.update(sign for one, sign, two in between if sign in _BETWEEN and _may_join(one, sign, two))
    return frozenset(sign for sign, count in apart.items() if within[sign] <= RARE * count)


def as_written(tokens: Sequence[str], apart: Collection[str]) -> tuple[str, list[tuple[int, int]]]:
    """The tokens with spaces only where people put them, and where each of them stands in that text.

    apart: signs that are tokens of their own also where nobody writes a space, see `signs_apart`.
    """
    text, offsets = "", list[tuple[int, int]]()
    for i, (token, space) in enumerate(zip(tokens, _spaced(tokens, apart), strict=True)):
        text += " " if i and space else ""
        offsets.append((len(text), len(text) + len(token)))
        text += token
    return text, offsets


def written(examples: Iterable[Example], apart: Collection[str]) -> list[Example]:
    """Those of the rows that came as tokens, as people write them, where that has less spaces than tokens.

    Tokens that came with a text of their own stay where they are in it.
    """
    found = []
    for example in examples:
        if not isinstance(example.input, Tokens):
            continue
        tokens, offsets = words_of(example.input), example.input.offsets
        text, places = str(example.input), list(offsets)
        if join_tokens(tokens)[0] == text:
            text, places = as_written(tokens, apart)
        if any(one == two for (_, one), (two, _) in pairwise(places)):
            found.append(Example(example.id, Tokens(text, places), _moved(example.target, offsets, places)))
    return found


def words_of(text: Tokens) -> list[str]:
    """The tokens themselves."""
    return [text[start:end] for start, end in text.offsets]


def _moved(target: object, before: Offsets, after: Offsets) -> Entities:
    """The same entities at the places that their tokens have now."""
    assert isinstance(target, Entities)
    starts = {start: new for (start, _), (new, _) in zip(before, after, strict=True)}
    ends = {end: new for (_, end), (_, new) in zip(before, after, strict=True)}
    spans = tuple(Span(starts[s.start], ends[s.end], s.label) for s in target.spans)
    return Entities(spans, target.intent)


def _spaced(tokens: Sequence[str], apart: Collection[str]) -> list[bool]:
    """Of each token whether there is a space before it."""
    spaces = [True] * (len(tokens) + 1)
    open_quotes: set[str] = set()
    for i, token in enumerate(tokens):
        before, after = (tokens[i - 1] if i else ""), (tokens[i + 1] if i + 1 < len(tokens) else "")
        if _ENDS.fullmatch(token) or (_CLITIC.fullmatch(token) and before[-1:].isalnum()):
            spaces[i] = False
        elif _BEGINS.fullmatch(token) or (_MONEY.fullmatch(token) and after[:1].isdigit()):
            spaces[i + 1] = False
        elif token in _QUOTES and (token in open_quotes or token in tokens[i + 1 :]):
            spaces[i if token in open_quotes else i + 1] = False
            open_quotes ^= {token}
        if token in apart and _may_join(before, token, after):
            spaces[i] = spaces[i + 1] = False
    return spaces[:-1]


def _may_join(before: str, sign: str, after: str) -> bool:
    """Whether people may write the three without a space."""
    if sign in _NUMBERS:
        return before[-1:].isdigit() and after[:1].isdigit()
    return before[-1:].isalnum() and after[:1].isalnum()
