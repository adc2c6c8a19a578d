"""When a model is tuned how, and how long that takes: the plan made, kept, and cut to a budget.

plan, job = Planner(settings, backbone, head, model).planned(material, len(validation), context, began)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slmfit import storage
from slmfit.errors import BudgetReached, UnsafeError
from slmfit.finetune import costs, processes
from slmfit.finetune.plan import Asked, Facts, Plan, derive
from slmfit.finetune.state import Job, Progress
from slmfit.methods.base import Context
from slmfit.methods.finetuned.head import Backbone, Head
from slmfit.methods.finetuned.settings import TuningSettings
from slmfit.records import Example
from slmfit.timing.budget import Budget, random_order

PROBED, PROBE_SECONDS = 1000, 60.0  # rows of which some are timed, and about how precisely


@dataclass(frozen=True)
class Planner:
    """What a plan is made from. usual_rate: learning rate of the whole model that is usual for its kind, if any."""

    settings: TuningSettings
    backbone: Backbone
    head: Head
    model: Any
    usual_rate: float | None = None

    def seconds(self, train: Sequence[Example], validation_rows: int, context: Context) -> float:
        """How long training and predicting will take: some steps are timed, on rows at random."""
        some = [train[i] for i in random_order(len(train))[:PROBED]]
        material = self.head.material(some, None), self.head.material([], None)
        texts = self.head.texts_per_row(material[0])
        whole = np.resize(material[0].lengths, len(train))  # as if all were like these
        plan = derive(self.asked, self.facts(whole, validation_rows, texts))
        job = self.head.job(*material, max_length=plan.max_length, metric=context.metric)
        best = [weight.detach().clone() for weight in self.model.parameters() if weight.requires_grad]
        each = self._timed(job, np.minimum(material[0].lengths, plan.max_length), plan, PROBE_SECONDS)
        best.clear()  # a training holds them, too
        cut = np.minimum(whole, plan.max_length)
        predicted = context.rows_to_predict + plan.epochs * plan.evaluations * validation_rows
        return each.to_train(cut) * plan.epochs + each.to_predict(cut) / len(cut) * predicted

    def planned(
        self, material: tuple[Any, Any], validation_rows: int, context: Context, began: float
    ) -> tuple[Plan, Job]:
        """The plan that an interrupted training left, or a new one, written down; and the job to do by it."""

        def job_of(plan: Plan) -> Job:
            return self.head.job(*material, max_length=plan.max_length, metric=context.metric)

        known = context.work / "plan.json" if context.work else None
        if known and known.is_file():
            try:
                plan = Plan.from_json(storage.read_json(known))
            except (KeyError, TypeError, ValueError):
                fix = "delete its folder and run the command again"
                raise UnsafeError("the plan of this training is damaged", where=str(known), fix=fix) from None
            return plan, job_of(plan)
        facts = self.facts(material[0].lengths, validation_rows, self.head.texts_per_row(material[0]))
        plan = derive(self.asked, facts)
        job = job_of(plan)
        if len(job.lengths) != len(facts.lengths):  # several windows to a text
            plan = dataclasses.replace(plan, rows=plan.epochs * len(job.lengths))
        if context.budget.limited:
            length = plan.max_length
            plan = self._within(plan, job, facts, context.budget, context.rows_to_predict, began)
            job = job if plan.max_length == length else job_of(plan)
        write_plan(context.work, plan)
        context.event("plan", **{k: v for k, v in self.chosen(plan).items() if k != "why"})
        return plan, job

    def _within(self, plan: Plan, job: Job, facts: Facts, budget: Budget, predicted_rows: int, began: float) -> Plan:
        """The plan that ends in time, by what the first steps take."""
        size = processes.current().size
        part = dataclasses.replace(plan, batch_tokens=plan.batch_tokens // size)
        if not budget.left():
            took = f"{budget.clock() - began:.0f} s went for loading the model and for cutting texts into tokens"
            raise BudgetReached(f"0 seconds leave no time to train: {took}", fix="give a larger budget")
        cuts = self.head.cuts and facts.texts == 1
        lengths = np.minimum(facts.lengths, plan.max_length) if cuts else job.lengths
        measured = self._timed(job, lengths, part, budget.left())
        return costs.within(
            plan,
            dataclasses.replace(measured, training=measured.training / size),
            facts.lengths if cuts else job.lengths,
            seconds=budget.left(),  # what has been done until now, and timing the steps, was paid for out of it
            validation_rows=facts.validation_rows,
            predicted_rows=predicted_rows,
            cuts=cuts,
        )

    def _timed(self, job: Job, lengths: Any, plan: Plan, seconds: float) -> costs.Costs:
        """Costs by these lengths of the texts; a row of the job may have options too, or be a part of a text."""
        each = costs.measure(self.model, job, self.backbone.device, plan, seconds)
        share = float(job.lengths.sum() / max(1, lengths.sum()))
        return dataclasses.replace(each, training=each.training * share, predicting=each.predicting * share)

    def left_out(
        self, lengths: Any, rows: int, plan: Plan, progress: Progress, context: Context
    ) -> dict[str, float | bool]:
        """The share of texts that were cut, and whether the budget ended a training that was still improving."""
        told: dict[str, float | bool] = {}
        if self.head.cuts and (share := float((lengths > plan.max_length).mean())):
            told["texts_cut"] = round(share, 4)
        best_last = progress.best_step in (None, progress.step) and not progress.stopped
        wanted = rows * derive(self.asked, self.facts(lengths, 0)).epochs
        if context.budget.limited and best_last and progress.seen < 0.98 * wanted:
            told["cut_short"] = True
        return told

    @property
    def asked(self) -> Asked:
        return Asked(**{f.name: getattr(self.settings, f.name) for f in dataclasses.fields(Asked)})

    def facts(self, lengths: Any, validation_rows: int, texts: float = 1.0) -> Facts:
        return Facts(
            lengths=lengths,
            limit=self.backbone.limit,
            hidden=self.model.config.hidden_size,
            lora=self.settings.lora,
            device=self.backbone.device.name,
            validation_rows=validation_rows,
            usual_rate=self.usual_rate,
            layers=getattr(self.model.config.get_text_config(), "num_hidden_layers", 0) or 0,
            texts=texts,
        )

    def chosen(self, plan: Plan) -> dict[str, Any]:
        """The values, and under `why` the reasons."""
        names = ("epochs", "learning_rate", "batch_tokens", "max_length")
        chosen, on = {name: getattr(plan, name) for name in names}, self.backbone.device
        chosen |= {"rows": plan.rows_at(1 << 62), "device": on.name, "precision": on.precision}
        return {**chosen, "why": {**plan.why, "precision": on.why}}


def write_plan(folder: Path | None, plan: Plan) -> None:
    """Keep the plan in a training's folder, if it has one."""
    if folder is not None:
        storage.make_folder(folder)
        storage.write_json(folder / "plan.json", plan.to_json())
