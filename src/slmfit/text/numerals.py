"""Numbers of a JSON file as they were written, where a float would not be written so: 1.10, 1E5, 1e400.

row = json.loads('{"price": 1.10}', parse_float=numeral)
row["price"] + 1      # 2.1
to_json(row)          # '{"price": 1.10}'
"""

from __future__ import annotations

import json
from typing import Any


class Numeral(float):
    """A number that knows its digits."""

    __slots__ = ("digits",)
    digits: str


Numeral.__name__ = "float"  # what messages call its kind


def numeral(digits: str) -> float:
    """What `json.loads` is to read the digits of a number as that is no whole one."""
    value = float(digits)
    if repr(value) == digits:
        return value
    found = Numeral(value)
    found.digits = digits
    return found


def to_json(value: Any, *, ascii: bool = False) -> str:
    """As `json.dumps` writes it, with such numbers as they were; what is no JSON, such as a date, as it prints."""
    return _spelled(value, ascii) if _holds_numeral(value) else json.dumps(value, ensure_ascii=ascii, default=str)


def _holds_numeral(value: Any) -> bool:
    left = [value]
    while left:
        one = left.pop()
        kind = type(one)
        if kind is Numeral:
            return True
        if kind is dict:
            left.extend(one.values())
        elif kind is list:
            left.extend(one)
    return False


def _spelled(value: Any, ascii: bool) -> str:
    kind = type(value)
    if kind is Numeral:
        return str(value.digits)
    parts = []
    if kind is dict:
        for key, cell in value.items():
            parts.append(f"{json.dumps(key, ensure_ascii=ascii)}: {_spelled(cell, ascii)}")
        return "{" + ", ".join(parts) + "}"
    if kind is list:
        for cell in value:
            parts.append(_spelled(cell, ascii))
        return "[" + ", ".join(parts) + "]"
    return json.dumps(value, ensure_ascii=ascii, default=str)
