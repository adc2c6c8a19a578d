"""The llm writer: a large model writes the examples, some at a time, each request unlike the others.

    server = Server.from_environment("http://localhost:11434/v1", "gemma3:12b")
    made = generate("emails", n=200, writer=LlmWriter(read_recipe("emails"), server, ledger=folder / "answers.jsonl"))

What it is told is in asking.txt. Each request has its own persona, form and seed, so that texts do not repeat; what it
answers is kept in a ledger, so that nothing is asked or paid twice. Every example it writes is checked like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from slmfit.errors import BudgetReached
from slmfit.generating.chance import draw, pick
from slmfit.generating.checks import Draft
from slmfit.generating.marked import Marked, read_marks
from slmfit.generating.quotas import Order, Quotas
from slmfit.generating.recipe import PLAIN, Recipe
from slmfit.llm import Answer, Ask, Client, Limits, Quote, Server, quote
from slmfit.tasks.replies import json_object, json_object_schema
from slmfit.timing.work import counted, ignored

BATCH = 10  # examples of one request
TEMPERATURE = 1.0
_TOKENS_AROUND = 40  # of one example's JSON and marks, beside its text
_TOKENS_TYPICAL = 60  # of one example

PERSONAS = (
    "a student",
    "an engineer",
    "a nurse",
    "a shop owner",
    "a retired teacher",
    "a busy manager",
    "a parent of three",
    "a lawyer",
    "a journalist",
    "a farmer",
    "a software developer",
    "a musician",
    "a civil servant",
    "a lorry driver",
    "a scientist",
    "somebody whose first language is not English",
    "a teenager",
    "an accountant",
    "a chef",
    "a designer",
)


class Request(NamedTuple):
    """One request: what is asked for and how."""

    ask: Ask
    form: str
    orders: Sequence[Order]


class LlmWriter:
    """Asks a server. limits: what may be spent. ledger: where answers are kept; None = nowhere."""

    name = "llm"

    def __init__(
        self,
        recipe: Recipe,
        server: Server,
        seed: int = 0,
        limits: Limits | None = None,
        ledger: Path | None = None,
        listen: Callable[..., None] | None = None,
    ) -> None:
        self.recipe, self.seed, self._server = recipe, seed, server
        self._client, self._listen = Client(server, ledger, limits, listen), listen
        self._usage: dict[str, Any] | None = None
        self._key = ("intent" if recipe.tagged else "label") if PLAIN not in recipe.labels else None
        self._blocks = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=False,  # a model reads it, not a browser
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        ).get_template("asking.txt")
        first = next(iter(recipe.entities), "")
        self.model: str | None = server.model
        prices = server.prices and asdict(server.prices)
        self.server: Mapping[str, Any] | None = {"base_url": server.base_url, "prices": prices}
        self.system_prompt: str | None = self._block("system", recipe=recipe, key=self._key, first=first)

    def chances(self) -> None:
        """A model can be asked for any set of types."""

    def write(self, orders: Sequence[Order], first: int) -> Iterator[Draft]:
        """The drafts of as many requests as it takes, in the order of the requests."""
        requests = self._requests(orders, first)
        answers: dict[str, Answer] = {}
        reached = None
        try:
            with counted(self._listen or ignored, "asking", len(requests), unit="requests") as work:
                for answer in self._client.answers(request.ask for request in requests):
                    answers[answer.id] = answer
                    work.advance(1)
        except BudgetReached as error:
            reached = error
        self._usage = _sum(list(answers.values()))
        for request in requests:
            if request.ask.id in answers:
                yield from self._drafts(request, answers[request.ask.id])
        if reached is not None:
            raise reached

    def usage(self) -> Mapping[str, Any] | None:
        """What the last `write` took: calls, input_tokens, output_tokens, usd; None = unknown."""
        return self._usage

    def quote(self, n: int) -> Quote:
        """What n examples would take, were all of them good; asks nothing."""
        requests = self._requests(Quotas(self.recipe, n).plan(Random(f"{self.seed}/plan/0")), 0)
        told = quote([request.ask for request in requests], self._server)
        high = told.output_tokens[2]
        outputs = (min(n * _TOKENS_TYPICAL // 2, high), min(n * _TOKENS_TYPICAL, high), high)
        return replace(told, output_tokens=outputs, usd=self._usd(told.input_tokens, outputs))

    def _usd(self, inputs: Sequence[int], outputs: Sequence[int]) -> tuple[float, float, float] | None:
        if self._server.prices is None:
            return None
        low, expected, high = map(self._server.prices.usd, inputs, outputs)
        return low, expected, high

    def _requests(self, orders: Sequence[Order], first: int) -> list[Request]:
        batches = [orders[at : at + BATCH] for at in range(0, len(orders), BATCH)]
        return [self._request(f"{first}/{number}", batch) for number, batch in enumerate(batches)]

    def _request(self, id: str, orders: Sequence[Order]) -> Request:
        rng = Random(f"{self.seed}/ask/{id}")
        name = draw(rng, {name: form.share for name, form in self.recipe.forms.items()})
        persona = pick(rng, self.recipe.personas or PERSONAS)
        form = self.recipe.forms[name]
        user = self._block("request", recipe=self.recipe, key=self._key, orders=orders, persona=persona, form=form)
        messages = ({"role": "system", "content": str(self.system_prompt)}, {"role": "user", "content": user})
        longest = len(orders) * (self.recipe.length[1] // 2 + _TOKENS_AROUND)
        seed = int(rng.random() * 2**31)
        ask = Ask(id, messages, self._schema(), max_tokens=longest, temperature=TEMPERATURE, seed=seed)
        return Request(ask, name, orders)

    def _schema(self) -> dict[str, Any]:
        label = {self._key: {"type": "string", "enum": list(self.recipe.labels)}} if self._key else {}
        example = json_object_schema({"text": {"type": "string"}} | label)
        return json_object_schema({"examples": {"type": "array", "items": example}})

    def _block(self, name: str, **names: Any) -> str:
        return "".join(self._blocks.blocks[name](self._blocks.new_context(names))).strip("\n")

    def _drafts(self, request: Request, answer: Answer) -> Iterator[Draft]:
        """A draft for each example of the answer; one that says what is wrong where there are none."""
        said = answer.value if answer.outcome == "ok" else json_object(answer.raw or "")
        examples = said.get("examples") if isinstance(said, dict) else None
        if not isinstance(examples, list) or not examples:
            why = f"{answer.outcome}: {answer.reason or 'no examples'}\n{answer.raw or ''}".strip()
            yield Draft("", Marked(""), request.form, "broken reply", why)
            return
        for number, example in enumerate(examples):
            yield self._draft(example, request.form, surplus=number >= len(request.orders))

    def _draft(self, example: Any, form: str, surplus: bool) -> Draft:
        text = example.get("text") if isinstance(example, dict) else None
        label = example.get(self._key) if isinstance(example, dict) and self._key else PLAIN
        if not isinstance(text, str) or not isinstance(label, str):
            return Draft("", Marked(""), form, "broken reply", str(example))
        text = text.strip()
        if surplus:
            return Draft(label, Marked(""), form, "not asked for", text)
        if not self.recipe.entities:
            return Draft(label, Marked(text), form)
        try:
            return Draft(label, read_marks(text), form, raw=text)
        except ValueError:
            return Draft(label, Marked(""), form, "broken mark", text)


def _sum(answers: Sequence[Answer]) -> dict[str, Any]:
    """Calls, tokens and money of some answers; unknown where one of them is."""
    total: dict[str, Any] = {"calls": len(answers)}
    for name in ("input_tokens", "output_tokens", "usd"):
        values = [getattr(answer.usage, name) for answer in answers]
        total[name] = None if None in values else sum(values)
    return total
