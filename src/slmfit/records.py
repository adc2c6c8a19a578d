"""The nouns: what is read, what is answered, what is written down. Standard library only.

Example("7", "my card was charged twice", "billing")
Prediction("billing", probabilities={"billing": 0.93, "delivery": 0.07})
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Self, TypeAlias

# truncated: the answer was cut off, or the prompt is longer than the context. abstained: it was left to somebody else.
Outcome: TypeAlias = Literal["ok", "refused", "invalid", "truncated", "filtered", "timeout", "error", "abstained"]
OUTCOMES: tuple[Outcome, ...] = (
    "ok", "refused", "invalid", "truncated", "filtered", "timeout", "error", "abstained",
)  # fmt: skip
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
    """The input of multiple-choice: `options` maps a letter to its text, in the order shown."""

    question: str
    options: Mapping[str, str]
    context: str | None = None


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
    """What one answer took. None means unknown, never zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A method's answer for one input. Every outcome but `ok` scores as wrong.

    probabilities: label (option letter, intent) -> probability, summing to 1, when the method has them.
    raw: the text a generative method wrote.
    span_probabilities: one for each of the target's spans, in order, when the method has them.
    """

    target: Target | None
    outcome: Outcome = "ok"
    probabilities: Mapping[str, float] | None = None
    raw: str | None = None
    usage: Usage | None = None
    span_probabilities: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value with its 95 % interval; `low` and `high` are None where none is defined."""

    value: float
    low: float | None = None
    high: float | None = None


RUN_FORMAT = "slmfit.run/1"
COMPARISON_FORMAT = "slmfit.comparison/1"


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
    split: Mapping[str, Mapping[str, Any]]
    rows_used: Mapping[str, str] = field(default_factory=dict)
    seed: int
    scores: Mapping[str, Mapping[str, Score]]  # split -> name -> score
    details: Mapping[str, Mapping[str, Any]]  # split -> per class, confusion, reliability, outcomes …
    fit_seconds: float | None = None
    search_seconds: float | None = None
    load_seconds: float | None = None
    latency_ms: Mapping[str, float] | None = None
    rows_per_second: float | None = None
    size_bytes: int | None = None
    peak_memory_bytes: int | None = None
    fit_peak_memory_bytes: int | None = None
    usage: Mapping[str, float | int | None]
    warnings: Sequence[str] = ()
    environment: Mapping[str, Any]
    created: str
    files: Mapping[str, str] = field(default_factory=dict)  # path below model/ -> sha256


@dataclass(frozen=True, kw_only=True)
class SeedRun:
    """One training of a method: its seed, its run's folder below the comparison's, its own scores."""

    seed: int
    run: str
    scores: Mapping[str, Mapping[str, Score]]


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
    usd_per_1000_rows: float | None = None
    outcomes: Mapping[str, int] | None = None  # of the test rows' answers

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
            usd_per_1000_rows=None if usd is None else 1000 * usd / record.split["test"]["rows"],
            outcomes=record.details["test"].get("outcomes"),
        )


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord:
    """What `comparison.json` holds and `compare --json` prints. docs/format.md explains every field."""

    dataset: Mapping[str, Any]
    split: Mapping[str, Mapping[str, Any]]
    methods: Sequence[MethodRow]
    verdict: Mapping[str, Any]
    paired: Mapping[str, Mapping[str, Any]]  # method id -> its paired difference to the best
    warnings: Sequence[str]
    command: str
    seed: int
    environment: Mapping[str, Any]
    created: str


def to_plain(record: Any) -> Any:
    """A record as JSON-ready dicts and lists, fields in the order of the class."""
    if is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_plain(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, Mapping):
        return {k: to_plain(v) for k, v in record.items()}
    if isinstance(record, (list, tuple)):
        return [to_plain(v) for v in record]
    return record


def run_from_plain(plain: Mapping[str, Any]) -> RunRecord:
    """The inverse of `to_plain` for a run. Fields added by a later slmfit are left out."""
    values = _values(RunRecord, plain) | {"scores": _scores(plain["scores"])}
    _ = values["scores"]["test"][plain["metric"]]  # every reader shows it
    return RunRecord(**values)


def comparison_from_plain(plain: Mapping[str, Any]) -> ComparisonRecord:
    """The inverse of `to_plain` for a comparison. Fields added by a later slmfit are left out."""
    rows = []
    for row in plain["methods"]:
        values = _values(MethodRow, {**dict.fromkeys(_kinds(MethodRow)), "reused": False, "seeds": [], **row})
        values |= {"scores": row["scores"] and _scores(row["scores"])}
        seeds = [SeedRun(**_values(SeedRun, one) | {"scores": _scores(one["scores"])}) for one in values["seeds"]]
        rows.append(MethodRow(**values | {"seeds": seeds}))
    _ = [plain["verdict"][name] for name in ("kind", "method", "metric", "best", "sentence", "caveats")]
    return ComparisonRecord(**_values(ComparisonRecord, plain) | {"methods": rows})


def _scores(plain: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Score]]:
    def read(score: Mapping[str, Any]) -> Score:
        return Score(**_values(Score, score))

    return {split: {name: read(score) for name, score in scores.items()} for split, scores in plain.items()}


def _values(record: type, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> value. Raises KeyError for a field that is missing, TypeError for one that is of another kind."""
    values = {name: plain[name] for name in _kinds(record)}
    for name, kinds in _kinds(record).items():
        if not isinstance(values[name], kinds):
            raise TypeError(f"a proper {name!r}")
    return values


@cache
def _kinds(record: type) -> dict[str, tuple[Any, ...]]:
    """Field -> what JSON may hold there, from how it is annotated: "Mapping[str, float] | None"."""
    known = {"str": str, "Literal": str, "bool": bool, "int": int, "float": (float, int), "None": type(None)}
    known |= {"Mapping": Mapping, "Sequence": list}
    words = {f.name: re.sub(r"\[.*\]", "", str(f.type)).split(" | ") for f in fields(record)}
    return {name: tuple(known[word] for word in kinds) for name, kinds in words.items()}
