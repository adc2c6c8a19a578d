"""slmfit finds the smallest language model that does your job.

    import slmfit

    comparison = slmfit.compare(slmfit.load_data("tickets.csv"))
    comparison.best.predict(["my card was charged twice"])

Names are loaded when they are first used, so that `import slmfit` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slmfit.comparison import Comparison, compare, train
    from slmfit.data.dataset import Dataset
    from slmfit.data.load import load_data
    from slmfit.errors import BudgetReached, DataError, MissingPart, SlmfitError, UnsafeError, UsageError
    from slmfit.estimator import SlmClassifier
    from slmfit.records import Entities, Example, Prediction, Question, Score, Span, Usage
    from slmfit.runs import Run, load

_PLACES = {
    "slmfit.comparison": ("Comparison", "compare", "train"),
    "slmfit.data.dataset": ("Dataset",),
    "slmfit.data.load": ("load_data",),
    "slmfit.errors": ("BudgetReached", "DataError", "MissingPart", "SlmfitError", "UnsafeError", "UsageError"),
    "slmfit.estimator": ("SlmClassifier",),
    "slmfit.records": ("Entities", "Example", "Prediction", "Question", "Score", "Span", "Usage"),
    "slmfit.runs": ("Run", "load"),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "BudgetReached",
    "Comparison",
    "DataError",
    "Dataset",
    "Entities",
    "Example",
    "MissingPart",
    "Prediction",
    "Question",
    "Run",
    "Score",
    "SlmClassifier",
    "SlmfitError",
    "Span",
    "UnsafeError",
    "Usage",
    "UsageError",
    "compare",
    "load",
    "load_data",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'slmfit' has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
