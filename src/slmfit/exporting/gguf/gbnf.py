"""A form's grammar as llama.cpp reads it (GBNF), for one text: the very answers that `slmfit predict` allows.

    gbnf(form, "fly to Rome")       # 'root ::= "intent: book\\n" | … "B-CITY: " from-0\nfrom-0 ::= …'

Words are copied from where the words before them ended at the earliest, so there are three rules a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slmfit.tasks.splitting import split_by


def gbnf(form: Any, text: str) -> str:
    """The grammar of the answers to a text."""
    places = split_by(text, form.grain)
    return "\n".join(f"{name} ::= {' | '.join(ways)}" for name, ways in _rules(form, text, places).items())


def _rules(form: Any, text: str, places: Any) -> Mapping[str, list[str]]:
    """from-I: words copied from the word I or a later one; at-I: from I itself; past-I: what may follow I."""

    def written(begin: int, end: int) -> str:
        return _string(b"".join(form.character(character) for character in text[begin:end]))

    count = len(places)
    rules = {"root": _ways(form.grammar.first, 0, count)}
    for i, (begin, end) in enumerate(places):
        rules[f"from-{i}"] = [f"at-{i}", *([f"from-{i + 1}"] if i + 1 < count else [])]
        rules[f"at-{i}"] = [f"{written(begin, end)} past-{i}"]
        rules[f"past-{i}"] = _ways(form.grammar.then, i + 1, count)
        if i + 1 < count:
            rules[f"past-{i}"].append(f"{written(end, places[i + 1][0])} at-{i + 1}")
    return rules


def _ways(strings: Mapping[bytes, bool], at: int, count: int) -> list[str]:
    """How an answer begins or goes on; nothing is copied where no word is left."""
    going = [f"{_string(string)} from-{at}" for string, copies in strings.items() if copies and at < count]
    return [_string(string) for string, copies in strings.items() if not copies] + going


def _string(data: bytes) -> str:
    escaped = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escaped.get(character, character) for character in data.decode()) + '"'
