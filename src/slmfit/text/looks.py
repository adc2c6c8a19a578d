"""Names that people take for one and programs for two: letters of another script, full-width or styled ones, dashes.

    look("ѕpam") == look("spam")           # the first letter is Cyrillic
    told_apart(["spam", "ѕpam"])           # ["'spam' (U+0073)", "'ѕpam' (U+0455)"]

The pairs are those of Unicode's confusables (UTS 39) that stand in letters people type: Cyrillic, Greek, Armenian and
Cherokee ones that are drawn as a Latin letter, small capitals, dashes and quotation marks. What Unicode itself calls
another form of a character (𝐬, ｓ, ①) is that character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

# Characters that take no room, and what chooses how the one before them is drawn; joiners have their place in words.
UNSEEN = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u2060\u2061-\u2064\ufeff]|^[\u200c\u200d]|[\u200c\u200d]$")
_DRAWN = re.compile("[\ufe00-\ufe0f]")
_ALIKE = {
    "АВЕЅІЈКМНОРСТУХҮԚԜӀѴ": "ABESIJKMHOPCTYXYQWIV",
    "аеѕіјорсухԁһԛԝӏѵү": "aesijopcyxdhqwlvy",
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϳ": "ABEZHIKMNOPTYXCj",
    "αινορυγϲ": "aivopuyc",
    "օսոհցԼՏՕ": "ounhgLSO",
    "ᎪᏴᏟᎠᎬᏀᎻᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ": "ABCDEGHJKLMPRSTVWZ",
    "ɑɡıȷᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ": "agijabcdeghijklmnoprstuvwyz",
    "‐‑‒–—―−﹘": "--------",
    "‘’‚‛ʼʹ′`´“”„‟″": "'''''''''\"\"\"\"\"",
    "∕⁄": "//",
}  # fmt: skip
_PLAIN = {ord(a): b for others, plains in _ALIKE.items() for a, b in zip(others, plains, strict=True)}


def look(name: str) -> str:
    """The same for names that look alike. Case counts: a Cyrillic В is drawn as B, and a в as neither."""
    if name.isascii() and "`" not in name:
        return name
    drawn = unicodedata.normalize("NFC", _DRAWN.sub("", UNSEEN.sub("", name))).translate(_PLAIN)
    return unicodedata.normalize("NFKC", drawn).translate(_PLAIN)


def told_apart(names: Sequence[str]) -> list[str]:
    """Names that look alike, each in quotation marks with the code points that not all of them have."""
    common = set(names[0]).intersection(*names[1:])
    return [f"{name!r}{points(name, common)}" for name in names]


def beside(names: Collection[str], known: Collection[str]) -> list[str]:
    """Names in quotation marks; one that looks like a known one, with the code points that this one lacks."""
    drawn = {look(name): name for name in known}
    twins = {name: twin for name in names if (twin := drawn.get(look(name), name)) != name}
    said = {n: f"{points(n, twin)}, which looks like {twin!r}{points(twin, n)}" for n, twin in twins.items()}
    return [f"{name!r}{said.get(name, '')}" for name in names]


def look_alike(name: str, known: Collection[str]) -> str | None:
    """The first of the known names that looks like this one, and is another."""
    return next((other for other in known if other != name and look(other) == look(name)), None)


def points(name: str, common: Collection[str]) -> str:
    """The code points of a name that are not common, in brackets; empty where there are none."""
    own = dict.fromkeys(f"U+{ord(letter):04X}" for letter in name if letter not in common)
    return f" ({', '.join(list(own)[:3])}{' …' if len(own) > 3 else ''})" if own else ""
