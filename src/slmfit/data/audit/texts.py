"""What programs did to texts on their way: cut at the length of a field, read in another encoding, summed up below.

exported(rows, lengths)      # [{"kind": "cut_text", "message": "12 of 900 texts (1.3 %) have exactly 255 …"}]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from slmfit.data.audit.edits import Integers
from slmfit.data.audit.findings import Finding, Rows, excerpt, finding
from slmfit.text.figures import listed, part_of
from slmfit.text.garbled import mended, unescaped

EXCEL = 32_767  # characters in a cell
_FIELDS = {255, 256, 500, 512, 1000, 1024, 2000, 2048, 4000, 4096, 5000, 8000, 8192, 10_000, 16_384, 32_000, 65_535}
_FEWEST, _SHARE = 3, 0.01  # texts of a field's length, that no other exceeds
# Letters and line ends as JSON and Python write them, as mails do, and whole texts as bytes, RTF and base64.
_BACKSLASH = re.compile(r"\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|r\\n|\\n|(?<=[\w.!?,;:]\\)n(?=[A-Z\s]|$))")
_EQUALS = re.compile(r"=(?:[0-9A-F]{2}=[0-9A-F]{2}|\r?\n\w)")
_WHOLE = re.compile(
    r"b(['\"]).*\1$|\s*\{\\rtf1|\s*(?=\S*[A-Z])(?=\S*[a-z])(?=\S*\d)[A-Za-z0-9+/]{40,}={0,2}\s*$", re.DOTALL
)
_MAIL = re.compile(r"^Content-Transfer-Encoding:\s*(?:base64|quoted-printable)", re.MULTILINE | re.IGNORECASE)
_PIECES = re.compile(r"(?:^| )(?:##\w|[▁Ġ]\w)")
# As Rasa marks entities; what a link goes to has / or .
_MARKED = re.compile(r'\[[^\[\]]+\](?:\([A-Za-z][\w-]*(?::[^()/.]*)?\)|\{\s*"entity")')
_MANY = 0.01  # of all texts
_OFTEN = ("escaped_text", "marked_entity", "html_entity", "word_pieces")  # what a few texts may hold that are about it
_SHARES = {"html_entity": 0.1}  # where it is another one
_SUMS = {"total", "totals", "subtotal", "sub-total", "grand total", "sum", "gesamt", "summe"}


def exported(rows: Rows, lengths: Integers) -> Iterator[Finding]:
    """lengths: of the texts, in characters."""
    yield from _cut(rows, lengths)
    for kind, (found, what, fix) in _HARMS.items():
        harmed = [k for k, text in enumerate(rows.texts) if found(text)]
        many = len(harmed) > _SHARES.get(kind, _MANY) * len(lengths)
        if harmed and (many or kind not in _OFTEN):
            some, seen = part_of(len(harmed), len(lengths), "text", "hold"), _example(rows.texts[harmed[0]], found)
            examples = (rows.example([k]) for k in harmed)
            warns = many and kind != "html_entity"
            yield finding(kind, "warning" if warns else "note", len(harmed), f"{some} {what}: {seen}.", fix, examples)
    sums = [k for k, text in enumerate(rows.texts) if len(text) < 16 and text.strip(" :").casefold() in _SUMS]
    if sums:
        named = listed(sorted({rows.texts[k].strip() for k in sums}))
        message = f"{part_of(len(sums), len(lengths), 'text', 'read')} as a table's sums are called: {named}."
        fix = "Drop these rows, if a spreadsheet summed up the ones above."
        yield finding("sum_row", "note", len(sums), message, fix, (rows.example([k]) for k in sums))


def _cut(rows: Rows, lengths: Integers) -> Iterator[Finding]:
    longest = int(lengths.max(initial=0))
    cut: Sequence[int] = np.flatnonzero(lengths == longest).tolist()
    if longest == EXCEL or (longest in _FIELDS and len(cut) >= max(_FEWEST, _SHARE * len(lengths))):
        what = "as many as a cell of Excel holds" if longest == EXCEL else "and none has more"
        message = f"{part_of(len(cut), len(lengths), 'text', 'have')} exactly {longest:,} characters, {what}."
        fix = "Export them whole: they seem to be cut there, and what decides the label may be gone."
        yield finding("cut_text", "warning", len(cut), message, fix, (rows.example([k]) for k in cut))


def _escaped(text: str) -> object:
    """Whether letters, or line ends, are written as programs write them."""
    return (
        ("\\" in text and _BACKSLASH.search(text))
        or ("=" in text and _EQUALS.search(text))
        or ("Transfer-Encoding" in text and _MAIL.search(text))
        or "%20" in text.partition("://")[0]
        or _WHOLE.match(text)
    )


def _in_pieces(text: str) -> object:
    return ("##" in text or "▁" in text or "Ġ" in text) and _PIECES.search(text)


def _garbled(text: str) -> bool:
    return not text.isascii() and mended(text) != text


def _example(text: str, found: Callable[[str], object]) -> str:
    """The first word that is harmed, and what it is where that is known."""
    word = next((word for word in text.split() if found(word)), text)
    meant = f" for '{excerpt(mended(word))}'" if _garbled(word) else ""
    if word.isascii() and unescaped(word) != word:
        meant = f" for '{excerpt(unescaped(word))}'"
    return f"'{excerpt(word)}'{meant}"


# kind -> whether a text is so, in words, and what to do
_HARMS: dict[str, tuple[Callable[[str], object], str, str]] = {
    "garbled_text": (
        _garbled,
        "letters of UTF-8 that were read in another encoding",
        "Read their source as UTF-8 and write the file again: garbled words are other words.",
    ),
    "lost_letter": (
        lambda text: "\ufffd" in text,
        "the sign \ufffd, where a letter could not be read",
        "Export them again as UTF-8: what was there is lost.",
    ),
    "word_pieces": (
        _in_pieces,
        "words cut into pieces, as a tokenizer does",
        "Give the texts as people write them: what is asked later will not be cut so.",
    ),
    "html_entity": (
        lambda text: "&" in text and unescaped(text) != text,
        "entities of HTML",
        "Methods read these as written: if new texts come without them, --strip html removes them.",
    ),
    "marked_entity": (
        lambda text: "[" in text and _MARKED.search(text),
        "what looks like entities marked in the text, as [Rome](city)",
        "Give the texts as people write them, and the entities as spans: docs/data.md shows the forms.",
    ),
    "escaped_text": (
        _escaped,
        "letters as a program writes them",
        "Write what they stand for: texts that are to be labelled will hardly be written so.",
    ),
}
