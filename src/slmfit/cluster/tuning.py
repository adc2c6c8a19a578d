"""The trials of a tuning on a Ray cluster: each a task, told here in the order of their numbers.

    tune(data, "linear", trials=200, elsewhere=partial(try_on, "10.0.0.1:6379"))

As many trials are under way as the cluster has cores. A trial is asked for by those that are as many numbers before it,
whichever ended first: so a cluster of as many cores tries the same, also where processes died or the command was
killed; and with the sampler `random`, which knows of no others, any cluster and none (but for which trainings are given
up half-way, which goes by those that ended before).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from slmfit.cluster.nodes import joined
from slmfit.cluster.tasks import as_they_end, cause_of, check_code, said_by, task, told_here
from slmfit.data.dataset import Dataset
from slmfit.environment import code_version
from slmfit.errors import SlmfitError
from slmfit.methods.specs import Spec
from slmfit.runs.fitting import Terms
from slmfit.tuning.sampling import Sampler
from slmfit.tuning.trials import Answers, Bench, Tried
from slmfit.tuning.tune import run_trial


def try_on(
    address: str, bench: Bench, sampler: Sampler, known: Sequence[Tried], most: int
) -> Generator[tuple[Tried, Answers], None, None]:
    """The trials up to so many, in order. known: those that are over; who takes a trial appends it.

    Raises what `joined` raises, what the method raises with its defaults, and SlmfitError where Ray gave a trial up.
    """
    with joined(address) as ray:
        data, told = ray.put(bench.data), told_here(ray)
        trial, cores = task(ray, try_here, trained=bench.spec.trained), _at_once(ray, bench.spec.trained)
        waiting, came = dict[Any, int](), dict[int, tuple[Tried, Answers]]()
        begun = len(known)

        def begin() -> None:
            nonlocal begun
            while begun < min(most, len(known) + cores):
                before = list(known[: max(0, begun + 1 - cores)])
                asked = trial.remote(data, bench.spec, bench.terms, sampler, before, begun, code_version(), told)
                waiting[asked] = begun
                begun += 1

        begin()
        with as_they_end(ray, waiting, told, bench.listen) as ended:
            for reference, number in ended:
                try:
                    came[number] = ray.get(reference)
                except Exception as error:
                    if isinstance(cause := cause_of(error), SlmfitError):
                        raise cause from None
                    said = f"the cluster could not try: {said_by(error)}"
                    raise SlmfitError(said, where=f"trial {number}", fix="the same command goes on with it") from error
                while len(known) in came:
                    yield came.pop(len(known))
                begin()


def _at_once(ray: Any, trained: bool) -> int:
    """How many trials the cluster can take: one a core, and one a GPU where it has some and they are used."""
    there = ray.cluster_resources()
    return max(1, int(min(there.get("CPU", 1), there.get("GPU", 0) or 1e9) if trained else there.get("CPU", 1)))


def try_here(
    data: Dataset, spec: Spec, terms: Terms, sampler: Sampler, known: Sequence[Tried], number: int, code: str, told: Any
) -> tuple[Tried, Answers]:
    """On a node: one trial. code: as in `fit_here`."""
    check_code(code)
    bench = Bench(spec, data, terms, lambda kind, fields: told.tell.remote(kind, fields))
    return run_trial(bench, sampler, known, number)
