"""What is sent whole: the views' frame, the files that the browser runs, pages drawn by others, files to be kept."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from slmfit import reporting, storage
from slmfit.errors import UsageError
from slmfit.exploring.page import draw
from slmfit.methods.tuned import RECORD
from slmfit.reporting import page as drawn
from slmfit.serving.tried import FILES, KINDS

HERE = Path(__file__).parent
ANSWERS = ("label", "spans", "tags", "intent", "answer")  # columns of a row that say what is right


@dataclass(frozen=True)
class View:
    """One view. path: below /. name: its module in static/."""

    path: str
    name: str
    title: str


VIEWS = (
    View("", "data", "Data"),
    View("generate", "generate", "Generate"),
    View("compare", "compare", "Compare"),
    View("try", "try", "Try"),
    View("hand-over", "handover", "Hand over"),
    View("runs", "runs", "Runs"),
    View("settings", "settings", "Settings"),
)


@cache
def _template() -> Any:
    loader = FileSystemLoader([HERE])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("page.html")


def view(path: str, token: str, workspace: str) -> str:
    """The frame of one view; what is in it its module asks for. token: what it shows with each write."""
    now = next(one for one in VIEWS if one.path == path)
    return str(_template().render(views=VIEWS, now=now, token=token, workspace=workspace))


@cache
def _files() -> Mapping[str, Path]:
    """Name -> file: ours, the ones that `slmfit serve` shows too, and the report's sheet."""
    own = [path for path in (HERE / "static").iterdir() if path.suffix in KINDS]
    return {path.name: path for path in (*own, *FILES, *(drawn.HERE / name for name in drawn.STYLES))}


def static(name: str) -> tuple[bytes, str]:
    """One file with its kind. Raises HTTPException where there is none."""
    path = _files().get(name)
    if path is None:
        raise HTTPException(404, "there is no such file")
    return path.read_bytes(), KINDS[path.suffix]


def report(folder: Path) -> tuple[str, str]:
    """A comparison's report, or a tuning's, and the policy it may run under; drawn anew where it is not as this slmfit
    draws it.
    """
    if (folder / RECORD).is_file():
        from slmfit.tuning import page, record

        return page.draw(record.read_tuning(folder), folder.name), drawn.policy(page.SHEETS)
    policy, path = drawn.policy(), folder / "report.html"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() and not path.is_symlink() else ""
    return (text if policy in text[:4000] else reporting.html([folder])), policy


def explored(findings: Any) -> tuple[str, str]:
    """The page of what `slmfit explore --json` found, likewise."""
    if not isinstance(findings, dict):
        raise UsageError("there is nothing to show", fix="let the file be explored again")
    with storage.undamaged("what was found"):
        return draw(findings), drawn.policy()


def questions(folder: Path) -> Response:
    """The test rows of a comparison without their labels, for a model elsewhere to answer. Raises UsageError where the
    comparison was written without texts.
    """
    path = folder / "data" / "test.jsonl"
    if not path.is_file() or path.is_symlink():
        raise UsageError("has no texts of its test rows", where=folder.name, fix="take them from your own file")
    with storage.undamaged(path):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        asked = [{name: cell for name, cell in row.items() if name not in ANSWERS} for row in rows]
        # neg/1.txt, of a folder of texts: the ids say the answers, and a text finds its row without one
        if all(_says(str(row.get("id")), row.get("label")) for row in rows):
            asked = [{name: cell for name, cell in row.items() if name != "id"} for row in asked]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in asked)
    return Response(lines, media_type="application/octet-stream", headers=_kept("test-rows.jsonl"))


def _says(id: str, answer: Any) -> bool:
    return isinstance(answer, str) and answer.casefold() in id.casefold()


def download(path: Path) -> Response:
    """A file of the workspace, to be kept: nothing in it is shown or run."""
    if not path.is_file():
        raise UsageError("is no file", where=path.name, fix="give a file")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    kind = kind if kind.startswith(("text/csv", "application/json")) else "application/octet-stream"
    return FileResponse(path, media_type=kind, headers=_kept(path.name))


def _kept(name: str) -> dict[str, str]:
    """The headers of what is kept under that name, and not shown."""
    return {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
