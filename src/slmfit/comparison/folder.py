"""What a comparison keeps of its data beside the runs: the audit, the test rows, the split's hashes, the diagnostics.

claim(experiment)                                    # refuses a folder of something else, or of other data
findings = write_data(experiment, texts=True)
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from slmfit import storage
from slmfit.comparison.experiment import Experiment
from slmfit.data.audit.audit import audit_dataset
from slmfit.environment import code_version
from slmfit.errors import SlmfitError, UsageError
from slmfit.events import named
from slmfit.exploring.diagnostics import diagnose
from slmfit.records import SPLITS
from slmfit.runs.run import Run


def claim(experiment: Experiment) -> None:
    """Refuse a folder that holds something else, or other data."""
    out = experiment.folder
    split = out / "data" / "split.json"
    mine = {"comparison.json", "report.html", "data", "runs"}
    strange = [p.name for p in out.iterdir() if p.name not in mine and not p.name.startswith(".")]
    if strange and not split.is_file():
        fix = "choose another folder with --out, or an empty one"
        raise UsageError(f"holds other files ({', '.join(sorted(strange)[:3])})", where=str(out), fix=fix)
    if split.is_file() and storage.read_json(split, "fingerprint")["fingerprint"] != experiment.data.fingerprint:
        fix = "choose another folder with --out, or delete this one"
        raise UsageError("holds a comparison on other data, or another split of them", where=str(out), fix=fix)


def write_data(experiment: Experiment, texts: bool) -> list[dict[str, Any]]:
    """The audit, the test rows and the split's hashes; anew where texts were kept and shall not be, or the other way.

    Returns the audit's findings.
    """
    folder, data = experiment.folder / "data", experiment.data
    test = folder / "test.jsonl"
    if not (folder / "split.json").is_file() or test.is_file() != texts:
        folder.mkdir(exist_ok=True)
        audit = audit_dataset(data)
        storage.write_json(folder / "audit.json", audit if texts else _without_texts(audit))
        if texts:
            rows = (json.dumps(data.task.unparse(e), ensure_ascii=False) for e in data.test)
            storage.write_text(test, "".join(row + "\n" for row in rows))
        else:
            test.unlink(missing_ok=True)
        split = {"fingerprint": data.fingerprint, **{s: data.hashes[s] for s in SPLITS}}
        storage.write_json(folder / "split.json", split)
    return storage.read_json(folder / "audit.json", "findings")["findings"]


def write_diagnostics(experiment: Experiment, ok: Mapping[str, Run], texts: bool) -> None:
    """The learning curve and the suspected label errors, computed once for the same data, metric, seed and code."""
    path, data, terms = experiment.folder / "data" / "diagnostics.json", experiment.data, experiment.terms
    key = storage.hash_json([data.fingerprint, terms.metric, terms.seed, texts, code_version()])
    with contextlib.suppress(SlmfitError):  # missing or damaged: they are computed again
        if storage.read_json(path, "key")["key"] == key:
            return
    known = {id: run.record for id, run in ok.items()}
    listen = named(experiment.listen, "diagnostics")
    found = diagnose(data, metric=terms.metric, seed=terms.seed, known=known, listen=listen)
    storage.write_json(path, {**(found if texts else _without_texts(found)), "key": key})


def _without_texts(value: Any) -> Any:
    """The same JSON without the excerpts of the user's texts."""
    if isinstance(value, dict):
        return {k: _without_texts(v) for k, v in value.items() if k != "text"}
    return [_without_texts(v) for v in value] if isinstance(value, list) else value
