"""The border to ONNX Runtime: a file is looked at, opened for this machine's cores, and asked batch by batch.

session = Session(Path("model.onnx"))
logits, = session.run(rows.batch(np.array([3, 5])))
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slmfit.environment import cores
from slmfit.hub.onnx import check_onnx

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Session:
    """A model that is open. Raises UnsafeError for a file that reaches out of itself, ValueError for a damaged one."""

    def __init__(self, path: Path) -> None:
        check_onnx(path)
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # importing it would leave files of its own otherwise
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _threads()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what goes wrong is raised, too
        # Threads that have nothing to do would count down to it on a core that others need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ValueError(_first(error)) from error
        self.inputs = tuple(one.name for one in self._session.get_inputs())
        self.widths = tuple(one.shape[-1] for one in self._session.get_outputs())

    def run(self, batch: Mapping[str, np.ndarray]) -> list[Any]:
        """Every output for a batch. Raises ValueError where the model fails on it."""
        try:
            found: list[Any] = self._session.run(None, {name: batch[name] for name in self.inputs})
        except Exception as error:
            raise ValueError(_first(error)) from error
        return found


def _threads() -> int:
    """As many as other libraries are told to take, else one a core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and 0 < int(asked) <= 1024 else cores()


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
