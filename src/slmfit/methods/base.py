"""What a method is, what it is given, and how its settings are declared and parsed.

    @dataclass(frozen=True)
    class Settings:
        k: int = setting(5, "How many neighbours vote.", low=1)

A method never sees a target when it predicts, and never sees the test split when it fits.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from slmfit.errors import UsageError, did_you_mean
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.timing.budget import Budget

if TYPE_CHECKING:
    from slmfit.llm import Limits, Quote
    from slmfit.llm.limits import Cost, Share


def setting(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    choices: Sequence[str] | None = None,
    when: str | None = None,
    measured: str | None = None,
    search: Sequence[Any] | None = None,
) -> Any:
    """A documented field of a settings dataclass.

    doc: what it is; the same text is the help, the docs and `slmfit explain`. low: the least value. when: when to
    change it. measured: what changing it did, with the data it was seen on. search: what `slmfit tune` tries: numbers
    between two, `(0, 0.3)`, on a log scale `(1e-5, 1e-3, "log")`, or of several words one; None = it leaves it alone.
    """
    known = {"doc": doc, "low": low, "choices": choices, "when": when, "measured": measured, "search": search}
    return field(default=default, metadata=known)


def _ignore(kind: str, **fields: Any) -> None:
    """The default listener."""


@dataclass(frozen=True)
class Part:
    """A fitted method of which another is made.

    id, key: of its run. method: its name. model: the folder that it is loaded from. remote: whether it asks a server.
    validation: id of a row -> what a model answered to it that had not seen it. answers: `asked(input)` -> what
    its run answered to rows of validation and test. seconds: that one text takes; None = unknown. fitted: the rows that
    the model that answers was fitted on, in words. scored_by: what answered validation, where that is another model.
    """

    id: str
    key: str
    method: str
    model: Path
    remote: bool = False
    validation: Mapping[str, Prediction] = field(default_factory=dict, repr=False)
    answers: Mapping[str, Prediction] = field(default_factory=dict, repr=False)
    seconds: float | None = None
    fitted: str = "train"
    scored_by: str = ""


@dataclass(frozen=True)
class Context:
    """What a method may use while it fits, beside the data.

    seed: for everything random.
    metric: the score that settings are chosen by, one of `task.metrics`.
    key: sha256 of all that decides the run; by it a checkpoint is told from another run's. "" = there is no run.
    cache: a folder for what is dear to compute and keyed by content (vectors, tokens); None = do not cache.
    work: the run's own folder while it is made, for checkpoints; it survives a kill. None = keep nothing.
    event: call it as `event("search", C=3.0, accuracy=0.91)`; it goes to events.jsonl and the progress line.
    budget_seconds: the time for fitting and for predicting `rows_to_predict` rows afterwards; None = no limit.
    budget: the same time as it runs: `budget.left()` says how much of it is left.
    allowance: what a server that is asked may take in money, tokens and time; None = no limit.
    groups: id of a row -> its group; a method that holds rows out of train keeps those of one group on one side.
    parts: fitted methods of which this one is made.
    """

    seed: int = 0
    metric: str = "accuracy"
    key: str = ""
    cache: Path | None = None
    work: Path | None = None
    event: Callable[..., None] = _ignore
    budget_seconds: float | None = None
    rows_to_predict: int = 0
    allowance: Share | None = None
    groups: Mapping[str, str] = field(default_factory=dict, repr=False)
    parts: tuple[Part, ...] = ()
    budget: Budget = None  # type: ignore[assignment]  # None = of these seconds, from now on

    def __post_init__(self) -> None:
        if self.budget is None:
            object.__setattr__(self, "budget", Budget.of(self.budget_seconds))


@dataclass(frozen=True)
class NoSettings:
    """Nothing to set."""


class Method:
    """One way to do a task. Subclass it, and every command takes it as `my_module:MyMethod`; docs/extending.md.

    A method is made from its settings, then either `fit` or loaded. `fit` chooses what is left open on the
    validation examples, and leaves the method able to predict from train alone, so that the referee can score
    validation honestly; `refit` then fits once more, with what was chosen, on the rows given. A method that stops
    early on validation has no `refit`.
    """

    Settings: ClassVar[type] = NoSettings
    base_model_setting: ClassVar[str | None] = None  # the setting that `METHOD=BASE_MODEL` fills
    refits: ClassVar[bool] = False
    # What `slmfit.methods.TABLE` says of our own methods, another's class says of itself:
    name: ClassVar[str] = ""  # of its runs; "" = the class's name in small letters
    summary: ClassVar[str] = ""  # for `slmfit methods`; "" = the first line of the class's docstring
    tasks: ClassVar[tuple[str, ...]] = ("text-classification",)
    trained: ClassVar[bool] = False  # whether it takes the time it is given: budgets and seeds are for such methods

    settings: Any
    context: Context = Context()  # while the referee has it predict; a `Remote` heeds its allowance
    allow_host: str | None = None  # a host that texts may be sent to, though only the run that was loaded names it

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings
        self.chosen: dict[str, Any] = {}  # what validation chose, JSON as it stands
        self.search: list[dict[str, Any]] = []  # every candidate tried: its settings and its validation score
        self.fit_seconds: float | None = None  # one fit with the chosen settings, when `fit` did more than that
        self.bytes_elsewhere = 0  # that predicting needs beside the model's folder: of a base model
        self.rows_used: dict[str, str] = {}  # what was done -> the rows it was done on, in words

    @property
    def seeded(self) -> bool:
        """Whether another seed makes another model; asked of methods that are trained, which `--seeds` trains again."""
        return True

    def idle(self, task: str) -> Collection[str]:
        """The settings that change nothing in this task, or beside the others; `slmfit tune` leaves them alone."""
        return ()

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        raise NotImplementedError

    def forecast(
        self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context
    ) -> float | None:
        """Seconds that `fit` and predicting `rows_to_predict` rows would take, from a probe; None = nobody knows.

        Asked of methods that are trained, for --dry-run; nothing is written.
        """
        return None

    def refit(self, task: Task, examples: Sequence[Example], context: Context) -> None:
        raise NotImplementedError

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in order."""
        raise NotImplementedError

    def cuts_off(self, inputs: Sequence[Input]) -> list[bool] | None:
        """Of each input whether its end is not read; None where all of every text is, or nobody knows."""
        return None

    @property
    def unknown_host(self) -> str | None:
        """Where predicting would send texts, if that is a host that nobody named on this machine."""
        return None

    def save(self, folder: Path) -> None:
        """Write all that `load` needs into an existing, empty folder; open formats only."""
        raise NotImplementedError

    def unload(self) -> None:
        """Let go of what answering needs: the method is saved, and what was loaded from there answers from here on."""

    def check(self, task: Task) -> None:
        """Raise ValueError where the parts of a loaded method do not fit each other or its task."""

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        """The method as it was saved."""
        raise NotImplementedError


class Remote(Method):
    """A method behind a server: every answer takes time or money, and no file here is the model.

    The referee asks it the test rows and nothing else, and holds it to what servers may take. `fit` asks nothing.
    """

    def quote(self, inputs: Sequence[Input]) -> Quote:
        """What asking a server for these rows would cost; asks nothing, and leaves out what is answered already."""
        raise NotImplementedError

    @property
    def shows_examples(self) -> bool:
        """Whether rows of train are sent along as examples."""
        return False

    def try_out(self, validation: Sequence[Example]) -> None:
        """Ask a few rows of validation in several ways to choose one, where that costs nothing but time."""

    def check_limits(self, limits: Limits) -> None:
        """Raise UsageError for limits that a server cannot be held to."""
        raise NotImplementedError

    def charged(self, inputs: Sequence[Input]) -> Cost:
        """What a server has charged for these rows so far."""
        raise NotImplementedError


def must(holds: Any, what: str) -> None:
    """Raise ValueError unless it holds; for what `check` looks at."""
    if not holds:
        raise ValueError(what)


def parse_settings(method: str, settings_class: type, given: dict[str, Any]) -> Any:
    """Settings from `{"k": "5"}` (strings from a command line, or values from Python).

    Raises UsageError for an unknown name or a value that does not fit, saying what would.
    """
    fields = {f.name: f for f in dataclasses.fields(settings_class)}
    hints = typing.get_type_hints(settings_class)
    values = {}
    for name, value in given.items():
        if name not in fields:
            raise UsageError(f"{method} has no setting {name!r}", fix=did_you_mean(name, fields))
        meta = fields[name].metadata
        values[name] = _convert(f"{method}.{name}", value, hints[name], meta.get("low"), meta.get("choices"))
    return settings_class(**values)


def _convert(name: str, value: Any, hint: Any, low: float | None, choices: Sequence[str] | None) -> Any:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None or (isinstance(value, str) and value.lower() in ("none", "auto") and type(None) in kinds):
        if type(None) in kinds:
            return None
        raise UsageError(f"{name} needs a value", fix=f"give {takes(hint, low, choices)}")
    for kind in kinds:
        converted = _as(value, kind)
        if converted is None or (low is not None and converted < low) or (choices and converted not in choices):
            continue
        return converted
    raise UsageError(f"{name} cannot be {value!r}", fix=f"give {takes(hint, low, choices)}")


def _as(value: Any, kind: Any) -> Any:
    """`value` as `kind`, or None when it is none."""
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return value if isinstance(value, bool) else words.get(str(value).lower())
    if kind is str:
        return str(value)
    if kind in (int, float) and not isinstance(value, bool):
        try:
            number = kind(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return number if abs(number) < float("inf") else None
    return None


def takes(hint: Any, low: float | None = None, choices: Sequence[str] | None = None) -> str:
    """What the value of a setting may be, in words."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if choices:
        return "one of " + ", ".join([*choices, *(["none"] if type(None) in kinds else [])])
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    words = " or ".join(names.get(kind, str(kind)) for kind in kinds)
    return words if low is None else f"{words}, at least {low:g}"
