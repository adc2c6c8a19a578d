"""Whether a value fits a JSON schema, for the part of JSON Schema that answers are described in.

    misfit({"label": "weather"}, task.schema())      # "label: 'weather' is none of the allowed values"
    misfit({"label": "sports"}, task.schema())       # None

Known: type, enum, const, properties, required, additionalProperties, items, minItems, maxItems, minimum, maximum,
minLength, maxLength, anyOf. A server that takes the schema enforces all of it; this is the check that it did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


def misfit(value: Any, schema: Mapping[str, Any], at: str = "") -> str | None:
    """What about `value` does not fit, in words; None when it fits."""
    place = f"{at}: " if at else ""
    if (options := schema.get("anyOf")) and all(misfit(value, option, at) for option in options):
        return f"{place}fits none of what is allowed"
    if (kinds := schema.get("type")) and not _is(value, kinds):
        return f"{place}is no {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        return f"{place}{_short(value)} is none of the allowed values"
    if "const" in schema and not _same(value, schema["const"]):
        return f"{place}{_short(value)} is not {_short(schema['const'])}"
    if isinstance(value, dict):
        return _object(value, schema, at)
    if isinstance(value, list):
        return _array(value, schema, at)
    return _size(value, schema, place)


def _is(value: Any, kinds: str | list[str]) -> bool:
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if isinstance(value, bool) and kind in ("number", "integer"):
            continue
        if isinstance(value, _TYPES.get(kind, object)):
            return True
    return False


def _object(value: dict[str, Any], schema: Mapping[str, Any], at: str) -> str | None:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"{at + ': ' if at else ''}lacks {name!r}"
    for name, inner in value.items():
        if name not in known:
            if schema.get("additionalProperties") is False:
                return f"{at + ': ' if at else ''}has {_short(name)}, which nobody asked for"
        elif found := misfit(inner, known[name], f"{at}.{name}" if at else name):
            return found
    return None


def _array(value: list[Any], schema: Mapping[str, Any], at: str) -> str | None:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return f"{at + ': ' if at else ''}has {len(value)} items"
    for number, inner in enumerate(value):
        if found := misfit(inner, schema.get("items", {}), f"{at}[{number}]"):
            return found
    return None


def _size(value: Any, schema: Mapping[str, Any], place: str) -> str | None:
    if isinstance(value, str):
        within = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        within = schema.get("minimum", value) <= value <= schema.get("maximum", value)
    else:
        return None
    return None if within else f"{place}{_short(value)} is out of range"


def _same(a: Any, b: Any) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
