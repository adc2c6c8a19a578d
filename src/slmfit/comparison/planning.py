"""What a command would do, what servers would take for it, and what they have taken: nothing is asked.

step(spec, data, Terms(0, "accuracy"), missing=1).quote.texts            # 7600
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from slmfit.data.added import Added
from slmfit.data.dataset import Dataset
from slmfit.methods.base import Context, Remote
from slmfit.methods.saved import load_model
from slmfit.methods.specs import Spec
from slmfit.records import FLOORS, Example, RunRecord
from slmfit.runs.fitting import Terms
from slmfit.runs.forecast import Forecast, forecast

if TYPE_CHECKING:
    from slmfit.llm import Limits, Quote
    from slmfit.llm.limits import Cost


@dataclass(frozen=True)
class Step:
    """What would be done for one method.

    action: reuse (its run is there), fit, ask (a server) or skip. reason: why it is skipped.
    trainings: how often it would be fitted, on `rows` rows of train.
    forecast: how long each of them would take, with low and high, from a probe; None where nobody knows.
    quote: what asking would cost. kept: answers that are there already, and not in the quote. shown: whether texts of
    train would be sent as examples. split: whose texts are asked.
    """

    id: str
    name: str
    action: Literal["reuse", "fit", "ask", "skip"]
    reason: str | None = None
    trainings: int = 0
    rows: int = 0
    forecast: Forecast | None = None
    quote: Quote | None = None
    kept: int = 0
    shown: bool = False
    split: str = "test"


def step(spec: Spec, data: Dataset, terms: Terms, missing: int) -> Step:
    """What would be done for one method, `missing` trainings of which are not there. Raises what its files raise."""
    if spec.reason:
        return Step(spec.id, spec.name, "skip", spec.reason)
    if not missing:
        return Step(spec.id, spec.name, "reuse")
    if not spec.remote:
        expected = None if spec.parts else forecast(spec, data, terms)
        rows = len(data.validation if spec.parts else data.train)
        return Step(spec.id, spec.name, "fit", trainings=missing, rows=rows, forecast=expected)
    split, rows_asked = _rows_asked(spec, data)
    method = _ready(spec, data, terms)
    quote = method.quote([e.input for e in rows_asked])
    shown, there = method.shows_examples, len(rows_asked) - quote.texts
    return Step(spec.id, spec.name, "ask", quote=quote, kept=there, shown=shown, split=split)


def _rows_asked(spec: Spec, data: Dataset) -> tuple[str, Sequence[Example]]:
    """The rows that a server is asked for a method. For one made of others, beside what these are: of validation."""
    return ("validation", data.validation) if spec.parts else ("test", data.test)


def charged(spec: Spec, data: Dataset, terms: Terms, limits: Limits) -> Cost:
    """What a method's answers have been charged, while there is no run of them.

    Raises UsageError where those still to come cannot be held to the limits.
    """
    method = _ready(spec, data, terms)
    method.check_limits(limits)
    return method.charged([e.input for e in _rows_asked(spec, data)[1]])


def charged_by(record: RunRecord) -> Cost:
    """What the answers of a run have been charged."""
    from slmfit.llm.limits import Cost
    from slmfit.llm.prices import PICO

    used = record.usage
    tokens = (used.get("input_tokens") or 0) + (used.get("output_tokens") or 0)
    return Cost(int(tokens), round((used.get("usd") or 0.0) * PICO))


def _ready(spec: Spec, data: Dataset, terms: Terms) -> Remote:
    """A method that asks a server, with its examples drawn; of one made of others, the part that does."""
    if spec.parts:
        return _ready(spec.parts[-1], data, terms)
    if spec.run is not None:
        return cast(Remote, load_model(spec.run / "model")[2])
    method = cast(Remote, spec.create())
    method.fit(
        data.task, data.train, data.validation, Context(seed=terms.seed, metric=terms.metric, groups=data.groups)
    )
    return method


def id_with(id: str, added: Added) -> str:
    """What a method is called when it is fitted with the added rows."""
    return f"{id}+{added.name}"


def with_rows(specs: Sequence[Spec], added: Added) -> list[Spec]:
    """The methods that are fitted once more, with the added rows: those that learn from train and can run here."""
    idle = ("majority", *FLOORS)
    learning = [spec for spec in specs if spec.id not in idle and not (spec.remote or spec.parts or spec.reason)]
    return [replace(spec, id=id_with(spec.id, added)) for spec in learning]
