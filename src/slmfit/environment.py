"""What the figures were measured on: versions, machine, time, and where caches live."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from slmfit import storage

# Extra -> what `pip install 'slmfit[EXTRA]'` brings, by the names they are imported under.
EXTRAS = {
    "entities": ("pycrfsuite",),
    "train": ("torch", "transformers", "peft", "accelerate"),
    "hub": ("datasets", "huggingface_hub"),
    "prices": ("genai_prices",),
    "gguf": ("gguf",),
    "quantise": ("bitsandbytes",),
    "onnx": ("onnxruntime",),
    "export": ("onnxruntime", "onnx", "onnxscript"),
    "serve": ("starlette", "uvicorn", "httptools", "llguidance"),
    "tune": ("optuna",),
    "cluster": ("ray",),
}
PACKAGES = ("numpy", "scipy", "scikit-learn", "polars", "tokenizers", "torch", "transformers")


def environment() -> dict[str, Any]:
    """Versions and machine, JSON as it stands."""
    return {
        "slmfit": code_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": cores(),
        "packages": {p: v for p in PACKAGES if (v := package_version(p))},
    }


@cache
def code_version() -> str:
    """slmfit's version and a hash of its source, so that a changed method is fitted again."""
    root = Path(__file__).parent
    source = {p.relative_to(root).as_posix(): storage.hash_file(p) for p in sorted(root.rglob("*.py"))}
    return f"{package_version('slmfit') or 'source'}+{storage.hash_json(source)[:12]}"


def package_version(name: str) -> str | None:
    """The version of an installed package, None when it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def missing(*packages: str) -> list[str]:
    """Those that cannot be imported here."""
    return [package for package in packages if find_spec(package) is None]


def install(extra: str) -> str:
    """The line that brings an extra."""
    return f"pip install 'slmfit[{extra}]'"


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cache_folder() -> Path:
    """Where what is dear to compute is kept: SLMFIT_CACHE, or the user's cache folder."""
    if named := os.environ.get("SLMFIT_CACHE"):
        return Path(named)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("slmfit"))


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def isolated(module: str) -> list[str]:
    """The command that runs a module of ours in a process of its own, in which the current folder is no place to import
    from: a json.py or numpy.py among the user's files is never run. Goes with `without_here`.
    """
    root = str(Path(__file__).resolve().parent.parent)  # last, for an slmfit that is not installed
    code = f"import sys; sys.path.append({root!r}); import runpy; runpy.run_module({module!r}, {{}}, '__main__', True)"
    return [sys.executable, "-P", "-c", code]


def without_here(places: Sequence[str] | None = None) -> dict[str, str]:
    """The environment for such a process: PYTHONPATH less the current folder, which an empty entry stands for, too.

    places: to import from in its stead, the current folder among them where it is one; None = as it is.
    """
    kept, here = dict(os.environ), Path.cwd()
    if places is not None:
        return kept | {"PYTHONPATH": os.pathsep.join(place for place in places if place)}
    if places := kept.pop("PYTHONPATH", ""):
        others = [place for place in places.split(os.pathsep) if place and Path(place).resolve() != here.resolve()]
        kept |= {"PYTHONPATH": os.pathsep.join(others)} if others else {}
    return kept
