"""The kinds of change that leave a text's label as it is, each a function on a text with the entities marked in it.

    KINDS["one typo"].change(Marked("where is my parcel"), Random(0), Known())      # "whre is my parcel"

A change never touches an entity, and moves its place when the text before it grows or shrinks. A text with nothing to
change comes back as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from slmfit.generating.chance import pick
from slmfit.generating.marked import Marked, join
from slmfit.generating.polish import mistype

TOKEN = ""  # the label of a stretch that is a token and no entity: it moves along, and may be changed

NEGATIONS = frozenset(
    """cannot never none nothing nobody nowhere neither nope without hardly barely scarcely rarely unless except
    dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt cant havent hasnt hadnt
    nicht nichts kein keine keinen keiner ohne nunca nada jamais rien aucun aucune sans niet geen nooit zonder mai
    senza""".split()
)
NUMBERS = frozenset(
    """zero three four five seven eight nine eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half quarter double triple
    twice once first second third fourth fifth""".split()
)
ENGLISH = frozenset("the my you your what this that have how are does which from where when why who was with".split())
POLITE = re.compile(
    r"greet|hello|\bhi\b|thank|goodbye|\bbye\b|polite|courtes|welcome|gratitude|apolog|sorry|small.?talk|chit.?chat"
)
BEFORE = ("Hello, ", "Hi, ", "Good morning, ")
BEHIND = (" Thank you.", " Thanks in advance.")

_WORD = re.compile(r"\w+")
_TYPED = re.compile(r"(?<![\w'’-])[A-Za-z]{4,}(?![\w'’-])")
_QUOTE = re.compile("[\"'“”‘’]")
_FORM = re.compile(r"\.\.\.|…|\w[\u0300-\u036f]+|[^\x00-\x7f]")
_SPACE = re.compile(r" +")
_FINAL = re.compile(r"(?<![.!?…。！？])[.!?…。！？]+\s*\Z")
_CURLED = {"'": "’", '"': "”", "’": "'", "‘": "'", "“": '"', "”": '"'}


@dataclass(frozen=True)
class Known:
    """What a change may ask of the data. words: those of the rows, in small letters: no typo may make one of them."""

    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Known:
        return cls(frozenset(word for text in texts for word in _WORD.findall(text.lower())))


Change = Callable[[Marked, Random, Known], Marked]


@dataclass(frozen=True)
class Kind:
    """One kind of change. what: for people. change: None = the order of the options, which is no change of a text.

    drawn: whether chance has a part in it, so that several draws are made. nothing: said where no row can be changed.
    """

    what: str
    change: Change | None = field(repr=False)
    drawn: bool = False
    nothing: str = "no row has anything to change"


def small_letters(text: Marked, rng: Random, known: Known) -> Marked:
    """All in small letters, but for names that only their capitals make: IT, NASA, pH, iPhone."""
    shouted = text.text.isupper()
    return _edit(text, _WORD, lambda word: word if _cased(word) and not shouted else word.lower())


def capitals(text: Marked, rng: Random, known: Known) -> Marked:
    """All in capitals, but for the same names."""
    return _edit(text, _WORD, lambda word: word if _cased(word) else word.upper())


def spaces(text: Marked, rng: Random, known: Known) -> Marked:
    """Spaces doubled, or at both ends, or such as break no line."""
    way = pick(rng, ("doubled", "at the ends", "unbroken"))
    if way == "at the ends":
        return join([Marked(" "), text, Marked(" \n")])
    return _edit(text, _SPACE, lambda found: found * 2 if way == "doubled" else "\u00a0" * len(found))


def quotes(text: Marked, rng: Random, known: Known) -> Marked:
    """Straight quotation marks and apostrophes curled, curled ones straight."""
    opened = False

    def other(mark: str) -> str:
        nonlocal opened
        if mark == '"':
            opened = not opened
            return "“" if opened else "”"
        return _CURLED[mark]

    return _edit(text, _QUOTE, other)


def unicode_forms(text: Marked, rng: Random, known: Known) -> Marked:
    """Accents as signs of their own, or joined to their letter; three dots as one sign, or one as three."""
    return _edit(text, _FORM, _other_form)


def final_mark(text: Marked, rng: Random, known: Known) -> Marked:
    """The last mark left out or repeated; a full stop where there is none."""
    if not _FINAL.search(text.text):
        whole = text.text.rstrip()
        ends_in_word = whole[-1:].isalnum() and len(whole) == len(text.text)
        return join([text, Marked(".")]) if ends_in_word else text
    drop = rng.random() < 0.5
    return _edit(text, _FINAL, lambda marks: "" if drop else marks.rstrip() + marks.rstrip()[-1])


def politeness(text: Marked, rng: Random, known: Known) -> Marked:
    """A greeting before, thanks behind, or both; of English texts."""
    if ENGLISH.isdisjoint(_WORD.findall(text.text.lower())):
        return text
    where = pick(rng, ("before", "behind", "both"))
    parts = [text]
    if where != "behind":
        parts.insert(0, Marked(pick(rng, BEFORE)))
    if where != "before":
        parts.append(Marked(pick(rng, BEHIND)))
    return join(parts)


def one_typo(text: Marked, rng: Random, known: Known) -> Marked:
    """One word as a finger slips: two letters swapped, one left out, doubled or hit beside its key."""
    return _mistyped(text, 1, rng, known)


def two_typos(text: Marked, rng: Random, known: Known) -> Marked:
    """Two words, likewise."""
    return _mistyped(text, 2, rng, known)


KINDS: Mapping[str, Kind] = {
    "small letters": Kind("all in small letters", small_letters, nothing="no row has a capital that may go"),
    "capitals": Kind("all in capitals", capitals, nothing="no row has a small letter"),
    "spaces": Kind("spaces doubled, at the ends, or such as break no line", spaces, drawn=True),
    "quotes": Kind("straight quotation marks and apostrophes curled, curled ones straight", quotes,
                   nothing="no row has a quotation mark or an apostrophe"),
    "unicode": Kind("accents and dots written in their other Unicode form", unicode_forms,
                    nothing="no row has a letter or dots with another form"),
    "final mark": Kind("the last mark left out, repeated or added", final_mark, drawn=True),
    "politeness": Kind("a greeting before, thanks behind", politeness, drawn=True,
                       nothing="no row is plainly English, as the frames are"),
    "one typo": Kind("one typo of a keyboard", one_typo, drawn=True, nothing="no row has a word for a typo"),
    "two typos": Kind("two typos of a keyboard", two_typos, drawn=True, nothing="no row has two words for typos"),
    "options": Kind("the options in another order", None, drawn=True,
                    nothing="in every row an option speaks of another"),
}  # fmt: skip


def _edit(text: Marked, pattern: re.Pattern[str], by: Callable[[str], str]) -> Marked:
    """Every match that touches no entity replaced."""
    kept = [(span.start, span.end) for span in text.spans if span.label != TOKEN]

    def new(match: re.Match[str]) -> str:
        touches = any(start < match.end() and match.start() < end for start, end in kept)
        return match[0] if touches else by(match[0])

    return text.edit(pattern, new)


def _cased(word: str) -> bool:
    """Whether a word is one by its capitals: they stand elsewhere than at its start alone, as in NASA, pH, iPhone."""
    return any(letter.isupper() for letter in word[1:])


def _other_form(found: str) -> str:
    if found in ("...", "…"):
        return "…" if found == "..." else "..."
    composed = unicodedata.normalize("NFC", found)
    return composed if composed != found else unicodedata.normalize("NFD", found)


def _mistyped(text: Marked, count: int, rng: Random, known: Known) -> Marked:
    """As many of its words mistyped; the text as it is where it has fewer that may be.

    A word with capitals may be a name, so it stays, unless all of the text is in capitals.
    """
    entities = [(span.start, span.end) for span in text.spans if span.label != TOKEN]
    shouted = text.text.isupper()
    may = [
        found.start()
        for found in _TYPED.finditer(text.text)
        if (found[0].islower() or shouted)
        and found[0].lower() not in NEGATIONS | NUMBERS
        and not any(start < found.end() and found.start() < end for start, end in entities)
    ]
    if len(may) < count:
        return text
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.add(pick(rng, may))
    return text.edit(_TYPED, lambda found: _slipped(found[0], rng, known) if found.start() in chosen else found[0])


def _slipped(word: str, rng: Random, known: Known) -> str:
    """The word with a typo that makes no other word of the data, as far as a few tries find one."""
    for _ in range(20):
        wrong = mistype(word, rng)
        if wrong.lower() != word.lower() and wrong.lower() not in known.words:
            return wrong.upper() if word.isupper() else wrong
    return word
