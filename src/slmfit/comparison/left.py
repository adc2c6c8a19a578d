"""`leave.json`: the prompts of a log, what each was asked and answered, what that cost, and where its comparison is.

    left = read_left(Path("left"))
    [prompt.name for prompt in left.prompts if prompt.comparison]

A prompt that is a task has its frame and the shape of its answers, so that what answers instead is asked the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.records import from_plain, to_plain
from slmfit.tasks.framed import Frame
from slmfit.tasks.reply_shapes import Shape
from slmfit.text.figures import joined

FORMAT = "slmfit.leave/1"
RECORD = "leave.json"
TEACHERS = 3  # that are named


@dataclass(frozen=True, kw_only=True)
class CostRecord:
    """What calls cost. None = unknown, never 0.

    calls: those that were paid for. untold: those whose tokens the log does not tell, and which are in no sum. usd: of
    all whose tokens are told. source: who says the prices, with their date, or why they are not known.
    """

    calls: int
    untold: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usd: float | None
    source: str

    @property
    def usd_per_1000(self) -> float | None:
        told = self.calls - self.untold
        return None if self.usd is None or not told else 1000 * self.usd / told


@dataclass(frozen=True, kw_only=True)
class PromptRecord:
    """One prompt. docs/format.md explains every field."""

    name: str
    kind: str
    why: str | None = None
    asks: str
    calls: int
    rows: int
    ended: Mapping[str, int]
    retries: int
    duplicates: int
    repeated: int
    differing: int
    unread: int
    unplaced: int
    rare: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    reworded: int = 0
    notes: Sequence[str] = ()
    models: Mapping[str, int]
    first: str | None = None
    last: str | None = None
    split: str | None = None
    cost: CostRecord
    comparison: str | None = None
    frames: Sequence[Frame] = ()
    schema: str | None = None
    shape: Shape | None = None

    @property
    def teacher(self) -> str:
        """What answered it, most calls first."""
        names = [*self.models][:TEACHERS]
        return joined(names) if names else "the log"


@dataclass(frozen=True, kw_only=True)
class LeaveRecord:
    """What `leave.json` holds. teacher: the models that wrote the log, most calls first. others: what is no call."""

    teacher: str | None
    calls: int
    files: int
    prompts: Sequence[PromptRecord]
    cost: CostRecord
    others: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    created: str

    @property
    def tasks(self) -> list[PromptRecord]:
        """Those that were compared."""
        return [prompt for prompt in self.prompts if prompt.comparison is not None]


def schema_of(given: Any) -> tuple[Mapping[str, Any] | None, str | None]:
    """The schema that a request's response_format holds, and its name."""
    form = given if isinstance(given, Mapping) else {}
    inner = form.get("json_schema")
    holder = inner if isinstance(inner, Mapping) else form
    schema, name = holder.get("schema"), holder.get("name")
    return schema if isinstance(schema, Mapping) else None, name if isinstance(name, str) else None


def schema_hash(schema: Mapping[str, Any] | None) -> str | None:
    """What tells a schema from another; None without one."""
    return None if schema is None else storage.hash_json(schema)


def write_left(folder: Path, record: LeaveRecord) -> None:
    storage.write_json(folder / RECORD, {"format": FORMAT, **to_plain(record)})


def read_left(folder: Path) -> LeaveRecord:
    """Raises UsageError for a folder without one, SlmfitError and UnsafeError for one that is damaged."""
    path = folder / RECORD
    if not path.is_file():
        raise UsageError("holds no leave.json", where=str(folder), fix="name the folder that `slmfit leave` wrote")
    plain = storage.read_json(path)
    storage.check_format(plain, FORMAT, path)
    with storage.undamaged(path):
        return from_plain(LeaveRecord, plain)
