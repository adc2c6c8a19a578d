"""What to type next: the last line that a verb prints for people, on stderr.

say_next("predict", "compared", "a new text")        # next: slmfit predict compared 'a new text'
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from slmfit.cli.screen import say
from slmfit.records import GIVEN
from slmfit.tasks import by_name
from slmfit.text.visible import without_keys

if TYPE_CHECKING:
    from slmfit.comparison.compare import Comparison
    from slmfit.records import RunRecord

A_TEXT = "a new text"


def say_next(*words: str) -> None:
    """The next command, as it is typed."""
    say(f"next: {shlex.join(['slmfit', *map(without_keys, words)])}", err=True)


def ask(folder: Path | str, record: "RunRecord | None" = None) -> tuple[str, ...]:
    """The words that ask a run: a text where that is all its task reads, else a file."""
    task = record.task if record else {}
    if not task or ("text" in by_name(task["name"]).roles and not task.get("texts")):
        return ("predict", str(folder), A_TEXT)
    return ("predict", str(folder), "--input", "new.csv", "--output", "answered.csv")


def after_comparison(comparison: "Comparison") -> tuple[str, ...]:
    """The words that ask the pick, where there is none the best, and where those are answers from a file, which can be
    asked nothing, the best of the others.
    """
    verdict = comparison.record.verdict
    runs = {id: run for id, run in comparison.runs.items() if run.record.method != GIVEN}
    if verdict.method in runs:
        return ask(comparison.folder, runs[verdict.method].record)
    if verdict.best in runs:
        return ask(runs[verdict.best].folder, runs[verdict.best].record)
    if runs:
        best = max(runs.values(), key=lambda run: run.record.scores["test"][run.record.metric].value)
        return ask(best.folder, best.record)
    return ("methods",)
