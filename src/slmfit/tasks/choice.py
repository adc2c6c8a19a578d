"""multiple-choice: a question, 2 to 26 lettered options, one of them right, and sometimes a context to read first.

    task = MultipleChoice()
    task.parse({"question": "Ice is", "options": {"A": "cold", "B": "hot"}, "answer": "A"}, Where("q.jsonl", 1), "1")

A row is one of these; without an answer it has no target:

    ours, MedQA      question, options {letter: text} or [text], answer: letter (or `answer_idx`, `answer_gt`)
    ARC, OpenBookQA  question (question_stem), choices {"text": [...], "label": [...]}, answerKey: label
    MMLU             question, choices [text], answer: position, counted from 0; so HellaSwag's ctx, endings, label
    TruthfulQA       question, choices [text], labels [1, 0, 0, 0]; also both in mc1_targets
    MedMCQA          question, opa … opd, cop: position, counted from 0 as on the hub (-1 = no answer given)
    ARC's own        question {"stem", "choices": [{"text", "label"}]}, answerKey: label; so CommonsenseQA's
    tables           question (prompt), A … D (option_a …, choice_a …), answer (correct_answer, label): any of these
    COPA, PIQA, …    columns of their own, see published.py; Winogrande's and Social IQa's answers are counted from 1

`answer_number`, in place of `answer`, is a position counted from 1.
Options keep the order shown. Capital letters stay, small ones become capital, any other labels become A, B, C …
An answer is looked for among the letters and labels first, then among the options' texts, then as a position.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from string import ascii_uppercase
from typing import Any, ClassVar, Self

import numpy as np

from slmfit.errors import DataError, UsageError, Where, did_you_mean
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.statistic import share_right
from slmfit.records import Example, Input, Prediction, Question, Target
from slmfit.tasks.answers import class_columns
from slmfit.tasks.base import Components, Row, Scores
from slmfit.tasks.choice_record import answered, reordered
from slmfit.tasks.choice_scores import by_letter, of_questions
from slmfit.tasks.common import (
    column_of,
    count_outcomes,
    coverage_points,
    find,
    one_form,
    probability_scores,
    probability_table,
    reliability,
)
from slmfit.tasks.forms import Form
from slmfit.tasks.forms.letters import Letters, question_of
from slmfit.tasks.options import AT, MARKS, POINTED, flat, labelled, letter_meant, letter_numbered, lettered, whole
from slmfit.tasks.published import NUMBER, how_to_write, roles_of
from slmfit.text.figures import listed

MEDMCQA = ("opa", "opb")  # of which a question has at least these
_PREFIXES = ("op", "", "option", "option_", "option ", "choice", "choice_", "choice ", "answer_")
APART = {f"op{letter}": tuple(f"{prefix}{letter}" for prefix in _PREFIXES) for letter in "abcdefgh"}
_NUMBERED = re.compile("(?:option|choice|ending|opt|sol)[ _-]?[0-9]", re.IGNORECASE)
LOOKED_AT = 20  # rows, by which it is judged whether columns are options
_ANSWERS = ("answer", NUMBER)
FEW_NEVER_FIRST = 5  # rows by which it is only said
NEVER_FIRST = 20  # rows whose answers are positions; if none is 0 by then, they were counted from 1


@dataclass(frozen=True)
class MultipleChoice:
    """The task of the module's docstring. labels: the letters that are right somewhere, sorted."""

    labels: tuple[str, ...] = ()

    name: ClassVar[str] = "multiple-choice"
    metric: ClassVar[str] = "accuracy"
    metrics: ClassVar[tuple[str, ...]] = ("accuracy",)
    roles: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "question": ("question", "question_stem", "prompt", "ctx"),
        "options": ("options", "choices", "endings"),
        "answer": (
            "answer_idx", "answer", "answerKey", "answer_gt", "cop", "correct_answer", "correct_option", "correct",
            "label", MARKS,
        ),
        NUMBER: (NUMBER,),
        "context": ("context", "passage", "article"),
        "subject": ("subject", "subject_name"),
    } | APART  # fmt: skip
    required: ClassVar[tuple[str, ...]] = ("question",)
    texts: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "question"
    classifies: ClassVar[bool] = False
    marks: ClassVar[bool] = False

    def recognises(self, columns: Sequence[str]) -> bool:
        """A question with options under a name of theirs."""
        lower = {column.lower() for column in columns}
        has = {role: any(name.lower() in lower for name in names) for role, names in self.roles.items()}
        return has["question"] and (has["options"] or lower.issuperset(MEDMCQA))

    def shown_by(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """role -> column, where a question has its options in columns, or in it, and an answer fits, or the columns are
        those of a benchmark; else empty.
        """
        first = list(islice(rows, LOOKED_AT))
        if published := roles_of({column for row in first for column in row}):
            return published
        whole = any(isinstance(row.get(roles.get("question", "")), Mapping) for row in first)  # an object of ARC's
        if not ({"question", "answer"} if whole else {"question", "answer", *MEDMCQA}) <= roles.keys():
            return {}
        for row in first:
            with contextlib.suppress(DataError):
                keyed = {role: row.get(column) for role, column in roles.items()}
                if self.parse(keyed, Where(""), "").target is not None:
                    return dict(roles)
        return {}

    def bare(self, roles: Mapping[str, str], rows: Iterable[Row]) -> bool:
        return False

    def spoken(self, role: str) -> str:
        """All columns of options are options."""
        return "options" if role in APART else "answer, counted from 1," if role == NUMBER else role

    def overlooked(self, columns: Sequence[str]) -> str:
        """How to read columns that may be options, but of which no answer fits, or that are numbered; else empty."""
        if how := how_to_write(columns):
            return how
        lower = {column.lower() for column in columns}
        if all(not lower.isdisjoint(map(str.lower, self.roles[role])) for role in ("question", "answer", *MEDMCQA)):
            return f"its columns may be those of a question whose answer fits no option: see --task {self.name}"
        found = [column for column in columns if _NUMBERED.fullmatch(column)][: len(APART)]
        if len(found) < 2:
            return ""
        named = " ".join(f"--column {role}={shlex.quote(column)}" for role, column in zip(APART, found, strict=False))
        return f"{listed(found, 26)} may be options of a question: --task {self.name} {named}"

    def parse(self, row: Row, where: Where, id: str) -> Example:
        """One row, keyed by role or by any name of it. Raises DataError naming file, line and column."""
        row = flat(row)
        question_in, question = find(row, self.roles["question"])
        if not isinstance(question, str) or not question.strip():
            raise DataError("the question is empty", where=where.at(question_in), fix="write it, or drop the row")
        context_in, context = find(row, self.roles["context"])
        if not isinstance(context, str | None):
            raise DataError(f"the context is {context!r}", where=where.at(context_in), fix="write it as text")
        options, letter_of = self._options(row, where)
        answer_in, answer = find(row, self.roles["answer"])
        if (number := row.get(NUMBER)) is not None:
            letter = letter_numbered(number, letter_of, options, where.at(NUMBER))
        else:
            letter = letter_meant(answer, letter_of, options, where.at(answer_in))
        _, subject = find(row, self.roles["subject"])
        named = str(subject).strip() if isinstance(subject, str | int) else ""
        return Example(id, Question(question, options, context, named or None), letter)

    def _options(self, row: Row, where: Where) -> tuple[dict[str, str], dict[str, str]]:
        """Letter -> text, and label as given -> letter."""
        column, cell = find(row, self.roles["options"])
        if cell is None:
            apart = {role[-1]: find(row, names)[1] for role, names in APART.items()}
            cell = {letter: text for letter, text in apart.items() if text not in (None, "")}
            if not cell:
                fix = "give them in a column 'options', or in a column each: A, B, C …"
                raise DataError("the question has no options", where=where.at(column), fix=fix)
        pairs = labelled(cell, where.at(column))
        labels = [label for label, _ in pairs]
        letters = lettered(labels, where.at(column))
        options = dict(zip(letters, (text for _, text in pairs), strict=True))
        return options, {label: letter for label, letter in zip(labels, letters, strict=True) if label}

    def noted(self, rows: Iterable[tuple[Where, Row]]) -> Iterable[str]:
        """That answers are read as positions, where they are. Raises DataError where they count from 1 by their look:
        so many rows, and the first option is never right.
        """
        found = [(where, at) for where, row in rows if (at := self._position(row, where)) is not None]
        if not found:
            return
        if len(found) >= NEVER_FIRST and all(at for _, at in found):
            where, at = found[0]
            what = f"the answer {at} is a position counted from 0, and in {len(found):,} such rows none is 0"
            fix = f"if they count from 1, say so: --column {NUMBER}=NAME; else give letters"
            raise DataError(what, where=where, fix=fix)
        never = f"; none of {len(found)} is 0, so if they count from 1, say --column {NUMBER}=NAME"
        doubted = never if len(found) >= FEW_NEVER_FIRST and all(at for _, at in found) else ""
        yield f"answers that are numbers are positions counted from 0: 0 is A{doubted}."

    def _position(self, row: Row, where: Where) -> int | None:
        """The answer as a position among the options, where it is read as one."""
        row = flat(row)
        _, answer = find(row, self.roles["answer"])
        if not POINTED.fullmatch(str(answer).strip()):
            return None
        options, letter_of = self._options(row, where)
        word = str(whole(answer, options)).strip()
        if not AT.fullmatch(word):
            return None
        named = any(label.isdecimal() for label in letter_of) or answer in options.values()
        return None if named else int(word)

    def unparse(self, example: Example) -> dict[str, Any]:
        """question, options, and context, subject and answer where there are."""
        question = question_of(example.input)
        row = {"id": example.id, "question": question.question, "options": dict(question.options)}
        more = {"context": question.context, "subject": question.subject, "answer": example.target}
        return row | {key: value for key, value in more.items() if value is not None}

    def with_labels(self, targets: Iterable[Target]) -> Self:
        return type(self)(tuple(sorted({target for target in targets if isinstance(target, str)})))

    def text(self, input: Input) -> str:
        """Context, question and options, a line each; no letters."""
        return self.form().words(input)

    def label(self, target: Target) -> str:
        return str(target)

    def form(self, name: str | None = None, grain: str = "words") -> Form:
        """`letter`."""
        return one_form(Letters(self.labels), name)

    # --- inputs and answers ---

    def given(self, value: Any) -> Input:
        if not isinstance(value, Question):
            what = f"a question with its options is needed, not {type(value).__name__}"
            fix = "give --input FILE with the columns question and options; in Python slmfit.Question(…)"
            raise UsageError(what, fix=fix)
        return value

    def seen(self, row: Row, columns: Mapping[str, str], where: Where) -> tuple[Input, dict[str, Any]]:
        keyed = {role: row[column] for role, column in columns.items() if column in row and role not in _ANSWERS}
        if "question" not in keyed or not ("options" in keyed or keyed.keys() >= set(MEDMCQA)):
            found = {role: column_of(row, columns.get(role), names) for role, names in self.roles.items()}
            keyed = {role: row[column] for role, column in found.items() if column is not None and role not in _ANSWERS}
        return self.parse(keyed, where, "").input, {}

    def columns(self, prediction: Prediction, input: Input) -> dict[str, Any]:
        return class_columns(prediction)

    def offered(self, input: Input) -> Sequence[str]:
        """A letter that the question does not offer is no answer to it."""
        return tuple(question_of(input).options)

    def floor(self, target: Target) -> Target:
        return target

    def class_of(self, target: Target) -> str | None:
        """None: a letter says where an answer stands, not what a text is about."""
        return None

    def counted(self, target: Target) -> Iterable[tuple[str, str]]:
        return [("answer letter", str(target))]

    def agreed(self, target: Target) -> str:
        return str(target)

    def answered(self, example: Example, prediction: Prediction) -> dict[str, Any]:
        """The record of a question and what was answered to it; see `choice_record`."""
        return answered(example, prediction, Letters(self.labels))

    def reordered(self, input: Input, key: str) -> tuple[Input, Mapping[str, str]]:
        """The question with its options in another order, and new letter -> the letter it was."""
        return reordered(input, key)

    # --- scores ---

    def components(self, metric: str, targets: Sequence[Target], predictions: Sequence[Prediction]) -> Components:
        """0/1 and 1 per row; the only metric is `accuracy`. Raises UsageError for another."""
        if metric not in self.metrics:
            raise UsageError(f"{self.name} has no metric {metric!r}", fix=did_you_mean(metric, self.metrics))
        right = [p.outcome == "ok" and p.target == t for t, p in zip(targets, predictions, strict=True)]
        rows = np.column_stack([right, np.ones(len(right))]).astype(np.float64)
        return Components(rows, lambda sums: sums[..., 0] / sums[..., 1], paired_mean=True)

    def score(
        self,
        targets: Sequence[Target],
        predictions: Sequence[Prediction],
        seed: int = 0,
        inputs: Sequence[Input] | None = None,
    ) -> Scores:
        """`accuracy`; and `log_loss`, `brier` and `expected_calibration_error` where every row has probabilities.

        details: `rows`, `outcomes`, `by_letter` (position bias: accuracy where the right answer stands there, and the
        share of answers that name it); with probabilities `reliability` and `coverage`, as of labels; with the inputs
        also what `choice_scores.of_questions` says.
        """
        right = self.components("accuracy", targets, predictions).rows[:, 0] > 0
        clusters = clusters_of(map(self.text, inputs or ()))
        chances = probability_scores(ascii_uppercase, targets, predictions, right, seed, clusters)
        values = {"accuracy": share_right(right, clusters)} | chances
        details: dict[str, Any] = {
            "rows": len(right),
            "outcomes": count_outcomes(predictions),
            "by_letter": by_letter(targets, predictions, right, clusters),
        }
        if chances:
            confidence = probability_table(ascii_uppercase, predictions).max(axis=1)
            details["reliability"] = reliability(confidence, right)
            details["coverage"] = coverage_points(confidence, right, clusters=clusters)
        if inputs is not None:
            details |= of_questions(inputs, targets, right, clusters)
        return Scores(values, details)
