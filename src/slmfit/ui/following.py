"""What happens, told as it is written: one stream for the whole page.

    pieces = whole_lines(folder / "events.jsonl", 0)        # ([{"event": "fit", …}], 812)
    async for piece in follow(jobs, job_id, offset, over): …

The offset in the file is the event's id, so a reload, a second tab, a server that was killed and a job of last month
are the same code: whoever comes says how far they were, and gets the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from slmfit.errors import SlmfitError
from slmfit.ui.jobs import Job, Jobs

CHUNK = 1 << 16  # bytes of a file in one event; a line that is longer comes whole
LONGEST = 1 << 22  # bytes of a line; a longer one is passed by
LOG = 1 << 15  # bytes of the log that whoever comes gets
LOOK, BEAT = 0.25, 15.0  # seconds between two looks, and between two signs of life


def whole_lines(path: Path, offset: int) -> tuple[list[Any], int]:
    """The lines from an offset on that have an end, some at a time, and the offset behind them.

    What is no JSON is passed by: a process that was killed while it wrote left half a line, and the next one goes on
    behind it. An offset past the end is that of a file that is no more: it begins anew.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if offset > size:
                offset = 0
            file.seek(offset)
            data = file.read(CHUNK)
            while b"\n" not in data and len(data) < LONGEST and (more := file.read(CHUNK)):
                data += more
    except OSError:
        return [], offset
    if b"\n" not in data:
        return [], offset + len(data) if len(data) >= LONGEST else offset
    whole = data[: data.rindex(b"\n") + 1]
    return [line for line in map(_parsed, whole.splitlines()) if line is not None], offset + len(whole)


def _parsed(line: bytes) -> Any:
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def log_from(path: Path, offset: int | None) -> tuple[str, int, int]:
    """What stands in a log from there on, its begin and its end; None = its last part."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            begin = max(0, size - LOG) if offset is None or offset > size else offset
            file.seek(begin)
            data = file.read(LOG)
    except OSError:
        return "", 0, 0
    return data.decode("utf-8", "replace"), begin, begin + len(data)


def event(name: str, value: Any, id: int | None = None) -> bytes:
    """One event as the browser reads it."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


async def follow(jobs: Jobs, id: str | None, offset: int, over: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Events for one page until `over`: of all jobs which are running, of one all that it writes.

    id: the job that is followed, from `offset` on; None = none.
    """
    yield b"retry: 1000\n\n"
    state, running, log, quiet = "", "", None, 0.0
    while not over():
        told = False
        listed = await asyncio.to_thread(_running, jobs)
        if (now := json.dumps(listed)) != running:
            running, told = now, True
            yield event("jobs", listed)
        if id is not None:
            job = await asyncio.to_thread(_job, jobs, id)  # before its files: what it wrote until then is told first
            if job is not None:
                while True:
                    lines, after = await asyncio.to_thread(whole_lines, job.folder / "events.jsonl", offset)
                    if after < offset:
                        yield event("again", {}, 0)
                    if lines:
                        yield event("lines", lines, after)
                    told, moved, offset = told or bool(lines), after != offset, after
                    if not moved or over():
                        break
                text, begin, end = log_from(job.folder / "err.txt", log)
                if text:
                    yield event("log", {"from": begin, "text": text})
                    told = True
                log = end
            plain = json.dumps(None if job is None else job.plain)
            if plain != state:
                state, told = plain, True
                yield event("job", json.loads(plain))
        quiet = 0.0 if told else quiet + LOOK
        if quiet >= BEAT:
            quiet = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(LOOK)


def _running(jobs: Jobs) -> list[dict[str, Any]]:
    return [{"id": job.id, "verb": job.words[0], "about": job.about} for job in jobs.list() if job.state == "running"]


def _job(jobs: Jobs, id: str) -> Job | None:
    try:
        return jobs.job(id)
    except SlmfitError:
        return None
