"""Questions as well-known benchmarks publish them, each with columns of its own: which of these plays which role.

    roles_of(["premise", "choice1", "choice2", "question", "label"])
    # {"context": "premise", "question": "question", "opa": "choice1", "opb": "choice2", "answer": "label"}

What the columns' names say also settles from where an answer is counted: `answer` from 0, `answer_number` from 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

NUMBER = "answer_number"  # the role of an answer that is a position counted from 1


def _shape(question: str, options: str, context: str = "", **more: str) -> dict[str, str]:
    """options: the columns, one each, or after `=` the one that has a list of them."""
    columns = options.split()
    many = {f"op{letter}": column for letter, column in zip("abcde", columns, strict=False)}
    found = {"options": options[1:]} if options.startswith("=") else many
    return {"question": question, **found, **({"context": context} if context else {}), **more}


_SHAPES: Mapping[str, dict[str, str]] = {
    "COPA": _shape("question", "choice1 choice2", "premise", answer="label"),
    "PIQA": _shape("goal", "sol1 sol2", answer="label"),
    "Winogrande": _shape("sentence", "option1 option2", answer_number="answer"),
    "SWAG": _shape("startphrase", "ending0 ending1 ending2 ending3", answer="label"),
    "Social IQa": _shape("question", "answerA answerB answerC", "context", answer_number="label"),
    "CosmosQA": _shape("question", "answer0 answer1 answer2 answer3", "context", answer="label"),
    "QuAIL": _shape("question", "=answers", "context", answer="correct_answer_id"),
    "ReClor": _shape("question", "=answers", "context", answer="label"),
    "QuALITY": _shape("question", "=options", "article", answer_number="gold_label"),
    "QuALITY's questions": _shape("question", "=options", answer_number="gold_label"),
    "LogiQA": _shape("query", "=options", "context", answer="correct_option"),
}


def roles_of(columns: Collection[str]) -> dict[str, str]:
    """Role -> column, where all columns of one of these are there; else nothing."""
    return next((shape for shape in _SHAPES.values() if set(shape.values()) <= set(columns)), {})


def how_to_write(columns: Collection[str]) -> str:
    """What to do with columns that are those of questions, but say the right answer by their names; else empty."""
    if not {"question", "correct_answer", "distractor1"} <= set(columns):
        return ""
    others = sorted(column for column in columns if column.startswith("distractor"))
    options = ", ".join(f".{column}" for column in ("correct_answer", *others))
    context = ", context: .support" if "support" in columns else ""
    return (
        "the right answer has a column of its own, and a question's options need an order that does not give it away: "
        f"as JSON lines jq -c '{{question{context}, options: ([{options}] | sort), answer: .correct_answer}}' OLD > NEW"
    )
