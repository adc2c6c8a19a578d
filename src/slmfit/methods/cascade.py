"""`cascade`: a small model answers where it is sure enough, a large one the rest, by a promise of what both are worth.

    slmfit compare tickets.csv --methods linear,encoder,cascade=linear+encoder --set cascade.target=0.99

    method = Cascade(Settings(parts="linear+encoder"))
    method.fit(task, train, validation, Context(parts=(small, large)))      # both are fitted; `runs` hands them over
    method.predict(["my card was charged twice"])[0].by                     # "small"

The threshold is fitted on validation (see `slmfit.evidence.promise`), against the truth and never against what the
large one says. Its folder holds both parts whole: it can be moved, and is loaded, as any other.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.evidence.clusters import clusters_of
from slmfit.evidence.promise import Promise, promised
from slmfit.methods.base import Context, Method, Part, Remote, must, setting
from slmfit.methods.saved import load_model
from slmfit.records import Example, Input, Prediction, Usage
from slmfit.tasks.base import Task
from slmfit.tasks.sureness import confidence, is_right

SMALL, LARGE = "small", "large"
PLACES = (SMALL, LARGE)


@dataclass(frozen=True)
class Settings:
    """What `--set cascade.NAME=VALUE` sets."""

    parts: str | None = setting(
        None,
        "The small method and the large one, SMALL+LARGE; the same as in cascade=SMALL+LARGE. Folders of runs, too.",
    )
    target: float = setting(
        0.99,
        "Accuracy to keep, as a share of the large one's alone; 1 = all of it.",
        low=0.5,
        when="a little less is worth fewer questions to the large one, or nothing may be lost (1).",
    )
    sure: float = setting(
        0.95, "Confidence that the target holds: in what share of all such splits of the data; 0.95 = 95 %.", low=0.5
    )


class Cascade(Method):
    """Two fitted methods. What the small one is not sure of, or fails in, is asked of the large one."""

    Settings = Settings
    base_model_setting = "parts"

    task: Task
    threshold: float | None  # None = the large one answers everything
    small: Method
    large: Method
    seconds: float | None  # that the small one takes for a text
    remote: bool
    _models: dict[str, Path]  # where the parts lie

    def __init__(self, settings: Any = None) -> None:
        super().__init__(settings)
        for name in ("target", "sure"):
            value = getattr(self.settings, name)
            if value > 1 or (name == "sure" and value == 1):
                fix = "give a share: 0.99 is 99 % of what the large one has right; sure has to be below 1"
                raise UsageError(f"cascade.{name} cannot be {value:g}", fix=fix)

    @property
    def unknown_host(self) -> str | None:
        return self.small.unknown_host or self.large.unknown_host

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose the threshold on validation; a large one behind a server is asked these rows.

        Raises UsageError where there are no two parts, and where the small one never says how sure it is.
        """
        if len(context.parts) != 2:
            what = "a cascade is made of two methods that are fitted already, and none were given"
            raise UsageError(what, fix="name both in compare or train: cascade=linear+encoder")
        self.task, self.context = task, context
        small, large = context.parts
        self._models = {SMALL: small.model, LARGE: large.model}
        self.small, self.large = load_model(small.model)[2], load_model(large.model)[2]
        self.seconds, self.remote = small.seconds, large.remote
        context.event("answers of both", rows=len(validation))
        first, second = self._of_validation(small, self.small, validation), self._asked(large, validation)
        found = self._promise(validation, first, second)
        self.threshold = found.threshold
        self.search = []
        self.chosen = {"threshold": found.threshold, "promise": asdict(found)}
        self.chosen |= {place: _about(part) for place, part in zip(PLACES, context.parts, strict=True)}
        self.rows_used = {"fitted": "none: both parts are fitted runs", "threshold": "validation"}
        if large.remote:
            self.rows_used["asked"] = "validation and test"
        context.event("promise", threshold=found.threshold, share=found.share, found=found.found)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in order; `by` says whose it is. What the large one raises is raised."""
        if not inputs:
            return []
        answers = self._first(inputs)
        left = [i for i, answer in enumerate(answers) if not self._sure_enough(answer)]
        told = dict(zip(left, self._known(LARGE, self.large, [inputs[i] for i in left]), strict=True))
        return [
            self._large_answer(told[i]) if answer is None or i in told else self._small_answer(answer)
            for i, answer in enumerate(answers)
        ]

    def cuts_off(self, inputs: Sequence[Input]) -> list[bool] | None:
        """Of each input whether a part that may be asked does not read its end."""
        asked = (self.large,) if self.threshold is None else (self.small, self.large)
        told = [cut for part in asked if (cut := part.cuts_off(inputs)) is not None]
        return [any(of) for of in zip(*told, strict=True)] if told else None

    def save(self, folder: Path) -> None:
        about = {"threshold": self.threshold, "seconds": self.seconds, "remote": self.remote}
        storage.write_json(folder / "cascade.json", about)
        for place in PLACES:
            shutil.copytree(self._models[place], folder / place, ignore=shutil.ignore_patterns("README.md"))

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        about = storage.read_json(folder / "cascade.json", "threshold", "seconds", "remote")
        method.task, method.threshold = task, about["threshold"]
        method.seconds, method.remote = about["seconds"], about["remote"]
        method._models = {place: folder / place for place in PLACES}
        for place in PLACES:
            must(storage.read_json(folder / place / "slmfit.json")["method"] != "cascade", "a cascade of cascades")
            of, _, part = load_model(folder / place)
            must(of == task, f"its {place} part does another task")
            setattr(method, place, part)
        return method

    def check(self, task: Task) -> None:
        for value in (self.threshold, self.seconds):
            must(value is None or (isinstance(value, int | float) and math.isfinite(value)), "no proper threshold")
        must(self.remote is isinstance(self.large, Remote), "a large part of another kind")

    # --- answering ---

    def _first(self, inputs: Sequence[Input]) -> Sequence[Prediction | None]:
        """What the small one says; nothing where it breaks: then the large one is asked everything."""
        if self.threshold is None:
            return [None] * len(inputs)
        try:
            return self._known(SMALL, self.small, inputs)
        except Exception as error:  # whatever it is: a large model is there to answer
            self.context.event("warning", message=f"the small part failed, the large one answers: {error}")
            return [None] * len(inputs)

    def _known(self, place: str, method: Method, inputs: Sequence[Input]) -> list[Prediction]:
        """A part's answers: those that its run gave already, and what it says to the rest."""
        parts = self.context.parts
        known = parts[PLACES.index(place)].answers if parts else {}
        keys = [asked(self.task, one) if known else "" for one in inputs]
        new = [one for one, key in zip(inputs, keys, strict=True) if key not in known]
        method.context, method.allow_host = self.context, self.allow_host
        told = iter(method.predict(new) if new else ())
        return [known[key] if key in known else next(told) for key in keys]

    def _sure_enough(self, answer: Prediction | None) -> bool:
        if answer is None or self.threshold is None:
            return False
        sure = confidence(answer)
        return sure is not None and sure >= self.threshold

    def _small_answer(self, answer: Prediction) -> Prediction:
        """Paid for to nobody, where others are paid for to a server."""
        usage = Usage(0, 0, self.seconds, 0.0, alone=True) if self.remote else answer.usage
        return replace(answer, by=SMALL, usage=usage)

    def _large_answer(self, answer: Prediction) -> Prediction:
        """It took what the small one took first, and its own time."""
        usage = answer.usage
        if self.remote and usage and usage.seconds is not None and self.seconds and self.threshold is not None:
            usage = replace(usage, seconds=usage.seconds + self.seconds)
        return replace(answer, by=LARGE, usage=usage)

    # --- fitting ---

    def _of_validation(self, part: Part, method: Method, rows: Sequence[Example]) -> list[Prediction]:
        """What a part answered to validation before it had seen it.

        Raises UsageError where it never says how sure it is.
        """
        missing = [row.input for row in rows if row.id not in part.validation]
        told = iter(method.predict(missing) if missing else ())
        answers = [part.validation[row.id] if row.id in part.validation else next(told) for row in rows]
        if rows and all(confidence(answer) is None for answer in answers):
            what = f"{part.id} has no probabilities, so nobody knows when it is unsure"
            raise UsageError(what, fix="take a small method that has some, such as linear, knn or encoder")
        return answers

    def _asked(self, part: Part, rows: Sequence[Example]) -> list[Prediction]:
        """The large one's answers to validation; they are kept, so that scoring these rows asks nothing again."""
        self.large.context = self.context
        missing = [row for row in rows if row.id not in part.validation]
        told = dict(zip([row.id for row in missing], self.large.predict([row.input for row in missing]), strict=True))
        kept = {asked(self.task, row.input): told[row.id] for row in missing}
        parts = (self.context.parts[0], replace(part, answers={**part.answers, **kept}))
        self.context = replace(self.context, parts=parts)
        return [told[row.id] if row.id in told else part.validation[row.id] for row in rows]

    def _promise(self, rows: Sequence[Example], first: Sequence[Prediction], second: Sequence[Prediction]) -> Promise:
        """Rows with the same input have one answer and one confidence: they are one row that weighs more."""
        sure = np.array([math.nan if (one := confidence(answer)) is None else one for answer in first])
        right = [
            np.array([float(is_right(row.target, answer)) for row, answer in zip(rows, of, strict=True)])
            for of in (first, second)
        ]
        differ = np.array([one.target != two.target for one, two in zip(first, second, strict=True)], float)
        weights = None
        if repeats := clusters_of(self.task.text(row.input) for row in rows):
            kept, sizes = np.unique(repeats.number, return_index=True)[1], repeats.sizes.astype(float)
            sure, differ, weights = sure[kept], differ[kept], sizes
            right = [repeats.sums(of) / sizes for of in right]
        own, (small, large) = self.settings, right
        terms = {"target": own.target, "sure": own.sure, "seed": self.context.seed}
        return promised(sure, small, large, differ, weights=weights, **terms)


def asked(task: Task, input: Input) -> str:
    """What an input goes by among answers."""
    return storage.hash_json(task.unparse(Example("", input)))


def _about(part: Part) -> dict[str, Any]:
    """What a record says of a part."""
    about = {"id": part.id, "method": part.method, "key": part.key, "fitted": part.fitted}
    return about | ({"validation_scored_by": part.scored_by} if part.scored_by else {}) | {"seconds": part.seconds}
