"""Answers that a caller hands over, looked at before anything is fitted: one `Prediction` per test row, in order.

checked_given({"gpt": [Prediction("billing"), …]}, data)        # {"gpt": [Prediction("billing"), …]}
checked_given({"gpt": ["billing", …]}, data)                    # UsageError: given['gpt'][0], test row '7': is str, …
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError
from slmfit.records import OUTCOMES, Example, Prediction, Span
from slmfit.storage import file_name
from slmfit.tasks import names_of
from slmfit.tasks.answers import can_be_answer, entities_of
from slmfit.tasks.base import Task
from slmfit.text.figures import listed, number_of

_MOST = 1.01  # that probabilities sum to, for what rounding does to them


def checked_given(given: Mapping[str, Iterable[Prediction]] | None, data: Dataset) -> dict[str, list[Prediction]]:
    """The answers as lists; one that says neither what nor why not, or no label of the data, is `invalid`.

    Raises UsageError, which names the row, for anything else than predictions of the data's task for its test rows, and
    for two names that would be one folder's.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        fix = 'give {"NAME": [slmfit.Prediction(…), …]}'
        raise UsageError("given maps a name to its answers, and this is something else", fix=fix)
    folders: dict[str, str] = {}
    for name in given:
        if (other := folders.setdefault(file_name(name).lower(), name)) != name:
            what = f"the answers of {other!r} and {name!r} would be kept in one folder"
            raise UsageError(what, fix="give names that differ in letters or digits: --predictions NAME=FILE")
    return {name: list(_checked(f"given[{name!r}]", answers, data)) for name, answers in given.items()}


def _checked(where: str, answers: Any, data: Dataset) -> Iterator[Prediction]:
    if isinstance(answers, str | bytes | Mapping) or not isinstance(answers, Iterable):
        by_id = "slmfit.Prediction(answers[row.id])" if isinstance(answers, Mapping) else "slmfit.Prediction(…)"
        what = f"is {type(answers).__name__}, not a list of predictions"
        raise UsageError(what, where=where, fix=f"give [{by_id} for row in data.test]")
    found, rows = list(answers), data.test
    if len(found) != len(rows):
        what = f"holds {number_of(len(found), 'answer')} for {number_of(len(rows), 'test row')}"
        fix = "give one for each row of data.test, in its order: slmfit.Prediction(None, 'error') where there is none"
        raise UsageError(what, where=where, fix=fix)
    for number, (answer, row) in enumerate(zip(found, rows, strict=True)):
        yield _prediction(answer, row, data.task, f"{where}[{number}], test row {row.id!r}")


def _prediction(answer: Any, row: Example, task: Task, where: str) -> Prediction:
    if not isinstance(answer, Prediction):
        raise UsageError(f"is {type(answer).__name__}, not a prediction", where=where, fix=_meant(answer, task))
    if answer.outcome not in OUTCOMES:
        raise UsageError(
            f"there is no outcome {answer.outcome!r}", where=where, fix=f"use one of {', '.join(OUTCOMES)}"
        )
    target = answer.target
    if target is not None and not can_be_answer(target, task):
        what = f"the answer is {type(target).__name__}"
        raise UsageError(what, where=where, fix=_meant(target, task))
    spans = entities_of(target).spans
    _check_spans(spans, row, where)
    names = task.offered(row.input) or names_of(task)["intents" if task.marks else "labels"]
    if isinstance(target, str) and target not in names and answer.outcome == "ok":  # read as that of a file would be
        said = task.form().read(target, row.input)
        answer = replace(answer, target=said.target, outcome=said.outcome, raw=answer.raw or target)
    return replace(
        answer,
        outcome="invalid" if answer.target is None and answer.outcome == "ok" else answer.outcome,
        probabilities=_shares(answer.probabilities, names, where),
        span_probabilities=_of_spans(answer.span_probabilities, spans, where),
        confidence=None if answer.confidence is None else _share(answer.confidence, "the confidence", where),
    )


def _meant(answer: Any, task: Task) -> str:
    """The fix for what is no prediction, or none of the task."""
    if task.marks:
        return "write slmfit.Prediction(slmfit.Entities((slmfit.Span(START, END, 'TYPE'), …), INTENT))"
    if isinstance(answer, str):
        return f"write slmfit.Prediction({str(answer)!r})"
    return f"write slmfit.Prediction(NAME), where NAME is one of {listed(names_of(task)['labels'], 10)}"


def _check_spans(spans: Sequence[Span], row: Example, where: str) -> None:
    """Raises UsageError for what is no stretch of the row's text."""
    length = len(str(row.input))
    for span in spans:
        if not isinstance(span, Span) or not 0 <= span.start < span.end <= length:
            what = f"{span!r} is no stretch of the row's text, which has {number_of(length, 'character')}"
            raise UsageError(what, where=where, fix="count characters from 0, up to and without the end")


def _shares(shares: Any, names: Collection[str], where: str) -> dict[str, float] | None:
    if shares is None:
        return None
    fix = f"give each of {listed(names, 10)} its share, or leave probabilities out"
    if not isinstance(shares, Mapping):
        raise UsageError(f"the probabilities are {type(shares).__name__}", where=where, fix=fix)
    for name in shares:
        if name not in names:
            raise UsageError(f"there is a probability of {name!r}, which is no answer here", where=where, fix=fix)
    found = {str(name): _share(share, f"the probability of {name!r}", where) for name, share in shares.items()}
    if sum(found.values()) > _MOST:
        raise UsageError(f"the probabilities sum to {sum(found.values()):.3g}, not to 1", where=where, fix=fix)
    return found


def _of_spans(shares: Any, spans: Sequence[Span], where: str) -> list[float] | None:
    if shares is None:
        return None
    found = [_share(share, "the probability of a span", where) for share in shares]
    if len(found) != len(spans):
        what = f"{len(found)} probabilities do not go with {number_of(len(spans), 'span')}"
        raise UsageError(what, where=where, fix="give one for each span, or leave span_probabilities out")
    return found


def _share(share: Any, what: str, where: str) -> float:
    if not isinstance(share, Real) or not 0 <= float(share) <= 1:
        raise UsageError(f"{what} is {share!r}", where=where, fix="give a number from 0 to 1, or leave it out")
    return float(share)
