"""The runs of a comparison fitted on a Ray cluster: each a task, which comes back whole and is published here.

    asked = Asked.of(data, "linear,encoder", seeds=3, out="compared")
    fit_on("10.0.0.1:6379", asked)       # then `compare` finds the runs, measures them again here, and judges

No file system is shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slmfit import storage
from slmfit.cluster.nodes import joined
from slmfit.cluster.tasks import as_they_end, check_code, said_by, task, told_here
from slmfit.comparison.asked import Asked
from slmfit.comparison.experiment import Experiment
from slmfit.comparison.folder import held, write_data
from slmfit.comparison.parts import PARTS, RUN_FILES, adopt, every, runs_in
from slmfit.data.dataset import Dataset
from slmfit.environment import code_version
from slmfit.errors import UnsafeError, UsageError
from slmfit.methods.specs import Spec
from slmfit.runs.fitting import Terms, run_key


def fit_on(address: str, asked: Asked, texts: bool = True) -> list[str]:
    """Fit on a cluster what is not fitted yet, into the comparison's folder; returns the ids of the runs that came.

    What asks a server or is made of other runs is left to the command that judges, and so is what failed there. A run
    takes one core, and if it is trained and the cluster has any, a GPU. texts: whether the user's texts are kept.
    Raises UsageError for a budget, and what `joined` raises. When interrupted, what is queued is cancelled, and what
    came stays.
    """
    whole = asked.experiment
    if whole.terms.budget_seconds is not None:
        fix = "leave --budget out; what a method may take is a setting, such as encoder.epochs"
        raise UsageError("a budget is for all runs together, which a cluster fits beside each other", fix=fix)
    with held(whole.folder, whole.data):
        storage.remove(_place(whole))
        missing = [(one, spec) for one, spec in every(asked) if not spec.remote and one.kept(spec) is None]
        if not missing:
            return []
        missing.sort(key=lambda pair: not pair[1].trained)  # what takes longest first, so that no node waits for it
        with joined(address) as ray:
            write_data(whole, texts)
            return _fit_all(ray, whole, missing)


def _fit_all(ray: Any, whole: Experiment, missing: list[tuple[Experiment, Spec]]) -> list[str]:
    told, waiting, came = told_here(ray), dict[Any, tuple[Experiment, Spec]](), list[str]()
    data = {id(one.data): ray.put(one.data) for one, _ in missing}
    for one, spec in missing:
        fit = task(ray, fit_here, trained=spec.trained)
        waiting[fit.remote(data[id(one.data)], one.terms, spec, code_version(), told)] = (one, spec)
    with as_they_end(ray, waiting, told, whole.listen) as ended:
        for reference, (one, spec) in ended:
            try:
                files = ray.get(reference)
            except Exception as error:  # the others are worth having
                if whole.listen:
                    whole.listen("failed", {"run": spec.id, "reason": f"on the cluster: {said_by(error)}"})
                continue
            publish(one, spec, files)
            came.append(spec.id)
    return came


def fit_here(data: Dataset, terms: Terms, spec: Spec, code: str, told: Any) -> dict[str, bytes]:
    """On a node: fit one run; returns its files. code: the version it has to be, for a node that came later."""
    check_code(code)
    with TemporaryDirectory(prefix="slmfit-") as folder:
        experiment = Experiment(Path(folder), data, terms, lambda kind, fields: told.tell.remote(kind, fields))
        return files_of(experiment.fit(spec).folder)


def files_of(run: Path) -> dict[str, bytes]:
    """A run as it travels: what a run has, and no links to what lies elsewhere."""
    storage.check_links(run, run)
    found = {path.relative_to(run).as_posix(): path for path in sorted(run.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if name in RUN_FILES or name.startswith("model/")}


def publish(experiment: Experiment, spec: Spec, files: Mapping[str, bytes]) -> None:
    """Put a run that came as bytes in its place, once its hashes hold. Raises UnsafeError where they do not."""
    part = _place(experiment)
    place = part / "runs" / spec.id
    for name, content in files.items():
        if name not in RUN_FILES and not name.startswith("model/"):
            raise UnsafeError(f"a node sent the file {name!r}, which no run has", fix="look at who runs that node")
        path = storage.inside(place, name)
        storage.make_folder(path.parent)
        path.write_bytes(content)
    if len(found := list(runs_in(part))) != 1:
        raise UnsafeError(f"a node sent no run {spec.id}", fix="look at who runs that node")
    (run,) = found
    if run.record.id != spec.id or run.record.key != run_key(spec, experiment.data, experiment.terms):
        what = f"a node fitted another {spec.id} than was asked for"
        raise UnsafeError(what, fix="the same base models and files must be on every machine")
    adopt(experiment.folder, run)
    storage.remove(part)
    with suppress(OSError):  # parts that are there for another reason stay
        part.parent.rmdir()


def _place(experiment: Experiment) -> Path:
    return experiment.folder / PARTS / "cluster"
