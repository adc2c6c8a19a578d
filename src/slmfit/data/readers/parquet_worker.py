"""Parquet on stdin to Arrow on stdout: a program of its own, because damaged Parquet can take the process down.

    python parquet_worker.py < train.parquet > train.arrow

One line of JSON comes first: {"names": {column: class names}}, or {"error": …} and nothing else. Polars checks much,
but a few wrong bytes still make it panic, print a backtrace, or ask for exabytes and abort: only a process can be
refused safely. Run by path and importing nothing of slmfit, so it starts in a quarter of a second.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

_FREE_ROWS = 1_000_000  # a file with more rows than this must have at least a byte for each
_FREE_BYTES = 2**28  # what a file may grow to when it is decoded, however small it is
_MOST_GROWTH = 200  # times its size that a larger one may; as of a gzip file


def main() -> None:
    """See the module's docstring."""
    data = sys.stdin.buffer.read()
    names, body = {}, io.BytesIO()
    allowed = max(_FREE_BYTES, _MOST_GROWTH * len(data))
    try:
        _hold_to(2**30 + 4 * allowed)
        import polars as pl

        rows = pl.scan_parquet(io.BytesIO(data)).select(pl.len()).collect().item()
        if rows > max(_FREE_ROWS, len(data)):
            raise ValueError(f"it claims {rows:,} rows in {len(data):,} bytes")
        table = pl.read_parquet(io.BytesIO(data))  # a cell that is repeated is there once, so far
        if (size := table.estimated_size()) > allowed:
            raise ValueError(f"its {len(data):,} bytes would grow to {size:,}")
        table.write_ipc_stream(body)
        names = _class_names(pl.read_parquet_metadata(io.BytesIO(data)))
    except BaseException as error:
        answer: dict[str, Any] = {"error": str(error).partition("\n")[0][:200].rstrip(": ") or type(error).__name__}
        body = io.BytesIO()
    else:
        answer = {"names": names}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(body.getbuffer())


def _hold_to(size: int) -> None:
    """Let the system refuse this process more memory than this, where it can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    except (ImportError, OSError, ValueError):
        pass


def _class_names(metadata: dict[str, str]) -> dict[str, list[str]]:
    """Column -> names of a `ClassLabel`, or of a list of them, as Hugging Face's datasets keeps them in the schema."""
    try:
        features = json.loads(metadata["huggingface"])["info"]["features"]
        kinds = {column: kind.get("feature", kind) for column, kind in features.items() if isinstance(kind, dict)}
        return {
            column: [str(name) for name in kind["names"]]
            for column, kind in kinds.items()
            if isinstance(kind, dict) and kind.get("_type") == "ClassLabel" and kind.get("names")
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


if __name__ == "__main__":
    main()
