"""Which settings to try next, by Optuna: the one file that knows it.

    sampler = Sampler({"C": Range(0.01, 30, log=True)}, "tpe", seed=0)
    asked = sampler.ask(trials)          # from the trials so far, and from nothing else
    asked.settings                       # {"C": 0.83}
    asked.hopeless(1, 0.71)              # whether to end it after its first epoch

No study outlives a trial: each is made anew from the trials that are on disk, with a seed that is drawn from the
trial's number. So what is asked next depends on the trials alone, not on how often the process was killed; and none of
Optuna's own storages is needed, whose journal leaves a lock behind that a later start waits half a minute for.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slmfit.environment import EXTRAS, install, missing
from slmfit.errors import MissingPart, UsageError, did_you_mean
from slmfit.methods.ranges import Range
from slmfit.tuning.trials import FAILED, OK, Tried

SAMPLERS = ("tpe", "random")
BEFORE_PRUNING = 5  # trials that must have come as far
# Of the trials that came as far, the share that one must not lie below to go on. The least promising quarter goes: the
# rate of a long training is still high where that of a short one is already low, so the middle would be too strict.
PRUNED_BELOW = 0.25


def checked_sampler(sampler: str) -> str:
    """Raises UsageError for one that does not exist, MissingPart without Optuna."""
    if sampler not in SAMPLERS:
        raise UsageError(f"--sampler cannot be {sampler!r}", fix=did_you_mean(sampler, SAMPLERS))
    if missing(*EXTRAS["tune"]):
        raise MissingPart("tuning needs Optuna", fix=install("tune"))
    return sampler


@dataclass(frozen=True)
class Asked:
    """The settings to try, and what is known of the trials before."""

    settings: dict[str, Any]
    _trial: Any

    def hopeless(self, epoch: int, score: float) -> bool:
        """Whether, by its score on validation after this epoch, the trial is not worth going on with."""
        self._trial.report(score, epoch)
        return bool(self._trial.should_prune())


@dataclass(frozen=True)
class Sampler:
    """ranges: of each setting. sampler: one of SAMPLERS."""

    ranges: Mapping[str, Range]
    sampler: str
    seed: int

    def ask(self, trials: Sequence[Tried], number: int | None = None) -> Asked:
        """What to try after these. number: of the trial; None = the one that follows."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        own = random.Random(f"{self.seed}/{len(trials) if number is None else number}").getrandbits(32)
        kind = optuna.samplers.TPESampler if self.sampler == "tpe" else optuna.samplers.RandomSampler
        pruner = optuna.pruners.PercentilePruner(
            100 * (1 - PRUNED_BELOW), n_startup_trials=BEFORE_PRUNING, n_min_trials=BEFORE_PRUNING
        )
        study = optuna.create_study(direction="maximize", sampler=kind(seed=own), pruner=pruner)
        distributions = {name: _distribution(range) for name, range in self.ranges.items()}
        for tried in trials:
            study.add_trial(self._told(tried, distributions))
        trial = study.ask(distributions)
        return Asked({name: trial.params[name] for name in self.ranges}, trial)

    def _told(self, tried: Tried, distributions: Mapping[str, Any]) -> Any:
        """A trial as Optuna keeps it; of what was left open it is told what was derived or chosen."""
        from optuna.trial import TrialState, create_trial

        known = {name: tried.known[name] for name, range in self.ranges.items() if range.holds(tried.known.get(name))}
        states = {OK: TrialState.COMPLETE, FAILED: TrialState.FAIL}
        return create_trial(
            state=states.get(tried.state, TrialState.PRUNED),
            value=tried.score,
            params=known,
            distributions={name: distributions[name] for name in known},
            intermediate_values={int(epoch): score for epoch, score in tried.epochs.items()},
        )


def _distribution(range: Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if range.values:
        return CategoricalDistribution(tuple(range.values))
    if range.whole:
        return IntDistribution(int(range.low), int(range.high), log=range.log)
    return FloatDistribution(range.low, range.high, log=range.log)
