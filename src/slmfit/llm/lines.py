"""What a line of a ledger may say. The file lies where others may write, so nothing in it is taken on trust.

    record = record_of(b'{"answer": "9f3c…", "charged": {"tokens": 97, "usd": 0.0001}, …}')   # ValueError if it is none
    cost_of(record["charged"])
    answer_of(record, ask)               # None where it is no proper answer to this ask, which is then asked again
    found_of(record["found"])            # None likewise

A figure that is none (NaN, 1e999, a text, less than nothing) would make a budget endless or a record unreadable.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from slmfit.llm.ask import Answer, Ask
from slmfit.llm.faults import SETTINGS
from slmfit.llm.limits import Cost
from slmfit.llm.modes import Found
from slmfit.llm.prices import PICO
from slmfit.llm.schemas import misfit
from slmfit.records import OUTCOMES, Usage

LONGEST = 2**25  # bytes of a line; a reply is at most a quarter of it, and written down twice
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST_TOKENS, _MOST_USD = 10**15, 1e9
_KINDS: dict[str, type | tuple[type, ...]] = {
    "raw": (str, type(None)),
    "reason": (str, type(None)),
    "attempts": int,
    "mode": str,
}


def record_of(line: bytes) -> dict[str, Any]:
    """The object that a line holds. Raises ValueError where it holds none, or an answer under what is no key."""
    try:
        record = json.loads(line)
    except RecursionError:
        raise ValueError("nests too deeply") from None
    if not isinstance(record, dict):
        raise ValueError("is no object")
    if "answer" in record and not (isinstance(record["answer"], str) and _KEY.fullmatch(record["answer"])):
        raise ValueError("answers no key")
    return record


def cost_of(charged: Mapping[str, Any], least: float = 0) -> Cost:
    """What a line says was charged, or reserved. Raises ValueError for what is no number, or none that can be."""
    tokens, usd = charged["tokens"], charged["usd"]
    if type(tokens) is not int or not _is_number(usd):
        raise ValueError("charges what is no number")
    if not (least * _MOST_TOKENS <= tokens <= _MOST_TOKENS and least * _MOST_USD <= usd <= _MOST_USD):
        raise ValueError("charges what cannot be")
    return Cost(tokens, round(usd * PICO))


def answer_of(record: Mapping[str, Any], ask: Ask) -> Answer | None:
    """The answer to this ask that a line holds."""
    try:
        fields = {name: record[name] for name in ("outcome", "value", "probabilities", *_KINDS)}
        usage = Usage(**record["usage"])
    except (KeyError, TypeError):
        return None
    proper = (
        all(isinstance(fields[name], kind) for name, kind in _KINDS.items())
        and fields["outcome"] in OUTCOMES
        and (fields["outcome"] != "ok" or _answers(fields["value"], ask))
        and _proper_usage(usage)
        and _proper_probabilities(fields["probabilities"], ask)
    )
    return Answer(ask.id, usage=usage, reused=True, **fields) if proper else None


def found_of(kept: Any) -> Found | None:
    """What a line says was found out about a server."""
    if not isinstance(kept, dict) or not isinstance(kept.get("dropped"), list):
        return None
    names = {field.name for field in dataclasses.fields(Found)}
    found = Found(
        **{name: value for name, value in kept.items() if name in names} | {"dropped": tuple(kept["dropped"])}
    )
    proper = (
        found.form in (None, "schema", "object", "json", "none")
        and found.one_token in (None, True, False)
        and found.grammar in (None, True, False)
        and isinstance(found.numbers, bool)
        and found.limit in ("max_tokens", "max_completion_tokens")
        and all(name in SETTINGS for name in found.dropped)
        and type(found.alternatives) is int
        and 1 <= found.alternatives <= 20
    )
    return found if proper else None


def _answers(value: Any, ask: Ask) -> bool:
    """Whether this can be what the ask was answered with: a choice, an object of its schema, or free text."""
    if isinstance(value, str) and (ask.choices is None or value in ask.choices):
        return ask.choices is not None or ask.schema is None
    return ask.schema is not None and isinstance(value, dict) and misfit(value, ask.schema) is None and _is_json(value)


def _is_json(value: Any) -> bool:
    """Whether it is what was written: JSON has no NaN, which Python reads all the same."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


def _proper_usage(usage: Usage) -> bool:
    counts = [count for count in (usage.input_tokens, usage.output_tokens) if count is not None]
    figures = [figure for figure in (usage.seconds, usage.usd, usage.server_seconds) if figure is not None]
    return (
        all(type(count) is int and 0 <= count <= _MOST_TOKENS for count in counts)
        and all(_is_number(figure) and 0 <= figure <= _MOST_USD for figure in figures)
        and usage.alone in (None, True, False)
    )


def _proper_probabilities(shares: Any, ask: Ask) -> bool:
    if shares is None:
        return True
    if not isinstance(shares, dict) or not shares.keys() <= set(ask.choices or ()):
        return False
    numbers = list(shares.values())
    return all(_is_number(share) and 0 <= share <= 1 for share in numbers) and sum(numbers) <= 1 + 1e-6


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
