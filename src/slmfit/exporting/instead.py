"""What to do with a run that a form does not take.

instead(run, "`slmfit predict` uses this run as it is")      # that, unless more is known of its method
"""

from __future__ import annotations

from slmfit.runs.run import Run

_NO_MODEL = "a run of {} holds no model: export one of another method, fitted on the same data"
_INSTEAD = {
    "llm": _NO_MODEL.format("llm"),
    "majority": _NO_MODEL.format("majority"),
    "cascade": "export the runs that it is made of, each by itself; --hub-folder lays out both together, as they are",
    "onnx": "it is an export already; export the run that it was made of",
}


def instead(run: Run, otherwise: str) -> str:
    """The way out. otherwise: where the method tells nothing."""
    return _INSTEAD.get(run.record.method, otherwise)
