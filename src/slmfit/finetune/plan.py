"""What is decided before the first step, with the reason for each.

    plan = derive(Asked(epochs=2), facts)
    plan.learning_rate, plan.why["learning_rate"]

The plan is written down when it is made and read again when the training is resumed, so that what depends on the
clock (a budget) or on the machine (a halved batch) is decided once.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

ROWS_TO_SEE = 60_000  # a small data set is gone through several times, until about so many rows have been seen
EPOCHS = (2, 10)  # at least, at most
MOST_LATER = 0.5  # of a budget, which a training leaves at most where everything takes longer than it was timed
MOST_SPLIT = 64  # pieces of a batch
# What a training keeps of a token until the gradients are there, in bytes for each number of the model's width in each
# layer: 170 were seen with adapters (SmolLM2-135M: 2.9 MB a token). A batch is cut so that this is all it takes; with
# adapters less, as bf16 copies of the weights that stay as they are (SmolLM2-135M: 0.27 GB) wait beside it.
KEPT_BYTES = 170
MEMORY, MEMORY_BESIDE_COPIES = 640_000_000, 200_000_000
WHOLE = 0.98  # the share of texts that are not cut


@dataclass(frozen=True)
class Asked:
    """What the user set; None = derive it. The fields mean what they mean in `Plan`."""

    epochs: int | None = None
    learning_rate: float | None = None
    batch_tokens: int | None = None
    max_length: int | None = None
    warmup: float = 0.1
    weight_decay: float = 0.01
    patience: int = 3


@dataclass(frozen=True)
class Facts:
    """What settings are derived from.

    lengths: tokens of each training text, uncut. limit: the most the model reads.
    hidden: the model's width. lora: whether adapters are trained, not the whole model.
    device: "cpu", "cuda" or "mps". validation_rows: 0 when there are none. layers: of the model, 0 = unknown.
    texts: how many texts a row is, on average; `lengths` are those of its longest.
    usual_rate: the learning rate of the whole model that is usual for its kind; None = it goes by the width.
    """

    lengths: np.ndarray
    limit: int
    hidden: int
    lora: bool
    device: str
    validation_rows: int
    layers: int = 0
    texts: float = 1.0
    usual_rate: float | None = None


MOST_COUNTED = 2**40  # rows, steps: what no training comes to


@dataclass(frozen=True)
class Plan:
    """How a training goes.

    rows: how many rows are seen in all, epochs × rows of train unless a budget allows fewer.
    max_length: tokens of one text, special tokens included; longer ones are cut.
    batch_tokens: of one update, padding included. split: pieces that a batch goes through the model in.
    learning_rate: the highest, after warming up over the share `warmup` of the rows; then falling to 0 in a line.
    evaluations: per epoch, each on the whole validation split; 0 = none. patience: evaluations without gain, then stop.
    seconds: until all of it is over, validation and what is predicted afterwards included; None = no limit.
    row_seconds, validation_seconds, later_seconds: what the first steps say of them that an update on one row, one
    evaluation, and predicting afterwards take.
    revisions: [step, rows] where the clock made `rows` another.
    most_epochs: to which it may go on when there is time left, None = `epochs`.
    why: field -> the reason for its value.
    """

    rows: int
    epochs: int
    max_length: int
    batch_tokens: int
    learning_rate: float
    warmup: float = 0.1
    weight_decay: float = 0.01
    evaluations: int = 1
    patience: int = 3
    split: int = 1
    seconds: float | None = None
    row_seconds: float = 0.0
    validation_seconds: float = 0.0
    later_seconds: float = 0.0
    most_epochs: int | None = None
    revisions: tuple[tuple[int, int], ...] = ()
    why: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Plan:
        """Raises KeyError, TypeError or ValueError for what is no plan."""
        values = {f.name: plain[f.name] for f in fields(cls)}
        plan = cls(**values | {"revisions": tuple((s, r) for s, r in plain["revisions"])})
        counts = [plan.rows, plan.epochs, plan.max_length, plan.batch_tokens, plan.split]
        counts += [
            plan.evaluations + 1,
            plan.patience + 1,
            plan.epochs if plan.most_epochs is None else plan.most_epochs,
        ]
        counts += [count + 1 for pair in plan.revisions for count in pair]
        figures = [plan.learning_rate, plan.weight_decay, plan.warmup, plan.seconds or 0.0]
        figures += [plan.row_seconds, plan.validation_seconds, plan.later_seconds]
        proper = (
            all(type(count) is int and 0 < count < MOST_COUNTED for count in counts)
            and all(type(x) in (int, float) and math.isfinite(x) and x >= 0 for x in figures)
            and plan.warmup < 1
        )
        if not proper:
            raise ValueError("a plan of such numbers cannot be")
        return plan

    def rows_at(self, step: int) -> int:
        """How many rows are seen in all, as known when this step is made."""
        return next((rows for when, rows in reversed(self.revisions) if when <= step), self.rows)

    def rows_in(self, seconds: float, seen: int, evaluations: int, each: float) -> int:
        """How many rows may be seen in all when so many are and there are so many seconds left.

        each: seconds that a row takes now; by as much as it misses the first steps, all that follows is taken to miss
        them, and is kept time for, up to a share of all. evaluations: how many are to come.
        """
        slower = each / self.row_seconds if self.row_seconds else 1.0
        later = slower * (self.later_seconds + evaluations * self.validation_seconds)
        return seen + int(max(0.0, seconds - min(later, MOST_LATER * (self.seconds or math.inf))) / each)

    def revised(self, step: int, rows: int) -> Plan:
        """The plan with another end from this step on."""
        return replace(self, revisions=(*self.revisions, (step, rows)))

    def rate_at(self, seen: int, rows: int) -> float:
        """The learning rate after `seen` of `rows` rows: up in a line, down in a line."""
        share = min(1.0, seen / rows)
        if share < self.warmup:
            return self.learning_rate * max(share, 1e-3) / self.warmup
        return self.learning_rate * (1 - share) / (1 - self.warmup)


def derive(asked: Asked, facts: Facts) -> Plan:
    """The plan for these facts when time does not matter."""
    why: dict[str, str] = {}

    def take(name: str, derived: float, reason: str) -> Any:
        given = getattr(asked, name)
        why[name] = reason if given is None else "asked for"
        return derived if given is None else given

    count = len(facts.lengths)
    max_length = min(take("max_length", *_max_length(facts)), facts.limit)
    epochs = take("epochs", *_epochs(count))
    batch_tokens = take("batch_tokens", *_batch_tokens(facts, max_length))
    learning_rate = take("learning_rate", *_learning_rate(facts))
    evaluations = _evaluations(count, facts.validation_rows, epochs)
    batch_tokens = max(batch_tokens, max_length)
    return Plan(
        rows=epochs * count,
        epochs=epochs,
        max_length=max_length,
        batch_tokens=batch_tokens,
        learning_rate=learning_rate,
        warmup=asked.warmup,
        weight_decay=asked.weight_decay,
        evaluations=evaluations,
        patience=asked.patience,
        split=_split(facts, batch_tokens),
        why=why,
    )


def kept_tokens(lengths: np.ndarray, max_length: int) -> float:
    """The share of all tokens that is left when texts are cut to `max_length`."""
    return float(np.minimum(lengths, max_length).sum() / max(1, lengths.sum()))


def _max_length(facts: Facts) -> tuple[int, str]:
    whole = int(np.quantile(facts.lengths, WHOLE, method="higher"))
    length = min(max(16, -(-whole // 8) * 8), facts.limit, 512)
    share = float((facts.lengths <= length).mean())
    return length, f"{share:.1%} of the texts fit whole"


def _epochs(count: int) -> tuple[int, str]:
    epochs = min(max(math.ceil(ROWS_TO_SEE / max(1, count)), EPOCHS[0]), EPOCHS[1])
    return epochs, f"{count:,} rows; the best of them by validation is kept"


def _batch_tokens(facts: Facts, max_length: int) -> tuple[int, str]:
    mean = float(np.minimum(facts.lengths, max_length).mean()) * facts.texts
    if facts.device != "cpu":
        return 8192, "enough work at a time for a GPU"
    # Few rows make few updates: then smaller batches.
    rows = 32 if len(facts.lengths) >= 2000 else 16
    what = "texts" if facts.texts == 1 else "rows"
    return max(256, round(rows * mean / 64) * 64), f"about {rows} {what} of {mean:.0f} tokens"


def _split(facts: Facts, batch_tokens: int) -> int:
    """On a CPU, whose memory others need too, as many pieces as keep a batch small; a GPU is there to be filled."""
    if facts.device != "cpu":
        return 1
    memory = MEMORY_BESIDE_COPIES if facts.lora else MEMORY
    kept = KEPT_BYTES * facts.layers * facts.hidden * batch_tokens
    return min(max(1, math.ceil(kept / memory)), MOST_SPLIT)


def _learning_rate(facts: Facts) -> tuple[float, str]:
    if facts.lora:
        return 2e-4, "usual for rank-stabilised adapters"
    if facts.usual_rate is not None:
        return facts.usual_rate, "usual for models of this kind"
    rate = 5e-5 * 768 / facts.hidden
    return float(f"{min(max(rate, 1e-5), 2e-4):.2g}"), f"5e-5 at a width of 768, in proportion to {facts.hidden}"


def _evaluations(count: int, validation_rows: int, epochs: int) -> int:
    """As many as cost at most a tenth of the training, which takes about three times as long a row."""
    if not validation_rows or not epochs:
        return 0
    return int(min(max(1, 0.3 * count / validation_rows), math.ceil(4 / epochs)))
