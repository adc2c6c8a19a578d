"""`llm`: any large model behind OpenAI's chat completions, asked row by row; nothing is trained.

    slmfit compare tickets.csv --methods linear,llm=gemma3:12b --base-url http://localhost:11434/v1

    method = Llm(Settings(model="gemma3:12b", base_url="http://localhost:11434/v1"))
    method.fit(task, train, validation, Context())          # draws examples to show; asks nothing
    method.quote(["my card was charged twice"])             # what asking would cost
    method.predict(["my card was charged twice"])

What is said to the model is its task's form. How an answer is bound to what may be answered, paid for
and kept is in `slmfit.llm`.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from slmfit import storage
from slmfit.environment import cache_folder
from slmfit.errors import BudgetReached, UsageError
from slmfit.llm import Answer, Ask, Client, Limits, Patience, Prices, Quote, Server, modes, quote, trust
from slmfit.llm.ledger import Ledger
from slmfit.llm.limits import Cost
from slmfit.llm.prices import looked_up
from slmfit.llm.server import Secret
from slmfit.methods.base import Context, Remote, must, setting
from slmfit.methods.llm import trying
from slmfit.methods.llm.prompt import Prompt, read_descriptions
from slmfit.methods.shots import Nearest, PerClass, Shots
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.timing.work import counted

SHORTEST = 64  # tokens that an answer may have in any case
ALONE, LEAST_ALONE = 20, 5  # rows that are asked one at a time, a tenth of them within these: the latency is theirs
_GIVEN: dict[
    str, Secret
] = {}  # address as it is shown -> as it was given, for the runs that are loaded in this process


@dataclass(frozen=True)
class Settings:
    """What `--set llm.NAME=VALUE` sets."""

    model: str | None = setting(None, "The model's name on its server; the same as in llm=MODEL.")
    base_url: str = setting(
        "https://api.openai.com/v1",
        "The server's address up to /v1, as --base-url gives it: any that speaks OpenAI's chat completions.",
    )
    shots: int = setting(
        0,
        "How many examples from train are shown before each row. The model's folder then holds their texts.",
        low=0,
        when="answers are of the right kind but the labels mean something particular here.",
    )
    examples: str = setting(
        "per-class",
        "Which examples. per-class: the same for every row, drawn class by class; nearest: those most like the row.",
        choices=("per-class", "nearest"),
    )
    descriptions: str | None = setting(
        None, "A TOML or JSON file that says what each label means, one line per label; the model reads it."
    )
    max_tokens: int | None = setting(
        None,
        "The longest answer, in tokens. none: as many as the longest answer in train has characters, at least 64.",
        low=1,
        when="the model thinks before it answers, and answers come back as truncated.",
    )
    prices: str | None = setting(
        None, "A TOML file of prices. none: those of the package genai-prices, where it is installed and knows them."
    )


class Llm(Remote):
    """Asks a server for one row at a time. What a row says can change its own answer only."""

    Settings = Settings
    base_model_setting = "model"

    prompt: Prompt
    shots: Shots | None
    seed: int
    _loaded = False  # then its address is what a run says, and not what somebody typed

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        if not self.settings.model:
            raise UsageError("llm needs a model", fix="name one, for example llm=gemma3:12b")
        address = Secret(self.settings.base_url)  # it may hold a key, which no record is to show
        self.settings = replace(self.settings, base_url=Server(address.reveal(), self.settings.model).base_url)
        if address.reveal() != self.settings.base_url:
            _GIVEN[self.settings.base_url] = address
        self._address = _GIVEN.get(self.settings.base_url, address)

    @property
    def server(self) -> Server:
        """The server, with the key that the environment holds now, or that its address held when it was given.

        The server that a loaded run names gets a key only if it is a vendor's or was typed on this machine.
        """
        prices = self.chosen.get("prices")
        server = Server.from_environment(self._address.reveal(), self.settings.model, prices and _prices(prices))
        return trust.without_stray_key(server) if self._loaded else server

    @property
    def unknown_host(self) -> str | None:
        return None if not self._loaded or trust.known(self.server) else self.server.host

    @property
    def shows_examples(self) -> bool:
        return self.shots is not None

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Draw the examples to show. Raises UsageError or DataError for descriptions or prices that are none."""
        begin = time.perf_counter()
        self.context, self.seed, given = context, context.seed, self.settings
        trust.remember(given.base_url)
        self.prompt = Prompt.of(task, read_descriptions(given.descriptions) if given.descriptions else {})
        self.shots = self._drawn(task, train)
        write = self.prompt.form.write
        longest = max((len(write(e.target, e.input)) for e in train if e.target is not None), default=0)
        file = Path(given.prices) if given.prices else None
        prices, why = looked_up(given.model, given.base_url, self.server.local, file)
        reasons = {"prices": why, "max_tokens": f"the longest answer in train has {longest} characters"}
        if given.max_tokens:
            reasons["max_tokens"] = "asked for"
        tokens = given.max_tokens or max(SHORTEST, longest)
        self.chosen = {"max_tokens": tokens, "prices": prices and asdict(prices), "why": reasons}
        self.rows_used = {"asked": "test"} | ({"shown as examples": "train"} if self.shots else {})
        self.fit_seconds = time.perf_counter() - begin

    def try_out(self, validation: Sequence[Example]) -> None:
        """Choose between one token and the answer written out, on a server of this machine that takes both."""
        limits = self._limits()
        if not self.server.local or limits.tokens is not None or limits.usd is not None:
            return
        rows = trying.drawn(validation, self.context.rows_to_predict, self.seed)
        short = self._asks([row.input for row in rows])
        if not rows or not all(modes.few(ask.choices) for ask in short) or not self._client(None).slots():
            return
        ways = {"one token": short, "written out": [replace(ask, whole=True) for ask in short]}
        right = {}
        for way, asks in ways.items():
            answers = self._predictions([row.input for row in rows], self._answers(asks, "trying how to ask"))
            right[way] = [a.target == row.target for a, row in zip(answers, rows, strict=True)]
            self.search.append({"answers": way, "rows": len(rows), "accuracy": sum(right[way]) / len(rows)})
        whole = trying.whole_is_better(right["written out"], right["one token"])
        self.chosen["answers"] = "written out" if whole else "one token"
        self.chosen["why"]["answers"] = f"tried on {len(rows)} rows of validation; what is cheaper, unless it is worse"
        self.rows_used["tried how to ask"] = f"{len(rows)} rows of validation"

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in order.

        Raises MissingPart without a key or a server, BudgetReached where the allowance ends; what was answered until
        then is kept, and not asked again. Raises UnsafeError where a loaded run names a host that is not known here.
        """
        if not inputs:
            return []
        if self._loaded:
            trust.admit(self.server, self.allow_host)
        asks = self._asks(inputs)
        answers = self._answers(asks)
        bound = Counter(answer.mode for answer in answers)
        self.chosen["modes"] = dict(bound.most_common())
        self.context.event("answered", rows=len(asks), kept=sum(a.reused for a in answers), **bound)
        return self._predictions(inputs, answers)

    def quote(self, inputs: Sequence[Input]) -> Quote:
        """What asking for those of these rows that have no answer yet would cost; asks nothing."""
        asks = self._asks(inputs)
        with _opened(self._ledger(asks)) as ledger:
            return quote((ask for ask in asks if ledger.find(ask.key(self.settings.model)) is None), self.server)

    def check_limits(self, limits: Limits) -> None:
        server = self.server
        limits.check(server.prices, server.model, server.local)

    def charged(self, inputs: Sequence[Input]) -> Cost:
        with _opened(self._ledger(self._asks(inputs))) as ledger:
            return ledger.spent

    def save(self, folder: Path) -> None:
        storage.write_json(folder / "llm.json", {"opening": self.prompt.opening, "seed": self.seed})
        if self.shots:
            self.shots.save(folder)

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        written = Server(settings.base_url, settings.model).base_url  # a key in a run's address is not the user's
        method = cls(replace(settings, base_url=written))
        method._loaded = True
        kept = storage.read_json(folder / "llm.json", "opening", "seed")
        method.prompt, method.seed, method.shots = Prompt(task, kept["opening"]), kept["seed"], None
        if settings.shots and settings.examples == "nearest":
            method.shots = Nearest.load(task, folder, settings.shots)
        elif settings.shots:
            method.shots = PerClass.load(task, folder)
        return method

    def check(self, task: Task) -> None:
        tokens = self.chosen["max_tokens"]
        must(type(tokens) is int and 1 <= tokens <= 10**7, "no proper max_tokens")
        must(self.chosen.get("answers") in (None, "one token", "written out"), "no proper answers")
        must(type(self.seed) is int and isinstance(self.prompt.opening, str), "no proper prompt")

    # --- asking ---

    def _asks(self, inputs: Sequence[Input]) -> list[Ask]:
        shots = self.shots.before(inputs) if self.shots else [()] * len(inputs)
        return [self._ask(str(n), *row) for n, row in enumerate(zip(inputs, shots, strict=True))]

    def _ask(self, id: str, input: Input, shots: Sequence[Example]) -> Ask:
        form, messages = self.prompt.form, self.prompt.messages(input, shots)
        schema, choices = form.schema(input), form.candidates(input)
        whole = self.chosen.get("answers") == "written out"
        return Ask(id, messages, schema, choices, max_tokens=self.chosen["max_tokens"], seed=self.seed, whole=whole)

    def _answers(self, asks: Sequence[Ask], stage: str = "asking") -> list[Answer]:
        path = self._ledger(asks)
        timed = self.context.rows_to_predict > 0  # for a table; else nobody reads how long one row takes
        client = self._client(path, alone=min(ALONE, max(LEAST_ALONE, len(asks) // 10)) if timed else 0)
        answers: list[Answer] = []
        try:
            with counted(self.context.event, stage, len(asks)) as work:
                for answer in client.answers(asks):
                    answers.append(answer)
                    work.advance(1)
        except BudgetReached as reached:
            what = f"{reached.what}; {len(answers):,} of {len(asks):,} rows are answered, and kept"
            raise BudgetReached(what, where=reached.where, fix=reached.fix) from None
        finally:
            if self.context.allowance:
                with _opened(path) as ledger:
                    self.context.allowance.took(ledger.spent)
        return answers

    def _client(self, ledger: Path | None, alone: int = 0) -> Client:
        return Client(self.server, ledger, self._limits(), self.context.event, Patience(alone=alone))

    def _limits(self) -> Limits:
        """What is left of the allowance, and of the time for all of the command."""
        limits = self.context.allowance.left() if self.context.allowance else Limits()
        times = [time for time in (limits.seconds, self.context.budget_seconds) if time is not None]
        return replace(limits, seconds=min(times, default=None))

    def _ledger(self, asks: Sequence[Ask]) -> Path | None:
        """Where the answers to these asks are kept: the same asks find them again, in whatever comparison.

        It is a file per set of asks, so that a budget counts what this set has cost, in this run and earlier ones.
        """
        if len(asks) == 1:
            return None
        server = self.server
        key = storage.hash_json([server.base_url, sorted(ask.key(server.model) for ask in asks)])
        return cache_folder() / "answers" / f"{key[:32]}.jsonl"

    def _predictions(self, inputs: Sequence[Input], answers: Sequence[Answer]) -> list[Prediction]:
        """In the order of the inputs, whose places the ids of the answers are."""
        by_id = {answer.id: answer for answer in answers}
        return [self._prediction(input, by_id[str(n)]) for n, input in enumerate(inputs)]

    def _prediction(self, input: Input, answer: Answer) -> Prediction:
        ok = answer.outcome == "ok"
        read = self.prompt.form.read(answer.value, input) if ok else Prediction(None, answer.outcome)
        probabilities = answer.probabilities if read.outcome == "ok" else None
        return replace(read, probabilities=probabilities, raw=answer.raw, usage=answer.usage)

    # --- fitting ---

    def _drawn(self, task: Task, train: Sequence[Example]) -> Shots | None:
        given = self.settings
        if not given.shots:
            return None
        drawn = Nearest if given.examples == "nearest" else PerClass
        return drawn.of(task, train, given.shots, self.seed)


def _opened(path: Path | None) -> contextlib.closing[Ledger]:
    """A ledger to look into; none is made where there is none."""
    return contextlib.closing(Ledger(path if path and path.exists() else None))


def _prices(plain: dict[str, Any]) -> Prices:
    above = plain.get("above")
    return Prices(**plain | {"above": (above[0], _prices(above[1])) if above else None})
