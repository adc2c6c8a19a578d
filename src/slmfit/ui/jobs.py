"""Jobs: the same verbs that one types, as processes of their own that outlive the page.

    jobs = Jobs(workspace)
    job = jobs.start(["compare", "data/tickets.csv", "--out", "compared/tickets"])
    jobs.stop(job.id)                   # as Ctrl-C does
    jobs.resume(job.id)                 # the same command again, which goes on from there

A job is a folder: `job.json` what was asked, `process.json` which process does it, `events.jsonl` what happens,
`out.txt` and `err.txt` what the verb says, `exit.json` how it ended. Nothing else is known of it, by this server or the
next.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slmfit import storage
from slmfit.environment import isolated, now, without_here
from slmfit.errors import SlmfitError, UsageError
from slmfit.text.visible import without_keys
from slmfit.ui.processes import alive, started
from slmfit.ui.workspace import Workspace

FORMAT = "slmfit.job/1"
STATES = Literal["running", "done", "partial", "failed", "interrupted"]
_ID = re.compile(r"\d{8}-\d{6}-[a-z]+-[0-9a-f]{6}")
_SECONDS = 5.0  # that a process may take until it has written down who it is
PARTIAL, INTERRUPTED = 5, (130, 143)


def _begun(id: str) -> tuple[str, str]:
    """Sorts ids by when their jobs were started, whatever their verbs."""
    return id[:15], id[-6:]


@dataclass(frozen=True)
class Job:
    """One job as it stands on disk now. about: what it works on and makes, for whoever lists them."""

    id: str
    folder: Path
    words: Sequence[str]
    about: Mapping[str, Any]
    made: str
    state: STATES
    code: int | None = None
    ended: str | None = None

    @property
    def command(self) -> str:
        """As it is typed, to be copied; without the key that an address may hold."""
        return shlex.join(["slmfit", *map(without_keys, self.words)])

    @property
    def plain(self) -> dict[str, Any]:
        """JSON as it stands."""
        told = {"id": self.id, "verb": self.words[0], "command": self.command, "about": dict(self.about)}
        return told | {"made": self.made, "state": self.state, "code": self.code, "ended": self.ended}


class Jobs:
    """See the module."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @property
    def root(self) -> Path:
        folder = self.workspace.own / "jobs"
        storage.make_folder(folder)
        return folder

    def start(self, words: Sequence[str], about: Mapping[str, Any] | None = None) -> Job:
        """Start a verb with these arguments. Whoever asks has made sure that they may be given."""
        moment = time.time()
        second = time.strftime("%Y%m%d-%H%M%S", time.gmtime(moment))
        # Then which 4096th of it, so that of two in one second the later one is known, and what nobody else draws.
        id = f"{second}-{words[0]}-{int(moment % 1 * 4096):03x}{secrets.randbelow(4096):03x}"
        folder = self.root / id
        folder.mkdir()
        asked = {"format": FORMAT, "words": list(words), "about": dict(about or {}), "made": now()}
        storage.write_json(folder / "job.json", asked)
        self._begin(folder)
        return self.job(id)

    def resume(self, id: str) -> Job:
        """The same command again. Raises UsageError while it is running."""
        job = self.job(id)
        if job.state == "running":
            raise UsageError("is running already", where=id, fix="wait for it, or stop it")
        (job.folder / "exit.json").unlink(missing_ok=True)
        self._begin(job.folder)
        return self.job(id)

    def _begin(self, folder: Path) -> None:
        (folder / "process.json").unlink(missing_ok=True)
        with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("ab") as err:
            child = subprocess.Popen(
                [*isolated("slmfit.ui.running"), str(folder)],
                cwd=self.workspace.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=without_here(),
                start_new_session=True,
            )
        # Somebody has to hear of its end, or it stays in the system's table for as long as this server lives.
        threading.Thread(target=child.wait, name=f"end of {folder.name}", daemon=True).start()
        about = {"process": child.pid, "began": started(child.pid)}
        storage.write_json(folder / "process.json", about)

    def stop(self, id: str) -> Job:
        """End it as Ctrl-C would: what is done is kept."""
        job = self.job(id)
        if job.state != "running":
            raise UsageError("is not running", where=id, fix="resume it, or leave it")
        process = storage.read_json(job.folder / "process.json", "process")["process"]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGINT)  # its session's: what it started itself hears it, too
        return self.job(id)

    def job(self, id: Any) -> Job:
        """One job. Raises UsageError where there is none of that name."""
        if not isinstance(id, str) or not _ID.fullmatch(id) or not (self.root / id / "job.json").is_file():
            raise UsageError("there is no such job", where=repr(id)[:60], fix="reload the page")
        folder = self.root / id
        asked = storage.read_json(folder / "job.json", "words", "about", "made")
        with storage.undamaged(folder / "job.json"):
            words, about, made = [str(word) for word in asked["words"]], dict(asked["about"]), str(asked["made"])
            assert words
        state, code, ended = self._state(folder)
        return Job(id, folder, words, about, made, state, code, ended)

    def list(self) -> list[Job]:
        """All of them, the latest first; damaged ones are left out."""
        found = []
        for name in sorted((entry.name for entry in self.root.iterdir()), key=_begun, reverse=True):
            try:
                found.append(self.job(name))
            except SlmfitError:
                continue
        return found

    def forget(self, id: str) -> None:
        """Remove a job that is over; what it made stays."""
        job = self.job(id)
        if job.state == "running":
            raise UsageError("is running", where=id, fix="stop it first")
        storage.remove(job.folder)

    def result(self, id: str) -> Any:
        """What a verb printed as JSON. Raises SlmfitError where that is none."""
        return storage.read_json(self.job(id).folder / "out.txt")

    def _state(self, folder: Path) -> tuple[STATES, int | None, str | None]:
        """As it is now: what is on disk, and whether the process that stands there is still the same."""
        if (folder / "exit.json").is_file():
            end = storage.read_json(folder / "exit.json", "code", "ended")
            code, ended = int(end["code"]), str(end["ended"])
            state: STATES = "done" if code == 0 else "partial" if code == PARTIAL else "failed"
            return ("interrupted" if code in INTERRUPTED else state), code, ended
        try:
            known = storage.read_json(folder / "process.json", "process", "began")
            running = alive(int(known["process"]), known["began"])
        except SlmfitError:  # it has not been written yet, or the server was killed before
            running = time.time() - (folder / "job.json").stat().st_mtime < _SECONDS
        if not running and (folder / "exit.json").is_file():
            return self._state(folder)  # it ended between the two looks
        return ("running" if running else "interrupted"), None, None
