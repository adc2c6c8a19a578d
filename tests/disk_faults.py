"""Work in a process of its own, which a fault of the disk or a kill meets at a chosen fsync, rename or removal.

    with Clean() as clean:
        code, kinds = clean.child("compare", folder)                 # undisturbed: what it touches the disk with
        clean.child("compare", folder, at=7)                         # killed at the eighth of them: -SIGKILL
        clean.child("compare", folder, at=7, error=errno.ENOSPC)     # the disk is full there: 0, or OURS

Children are forked from a process that has done nothing but import: so a kill costs no start, and no child waits for a
thread that the fork did not take along.
"""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))  # where it is a process of its own

import warm
from slmfit.errors import SlmfitError

OURS, OTHER = 7, 9  # exit codes of a child: an error of ours, any other
FAULTS = (None, errno.ENOSPC, errno.EIO)  # None: killed
EVERY = bool(os.environ.get("SLMFIT_FAULTS"))  # every fault at every point, and not a sample of them
# Also which rows a server was asked alone: as many as the clock leaves time for, of those that were not answered yet.
TIMES = re.compile(r"(_seconds|seconds|_ms|p50|p95|rows_per_second|memory_bytes|created|opened|at|^alone)$")
NAMES = ("fsync", "rename", "replace", "unlink", "mkdir")


# --- what is done ---


def small():
    from conftest import make_dataset

    return make_dataset(sizes=(40, 12, 12))


def generating(folder):
    from slmfit.generating import generate

    generate("emails", n=12, output=folder / "o" / "emails.jsonl")


def comparing(folder):
    from slmfit.comparison.compare import compare

    compare(small(), "majority", out=folder / "o")


def training(folder):
    from slmfit.comparison.compare import train

    train(small(), "linear", out=folder / "o")


def tuning(folder, base):
    """A checkpoint after every step."""
    from slmfit.comparison.compare import train
    from slmfit.finetune import loop

    settings = {"encoder": {"base_model": base, "epochs": 1, "device": "cpu", "batch_tokens": 400}}
    with mock.patch.multiple(loop, CHECKPOINT_SECONDS=0.0, CHECKPOINT_SHARE=0):
        train(small(), "encoder", settings=settings, out=folder / "o")


def asking(folder, url):
    from slmfit.comparison.compare import compare
    from slmfit.llm import Limits

    settings = {"llm": {"base_url": url}}
    compare(small(), "llm=m", settings=settings, limits=Limits(tokens=10**7), out=folder / "o")


def predicting(folder):
    from slmfit.runs.predicting import predict_file
    from slmfit.runs.run import load

    predict_file(load(folder / "o"), folder / "in.csv", output=folder / "out.csv")


WORKS = {work.__name__: work for work in (generating, comparing, training, tuning, asking, predicting)}


# --- the process that children are forked from ---


class Clean:
    """See the module's docstring. imported: modules that every child would import."""

    def __init__(self, *imported):
        environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-P", __file__, warm.shared.address, *imported]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, **pipes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def child(self, work, folder, *more, at=None, error=None):
        """The exit code of a work, whose cache is in its folder, and what it touched the disk with."""
        asked = {"work": work, "folder": str(folder), "more": more, "at": at, "error": error}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return told["code"], told["kinds"]


def serve(address, imported):
    """In that process: a child for every line."""
    warm.measure_in_forks(warm.Warm(address))
    for name in ("slmfit.comparison.compare", "sklearn.svm", "polars", *imported):
        __import__(name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            _work(asked, write)
        os.close(write)
        with os.fdopen(read) as seen:
            kinds = seen.read().split()
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answers.write(json.dumps({"code": code, "kinds": kinds}) + "\n")
        answers.flush()


def _work(asked, write):
    code, folder = OTHER, Path(asked["folder"])
    try:
        os.environ["SLMFIT_CACHE"] = str(folder / "cache")
        with watched(asked["at"], asked["error"]) as seen:
            WORKS[asked["work"]](folder, *asked["more"])
        os.write(write, " ".join(seen).encode())
        code = 0
    except SlmfitError as known:
        code = OURS if str(known).count("\n") <= 1 else OTHER  # what is wrong, and how to mend it
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


@contextmanager
def watched(at=None, error=None):
    """Count what touches the disk for good; at the one asked for be killed, or raise OSError(error)."""
    seen = []

    def counted(kind, real):
        def call(*args, **kwargs):
            seen.append(kind)
            if len(seen) - 1 == at:
                if error is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(error, os.strerror(error), *([] if kind == "fsync" else [str(args[0])]))
            return real(*args, **kwargs)

        return call

    with mock.patch.multiple(os, **{name: counted(name, getattr(os, name)) for name in NAMES}):
        yield seen


def points(kinds, count):
    """(number, fault): every fault at every point, or `count` of them, the faults in turns."""
    if EVERY:
        return [(at, fault) for at in range(len(kinds)) for fault in FAULTS]
    step = max(1, len(kinds) // count)
    return [(at, FAULTS[at // step % 3]) for at in range(step // 2, len(kinds), step)]


def without_times(value):
    if isinstance(value, dict):
        return {
            k: without_times(v)
            for k, v in value.items()
            if not TIMES.search(k) and k not in ("environment", "made", "measured", "reused", "seal")
        }
    return [without_times(v) for v in value] if isinstance(value, list) else value


def left(folder):
    """What stands in a folder, but for times: name -> text."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".partial")):
        name, text = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.suffix == ".json":
            found[name] = without_times(json.loads(text))
        elif path.suffix == ".jsonl" and path.name != "events.jsonl":
            found[name] = [without_times(json.loads(line)) for line in text.splitlines()]
        elif path.suffix not in (".html", ".jsonl", ".md", ".lock"):
            found[name] = text
        else:
            found[name] = "is there"
    return found


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
