"""Methods side by side on one frozen split, and which is the smallest that is not worse.

    comparison = compare(load_data("tickets.csv"), "majority,linear,knn")
    print(comparison.record.verdict.sentence)

A run that is there already, with the same key, is used again; so the same command goes on where it was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slmfit import methods, storage
from slmfit.comparison import planning
from slmfit.comparison.asked import Asked, checked_metric, default_folder
from slmfit.comparison.experiment import Experiment
from slmfit.comparison.folder import held, write_answered, write_data, write_diagnostics
from slmfit.comparison.given import checked_given
from slmfit.comparison.judging import checked_margin, checked_preference
from slmfit.comparison.parts import measure_again
from slmfit.comparison.planning import with_rows
from slmfit.comparison.remarks import fewer_rows, like_the_truth, odd_offsets, time_taken
from slmfit.comparison.rows import without_part
from slmfit.comparison.without_reading import beside_floors
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.environment import environment, now
from slmfit.errors import MissingPart, UsageError
from slmfit.events import Listener
from slmfit.methods.specs import Spec, parse_specs, with_parts
from slmfit.records import LEFT_OUT, ComparisonRecord, MethodRow, Paired, Prediction, Score, Verdict, from_plain
from slmfit.reporting import report
from slmfit.runs import fitting
from slmfit.runs.brief import comparison_html
from slmfit.runs.fitting import Terms
from slmfit.runs.run import Run, load, read_comparison, write_comparison
from slmfit.runs.trainings import checked_seeds
from slmfit.timing.budget import Budget
from slmfit.timing.work import counted, told_to

if TYPE_CHECKING:
    from slmfit.llm import Limits

DEFAULT_METHODS = ("majority", "linear", "knn")
READING = "reading and checking the data"
FIRST = 0  # the turn of methods that need seconds
JUDGING, JUDGING_SHARE = 10.0, 0.1  # seconds kept for the verdict and the report, or this share of a short budget
DIAGNOSING = 10  # the part of what is left that the diagnostics of the data may take: one of so many


class Comparison:
    """A comparison on disk. `record` is what comparison.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = read_comparison(folder)

    def __repr__(self) -> str:
        return f"<slmfit comparison at {self.folder}: {self.record.verdict.sentence}>"

    def _repr_html_(self) -> str:
        return comparison_html(self.record)

    @property
    def runs(self) -> dict[str, Run]:
        """Method id -> its run."""
        return {row.id: Run(storage.inside(self.folder, row.run)) for row in self.record.methods if row.run}

    @property
    def best(self) -> Run:
        """The run of the method that the verdict picked. Raises UsageError when it picked none."""
        return load(self.folder)

    @property
    def learning_curve(self) -> dict[str, dict[int, Score]]:
        """Method id -> rows of train -> its validation score, for the methods that are cheap enough to fit again."""
        curve: dict[str, dict[int, Score]] = {}
        for point in storage.read_json(self.folder / "data" / "diagnostics.json")["learning_curve"].get("points", ()):
            curve.setdefault(point["method"], {})[point["rows"]] = from_plain(Score, point["score"])
        return curve


class Trained(Run):
    """The run that predicts, of one method's trainings. `row`: its line in a table, with the means over the seeds."""

    def __init__(self, out: Path, row: MethodRow) -> None:
        super().__init__(out / str(row.run))
        self.row = row


def compare(
    data: Dataset,
    asked: str | Sequence[str] = DEFAULT_METHODS,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    given: Mapping[str, Sequence[Prediction]] | None = None,
    augment: str | Path | None = None,
    metric: str | None = None,
    margin: float = 0.02,
    prefer: str = "size",
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    budget_seconds: float | None = None,
    budget: Budget | None = None,
    limits: Limits | None = None,
    texts: bool = True,
    command: str = "",
    listen: Listener | None = None,
) -> Comparison:
    """Fit what is not fitted yet, then compare. Everything is written below `out`.

    given: name -> answers the user already has, a `Prediction` for each row of `data.test`, scored as one more row.
    augment: a file of rows that are added to train, and to nothing else: every method that learns is fitted once more,
    with them, as "ID+FILE", and the verdict says what they brought. `add_rows` says which are not added.
    metric: what the verdict goes by; None = the task's own. margin: in the metric's unit (0.02 = 2 points).
    prefer: what "smallest" means: size, latency, memory or cost.
    out: None = `slmfit-out/NAME-FINGERPRINT`, so that the same data always go to the same place.
    seeds: how often methods that are trained are, with seed, seed + 1, …: their scores are means, with the spread in
    the intervals, and the run that did best on validation is the one that predicts.
    budget_seconds: for the whole of it, embedding, predicting, measuring and judging included. Where it is short, slow
    methods are fitted on fewer rows, and of validation and test a random part is scored, the same for every method.
    budget: the same as it runs already, where more than this call counts.
    limits: what servers that are asked may take, all methods together and earlier runs of the same comparison
    included; a method that reaches them is `stopped`, and goes on when the same call has larger ones.
    texts: whether the user's texts are kept beside the runs and shown in the report.

    Raises UsageError for an unknown method, setting, metric or preference, a margin, seed or number of seeds out of
    range, and what is no answers to the test rows, before anything is written; what a method raises is kept as the
    reason why its row failed, and the others go on.
    """
    checked_metric(data, metric)
    preference = checked_preference(prefer)
    margin = checked_margin(margin)
    answered = checked_given(given, data)
    whole = Asked.of(
        data,
        asked,
        settings=settings,
        augment=augment,
        metric=metric,
        out=out,
        seed=seed,
        seeds=seeds,
        budget_seconds=budget_seconds,
        limits=limits,
        listen=listen,
    )
    experiment, added, work = whole.experiment, whole.added, whole.work
    out, seed = experiment.folder, experiment.terms.seed
    budget = Budget.of(budget_seconds) if budget is None else budget
    if listen and budget.limited:
        listen("budget", {"seconds": round(budget.left(), 1)})
    with held(out, data):
        rows_in_all = sum(map(len, data.splits.values()))
        if listen:
            listen("audit", {"rows": rows_in_all})
        with counted(told_to(listen), "checking for duplicates", rows_in_all):
            findings = write_data(experiment, texts)
        spent = {READING: (budget_seconds or 0.0) - budget.left()} if budget.limited else {}
        measure_again(out, data, listen)
        fitted = _fit_all(work, budget.but_for(min(JUDGING, JUDGING_SHARE * budget.left())), texts, spent)
        rows = [fitted[spec.id] for _, spec in work]
        rows += [experiment.given_row(name, answers) for name, answers in answered.items()]
        if listen and not all(row.reused or row.reason for row in rows):
            listen("judge", {"methods": len(rows)})
        write_answered(experiment, {row.id: Run(out / row.run) for row in rows if row.run}, texts)
        common, rows = experiment.on_common_rows([spec for _, spec in work], rows)
        verdict, paired = common.judge(rows, margin=margin, prefer=preference, added=added)
        late = budget_seconds is not None and any(row.status == "stopped" for row in rows)
        taken = [time_taken(budget_seconds or 0.0, spent)] if late else []
        verdict["caveats"] = [*fewer_rows(data, common.data), *filter(None, taken), *verdict["caveats"]]
        record = ComparisonRecord(
            dataset=fitting.dataset_record(data),
            split=fitting.split_record(data),
            scored=common.fewer_than(experiment) or LEFT_OUT,
            methods=rows,
            verdict=from_plain(Verdict, verdict),
            paired={id: from_plain(Paired, pair) for id, pair in paired.items()},
            floors=beside_floors(common.data, out, rows) or LEFT_OUT,
            warnings=[
                *(f["message"] for f in findings if f["severity"] == "warning"),
                *(added.notes if added is not None else ()),
                *like_the_truth(answered, data),
                *odd_offsets(answered, data),
            ],
            command=command,
            seed=seed,
            environment=environment(),
            created=now(),
        )
        write_comparison(out, record)
        report(out, texts=texts)
    return Comparison(out)


def train(
    data: Dataset,
    asked: str,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    budget_seconds: float | None = None,
    budget: Budget | None = None,
    limits: Limits | None = None,
    elsewhere: Callable[[Asked], object] | None = None,
    listen: Listener | None = None,
) -> Trained:
    """One method, fitted and scored as in a comparison, without a verdict. Raises what the method raises.

    elsewhere: what fits it instead, into the folder; what is not there then is fitted here.
    """
    budget = Budget.of(budget_seconds) if budget is None else budget
    if listen and budget.limited:
        listen("budget", {"seconds": round(budget.left(), 1)})
    metric, seed = checked_metric(data, metric), checked_seed(seed)
    spec, *more = parse_specs(asked, settings, data.task)
    if more:
        raise UsageError("train fits one method", where=asked, fix="compare fits several")
    if spec.reason and data.task.name not in spec.row.tasks:
        able = [name for name, row in methods.TABLE.items() if data.task.name in row.tasks]
        raise UsageError(f"{spec.name} {spec.reason}", fix=f"use one of {', '.join(able)}")
    if spec.reason:
        raise MissingPart(f"the method {spec.name!r} cannot run here", fix=spec.reason)
    terms = Terms(seed, metric, checked_seeds(seeds, seed, with_parts([spec])), budget_seconds)
    out = default_folder(data) if out is None else Path(out)
    experiment = Experiment(out, data, terms, listen)
    if elsewhere is not None:
        elsewhere(Asked(experiment, tuple(with_parts([spec]))))
    with held(out, data):
        measure_again(out, data, listen)
        if not (out / "data" / "split.json").is_file():
            write_data(experiment, texts=True)
        done = list(experiment.limited(with_parts([spec]), limits).fit_seeds(spec, budget))
        trained = Trained(out, experiment.joined_row(spec, done))
        write_answered(experiment, {trained.row.id: trained}, texts=True)
    return trained


def plan(
    data: Dataset,
    asked: str | Sequence[str],
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    augment: str | Path | None = None,
    margin: float = 0.02,
    prefer: str = "size",
    budget_seconds: float | None = None,
    limits: Limits | None = None,
) -> list[planning.Step]:
    """What `compare` or `train` would do for each method, and what the servers it asks would take.

    Nothing is written or sent, and fitted on few rows only, to tell the time.
    Arguments and errors are those of `compare`.
    """
    checked_preference(prefer)
    checked_margin(margin)
    whole = Asked.of(
        data,
        asked,
        settings=settings,
        augment=augment,
        metric=metric,
        out=out,
        seed=seed,
        seeds=seeds,
        budget_seconds=budget_seconds,
        limits=limits,
    )
    steps = whole.experiment.plan(whole.specs)
    if whole.added is not None:
        steps += replace(whole.experiment, data=whole.added.data).plan(with_rows(whole.specs, whole.added))
    return steps


def _fit_all(
    work: Sequence[tuple[Experiment, Spec]], budget: Budget, texts: bool, spent: dict[str, float]
) -> dict[str, MethodRow]:
    """Id -> its line. work: each method with its experiment, the first of which is that of the data as they are.
    spent: filled with the seconds that each took.

    First those that need seconds, and on their runs the diagnostics of the data; then those that take what time there
    is, the quicker ones first; then those that ask a server, and last what is made of others.
    Each has the same part of what is left when it begins.
    """
    experiment, _ = work[0]
    turns = [(_turn(spec, budget), own, spec) for own, spec in work]
    rows: dict[str, MethodRow] = {}

    def fit(mine: Callable[[int, Experiment], bool]) -> None:
        for turn, own, spec in sorted(turns, key=lambda one: one[0]):
            if mine(turn, own) and spec.id not in rows:
                waiting = sum(s.id not in rows and not s.reason and s.name != "majority" for _, _, s in turns)
                began = budget.clock()
                lost = next((rows[part.id] for part in spec.parts if part.id in rows and rows[part.id].reason), None)
                rows[spec.id] = without_part(spec, lost) if lost else own.row(spec, budget.part(waiting))
                spent[spec.id] = budget.clock() - began

    fit(lambda turn, own: turn == FIRST and own is experiment)
    runs = {row.id: Run(experiment.folder / row.run) for row in rows.values() if row.run}
    began = budget.clock()
    write_diagnostics(experiment, runs, texts, budget.part(DIAGNOSING))
    spent["the learning curve and doubtful labels"] = budget.clock() - began
    fit(lambda turn, own: True)
    return rows


def _turn(spec: Spec, budget: Budget) -> int:
    """When a method is fitted; of those in one turn in the order asked for."""
    if spec.reason or spec.quick:
        return FIRST + (budget.limited and not spec.reason and spec.embeds)
    return FIRST + 2 + spec.remote + 2 * bool(spec.parts)
