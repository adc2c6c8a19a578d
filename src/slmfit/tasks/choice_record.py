"""A question with what was answered to it, as others write it down; and a question with its options in another order.

answered(example, Prediction("B"), form)
# {"question_id": "7", "question": "Ice is", "options": {"A": "hot", "B": "cold"}, "answer_gt": "B",
#  "model_output": {"reasoning_steps": [], "final_answer": "B"}, "is_correct": True}
"""

from __future__ import annotations

import random
from typing import Any

from slmfit.records import Example, Input, Prediction, Question
from slmfit.tasks.forms.base import INVALID
from slmfit.tasks.forms.letters import Letters, question_of


def answered(example: Example, prediction: Prediction, form: Letters) -> dict[str, Any]:
    """JSON as it stands, and a row that the task reads.

    reasoning_steps: the lines that a model wrote beside its answer. final_answer: null where it gave none that counts.
    """
    question = question_of(example.input)
    row: dict[str, Any] = {"question_id": example.id, "question": question.question, "options": dict(question.options)}
    more = {"context": question.context, "subject": question.subject}
    row |= {name: value for name, value in more.items() if value is not None}
    letter = prediction.target if prediction.outcome == "ok" else None
    lines = [line.strip() for line in (prediction.raw or "").splitlines() if line.strip()]
    steps = [line for line in lines if form.read(line, question) == INVALID]
    output = {"reasoning_steps": steps, "final_answer": letter}
    return row | {
        "answer_gt": example.target,
        "model_output": output,
        "is_correct": letter is not None and letter == example.target,
    }


def reordered(input: Input, key: str) -> tuple[Question, dict[str, str]]:
    """The question with its options' texts dealt out to its letters anew, and new letter -> the letter it was.

    key: of the order; the same key and question make the same order.
    """
    question = question_of(input)
    letters = list(question.options)
    dealt = random.Random(f"{key} {question.question}").sample(letters, len(letters))
    was = dict(zip(letters, dealt, strict=True))
    options = {letter: question.options[old] for letter, old in was.items()}
    return Question(question.question, options, question.context, question.subject), was
