"""Other settings than the defaults, tried on validation one after the other; the defaults are kept unless a trial beats
them by more than luck.

    tuned = tune(load_data("tickets.csv"), "linear", trials=40)
    print(tuned.record.sentence)
    compare(data, f"linear,linear@tuned={tuned.folder}")

Every trial is a line of `trials.jsonl` once it is over, and what is tried next depends on those lines alone: a command
that was killed goes on with the trial it was at, and ends with the same trials.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.comparison.asked import checked_metric, default_folder
from slmfit.data.dataset import Dataset
from slmfit.data.split import checked_seed
from slmfit.environment import environment, now, package_version
from slmfit.errors import BudgetReached, MissingPart, UsageError
from slmfit.events import Journal, Listener, Others
from slmfit.methods.ranges import Range, ranges_of
from slmfit.methods.specs import Spec, Word, parse_specs
from slmfit.methods.tuned import RECORD, TRIALS
from slmfit.records import to_plain
from slmfit.runs import fitting
from slmfit.runs.fitting import Terms
from slmfit.runs.trainings import checked_seeds
from slmfit.timing.budget import Budget
from slmfit.tuning import answers
from slmfit.tuning.deciding import Decision, decide, rival_of
from slmfit.tuning.importance import importance
from slmfit.tuning.page import write_page
from slmfit.tuning.record import TuningRecord, read_tuning, write_tuning
from slmfit.tuning.sampling import Asked, Sampler, checked_sampler
from slmfit.tuning.telling import caveats, sentence
from slmfit.tuning.trials import Answers, Bench, OutOfTime, Tried

FORMAT = "slmfit.trials/1"
OTHERS = Others(
    "holds trials of other data, settings, seeds, ranges or versions",
    "choose another folder with --out, or delete this one",
)
# Bench, sampler, the trials that are over, and how many there are to be -> the further ones, in order.
Elsewhere = Callable[[Bench, Sampler, Sequence[Tried], int], Generator[tuple[Tried, Answers], None, None]]
FEWEST = 2  # trials: the defaults, and one beside them


class Tuned:
    """A tuning on disk. `record` is what tuning.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = read_tuning(folder)

    def __repr__(self) -> str:
        return f"<slmfit tuning at {self.folder}: {self.record.sentence}>"

    @property
    def settings(self) -> dict[str, Any]:
        """Those that were kept; what is not among them is left open."""
        return dict(self.record.settings)


def tune(
    data: Dataset,
    asked: str,
    *,
    budget_seconds: float | None = None,
    trials: int | None = None,
    sampler: str = "tpe",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    metric: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    elsewhere: Elsewhere | None = None,
    listen: Listener | None = None,
) -> Tuned:
    """Try settings of one method and keep the best, if it can be told from the defaults. Test is never opened.

    asked: a method, as in `compare`. budget_seconds: for all trials together, those of an interrupted call included;
    the one that it ends in counts for nothing. trials: how many at most, the defaults among them, which are the first.
    One of the two must be given. sampler: "tpe" learns from the trials before, "random" does not.
    settings: method -> settings that are fixed, and not searched. metric: None = the task's own.
    out: where results go; None = beside the comparison of the same data. seeds: how often each trial trains, with as
    many seeds: its score is their mean, and their spread is in the interval.
    elsewhere: what runs the trials instead, without a budget.

    Raises UsageError for a method that has nothing to tune, MissingPart without Optuna, BudgetReached where there was
    no time for the defaults and one more trial, and what the method raises with its defaults.
    """
    if budget_seconds is None and trials is None:
        raise UsageError("nothing says when to end", fix="give --budget 30m, or --trials 40")
    if budget_seconds is not None and elsewhere is not None:
        raise UsageError("--budget does not work with --cluster", fix="give --trials 40 instead")
    if trials is not None and trials < FEWEST:
        raise UsageError(f"--trials cannot be {trials}", fix="the first are the defaults: give 2 or more")
    metric, seed, sampler = checked_metric(data, metric), checked_seed(seed), checked_sampler(sampler)
    spec = _spec(data, asked, settings)
    if not data.validation:
        raise UsageError("there are no validation rows to try settings on", fix="give some with --validation FILE")
    terms = Terms(seed, metric, checked_seeds(seeds, seed, [spec]))
    fixed = _fixed(spec, Word.of(asked), settings or {})
    ranges = ranges_of(spec.create(), data.task.name, fixed)
    if not ranges:
        raise UsageError(f"{spec.name} has no setting to tune", fix="`slmfit explain METHOD` shows which are searched")
    folder = _folder(out, data, spec)
    key = _key(spec, data, terms, ranges, sampler)
    with Journal(folder / TRIALS, FORMAT, key, OTHERS, lambda line: "number" in line) as journal:
        with storage.undamaged(journal.path):
            known = [Tried.of(line, number) for number, line in enumerate(journal.done)]
        bench = Bench(spec, data, terms, listen)
        if _over(folder, len(known), trials, budget_seconds):
            if listen:
                listen("reuse", {"run": spec.id})
        else:
            asking = Sampler(ranges, sampler, seed)
            if elsewhere is not None and trials is not None:
                coming = elsewhere(bench, asking, known, trials)
            else:
                coming = _here(bench, asking, known, trials, budget_seconds)
            with closing(coming):
                ended = _try(bench, journal, known, trials, folder, coming)
            about: dict[str, Any] = {
                "sampler": sampler,
                "key": key,
                "fixed": fixed,
                "budget_seconds": budget_seconds,
                "ended": ended,
            }
            write_tuning(folder, _judged(bench, known, ranges, folder, **about))
        write_page(folder, read_tuning(folder))
    return Tuned(folder)


def _over(folder: Path, known: int, most: int | None, seconds: float | None) -> bool:
    """Whether all that is asked for was done and judged before."""
    if not (folder / RECORD).is_file():
        return False
    record = read_tuning(folder)
    enough = most is not None and known >= most
    spent = seconds is not None and record.ended == "budget" and (record.budget_seconds or 0.0) >= seconds
    return len(record.trials) == known and (enough or spent)


def _try(
    bench: Bench, journal: Journal, known: list[Tried], most: int | None, folder: Path,
    coming: Iterable[tuple[Tried, Answers]],
) -> str:  # fmt: skip
    """Take up trial after trial, each appended to `known` and the journal. Returns what ended it.

    Raises BudgetReached where nothing can be compared.
    """
    for tried, found in coming:
        if not known or tried is rival_of([*known, tried]):
            answers.write(folder, tried.number, bench.data, found)
        journal.add(to_plain(tried))
        known.append(tried)
        answers.sweep(folder, {0, *(one.number for one in (rival_of(known),) if one)})
        if bench.listen:
            came = {"state": tried.state} if tried.score is None else {bench.terms.metric: tried.score}
            bench.listen("tried", {"run": f"trial {tried.number}", **came})
    if len(known) < FEWEST:
        what = "the budget left no time for the defaults and a trial beside them"
        raise BudgetReached(what, fix="give a larger one: the same command goes on from here")
    return "trials" if most is not None and len(known) >= most else "budget"


def _here(
    bench: Bench, sampler: Sampler, known: Sequence[Tried], most: int | None, seconds: float | None
) -> Generator[tuple[Tried, Answers], None, None]:
    """One trial after the other; each is asked for by those in `known` by then."""
    budget = Budget.of(None if seconds is None else seconds - sum(one.seconds for one in known))
    if bench.listen and budget.limited:
        bench.listen("budget", {"seconds": round(budget.left(), 1)})
    while most is None or len(known) < most:
        if known and budget.left() < sorted(one.seconds for one in known)[len(known) // 2]:
            return  # as long as half of them took is not left
        try:
            done = run_trial(bench, sampler, known, len(known), budget)
        except OutOfTime:
            return
        yield done


def run_trial(
    bench: Bench, sampler: Sampler, known: Sequence[Tried], number: int, budget: Budget | None = None
) -> tuple[Tried, Answers]:
    """The trial of that number, the first being the defaults; `known` is what it is asked for by. See `Bench.run`."""
    asked = sampler.ask(known, number) if number else Asked({}, None)
    return bench.run(
        number,
        bench.meant(asked.settings),
        searched=list(sampler.ranges),
        hopeless=asked.hopeless if number else lambda epoch, score: False,
        budget=budget,
    )


def _judged(
    bench: Bench, known: Sequence[Tried], ranges: Mapping[str, Range], folder: Path, *, fixed: Mapping[str, Any],
    **about: Any,
) -> TuningRecord:  # fmt: skip
    """The record of a tuning that is over."""
    data, terms, spec = bench.data, bench.terms, bench.spec
    rival = rival_of(known)
    parts = [[] if one is None else answers.parts(folder, one.number, data, terms) for one in (rival, known[0])]
    found: Decision = decide(known, *parts, seed=terms.seed, repeats=data.repeats("validation"))
    best = known[found.best]
    gain = found.gain
    return TuningRecord(
        method=spec.name,
        base_model=spec.base_model,
        dataset=fitting.dataset_record(data),
        split=fitting.split_record(data),
        metric=terms.metric,
        seed=terms.seed,
        seeds=terms.seeds,
        ranges=ranges,
        trials=list(known),
        best=found.best,
        comparisons=found.comparisons,
        gain={"value": gain.value, "low": gain.low, "high": gain.high} if gain else None,
        p_value=gain.p_value if gain else None,
        smallest_gain=found.smallest,
        kept="best" if found.claimed else "defaults",
        settings={**fixed, **(best.settings if found.claimed else {})},
        fixed=fixed,
        importance=importance(known, ranges),
        sentence=sentence(found, known, terms.metric),
        caveats=caveats(found, known, len(data.validation), spec.seeded and terms.seeds == 1),
        environment=environment(),
        created=now(),
        **about,
    )


def _spec(data: Dataset, asked: str, settings: Mapping[str, Mapping[str, Any]] | None) -> Spec:
    """The method to tune. Raises UsageError for several, and for one that is a server's or made of others."""
    spec, *more = parse_specs(asked, settings, data.task)
    if more:
        raise UsageError("tune tries settings of one method", where=asked, fix="tune one after the other")
    if spec.reason:
        raise MissingPart(f"the method {spec.name!r} cannot run here", fix=spec.reason)
    if spec.remote or spec.parts:
        raise UsageError(f"{spec.name} has no setting to tune", fix="tune one that is fitted here, such as linear")
    return spec


def _fixed(spec: Spec, word: Word, given: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that the user gave, as they were understood."""
    names = dict.fromkeys(name for kind in word.kinds for name in given.get(kind, {}))
    return {name: getattr(spec.settings, name) for name in names}


def _folder(out: str | Path | None, data: Dataset, spec: Spec) -> Path:
    """Where results go. Raises UsageError for a folder that holds something else."""
    folder = Path(f"{default_folder(data)}-tuned-{spec.id}") if out is None else storage.named(out)
    if folder.is_dir() and not (folder / TRIALS).is_file() and any(folder.iterdir()):
        raise UsageError(
            "holds other files", where=str(folder), fix="choose another folder with --out, or an empty one"
        )
    return folder


def _key(spec: Spec, data: Dataset, terms: Terms, ranges: Mapping[str, Range], sampler: str) -> str:
    """sha256 of all that decides the trials but how many they are."""
    about = [
        fitting.run_key(spec, data, terms),
        terms.seeds,
        to_plain(ranges),
        sampler,
        package_version("optuna"),
    ]
    return storage.hash_json(about)
