"""Label cells to labels: one rule for whatever a file writes them as, so that 1, 1.0, "1" and "1.0" are one label.

cells = LabelCells([[0, 1, 1], ["0.0", "1.0"]])           # of files that belong together
cells.read("1.0", where)                                  # "1"
LabelCells([["['joy']", "['anger']"]]).read("['joy']", where)      # "joy"
"""

from __future__ import annotations

import ast
import contextlib
import json
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from slmfit.errors import DataError, Where
from slmfit.tasks.common import label_among
from slmfit.tasks.spans import holds_spans
from slmfit.text.figures import listed
from slmfit.text.visible import written

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_TEXT = r"""'(?:[^'\\]|\\.?)*+(?:'|\Z)|"(?:[^"\\]|\\.?)*+(?:"|\Z)"""
_ITEM = rf"{_TEXT}|[+-]?\d+(?:\.\d*)?|[Tt]rue|[Ff]alse|None|null"
# As JSON, Python and numpy print lists; of those in other brackets only texts, as (1) and {1} may be names. Nothing is
# tried twice (`*+`, `(?>`): a stranger's cell may be long.
_LIST = re.compile(rf"\s*+\[\s*+(?:(?>{_ITEM})(?:(?:\s*+,\s*+|\s++)(?>{_ITEM}))*+)?+\s*+,?\s*+\]\s*+", re.DOTALL)
_GROUP = re.compile(rf"\s*+[({{]\s*+(?>{_TEXT})(?:\s*+,\s*+(?>{_TEXT}))*+\s*+,?\s*+[)}}]\s*+", re.DOTALL)
_BRACES = re.compile(r"\{[^{}:]*+\}")
_LONGEST = 10_000  # characters of a cell that may be an object
_ITEMS = re.compile(_ITEM, re.DOTALL)
_BOOLS = {"true": "1", "false": "0"}


class LabelCells:
    """How the label cells of files that belong together are read.

    A text that is written as a list is that list, as in JSON, unless it is one class among others that are not: all
    its rows are written so then, and it stays. Whole numbers have no `.0` where the cells of any of the files are all
    numbers, and whole, or have such a number without it; `true` and `True` are one where they occur both, and are 1
    where all labels are true, false, 1 and 0.

    files: the cells of each. known: labels that are known already, and by which these are called.
    """

    def __init__(self, files: Sequence[Sequence[Any]], known: Sequence[str] = ()) -> None:
        self._known = set(known)
        self._cache: dict[str, str] = {}
        distinct = [_distinct(cells) for cells in files]
        texts = set().union(*({cell for cell in cells if isinstance(cell, str)} for cells in distinct))
        self._lists = self._written_lists(texts, set().union(*distinct))
        filled = [[cell for cell in map(self._single, cells) if cell is not None] for cells in distinct]
        self._numeric = any(cells and all(map(_is_number, cells)) for cells in filled)
        spelled = {str(cell) for cells in filled for cell in cells}
        whole = all(not is_number(cell) or "." not in cell or _WHOLE.fullmatch(cell.strip()) for cell in spelled)
        # 1.0 beside 1.1 and 1.10 is a version or a section, unless 1 is there, too
        self._pointed = set() if whole else {cell for cell in spelled if _plain(cell) not in spelled - {cell}}
        self._two_ways = (
            sorted({plain for cells in filled for plain in _written_two_ways(cells)}) if self._numeric else []
        )
        booleans = [bool(cells) and all(map(_is_bool, cells)) for cells in filled]
        spellings = {str(c) if isinstance(c, str) else str(c).lower() for cs in filled for c in cs if _is_bool(c)}
        self._lower = any(booleans) and len({s.lower() for s in spellings}) < len(spellings)
        self._composed = _composed(texts, self._known)
        both = {_plain(cell).lower() for cells in filled for cell in cells}
        self.bools_as_numbers = both <= {*_BOOLS, "0", "1"} and not both.isdisjoint(_BOOLS) and not both <= set(_BOOLS)

        mixed = any(any(map(_is_bool, cells)) and any(map(_is_number, cells)) for cells in filled)
        self._bools_beside_numbers = mixed and not self.bools_as_numbers

    @property
    def notes(self) -> Iterator[str]:
        """What was decided of the labels of all files together."""
        if self.bools_as_numbers:
            yield "The labels true and false are read as 1 and 0."
        if self._bools_beside_numbers:
            yield "Labels true and false stand beside numbers and are read as labels of their own."
        if self._two_ways:
            yield f"Labels written with and without .0 are read as one: {listed(self._two_ways)}."
        if self._composed:
            names = listed(sorted(set(self._composed.values())))
            yield f"Labels whose accents are written in two ways are read as one (Unicode's NFC): {names}."

    def read(self, cell: Any, where: Where) -> str:
        """The label of a cell. Raises DataError for an empty one, for several, and for what is no label at all."""
        if not isinstance(cell, str):
            return self._called(label_text(cell, where))
        if cell not in self._cache:
            inner = cell if cell in self._known else self._lists.get(cell, cell)
            self._cache[cell] = self._called(label_text(inner, where))
        return self._cache[cell]

    def _called(self, label: str) -> str:
        label = self._composed.get(label, label)
        if self._numeric and label not in self._pointed and (whole := _WHOLE.fullmatch(label)):
            label = "0" if whole[1] == "-0" else whole[1]
        if label.lower() in _BOOLS:
            label = _BOOLS[label.lower()] if self.bools_as_numbers else label.lower() if self._lower else label
        return label_among(label, self._known) or label

    def _single(self, cell: Any) -> Any:
        """What a cell holds, out of its list of one."""
        inner = self._lists.get(cell, cell) if isinstance(cell, str) else cell
        return inner[0] if isinstance(inner, tuple | list) and len(inner) == 1 else _none_if_empty(inner)

    def _written_lists(self, texts: set[str], cells: set[Any]) -> dict[str, Any]:
        """Text -> the list that it writes."""
        found = _arrays(texts) or {t: read for t in texts - self._known if (read := parsed(t)) is not None}
        others = {str(cell) for cell in cells if cell not in found and _none_if_empty(cell) is not None} | self._known
        if len(found) == 1 and others:
            [items] = found.values()
            if isinstance(items, dict) or (isinstance(items, tuple) and not {str(item) for item in items} <= others):
                return {}
        return found


def _composed(texts: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Label -> what it is called, where an accent is a sign of its own in one and part of its letter in another."""
    by_form: dict[str, set[str]] = {}
    for text in {*texts, *known}:
        if not text.isascii():
            by_form.setdefault(unicodedata.normalize("NFC", text), set()).add(text)
    groups = {form: group for form, group in by_form.items() if len(group) > 1 and len(group.intersection(known)) < 2}
    return {text: next(iter(group.intersection(known)), form) for form, group in groups.items() for text in group}


def label_text(cell: Any, where: Where) -> str:
    """A cell as text: 3 and 3.0 are "3", true is "true", a list of one is that one. Raises DataError for the rest."""
    if (not isinstance(cell, str) or cell.startswith(("[[", "[{"))) and holds_spans(cell):
        raise several(written(cell, 60), where.at("label"), spans=True)
    if isinstance(cell, list | tuple) and len(cell) == 1 and not isinstance(cell[0], list | tuple):
        cell = cell[0]
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float) and math.isfinite(cell):
        return str(int(cell)) if cell.is_integer() else str(cell)
    if isinstance(cell, str) and cell.strip():
        return cell
    if isinstance(cell, list | tuple) and cell:
        raise several(written(list(cell), 60), where.at("label"))
    empty = cell is None or isinstance(cell, str | float | list | tuple)
    raise DataError(
        "the label is empty" if empty else f"a label is text or a number, and this is {written(cell, 60)}",
        where=where.at("label"),
        fix="give the row one label, or drop it",
    )


def several(what: str, where: Where, *, spans: bool = False) -> DataError:
    """The error for a row with more than one label. spans: the cell holds entities."""
    if spans:
        fix = f"to read them as entities: --task token-classification --column spans={where.column}"
        return DataError(f"the cell holds spans, not a label: {what}", where=where, fix=fix)
    return DataError(
        f"{what} is several labels, and a row can have one",
        where=where,
        fix="keep the one that matters most, or give the combination a name of its own: --merge 'A#B=NAME'",
    )


def is_number(label: str) -> bool:
    """Whether a label is a number."""
    return bool(_NUMBER.fullmatch(label.strip()))


def _distinct(cells: Sequence[Any]) -> set[Any]:
    return {_hashable(cell) for cell in cells}


def _hashable(cell: Any) -> Any:
    """A cell as a member of a set in which 1, 1.0 and true stay apart: True, alone of them, is no text."""
    if isinstance(cell, list):
        return tuple(map(_hashable, cell))
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    return cell if isinstance(cell, str | bool | tuple | float) or cell is None else str(cell)


def _arrays(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Text -> its items, where all are arrays as Postgres writes them, and some hold several: {joy,anger}, {joy}."""
    filled = [text for text in texts if text.strip()]
    if not all(_BRACES.fullmatch(text.strip()) for text in filled) or not any("," in text for text in filled):
        return {}
    return {
        text: tuple(item.strip(" \"'") for item in text.strip()[1:-1].split(",") if item.strip()) for text in filled
    }


def parsed(text: str) -> Any:
    """The list, or the object, or the list of objects, that a text is written as; None where it is none of these."""
    start = text[:_LONGEST].lstrip()
    if start[:1] in ("{", "[") and start.lstrip("[ \n").startswith("{") and len(text) < _LONGEST:
        for read in (json.loads, ast.literal_eval):
            with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
                if isinstance(value := read(text.strip()), dict | list):
                    return value
    if _LIST.fullmatch(text) or _GROUP.fullmatch(text):
        return tuple(_item(found[0]) for found in _ITEMS.finditer(text))
    return None


def _item(text: str) -> Any:
    if text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if _NUMBER.fullmatch(text.rstrip(".")):
        return float(text) if "." in text else int(text)
    return {"true": True, "false": False}.get(text.lower())


def _none_if_empty(cell: Any) -> Any:
    empty = (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and math.isnan(cell))
    return None if empty else cell


def _is_number(cell: Any) -> bool:
    return not isinstance(cell, bool) and (isinstance(cell, int | float) or (isinstance(cell, str) and is_number(cell)))


def _is_bool(cell: Any) -> bool:
    return isinstance(cell, bool) or (isinstance(cell, str) and cell.lower() in _BOOLS)


def _written_two_ways(cells: Iterable[Any]) -> set[str]:
    """The whole numbers that one file writes with and without .0."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    whole = {match[1] for text in texts if (match := _WHOLE.fullmatch(text.strip()))}
    return whole & {text.strip() for text in texts}


def _plain(cell: Any) -> str:
    text = str(cell)
    return whole[1] if (whole := _WHOLE.fullmatch(text)) else text
