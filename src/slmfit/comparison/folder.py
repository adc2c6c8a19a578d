"""What a comparison keeps of its data beside the runs: the audit, the test rows, the split's hashes, the diagnostics.

with held(out, data):                                # refuses a folder of something else, or of other data
    findings = write_data(experiment, texts=True)
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.comparison.experiment import Experiment
from slmfit.data.audit.audit import audit_with_twins
from slmfit.data.dataset import Dataset
from slmfit.environment import code_version
from slmfit.errors import SlmfitError, UsageError
from slmfit.events import named
from slmfit.exploring.diagnostics import diagnose
from slmfit.records import SPLITS
from slmfit.runs.run import Run
from slmfit.timing.budget import Budget

# What stands in the folder; what is written there under a name of ours until it is whole.
OURS = {"comparison.json", "report.html", "data", "runs", "parts", "merged.json"}
DATA = {"split.json", "audit.json", "twins.jsonl", "test.jsonl", "diagnostics.json", "tickets.csv"}
_HALF = re.compile(r"\.(.+)\.\d+\.partial")


@contextlib.contextmanager
def held(out: Path, data: Dataset) -> Iterator[None]:
    """Hold the folder for this process alone. What a killed one left half-written there goes, and nothing else.

    Raises UsageError, before anything is made or removed, for a folder of something else or of other data, and when
    another process holds it; SlmfitError when it cannot be written.
    """
    claim(out, data)
    with storage.locked(out):
        claim(out, data)  # once more: another process may have written in between
        _sweep(out)
        yield


def claim(out: Path, data: Dataset | None = None) -> None:
    """Refuse a folder that holds something else, or other data than these. Nothing is written."""
    split = out / "data" / "split.json"
    if not split.is_file():
        if strange := _strange(out):
            fix = "choose another folder with --out, or an empty one"
            raise UsageError(f"holds other files ({', '.join(strange[:3])})", where=str(out), fix=fix)
    elif data is not None and storage.read_json(split, "fingerprint")["fingerprint"] != data.fingerprint:
        fix = "choose another folder with --out, or delete this one"
        raise UsageError("holds a comparison on other data, or another split of them", where=str(out), fix=fix)


def _strange(out: Path) -> list[str]:
    """What stands in a folder without a comparison and is not the beginning of one: `data` and `runs` are common names.

    The split is written before any run, and the audit before the test rows.
    """
    found = [p.name for p in _shown(out) if p.name not in OURS or p.is_symlink()]
    found += [f"runs/{p.name}" for p in _shown(out / "runs")]
    there = {p.name for p in _shown(out / "data")}
    begun = DATA if "audit.json" in there else {"tickets.csv"}
    return sorted([*found, *(f"data/{name}" for name in there - begun)])


def _shown(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []


def _sweep(out: Path) -> None:
    """Remove the files that a killed process left half-written, by the names and in the places that we write."""
    for folder, names in ((out, OURS), (out / "data", DATA)):
        _remove_halves(folder, names)
    for run in (out / "runs").glob(".*.partial"):  # a run that goes on; all of it is ours
        for part in (run, run / "model"):
            _remove_halves(part, None)


def _remove_halves(folder: Path, names: Set[str] | None) -> None:
    """names: of the files that may be swept; None = of all."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in folder.iterdir():
        half = _HALF.fullmatch(path.name)
        if half and (names is None or half[1] in names) and path.is_file():
            path.unlink()


def write_data(experiment: Experiment, texts: bool) -> list[dict[str, Any]]:
    """The audit, the test rows and the split's hashes; anew where somebody changed them, and where texts were kept and
    shall not be, or the other way.

    Returns the audit's findings.
    """
    folder, data = experiment.folder / "data", experiment.data
    test = folder / "test.jsonl"
    if test.is_file() != texts or not _as_written(folder):
        storage.make_folder(folder)
        audit, twins = audit_with_twins(data)
        storage.write_json(folder / "audit.json", audit if texts else _without_texts(audit))
        storage.write_text(folder / "twins.jsonl", "".join(json.dumps(row) + "\n" for row in twins))
        if texts:
            rows = (json.dumps(data.task.unparse(e), ensure_ascii=False) for e in data.test)
            storage.write_text(test, "".join(row + "\n" for row in rows))
        else:
            test.unlink(missing_ok=True)
        files = {path.name: storage.hash_file(path) for path in (folder / "audit.json", test) if path.is_file()}
        split = {"fingerprint": data.fingerprint, **{s: data.hashes[s] for s in SPLITS}, "files": files}
        storage.write_json(folder / "split.json", split)
    with storage.undamaged(folder / "audit.json"):
        findings = storage.read_json(folder / "audit.json", "findings")["findings"]
        _ = [(found["severity"], found["message"] + "") for found in findings]
        return findings


def write_answered(experiment: Experiment, runs: Mapping[str, Run], texts: bool) -> None:
    """Of questions, every one of test with what each method answered, JSON lines a method; none without texts."""
    task: Any = experiment.data.task
    if not hasattr(task, "answered"):
        return
    folder = experiment.folder / "data" / "answered"
    storage.remove(folder)
    if not texts:
        return
    storage.make_folder(folder)
    for id, run in runs.items():
        asked = run.answered("test", experiment.data.test)
        answers = run.answers("test", asked)
        rows = (json.dumps(task.answered(e, a), ensure_ascii=False) for e, a in zip(asked, answers, strict=True))
        storage.write_text(folder / f"{id}.jsonl", "".join(row + "\n" for row in rows))


def _as_written(folder: Path) -> bool:
    """Whether audit and test rows are there as they were written; True where an older slmfit wrote no hashes."""
    if not (folder / "split.json").is_file():
        return False
    files = storage.read_json(folder / "split.json", "fingerprint").get("files", {})
    if not isinstance(files, dict):
        return False
    return all((folder / name).is_file() and storage.hash_file(folder / name) == files[name] for name in files)


def write_diagnostics(experiment: Experiment, ok: Mapping[str, Run], texts: bool, budget: Budget | None = None) -> None:
    """The learning curve and the suspected label errors, computed once for the same data, metric, seed and code; once
    more where a budget cut them short and this one is another."""
    path, data, terms = experiment.folder / "data" / "diagnostics.json", experiment.data, experiment.terms
    key = storage.hash_json([data.fingerprint, terms.metric, terms.seed, texts, code_version()])
    with contextlib.suppress(SlmfitError):  # missing, damaged or changed: they are computed again
        there = storage.read_json(path, "key")
        same = there.pop("key") == key and there.pop("sha256", None) == storage.hash_json(there)
        if same and there.get("cut_short", terms.budget_seconds) == terms.budget_seconds:
            return
    known = {id: run.record for id, run in ok.items()}
    listen = named(experiment.listen, "diagnostics")
    found = diagnose(data, metric=terms.metric, seed=terms.seed, known=known, listen=listen, budget=budget)
    if found.pop("cut_short", False):
        found["cut_short"] = terms.budget_seconds
    kept = json.loads(storage.to_json(found if texts else _without_texts(found)))
    storage.write_json(path, {**kept, "key": key, "sha256": storage.hash_json(kept)})


def _without_texts(value: Any) -> Any:
    """The same JSON without the excerpts of the user's texts."""
    if isinstance(value, dict):
        return {k: _without_texts(v) for k, v in value.items() if k != "text"}
    return [_without_texts(v) for v in value] if isinstance(value, list) else value
