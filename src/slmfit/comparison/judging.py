"""From runs over the same test rows to a verdict: reads their predictions, pairs them, asks `statistic`.

verdict, paired = judge(data, out, rows, metric="accuracy", margin=0.02, prefer="size", seed=0)
verdict["sentence"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slmfit.comparison.others import disagreements
from slmfit.comparison.remarks import always, remarks, shortened
from slmfit.comparison.rows import runs_of
from slmfit.comparison.shifting import shifted
from slmfit.data.dataset import Dataset, targets
from slmfit.errors import UsageError, did_you_mean
from slmfit.evidence import spread, statistic
from slmfit.evidence import verdict as verdicts
from slmfit.evidence.clusters import Clusters
from slmfit.evidence.statistic import PAIRED_DRAWS, Difference
from slmfit.evidence.verdict import Prefer
from slmfit.records import MethodRow
from slmfit.runs.run import Run
from slmfit.tasks.base import Components
from slmfit.tasks.relabelled import relabelled
from slmfit.text.figures import parts_of

# What "smallest" means -> the figure it goes by; None = unknown, which counts as largest.
PREFERENCES: dict[Prefer, Callable[[MethodRow], float | None]] = {
    "size": lambda row: row.size_bytes,
    "latency": lambda row: row.latency_ms["p50"] if row.latency_ms else None,
    "memory": lambda row: row.peak_memory_bytes,
    # The answers of a model that is here are paid for to nobody.
    "cost": lambda row: row.usd_per_1000_rows if row.size_bytes is None else 0.0,
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
    data: Dataset, out: Path, rows: Sequence[MethodRow], *, metric: str, margin: float, prefer: Prefer, seed: int
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The verdict and each method's paired difference to the best, both JSON as they stand.

    rows: the lines of the table; their runs are below `out`. A method trained with several seeds is judged by the means
    of its scores (see `spread`). Without a run the kind is `nothing-to-compare`, with a sentence that says so.
    """
    scored = {row.id: row for row in rows if row.scores}
    if not scored:
        sentence = "No method could be fitted, so there is nothing to compare."
        empty = {"kind": "nothing-to-compare", "method": None, "metric": metric, "margin": margin, "prefer": prefer}
        return {**empty, "best": None, "tied": [], "not_worse": [], "sentence": sentence, "caveats": []}, {}
    parts = {id: _components(data, out, row, metric) for id, row in scored.items()}
    candidates = [_candidate(data, out, row, metric, prefer) for row in scored.values()]
    best = verdicts.best_of(candidates)
    others = [id for id in scored if id != best]
    repeats = data.repeats("test")
    differences = {id: difference(parts[best], parts[id], len(others), seed, repeats) for id in others}
    verdict = verdicts.verdict(
        candidates, differences, metric=metric, rows=len(data.test), margin=margin, prefer=prefer,
        different=len(repeats.sizes) if repeats else None,
    )  # fmt: skip

    def gap(other: str, name: str) -> Difference:
        one, two = (_components(data, out, scored[id], other) for id in (name, best))
        return difference(one, two, len(others), seed, repeats)

    odd = [remark for row in scored.values() for remark in _remarks(data, out, row)]
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
        "caveats": [
            *shifted(data, out, list(scored.values())),
            *disagreements(list(scored.values()), metric, best, gap),
            *(f"{row.id}: {said}" for row in scored.values() for said in row.cascade.get("said", ())),
            *(said for row in scored.values() for said in shortened(row.id, Run(out / str(row.run)).record.chosen)),
            *verdicts.caveats(verdict),
            *_of_unknown_size(verdict, scored, prefer),
            *(_fewer(row) for row in scored.values() if row.reason),
            *odd,
        ],
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


def gains(
    data: Dataset, out: Path, pairs: Sequence[tuple[MethodRow, MethodRow]], added: Mapping[str, Any], *,
    metric: str, seed: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """What rows added to train brought each method, JSON as it stands.

    pairs: a method's line with them, and the one without; a pair that did not run is left out. added: their `file`, and
    how many `rows`. Each: `method` (with them), `without`, the paired `difference` (with minus without, corrected for
    the number of pairs), `p_value`, `comparisons`, `result` (see `verdict.gain`) and `sentence`.
    """
    ran = [(one, other) for one, other in pairs if one.scores and other.scores]
    found = []
    for one, other in ran:
        with_them, without = (_components(data, out, row, metric) for row in (one, other))
        gap = difference(with_them, without, len(ran), seed, data.repeats("test"))
        found.append({
            "method": one.id,
            "without": other.id,
            "difference": {"value": gap.value, "low": gap.low, "high": gap.high},
            "p_value": gap.p_value,
            "comparisons": len(ran),
            "result": verdicts.gain(gap),
            "sentence": verdicts.gained(one.id, other.id, gap, added["rows"], added["file"]),
        })  # fmt: skip
    return found


def _components(data: Dataset, out: Path, row: MethodRow, metric: str) -> list[Components]:
    """The metric's parts on the test rows, of each run that the row's scores are of."""
    truth = targets(data.test)
    return [data.task.components(metric, truth, Run(out / run).answers("test", data.test)) for run in runs_of(row)]


def _remarks(data: Dataset, out: Path, row: MethodRow) -> Iterator[str]:
    """What is odd about the form of a method's answers; those of its run that predicts."""
    answers = Run(out / str(row.run)).answers("test", data.test)
    yield from remarks(row.id, data.task, answers, [example.input for example in data.test])
    if said := relabelled(targets(data.test), answers):
        yield f"{row.id}: {said}"


def _candidate(data: Dataset, out: Path, row: MethodRow, metric: str, prefer: Prefer) -> verdicts.Candidate:
    baseline = row.floor
    return verdicts.Candidate(
        row.id,
        (row.scores or {})["test"][metric],
        PREFERENCES[prefer](row),
        is_baseline=baseline,
        seeds=len(row.seeds),
        always=always(Run(out / str(row.run)).answers("test", data.test)) if baseline else "",
        parts=parts_of(row, metric),
    )


def _of_unknown_size(verdict: verdicts.Verdict, scored: Mapping[str, MethodRow], prefer: Prefer) -> Iterator[str]:
    """That nobody knows what the pick costs, say, and how it was ranked then."""
    if verdict.kind == "pick" and verdict.method and PREFERENCES[prefer](scored[verdict.method]) is None:
        yield f"The {prefer} of {verdict.method} is unknown, so it ranks last."


def _fewer(row: MethodRow) -> str:
    """Why a method was trained with fewer seeds than asked for."""
    return f"{row.id}: {str(row.reason).splitlines()[0]}"


def difference(
    best: Sequence[Components], other: Sequence[Components], comparisons: int, seed: int, repeats: Clusters | None,
    draws: int = PAIRED_DRAWS,
) -> Difference:  # fmt: skip
    """The paired difference of a metric, each side with one or several trainings, corrected for the comparisons."""
    ours, theirs = ([one.rows for one in trained] for trained in (best, other))
    if best[0].paired_mean and len(best) == len(other) == 1:
        return statistic.paired_accuracy(ours[0][:, 0], theirs[0][:, 0], comparisons=comparisons, clusters=repeats)
    return spread.difference(
        ours, theirs, best[0].combine, comparisons=comparisons, draws=draws, seed=seed, clusters=repeats
    )
