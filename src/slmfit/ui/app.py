"""The page as an application: its views, what they ask for, and what they may have done.

app = Page(Workspace("."), limits, token, names=(), cookie="slmfit")

Every answer is made of what is on disk now. What is refused is said in the words of `errors.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from slmfit.errors import SlmfitError, UsageError
from slmfit.serving.asking import Gone, read_json
from slmfit.serving.guard import Receive, Scope, Send
from slmfit.serving.limits import Limits
from slmfit.serving.line import Line
from slmfit.serving.receiving import is_gone
from slmfit.serving.replies import Refusal, error_body
from slmfit.ui import pages, shown
from slmfit.ui.asking import Desk
from slmfit.ui.commands import command
from slmfit.ui.door import Door
from slmfit.ui.following import follow, log_from, whole_lines
from slmfit.ui.jobs import Jobs
from slmfit.ui.rows import Tables
from slmfit.ui.uploads import Uploads
from slmfit.ui.wording import in_fields
from slmfit.ui.workspace import Workspace

Asked = Callable[[Request], Awaitable[Response]]


class Page:
    """See the module. What `slmfit.serving.server` needs of it: `lines`, `limits`, `draining`, `give_up`."""

    def __init__(
        self, workspace: Workspace, limits: Limits, token: str, names: Collection[str], cookie: str = "slmfit"
    ) -> None:
        self.workspace, self.limits, self.draining = workspace, limits, False
        self.jobs, self.tables, self.uploads = Jobs(workspace), Tables(), Uploads(workspace)
        self.desk, self.lines = Desk(workspace, limits), dict[str, Line]()
        routes = Starlette(routes=self._routes(), exception_handlers={HTTPException: _http_error})
        self.app = Door(routes, names, token, cookie)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self.app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.desk.end()
        await send({"type": "lifespan.shutdown.complete"})

    def give_up(self) -> None:
        """End what is still under way."""
        for line in self.desk.lines.values():
            line.give_up()

    def _routes(self) -> list[Route]:
        views = [Route(f"/{view.path}", self._view, name=view.name) for view in pages.VIEWS]
        reads: dict[str, Asked] = {
            "/static/{name}": self._static,
            "/report": self._report,
            "/explored": self._explored,
            "/files": self._file,
            "/questions": self._questions,
            "/api/workspace": self._workspace,
            "/api/events": self._events,
            "/api/past": self._past,
            "/api/rows": self._rows,
            "/api/jobs/{id}": self._job,
            "/api/jobs/{id}/result": self._result,
            "/api/jobs/{id}/said": self._said,
            "/api/comparison": self._comparison,
            "/api/run": self._run,
            "/api/stress": self._stress,
            "/api/abilities": self._abilities,
            "/api/settings": self._settings,
            "/api/cache": self._cache,
        }
        writes: dict[str, Asked] = {
            "/api/jobs": self._start,
            "/api/jobs/{id}/{what}": self._change,
            "/api/files": self._upload,
            "/api/ask": self._ask,
        }
        return [
            *views,
            *(Route(path, _said(answer), methods=["GET"]) for path, answer in reads.items()),
            *(Route(path, _said(answer), methods=["POST"]) for path, answer in writes.items()),
        ]

    # --- views and files ---

    async def _view(self, request: Request) -> Response:
        path = request.url.path.strip("/")
        return HTMLResponse(pages.view(path, self.app.page, self.workspace.root.name))

    async def _static(self, request: Request) -> Response:
        content, kind = pages.static(request.path_params["name"])
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    async def _report(self, request: Request) -> Response:
        folder = self.workspace.there(request.query_params.get("name"))
        return _framed(await asyncio.to_thread(pages.report, folder))

    async def _explored(self, request: Request) -> Response:
        findings = await asyncio.to_thread(self.jobs.result, str(request.query_params.get("job")))
        return _framed(await asyncio.to_thread(pages.explored, findings))

    async def _file(self, request: Request) -> Response:
        path = self.workspace.there(request.query_params.get("name"))
        return pages.download(path)

    async def _questions(self, request: Request) -> Response:
        folder = self.workspace.there(request.query_params.get("name"))
        return await asyncio.to_thread(pages.questions, folder)

    # --- reads ---

    async def _workspace(self, request: Request) -> Response:
        def gather() -> Any:
            jobs = [job.plain for job in self.jobs.list()[:200]]
            return {**shown.listed(self.workspace), "jobs": jobs}

        return _json(await asyncio.to_thread(gather))

    async def _events(self, request: Request) -> Response:
        job = request.query_params.get("job")
        given = request.headers.get("last-event-id") or request.query_params.get("from") or "0"
        offset = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 0
        stream = follow(self.jobs, job, offset, lambda: self.draining or is_gone(request.scope))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def _past(self, request: Request) -> Response:
        """What happened in a run that no job is known of, from an offset on."""
        run = self.workspace.there(request.query_params.get("run"))
        offset = int(request.query_params.get("from") or "0")
        lines, after = await asyncio.to_thread(whole_lines, run / "events.jsonl", offset)
        return _json({"lines": lines, "after": after})

    async def _rows(self, request: Request) -> Response:
        asked = request.query_params
        path = self.workspace.there(asked.get("file"))
        start, count = int(asked.get("start") or 0), int(asked.get("count") or 100)
        return _json(await asyncio.to_thread(self.tables.part, path, start, count, asked.get("search") or ""))

    async def _job(self, request: Request) -> Response:
        return _json(self.jobs.job(request.path_params["id"]).plain)

    async def _result(self, request: Request) -> Response:
        job = self.jobs.job(request.path_params["id"])
        result = await asyncio.to_thread(self.jobs.result, job.id)
        return _json(shown.explored(result) if job.words[0] == "explore" else result)

    async def _said(self, request: Request) -> Response:
        """The end of what a verb said on stderr: why it failed, where it did."""
        text, *_ = log_from(self.jobs.job(request.path_params["id"]).folder / "err.txt", None)
        return _json({"text": in_fields(text[-4000:])})

    async def _comparison(self, request: Request) -> Response:
        name = str(request.query_params.get("name"))
        return _json(await asyncio.to_thread(shown.comparison_shown, self.workspace, name))

    async def _run(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(shown.run_shown, self.workspace, str(request.query_params.get("name"))))

    async def _stress(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(shown.stress, self.workspace, str(request.query_params.get("run"))))

    async def _abilities(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(shown.abilities))

    async def _settings(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(shown.settings, self.workspace, request.query_params.get("run")))

    async def _cache(self, request: Request) -> Response:
        return _json(await asyncio.to_thread(shown.cache))

    # --- writes ---

    async def _start(self, request: Request) -> Response:
        asked = command(self.workspace, await self._body(request))
        return _json((await asyncio.to_thread(self.jobs.start, asked.words, asked.about)).plain)

    async def _change(self, request: Request) -> Response:
        changes = {"stop": self.jobs.stop, "resume": self.jobs.resume, "forget": self.jobs.forget}
        what, id = request.path_params["what"], request.path_params["id"]
        if what not in changes:
            raise UsageError(f"a job cannot be {what!r:.40}", fix="stop, resume or forget it")
        changed = await asyncio.to_thread(changes[what], id)
        return _json(None if changed is None else changed.plain)

    async def _upload(self, request: Request) -> Response:
        fields = await self._body(request)
        return _json({"file": await asyncio.to_thread(self.uploads.add, fields)})

    async def _ask(self, request: Request) -> Response:
        fields = await self._body(request)
        return _json(await self.desk.ask(fields.get("runs"), fields.get("input"), lambda: is_gone(request.scope)))

    async def _body(self, request: Request) -> dict[str, Any]:
        return await read_json(request.scope, request.receive, self.limits)


def _said(answer: Asked) -> Asked:
    """The same, with what it raises as an answer."""

    async def said(request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            return _json({"error": {"what": refusal.message}}, refusal.status)
        except Gone:
            return Response(status_code=400)
        except SlmfitError as error:
            where = None if error.where is None else str(error.where)
            return _json({"error": {"what": error.what, "where": where, "fix": error.fix}}, 400)
        except (ValueError, OSError) as error:
            return _json({"error": {"what": f"this could not be done ({type(error).__name__})"}}, 400)

    return said


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"), status, media_type="application/json"
    )


def _framed(page: tuple[str, str]) -> Response:
    """A page of ours with texts of the user's in it: it may be framed here, and do nothing but show itself."""
    text, policy = page
    headers = {"content-security-policy": f"{policy}; frame-ancestors 'self'; sandbox allow-scripts"}
    return Response(text.encode("utf-8", "replace"), media_type="text/html", headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Response(error_body(error.status_code, str(error.detail)), error.status_code, media_type="application/json")
