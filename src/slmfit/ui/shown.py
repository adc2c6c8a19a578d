"""What the page shows of runs, comparisons, methods and settings: the words and figures of the command line and report.

listed(workspace)["runs"][0]["score"]       # "91.3 %"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from slmfit import methods, storage
from slmfit.errors import SlmfitError
from slmfit.exporting.record import read_export
from slmfit.hub.models import list_models
from slmfit.methods import explaining
from slmfit.records import GIVEN, ComparisonRecord, MethodRow
from slmfit.reporting import disk, headline
from slmfit.reporting.glossary import WHAT
from slmfit.reporting.stressed import stressed
from slmfit.runs import deleting
from slmfit.runs.stressed import read_stressed
from slmfit.text.figures import (
    by_unit,
    bytes_words,
    failures,
    interval,
    latency_words,
    number_words,
    points_words,
    seconds_words,
    speed_words,
    told,
)
from slmfit.ui.commands import ANSWERED
from slmfit.ui.wording import in_fields
from slmfit.ui.workspace import Found, Listed, Workspace, readable


def listed(workspace: Workspace, found: Found | None = None) -> dict[str, Any]:
    """All that is there: files, comparisons, runs, exports; damaged records are left out."""
    found = found or workspace.scan()
    runs = [(name, readable(workspace.listed, name)) for name in found.runs]
    compared = [(name, readable(workspace.comparison, name)) for name in found.comparisons]
    return {
        # what was answered comes last: the first one is what is offered to be learnt from
        "files": [_file(workspace, name) for name in sorted(found.files, key=lambda name: name.startswith(ANSWERED))],
        "comparisons": [_comparison(name, record) for name, record in compared if record],
        "unfinished": found.unfinished,
        "runs": [_run(name, record) for name, record in runs if record],
        "exports": [one for name in found.exports if (one := readable(partial(exported, workspace), name))],
        "tunings": [one for name in found.tunings if (one := readable(partial(tuned, workspace), name))],
    }


def _file(workspace: Workspace, name: str) -> dict[str, Any]:
    stat = workspace.path(name).stat()
    return {"name": name, "bytes": stat.st_size, "size": bytes_words(stat.st_size), "changed": stat.st_mtime}


def _comparison(name: str, record: ComparisonRecord) -> dict[str, Any]:
    verdict = record.verdict
    told_of = {"name": name, "sentence": verdict.sentence, "method": verdict.method, "data": record.dataset["name"]}
    told_of |= {"best": verdict.best, "made": record.created}
    return told_of | {"methods": [row.id for row in record.methods if row.run]}


def _run(name: str, record: Listed) -> dict[str, Any]:
    score = record.score
    parts = PurePosixPath(name).parts
    return {
        "name": name,
        "id": record.id,
        "method": record.method,
        "data": record.dataset["name"],
        "task": record.task["name"],
        "texts": list(record.task.get("texts") or []),
        "metric": told(record.metric),
        "score": by_unit(record.metric, score.value),
        "value": score.value,
        "interval": interval(record.metric, score),
        "remote": record.remote,
        "size": bytes_words(record.size_bytes),
        "bytes": record.size_bytes,
        "latency": latency_words(record),
        "latency_ms": (record.latency_ms or {}).get("p50"),
        "fit": seconds_words(record.fit_seconds),
        "fit_seconds": record.fit_seconds,
        "made": record.created,
        "within": "/".join(parts[:-2]) if len(parts) > 2 and parts[-2] == "runs" else None,
        "given": record.method == GIVEN,
    }


def run_shown(workspace: Workspace, name: str) -> dict[str, Any]:
    """One run, with its card and what there is to know before it is handed over."""
    record = workspace.run(name)
    card = workspace.path(name) / "model" / "README.md"
    told_of = _run(name, workspace.listed(name)) | {"packages": record.environment.get("packages", {})}
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() and not card.is_symlink() else ""
    return told_of | {"card": text}


def comparison_shown(workspace: Workspace, name: str) -> dict[str, Any] | None:
    """The verdict and the table of methods, in the words of the command line; None where there is no verdict yet."""
    if not (workspace.path(name) / "comparison.json").is_file():
        return None
    record = workspace.comparison(name)
    metric = record.verdict.metric
    plain, large = _in_plain_words(workspace.path(name))
    return {
        "name": name,
        "plain": plain,
        "rule": _rule(record),
        "large": large,
        "test": record.split["test"].rows,
        "data": record.dataset["name"],
        "metric": told(metric),
        "sentence": record.verdict.sentence,
        "caveats": [in_fields(caveat) for caveat in record.verdict.caveats],
        "picked": record.verdict.method,
        "best": record.verdict.best,
        "command": record.command,
        "made": record.created,
        "warnings": list(record.warnings),
        "rows": [_row(name, row, metric) for row in record.methods],
        "report": (workspace.path(name) / "report.html").is_file(),
    }


def _in_plain_words(folder: Path) -> tuple[list[str], bool]:
    """What came out for who knows none of this, as the report has it; and whether a large model took part."""
    try:
        with storage.undamaged(folder):
            source = disk.read([folder])
            head = headline.headline(source)
            said = [] if head is None else [f"{head.before}{head.named}{head.after}.", *head.rest]
            return said, headline.large_tried(source)
    except SlmfitError:  # the verdict is there all the same
        return [], False


def _rule(record: ComparisonRecord) -> str:
    """What "not worse" is measured against, and how far off that may be; empty where the verdict does not say it."""
    verdict = record.verdict
    if verdict.kind == "nothing-to-compare" or verdict.best is None:
        return ""
    if verdict.kind == "pick" and "not worse" not in verdict.sentence:
        return ""
    return (
        f"“Not worse” means: not worse than {verdict.best}, which has the highest score here, by more than "
        f"{points_words(verdict.margin)}, with the luck of which rows were tested allowed for."
    )


def _row(folder: str, row: MethodRow, metric: str) -> dict[str, Any]:
    scores = row.scores or {}
    score = scores.get("test", {}).get(metric)
    validation = scores.get("validation", {}).get(metric)
    return {
        "id": row.id,
        "status": row.status,
        "reason": row.reason and in_fields(row.reason),
        "run": None if row.run is None else f"{folder}/{row.run}",
        "score": by_unit(metric, score.value) if score else "",
        "value": None if score is None else score.value,
        "low": None if score is None else score.low,
        "high": None if score is None else score.high,
        "interval": interval(metric, score) if score else "",
        "validation": by_unit(metric, validation.value) if validation else "",
        "size": bytes_words(row.size_bytes),
        "latency": latency_words(row),
        "speed": speed_words(row.rows_per_second) if row.rows_per_second else "",
        "fit": seconds_words(row.fit_seconds),
        "lost": failures(row.outcomes),
    }


def explored(found: Any) -> Any:
    """What `slmfit explore --json` found, with its advice in the words of the page."""
    with storage.undamaged("what was found"):
        for finding in found["audit"]["findings"]:
            finding |= {name: in_fields(finding[name]) for name in ("message", "fix") if finding.get(name)}
        found["dataset"]["notes"] = [in_fields(note) for note in found["dataset"]["notes"]]
    return found


def exported(workspace: Workspace, name: str) -> dict[str, Any]:
    """One export: what run it is of, its size, and how it did at the gate. Raises SlmfitError for a damaged record."""
    place = workspace.path(name)
    record = read_export(place)
    return {
        "name": name,
        "size": bytes_words(storage.size_of(place)),
        "of": {"id": record.run.get("id"), "made": record.run.get("created")},
        "gate": record.gate and record.gate.sentence,
        "reasons": list(record.gate.reasons) if record.gate else [],
    }


def tuned(workspace: Workspace, name: str) -> dict[str, Any]:
    """One tuning, and what its settings are compared by. Raises SlmfitError for a damaged record."""
    from slmfit.tuning.record import read_tuning

    record = read_tuning(workspace.path(name))
    plain = record.method if record.base_model is None else f"{record.method}={record.base_model}"
    found = {"method": plain, "word": f"{record.method}@tuned={name}", "kept": record.kept == "best"}
    return {"name": name, **found, "sentence": record.sentence, "caveats": list(record.caveats), "made": record.created}


def stress(workspace: Workspace, name: str) -> dict[str, Any] | None:
    """What a run answers to its test rows written otherwise; None where it was not asked, or has changed since."""
    record = workspace.run(name)
    found = read_stressed(workspace.path(name), record)
    told_of = None if found is None else stressed({record.id: found})
    return told_of and told_of | {"metric_words": told(told_of["metric"])}


def abilities() -> dict[str, Any]:
    """The methods with what each needs, the tasks they do, a plain sentence on each, and base models that fit."""
    able = [one | {"plain": _plainly(one["name"], one["summary"])} for one in methods.list_methods()]
    return {"methods": able, "models": [asdict(model) for model in list_models()]}


def _plainly(name: str, otherwise: str) -> str:
    words = WHAT.get(name, "").removeprefix("is ")
    return f"{words[0].upper()}{words[1:]}." if words else otherwise


def cache() -> list[dict[str, Any]]:
    """What this machine's cache holds, kind by kind."""
    return [{**asdict(one), "size": bytes_words(one.bytes)} for one in deleting.cached()]


def settings(workspace: Workspace, run: str | None) -> dict[str, Any]:
    """All settings as `slmfit explain` has them; of a run its values, and why."""
    record = None if run is None else workspace.run(run)
    found = explaining.explain(None, record)
    return {
        "run": run,
        "method": None if record is None else record.method,
        "missing": found.missing,
        "settings": [_setting(asdict(setting)) for setting in found.settings],
    }


def _setting(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A setting with its values as they are typed."""
    values = {name: "none" if plain[name] is None else number_words(plain[name]) for name in ("default", "value")}
    return {**plain, **values}
