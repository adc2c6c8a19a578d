"""Replies of models: the JSON that they are, and what stands around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_THOUGHTS, _FENCE = ("think", "thinking"), "```"


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that a reply is; None if it is anything else or says one thing twice."""
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def json_object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """JSON schema of an object that has these properties, all of them and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def without_thought(text: str) -> str:
    """What follows the thoughts that an answer begins with; no pattern, for a model may write what makes one slow."""
    begun = text.lstrip()
    if not begun.startswith(tuple(f"<{word}>" for word in _THOUGHTS)):
        return text
    ends = [(at, word) for word in _THOUGHTS if (at := begun.find(f"</{word}>")) >= 0]
    if not ends:
        return text
    at, word = min(ends)
    return begun[at + len(word) + 3 :].lstrip()


def unfenced(text: str) -> str:
    """What stands between ```json and ``` where an answer is just that, else the answer."""
    inner = text.strip()
    if not (inner.startswith(_FENCE) and inner.endswith(_FENCE)):
        return text
    first, _, rest = inner.removeprefix(_FENCE).removesuffix(_FENCE).partition("\n")
    body, line, last = rest.rpartition("\n")
    return body if line and first.rstrip() in ("", "json") and not last.strip() else text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)
