"""slmfit finds the smallest language model that does your job.

    import slmfit

    comparison = slmfit.compare(slmfit.load_data("tickets.csv"))
    comparison.best.predict(["my card was charged twice"])

The public names stand in `__init__.pyi`. Each is loaded when it is first used, so that `import slmfit` costs next to
nothing.
"""

import os
import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m slmfit` is under way, and Python has put the current folder first: a json.py among the user's files
    # would be run. Last it stays where it holds slmfit itself.
    _here = sys.path.pop(0)
    if os.path.realpath(os.path.dirname(os.path.dirname(__file__))) == os.path.realpath(_here):  # noqa: PTH120
        sys.path.append(_here)

from importlib import import_module
from pathlib import Path


def _public() -> dict[str, tuple[str, str]]:
    """Name -> its module and what it is called there, from the page's lines: "from MODULE import THERE as NAME"."""
    page = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    lines = (line.split() for line in page.splitlines() if line.startswith("from "))
    return {name: (module, there) for _, module, _, there, _, name in lines}


_PLACES = _public()
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'slmfit' has no attribute {name!r}")
    module, there = _PLACES[name]
    value = getattr(import_module(module), there)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
