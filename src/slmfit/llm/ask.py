"""What is asked and what comes back.

Ask("7", ({"role": "system", "content": "Classify …"}, {"role": "user", "content": "my card was charged twice"}),
    schema=task.schema(), choices=("billing", "delivery"))
Answer("7", "ok", {"label": "billing"}, raw='{"label": "billing"}', …)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slmfit.records import Outcome, Usage
from slmfit.storage import hash_json


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Two asks that differ in nothing but their id are one request, and both get its answer.

    id: comes back with the answer.
    messages: {"role", "content"} each, the part that all asks share first, so that servers can cache it.
    schema: JSON schema of the answer; None = free text, unless there are choices.
    choices: the labels, where the answer is one of them: for servers that take no schema, and for probabilities.
        An assistant's turn among the messages (an example) that states a choice is restated where labels are numbered.
    whole: the answer is written out, also where one token would do.
    max_tokens: the longest answer. temperature, seed: of the server's sampling; None = its own.
    """

    id: str
    messages: Sequence[Mapping[str, str]]
    schema: Mapping[str, Any] | None = None
    choices: tuple[str, ...] | None = None
    max_tokens: int = 256
    temperature: float | None = 0.0
    seed: int | None = None
    whole: bool = False

    def key(self, model: str) -> str:
        """What is asked, of whom: sha256 of the prompt, the model and the settings."""
        settings: list[Any] = [self.schema, self.choices, self.max_tokens, self.temperature, self.seed]
        settings += ["whole"] if self.whole else []
        return hash_json([model, self.prompt_hash(), settings])

    def prompt_hash(self) -> str:
        """sha256 of the messages."""
        return hash_json([dict(message) for message in self.messages])


@dataclass(frozen=True, slots=True)
class Answer:
    """The one final answer to an ask.

    outcome: ok, or why there is no usable value: refused, invalid, truncated, filtered, timeout, error.
    value: the JSON object that fits the schema, or the chosen label, or the text; None unless ok.
    raw: the text the model wrote, if any came.
    usage: tokens, money and seconds of the call that was answered; None = unknown.
    probabilities: choice -> probability, summing to 1, where the server offers them.
    attempts: how often it was sent. reason: why it is not ok, in words.
    mode: how the answer was bound: schema, object, numbers, json, choice, token, text, free.
    reused: it stood in the ledger already, or another ask of this run was the same.
    """

    id: str
    outcome: Outcome
    value: Any = None
    raw: str | None = None
    usage: Usage = field(default_factory=Usage)
    probabilities: Mapping[str, float] | None = None
    attempts: int = 1
    reason: str | None = None
    mode: str = "free"
    reused: bool = False
