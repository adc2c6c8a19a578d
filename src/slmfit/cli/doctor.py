"""What this machine can do: extras, accelerator, hub, keys. Keys are named, their values never read out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from slmfit.environment import EXTRAS, cache_folder, environment, install, missing
from slmfit.llm.server import KEY_OF_HOST
from slmfit.serving.limits import TOKEN

TESTS = {"test": ("pytest", "hypothesis", "playwright")}
HUB_SETTINGS = ("HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE")


def examine() -> dict[str, Any]:
    """The findings, JSON as they stand."""
    return {
        "environment": environment(),
        "memory_bytes": _memory(),
        "gpu": _gpu(),
        "extras": {extra: _extra(extra, packages) for extra, packages in {**EXTRAS, **TESTS}.items()},
        "hub": {name: os.environ[name] for name in HUB_SETTINGS if name in os.environ},
        "keys": {name: _key(name) for name in (*KEY_OF_HOST.values(), "HF_TOKEN")}
        | {TOKEN: "set in the environment" if os.environ.get(TOKEN) else "not set"},
        "cache": str(cache_folder()),
    }


def _extra(extra: str, packages: tuple[str, ...]) -> str:
    absent = missing(*packages)
    return f"missing {', '.join(absent)}: {install(extra)}" if absent else "ready"


def _key(name: str) -> str:
    """Whether a key is set, and where; what it is stays where it is."""
    if os.environ.get(name):
        return "set in the environment"
    dotenv = Path(".env")
    try:
        lines = dotenv.read_text(encoding="utf-8").splitlines() if dotenv.is_file() else []
    except (OSError, UnicodeDecodeError):
        return "not set (.env cannot be read)"
    named = any(line.removeprefix("export ").partition("=")[0].strip() == name for line in lines)
    return "set in .env" if named else "not set"


def _gpu() -> str:
    if missing("torch"):
        return "unknown (torch is not installed)"
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "Apple GPU" if torch.backends.mps.is_available() else "none"


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
