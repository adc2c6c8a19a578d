"""The form `html`: a run as one page that is the classifier, for a browser without a network.

    write_page(run, folder, Wishes())       # folder/linear.html and export.json

    contents.py    what of a method goes in     spelling.py tokenizing.py    what characters are to it
    packing.py     how it is packed             replay.py                    a real browser answers the validation rows
    page.html page.css page.js                  what is seen
    unpack.js cleaning.js cutting.js tfidf.js static.js classify.js          the method again, number by number
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.exporting.page.contents import contents
from slmfit.exporting.page.packing import packed
from slmfit.reporting.page import STYLES, render
from slmfit.runs.run import Run
from slmfit.text.figures import by_unit, interval, number_words, told

HERE = Path(__file__).parent
CODE = ("unpack.js", "cleaning.js", "cutting.js", "tfidf.js", "static.js", "classify.js", "page.js")


def page(run: Run, checked: str) -> str:
    """The page of a run. checked: what a browser said to it. Raises UsageError for a run that cannot be one."""
    head, sections = contents(run)
    return render(
        HERE / "page.html",
        styles=(*STYLES, HERE / "page.css"),
        scripts=[HERE / name for name in CODE],
        packed=packed(head, sections),
        boxes=head["texts"] or ["Text"],
        **_told(run, checked),
    )


def _told(run: Run, checked: str) -> dict[str, Any]:
    """What the page says of itself."""
    record = run.record
    metric, labels = record.metric, run.task.labels
    score = record.scores["test"][metric]
    rows = record.split["test"].rows
    said = f"{told(metric)} {by_unit(metric, score.value)} ({interval(metric, score)})"
    shown = ", ".join(labels[:6]) + (f" and {len(labels) - 6:,} more" if len(labels) > 6 else "")
    fitted = record.split["train"].rows
    return {
        "title": record.dataset["name"],
        "lead": f"Which of {number_words(len(labels))} labels is it? {shown}.",
        "facts": [
            f"{record.method}, fitted by slmfit on {fitted:,} rows on {record.created[:10]}: {said} on {rows:,} test rows.",
            checked,
            "All of it is in this file, and it asks nobody: what you type stays on this device. It holds words of the "
            "data, and none of its rows.",
        ],
    }
