"""The server: sockets, signals, begin and end.

with running({"tickets": "compared"}) as server:
    server.url                               # in a thread, for notebooks and tests

run(["compared"], port=8000)                 # until SIGTERM or Ctrl-C
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

import uvicorn

from slmfit.errors import SlmfitError, UsageError
from slmfit.serving.app import Service
from slmfit.serving.as_openai import Prompts, check_upstream
from slmfit.serving.guard import is_address
from slmfit.serving.limits import TOKEN, Limits
from slmfit.serving.line import Line
from slmfit.serving.receiving import limited
from slmfit.serving.upstream import Upstream

Told = Callable[["Serving"], None]


class Application(Protocol):
    """What a server serves. lines: those that are there from the beginning. draining: set when it ends."""

    lines: dict[str, Line]
    limits: Limits
    draining: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def give_up(self) -> None: ...


class Serving(uvicorn.Server):
    """One server and its lines. It ends when all that it has accepted is answered, or `Limits.drain` later."""

    def __init__(self, service: Application, sockets: Sequence[socket.socket], told: Told) -> None:
        config = uvicorn.Config(
            service,
            http=limited(service.limits),
            ws="none",
            loop="asyncio",
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=5,
        )
        super().__init__(config)
        self.service, self.sockets, self.told = service, sockets, told
        self.ready = threading.Event()
        self.failed: BaseException | None = None

    @property
    def url(self) -> str:
        host, port = self.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def work(self) -> None:
        """Load the runs, then answer until the end. Raises what loading raised."""
        lines = list(self.service.lines.values())
        try:
            await asyncio.gather(*(line.start() for line in lines))
            await self.serve(sockets=list(self.sockets))
        finally:
            await asyncio.gather(*(line.end() for line in lines))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever is told the address finds somebody there."""
        await super().startup(sockets)
        self.told(self)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.service.draining = True
        last = asyncio.get_running_loop().call_later(self.service.limits.drain, self.service.give_up)
        await super().shutdown(sockets)
        last.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end it in order; that is then no failure, and not passed on."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def named(runs: Sequence[str]) -> dict[str, str]:
    """Name -> run, of words such as `tickets=compared` or `compared`, which goes by the run's own id.

    Raises UsageError for what is no run, and for two of one name.
    """
    from slmfit.runs.run import load

    found: dict[str, str] = {}
    for word in runs:
        name, equals, folder = word.partition("=")
        if not equals or os.path.exists(word):  # noqa: PTH110
            folder = word
            name = load(folder).record.id
        if not name or name in found:
            other = f"{name!r} stands for {found[name]}, too" if name else "a name is missing before ="
            raise UsageError(other, where=word, fix="give each run a name of its own: NAME=RUN")
        found[name] = folder
    return found


def made(
    runs: Mapping[str, str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    names: Collection[str] = (),
    limits: Limits | None = None,
    told: Told = lambda serving: None,
    prompts: Prompts | None = None,
    upstream: Upstream | None = None,
    **given: Any,
) -> Serving:
    """A server that listens; `work` lets it answer. given: `allow_host`, `method`, `deferred` of its runs. prompts: of
    a log, which the runs of their names answer as the log has them. upstream: answers what they do not.

    Raises UsageError for an address of others without a token, for a port that is taken, and without an upstream that
    the prompts need.
    """
    limits = limits or Limits()
    if not is_loopback(host) and not token:
        fix = f"set {TOKEN} in the environment, or leave --host out to serve this machine alone"
        raise UsageError("whoever reaches this address could ask: a token is needed", where=host, fix=fix)
    if prompts is not None:
        check_upstream(prompts, upstream)
    if upstream is not None:
        upstream.check_other(port)
    if token is not None and (not token.isascii() or not token.isprintable() or not token.strip()):
        raise UsageError("a token is printable ASCII", where=TOKEN, fix="choose one: `openssl rand -hex 16`")
    lines = {name: Line(name, run, limits, given) for name, run in runs.items()}
    own = [] if is_address(host) else [host]
    service = Service(lines, limits, token.strip() if token else None, [*names, *own], prompts, upstream)
    return Serving(service, [bound(host, port)], told)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    return is_address(host) and ipaddress.ip_address(host).is_loopback


def bound(host: str, port: int) -> socket.socket:
    """A socket of that address. It listens only once the models are there: whoever comes before is told so at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces at once (TCP_NODELAY) only where the protocol is named: else each answer waits 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        return bound
    except (OSError, OverflowError) as error:
        bound.close()
        said = getattr(error, "strerror", None) or str(error)
        fix = "choose another --port, or end what listens there"
        raise UsageError(f"cannot listen there: {said}", where=f"{host}:{port}", fix=fix) from None


def run(serving: Serving) -> None:
    """Answer until SIGTERM or Ctrl-C."""
    try:
        asyncio.run(serving.work())
    finally:
        for listener in serving.sockets:
            listener.close()


@contextlib.contextmanager
def running(runs: Mapping[str, str], **given: Any) -> Iterator[Serving]:
    """A server in a thread of its own, for as long as the block lasts; arguments as `made`."""
    serving = made(runs, **given)

    def work() -> None:
        try:
            run(serving)
        except BaseException as error:
            serving.failed = error
        serving.ready.set()

    thread = threading.Thread(target=work, name="slmfit-serve", daemon=True)
    thread.start()
    try:
        serving.ready.wait()
        if serving.failed is not None:
            raise serving.failed
        yield serving
    finally:
        serving.should_exit = True
        thread.join()
    if serving.failed is not None:
        raise SlmfitError(f"the server failed: {serving.failed!r}") from serving.failed
