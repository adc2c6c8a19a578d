"""A comparison, or runs, as one file that opens anywhere: drawn from what is on disk, nothing computed.

    report("slmfit-out/tickets-3fa9c1")                      # -> …/report.html
    report("slmfit-out/tickets-3fa9c1", texts=False)         # without the users' rows, to be sent on

`disk` reads, `view` and `pictures` put into words and charts, `rows` packs the test rows, `page` makes the file safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from slmfit import storage

SIZE = 980_000  # bytes a report may have; the excerpts of the texts are cut to what is left of it
LEAST = 200_000  # characters that the rows get in any case


def report(folders: str | Path | Sequence[str | Path], output: str | Path | None = None, *, texts: bool = True) -> Path:
    """Write the report of a comparison, of a run, or of several runs over the same test rows; returns its path.

    output: None = `report.html` in the first folder. texts: whether the rows' texts are in it.
    Raises UsageError for a folder that holds neither, and SlmfitError when a record is damaged or the disk refuses.
    """
    paths = [Path(f) for f in ([folders] if isinstance(folders, str | Path) else folders)]
    page = html(paths, texts=texts)
    if output is None:
        path = paths[0] / "report.html"
        storage.write_text(path, page)
        return path
    path = Path(output)
    storage.make_folder(path.parent)
    storage.write_output(path, page)
    return path


def markdown(folders: str | Path | Sequence[str | Path]) -> str:
    """The verdict and the table of a comparison, or of each run, as Markdown for a pull request."""
    from slmfit.reporting import disk
    from slmfit.runs.brief import markdown

    paths = [Path(f) for f in ([folders] if isinstance(folders, str | Path) else folders)]
    with storage.undamaged(paths[0] if paths else "."):
        source = disk.read(paths)
        if source.comparison:
            return markdown(source.comparison)
        return "\n".join(markdown(record) for record in source.records.values())


def write_curves(folders: Sequence[Path], output: Path) -> int:
    """Losses and scores over time as CSV beside the report; returns how many lines."""
    from slmfit.reporting import curves

    return curves.write_curves(folders, output)


def html(folders: Sequence[Path], *, texts: bool = True) -> str:
    """The report as a string."""
    from jinja2 import UndefinedError

    with storage.undamaged(folders[0] if folders else "."):
        try:
            return _html(folders, texts)
        except UndefinedError as error:  # a field that the page shows, and a record lacks
            raise KeyError(str(error)) from error


def _html(folders: Sequence[Path], texts: bool) -> str:
    from slmfit.reporting import disk, rows, view
    from slmfit.reporting.page import HERE, render
    from slmfit.reporting.unplaced import without_places

    source = without_places(disk.read(folders))
    shown: dict[str, Any] = view.build(source, texts=texts)
    table = rows.gather(source, texts=texts)
    if table is None:
        return render(HERE / "page.html", table=None, **shown)
    draft = render(HERE / "page.html", **_with_rows(shown, table, "", None))
    block, cut = rows.fitted(table, max(LEAST, SIZE - len(draft.encode("utf-8", "replace"))))
    return render(HERE / "page.html", **_with_rows(shown, table, block, cut))


def _with_rows(shown: dict[str, Any], table: Any, block: str, cut: int | None) -> dict[str, Any]:
    from slmfit.reporting import rows
    from slmfit.reporting.page import embedded

    about = {
        "shown": len(table.ids),
        "total": table.total,
        "sampled": len(table.ids) < table.total,
        "surest": rows.SUREST,
        "texts": table.texts is not None,
        "cut": cut,
        "labels": table.labels,
    }
    return {**shown, "table": about, "rows": block, "facts": embedded(shown["facts"] | {"sampled": about["sampled"]})}
