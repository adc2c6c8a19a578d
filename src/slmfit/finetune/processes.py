"""Several processes as one: the first runs the command, the others compute their share of every batch for it.

    team = join()                                       # in every process that torchrun started, once
    team.lead(command)                                  # the first (`First`)
    team.help(prepare)                                  # the others (`Helper`), until the first one is done

    with current().training(about, arrays) as team:     # where a method trains, alone or not
        Training(..., team=team).run()

Only the first process decides, remembers and writes. The others hold nothing but the weights they were handed for this
very step, so there is nothing that processes could disagree about. A step is: the weights go out; every process
computes the gradients of its pieces of the batch; all say how that went; the gradients are summed in the first one.
What is said travels by gloo, from processor to processor, so that no GPU is waited for; tensors on a GPU go by nccl.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol, Self

import numpy as np
import torch
import torch.distributed as dist

from slmfit.errors import SlmfitError, UsageError
from slmfit.finetune.device import is_out_of_memory
from slmfit.finetune.state import Progress, Weights, put
from slmfit.text.visible import shown

MEETING = timedelta(minutes=1)
QUIET = 2.0  # seconds of it, before it is said: those that torchrun starts come sooner
SILENCE = timedelta(days=7)  # what the first one does alone may take long; that a process died is seen at once
STEP, DONE, TRAINING, END = range(4)  # what the first one tells
FINE, FULL, FAILED = range(3)  # how a share went; FULL: out of memory

Arrays = Mapping[str, np.ndarray]
Share = Callable[[], torch.Tensor]  # leaves gradients, returns the summed loss


class Elsewhere(SlmfitError):
    """Another process failed, and says itself why."""


class Gone(SlmfitError):
    """Another process is no longer there."""


class Shared(Protocol):
    """A training in a process that helps; `weights` are those that are trained."""

    progress: Progress

    @property
    def weights(self) -> Weights: ...

    def share(self) -> None:
        """Compute this process's part of the batch that `progress` names."""
        ...


Prepare = Callable[["Helper", dict[str, Any], dict[str, np.ndarray]], Shared]


class Alone:
    """One process, which does everything itself."""

    size = 1

    @contextlib.contextmanager
    def training(self, about: Mapping[str, Any], arrays: Arrays) -> Iterator[Self]:
        """The time of one training. What it is made of goes to those who help: `about` is JSON as it stands."""
        yield self

    def begin(self, progress: Progress, weights: Weights) -> None:
        """Tell which batch is next, and hand out the weights."""

    def mine(self, pieces: Sequence[np.ndarray]) -> list[tuple[int, np.ndarray]]:
        """The pieces of a batch that this process computes, with their numbers."""
        return list(enumerate(pieces))

    def summed(self, share: Share, weights: Weights) -> torch.Tensor:
        """Compute a share; in the first process, gradients and loss are then those of all shares together.

        What one process raises, all raise: out of memory the same, anything else as `Elsewhere`.
        """
        return share()


class Several(Alone):
    """This process as one of several. `within`: an exchange has begun that has not ended; nothing else can be told."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size, self.within = rank, size, False

    def mine(self, pieces: Sequence[np.ndarray]) -> list[tuple[int, np.ndarray]]:
        return list(enumerate(pieces))[self.rank :: self.size]

    def summed(self, share: Share, weights: Weights) -> torch.Tensor:
        def flat() -> torch.Tensor:
            loss = share()
            return torch.cat([*(_gradient(w) for w in weights.values()), loss.reshape(1)])

        total = self._agreed(flat, may_be_full=True)
        with self._exchange():
            dist.reduce(total, 0)
        for name, part in _parts(total, weights).items():
            if (gradient := weights[name].grad) is not None:
                gradient.copy_(part)
        return total[-1]

    def _agreed(self, work: Callable[[], Any], *, may_be_full: bool = False) -> Any:
        """What `work` returns, when it went well in every process. may_be_full: out of memory is no failure yet."""
        made = error = None
        self.within = True
        try:
            made = work()
        except Exception as raised:
            error = raised
        full = may_be_full and error is not None and is_out_of_memory(error)
        mine = FINE if error is None else FULL if full else FAILED
        worst = torch.tensor(mine)
        with self._exchange():
            dist.all_reduce(worst, dist.ReduceOp.MAX)
        if error is not None and mine == worst:
            raise error
        if worst == FULL:
            raise torch.OutOfMemoryError("out of memory in another process")
        if worst == FAILED:
            raise Elsewhere("another process of this training failed", fix="its own message says why")
        return made

    def _hand_out(self, weights: Weights) -> None:
        with torch.no_grad():
            flat = torch.cat([w.reshape(-1) for w in weights.values()])
        self._broadcast(flat)
        if self.rank:
            put(_parts(flat, weights), weights)
        self.within = True  # until `summed`

    def _broadcast(self, tensor: torch.Tensor) -> None:
        with self._exchange():
            dist.broadcast(tensor, 0)

    def _pass(self, array: np.ndarray) -> np.ndarray:
        """An array of the first process, into one of each other's."""
        if array.size:
            self._broadcast(torch.from_numpy(array.reshape(-1).view(np.uint8)))
        return array

    @contextlib.contextmanager
    def _exchange(self) -> Iterator[None]:
        self.within = True
        try:
            yield
        except RuntimeError:
            fix = "the same command goes on from the last checkpoint"
            raise Gone("another of the processes that were started together is gone", fix=fix) from None
        self.within = False


class First(Several):
    """The process that runs the command."""

    def lead(self, command: Callable[[], int]) -> int:
        """Run the command, and let the others end with its exit code."""
        global _current
        _current, code = self, 1
        try:
            code = command()
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 1
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun ends all others as soon as one has ended
            with contextlib.suppress(Gone):
                self._tell(END, code)
            dist.destroy_process_group()
        return code

    @contextlib.contextmanager
    def training(self, about: Mapping[str, Any], arrays: Arrays) -> Iterator[Self]:
        shapes = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
        text = json.dumps([about, shapes]).encode()
        self._tell(TRAINING, len(text))
        for array in (np.frombuffer(text, np.uint8), *arrays.values()):
            self._pass(np.require(array, requirements=["C", "W"]))
        try:
            self._agreed(lambda: None)
            yield self
        finally:
            with contextlib.suppress(Gone):
                self._tell(DONE)

    def begin(self, progress: Progress, weights: Weights) -> None:
        self._tell(STEP, progress.step, progress.epoch, progress.position)
        self._hand_out(weights)

    def _tell(self, kind: int, *numbers: int) -> None:
        if self.within:
            raise Gone("the processes that were started together have lost each other", fix="run the command again")
        self._broadcast(torch.tensor([kind, *numbers, *[0] * (3 - len(numbers))]))


class Helper(Several):
    """A process that computes for the first one, and neither writes nor prints unless it fails."""

    def help(self, prepare: Prepare) -> int:
        """Do what the first process tells; returns its exit code, or 1 when it went without a word."""
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)  # the first one stops where it can go on later, and says so
        try:
            while True:
                kind, number, *_ = self._heard()
                if kind == END:
                    return number
                if kind == TRAINING:
                    self._train(number, prepare)
        except Gone:
            return 1
        finally:
            dist.destroy_process_group()

    def _train(self, size: int, prepare: Prepare) -> None:
        about, shapes = json.loads(self._pass(np.empty(size, np.uint8)).tobytes())
        arrays = {name: self._pass(np.empty(shape, kind)) for name, (kind, shape) in shapes.items()}
        try:
            self._follow(self._agreed(lambda: prepare(self, about, arrays)))
        except Elsewhere:
            pass
        except Exception as error:
            if self.within:
                raise
            print(shown(f"slmfit, process {self.rank} of {self.size}: {error}"), file=sys.stderr)

    def _follow(self, training: Shared) -> None:
        p = training.progress
        while True:
            kind, p.step, p.epoch, p.position = self._heard()
            if kind != STEP:
                return
            self._hand_out(training.weights)
            training.share()

    def _heard(self) -> list[int]:
        said = torch.zeros(4, dtype=torch.int64)
        self._broadcast(said)
        return said.tolist()


_current: Alone = Alone()


def current() -> Alone:
    """The processes that a training here can use."""
    return _current


def join() -> First | Helper:
    """Find the other processes, by the variables that torchrun and accelerate set, and take a GPU where there are any.

    Raises UsageError when there are fewer GPUs than processes, SlmfitError when the others do not come.
    """
    gpus = torch.cuda.device_count()
    place = int(os.environ.get("LOCAL_RANK", "0"))
    if gpus and place >= gpus:
        fix = "start one process per GPU, or set CUDA_VISIBLE_DEVICES= to train without them"
        raise UsageError(f"process {place + 1} was started on a machine with {gpus} GPU(s)", fix=fix)
    if gpus:
        torch.cuda.set_device(place)
    waiting = threading.Timer(QUIET, _say_who_is_waited_for)
    waiting.daemon = True
    waiting.start()
    try:
        store, rank, size = next(dist.rendezvous("env://", timeout=MEETING))
        store.set(f"slmfit/{rank}", "here")
        store.wait([f"slmfit/{other}" for other in range(size)], MEETING)  # what follows waits as long as SILENCE
        backend = "cpu:gloo,cuda:nccl" if gpus else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=SILENCE)
    except (RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        fix = "start them with torchrun or accelerate launch, or unset WORLD_SIZE to run alone"
        raise SlmfitError(f"the processes did not find each other: {first}", fix=fix) from None
    finally:
        waiting.cancel()
    for name in ("RANK", "WORLD_SIZE"):  # a process that this one starts is alone
        del os.environ[name]
    return Helper(rank, size) if rank else First(rank, size)


def _say_who_is_waited_for() -> None:
    size = os.environ.get("WORLD_SIZE")
    words = f"WORLD_SIZE is {size}: waiting for {size} processes to come together, {MEETING.seconds} s at most"
    print(f"slmfit: {words}", file=sys.stderr, flush=True)


def _gradient(weight: torch.Tensor) -> torch.Tensor:
    """Flat; zeros where a process has no rows or a weight no part in the loss."""
    gradient = torch.zeros_like(weight) if weight.grad is None else weight.grad
    return gradient.reshape(-1)


def _parts(flat: torch.Tensor, weights: Weights) -> dict[str, torch.Tensor]:
    """`flat` cut up, in the shapes of the weights."""
    sizes = [w.numel() for w in weights.values()]
    parts = flat[: sum(sizes)].split(sizes)
    return {name: part.view_as(weights[name]) for name, part in zip(weights, parts, strict=True)}
