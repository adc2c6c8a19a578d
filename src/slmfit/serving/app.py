"""The routes. Those that answer inputs are mounted raw, before Starlette: nothing stands between them and the line.

app = Service(lines, limits, token=None, names=())
uvicorn.run(app)
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from slmfit.serving import metrics, openapi, tried
from slmfit.serving.as_openai import HERE, OTHER, PASSED_ON, Prompts
from slmfit.serving.as_openai import pieces as as_before
from slmfit.serving.asking import Gone, asks_of, object_of, read_body, read_json
from slmfit.serving.chat import Completion
from slmfit.serving.chat_request import chat_of, streams
from slmfit.serving.guard import Guard, Receive, Scope, Send
from slmfit.serving.limits import Limits
from slmfit.serving.line import Line
from slmfit.serving.receiving import is_gone
from slmfit.serving.replies import RETRY, Refusal, error_body, send_error, send_json
from slmfit.serving.upstream import Upstream
from slmfit.serving.waiting import Busy, Unavailable

SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}


class Service:
    """The ASGI application. lines: by the name that a request gives as `model`."""

    def __init__(
        self,
        lines: Mapping[str, Line],
        limits: Limits,
        token: str | None = None,
        names: Collection[str] = (),
        prompts: Prompts | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        """prompts: those whose requests are answered by the line of their name, as a log has them. upstream: who
        answers requests that are not answered here."""
        self.lines, self.limits, self.draining = dict(lines), limits, False
        self.prompts, self.upstream = prompts, upstream
        self.requests: Counter[tuple[str, int]] = Counter()
        self.hot = {f"/v1/{kind}": kind for kind in openapi.KINDS}
        self.posts = [*self.hot, openapi.CHAT]
        pages = Starlette(routes=self._routes(), exception_handlers={HTTPException: _http_error})
        self.pages = pages
        self.app = Guard(self._routed, names, token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self.app(scope, receive, self._counted(scope, send))

    def _counted(self, scope: Scope, send: Send) -> Send:
        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.requests[openapi.route_of(scope["path"]), message["status"]] += 1
            await send(message)

        return counted

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = self.hot.get(scope["path"])
        if scope["method"] != "POST" or (kind is None and scope["path"] != openapi.CHAT):
            await self.pages(scope, receive, send)
            return
        try:
            if kind is None:
                await self._chat(scope, receive, send)
                return
            status, body = await self._answered(kind, scope, receive)
            await send_json(send, body, status)
        except Refusal as refusal:
            await send_error(send, refusal)
        except Gone:
            pass

    async def _answered(self, kind: str, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        fields = await read_json(scope, receive, self.limits)
        line = self._line(fields.get("model"), kind)
        asks = asks_of(fields, self.limits, bool(line.about["texts"]))
        try:
            asked = line.ask(asks, lambda: is_gone(scope))
            bodies = await asked.done
        except Busy:
            raise Refusal(429, "more inputs wait than can be answered soon: try again", headers=RETRY) from None
        except Unavailable:
            raise Refusal(503, "the model is not there: try again", headers=RETRY) from None
        if not isinstance(fields["input"], list) and asked.statuses[0] != 200:
            error = json.loads(bodies[0])["error"]
            return asked.statuses[0], error_body(asked.statuses[0], error["message"], "input")
        head = f'{{"object": "list", "model": {json.dumps(line.name)}, "data": ['.encode()
        return 200, b"%b%b]}" % (head, b", ".join(bodies))

    async def _chat(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive, self.limits)
        fields = object_of(body)
        (streamed, told), logprobs = streams(fields), bool(fields.get("logprobs"))
        try:
            model, pieces = await self._pieces(fields, lambda: is_gone(scope))
        except (Busy, Unavailable, Refusal) as error:
            if self.upstream is None or is_gone(scope):
                raise _refusal(error) from None
            await self.upstream.pass_on(body, streamed, send, lambda: is_gone(scope))
            return
        completion = Completion(model)
        if streamed:
            await completion.streamed(pieces, send, logprobs, told)
        else:
            await completion.whole(pieces, send, logprobs)

    async def _pieces(
        self, fields: Mapping[str, Any], gone: Callable[[], bool]
    ) -> tuple[str, AsyncIterator[dict[str, Any]]]:
        """Who answers a chat, and what is written. Raises Refusal, Busy, Unavailable."""
        if self.prompts is not None:
            return await self._as_before(self.prompts, fields, gone)
        line = self._writing(fields.get("model"))
        return line.name, aiter(line.chat(chat_of(fields), gone))

    async def _as_before(
        self, prompts: Prompts, fields: Mapping[str, Any], gone: Callable[[], bool]
    ) -> tuple[str, AsyncIterator[dict[str, Any]]]:
        name, by = OTHER, PASSED_ON
        try:
            prompt, text = prompts.meant(fields)
            name = prompt.name
            said = await prompts.said(self.lines[name].ask([(text, {"index": 0, "sure": True})], gone), prompt, text)
            by = HERE
        finally:
            prompts.answered[name, by] += 1
        return str(fields.get("model") or name), as_before(said)

    def _writing(self, model: Any) -> Line:
        """The run that is named, or the only one that writes. Raises Refusal."""
        fitting = [line for line in self.lines.values() if line.about["chat"]]
        if model is None and len(fitting) == 1:
            return fitting[0]
        for line in fitting:
            if line.name == model:
                return line
        known = ", ".join(line.name for line in fitting) or "none"
        raise Refusal(404, f"there is no model {model!r:.80} here that writes; there are: {known}", "model")

    def _line(self, model: Any, kind: str) -> Line:
        """The run that is named, or the only one of this kind. Raises Refusal."""
        fitting = [line for line in self.lines.values() if line.about["kind"] == kind]
        if model is None and len(fitting) == 1:
            return fitting[0]
        if isinstance(model, str) and (line := self.lines.get(model)) is not None:
            if line.about["kind"] != kind:
                fix = f"ask it at /v1/{line.about['kind']}"
                raise Refusal(400, f"{model!r} does {line.about['task']}; {fix}", "model")
            return line
        known = ", ".join(line.name for line in fitting) or "none"
        if model is None:
            raise Refusal(400, f"say which 'model' is meant; here are: {known}", "model")
        raise Refusal(404, f"there is no model {model!r:.80} here; there are: {known}", "model")

    # --- pages ---

    def _routes(self) -> Sequence[Route]:
        return [
            Route("/health", self._health, methods=["GET"]),
            Route("/ready", self._ready, methods=["GET"]),
            Route("/v1/models", self._models, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/openapi.json", self._openapi, methods=["GET"]),
            Route("/docs", self._docs, methods=["GET"]),
            Route("/", tried.page, methods=["GET"], include_in_schema=False),
            Route("/static/{name}", tried.static, methods=["GET"], include_in_schema=False),
            *(Route(path, _only_post, methods=["POST"]) for path in self.posts),
        ]

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok"})

    async def _ready(self, request: Request) -> Response:
        states = {name: "ready" if line.ready else "starting" for name, line in self.lines.items()}
        ready = not self.draining and all(line.ready for line in self.lines.values())
        status = "ready" if ready else "ending" if self.draining else "starting"
        return _json({"status": status, "models": states}, 200 if ready else 503)

    async def _models(self, request: Request) -> Response:
        return _json({"object": "list", "data": [openapi.model(line) for line in self.lines.values()]})

    async def _metrics(self, request: Request) -> Response:
        text = metrics.text(self.lines.values(), self.requests, self.prompts, self.upstream)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def _openapi(self, request: Request) -> Response:
        return _json(openapi.document(self.limits))

    async def _docs(self, request: Request) -> Response:
        return HTMLResponse(openapi.page(self.limits, list(self.lines.values())), headers=SAFE)

    # --- begin and end ---

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.gather(*(line.end() for line in self.lines.values()))
                if self.upstream is not None:
                    await self.upstream.end()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def give_up(self) -> None:
        """End what is still under way, in so many words."""
        for line in self.lines.values():
            line.give_up()
        if self.upstream is not None:
            self.upstream.give_up()


def _refusal(error: Busy | Unavailable | Refusal) -> Refusal:
    """Why a chat is not answered."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Busy):
        return Refusal(429, "more waits than can be written soon: try again", headers=RETRY)
    return Refusal(503, "the model is not there: try again", headers=RETRY)


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value).encode(), status, media_type="application/json")


async def _only_post(request: Request) -> Response:
    raise AssertionError("POST is answered before")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: "there is no such route: /docs shows those there are", 405: "this route does not take that method"}
    body = error_body(error.status_code, said.get(error.status_code, str(error.detail)))
    return Response(body, error.status_code, error.headers, "application/json")
