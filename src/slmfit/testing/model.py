"""What a scripted model says: what it means, worded as the prompt asks for it and bound as the server binds it.

    spoken(body, lambda body: "sports", {"json_schema"})         # Said('{"label": "sports"}')

A body is a request's JSON as a dict: `body["messages"]`, `body["model"]` and the settings.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

_ROW = re.compile(r"\[row ([^][]+)\]")
_ALLOWED = re.compile(r'"([^"]*)"')
_NUMBERED = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_ASKS_FOR_A_NUMBER = "Answer with the number of one"
_LISTED = "The possible answers, numbered:\n"
_TOLD_SCHEMA = "JSON schema, and nothing else:\n"


@dataclass(frozen=True)
class Said:
    """A model's reply word for word, where a label does not say it all.

    content: what it says; None when it refuses.
    finish: why it ended: "stop", "length" (it was cut off), "content_filter".
    refusal: its words, when it refuses.
    usage: what the server says was used, such as {"prompt_tokens": 90, "completion_tokens": 9}, or {} when it does not
        tell; None = what it bills.
    """

    content: str | None
    finish: str = "stop"
    refusal: str | None = None
    usage: dict[str, Any] | None = None


Meant = str | dict[str, Any] | Said | None
Answer = Callable[[Body], Meant]


# --- what a request asks ---


def row_in(body: Body) -> str:
    """The row that the method `llm` asks about: what stands between the tags of the last message.

    Empty for what the client asks to find out what a server takes.
    """
    return str(body["messages"][-1].get("content")).partition(">\n")[2].rpartition("\n</")[0]


def row_key(body: Body) -> str:
    """What a row is counted by: the 7 of `[row 7]` in the last message, else its text, else "?"."""
    match = _ROW.search(str(body["messages"][-1].get("content")))
    return match[1] if match else row_in(body) or "?"


def schema_of(body: Body) -> dict[str, Any] | None:
    """The JSON schema that the answer has to fit, whether the settings give it or the prompt; None without one."""
    return bound_schema(body) or _told_schema(body)


def bound_schema(body: Body) -> dict[str, Any] | None:
    """The schema in the settings, which a server may enforce."""
    form = body.get("response_format") or {}
    schema: dict[str, Any] | None = form.get("schema") or (form.get("json_schema") or {}).get("schema")
    return schema


def enums_of(schema: dict[str, Any] | None) -> list[list[str]]:
    """The lists of allowed values among a schema's properties."""
    return [inner["enum"] for inner in ((schema or {}).get("properties") or {}).values() if "enum" in inner]


def _system(body: Body) -> str:
    return str(body["messages"][0].get("content"))


def _told_schema(body: Body) -> dict[str, Any] | None:
    _, told, rest = _system(body).rpartition(_TOLD_SCHEMA)
    with contextlib.suppress(ValueError):
        value = json.JSONDecoder().raw_decode(rest)[0] if told else None
        return value if isinstance(value, dict) else None
    return None


def _numbers(body: Body) -> dict[str, str]:
    """Label -> its number, where the prompt asks for one."""
    system = _system(body)
    if _ASKS_FOR_A_NUMBER not in system:
        return {}
    return {label: number for number, label in _NUMBERED.findall(system.rpartition(_LISTED)[2])}


# --- what the model means ---


def first_choice(body: Body) -> str | dict[str, Any]:
    """The first answer that there is to this request: the first label, and of lists the empty one."""
    last = str(body["messages"][-1].get("content"))
    if last.startswith("Answer with the digit 7"):
        return "7"
    if last.startswith("Say hello in one word"):
        return "Hello"
    if numbers := _numbers(body):
        return next(iter(numbers))
    schema = schema_of(body) or {}
    enums = enums_of(schema)
    if len(enums) == len(schema.get("properties") or ()) == 1:
        return enums[0][0]
    return _fitting_object(schema) if schema.get("properties") else "A"


def fitting(schema: dict[str, Any]) -> Any:
    """The first value that fits a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return _fitting_object(schema)
    return {"array": [], "string": "", "boolean": True, "null": None}.get(str(kind), 1)


def _fitting_object(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: fitting(inner) for name, inner in (schema.get("properties") or {}).items()}


# --- what it says ---


def spoken(body: Body, answer: Answer, takes: Collection[str]) -> Said:
    """What the model means, in the form that the prompt asks for and the server enforces."""
    meant = answer(body)
    if meant is None:
        meant = first_choice(body)
    if isinstance(meant, Said):
        return meant
    text = _worded(meant, body)
    if "grammar" in body and "grammar" in takes:
        allowed = _ALLOWED.findall(body["grammar"])
        return Said(text if text in allowed else allowed[0], finish="length")
    if (limit := body.get("max_tokens")) == 1:
        return Said(text[:1], finish="length" if len(text) > 1 else "stop")
    form = body.get("response_format") or {}
    kind, schema = form.get("type"), bound_schema(body)
    enforced = {"json_schema": "json_schema", "json_object": "object_schema"}.get(str(kind))
    if schema and enforced in takes:
        return Said(_forced(text, schema))
    if kind == "json_object" and "json_object" in takes and not text.startswith("{"):
        return Said(json.dumps({"said": text}))
    return Said(text if not limit else text[: 8 * limit])


def completion(body: Body, said: Said, usage: dict[str, Any], takes: Collection[str]) -> dict[str, Any]:
    """The body of a reply."""
    message = {"role": "assistant", "content": said.content, "refusal": said.refusal}
    choice: dict[str, Any] = {"index": 0, "finish_reason": said.finish, "message": message, "logprobs": None}
    if body.get("logprobs") and "logprobs" in takes:
        choice["logprobs"] = {"content": [_logprobs(said.content or "", body.get("top_logprobs", 1))]}
    kept = {"id": "c-1", "object": "chat.completion", "created": 1, "model": body.get("model")}
    return {**kept, "choices": [choice], "usage": usage}


def _worded(meant: str | dict[str, Any], body: Body) -> str:
    """A label as the prompt asks for it: by number, or as the property of an object."""
    if isinstance(meant, dict):
        return json.dumps(meant)
    numbers = _numbers(body)
    if meant in numbers:
        number = numbers[meant]
        return json.dumps({"number": int(number)}) if bound_schema(body) else number
    for name, inner in ((schema_of(body) or {}).get("properties") or {}).items():
        if meant in inner.get("enum", ()):
            return json.dumps({name: meant})
    return meant


def _forced(text: str, schema: dict[str, Any]) -> str:
    """The text if it has the schema's properties, else the first thing that fits."""
    with contextlib.suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, dict) and set(value) == set(schema.get("properties") or value):
            return text
    return json.dumps(fitting(schema))


def _logprobs(token: str, count: int) -> dict[str, Any]:
    """The token itself at 90 %, its neighbours at less."""
    top = [{"token": token, "logprob": -0.10536, "bytes": None}]
    others = [c for c in "1234567ABCDE" if c != token][: count - 1]
    top += [{"token": c, "logprob": -4.0 - i, "bytes": None} for i, c in enumerate(others)]
    return {**top[0], "top_logprobs": top}
