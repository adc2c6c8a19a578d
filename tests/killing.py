"""Ends a training at a chosen point, or lets the disk refuse there, in a process forked after the imports.

    trial = Trial("encoder", folder)
    trial.reference                      # the weights of an undisturbed run
    points = trial.points(20, seed=0)    # among every write, fsync and rename of a checkpoint, and every step
    trial.killed_and_resumed(points[0])  # the weights of the run that was killed there and started again
    trial.refused(points[0], errno.ENOSPC)

benchmarks/finetune.py runs the same with more points.
"""

import hashlib
import os
import random
import shutil
import signal
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import torch

import tiny
from conftest import make_dataset
from slmfit.errors import SlmfitError
from slmfit.finetune import loop
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal
from slmfit.methods.causal import Settings as CausalSettings
from slmfit.methods.encoder import Encoder
from slmfit.methods.encoder import Settings as EncoderSettings

REFUSED = 7  # exit code of a run that ended with an error of ours
QUICK = {"epochs": 2, "learning_rate": 3e-3, "batch_tokens": 400}


class Trial:
    """A tiny model's training that keeps a checkpoint after every step."""

    def __init__(self, kind, folder):
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would not survive a fork
        torch.set_num_threads(1)
        self.folder = Path(folder)
        self.data = make_dataset(sizes=(60, 20, 10))
        if kind == "encoder":
            base = tiny.encoder(self.folder / "base", num_hidden_layers=1)
            self.method, self.settings = Encoder, EncoderSettings(base_model=base, **QUICK)
        else:
            import peft  # noqa: F401  # as the imports that every child would do again

            base = tiny.causal(self.folder / "base", num_hidden_layers=1)
            self.method, self.settings = Causal, CausalSettings(base_model=base, lora_rank=4, **QUICK)
        self.kinds = []
        log = self.folder / "log"
        assert self._run(self._fresh(), log=log) == 0
        self.kinds = log.read_text().split()
        self.reference = self._weights()

    def points(self, count, seed):
        """Places in the sequence of what happens: the first of each kind, a last, and random ones of each kind."""
        rng = random.Random(seed)
        by_kind = {kind: [i for i, k in enumerate(self.kinds) if k == kind] for kind in dict.fromkeys(self.kinds)}
        chosen = [places[0] for places in by_kind.values()] + [len(self.kinds) - 1]
        while len(chosen) < count:
            chosen += [rng.choice(places) for places in by_kind.values()]
        return chosen[:count]

    def killed_and_resumed(self, at):
        """Kill -9 at a point, start again; the weights it ends with."""
        work = self._fresh()
        assert self._run(work, at=at) == -signal.SIGKILL
        assert self._run(work) == 0
        return self._weights()

    def refused(self, at, error):
        """The disk refuses once at a point; the run goes on or ends with an error of ours. Then it is run again."""
        work = self._fresh()
        code = self._run(work, at=at, error=error)
        assert code in (0, REFUSED), f"ended with {code} at {at} ({self.kinds[at]})"
        left = [p.name for p in work.rglob("*.partial")]
        assert left == [], f"{left} was left at {at}"
        _, damaged = Checkpoints(work / "checkpoints").newest()
        assert damaged == 0
        assert self._run(work) == 0
        return self._weights()

    def _fresh(self):
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        return self.folder / "work"

    def _weights(self):
        return (self.folder / "weights").read_text()

    def _run(self, work, *, at=None, error=None, log=None):
        (self.folder / "weights").unlink(missing_ok=True)
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 1
        try:
            loop.CHECKPOINT_SECONDS, loop.CHECKPOINT_SHARE = 0.0, 0
            with watched(at, error) as seen:
                method = self.method(self.settings)
                method.fit(self.data.task, self.data.train, self.data.validation, Context(work=work))
            digest = hashlib.sha256()
            for name, weight in sorted(method.model.state_dict().items()):
                digest.update(name.encode() + weight.numpy().tobytes())
            (self.folder / "weights").write_text(digest.hexdigest())
            if log:
                log.write_text(" ".join(seen))
            code = 0
        except SlmfitError:
            code = REFUSED
        finally:
            os._exit(code)


@contextmanager
def watched(at=None, error=None):
    """Count writes, fsyncs, renames and steps; at the one asked for, be killed, or raise OSError(error)."""
    seen = []

    def reached(kind, half=lambda: None):
        seen.append(kind)
        if len(seen) - 1 == at and not (kind == "step" and error):  # a step does not touch the disk
            half()
            if error is None:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(error, os.strerror(error))

    class Counted:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            def half():
                self.file.write(data[: len(data) // 2])
                self.file.flush()

            reached("write", half)
            return self.file.write(data)

    def counted(kind, real):
        def call(*args, **kwargs):
            reached(kind)
            return real(*args, **kwargs)

        return call

    def opened(path, mode="r", *args, **kwargs):
        file = real_open(path, mode, *args, **kwargs)
        return Counted(file) if mode[0] in "wx" else file

    def step(training, rows):
        reached("step")
        return real_step(training, rows)

    real_open, real_step = Path.open, loop.Training._step
    with (
        mock.patch.object(Path, "open", opened),
        mock.patch.object(os, "fsync", counted("fsync", os.fsync)),
        mock.patch.object(os, "rename", counted("rename", os.rename)),
        mock.patch.object(os, "replace", counted("rename", os.replace)),
        mock.patch.object(loop.Training, "_step", step),
    ):
        yield seen


def summary(trial, points):
    """How many points of each kind, for the benchmark's report."""
    return dict(Counter(trial.kinds[at] for at in points))
