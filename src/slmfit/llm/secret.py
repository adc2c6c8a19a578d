"""A key that shows itself to nobody but the server it is for.

key = Secret("sk-…")
print(key)                  # ********
{"authorization": f"Bearer {key.reveal()}"}
key.hidden_in(reply)        # the reply, with every spelling of the key replaced
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

HIDDEN = "********"
_SHORTEST = 4  # a shorter "key" such as `x` stands in every text, and local servers take any


class Secret:
    """A text that `repr`, `str`, JSON and pickle do not give away; `reveal` does."""

    __slots__ = ("_spellings", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        coded = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
        spellings = {value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value), coded}
        self._spellings = sorted((s for s in spellings if len(s) >= _SHORTEST), key=len, reverse=True)

    def reveal(self) -> str:
        return self._value

    def hidden_in(self, text: str) -> str:
        """`text` without the key: a server may repeat what it was sent."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a key is not to be stored")
