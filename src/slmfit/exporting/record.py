"""`export.json`: what an export is, which run it is of, how it did at the gate, and what its files are.

write_export(folder, ExportRecord.of(run, form="onnx", about={"quantised": "int8"}, gate=judged, scores=scores))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from slmfit import storage
from slmfit.environment import environment, now
from slmfit.exporting.gate import Judged
from slmfit.records import Score, from_plain, to_plain
from slmfit.runs.run import Run
from slmfit.storage import check_format

EXPORT_FORMAT = "slmfit.export/1"
FILE = "export.json"


@dataclass(frozen=True, kw_only=True)
class ExportRecord:
    """What `export.json` holds. docs/format.md explains every field."""

    form: str
    run: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)
    gate: Judged | None
    candidates: Sequence[Judged] = ()
    scores: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    environment: Mapping[str, Any]
    created: str
    files: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        form: str,
        gate: Judged | None,
        about: Mapping[str, Any] | None = None,
        candidates: Sequence[Judged] = (),
        scores: Mapping[str, Mapping[str, Score]] | None = None,
        packages: Mapping[str, str | None] | None = None,
    ) -> Self:
        """The record of an export of a run, made now and here. gate: None = nothing judged it, and `about` says why.

        packages: versions of what made it, beside ours."""
        here = environment()
        here["packages"] |= {name: version for name, version in (packages or {}).items() if version}
        record = run.record
        named = {"id": record.id, "method": record.method, "base_model": record.base_model, "key": record.key}
        named |= {"created": record.created, "fingerprint": record.dataset.get("fingerprint")}
        return cls(
            form=form,
            run=named,
            about=about or {},
            gate=gate,
            candidates=candidates,
            scores=scores or {},
            environment=here,
            created=now(),
        )


def write_export(folder: Path, record: ExportRecord) -> None:
    """Write it into a folder, last of its files, with the hash of each of them."""
    record = replace(record, files={name: one for name, one in storage.hash_files(folder).items() if name != FILE})
    storage.write_json(folder / FILE, {"format": EXPORT_FORMAT, **to_plain(record)})


def read_export(folder: Path) -> ExportRecord:
    """What `write_export` wrote. Raises SlmfitError for none or a damaged one, UnsafeError for a newer."""
    plain = storage.read_json(folder / FILE, "format")
    check_format(plain, EXPORT_FORMAT, folder / FILE)
    with storage.undamaged(folder / FILE):
        return from_plain(ExportRecord, plain)


def gate_of(place: Path) -> Judged | None:
    """How an export did at the gate; None where its form has none."""
    return read_export(place).gate if (place / FILE).is_file() else None
