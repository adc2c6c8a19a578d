"""What is odd about the options of questions: the right one is always at the same place, or an option is none.

option_findings([("train", Example("1", Question("Ice is", {"A": "cold", "B": "N/A"}), "A")), …])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from slmfit.data.audit.findings import Finding, excerpt, finding
from slmfit.data.audit.odd_labels import NO_OPTION
from slmfit.records import Example
from slmfit.tasks.choice import question_of
from slmfit.tasks.common import options_of
from slmfit.text.figures import listed, part_of

_FEWEST = 20  # questions
_NEARLY_ALL = 0.95  # of them, whose right option stands at one place


def option_findings(rows: Sequence[tuple[str, Example]]) -> Iterator[Finding]:
    """rows: (split, example) of all splits; nothing is found where inputs are no questions."""
    asked = [(split, e, options) for split, e in rows if (options := options_of(e.input))]
    letters = Counter(str(example.target) for _, example, _ in asked if example.target is not None)
    if letters.total() >= _FEWEST:
        [(letter, count)] = letters.most_common(1)
        if count >= _NEARLY_ALL * letters.total():
            message = f"{part_of(count, letters.total(), 'question', 'have')} their right answer at {letter}."
            fix = "Put the options of each question in an order by chance: the letter gives the answer away."
            yield finding("one_letter", "warning", count, message, fix)
    empty = [
        (
            {"id": example.id, "split": split, "label": letter, "text": excerpt(question_of(example.input).question)},
            text.strip(),
        )
        for split, example, options in asked
        for letter, text in options.items()
        if _is_none(text.strip())
    ]
    if empty:
        names = listed(sorted({text for _, text in empty}))
        questions = len({(row["split"], row["id"]) for row, _ in empty})
        message = (
            f"{part_of(questions, len(asked), 'question', 'have')} an option that reads as if there were none: {names}."
        )
        fix = "Leave the option out, or write what is meant: a question with fewer options is easier by chance."
        yield finding("no_option", "warning", questions, message, fix, ({"rows": [row]} for row, _ in empty))


def _is_none(text: str) -> bool:
    """`Na` is sodium."""
    return text != "Na" and text.lower() in NO_OPTION
