"""How an answer is bound to what may be answered: the request in each mode, and the strict reading of its reply.

mode = mode_of(ask, found)
messages, settings = request(ask, mode, found)
read(reply, ask, mode)        # Parsed("ok", {"label": "billing"}, None, None)

schema    response_format json_schema, which the server enforces
numbers   the same with the number of a choice, where there are too many labels for a server's enum
object    response_format json_object with a schema beside it (llama-cpp-python's server)
json      response_format json_object, the schema told in the prompt
token     choices of one letter or digit: one token, with its probability
choice    a list of choices in the prompt, answered by number
text      the schema told in the prompt, and nothing enforced
free      neither schema nor choices: any text
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.llm import choices as labels
from slmfit.llm.ask import Ask
from slmfit.llm.schemas import misfit
from slmfit.llm.wire import Reply
from slmfit.records import Outcome
from slmfit.tasks.replies import json_object, json_object_schema, unfenced, without_thought

MOST_LABELS = 500  # in one enum; OpenAI refuses more than 1,000 in a schema, and from 250 on long ones
GRAMMAR_ALTERNATIVES = 100  # a model that would say something else has its choices far down


@dataclass(frozen=True)
class Found:
    """What was found out about a model on its server; kept in the ledger and in the run's record.

    form: how it takes a schema: schema, object, json, or none; None = not asked yet.
    one_token: whether an answer of one token can be had, with probabilities; None = not asked yet.
    grammar: whether it holds that token to a grammar (llama.cpp's), so that it is always one of the choices.
    numbers: its enum does not take as many labels as there are, so they are numbered.
    limit: what it calls the longest answer.
    dropped: settings it does not take.
    alternatives: of how many tokens it tells the probability.
    """

    form: str | None = None
    one_token: bool | None = None
    grammar: bool | None = None
    numbers: bool = False
    limit: str = "max_tokens"
    dropped: tuple[str, ...] = ()
    alternatives: int = 20


@dataclass(frozen=True)
class Parsed:
    """What a reply comes to."""

    outcome: Outcome
    value: Any = None
    probabilities: Mapping[str, float] | None = None
    reason: str | None = None


def mode_of(ask: Ask, found: Found) -> str:
    """The mode an ask is sent in."""
    if ask.schema is None and ask.choices is None:
        return "free"
    if few(ask.choices) and not ask.whole and (found.grammar or (found.one_token and _characters(ask))):
        return "token" if _characters(ask) else "choice"
    if found.form == "schema" and ask.choices and (found.numbers or len(ask.choices) > MOST_LABELS):
        return "numbers" if labels.numbered(ask.choices) else "choice"
    if found.form in ("schema", "object", "json"):
        return found.form
    return "choice" if ask.choices else "text"


def few(choices: Sequence[str] | None) -> bool:
    """Whether each choice can be stated in one token: a digit or a letter."""
    if not choices:
        return False
    return labels.single_characters(choices) or (len(choices) <= 9 and labels.numbered(choices))


def one_token(ask: Ask, mode: str, found: Found) -> bool:
    """Whether the answer is asked for as one token."""
    return mode == "token" or (mode == "choice" and few(ask.choices) and bool(found.one_token or found.grammar))


def grammar(choices: Sequence[str]) -> str:
    """What llama.cpp's server holds an answer to: one of these, letter by letter."""
    return "root ::= " + " | ".join(json.dumps(labels.written(choice, choices)) for choice in choices)


def request(ask: Ask, mode: str, found: Found) -> tuple[Sequence[Mapping[str, str]], dict[str, Any]]:
    """Messages and settings as they are sent."""
    settings: dict[str, Any] = {"temperature": ask.temperature, "seed": ask.seed, found.limit: ask.max_tokens}
    messages: Sequence[Mapping[str, str]] = ask.messages
    if one_token(ask, mode, found):
        settings |= {found.limit: 1, "logprobs": True, "top_logprobs": found.alternatives}
        if found.grammar and ask.choices:
            settings |= {"grammar": grammar(ask.choices), "top_logprobs": GRAMMAR_ALTERNATIVES}
    if mode in ("token", "choice", "numbers") and ask.choices:
        messages = _restated(messages, ask.choices, as_json=mode == "numbers")
        messages = _with_instruction(messages, labels.instruction(ask.choices))
    elif mode in ("json", "text", "object"):
        told = json.dumps(_schema(ask, mode), ensure_ascii=False)
        messages = _with_instruction(
            messages, f"Answer with one JSON object that fits this JSON schema, and nothing else:\n{told}"
        )
    if mode in ("schema", "numbers", "object", "json"):
        settings["response_format"] = response_format(mode, _schema(ask, mode))
    return messages, {name: value for name, value in settings.items() if name not in found.dropped}


def response_format(mode: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's `response_format`, or llama-cpp-python's."""
    if mode == "json":
        return {"type": "json_object"}
    if mode == "object":
        return {"type": "json_object", "schema": dict(schema)}
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}


def read(reply: Reply, ask: Ask, mode: str, single: bool, held: bool = False) -> Parsed:
    """The value a reply states, or why it states none.

    single: it was asked for as one token. held: by a grammar, so only what that allows has a probability.
    """
    if reply.refusal:
        return Parsed("refused", reason=reply.refusal[:300])
    if reply.finish == "content_filter":
        return Parsed("filtered", reason="the server's filter held the answer back")
    text = without_thought(reply.content)
    cut = reply.finish == "length" and not single
    if not text.strip():
        return Parsed("truncated", reason=_cut(ask)) if cut else Parsed("invalid", reason="the answer is empty")
    if mode in ("schema", "numbers", "object", "json", "text"):
        parsed = _read_json(text, ask, mode)
        return Parsed("truncated", reason=_cut(ask)) if cut and parsed.outcome != "ok" else parsed
    if cut:
        return Parsed("truncated", reason=_cut(ask))
    if mode == "free":
        return Parsed("ok", text)
    return _read_choice(text, reply, ask.choices or (), held)


def _read_json(text: str, ask: Ask, mode: str) -> Parsed:
    value = json_object(unfenced(text))
    if value is None or not _is_json(value):
        return Parsed("invalid", reason="the answer is no JSON object")
    if wrong := misfit(value, _schema(ask, mode)):
        return Parsed("invalid", reason=f"the answer does not fit its schema: {wrong}")
    if mode == "numbers" and ask.choices:
        return Parsed("ok", ask.choices[value["number"] - 1])
    return Parsed("ok", value if ask.schema is not None else value["label"])


def _is_json(value: Any) -> bool:
    """Whether JSON can hold it: Python also reads NaN, and 1e999 as infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _read_choice(text: str, reply: Reply, choices: tuple[str, ...], held: bool) -> Parsed:
    choice = labels.chosen(text, choices)
    if choice is None:
        return Parsed("invalid", reason="the answer states none of the choices")
    return Parsed("ok", choice, labels.probabilities(reply.top, choices, as_written=held))


def _characters(ask: Ask) -> bool:
    return labels.single_characters(ask.choices)


def _schema(ask: Ask, mode: str) -> Mapping[str, Any]:
    if mode == "numbers":
        return json_object_schema({"number": {"type": "integer", "minimum": 1, "maximum": len(ask.choices or ())}})
    return ask.schema or json_object_schema({"label": {"type": "string", "enum": list(ask.choices or ())}})


def _restated(messages: Sequence[Mapping[str, str]], choices: Sequence[str], as_json: bool) -> list[Mapping[str, str]]:
    """The messages with the examples' answers as the model is to give its own."""
    restated = []
    for message in messages:
        choice = labels.stated(message["content"], choices) if message["role"] == "assistant" else None
        if choice is not None:
            written = labels.written(choice, choices)
            message = {**message, "content": f'{{"number": {written}}}' if as_json else written}
        restated.append(message)
    return restated


def _with_instruction(messages: Sequence[Mapping[str, str]], told: str) -> list[Mapping[str, str]]:
    """What is told goes to the end of the system message: the part that is the same for every ask stays first."""
    first, *rest = messages
    if first["role"] in ("system", "developer"):
        return [{**first, "content": f"{first['content']}\n\n{told}"}, *rest]
    return [{"role": "system", "content": told}, first, *rest]


def _cut(ask: Ask) -> str:
    return f"the answer was cut off at {ask.max_tokens} tokens"
