"""How much a run takes: its answers to the same rows written otherwise, kind by kind; `stress.json` in its folder.

stressed = read_stressed(Path("compared/runs/linear"))     # None where nobody asked
stressed.kinds[0].drop                                     # Score(0.031, 0.018, 0.044): 3.1 points lower
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slmfit import storage
from slmfit.records import RunRecord, Score, from_plain, to_plain

FILE = "stress.json"
FORMAT = "slmfit.stress/1"


@dataclass(frozen=True, kw_only=True)
class KindRecord:
    """One kind of change. All figures are of the rows that it changes, before and after.

    rows: how many these are; 0 = none, for a `reason`, and no figures. draws: how often each was changed.
    before, after: the score; after is over all draws. lowest, highest: of single draws. drop: before less after,
    paired, with its 95 % interval. right_to_wrong, wrong_to_right: rows, on average over the draws.
    """

    kind: str
    what: str
    rows: int
    draws: int = 1
    reason: str | None = None
    before: float | None = None
    after: float | None = None
    lowest: float | None = None
    highest: float | None = None
    drop: Score | None = None
    p_value: float | None = None
    right_to_wrong: float | None = None
    wrong_to_right: float | None = None


@dataclass(frozen=True, kw_only=True)
class StressRecord:
    """What `stress.json` holds. key: of all that decides it. rows: asked again, of `of_rows` that have an answer."""

    run: str
    key: str
    metric: str
    rows: int
    of_rows: int
    seed: int
    kinds: Sequence[KindRecord]
    created: str

    @property
    def asked(self) -> list[KindRecord]:
        """The kinds that change any row."""
        return [kind for kind in self.kinds if kind.rows]


def write_stressed(folder: Path, record: StressRecord) -> None:
    storage.write_json(folder / FILE, {"format": FORMAT, **to_plain(record)})


def read_stressed(folder: Path, of: RunRecord | None = None) -> StressRecord | None:
    """What was written into a run's folder; None where nothing was, or it is of another run than `of`.

    Raises SlmfitError where it is damaged, UnsafeError where it is of another format.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    plain = storage.read_json(path)
    storage.check_format(plain, FORMAT, path)
    with storage.undamaged(path):
        record = from_plain(StressRecord, plain)
    return record if of is None or record.key.startswith(of.key) else None
