"""What a command would do, what servers would take for it, and what they have taken: nothing is fitted or asked.

steps = plan(out, parse_specs("linear,llm=gemma3:12b"), data, Terms(0, "accuracy"))
steps[1].action, steps[1].quote.texts            # ("ask", 7600)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from slmfit import methods
from slmfit.data.added import Added
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError
from slmfit.methods import Spec
from slmfit.methods.base import Context, Method
from slmfit.runs.fitting import Terms
from slmfit.runs.run import read_run
from slmfit.runs.trainings import kept_run, trainings

if TYPE_CHECKING:
    from slmfit.llm import Limits, Quote
    from slmfit.llm.limits import Allowance, Cost


@dataclass(frozen=True)
class Step:
    """What would be done for one method.

    action: reuse (its run is there), fit, ask (a server) or skip. reason: why it is skipped.
    trainings: how often it would be fitted, on `rows` rows of train.
    quote: what asking would cost. kept: answers that are there already, and not in the quote. shown: whether texts of
    train would be sent as examples.
    """

    id: str
    name: str
    action: Literal["reuse", "fit", "ask", "skip"]
    reason: str | None = None
    trainings: int = 0
    rows: int = 0
    quote: Quote | None = None
    kept: int = 0
    shown: bool = False


def plan(out: Path, specs: Sequence[Spec], data: Dataset, terms: Terms, seeds: int = 1) -> list[Step]:
    """A step per method. Raises what reading a method's settings and files raises."""
    return [_step(out, spec, data, terms, seeds) for spec in specs]


def allowance(out: Path, specs: Sequence[Spec], data: Dataset, terms: Terms, limits: Limits) -> Allowance:
    """The limits, and what the methods' answers have been charged so far, in this command or an earlier one.

    Raises UsageError where no method asks a server, and where one cannot be held to the limits.
    """
    from slmfit.llm.limits import Allowance

    remote = [spec for spec in specs if methods.TABLE[spec.name].remote and not methods.unavailable(spec.name)]
    if not remote:
        fix = "leave --max-usd, --max-tokens and --max-minutes out; --budget limits the time of training"
        raise UsageError("there is a limit for asking servers, and no method here asks one", fix=fix)
    return Allowance(limits, {spec.id: _charged(out, spec, data, terms, limits) for spec in remote})


def _step(out: Path, spec: Spec, data: Dataset, terms: Terms, seeds: int) -> Step:
    reason = methods.unavailable(spec.name, data.task.name)
    if reason:
        return Step(spec.id, spec.name, "skip", reason)
    missing = [own for own in trainings(spec, terms, seeds) if kept_run(out, own[0], data, own[1]) is None]
    if not missing:
        return Step(spec.id, spec.name, "reuse")
    if not methods.TABLE[spec.name].remote:
        return Step(spec.id, spec.name, "fit", trainings=len(missing), rows=len(data.train))
    method = _ready(spec, data, terms)
    quote = method.quote([e.input for e in data.test])
    shown = "shown as examples" in method.rows_used
    return Step(spec.id, spec.name, "ask", quote=quote, kept=len(data.test) - quote.texts, shown=shown)


def _charged(out: Path, spec: Spec, data: Dataset, terms: Terms, limits: Limits) -> Cost:
    """What a method's answers to the test rows have been charged.

    Raises UsageError where those still to come cannot be held to the limits.
    """
    from slmfit.llm.limits import Cost
    from slmfit.llm.prices import PICO

    if (folder := kept_run(out, spec, data, terms)) is None:
        method = _ready(spec, data, terms)
        method.check_limits(limits)
        return method.charged([e.input for e in data.test])
    used = read_run(folder).usage
    tokens = (used.get("input_tokens") or 0) + (used.get("output_tokens") or 0)
    return Cost(int(tokens), round((used.get("usd") or 0.0) * PICO))


def _ready(spec: Spec, data: Dataset, terms: Terms) -> Method:
    """A method that asks a server, with its examples drawn."""
    method = methods.create(spec.name, spec.given, spec.base_model)
    method.fit(data.task, data.train, data.validation, Context(seed=terms.seed, metric=terms.metric))
    return method


def id_with(id: str, added: Added) -> str:
    """What a method is called when it is fitted with the added rows."""
    return f"{id}+{added.name}"


def with_rows(specs: Sequence[Spec], added: Added | None) -> list[tuple[Spec, Dataset]]:
    """The methods that are fitted once more, with the added rows: those that learn from train and can run here."""
    if added is None:
        return []
    return [
        (replace(spec, id=id_with(spec.id, added)), added.data)
        for spec in specs
        if spec.name != "majority" and not methods.TABLE[spec.name].remote
        if methods.unavailable(spec.name, added.data.task.name) is None
    ]
