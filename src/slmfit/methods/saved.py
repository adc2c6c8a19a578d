"""A fitted method in a folder of open formats: saved with all that is needed to predict, loaded again, asked.

save_model(folder, task, recipe, "linear", method)
predict_with(load_model(folder), ["my card was charged twice"])[0].target
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from slmfit import storage, tasks
from slmfit.data.recipe import TextRecipe
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.methods import TABLE, recorded_class, strangers
from slmfit.methods.base import Method, parse_settings
from slmfit.records import Input, Prediction
from slmfit.storage import check_format
from slmfit.tasks.answers import entities_of
from slmfit.tasks.base import Task

MODEL_FORMAT = "slmfit.model/1"
DAMAGE = (*storage.DAMAGE, OSError, RuntimeError, SafetensorError)
SUM = 0.01  # that probabilities, which are rounded, may be off 1


def predict_with(model: tuple[Task, TextRecipe, Method], inputs: Sequence[Input]) -> list[Prediction]:
    """Clean the texts as the model's recipe says, then predict.

    Raises UnsafeError where a method of ours fails on them, or gives what is no answer: then its files were changed.
    """
    task, recipe, method = model
    cleaned = [recipe(i) if isinstance(i, str) else i for i in inputs]
    if not type(method).__module__.startswith("slmfit."):
        return method.predict(cleaned)
    with _undamaged(f"the model of {type(method).__name__}", (*storage.DAMAGE, RuntimeError)):
        answers = method.predict(cleaned)
        _check_answers(task, answers)
    return answers


def _check_answers(task: Task, answers: Sequence[Prediction]) -> None:
    """Raise ValueError unless every answer is one of the task's, with probabilities that are some."""
    known = set().union(*tasks.names_of(task).values())
    for answer in answers:
        shares = answer.probabilities
        # A question has letters of its own; they were looked at when it was answered.
        said = answer.target if task.classifies else entities_of(answer.target).intent if task.marks else None
        if said is not None and known and said not in known:
            raise ValueError(f"an answer that is none: {said!r:.60}")
        if shares and not (min(shares.values()) >= 0 and abs(sum(shares.values()) - 1) <= SUM):
            raise ValueError("probabilities that are none")
        if not all(0 <= share <= 1 for share in answer.span_probabilities or ()):
            raise ValueError("probabilities that are none")


@contextmanager
def _undamaged(where: str, kinds: tuple[type[Exception], ...] = DAMAGE) -> Iterator[None]:
    """The border to a model's files: what goes wrong with them in words."""
    try:
        yield
    except kinds as error:
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        if isinstance(error, RuntimeError) and ("memory" in said or not type(error).__module__.startswith("builtins")):
            raise
        fix = "fit the run again, or get it again from a source that you trust"
        raise UnsafeError(f"its model is damaged ({said[:120]})", where=where, fix=fix) from error


def save_model(folder: Path, task: Task, recipe: TextRecipe, name: str, method: Method) -> None:
    """Write all that is needed to predict into an empty folder. Raises SlmfitError when the disk refuses."""
    try:
        method.save(folder)
    except (OSError, SafetensorError) as error:
        what = getattr(error, "strerror", None) or str(error).partition("\n")[0].rpartition(": ")[2]
        fix = "free some space, or check the folder, and run the same command again"
        raise SlmfitError(f"the model could not be written: {what}", where=str(folder), fix=fix) from None
    about = {
        "format": MODEL_FORMAT,
        "task": tasks.to_plain(task),
        "strip": list(recipe.strip),
        "method": name,
        "settings": asdict(method.settings),
        "chosen": method.chosen,
    }
    if name not in TABLE and (package := strangers.package_of(name)):
        about["package"] = package
    storage.write_json(folder / "slmfit.json", about)


def load_model(folder: Path) -> tuple[Task, TextRecipe, Method]:
    """What `save_model` wrote.

    Raises UnsafeError for a model that does not hang together, whoever changed it, and UnsafeError or MissingPart for
    another's method that is not known here.
    """
    about = storage.read_json(folder / "slmfit.json")
    check_format(about, MODEL_FORMAT, folder / "slmfit.json")
    with _undamaged(str(folder)):
        cls = recorded_class(about["method"], folder, about.get("package"))
        settings = parse_settings(about["method"], cls.Settings, about["settings"])
        task = tasks.from_plain(about["task"])
        _check_finite(folder)
        method = cls.load(folder, task, settings)
        method.chosen = dict(about["chosen"])
        method.check(task)
        return task, TextRecipe(tuple(map(str, about["strip"]))), method


def _check_finite(folder: Path) -> None:
    """Raise ValueError for a number in the tensors of `folder` itself that is none."""
    from safetensors.numpy import load_file

    for path in sorted(folder.rglob("*.safetensors")):
        if (path.parent / "config.json").is_file():
            continue  # a transformer's or an embedding's, which are looked at where they are loaded
        for name, tensor in load_file(path).items():
            if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
                raise ValueError(f"{path.name} holds numbers in {name!r} that are not finite")
