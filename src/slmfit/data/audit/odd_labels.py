"""Labels that are probably none, or not written as they were meant: `nan`, ` "negative"`, a zero-width space in one.

odd_labels(Counter({"nan": 12, "a": 40}), "label", "row")
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator

from slmfit.data.audit.findings import Finding, counted, finding
from slmfit.text.figures import listed, number_of, verb_of
from slmfit.text.garbled import mended, unescaped
from slmfit.text.looks import UNSEEN

# What programs write where nothing is, and what people call rows that nobody labelled.
READ_AS_NONE = {
    "nan", "-nan", "#n/a", "#na", "n/a", "na", "<na>", "null", "(null)", "nil", "nat", "undefined", "#ref!", "#value!",
    "#name?", "#div/0!", "-", "--", "?", ".", "\\n", "unsup", "unsupervised", "unlabeled", "unlabelled",
}  # fmt: skip
# Of these what no person writes as a text.
_NO_WORDS = ("nan", "null", "(null)", "undefined", "\\n")
NO_TEXT = {label for label in READ_AS_NONE if label.startswith(("#", "<")) or label in _NO_WORDS} | {
    "[removed]",
    "[deleted]",
}
NO_OPTION = NO_TEXT | {"n/a", "na"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOST = "\ufffd"  # what stands where a letter could not be read
_MONTH = "(?:Jan|Feb|M[aä]r|A[pv]r|Ma[iy]|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])"
_SHEET = re.compile(rf"\d{{1,2}}-{_MONTH}|{_MONTH}-\d{{2}}|\d{{1,2}}\. ?{_MONTH}|\d(?:[.,]\d+)?E\+\d+")
TAG = re.compile("[BILUES]-.+")
TAGS_FIX = "Write them as CoNLL, with an empty line between sentences, to mark entities; each row is one text here."
_EDGES = " \t\r\n\u00a0\"'“”„«»"


def odd_labels(counts: Counter[str], noun: str, unit: str) -> Iterator[Finding]:
    """counts: label -> how many rows, or spans, have it."""
    # "none" may be a class, as in "none of these"; Python alone writes it large.
    none = sorted(label for label in counts if label.strip().lower() in READ_AS_NONE or label.strip() == "None")
    if none:
        lost = number_of(sum(counts[label] for label in none), unit, "have")
        message = f"{lost} a {noun} that reads as if there were none: {listed(none)}."
        fix = f"Give these {unit}s their {noun}s, or drop them; if it is a {noun} that you mean, give it another name."
        yield finding("no_label", "warning", len(none), message, fix, counted(none, counts))
    if noun == "label" and "O" in counts and (tags := sorted(filter(TAG.fullmatch, counts))):
        message = f"The labels look like the tags of tokens, one a row: O, {listed(tags, quoted=False)}."
        yield finding("tags", "warning", len(tags), message, TAGS_FIX, counted(tags, counts))
    if noun == "entity type" and (begun := sorted(_begin_as_tags(counts))):
        some = f"{number_of(len(begun), noun)} {verb_of(len(begun), 'begin')} as tags of tokens do"
        message = f"{some}: {listed(begun)}."
        fix = "Write the type alone, PER for B-PER, and one span for a whole entity: with and without they are two."
        yield finding("tag_prefix", "warning", len(begun), message, fix, counted(begun, counts))
    if garbled := sorted(label for label in counts if _LOST in label or mended(unescaped(label)) != label):
        some = f"{number_of(len(garbled), noun)} {verb_of(len(garbled), 'hold')}"
        meant = [(label, mended(unescaped(label))) for label in garbled]
        told = listed((repr(one) if one == other else f"{one!r} for {other!r}" for one, other in meant), quoted=False)
        message = f"{some} HTML's entities, or letters that were read in another encoding: {told}."
        fix = f"Write them as they are meant, in every file: garbled and sound, one {noun} is two."
        yield finding("garbled_label", "warning", len(garbled), message, fix, counted(garbled, counts))
    if made := sorted(filter(_SHEET.fullmatch, counts)):
        some = f"{number_of(len(made), noun)} {verb_of(len(made), 'look')}"
        message = f"{some} as a spreadsheet writes what it takes for a date or a large number: {listed(made)}."
        fix = "Check what they were (1-5 becomes 05-Jan, 100000 becomes 1E+05): another file may have it sound."
        yield finding("spreadsheet_label", "warning", len(made), message, fix, counted(made, counts))
    if unseen := sorted(label for label in counts if UNSEEN.search(label) or _CONTROL.search(label)):
        some = f"{number_of(len(unseen), noun)} {verb_of(len(unseen), 'hold')}"
        message = f"{some} characters that cannot be seen: {listed(unseen)}."
        fix = "Remove them (zero-width spaces, marks of direction or byte order): with and without they are two."
        yield finding("unseen_character", "warning", len(unseen), message, fix, counted(unseen, counts))
    if mixed := sorted(filter(_mixes, counts)):
        some = f"{number_of(len(mixed), noun)} {verb_of(len(mixed), 'have')}"
        message = f"{some} letters of two scripts in a word: {listed(mixed)}."
        fix = "Write them in one script: a Cyrillic or Greek letter may look like a Latin one, and then they are two."
        yield finding("mixed_scripts", "warning", len(mixed), message, fix, counted(mixed, counts))
    if joined := sorted(label for label in counts if _joins(label, counts)):
        some = f"{number_of(len(joined), noun)} {verb_of(len(joined), 'join')}"
        message = f"{some} others that stand alone elsewhere: {listed(joined)}."
        fix = f"If these {unit}s have several {noun}s, keep the one that matters most; else nothing is wrong."
        yield finding("joined_labels", "warning", len(joined), message, fix, counted(joined, counts))
    if noun == "label" and (combined := _combined(set(counts) - set(joined))):
        message = f"{len(combined)} labels are combinations of the same parts: {listed(combined)}."
        fix = "If a row has several labels, keep the one that matters most: as it is, each combination is a class."
        yield finding("combined_labels", "warning", len(combined), message, fix, counted(combined, counts))
    if broken := sorted(label for label in counts if len(label.strip().splitlines()) > 1):
        some = f"{number_of(len(broken), noun)} {verb_of(len(broken), 'hold')}"
        message = f"{some} a line break: {listed(broken)}."
        fix = "Check that the file was read right: a cell may hold several labels, or a stray quotation mark."
        yield finding("line_break", "warning", len(broken), message, fix, counted(broken, counts))
    if edged := sorted(label for label in counts if _has_edge(label)):
        some = f"{number_of(len(edged), noun)} {verb_of(len(edged), 'have')}"
        message = f"{some} quotation marks or spaces around them: {listed(edged)}."
        fix = "Remove them; in a CSV file a quotation mark must follow the comma at once, without a space."
        yield finding("label_edges", "warning", len(edged), message, fix, counted(edged, counts))


def _begin_as_tags(counts: Collection[str]) -> Iterator[str]:
    """The types B-X, I-X … where X is a type, or another such is of it, or all are written so."""
    bare = Counter(label[2:].casefold() if TAG.fullmatch(label) else label.casefold() for label in counts)
    every = all(map(TAG.fullmatch, counts))
    yield from (label for label in counts if TAG.fullmatch(label) and (every or bare[label[2:].casefold()] > 1))


_ALIKE = {"LATIN", "CYRILLIC", "GREEK"}  # whose letters look alike


def _mixes(label: str) -> bool:
    """Whether a word of it has letters of two scripts that look alike: a Cyrillic а among Latin letters."""
    words = (word for word in re.findall(r"[^\W\d_]+", label) if not word.isascii())
    return any(len(_ALIKE & {unicodedata.name(letter, "").partition(" ")[0] for letter in word}) > 1 for word in words)


def _joins(label: str, known: Collection[str]) -> bool:
    """Whether what stands between slashes, spaces and the like are labels all."""
    for separator in ("/", "+", "&", "::", ":", " and ", " "):
        parts = [part.strip() for part in label.split(separator)]
        if len(set(parts)) > 1 and all(part in known for part in parts):
            return True
    return False


def _combined(labels: Collection[str]) -> list[str]:
    """Labels of several parts, all of which other labels have, too, where that is so of most labels with that sign.

    So `billing;tech`, `account;tech` and `billing`; not `Books, films` beside `Books, music`, which are names.
    """
    found = list[str]()
    for separator in ("|", ";", ",", "#", "\t", "/", "+", "&"):
        parts = {label: {part.strip() for part in label.split(separator)} - {""} for label in labels}
        several = [label for label, own in parts.items() if len(own) > 1]
        times = Counter(part for own in parts.values() for part in own)
        shared = [label for label in several if all(times[part] > 1 for part in parts[label])]
        if len(shared) > 1 and 2 * len(shared) > len(several):
            found += shared
    return sorted(set(found))


def _has_edge(label: str) -> bool:
    """Whether it has a space at an edge, or quotation marks at both."""
    inner = label.strip()
    return inner != label or (len(inner) > 2 and inner[0] in _EDGES and inner[-1] in _EDGES)
