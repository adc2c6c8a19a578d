"""The page that a server of runs shows on `/`: what is typed there goes to its routes, as any client's does."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from slmfit.reporting.page import HERE as REPORT

HERE = Path(__file__).parent / "static"
FILES = sorted(path for path in HERE.iterdir() if path.suffix in (".js", ".css", ".svg"))
KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".html": "text/html; charset=utf-8",
}
SAFE = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


async def page(request: Request) -> Response:
    return sent(HERE / "tried.html")


async def static(request: Request) -> Response:
    """One of its files. Raises HTTPException where there is none."""
    known = {path.name: path for path in (*FILES, REPORT / "style.css")}
    path = known.get(request.path_params["name"])
    if path is None:
        raise HTTPException(404, "there is no such file")
    return sent(path)


def sent(path: Path) -> Response:
    return Response(path.read_bytes(), media_type=KINDS[path.suffix], headers=SAFE)
