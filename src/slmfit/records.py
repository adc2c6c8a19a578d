"""The nouns: what is read, what is answered, what is written down. Standard library only.

Example("7", "my card was charged twice", "billing")
Prediction("billing", probabilities={"billing": 0.93, "delivery": 0.07})
"""

from __future__ import annotations

from collections import abc
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from html import escape
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Self, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

# truncated: the answer was cut off, or the prompt is longer than the context. abstained: it was left to somebody else.
Outcome: TypeAlias = Literal["ok", "refused", "invalid", "truncated", "filtered", "timeout", "error", "abstained"]
OUTCOMES: tuple[Outcome, ...] = (
    "ok", "refused", "invalid", "truncated", "filtered", "timeout", "error", "abstained",
)  # fmt: skip
T = TypeVar("T")
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of a text: code points from `start` up to, not including, `end`."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Entities:
    """The target of token-classification: spans in reading order and optionally one intent.

    unplaced: only in answers: (words, label) of entities that were named but have no place in the text, in order;
    each counts as one that was found and is wrong.
    """

    spans: tuple[Span, ...] = ()
    intent: str | None = None
    unplaced: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """The input of multiple-choice: `options` maps a letter to its text, in the order shown.

    subject: what the data say it is about, by which scores are broken down; no method reads it.
    """

    question: str
    options: Mapping[str, str]
    context: str | None = None
    subject: str | None = field(default=None, compare=False)


class Pair(str):
    """Two texts that are one input, as a premise and what may follow from it.

    As a string it is both, with a line break between, which is what a method reads that knows of no pairs.
    """

    __slots__ = ("first", "second")
    first: str
    second: str

    def __new__(cls, first: str, second: str) -> Self:
        pair = super().__new__(cls, "\n".join(filter(None, (first, second))))
        pair.first, pair.second = first, second
        return pair

    @property
    def lacks(self) -> bool:
        """Whether one of the two says nothing."""
        return not (self.first.strip() and self.second.strip())

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return self.first, self.second


class Tokens(str):
    """A text that came as tokens: `offsets` says where each of them stands in it, and all of it but white space is one.

    As a string it is the text, which is what a method reads that has words of its own.
    """

    __slots__ = ("offsets",)
    offsets: tuple[tuple[int, int], ...]

    def __new__(cls, text: str, offsets: Sequence[tuple[int, int]]) -> Self:
        tokens = super().__new__(cls, text)
        tokens.offsets = tuple((start, end) for start, end in offsets)
        return tokens

    def __getnewargs__(self) -> tuple[str, tuple[tuple[int, int], ...]]:  # type: ignore[override]
        return str(self), self.offsets


Input: TypeAlias = str | Question
Target: TypeAlias = str | Entities


@dataclass(frozen=True, slots=True)
class Example:
    """One row. `input` is what a method may see, `target` the answer it must give (None if unknown)."""

    id: str
    input: Input
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer took. None means unknown, never zero.

    server_seconds: that the server says it worked on it. alone: whether no other call of ours was under way meanwhile.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    usd: float | None = None
    server_seconds: float | None = None
    alone: bool | None = None


_MARK = "color:inherit;background:#2f6fde26;border:1px solid #2f6fde99;border-radius:3px;padding:0 .25em"


def _plain(text: str) -> str:
    """Text as HTML that is nothing but text, with a sign for what nobody may see; the ends of lines are spaces."""
    line = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    seen = (c if c.isprintable() or c in "\u200c\u200d" else f"⟨U+{ord(c):04X}⟩" for c in line)
    return f"<bdi>{escape(''.join(seen))}</bdi>"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A method's answer for one input. Every outcome but `ok` scores as wrong.

    probabilities: label (option letter, intent) -> probability, summing to 1, when the method has them.
    raw: the text a generative method wrote.
    span_probabilities: one for each of the target's spans, in order, when the method has them.
    confidence: that all of the answer is right, where that does not follow from `probabilities`.
    by: which part answered, of a method that has several: small or large.
    input: what it is an answer to, where a run was asked; it is neither kept nor compared.
    """

    target: Target | None
    outcome: Outcome = "ok"
    probabilities: Mapping[str, float] | None = None
    raw: str | None = None
    usage: Usage | None = None
    span_probabilities: Sequence[float] | None = None
    confidence: float | None = None
    by: str | None = None
    input: Input | None = field(default=None, compare=False, repr=False)

    def _repr_html_(self) -> str:
        """What a notebook shows: the answer, its entities marked in the text where that is known."""
        if self.target is None:
            return f"<div>no answer: {_plain(self.outcome)}</div>"
        named = self.target if isinstance(self.target, str) else self.target.intent
        chance = (self.probabilities or {}).get(named or "")
        sure = "" if chance is None else f' <span style="opacity:.75">{100 * chance:.0f} %</span>'
        head = f"<div><b>{_plain(named)}</b>{sure}</div>" if named is not None else ""
        return f"<div>{head}{self._marked(self.target) if isinstance(self.target, Entities) else ''}</div>"

    def _marked(self, target: Entities) -> str:
        """The text with each entity in a box, its type after it; the entities alone where there is no text."""
        text, parts, at = self.input if isinstance(self.input, str) else None, [], 0
        for span in target.spans:
            words = f"{span.start}–{span.end}" if text is None else text[span.start : span.end]
            parts += [] if text is None else [_plain(text[at : span.start])]
            parts.append(f'<mark style="{_MARK}"><b>{_plain(words)}</b> <small>{_plain(span.label)}</small></mark>')
            at = span.end
        parts += [] if text is None else [_plain(text[at:])]
        lost = "".join(f" <s>{_plain(words)}</s> <small>{_plain(label)}</small>" for words, label in target.unplaced)
        return f"<div>{''.join(parts)}</div>" + (f"<div>not in the text:{lost}</div>" if lost else "")


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value with its 95 % interval; `low` and `high` are None where none is defined."""

    value: float
    low: float | None = None
    high: float | None = None


LEFT_OUT: Mapping[str, Any] = MappingProxyType({})  # a part that a record has not, and does not write down
RUN_FORMAT = "slmfit.run/1"
COMPARISON_FORMAT = "slmfit.comparison/1"


@dataclass(frozen=True)
class Split:
    """The rows of one split. hash: of their ids, inputs and targets."""

    rows: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a dataset is from, as far as code asks. columns: role -> column. merged: old label -> new.

    ids: column, numbers (of the rows, where there is no such column) or repeated (where it tells no rows apart).
    """

    files: Sequence[Mapping[str, Any]] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    merged: Mapping[str, str] = field(default_factory=dict)
    ids: str | None = None


@dataclass(frozen=True, kw_only=True)
class Paired:
    """A method's difference to another on the same rows. comparisons: how many it was corrected for."""

    to: str
    difference: Score
    p_value: float
    comparisons: int


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What `run.json` holds: one method fitted and scored on one dataset. docs/format.md explains every field.

    Times are seconds unless the name says otherwise; None means unknown or not applicable, never zero.
    """

    id: str
    method: str
    base_model: str | None
    key: str  # sha256 of all that decides the result: data, split, settings, seed, code
    task: Mapping[str, Any]  # its name, and its labels as the scores number them
    settings: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    search: Sequence[Mapping[str, Any]] = ()
    metric: str
    dataset: Mapping[str, Any]
    split: Mapping[str, Split]
    remote: bool = False  # whether a server answers, and no file here is the model
    rows_used: Mapping[str, str] = field(default_factory=dict)
    seed: int
    scored: Mapping[str, int] = field(default_factory=lambda: LEFT_OUT)  # rows, where the budget left out some
    scores: Mapping[str, Mapping[str, Score]]  # split -> name -> score
    details: Mapping[str, Mapping[str, Any]]  # split -> per class, confusion, reliability, outcomes …
    fit_seconds: float | None = None
    search_seconds: float | None = None
    load_seconds: float | None = None
    latency_ms: Mapping[str, float] | None = None
    rows_per_second: float | None = None
    size_bytes: int | None = None
    peak_memory_bytes: int | None = None
    measured: Mapping[str, Any] = field(default_factory=lambda: LEFT_OUT)  # how sure the times are
    fit_peak_memory_bytes: int | None = None
    cascade: Mapping[str, Any] = field(default_factory=lambda: LEFT_OUT)  # of one: its parts and what is promised
    usage: Mapping[str, float | int | None]
    warnings: Sequence[str] = ()
    environment: Mapping[str, Any]
    created: str
    files: Mapping[str, str] = field(default_factory=dict)  # path below model/ -> sha256

    def rows_scored(self, split: str) -> int:
        """How many rows of a split have an answer and count in its scores."""
        return self.scored.get(split, self.split[split].rows)

    @cached_property
    def origin(self) -> Source:
        """Where its dataset is from."""
        return from_plain(Source, self.dataset.get("source", {}))


@dataclass(frozen=True, kw_only=True)
class SeedRun:
    """One training of a method: its seed, its run's folder below the comparison's, its own scores."""

    seed: int
    run: str
    scores: Mapping[str, Mapping[str, Score]]


GIVEN = "predictions"  # the method of a run that holds answers from a file
FLOORS = ("linear@options-only", "linear@lengths-only")  # of multiple choice, beside `majority`


@dataclass(frozen=True, kw_only=True)
class MethodRow:
    """One line of a comparison: a method that ran, was skipped or failed, with what the table shows of its run.

    Trained with several seeds, its scores are their means, with the spread in the intervals; `run` and the costs are of
    the training that did best on validation.
    """

    id: str
    name: str
    status: Literal["ok", "skipped", "failed", "stopped"]  # stopped: a budget was reached; more of it goes on
    reason: str | None = None  # why it was skipped or failed, or has fewer seeds, with the line that enables it
    run: str | None = None  # the folder of the run that predicts, below the comparison's
    seeds: Sequence[SeedRun] = ()  # its trainings; none for a method that is not trained
    reused: bool = False
    scores: Mapping[str, Mapping[str, Score]] | None = None
    fit_seconds: float | None = None
    search_seconds: float | None = None
    latency_ms: Mapping[str, float] | None = None
    rows_per_second: float | None = None
    size_bytes: int | None = None
    peak_memory_bytes: int | None = None
    measured: Mapping[str, Any] = field(default_factory=lambda: LEFT_OUT)  # as its run has it
    usd_per_1000_rows: float | None = None
    outcomes: Mapping[str, int] | None = None  # of the test rows' answers
    cascade: Mapping[str, Any] = field(default_factory=lambda: LEFT_OUT)  # as its run has it

    @property
    def floor(self) -> bool:
        """Whether it answers without what is asked: what does not beat it has not learnt the task."""
        return self.name == "majority" or self.id in FLOORS

    @classmethod
    def of(cls, record: RunRecord, run: str | None = None, reused: bool = False, id: str | None = None) -> Self:
        """A run's line. run: its folder below the comparison's. id: None = the run's own."""
        usd = record.usage.get("usd")
        return cls(
            id=record.id if id is None else id,
            name=record.method,
            status="ok",
            run=run,
            reused=reused,
            scores=record.scores,
            fit_seconds=record.fit_seconds,
            search_seconds=record.search_seconds,
            latency_ms=record.latency_ms,
            rows_per_second=record.rows_per_second,
            size_bytes=record.size_bytes,
            peak_memory_bytes=record.peak_memory_bytes,
            measured=record.measured,
            usd_per_1000_rows=None if usd is None else 1000 * usd / record.rows_scored("test"),
            outcomes=record.details["test"].get("outcomes"),
            cascade=record.cascade,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which method is the smallest that is not worse, and how sure that is. docs/format.md explains every field."""

    kind: str
    method: str | None
    metric: str
    margin: float = 0.02
    prefer: str = "size"
    best: str | None
    tied: Sequence[str] = ()
    not_worse: Sequence[str] = ()
    sentence: str
    caveats: Sequence[str]
    added: Mapping[str, Any] = field(
        default_factory=lambda: LEFT_OUT
    )  # what rows added to train brought, where there are any


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord:
    """What `comparison.json` holds and `compare --json` prints. docs/format.md explains every field."""

    dataset: Mapping[str, Any]
    split: Mapping[str, Split]
    scored: Mapping[str, int] = field(default_factory=lambda: LEFT_OUT)  # rows, where the budget left out some
    methods: Sequence[MethodRow]
    verdict: Verdict
    paired: Mapping[str, Paired]  # method id -> its paired difference to the best
    # method id -> what it was tested against that needs no reading, where rows have options of their own
    floors: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: LEFT_OUT)
    warnings: Sequence[str]
    command: str
    seed: int
    environment: Mapping[str, Any]
    created: str


def to_plain(record: Any) -> Any:
    """A record as JSON-ready dicts and lists, fields in the order of the class."""
    if is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_plain(value) for f in fields(record) if (value := getattr(record, f.name)) is not LEFT_OUT}
    if isinstance(record, Mapping):
        return {k: to_plain(v) for k, v in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_plain(v) for v in record]
    return record


def run_from_plain(plain: Mapping[str, Any]) -> RunRecord:
    """The inverse of `to_plain` for a run. Fields added by a later slmfit are left out."""
    asked = "asked" in plain.get("rows_used", {})  # how older runs say that a server was asked
    record = from_plain(RunRecord, {"remote": asked, **plain})
    _check_read(record)
    return record


def _check_read(record: RunRecord) -> None:
    """Raise KeyError, TypeError or ValueError unless what every reader asks of a run is there, and is what it says."""
    _ = record.scores["test"][record.metric], record.split["test"], record.details["test"], record.origin
    if not all(isinstance(about.get("name"), str) for about in (record.dataset, record.task)):
        raise TypeError("a proper name of its dataset or task")
    if not 0 <= record.seed < 2**63 or any(part.rows < 0 for part in record.split.values()):
        raise ValueError("a proper seed, or numbers of rows")


def comparison_from_plain(plain: Mapping[str, Any]) -> ComparisonRecord:
    """The inverse of `to_plain` for a comparison. Fields added by a later slmfit are left out."""
    return from_plain(ComparisonRecord, plain)


def from_plain(kind: type[T], plain: Any) -> T:
    """JSON as a frozen class, its fields as they are annotated.

    Raises KeyError for a field that is missing and has no default, TypeError for one that is of another kind.
    """
    if not isinstance(plain, Mapping):
        raise TypeError(f"a proper {kind.__name__}")
    values = {}
    for name, (hint, needed) in _fields(kind).items():  # type: ignore[arg-type]
        if name in plain:
            values[name] = _read(hint, plain[name], name)
        elif needed:
            raise KeyError(name)
    return kind(**values)


def _read(hint: Any, value: Any, name: str) -> Any:
    """A value as its annotation says."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):
        if value is None and NoneType in inner:
            return None
        return _read(next(one for one in inner if one is not NoneType), value, name)
    if is_dataclass(hint):
        return from_plain(hint, value)  # type: ignore[arg-type]
    if origin is abc.Mapping and isinstance(value, Mapping):
        return {key: _read(inner[1], item, name) for key, item in value.items()}
    if origin is abc.Sequence and isinstance(value, list | tuple):
        return [_read(inner[0], item, name) for item in value]
    kinds = str if origin is Literal else (int, float) if hint is float else hint
    if origin in (abc.Mapping, abc.Sequence) or not isinstance(value, kinds):
        raise TypeError(f"a proper {name!r}")
    if isinstance(value, bool) and hint in (int, float):
        raise TypeError(f"a proper {name!r}")
    if isinstance(value, int | float) and not abs(value) < 1e300:  # without end, or too large for a float
        raise TypeError(f"a proper {name!r}")
    return value


@cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Field -> its annotation, and whether it must be given."""
    hints = get_type_hints(kind)
    made = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(kind)}
    return {name: (hints[name], needed) for name, needed in made.items()}
