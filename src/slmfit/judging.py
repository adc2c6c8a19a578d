"""From runs over the same test rows to a verdict: reads their predictions, pairs them, asks `statistic`.

verdict, paired = judge(data, {"linear": run, "knn": other}, metric="accuracy", margin=0.02, prefer="size", seed=0)
verdict["sentence"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slmfit import statistic
from slmfit import verdict as verdicts
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError, did_you_mean
from slmfit.fitting import targets
from slmfit.records import RunRecord
from slmfit.runs import Run, prediction_from_json
from slmfit.statistic import Difference
from slmfit.tasks.base import Components
from slmfit.verdict import Prefer

# What "smallest" means -> the figure it goes by; None = unknown, which counts as largest.
PREFERENCES: dict[Prefer, Callable[[RunRecord], float | None]] = {
    "size": lambda record: record.size_bytes,
    "latency": lambda record: record.latency_ms["p50"] if record.latency_ms else None,
    "memory": lambda record: record.peak_memory_bytes,
    "cost": lambda record: record.usage.get("usd"),
}


def checked_preference(prefer: str) -> Prefer:
    """What "smallest" means. Raises UsageError for a preference that does not exist."""
    found = next((known for known in PREFERENCES if known == prefer), None)
    if found is None:
        raise UsageError(f"--prefer cannot be {prefer!r}", fix=did_you_mean(prefer, PREFERENCES))
    return found


def checked_margin(margin: float) -> float:
    """How much worse is still not worse. Raises UsageError for what is no share of 1."""
    if not 0 <= margin < 1:
        fix = "give a share from 0 to 1: 0.02 is 2 points"
        raise UsageError(f"--margin cannot be {margin:g}", fix=fix)
    return margin


def judge(
    data: Dataset, runs: Mapping[str, Run], *, metric: str, margin: float, prefer: Prefer, seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The verdict and each method's paired difference to the best, both JSON as they stand.

    Without a run the verdict's kind is `too-little-data`, with a sentence that says so.
    """
    if not runs:
        sentence = "No method could be fitted, so there is nothing to compare."
        empty = {"kind": "too-little-data", "method": None, "metric": metric, "margin": margin, "prefer": prefer}
        return {**empty, "best": None, "tied": [], "not_worse": [], "sentence": sentence, "caveats": []}, {}
    parts = {id: _components(data, run, metric) for id, run in runs.items()}
    candidates = [
        verdicts.Candidate(
            id,
            run.record.scores["test"][metric],
            PREFERENCES[prefer](run.record),
            is_baseline=run.record.method == "majority",
        )
        for id, run in runs.items()
    ]
    best = verdicts.best_of(candidates)
    others = [id for id in runs if id != best]
    differences = {id: _difference(parts[best], parts[id], len(others), seed) for id in others}
    verdict = verdicts.verdict(
        candidates, differences, metric=metric, rows=len(data.test), margin=margin, prefer=prefer
    )
    plain = {
        "kind": verdict.kind,
        "method": verdict.method,
        "metric": metric,
        "margin": margin,
        "prefer": prefer,
        "best": verdict.best,
        "tied": list(verdict.tied),
        "not_worse": list(verdict.not_worse),
        "sentence": verdicts.sentence(verdict),
        "caveats": list(verdicts.caveats(verdict)),
    }
    paired = {
        id: {
            "to": best,
            "difference": {"value": d.value, "low": d.low, "high": d.high},
            "p_value": d.p_value,
            "comparisons": len(others),
        }
        for id, d in differences.items()
    }
    return plain, paired


def _components(data: Dataset, run: Run, metric: str) -> Components:
    rows = {row["id"]: row for row in run.predictions() if row["split"] == "test"}
    answers = [prediction_from_json(rows[example.id]) for example in data.test]
    return data.task.components(metric, targets(data.test), answers)


def _difference(best: Components, other: Components, comparisons: int, seed: int) -> Difference:
    if best.paired_mean:
        return statistic.paired_accuracy(best.rows[:, 0], other.rows[:, 0], comparisons=comparisons)
    return statistic.paired_sums(best.rows, other.rows, best.combine, comparisons=comparisons, seed=seed)
