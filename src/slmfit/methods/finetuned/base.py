"""The method: a base model is checked, loaded, tuned to a plan, saved as a plain transformers folder."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError

from slmfit import storage
from slmfit.errors import SlmfitError, UsageError
from slmfit.finetune import costs, lora, pretrained, processes
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.finetune.device import Device, choose
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Asked, Facts, Plan, derive
from slmfit.finetune.processes import Helper
from slmfit.finetune.state import Job, Progress
from slmfit.methods.base import Context, Method
from slmfit.methods.finetuned.head import Arrays, Head, head_class
from slmfit.methods.finetuned.helping import described
from slmfit.methods.finetuned.settings import TuningSettings
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


class FineTuned(Method):
    """A pretrained model of one kind ("encoder" or "causal"), with a head for the task."""

    Settings: ClassVar[type] = TuningSettings
    base_model_setting = "base_model"
    kind: ClassVar[str]

    settings: TuningSettings
    head: Head
    tokenizer: Any
    model: Any  # after `fit` with LoRA with its adapters, merged; otherwise plain
    device: Device
    limit: int  # tokens that the model reads at most
    max_length: int

    @property
    def seeded(self) -> bool:
        return self.settings.epochs != 0

    @property
    def pad(self) -> int:
        """The id that fills up rows."""
        return int(self.tokenizer.pad_token_id)

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Tune on train; validation picks the best epoch.

        Raises UsageError for a base model that does not fit, MissingPart for one that is out of reach, BudgetReached
        when the budget leaves no time to train.
        """
        began = time.monotonic()
        fresh = self._prepare(task, context.seed)
        if self.settings.epochs == 0:
            self.max_length = min(self.settings.max_length or 512, self.limit)
            self.chosen = {"max_length": self.max_length, "epochs": 0}
            self.rows_used = {"fitted": "none: the base model is used as it is"}
            return
        material = self.head.material(train, context.cache), self.head.material(validation, context.cache)
        self.model = self._trainable(fresh, context.seed)
        plan = self._plan(material, len(validation), context, began)
        job = self.head.job(*material, max_length=plan.max_length, metric=context.metric)
        self.max_length = plan.max_length
        folder = context.work
        with processes.current().training(*described(self, task, job, plan, context.seed)) as team:
            training = Training(
                self.model,
                job,
                plan,
                self.device,
                seed=context.seed,
                metric=context.metric,
                store=Checkpoints(folder / "checkpoints") if folder else None,
                event=context.event,
                replan=lambda changed: _write_plan(folder, changed),
                team=team,
            )
            progress = training.run()
        if self.settings.lora:
            self.head.body(self.model).merge_adapter()  # what is scored now is then, to the bit, what is saved
        self._say(training, progress, team.size)

    def assisting(
        self, helper: Helper, task: Task, about: dict[str, int], arrays: Arrays, plan: Plan, seed: int
    ) -> Training:
        """The training that `fit` makes, in a process that helps with it; nothing is validated or written there."""
        self.model = self._trainable(self._prepare(task, seed), seed)
        self.model.train()
        job = self.head.unpacked(about, arrays)
        return Training(self.model, job, plan, self.device, seed=seed, metric="", team=helper)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        self.model.eval()
        return self.head.answers(inputs) if inputs else []

    def save(self, folder: Path) -> None:
        """A transformers folder: the whole model, adapters added in; with LoRA also the adapters, for peft.

        Raises SlmfitError when it cannot be written.
        """
        try:
            with pretrained.quiet():
                body = self.head.body(self.model)
                if hasattr(body, "merge_and_unload"):
                    lora.save_adapters(body, folder / "adapter")
                    body = lora.merged(body)
                    self.model = self.head.with_body(self.model, body)
                self.tokenizer.model_max_length = self.max_length
                self.tokenizer.padding_side = "right"  # on the left, absolute positions would shift
                body.save_pretrained(folder)
                self.tokenizer.save_pretrained(folder)
            self.head.save(folder)
            storage.write_text(folder / "README.md", self._card())
        except (OSError, SafetensorError) as error:
            what = getattr(error, "strerror", None) or str(error).splitlines()[0]
            fix = "free some space and run the same command again; the training is not lost"
            raise SlmfitError(f"the model could not be written: {what}", where=str(folder), fix=fix) from None

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        config = pretrained.read_config(str(folder))
        method.tokenizer = pretrained.load_tokenizer(str(folder), config)
        method.head = head_class(cls.kind, task).load(method, task, folder, config)
        method.limit = method.max_length = pretrained.longest(config, method.tokenizer)
        method.device = choose(settings.device, settings.precision)
        method.model.to(method.device.name)
        return method

    def _prepare(self, task: Task, seed: int) -> set[str]:
        """Load base model, tokenizer and device; returns the names of the weights the checkpoint did not have."""
        s = self.settings
        self.head = head_class(self.kind, task)(self, task)
        folder = pretrained.fetched(s.base_model, self._check)
        config = pretrained.read_config(folder)
        self.device = choose(s.device, s.precision)
        self.tokenizer = pretrained.load_tokenizer(folder, config)
        self.tokenizer.truncation_side = "right"
        self.limit = pretrained.longest(config, self.tokenizer)
        if s.max_length is not None and s.max_length > self.limit:
            what = f"{self.kind}.max_length cannot be {s.max_length}"
            raise UsageError(what, where=s.base_model, fix=f"it reads at most {self.limit} tokens")
        if self.kind == "causal":
            config.pad_token_id = self.tokenizer.pad_token_id  # by it the model finds the last real token
        self.model, fresh = self.head.start(folder, config, seed)
        self.head.body(self.model).name_or_path = s.base_model  # adapters name it; the folder is this machine's own
        self.model.to(self.device.name)
        return fresh

    def _check(self, config: Any) -> None:
        """Raise UsageError for a base model that this method cannot start from."""
        pretrained.check_kind(config, self.settings.base_model, self.kind, self.head.made_for)
        if self.settings.epochs == 0:
            self.head.check(config)

    def _trainable(self, fresh: set[str], seed: int) -> Any:
        s = self.settings
        if not s.lora:
            return self.model
        body = lora.with_adapters(
            self.head.body(self.model),
            fresh,
            self.head.adapters,
            rank=s.lora_rank,
            alpha=s.lora_alpha,
            dropout=s.lora_dropout,
            seed=seed,
        )
        return self.head.with_body(self.model, body).to(self.device.name)

    def _plan(self, material: tuple[Any, Any], validation_rows: int, context: Context, began: float) -> Plan:
        """The plan that an interrupted training left, or a new one, written down."""
        known = context.work / "plan.json" if context.work else None
        if known and known.is_file():
            return Plan.from_json(storage.read_json(known))
        s = self.settings
        facts = Facts(
            lengths=material[0].lengths,
            limit=self.limit,
            hidden=self.model.config.hidden_size,
            lora=s.lora,
            device=self.device.name,
            validation_rows=validation_rows,
        )
        asked = Asked(**{f.name: getattr(s, f.name) for f in dataclasses.fields(Asked)})
        plan = derive(asked, facts)
        job = self.head.job(*material, max_length=plan.max_length, metric=context.metric)
        if len(job.lengths) != len(facts.lengths):  # several windows to a text
            plan = dataclasses.replace(plan, rows=plan.epochs * len(job.lengths))
        if context.budget_seconds is not None:
            left = context.budget_seconds - (time.monotonic() - began)
            plan = self._within(plan, job, facts, left, context.rows_to_predict)
        _write_plan(context.work, plan)
        context.event("plan", **{k: v for k, v in self._chosen(plan).items() if k != "why"})
        return plan

    def _within(self, plan: Plan, job: Job, facts: Facts, seconds: float, predicted_rows: int) -> Plan:
        """The plan that ends in time, by what the first steps take."""
        size = processes.current().size
        part = dataclasses.replace(plan, batch_tokens=plan.batch_tokens // size)
        measured = costs.measure(self.model, job, self.device, part)
        return costs.within(
            plan,
            dataclasses.replace(measured, training=measured.training / size),
            facts.lengths if self.head.cuts else job.lengths,
            seconds=seconds,
            validation_rows=facts.validation_rows,
            predicted_rows=predicted_rows,
            cuts=self.head.cuts,
        )

    def _say(self, training: Training, progress: Progress, processes: int) -> None:
        """What was chosen, what stopped it, and which rows were used for what."""
        plan = training.plan
        self.chosen = self._chosen(plan)
        if progress.best is not None:
            share = (progress.best_step or 0) / max(1, progress.step)
            self.chosen |= {"epoch_kept": round(share * training.epochs_seen, 2)}
        if processes > 1:
            self.chosen |= {"processes": processes}
        if progress.stopped:
            self.chosen |= {"stopped": progress.stopped}
        whole = progress.seen >= len(training.job.lengths)
        self.rows_used = {"fitted": "train" if whole else f"{progress.seen} rows of train"}
        if plan.evaluations:
            self.rows_used |= {"best epoch": "validation"}
        self.fit_seconds = progress.seconds

    def _chosen(self, plan: Plan) -> dict[str, Any]:
        """The values, and under `why` the reasons."""
        names = ("epochs", "learning_rate", "batch_tokens", "max_length")
        chosen = {name: getattr(plan, name) for name in names}
        chosen |= {"rows": plan.rows_at(1 << 62), "device": self.device.name, "precision": self.device.precision}
        return {**chosen, "why": {**plan.why, "precision": self.device.why}}

    def _card(self) -> str:
        about, call = self.head.card()
        return (
            f"---\nlibrary_name: transformers\npipeline_tag: {self.head.pipeline}\n"
            f"base_model: {json.dumps(self.settings.base_model)}\ntags:\n- slmfit\n---\n\n"
            f"# A model for {self.head.pipeline}, fine-tuned by slmfit\n\n{about}\n\n```python\n{call}\n```\n"
        )


def _write_plan(folder: Path | None, plan: Plan) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        storage.write_json(folder / "plan.json", plan.to_json())
