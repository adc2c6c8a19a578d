"""What a reply's status means: a reply to read, one to try again, one that ends everything, or one that ends this ask.

    verdict = judge(429, {"retry-after": "2"}, b'{"error": {…}}', server)     # Again("error", …, wait=2.0, strain=True)

`Again` says whether the server may have charged the call all the same: what timed out or came back cut short may have
been worked for, what was refused with 429 or 500 was not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.llm.server import Server
from slmfit.llm.wire import Malformed, Reply, message_of, read
from slmfit.records import Outcome

SETTINGS = ("max_tokens", "temperature", "seed", "top_logprobs", "logprobs", "response_format")
_GATEWAYS = (502, 504, 520, 522, 524)  # what stands between gave up; the server behind may have done the work
_FORM_WORDS = ("response_format", "json_schema", "json_object", "schema", "grammar", "enum")
_LENGTH_WORDS = ("context length", "context_length", "context size", "context window", "maximum context", "too long",
                 "too many tokens")  # fmt: skip
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance")


@dataclass(frozen=True)
class Again:
    """Worth another try.

    wait: seconds that the server asked for. strain: it is asked too much. charged: the call may have cost all the same.
    unreachable: nothing answers at its address.
    """

    outcome: Outcome
    reason: str
    wait: float | None = None
    strain: bool = False
    charged: bool = False
    unreachable: bool = False


@dataclass(frozen=True)
class Ended:
    """This ask has its answer, and it is none."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Unsupported:
    """The server does not take a setting (one of SETTINGS)."""

    setting: str
    reason: str


@dataclass(frozen=True)
class Stop:
    """Nothing else is worth asking."""

    error: SlmfitError


Judged: TypeAlias = Reply | Again | Ended | Unsupported


def judge(status: int, headers: Mapping[str, str], body: bytes, server: Server) -> Judged | Stop:
    """What is to be done about a reply."""
    if status == 200:
        try:
            return read(body)
        except Malformed as error:
            return Again("error", server.hidden(str(error)), charged=True)
    said, code, named = server.hidden(list(_error(body)))
    reason = f"the server answered {status}" + (f": {said}" if said else "")
    if 300 <= status < 400:
        return Again("error", server.hidden(_redirected(headers.get("location", ""), server)))
    if status in (401, 403) or status == 402 or code in _QUOTA:
        return Stop(_refused(status, code, said, server))
    if status in (404, 405) or code == "model_not_found":
        return Stop(_unknown(status, said, server))
    if status in (429, 503, 529):
        return Again("error", reason, wait=asked_wait(headers), strain=True)
    if status >= 500 or status in (408, 409, 425):
        outcome: Outcome = "timeout" if status in (408, 504) else "error"
        return Again(outcome, reason, wait=asked_wait(headers), charged=status in _GATEWAYS)
    return _bad_request(status, said, code, named, reason)


def _bad_request(status: int, said: str, code: str, named: str, reason: str) -> Judged:
    """400, 422 and the like: a setting that is not known here, a text that is too long or not allowed."""
    words = f"{named} {code} {said}".lower()
    if "content_filter" in words or "content management policy" in words:
        return Ended("filtered", reason)
    if any(word in words for word in _LENGTH_WORDS):
        return Ended("truncated", reason)  # the prompt is longer than the context
    if status in (400, 415, 422):
        for setting in SETTINGS:
            if setting in words:
                return Unsupported(setting, reason)
        if any(word in words for word in _FORM_WORDS):
            return Unsupported("response_format", reason)
    return Ended("error", reason)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks for, as a number or a date (RFC 9110, 10.2.3); None when it asks for none."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return seconds if 0 <= seconds < float("inf") else None
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _error(body: bytes) -> tuple[str, str, str]:
    """(message, code, parameter) of an error's body."""
    try:
        value = json.loads(body[: 2**20])
    except (ValueError, RecursionError):
        text = body[:300].decode("utf-8", "replace")
        return ("" if "<" in text else " ".join(text.split())), "", ""
    error = value.get("error", value) if isinstance(value, dict) else value
    fields = error if isinstance(error, dict) else {}
    return message_of(value), str(fields.get("code") or fields.get("type") or ""), str(fields.get("param") or "")


def _redirected(location: str, server: Server) -> str:
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    where = f"to {host}" if host and host != server.host else "to another address"
    return f"the server redirects {where}, which is not followed"


def _refused(status: int, code: str, said: str, server: Server) -> SlmfitError:
    more = f" It says: {said}" if said else ""
    if status == 402 or code in _QUOTA:
        fix = "add credit or raise the limit at the provider; the same command then goes on from here"
        return MissingPart(f"the account has no credit or quota left.{more}", where=server.host, fix=fix)
    if not server.confidential:
        fix = "use https://; plain http would show the key to everyone on the way"
        what = f"wants a key, and none is sent over plain http ({status}).{more}"
        return MissingPart(what, where=server.host, fix=fix)
    if server.key is None:
        fix = f"set {server.key_name} in the environment or in .env"
        return MissingPart(f"wants a key ({status}).{more}", where=server.host, fix=fix)
    fix = f"check the key in {server.key_name}, and whether it may use {server.model!r}"
    return MissingPart(f"refuses the key ({status}).{more}", where=server.host, fix=fix)


def _unknown(status: int, said: str, server: Server) -> SlmfitError:
    more = f" It says: {said}" if said else ""
    what = f"knows no model {server.model!r}, or nothing answers at this address ({status}).{more}"
    fix = "check the model's name; a base URL usually ends with /v1"
    return UsageError(what, where=server.base_url, fix=fix)
