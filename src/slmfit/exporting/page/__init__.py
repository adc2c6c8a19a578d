"""The form `html`: a run as one page that is the classifier, for a browser without a network.

write_page(run, folder, Wishes())       # folder/linear.html and export.json

contents.py    what of a method goes in     spelling.py tokenizing.py    what characters are to it
packing.py     how it is packed             replay.py                    a real browser answers the validation rows
page.html page.css page.js                  what is seen
unpack.js cleaning.js cutting.js tfidf.js static.js classify.js          the method again, number by number
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.dataset import Dataset
from slmfit.errors import DataError, MissingPart
from slmfit.exporting.gate import Gate, Judged, let_through
from slmfit.exporting.page.contents import contents
from slmfit.exporting.page.packing import packed
from slmfit.exporting.page.replay import answered
from slmfit.exporting.record import ExportRecord, write_export
from slmfit.exporting.wishes import Wishes
from slmfit.reporting.page import STYLES, render
from slmfit.runs.rows import rows_of
from slmfit.runs.run import Run
from slmfit.text.figures import by_unit, interval, number_words, told

HERE = Path(__file__).parent
CODE = ("unpack.js", "cleaning.js", "cutting.js", "tfidf.js", "static.js", "classify.js", "page.js")


def write_page(run: Run, folder: Path, wishes: Wishes) -> None:
    """Write the page into an empty folder, once a browser has answered every validation row with it as the run does.

    Where there is no browser or there are no rows, `wishes.accept` writes it unchecked, and page and record say so.
    Raises UsageError for a run that cannot be a page, GateRefused where an answer is another, MissingPart without a
    browser, DataError without the rows.
    """
    draft, path = Draft(run), folder / f"{storage.file_name(run.record.id)}.html"
    about, judged = {"page": path.name, "bytes_of_model": len(draft.packed)}, None
    try:
        judged = let_through(_judged(draft, path, rows_of(run, wishes.data)), wishes.accept)
        checked = _checked(judged)
    except (MissingPart, DataError) as error:
        if not wishes.accept:
            raise
        checked = about["unchecked"] = f"Not checked in a browser: {error.what}."
    storage.write_text(path, draft.page(checked))
    write_export(folder, ExportRecord.of(run, form="html", gate=judged, about=about))


class Draft:
    """The page of a run, but for what a browser said to it."""

    def __init__(self, run: Run) -> None:
        """Raises UsageError for a run that cannot be a page."""
        head, sections = contents(run)
        self.run, self.texts, self.packed = run, head["texts"], packed(head, sections)

    def page(self, checked: str) -> str:
        return render(
            HERE / "page.html",
            styles=(*STYLES, HERE / "page.css"),
            scripts=[HERE / name for name in CODE],
            packed=self.packed,
            boxes=self.texts or ["Text"],
            **_told(self.run, checked),
        )


def _judged(draft: Draft, path: Path, data: Dataset) -> Judged:
    """How the page answers the validation rows in a browser, beside the run as it predicts now."""
    storage.write_text(path, draft.page("Not checked in a browser."))
    inputs = [example.input for example in data.validation]
    gate = Gate(draft.run, data.validation, draft.run.predict(inputs))
    return gate.judge("the page", answered(path, inputs), exact=True)


def _checked(judged: Judged) -> str:
    if judged.passed:
        return f"Checked in a browser: it answers each of {judged.rows:,} validation rows as the run does."
    return f"Checked in a browser, and accepted though {'; '.join(judged.reasons)}."


def _told(run: Run, checked: str) -> dict[str, Any]:
    """What the page says of itself."""
    record = run.record
    metric, score = record.metric, record.scores["test"][record.metric]
    ends = f" ({interval(metric, score)})" if interval(metric, score) else ""
    used = ("train", "validation") if "validation" in record.rows_used.get("fitted", "") else ("train",)
    fitted = sum(record.split[split].rows for split in used)
    said = f"{told(metric)} {by_unit(metric, score.value)}{ends} on {record.split['test'].rows:,} test rows"
    return {
        "title": record.dataset["name"],
        "lead": f"Which of {number_words(len(run.task.labels))} labels is it: {_either(run.task.labels)}?",
        "facts": [
            f"{record.method}, fitted by slmfit on {fitted:,} rows on {record.created[:10]}: {said}.",
            checked,
            "All of it is in this file, and it asks nobody. It holds words of the data, and none of its rows.",
        ],
    }


def _either(labels: Sequence[str]) -> str:
    """The labels as a question names them; of many the first."""
    if len(labels) > 6:
        return f"{', '.join(labels[:5])} or one of {len(labels) - 5:,} more"
    return " or ".join(filter(None, (", ".join(labels[:-1]), *labels[-1:])))
