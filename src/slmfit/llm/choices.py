"""Labels by number: the list as the model reads it, and the one strict reader of what it answers.

    told(("billing", "delivery"))          # "1. billing\\n2. delivery"
    chosen("2", ("billing", "delivery"))   # "delivery"; also for "2." and "2. delivery", and for "delivery" itself
    chosen("maybe 2", …)                   # None: nothing is guessed

Letters, digits and labels that are numbers are not numbered, or "3" would say two things: they are answered as they
are.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence

_NUMBER = re.compile(r"([1-9][0-9]{0,8})\s*(?:[.):](.*))?", re.DOTALL | re.ASCII)
_SPACE = " \t\n\r\f\v"


def numbered(choices: Sequence[str]) -> bool:
    """Whether the choices are answered by number."""
    return not single_characters(choices) and not any(_NUMBER.fullmatch(choice.strip(_SPACE)) for choice in choices)


def single_characters(choices: Sequence[str] | None) -> bool:
    """Whether each choice is one letter or digit, which is one token to every tokenizer there is."""
    return bool(choices) and all(len(c) == 1 and c.isascii() and c.isalnum() for c in choices or ())


def told(choices: Sequence[str]) -> str:
    """The choices as the model reads them, one a line."""
    lines = [" ".join(choice.split()) for choice in choices]
    return "\n".join(f"{i}. {line}" for i, line in enumerate(lines, 1)) if numbered(choices) else "\n".join(lines)


def instruction(choices: Sequence[str]) -> str:
    """What is added to the prompt so that the model answers with one of them."""
    if numbered(choices):
        return f"The possible answers, numbered:\n{told(choices)}\nAnswer with the number of one, and nothing else."
    return f"The possible answers:\n{told(choices)}\nAnswer with one of them as it is written, and nothing else."


def written(choice: str, choices: Sequence[str]) -> str:
    """How a model is to answer this choice."""
    return str(choices.index(choice) + 1) if numbered(choices) else choice


def chosen(text: str, choices: Sequence[str]) -> str | None:
    """The choice that an answer states; None for any answer that does not state exactly one."""
    text = text.strip()
    if text in choices:
        return text
    match = _NUMBER.fullmatch(text) if numbered(choices) else None
    if match is None or int(match[1]) > len(choices):
        return None
    choice = choices[int(match[1]) - 1]
    said = (match[2] or "").strip(_SPACE)
    return choice if not said or said in (choice, " ".join(choice.split())) else None


def stated(content: str, choices: Sequence[str]) -> str | None:
    """The choice that an example's answer states, as `{"label": "billing"}` or as it is; None for anything else."""
    try:
        value = json.loads(content)
    except ValueError:
        value = content
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return value if isinstance(value, str) and value in choices else content if content in choices else None


def probabilities(
    top: Iterable[tuple[str, float]], choices: Sequence[str], *, as_written: bool = False
) -> Mapping[str, float] | None:
    """Choice -> probability, summing to 1, from the likeliest first tokens and their log probabilities.

    as_written: only a token that is just what the model was to write states a choice.

    A choice that is not among them gets an equal share of what they leave over, at most what the least likely of them
    has. None when none of them states a choice.
    """
    top = [(token, math.exp(min(logprob, 0.0))) for token, logprob in top if not math.isnan(logprob)]
    mass = dict.fromkeys(choices, 0.0)
    seen = set()
    for token, probability in top:
        choice = chosen(token, choices)
        if choice is not None and (not as_written or token == written(choice, choices)):
            mass[choice] += probability
            seen.add(choice)
    if not seen or not sum(mass.values()):
        return None
    unseen = [choice for choice in choices if choice not in seen]
    left = max(0.0, 1.0 - sum(probability for _, probability in top))
    for choice in unseen:
        mass[choice] = min(left / len(unseen), min(probability for _, probability in top))
    total = sum(mass.values())
    return {choice: value / total for choice, value in mass.items()}
