"""A key that shows itself to nobody but the server it is for.

key = Secret("sk-…")
print(key)                  # ********
{"authorization": f"Bearer {key.reveal()}"}
key.hidden_in(reply)        # the reply, with every spelling of the key replaced
"""

from __future__ import annotations

import base64
import json
from typing import Any
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

    def hidden_in(self, value: Any) -> Any:
        """A text, or JSON that holds texts, without the key: a server may repeat what it was sent."""
        if isinstance(value, str):
            for spelling in self._spellings:
                if spelling in value:
                    value = value.replace(spelling, HIDDEN)
            return value
        if isinstance(value, dict):
            return {self.hidden_in(name): self.hidden_in(inner) for name, inner in value.items()}
        return [self.hidden_in(inner) for inner in value] if isinstance(value, list) else value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a key is not to be stored")
