"""A request for a chat completion, in OpenAI's form, checked: what is not done is refused, not ignored.

settings = chat_of({"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5})
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from slmfit.serving.replies import Refusal

# What says nothing of the answer, and settings at which a field says nothing.
IGNORED = (
    "model",
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "stream_options",
)
USUAL: dict[str, Any] = {
    "n": 1, "frequency_penalty": 0, "presence_penalty": 0, "logit_bias": {}, "tools": [], "tool_choice": "none",
    "parallel_tool_calls": True, "modalities": ["text"],
}  # fmt: skip
ROLES = ("system", "developer", "user", "assistant")
MOST_ALTERNATIVES = 20
MOST_STOPS = 16
MOST_MESSAGES = 1000
OWN = (
    "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stop", "stream", "logprobs",
    "top_logprobs", "response_format",
)  # fmt: skip


def chat_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Settings, JSON as they stand, with a seed in any case: what is begun again writes the same. Raises Refusal."""
    for name, value in fields.items():
        if name in USUAL and value not in (None, USUAL[name]):
            raise Refusal(400, f"{name!r} is not done here: leave it out", name)
        if name not in (*OWN, *IGNORED, *USUAL):
            raise Refusal(400, f"there is no field {name!r:.60}", name[:60])
    most = _number(fields, "max_completion_tokens", 1, 1 << 20, whole=True)
    if most is None:
        most = _number(fields, "max_tokens", 1, 1 << 20, whole=True)
    temperature, top_p = _number(fields, "temperature", 0, 2), _number(fields, "top_p", 0, 1)
    seed = _number(fields, "seed", -(1 << 63), (1 << 63) - 1, whole=True)
    alternatives = _number(fields, "top_logprobs", 0, MOST_ALTERNATIVES, whole=True)
    told = _flag(fields, "logprobs")
    if alternatives and not told:
        raise Refusal(400, "'top_logprobs' goes with 'logprobs': true", "top_logprobs")
    return {
        "messages": messages_of(fields),
        "most": most,
        "temperature": 1.0 if temperature is None else temperature,
        "top_p": 1.0 if top_p is None else top_p,
        "seed": secrets.randbits(32) if seed is None else seed % (1 << 64),
        "stop": _stops(fields.get("stop")),
        "alternatives": (alternatives or 0) if told else None,
        "schema": _schema(fields.get("response_format")),
    }


def streams(fields: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the answer comes as it is written, and whether the tokens used are told at its end."""
    options = fields.get("stream_options")
    if not isinstance(options, dict | None):
        raise Refusal(400, "'stream_options' must be an object", "stream_options")
    return _flag(fields, "stream"), bool((options or {}).get("include_usage"))


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool | None):
        raise Refusal(400, f"{name!r} must be true or false", name)
    return bool(value)


def _number(fields: Mapping[str, Any], name: str, low: float, high: float, whole: bool = False) -> Any:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
        raise Refusal(400, f"{name!r} must be a {'whole ' if whole else ''}number from {low:g} to {high:g}", name)
    return value


def messages_of(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """The turns, each with its role and its words. Raises Refusal."""
    given = fields.get("messages")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_MESSAGES:
        raise Refusal(400, "'messages' must be a list of messages", "messages")
    return [_message(message) for message in given]


def _message(given: Any) -> dict[str, str]:
    role = given.get("role") if isinstance(given, dict) else None
    if role not in ROLES:
        raise Refusal(400, f"a message's role must be one of {', '.join(ROLES)}", "messages")
    content = given.get("content")
    if isinstance(content, list):
        if not all(isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in content):
            raise Refusal(400, "a message's content must be text", "messages")
        content = "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise Refusal(400, "a message's content must be text", "messages")
    # Half of an emoji has no bytes that a tokenizer could read.
    return {"role": "system" if role == "developer" else role, "content": content.encode("utf-8", "replace").decode()}


def _stops(given: Any) -> list[str]:
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise Refusal(400, f"'stop' must be a text, or up to {MOST_STOPS} of them", "stop")
    return stops


def _schema(given: Any) -> dict[str, Any] | None:
    """The JSON schema that the answer is held to; None = none."""
    kind = given.get("type") if isinstance(given, dict) else None
    if given is None or kind == "text":
        return None
    if kind == "json_object":
        schema = given.get("schema", {"type": "object"})
    elif kind == "json_schema" and isinstance(given.get("json_schema"), dict):
        schema = given["json_schema"].get("schema")
    else:
        raise Refusal(400, "'response_format' must be of type text, json_object or json_schema", "response_format")
    if not isinstance(schema, dict):
        raise Refusal(400, "'response_format' needs a schema that is an object", "response_format")
    return schema
