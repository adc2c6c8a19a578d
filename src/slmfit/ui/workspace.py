"""The folder that the page works in: what lies there, and that nothing else is touched.

here = Workspace(Path("my-work"))
here.path("data/tickets.csv")       # raises UnsafeError for whatever leads out, through a link or hidden
here.scan().files                   # ["data/tickets.csv"]
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.data.readers.rows import ending, is_read
from slmfit.errors import SlmfitError, UnsafeError, UsageError
from slmfit.methods.tuned import RECORD, TRIALS
from slmfit.records import RUN_FORMAT, ComparisonRecord, RunRecord, Score, from_plain
from slmfit.runs.run import read_comparison, read_run

OWN = ".slmfit"  # hidden: what the page itself keeps there
DATA = "data"  # where files lie that were brought
DEEPEST = 6  # folders below the workspace in which is looked
MOST = 20_000  # things that are looked at


@dataclass
class Found:
    """What lies in a workspace, by path. unfinished: comparisons that were begun and have no verdict yet."""

    files: list[str] = field(default_factory=list)
    comparisons: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    tunings: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The part of a run's record that a list shows. scores: as JSON has them."""

    id: str
    method: str
    task: Mapping[str, Any]
    dataset: Mapping[str, Any]
    metric: str
    scores: Mapping[str, Any]
    fit_seconds: float | None = None
    latency_ms: Mapping[str, float] | None = None
    measured: Mapping[str, Any] = field(default_factory=dict)
    size_bytes: int | None = None
    remote: bool = False
    created: str

    @property
    def score(self) -> Score:
        """On the test rows, in its metric."""
        return from_plain(Score, self.scores["test"][self.metric])


Record = RunRecord | ComparisonRecord | Listed


class Workspace:
    """See the module. Raises UsageError for what is no folder."""

    def __init__(self, folder: str | Path) -> None:
        given = storage.named(folder)
        if not given.is_dir():
            raise UsageError("is not a folder", where=str(folder), fix="make it, or name another")
        self.root = given.resolve()
        self._records: dict[tuple[str, int, int, str], Record] = {}

    @property
    def own(self) -> Path:
        """Where the page keeps jobs and its token: nobody else's business."""
        folder = self.root / OWN
        if folder.is_symlink():
            raise UnsafeError("is a link", where=str(folder), fix="remove it")
        storage.make_folder(folder)
        folder.chmod(0o700)
        return folder

    def path(self, name: Any) -> Path:
        """The file or folder of that name below the workspace. Raises UnsafeError for one that may not be named."""
        if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 1000:
            raise UnsafeError("is no name of a file", where=repr(name)[:80], fix="give a path below the workspace")
        parts = Path(name).parts
        if Path(name).is_absolute() or "\\" in name or ":" in name or any(part.startswith(".") for part in parts):
            fix = "give a path below the workspace that is not hidden"
            raise UnsafeError("lies outside of the workspace, or is hidden", where=name, fix=fix)
        place = self.root
        for part in parts:
            place = place / part
            if place.is_symlink():
                raise UnsafeError("is a link", where=name, fix="put the file itself there, if you trust it")
        if not place.resolve().is_relative_to(self.root):
            raise UnsafeError("lies outside of the workspace", where=name, fix="give a path below it")
        return place

    def there(self, name: Any) -> Path:
        """The same, of what is there. Raises UsageError where nothing is."""
        place = self.path(name)
        if not place.exists():
            raise UsageError("is not there", where=str(name), fix="reload the page")
        if not (place.is_file() or place.is_dir()):  # a pipe would be waited for
            raise UnsafeError("is neither a file nor a folder", where=str(name), fix="choose one of the list")
        return place

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def scan(self) -> Found:
        """All that is shown of it; links and hidden things are passed by."""
        found, seen = Found(), 0
        waiting = [(self.root, 0)]
        while waiting and seen < MOST:
            folder, depth = waiting.pop()
            below, here = [], dict[str, os.DirEntry[str]]()
            for entry in _entries(folder):
                here[entry.name] = entry
                seen += 1
            self._place(folder, here, found)
            is_ours = "run.json" in here or "export.json" in here or _is_model(here) or _is_tuning(here)
            for name, entry in here.items():
                if entry.is_dir(follow_symlinks=False):
                    kept = name == "runs" if _is_comparison(folder, here) else not is_ours
                    if kept and depth < DEEPEST:
                        below.append((Path(entry.path), depth + 1))
            waiting += sorted(below, reverse=True)
        return found

    def _place(self, folder: Path, here: dict[str, os.DirEntry[str]], found: Found) -> None:
        """Say what one folder and its files are."""
        if "comparison.json" in here:
            found.comparisons.append(self.name(folder))
        elif "run.json" in here or "export.json" in here:  # what slmfit itself answers with is both
            found.runs += [self.name(folder)] if "run.json" in here else []
            found.exports += [self.name(folder)] if "export.json" in here else []
        elif _is_comparison(folder, here):
            found.unfinished.append(self.name(folder))
        elif _is_tuning(here):
            found.tunings += [self.name(folder)] if RECORD in here else []
        elif not _is_model(here):
            files = [Path(entry.path) for entry in here.values() if entry.is_file(follow_symlinks=False)]
            found.files += sorted(self.name(path) for path in files if _is_data(path))

    def run(self, name: str) -> RunRecord:
        """The record of a run, read once for as long as it stays the same. Raises what `read_run` raises."""
        record = self._read(self.path(name) / "run.json", read_run)
        assert isinstance(record, RunRecord)
        return record

    def listed(self, name: str) -> Listed:
        """What a list of runs shows of one: to read the records of 500 whole takes seconds."""
        record = self._read(self.path(name) / "run.json", _read_listed)
        assert isinstance(record, Listed)
        return record

    def comparison(self, name: str) -> ComparisonRecord:
        """Likewise of a comparison."""
        record = self._read(self.path(name) / "comparison.json", read_comparison)
        assert isinstance(record, ComparisonRecord)
        return record

    def _read(self, path: Path, read: Callable[[Path], Record]) -> Record:
        try:
            stat = path.stat()
        except OSError:
            return read(path.parent)  # which says what is wrong
        key = (str(path), stat.st_mtime_ns, stat.st_size, read.__name__)
        if key not in self._records:
            if len(self._records) > 5000:
                self._records.clear()
            self._records[key] = read(path.parent)
        return self._records[key]

    def token(self) -> str:
        """The token of this workspace, made once, so that an open page outlives its server."""
        path = self.own / "token"
        if path.is_file() and not path.is_symlink() and (there := path.read_text().strip()):
            return there
        made = secrets.token_urlsafe(24)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(made + "\n")
        return made


def _read_listed(folder: Path) -> Listed:
    path = folder / "run.json"
    plain = storage.read_json(path, "format")
    storage.check_format(plain, RUN_FORMAT, path)
    with storage.undamaged(path):
        record = from_plain(Listed, plain)
        _ = record.score.value + 0, record.task["name"] + "", record.dataset["name"] + ""
        return record


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What stands in a folder, by name; nothing of one that cannot be read."""
    try:
        with os.scandir(folder) as entries:
            found = [e for e in entries if not e.name.startswith(".") and not e.is_symlink() and e.name.isprintable()]
    except OSError:
        return
    yield from sorted(found, key=lambda entry: entry.name)


def _is_comparison(folder: Path, here: dict[str, os.DirEntry[str]]) -> bool:
    return "comparison.json" in here or ("data" in here and (folder / "data" / "split.json").is_file())


def _is_model(here: Mapping[str, os.DirEntry[str]]) -> bool:
    """Whether it is a base model's folder, whose files are JSON, too."""
    return "config.json" in here and ("tokenizer.json" in here or "tokenizer_config.json" in here)


def _is_tuning(here: Mapping[str, os.DirEntry[str]]) -> bool:
    """Whether `slmfit tune` works there, or has."""
    return RECORD in here or TRIALS in here


def _is_data(path: Path) -> bool:
    """Whether it may be data: what `generate` writes beside its examples, and records of ours, are none."""
    aside = (".about.json", ".rejected.jsonl", "package.json", "export.json")
    brought = is_read(path) and path.parent.name == DATA  # a .txt or .zip elsewhere is seldom rows
    return (brought or ending(path) is not None) and not path.name.endswith(aside)


def readable(read: Any, name: str) -> Any:
    """What a record says, None where it is damaged: one of them must not hide the others."""
    try:
        return read(name)
    except SlmfitError:
        return None
