"""Words: how a text is cut up before anything is counted.

Letters and digits in a row are a word, and so are the signs that say something: emoji, emoticons, the ++ of C++, the !.
Scripts without spaces between words, such as Chinese or Thai, give every two neighbouring characters.

So that the rules are short, each character first becomes a letter for its kind: a letter, 0 digit, m mark upon a
letter, u letter and v mark of a script without spaces, t sign that tells something alone, d sign that does not, -
hyphen.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

UNSPACED = [  # Thai, Lao, Tibetan, Burmese, Khmer, Tai Le, Tai Lue, Tai Tham, kana, Bopomofo, Han
    (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19FF), (0x1A20, 0x1AAF), (0x2E80, 0x2FDF),
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C), (0x3041, 0x312F), (0x31A0, 0x31BF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAADF), (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF),
]  # fmt: skip
TELLING = "!?#%@*&^§†•‰‼⁇⁈⁉‽¡¿！？＃％＠＊＆"
SILENT = "[\ufe00-\ufe0f\u200d\U0001f3fb-\U0001f3ff]"  # what only colours or joins emoji

CHUNK = re.compile(r"[a0muv]+(?:-[a0muv]+)*|[td-]*-0[a0muv]*|[td-]{2,}|t")
SIGNS = re.compile(
    rf"://|{SILENT}"
    r"|(?P<eyes>[:=](?=[-'^~]?[)(\]\[}{|/\\*@><])|;(?=[-'^~]?[)(]))[-'^~]?(?P<mouth>.)(?P=mouth)*"  # :-)
    r"|(?P<smile>\()[-'^~]?(?P<below>[:;=])"  # (-:
    r"|(?P<arrows><?-+>|<-+|[!?]+|[+*<>=|&^~%#$@]+|[\U0001f1e6-\U0001f1ff]{1,2})"  # -> !! ++, and a flag
    r"|(?P<run>(?P<one>.)(?P=one)*)"
)


class Kinds(dict[int, str]):
    """Code point -> the letter of its kind, for str.translate."""

    def __missing__(self, point: int) -> str:
        self[point] = kind_of(chr(point))
        return self[point]


def kind_of(character: str) -> str:
    """One of a 0 m u v t d and -, or a space for what separates words."""
    point, category = ord(character), unicodedata.category(character)
    unspaced = any(low <= point <= high for low, high in UNSPACED)
    if character.isalnum() or character == "_":
        return "u" if unspaced else "0" if character in "0123456789" else "a"
    if re.match(SILENT, character):
        return "d"
    if category[0] == "M":
        return "v" if unspaced else "m"
    if character in TELLING or category in ("Sm", "Sc", "So") or (category == "Cn" and 0x1F000 <= point <= 0x1FBFF):
        return "t"
    return "-" if character == "-" else "d" if category[0] in "PS" else " "


KINDS = Kinds()


def words_of(text: str, shortest: int = 1) -> list[str]:
    """The words of a text, in order. shortest: how many characters a word of letters must have."""
    text = text.lower()
    found: list[str] = []
    for match in CHUNK.finditer(text.translate(KINDS)):
        chunk, kinds = text[match.start() : match.end()], match[0]
        if kinds[0] not in "td-":
            for letters, theirs in zip(chunk.split("-"), kinds.split("-"), strict=True):
                found += words_in(letters, theirs, shortest)
        elif kinds[-1] not in "td-":  # a number below zero, maybe with signs before it
            minus = kinds.rindex("-")
            found += [*signs_in(chunk[:minus]), "-", *words_in(chunk[minus + 1 :], kinds[minus + 1 :], shortest)]
        else:
            found += signs_in(chunk)
    return found


def words_in(letters: str, kinds: str, shortest: int) -> list[str]:
    """The words of letters in a row, of which some may be of a script without spaces."""
    found: list[str] = []
    for match in re.finditer("([uv][uvm]*)|[a0m]+", kinds):
        part = letters[match.start() : match.end()]
        if match[1]:
            units = [part[unit.start() : unit.end()] for unit in re.finditer(".[vm]*", match[1])]
            found += map("".join, pairwise(units)) if len(units) > 1 else units
        elif len(part) >= shortest:
            found.append(part)
    return found


def signs_in(chunk: str) -> list[str]:
    """The words of signs in a row: emoticons without their nose, nothing repeated more than twice."""
    found = []
    for match in SIGNS.finditer(chunk):
        if match["eyes"]:
            found.append(match["eyes"] + match["mouth"])
        elif match["smile"]:
            found.append(match["smile"] + match["below"])
        elif match["arrows"]:
            found.append(re.sub(r"(.)\1{2,}", r"\1\1", match["arrows"]))
        elif match["run"] and KINDS[ord(match["one"])] == "t":
            found += match["run"]
        elif match["run"] and len(match["run"]) > 1:
            found.append(match["run"][:2])
    return found
