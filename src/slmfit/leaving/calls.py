"""One record of a log: a call of a chat model, or a half of one, in any of the forms that are known.

record_of({"request": {"messages": […]}, "response": {"choices": […]}})       # Record(request=…, reply=…)

{"request": …, "response": …}           request and response of chat completions, also with `body` and `status_code`
{"messages": …, "response": …}          LiteLLM's StandardLoggingPayload, and what its proxy keeps of a call
{"custom_id": …, "body": …}             a line of a batch's input; with `response`, of its output
{"messages": [… the answer last]}       what models are tuned on

A request and a response may be those of Anthropic's messages, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slmfit.data.readers.chats import who_of, words_of
from slmfit.data.times import date_of
from slmfit.llm.wire import Malformed, Reply, message_of, reply_of
from slmfit.text.figures import listed

PAIRS = (("request", "response"), ("request_body", "response_body"), ("requestBody", "responseBody"), ("req", "res"),
         ("kwargs", "response"), ("input", "output"))  # fmt: skip
ANSWERS = ("response", "completion", "output")  # beside `messages`
_INSIDE = ("body", "json", "payload", "kwargs")  # of a request or response: what was sent
_TIMES = ("startTime", "start_time", "timestamp", "@timestamp", "time", "ts", "requested_at", "created_at", "date")
_ROLES = {"developer": "system", "human": "user", "gpt": "assistant", "model": "assistant"}
_CHAT = ("completion", "acompletion")  # LiteLLM's names of calls of chat models
_REDACTED = "redacted-by-litellm"
OTHER = "calls to something other than chat completions"
KEPT_OUT = "calls whose messages the log leaves out"


@dataclass(frozen=True, slots=True)
class Record:
    """request: its body, with messages. reply: None where there was none. error: what failed, in words.

    further: how many answers came with it, of which the first counts.
    batch: the id by which the two halves of a batch's line find each other; one of them is None then. other: why it is
    a call and none to be read. cached: whether nobody was asked, as the answer was known.
    """

    request: Mapping[str, Any] | None = None
    reply: Reply | None = None
    error: str | None = None
    batch: str | None = None
    other: str | None = None
    id: str | None = None
    time: datetime | None = None
    usd: float | None = None
    host: str | None = None
    cached: bool = False
    further: int = 0


def record_of(row: Mapping[str, Any]) -> Record | None:
    """What a row of a log says; None for a form that is not known."""
    inner = row.get("standard_logging_object")
    if isinstance(inner, Mapping):
        row = inner
    if "custom_id" in row:
        return _of_batch(row)
    if "call_type" in row and row["call_type"] not in _CHAT:
        return Record(other=OTHER)
    for asked, answered in PAIRS:
        if asked in row and isinstance(request := body_of(row[asked]), Mapping):
            if "messages" not in request:
                return Record(other=OTHER) if "model" in request else None
            return _of_pair(row, request, row.get(answered))
    if "messages" in row:
        return _of_messages(row)
    return None


def turns_of(messages: Any) -> tuple[tuple[str, str], ...] | None:
    """Role and words of each turn; None where one is no text, as a picture or a call of a tool."""
    if not isinstance(messages, list) or not messages or not all(isinstance(turn, Mapping) for turn in messages):
        return None
    said = [(_ROLES.get(role := who_of(turn), role), words_of(turn)) for turn in messages]
    return None if any(words is None for _, words in said) else tuple((role, str(words)) for role, words in said)


def body_of(value: Any) -> Any:
    """What was sent: itself, what stands under `body` and the like, or either as a text of JSON."""
    for _ in range(3):
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return None
        if not isinstance(value, Mapping) or "messages" in value or "choices" in value:
            break
        key = next((key for key in _INSIDE if key in value), None)
        if key is None:
            break
        value = value[key]
    return value


def _of_batch(row: Mapping[str, Any]) -> Record | None:
    id = str(row["custom_id"])
    if isinstance(body := row.get("body"), Mapping):
        return Record(_with_system(body), batch=id) if "messages" in body else Record(other=OTHER)
    if "response" not in row and "error" not in row:
        return None
    return Record(None, **_answered(row, row.get("response")), batch=id, time=_time(row, row.get("response")))


def _of_pair(row: Mapping[str, Any], request: Mapping[str, Any], response: Any) -> Record:
    asked = next((row[key] for key, _ in PAIRS if isinstance(row.get(key), Mapping)), row)
    about: dict[str, Any] = {"id": _id(row, response), "time": _time(row, response), "host": _host(row, asked)}
    return Record(_with_system(request), **_answered(row, response), **about)


def _of_messages(row: Mapping[str, Any]) -> Record | None:
    messages = row["messages"]
    if isinstance(messages, str):
        messages = body_of(messages)
    if not isinstance(messages, list):
        left_out = messages in ({}, None, "") or "call_type" in row
        return Record(other=KEPT_OUT) if left_out else None
    if messages == [{"role": "user", "content": _REDACTED}] or not messages:
        return Record(other=KEPT_OUT)
    settings = row.get("model_parameters")
    request = _with_system({**(settings if isinstance(settings, Mapping) else {}), **row, "messages": messages})
    key = next((key for key in ANSWERS if key in row), None)
    if key is None and "choices" not in row and "call_type" not in row:
        return _told(row, messages)
    usd = row.get("response_cost", row.get("spend"))
    return Record(
        request,
        **_answered(row, row if key is None else row[key]),
        id=_id(row, row if key is None else row[key]),
        time=_time(row, row[key] if key else row),
        usd=float(usd) if isinstance(usd, int | float) and not isinstance(usd, bool) and 0 < usd < 1e9 else None,
        host=_host(row, row),
        cached=row.get("cache_hit") in (True, "True"),
    )


def _told(row: Mapping[str, Any], messages: Sequence[Any]) -> Record | None:
    """A chat whose last turn is the answer."""
    last = messages[-1]
    if not isinstance(last, Mapping) or _ROLES.get(who_of(last), who_of(last)) != "assistant":
        return None
    said = words_of(last)
    request = _with_system({**row, "messages": list(messages[:-1])})
    if said is None or not messages[:-1]:
        return Record(other=OTHER)
    reply = Reply(said, None, None, None, None, 0, ())
    return Record(request, reply, id=_id(row, None), time=_time(row, None))


def _with_system(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with what the system is told as its first turn, which Anthropic has beside the turns.

    A `system` of another's log may be anything; Anthropic's requests have `max_tokens`, too, and no such turn.
    """
    system, messages = request.get("system"), request["messages"]
    if not isinstance(system, str | list) or not system or not isinstance(messages, list):
        return request
    theirs = "max_tokens" in request or str(request.get("model")).startswith("claude")
    if not theirs or any(isinstance(turn, Mapping) and who_of(turn) == "system" for turn in messages):
        return request
    return {**request, "messages": [{"role": "system", "content": system}, *messages]}


def _answered(row: Mapping[str, Any], response: Any) -> dict[str, Any]:
    """What a `Record` has of the answer: the reply and how many more there are, what failed, or of what form it is."""
    holders = [one for one in (response, row) if isinstance(one, Mapping)]
    status = next((one["status_code"] for one in holders if "status_code" in one), 200)
    said = row.get("error") or row.get("error_str") or (row.get("status") == "failure" and "failure")
    if said or (isinstance(status, int) and status >= 400):
        return {"error": message_of(said) or f"status {status}"}
    if isinstance(response, list):
        return {"reply": _of_chunks(response)}
    body = body_of(response)
    if isinstance(response, str) and not isinstance(body, Mapping):
        return {"reply": Reply(response, None, None, None, None, 0, ())}
    if isinstance(body, Mapping) and "choices" not in body:
        body = _as_completion(body)
    match body:
        case {"choices": [{"message": {"tool_calls": [_, *_]}}, *_]}:
            return {}
        case {"choices": _} | {"error": _} | None:
            pass
        case {**keys} if keys and body is not row:
            return {"other": f"calls with answers in an unknown form (keys: {listed(sorted(map(str, keys)), 8)})"}
    try:
        choices = body.get("choices") if isinstance(body, Mapping) else None
        return {"reply": reply_of(body), "further": len(choices) - 1 if isinstance(choices, list) else 0}
    except Malformed as error:
        return {"error": str(error)}


_FINISH = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "end_turn": "stop",
    "stop_sequence": "stop",
}


def _as_completion(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message alone, or one of Anthropic's with its parts, as a chat completion has it; any other as it is."""
    if isinstance(body.get("content"), str):
        return {**body, "choices": [{"message": body}]}
    parts = body.get("content")
    if not isinstance(parts, list) or "stop_reason" not in body or not all(isinstance(p, Mapping) for p in parts):
        return body
    calls = [part for part in parts if part.get("type") == "tool_use"]
    message = {"content": [part for part in parts if part.get("type") == "text"], "tool_calls": calls}
    ended = str(body["stop_reason"])
    usage = body.get("usage")
    counts = dict(usage) if isinstance(usage, Mapping) else {}
    cached = counts.get("cache_read_input_tokens")
    read = [counts.get("input_tokens"), cached, counts.get("cache_creation_input_tokens")]
    told = {
        "prompt_tokens": sum(n for n in read if isinstance(n, int)) if isinstance(read[0], int) else None,
        "completion_tokens": counts.get("output_tokens"),
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return {"choices": [{"message": message, "finish_reason": _FINISH.get(ended, ended)}], "usage": told}


def _of_chunks(chunks: Sequence[Any]) -> Reply | None:
    """The reply that came in pieces, as a stream's are."""
    said: list[str] = []
    finish = usage = None
    for chunk in chunks:
        match chunk:
            case {"choices": [{"delta": {**delta}, **choice}, *_]}:
                said += [str(delta["content"])] if isinstance(delta.get("content"), str) else []
                finish = choice.get("finish_reason") or finish
        usage = (chunk.get("usage") if isinstance(chunk, Mapping) else None) or usage
    if not said:
        return None
    message = {"message": {"content": "".join(said)}, "finish_reason": finish}
    return reply_of({"choices": [message], "usage": usage})


def _id(row: Mapping[str, Any], response: Any) -> str | None:
    inner = body_of(response)
    found = (one.get(key) for one in (row, inner) if isinstance(one, Mapping) for key in ("id", "request_id"))
    return next((str(id) for id in found if isinstance(id, str | int) and str(id).strip()), None)


def _time(row: Mapping[str, Any], response: Any) -> datetime | None:
    """When it was asked, or answered."""
    inner = body_of(response)
    made = inner.get("created") if isinstance(inner, Mapping) else None
    cells = [*(row.get(key) for key in _TIMES), made]
    return next((time for cell in cells if isinstance(cell, str | int | float) and (time := date_of(cell))), None)


def _host(row: Mapping[str, Any], request: Any) -> str | None:
    """The address that was asked, where the log tells it whole."""
    holders = [one for one in (row, request) if isinstance(one, Mapping)]
    found = (one.get(key) for one in holders for key in ("api_base", "base_url", "url"))
    return next((url for url in found if isinstance(url, str) and url.startswith(("http://", "https://"))), None)
