"""Attempts on something, each in bounded time and memory, in processes that a crash may end: what fell, and where.

    with Ground(Path(folder)) as ground:                       # a folder with canaries, and one that may be written to
        for fall in tried(attempt, range(100_000), ground, Bounds()):
            print(fall.kind, fall.number, fall.said)

`attempt(number)` ends well, or raises what it finds: AssertionError for a promise that is broken, an error of slmfit's
tree for a refusal, which is well, and anything else is a fall. Processes are forked: what is prepared is there at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import resource
import select
import signal
import struct
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from slmfit.errors import SlmfitError

KEY = "sk-canary-of-the-attack-77c1"
NAMES = "json random numpy polars re typing subprocess safetensors scipy pickle fnmatch rich torch transformers".split()
KINDS = ("traceback", "outside", "code run", "key leaked", "file touched", "too much", "wrong")


Attempt = Callable[[int], object]


@dataclass(frozen=True)
class Fall:
    """What fell. kind: of KINDS. number: of the attempt that repeats it."""

    kind: str
    number: int
    said: str


@dataclass(frozen=True)
class Bounds:
    """Of one attempt. seconds; memory: bytes that a process may hold, None = any; processes: at once."""

    seconds: float = 10.0
    memory: int | None = 2 * 2**30
    processes: int = 2


class Ground:
    """Where an attack happens. `here`: the current folder, with a mine for every name that a process might import;
    `home`: a user's files. Both must stay as they are. `out`: what may be written to. `lent`: ends what serves all
    attempts."""

    def __init__(self, folder: Path) -> None:
        self.here, self.home, self.out, self.said = (folder / name for name in ("here", "home", "out", "said"))
        self.mark = self.here / "ran"
        for path in (self.here, self.home, self.out, self.said):
            path.mkdir(parents=True)
        for name in NAMES:
            (self.here / f"{name}.py").write_text(f"open({str(self.mark)!r}, 'a').write({name!r})\n")
        for name in ("thesis.txt", ".notes.7.partial", "run.json", "runs/x/model/weights.bin", "data/split.json"):
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text("mine")
        self._before: dict[str, str] = {}
        self.lent = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._at, self._environment = Path.cwd(), dict(os.environ)
        os.chdir(self.here)
        os.environ |= {"HOME": str(self.home), "SLMFIT_CACHE": str(self.out / "cache"), "OPENAI_API_KEY": KEY}
        os.environ |= {"TMPDIR": str(self.out), "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        tempfile.tempdir = None
        self._before = self._guarded()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.lent.close()
        os.chdir(self._at)
        os.environ.clear()
        os.environ.update(self._environment)
        tempfile.tempdir = None

    def falls(self, number: int) -> Iterator[Fall]:
        """What the attempts until this one did that nobody may do."""
        if self.mark.exists():
            yield Fall("code run", number, self.mark.read_text()[:80])
            self.mark.unlink()
        after = self._guarded()
        for name in sorted(k for k in after.keys() | self._before.keys() if after.get(k) != self._before.get(k)):
            yield Fall("file touched", number, name)
        self._before = after

    def leaks(self) -> Iterator[Fall]:
        """Files below `out`, and what was printed, that hold the key, or a traceback."""
        for path in (*self.out.rglob("*"), *self.said.iterdir()):
            if path.is_file():
                data = path.read_bytes()
                if KEY.encode() in data:
                    yield Fall("key leaked", -1, str(path.name))
                if path.parent == self.said and any(w in data for w in (b"Traceback (most", b"panicked at")):
                    at = max(data.find(b"Traceback (most"), data.find(b"panicked at"))
                    yield Fall("traceback", -1, data[at : at + 600].decode("utf-8", "replace"))

    def _guarded(self) -> dict[str, str]:
        found = {}
        for root in (self.here, self.home):
            for path in sorted(root.rglob("*")):
                data = path.read_bytes() if path.is_file() else b""
                found[str(path)] = f"{path.lstat().st_mode} {hashlib.sha256(data).hexdigest()}"
        return found


def forked(work: Callable[[], object]) -> int:
    """A process of its own; this one must start no threads, which would not be there in those that are forked."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(child: int, what: str = "a process of its own failed") -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0, f"{what}: it ended with {code}"


def apart(work: Callable[[], object]) -> None:
    """Do it in a process of its own: threads that it leaves behind would not survive the forks that come."""
    ended(forked(work), "what is attacked could not be made")


def tried(attempt: Attempt, numbers: Sequence[int], ground: Ground, bounds: Bounds) -> Iterator[Fall]:
    """The falls of all attempts, as they come."""
    share = -(-len(numbers) // bounds.processes)
    workers = [Worker(attempt, numbers[i : i + share], ground, bounds) for i in range(0, len(numbers), share)]
    while workers:
        select.select([worker.pipe for worker in workers], [], [], 1.0)
        for worker in list(workers):
            yield from worker.told()
            if worker.done:
                workers.remove(worker)
    last = numbers[-1] if len(numbers) else -1
    yield from ground.falls(last)
    yield from ground.leaks()


class Worker:
    """A forked process that makes its share of the attempts; where one ends it, another goes on after that one."""

    def __init__(self, attempt: Attempt, numbers: Sequence[int], ground: Ground, bounds: Bounds) -> None:
        self._attempt, self._numbers, self._ground, self._bounds = attempt, numbers, ground, bounds
        self._at = mmap.mmap(-1, 16)  # which attempt is under way, and since when
        self.done = False
        self._start(0)

    def told(self) -> Iterator[Fall]:
        """What it has found since it was last asked."""
        data = os.read(self.pipe, 2**20) if select.select([self.pipe], [], [], 0)[0] else None
        if data:
            self._rest += data
            *lines, self._rest = self._rest.split(b"\n")
            yield from (Fall(**json.loads(line)) for line in lines)
        at, since = struct.unpack("qd", self._at[:])
        if data == b"":
            yield from self._ended(at)
        elif time.monotonic() - since > self._bounds.seconds + 20:  # it does not hear its own alarm
            os.kill(self._child, signal.SIGKILL)

    def _ended(self, at: int) -> Iterator[Fall]:
        os.close(self.pipe)
        code = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        if code == 0:
            self.done = True
            return
        kind = "too much" if code == -signal.SIGKILL else "outside"
        yield Fall(kind, self._numbers[at], f"the process ended with {code}")
        self.done = at + 1 >= len(self._numbers)
        if not self.done:
            self._start(at + 1)

    def _start(self, first: int) -> None:
        self._at[:] = struct.pack("qd", first, time.monotonic())
        self._rest = b""
        self.pipe, write = os.pipe()
        self._child = os.fork()
        if self._child:
            os.close(write)
            return
        code = 1
        try:
            os.close(self.pipe)
            _work(self._attempt, self._numbers, first, write, self._at, self._ground, self._bounds)
            code = 0
        finally:
            os._exit(code)


def _work(
    attempt: Attempt, numbers: Sequence[int], first: int, write: int, at: mmap.mmap, ground: Ground,
    bounds: Bounds,
) -> None:  # fmt: skip
    """In the child: every attempt from the `first` on; each fall is a line of JSON."""
    said = os.open(ground.said / f"{os.getpid()}.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    if bounds.memory:
        resource.setrlimit(resource.RLIMIT_DATA, (bounds.memory, bounds.memory))
    signal.signal(signal.SIGALRM, _over)
    for i in range(first, len(numbers)):
        at[:] = struct.pack("qd", i, time.monotonic())
        signal.setitimer(signal.ITIMER_REAL, bounds.seconds)
        try:
            attempt(numbers[i])
        except SlmfitError:
            pass
        except BaseException as error:
            signal.setitimer(signal.ITIMER_REAL, 0)
            fall = Fall(_kind(error), numbers[i], _words(error))
            os.write(write, json.dumps(asdict(fall)).encode() + b"\n")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if ground.mark.exists():
            os.write(write, json.dumps(asdict(Fall("code run", numbers[i], "a canary sang"))).encode() + b"\n")
            ground.mark.unlink()


class TooLong(BaseException):
    """The time of an attempt, or of a part of it, is over."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """A part of an attempt that has so many seconds of its own, and no more than the attempt has left.

    Its memory is bounded as the attempt's: by what the whole process may hold.
    """
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    begin = time.monotonic()
    if 0 < left < seconds:
        signal.setitimer(signal.ITIMER_REAL, left)
    try:
        yield
    finally:
        rest = max(1e-3, left - (time.monotonic() - begin)) if left else 0.0
        signal.setitimer(signal.ITIMER_REAL, rest)


def _over(number: int, frame: FrameType | None) -> None:
    raise TooLong


def _kind(error: BaseException) -> str:
    if isinstance(error, (TooLong, MemoryError)):
        return "too much"
    return "wrong" if isinstance(error, AssertionError) else "outside"


def _words(error: BaseException) -> str:
    place = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__][-1]
    return f"{type(error).__name__}: {str(error)[:200]} ({Path(place.filename).name}, line {place.lineno})"
