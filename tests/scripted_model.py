"""What the scripted server's model says: a label, as the prompt asks for it and as the server binds it.

spoken(body, script)         # Said('{"label": "sports"}')
"""

import contextlib
import json
import re
from dataclasses import dataclass

ROW = re.compile(r"\[row ([^\]]+)\]")
NUMBERED = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
TOLD_SCHEMA = re.compile(r"JSON schema, and nothing else:\n(\{.*\})")


@dataclass
class Said:
    """What a model says that is more than a label: the content as it is, why it ended, a refusal."""

    content: str | None
    finish: str = "stop"
    refusal: str | None = None
    usage: object = None  # None = as it is


def row_of(body):
    """The row that a request is about."""
    match = ROW.search(str(body["messages"][-1]["content"]))
    return match[1] if match else "?"


def completion(body, said, usage, script):
    """The body of a reply."""
    message = {"role": "assistant", "content": said.content, "refusal": said.refusal}
    choice = {"index": 0, "finish_reason": said.finish, "message": message, "logprobs": None}
    if body.get("logprobs") and "logprobs" in script.takes:
        choice["logprobs"] = {"content": [logprobs(said.content or "", body.get("top_logprobs", 1))]}
    kept = {"id": "c-1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**kept, "choices": [choice], "usage": usage}


def logprobs(token, count):
    """The token itself at 90 %, its neighbours at less."""
    top = [{"token": token, "logprob": -0.10536, "bytes": None}]
    others = [c for c in "1234567ABCDE" if c != token][: count - 1]
    top += [{"token": c, "logprob": -4.0 - i, "bytes": None} for i, c in enumerate(others)]
    return {**top[0], "top_logprobs": top}


# --- what the model says, bound as the server binds it ---


def spoken(body, script):
    """What the model means, in the form that the prompt asks for and the server enforces."""
    meant = script.answer(body)
    if isinstance(meant, Said):
        return meant
    text = worded(meant, body)
    if (limit := body.get("max_tokens")) == 1:
        return Said(text[:1], finish="length" if len(text) > 1 else "stop")
    form = body.get("response_format") or {}
    schema = schema_of(form)
    if form.get("type") == "json_schema" and "json_schema" in script.takes:
        return Said(forced(text, schema))
    if form.get("type") == "json_object" and schema and "object_schema" in script.takes:
        return Said(forced(text, schema))
    if form.get("type") == "json_object" and "json_object" in script.takes and not text.startswith("{"):
        return Said(json.dumps({"said": text}))
    return Said(text if not limit else text[: 8 * limit])


def worded(meant, body):
    """A label as the prompt asks for it: by number, or as the property of an object."""
    if isinstance(meant, dict):
        return json.dumps(meant)
    system = body["messages"][0]["content"]
    listed = {label: number for number, label in NUMBERED.findall(system)}
    if "Answer with the number of one" in system and meant in listed:
        numbers = schema_of(body.get("response_format") or {})
        return json.dumps({"number": int(listed[meant])}) if numbers else listed[meant]
    told = TOLD_SCHEMA.search(system)
    schema = json.loads(told[1]) if told else schema_of(body.get("response_format") or {})
    for name, inner in ((schema or {}).get("properties") or {}).items():
        if meant in inner.get("enum", ()):
            return json.dumps({name: meant})
    return meant


def forced(text, schema):
    """The text if it fits the schema at all, else the first thing that does."""
    with contextlib.suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, dict) and set(value) == set(schema["properties"]):
            return text
    return json.dumps({name: inner.get("enum", [1])[0] for name, inner in schema["properties"].items()})


def schema_of(form):
    """The schema in a response_format, if there is one."""
    return form.get("schema") or (form.get("json_schema") or {}).get("schema")


def enums_of(body):
    """The lists of allowed values in a request's schema."""
    schema = schema_of(body.get("response_format") or {}) or {}
    return [inner["enum"] for inner in (schema.get("properties") or {}).values() if "enum" in inner]


def first_choice(body):
    """The first label there is, or what a probe asks for in words."""
    last = body["messages"][-1]["content"]
    if "digit 7" in last:
        return "7"
    if "Say hello" in last:
        return "Hello"
    listed = NUMBERED.findall(body["messages"][0]["content"])
    schema = schema_of(body.get("response_format") or {}) or {}
    told = TOLD_SCHEMA.search(body["messages"][0]["content"])
    schema = json.loads(told[1]) if told else schema
    enums = [inner["enum"] for inner in (schema.get("properties") or {}).values() if "enum" in inner]
    return listed[0][1] if listed else enums[0][0] if enums else "A"
