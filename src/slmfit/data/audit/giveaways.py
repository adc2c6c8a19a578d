"""The label in the text: a code for it, or its own words.

    giveaways(rows)      # [{"kind": "label_in_text", "message": "One token tells the label …: 'L17' for 'billing', …"}]

A token (a word, a part of one, two neighbours, the first or the last) is chosen for each label on rows of train; if
these alone are right for nearly all rows of validation, nothing is left to learn. A single label reaches that honestly
("airport"), all of them together hardly ever do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from slmfit.data.audit.findings import EXAMPLES, Finding, Rows, excerpt, finding
from slmfit.data.audit.near import UNSPACED
from slmfit.text.figures import listed, number_of, percent

NEARLY_ALL = 0.95
_FEWEST = 20  # rows of train, and half as many to check by
_READ, _PER_LABEL, _MOST_READ, _CHECKED = 1_500, 5, 20_000, 1_000  # rows of train, each label's, at most, and checked
_WORDS = 120  # of a text, half from either end
_EDGE = ".,;:!?\"'()[]{}<>"
_SPOKEN = {" ": "a space", "\n": "a line break", "\t": "a tab"}
_PARTS = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")

Tokens = Mapping[str, tuple[str, float]]  # label -> the token that tells it, and how well, 0 to 1


_DIGITS = re.compile(r"\d+")
_CODE_LENGTH = 4  # letters and digits of a code at least
_CODE = re.compile(r"\d[^\W\d_]|[^\W\d_]\d")  # a letter beside a digit


def giveaways(rows: Rows) -> Iterator[Finding]:
    """At most one finding: the tokens that tell the labels, or else that the labels' own words do."""
    split = "validation" if "validation" in rows.splits else "test"
    known = [k for k, label in enumerate(rows.labels) if label is not None]
    train, held = ([k for k in known if rows.splits[k] == one] for one in ("train", split))
    labels = Counter(str(rows.labels[k]) for k in train)
    if len(train) < _FEWEST or len(held) < _FEWEST // 2 or len(labels) < 2:
        return
    train = _some(train, min(max(_READ, _PER_LABEL * len(labels)), _MOST_READ))
    yield from _codes(rows, train, _some(held, _CHECKED), split) or _own_words(rows, _some(known, 2 * _CHECKED))


def _some(rows: list[int], most: int) -> list[int]:
    """At most so many, evenly from all."""
    return rows if len(rows) <= most else [rows[k * len(rows) // most] for k in range(most)]


# --- a token for each label -------------------------------------------------------------------------------------------


def _codes(rows: Rows, train: Sequence[int], held: Sequence[int], split: str) -> list[Finding]:
    tokens = _telling([tokens_of(rows.texts[k]) for k in train], [str(rows.labels[k]) for k in train])
    if not _decides(tokens, rows, train[: _CHECKED // 5]):
        return []
    share = _share_right(tokens, rows, held)
    if not _decides(tokens, rows, held):
        return []
    count = round(share * len(held))
    told = [(label, token) for label, (token, how_well) in tokens.items() if how_well >= NEARLY_ALL]
    shown = ", ".join(f"'{excerpt(token)}' for '{excerpt(label)}'" for label, token in told[:3])
    message = (
        f"One token tells the label of {percent(share)} of {number_of(len(held), f'{split} row')}: {shown}"
        f"{' and so on' if len(told) > 3 else ''}."
    )
    folded = Counter(token.lower() for _, token in told)
    if alike := sorted(token for _, token in told if folded[token.lower()] > 1):
        message += f" {listed(alike)} differ only in case, which linear and knn ignore."
    fix = (
        "If it will not stand in the texts to be labelled, remove it: methods learn to read it and nothing else. If it "
        "will, no model is needed."
    )
    of = Counter(rows.labels)
    examples = ({"label": label[:80], "rows": of[label], "token": excerpt(token)} for label, token in told[:EXAMPLES])
    return [finding("label_in_text", "warning", count, message, fix, examples)]


def tokens_of(text: str) -> set[str]:
    """Words as they stand and without punctuation around them, their parts, two neighbours, the first and the last."""
    words = text.split()
    if len(words) > _WORDS:
        words = [*words[: _WORDS // 2], *words[-_WORDS // 2 :]]
    found = {*words, *map(" ".join, pairwise(words))}
    for word in words:
        bare = word.strip(_EDGE)
        found.add(bare)
        if _CODE.search(bare):  # INC10000: which number it is does not matter
            found.add(f"{_DIGITS.sub('#', bare)} (#: a number)")
        for part in _PARTS.finditer(bare):  # req-b0003f: in hexadecimal digits there is no number
            if len(part[0]) >= _CODE_LENGTH and _DIGITS.search(part[0]):
                found.update(f"{bare[: part.start() + n]}… (how a code begins)" for n in (1, 2))
        if not bare.isalnum():
            found.update(_PARTS.findall(bare))
    found.discard("")
    edges = {(text[:1], "at the beginning"), (text[-1:], "at the end")}
    found |= {f"{_SPOKEN.get(sign, sign)} {where}" for sign, where in edges if sign and not sign.isalnum()}
    if words:
        found |= {f"{words[0]} …", f"… {words[-1]}"}
    return found


def _telling(texts: Sequence[set[str]], labels: Sequence[str]) -> Tokens:
    """Each label's token with the highest F1; of equals the shortest."""
    rows, there = Counter(labels), Counter[str]()
    seen: dict[str, Counter[str]] = {label: Counter() for label in rows}
    for tokens, label in zip(texts, labels, strict=True):
        there.update(tokens)
        seen[label].update(tokens)
    best = {}
    for label, count in rows.items():
        often = [(token, hits) for token, hits in seen[label].items() if 2 * hits > count]  # the F1 of others is low
        found = min(((-2 * hits / (count + there[token]), len(token), token) for token, hits in often), default=None)
        best[label] = (found[2], -found[0]) if found else ("", 0.0)
    return best


def _share_right(tokens: Tokens, rows: Rows, held: Sequence[int]) -> float:
    """How many rows have the label of the surest of their tokens; without one, that of the label least well told."""
    unsaid = min(tokens, key=lambda label: tokens[label][1])
    label_of = {token: (how_well, label) for label, (token, how_well) in tokens.items() if label != unsaid and token}
    right = 0
    for k in held:
        said = [label_of[token] for token in tokens_of(rows.texts[k]) & label_of.keys()]
        right += rows.labels[k] == (max(said)[1] if said else unsaid)
    return right / max(len(held), 1)


def _decides(tokens: Tokens, rows: Rows, held: Sequence[int]) -> bool:
    """Nearly all rows, and most of those that the commonest label is wrong for."""
    share = _share_right(tokens, rows, held)
    most = Counter(rows.labels[k] for k in held).most_common(1)[0][1] / max(len(held), 1)
    return share >= NEARLY_ALL and 1 - share <= 0.2 * (1 - most)


# --- the label's own words --------------------------------------------------------------------------------------------


def _own_words(rows: Rows, some: Sequence[int]) -> list[Finding]:
    """Nearly all rows hold the words of their label, and few those of the others, which a list of them all would."""
    names = {label: _names(label) for label in {str(rows.labels[k]) for k in some}}
    texts = {k: _plain(rows.texts[k]) for k in some}
    held = [k for k in some if any(name in texts[k] for name in names[str(rows.labels[k])])]
    if len(held) < NEARLY_ALL * len(some):
        return []
    others = sorted(names)[:: -(-len(names) // 50)]
    asked = _some(list(some), 200)
    strange = [any(name in texts[k] for name in names[one]) for k in asked for one in others if one != rows.labels[k]]
    if sum(strange) > 0.5 * len(strange):
        return []
    share = percent(len(held) / len(some))
    message = f"The words of the label itself stand in {share} of {number_of(len(some), 'text')}."
    fix = (
        "If they will not stand in the texts to be labelled, remove them: methods learn to read them and nothing else. "
        "If they will, no model is needed."
    )
    examples = (rows.example([k]) for k in held)
    return [finding("label_in_text", "warning", len(held), message, fix, examples)]


def _plain(text: str) -> str:
    return f" {' '.join(_PARTS.findall(text.casefold()))} "


def _names(label: str) -> set[str]:
    """How a label may stand in a plain text: as it is, and with its camelCase as words."""
    forms = {_plain(label), _plain(_HUMP.sub(" ", label))} - {"  "}
    return {form.strip() if UNSPACED.search(form) else form for form in forms}
