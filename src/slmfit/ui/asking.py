"""Try: one input, asked of several runs at once, each in a process of its own that stays for the next input.

desk = Desk(workspace, limits)
await desk.ask(["compared/tickets/runs/linear"], "my card was charged twice", gone)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from slmfit.errors import SlmfitError, UsageError
from slmfit.runs.run import load
from slmfit.serving.limits import Limits
from slmfit.serving.line import Line
from slmfit.serving.waiting import Busy, Unavailable
from slmfit.ui.workspace import Workspace

MOST = 4  # runs side by side, and models that stay in memory
WORDS = 12  # that an answer hung on


class Desk:
    """See the module."""

    def __init__(self, workspace: Workspace, limits: Limits) -> None:
        self.workspace, self.limits = workspace, limits
        self.lines: dict[str, Line] = {}  # by the run's folder and key; the last used last
        self._door = asyncio.Lock()

    async def ask(self, runs: Any, input: Any, gone: Callable[[], bool]) -> list[dict[str, Any]]:
        """What each run says to one input, an error where it says none. Raises UsageError for what are no runs."""
        if not isinstance(runs, list) or not 1 <= len(runs) <= MOST:
            raise UsageError("ask one run or up to four", fix="choose them above")
        places = [self.workspace.name(self.workspace.there(run)) for run in runs]
        return list(await asyncio.gather(*(self._answer(place, input, gone) for place in places)))

    async def _answer(self, run: str, input: Any, gone: Callable[[], bool]) -> dict[str, Any]:
        try:
            line = await self._line(run)
            asked = line.ask([[input, {"index": 0, "words": WORDS, "written": True}]], gone)
            body = json.loads((await asked.done)[0])
        except (Busy, Unavailable):
            return {"run": run, "error": "its model does not answer: try again"}
        except SlmfitError as error:
            return {"run": run, "error": f"{error.what}{f'; {error.fix}' if error.fix else ''}"}
        about = {name: line.about[name] for name in ("id", "method", "kind", "names", "texts")}
        if "error" in body:
            return {"run": run, **about, "error": body["error"]["message"]}
        return {"run": run, **about, "answer": body}

    async def _line(self, run: str) -> Line:
        """The process that holds a run's model: there already, or started now; the one unused longest makes room."""
        record = await asyncio.to_thread(lambda: load(self.workspace.path(run)).record)
        key = f"{run} {record.key}"
        async with self._door:
            if key in self.lines:
                self.lines[key] = self.lines.pop(key)
                return self.lines[key]
            while len(self.lines) >= MOST:
                await self.lines.pop(next(iter(self.lines))).end()
            line = Line(record.id, str(self.workspace.path(run)), self.limits, {})
            try:
                await line.start()
            except BaseException:
                await line.end()
                raise
            self.lines[key] = line
            return line

    async def end(self) -> None:
        """Let all processes go."""
        lines: Sequence[Line] = list(self.lines.values())
        self.lines.clear()
        await asyncio.gather(*(line.end() for line in lines))
