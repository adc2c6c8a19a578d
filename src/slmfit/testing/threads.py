"""A server of asyncio in a thread of its own, as long as a block lasts; when that ends, no socket is left open.

with in_thread(serve):        # async def serve(started): listens, calls started(), and waits until it is cancelled
    …
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any

Serve = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]


@contextlib.contextmanager
def in_thread(serve: Serve) -> Iterator[None]:
    """Raises what the server raised, when it could not start."""
    started, failed = threading.Event(), list[BaseException]()
    running: dict[str, Any] = {}

    async def serve_until_told() -> None:
        running.update(loop=asyncio.get_running_loop(), task=asyncio.current_task())
        await serve(started.set)

    def run() -> None:
        try:
            asyncio.run(serve_until_told())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failed.append(error)
        started.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    if failed:
        raise failed[0]
    try:
        yield
    finally:
        running["loop"].call_soon_threadsafe(running["task"].cancel)
        thread.join()


async def until_cancelled(server: asyncio.Server, transports: Collection[asyncio.WriteTransport]) -> None:
    """Serve; when cancelled, close the server and then each of the transports that are still open.

    transports: a set that the server's protocols join in `connection_made` and leave in `connection_lost`.
    """
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        # What was accepted a moment ago becomes a connection in the loop's next turns. A server that is closed by then
        # refuses it, and its socket is lost unclosed: so first no more are accepted, and the server is closed after.
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        for _ in range(3):
            await asyncio.sleep(0)
        server.close()
        for transport in list(transports):
            transport.abort()
        while transports:
            await asyncio.sleep(0)
