"""A source without anybody's folders: a page is sent on, and whose machine it was made on is nobody else's business.

source = without_places(read([folder]))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit.records import ComparisonRecord, RunRecord
from slmfit.reporting.disk import Source
from slmfit.text.places import Placeless


def without_places(source: Source) -> Source:
    """The same with every path in what we wrote cut to its last name. Rows, labels and ids stay as they are."""
    placeless = Placeless(_known(source))
    comparison = source.comparison
    return replace(
        source,
        comparison=_of_comparison(comparison, placeless) if comparison else None,
        methods=[replace(row, reason=row.reason and placeless(row.reason)) for row in source.methods],
        records={id: _of_run(record, placeless) for id, record in source.records.items()},
        audit=source.audit and _of_audit(source.audit, placeless),
        notes=[placeless(note) for note in source.notes],
    )


def _known(source: Source) -> list[str]:
    """The paths that are known to be some: of the data, of the base models, of the comparison itself."""
    files = [file["file"] for file in source.about.dataset.get("source", {}).get("files", ())]
    models = [
        record.base_model for record in source.records.values() if record.base_model and _is_path(record.base_model)
    ]
    return [*files, *models, *(str(folder.absolute()) for folder in source.folders.values())]


def _is_path(name: str) -> bool:
    """Whether a base model is a folder, not a name on the hub, which is OWNER/NAME or NAME."""
    return Path(name).is_absolute() or name.startswith((".", "~")) or "\\" in name or name.count("/") > 1


def _of_run(record: RunRecord, placeless: Placeless) -> RunRecord:
    return replace(
        record,
        base_model=record.base_model and placeless(record.base_model),
        settings=placeless.all(record.settings),
        chosen=placeless.all(record.chosen),
        search=placeless.all(record.search),
        dataset=_of_dataset(record.dataset, placeless),
        warnings=placeless.all(record.warnings),
        rows_used=placeless.all(record.rows_used),
    )


def _of_comparison(record: ComparisonRecord, placeless: Placeless) -> ComparisonRecord:
    verdict = record.verdict
    return replace(
        record,
        dataset=_of_dataset(record.dataset, placeless),
        verdict=replace(verdict, caveats=[placeless.known(caveat) for caveat in verdict.caveats]),
        warnings=placeless.all(record.warnings),
        command=placeless.command(record.command),
    )


def _of_dataset(dataset: Mapping[str, Any], placeless: Placeless) -> dict[str, Any]:
    return {**dataset, "notes": placeless.all(dataset.get("notes", []))}


def _of_audit(audit: Mapping[str, Any], placeless: Placeless) -> dict[str, Any]:
    findings = [
        {key: placeless.known(part) if key in ("message", "fix") else part for key, part in found.items()}
        for found in audit["findings"]
    ]
    return {**audit, "findings": findings}
