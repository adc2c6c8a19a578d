"""Where the arithmetic happens, and how exactly: the one place that knows of devices.

device = choose("auto", "auto")
with device.autocast():
    model(**device.send(batch))
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from slmfit.errors import MissingPart

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "fp32", "bf16")
ASKED = "asked for"
SWEEP_SECONDS = 5.0  # between two sweeps, of which each takes 0.1 to 0.2 s for a gigabyte
_swept = 0.0


@dataclass(frozen=True)
class Device:
    """A device and the precision of its matrix products; weights that are trained stay fp32.

    why: the reason for the precision, for people.
    """

    name: str
    precision: str
    why: str = ASKED

    def autocast(self) -> AbstractContextManager[object]:
        """Matrix products in bf16 where that was chosen."""
        stack = ExitStack()
        if self.precision == "bf16":
            stack.enter_context(torch.autocast(self.name, torch.bfloat16))
            if self.name == "cpu" and torch.is_grad_enabled():
                # The fused kernel is quicker forward (1.17 times), but slow backward in bf16: 2.0 s against 0.6 s with
                # plain products (MiniLM, 6,000 tokens).
                stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        return stack

    def exact(self) -> Device:
        """For predictions, whose answers shall be those of the saved model: fp32 where bf16 was not asked for."""
        return replace(self, precision="fp32") if self.name == "cpu" and self.why != ASKED else self

    def send(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A batch on the device, without waiting for it."""
        return {name: tensor.to(self.name, non_blocking=True) for name, tensor in batch.items()}

    def compiled(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model to call; its parameters stay those of `model`. Compiling pays on a GPU only."""
        if self.name != "cuda":
            return model
        return torch.compile(model, dynamic=True)  # type: ignore[return-value]

    @property
    def looks_are_free(self) -> bool:
        """Whether reading a value off the device costs nothing; on a GPU it waits for all that was asked before."""
        return self.name == "cpu"

    @property
    def length_step(self) -> int:
        """Lengths are padded up to a multiple of this: few shapes on a GPU, no wasted work on a CPU.

        bf16 on a CPU prepares and keeps a kernel for every shape: steps of 8 are 7 % faster and save 0.5 GB (MiniLM).
        """
        if self.name != "cpu":
            return 16
        return 8 if self.precision == "bf16" else 1

    def wait(self) -> None:
        """Until all that was asked of the device is done; for honest timing."""
        if self.name == "cuda":
            torch.cuda.synchronize()
        elif self.name == "mps":
            torch.mps.synchronize()

    def free(self) -> None:
        """Give memory that is no longer used back: after running out of it, or before work of another kind."""
        if self.name == "cuda":
            torch.cuda.empty_cache()
        elif self.name == "cpu" and (trim := _c_library("malloc_trim")):
            trim(0)
            global _swept
            _swept = time.monotonic()

    def sweep(self) -> None:
        """The same now and then, amid work on a CPU.

        What comes in a new shape, or grows at each step, does not fit where the last one was: in the end a process
        is half as large again as what it uses (SmolLM2: 3.4 for 2.4 GB).
        """
        if self.name == "cpu" and time.monotonic() - _swept > SWEEP_SECONDS:
            self.free()


def choose(name: str = "auto", precision: str = "auto") -> Device:
    """The best device that is there, or the one asked for. Raises MissingPart when that is not there."""
    _keep_memory()
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(n for n in ("cuda", "mps", "cpu") if there[n])
    if not there[name]:
        raise MissingPart(f"there is no {name} device here", fix="leave the setting `device` at auto")
    if precision != "auto":
        return Device(name, precision)
    if name == "cuda" and torch.cuda.is_bf16_supported():
        return Device(name, "bf16", "this GPU multiplies bf16 several times as fast as fp32")
    if name == "cpu" and (unit := _bf16_unit()):
        return Device(name, "bf16", f"this processor multiplies bf16 itself ({unit}); predictions are made in fp32")
    return Device(name, "fp32", f"the exact one, and the fast one on {name}")


@cache
def _keep_memory() -> None:
    """Let memory that is freed stay with the process, and hold fewer of oneDNN's kernels.

    glibc otherwise hands every activation back to the system and has it zeroed anew, step after step: training was
    11-13 % slower so in fp32 and 18-24 % in bf16 (MiniLM). `Device.free` gives back what has piled up.
    """
    # oneDNN keeps 1,024 kernels, one for every shape of a product in bf16, and a batch needs some fifty: SmolLM2's
    # grew by half a gigabyte in nine batches. (It reads this at its first product: what came before us keeps its way.)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    if mallopt := _c_library("mallopt"):
        mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD: blocks up to so many bytes come from the heap …
        mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD: … which is not cut back


def _c_library(name: str) -> Callable[..., int] | None:
    """A call of the C library; None where it is not known, as on systems other than Linux with glibc."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def _bf16_unit() -> str | None:
    """What multiplies bf16 in this processor: AMX many times as fast as fp32, AVX-512 BF16 twice as fast.

    Where neither is, bf16 works too, but is many times slower than fp32 (300 times with AVX2 alone).
    """
    units = {"AMX": "_is_amx_tile_supported", "AVX-512 BF16": "_is_avx512_bf16_supported"}
    return next((unit for unit, has in units.items() if getattr(torch.cpu, has, lambda: False)()), None)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device's memory is full."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(w in str(error) for w in words)
