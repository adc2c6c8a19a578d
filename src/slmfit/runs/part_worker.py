"""One part of many rows answered, here or in processes that answer several at once.

    asked = Asked(run.folder, folder, sheet, {})
    answer_part(run, asked, packed("part-000001.csv", path, placed).line)      # writes folder / "part-000001.csv"
    with Workers(run, asked, 4) as workers:
        for rows in workers.each(packed(…) for …): ...

A process is handed a part as a line of JSON on stdin, writes its file, and says so in a line on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

from slmfit import errors
from slmfit.environment import cores, isolated, without_here
from slmfit.errors import SlmfitError, Where
from slmfit.records import from_plain, to_plain
from slmfit.runs.predicting import BATCH, Row, Sheet, answered, input_of
from slmfit.runs.run import Run, load
from slmfit.runs.suggesting import Tool
from slmfit.runs.tables import table
from slmfit.text.numerals import numeral, to_json

THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class Asked:
    """What the parts of one prediction have in common. folder: where they go. columns: role -> column, as asked for.

    method: the class of a run whose method slmfit does not bring.
    """

    folder: Path
    sheet: Sheet
    columns: Mapping[str, str]
    method: str | None = None


class Packed(NamedTuple):
    """A part: the name of its file, and its rows as `answer_part` reads them."""

    name: str
    line: bytes


def packed(
    name: str,
    source: Path,
    placed: Sequence[tuple[Where, Row]],
    tool: Tool | None = None,
    tasks: Sequence[Row] | None = None,
) -> Packed:
    """A part, ready to be handed over: its rows are a line of JSON, which needs no file beside it.

    placed: the rows as `read_rows` reads them; tasks: as the annotation tool has them that they are of.
    """
    places = [where.line for where, _ in placed]
    part: dict[str, Any] = {"name": name, "file": str(source), "lines": places, "rows": [row for _, row in placed]}
    part |= {"tool": {"name": tool.name, "tags": tool.tags}, "tasks": tasks} if tool else {"tool": None}
    return Packed(name, to_json(part, ascii=True).encode() + b"\n")


def answer_part(run: Run, asked: Asked, line: bytes) -> int:
    """Answer the rows of a part and write its file, whole or not at all; returns how many. Raises DataError."""
    plain = json.loads(line, parse_float=numeral)
    source, rows = Path(plain["file"]), plain["rows"]
    tool = Tool(source, task=run.task, **plain["tool"]) if plain["tool"] else None
    with table(asked.folder / plain["name"], asked.sheet.own, asked.sheet.ours) as write:
        for start in range(0, len(rows), BATCH):
            batch = []
            for number, row in zip(plain["lines"][start : start + BATCH], rows[start : start + BATCH], strict=True):
                where = Where(plain["file"], number)
                input, more = input_of(run, row, where, asked.columns)
                batch.append((where, input, {**row, **more}))
            beside = plain["tasks"][start : start + BATCH] if tool else [None] * len(batch)
            for row, named in answered(run, asked.sheet, batch, tool, beside):
                write(row, named)
    return len(rows)


class Workers:
    """Processes that each hold the run's model and answer one part at a time."""

    def __init__(self, run: Run, asked: Asked, count: int) -> None:
        given: dict[str, Any] = {"run": str(run.folder), "allow_host": run.allow_host, "method": asked.method}
        given |= {"folder": str(asked.folder), "sheet": to_plain(asked.sheet), "columns": dict(asked.columns)}
        self._pool = ThreadPoolExecutor(count)
        self._started = [_started(given, max(1, cores() // count)) for _ in range(count)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self._started:
            self._idle.put(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._started:
            if error is None:
                assert process.stdin is not None
                process.stdin.close()
            else:
                process.kill()
        self._pool.shutdown(cancel_futures=True)
        for process in self._started:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what was still to be written to one that is dead
                    assert pipe is not None
                    pipe.close()

    def each(self, parts: Iterable[Packed]) -> Iterator[int]:
        """The rows of each part as it is done; no more of them are held than keep all processes at work."""
        waiting: set[Future[int]] = set()
        for part in parts:
            if len(waiting) > len(self._started):
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
            waiting.add(self._pool.submit(self._answer, part.line))
        yield from (one.result() for one in wait(waiting).done)

    def _answer(self, line: bytes) -> int:
        process = self._idle.get()
        assert process.stdin is not None and process.stdout is not None
        said = b""
        with contextlib.suppress(OSError):
            process.stdin.write(line)
            process.stdin.flush()
            said = process.stdout.readline()
        self._idle.put(process)  # a dead one, too: whoever waits for one is not left waiting
        if not said:
            fix = "see above for its last words; with fewer --processes each has more memory"
            raise SlmfitError("a process that answers has ended", fix=fix)
        plain = json.loads(said)
        if failed := plain.get("error"):
            kind = getattr(errors, failed["kind"], SlmfitError)
            raise kind(failed["what"], where=failed["where"] or None, fix=failed["fix"])
        return int(plain["rows"])


def _started(given: Mapping[str, Any], threads: int) -> subprocess.Popen[bytes]:
    more = {name: str(threads) for name in THREADS if name not in os.environ}
    return subprocess.Popen(
        [*isolated("slmfit.runs.part_worker"), json.dumps(given)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=without_here(sys.path if given["method"] else None) | more,
    )


def main() -> None:
    """Answer parts until stdin ends. A signal to the whole group is for the process that started this one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what else writes to stdout, a library say, writes to stderr
    given = json.loads(sys.argv[1])
    run: Run | None = None
    for line in sys.stdin.buffer:
        try:
            if run is None:
                run = _opened(given)
                asked = Asked(Path(given["folder"]), from_plain(Sheet, given["sheet"]), given["columns"])
            said: dict[str, Any] = {"rows": answer_part(run, asked, line)}
        except SlmfitError as error:
            where = str(error.where or "")
            said = {"error": {"kind": type(error).__name__, "what": error.what, "where": where, "fix": error.fix}}
        out.write(json.dumps(said).encode() + b"\n")


def _opened(given: Mapping[str, Any]) -> Run:
    if given["method"]:
        from slmfit.methods import method_class

        method_class(given["method"])
    return load(given["run"], allow_host=given["allow_host"])


if __name__ == "__main__":
    main()
