"""The method: a base model is checked, loaded, tuned to a plan, saved as a plain transformers folder."""

from __future__ import annotations

import dataclasses
import gc
import json
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from slmfit import storage, tasks
from slmfit.errors import UsageError
from slmfit.finetune import lora, pretrained, processes
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.finetune.device import choose
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Plan
from slmfit.finetune.processes import Helper
from slmfit.finetune.state import Job, Progress
from slmfit.hub import bases, snapshots
from slmfit.methods.base import Context, Method
from slmfit.methods.finetuned import saving
from slmfit.methods.finetuned.head import Arrays, Backbone, Head
from slmfit.methods.finetuned.planning import Planner, write_plan
from slmfit.methods.finetuned.settings import LORA, TuningSettings
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


class FineTuned(Method):
    """A pretrained model of one kind ("encoder" or "causal"), with a head for the task."""

    Settings: ClassVar[type] = TuningSettings
    base_model_setting = "base_model"
    trained = True
    kind: ClassVar[str]
    heads: ClassVar[Mapping[str, type[Head]]]  # task -> what answers it
    usual_rate: ClassVar[float | None] = None  # learning rate of the whole model; None = by its width
    ways: ClassVar[Mapping[str, Mapping[str, type[Head]]]] = {}  # task -> what else may, by the setting `answers`

    settings: TuningSettings
    backbone: Backbone
    head: Head
    model: Any  # after `fit` with LoRA with its adapters, merged; otherwise plain
    max_length: int  # tokens of one text
    base: bases.Base | None = None  # the base model; None for a loaded run that is whole
    _adapters: Path | None = None  # of a loaded run, where its adapters are
    _folder: Path | None = None  # of a loaded run

    @property
    def seeded(self) -> bool:
        return self.settings.epochs != 0

    @property
    def _shots(self) -> int:
        return getattr(self.settings, "shots", 0)

    def idle(self, task: str) -> Collection[str]:
        if self.settings.epochs == 0:
            return [field.name for field in dataclasses.fields(self.settings)]
        return () if self.settings.lora else LORA

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Tune on train; validation picks the best epoch.

        Raises UsageError for a base model that does not fit, MissingPart for one that is out of reach, BudgetReached
        when the budget leaves no time to train.
        """
        began = context.budget.clock()
        fresh = self._prepare(task, context.seed)
        if self.settings.epochs == 0:
            shown = self.head.show(train, self._shots, context.seed) if self._shots else 0
            self.max_length = min(self.settings.max_length or 512 + shown, self.backbone.limit)
            self.chosen = {"max_length": self.max_length, "epochs": 0}
            self.rows_used = {"fitted": "none: the base model is used as it is"}
            self.rows_used |= {"shown as examples": "train"} if self._shots else {}
            self.chosen |= self._started_from(fresh)
            self._settle(validation, context)
            return
        material = self.head.material(train, context.cache), self.head.material(validation, context.cache)
        self.model = self._trainable(fresh, context.seed)
        plan, job = self._planner.planned(material, len(validation), context, began)
        self.max_length = plan.max_length
        folder = context.work
        with processes.current().training(*self._described(task, job, plan, context.seed)) as team:
            training = Training(
                self.model,
                job,
                plan,
                self.backbone.device,
                seed=context.seed,
                metric=context.metric,
                store=Checkpoints(folder / "checkpoints", context.key) if folder else None,
                event=context.event,
                replan=lambda changed: write_plan(folder, changed),
                team=team,
            )
            progress = training.run()
        if self.settings.lora and not self.settings.bits:
            self.head.body(self.model).merge_adapter()  # what is scored now is then, to the bit, what is saved
        self._say(training, progress, team.size)
        self.chosen |= self._planner.left_out(material[0].lengths, len(job.lengths), plan, progress, context)
        self.chosen |= self._started_from()
        self._settle(validation, context)

    def _settle(self, validation: Sequence[Example], context: Context) -> None:
        """What the head chooses on validation, said beside what was chosen before."""
        chosen, self.search = self.head.settle(self.model.eval(), validation, self.max_length, context)
        why = {**self.chosen.get("why", {}), **chosen.pop("why", {})}
        self.chosen |= chosen | ({"why": why} if why else {})
        if self.search:
            self.rows_used |= {"way of reading": "validation"}

    def forecast(
        self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context
    ) -> float | None:
        """Some steps are timed, on rows at random, and the plan read off them; memory is held as in training."""
        began = time.monotonic()
        fresh = self._prepare(task, context.seed)
        self.model = self._trainable(fresh, context.seed)
        return self._planner.seconds(train, len(validation), context) + time.monotonic() - began

    @property
    def _planner(self) -> Planner:
        return Planner(self.settings, self.backbone, self.head, self.model, self.usual_rate)

    def _described(self, task: Task, job: Job, plan: Plan, seed: int) -> tuple[dict[str, Any], Arrays]:
        """What `helping.prepare` makes the training of, in a process that helps with it.

        Raises UsageError on a device that processes cannot share work on.
        """
        on = self.backbone.device
        if processes.current().size > 1 and on.name not in ("cpu", "cuda"):
            fix = f"set {self.kind}.device to cpu, or start one process"
            raise UsageError(f"several processes cannot train on {on.name}", fix=fix)
        settings = dataclasses.asdict(self.settings) | {"device": on.name, "precision": on.precision}
        packed, arrays = self.head.packed(job)
        about = {"method": self.kind, "settings": settings, "task": tasks.to_plain(task), "seed": seed}
        return about | {"plan": plan.to_json(), "packed": packed}, arrays

    def assisting(
        self, helper: Helper, task: Task, about: dict[str, int], arrays: Arrays, plan: Plan, seed: int
    ) -> Training:
        """The training that `fit` makes, in a process that helps with it; nothing is validated or written there."""
        self.model = self._trainable(self._prepare(task, seed), seed)
        self.model.train()
        job = self.head.unpacked(about, arrays)
        return Training(self.model, job, plan, self.backbone.device, seed=seed, metric="", team=helper)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        self.model.eval()
        return self.head.answers(self.model, inputs, self.max_length) if inputs else []

    def cuts_off(self, inputs: Sequence[Input]) -> list[bool] | None:
        return self.head.cuts_off(inputs, self.max_length)

    def save(self, folder: Path) -> None:
        """A transformers folder, or with LoRA adapters and what base model they belong to: see `saving`."""
        if self._keeps_adapters:
            assert self.base is not None
            saving.save_adapted(folder, self.head.body(self.model), self.base, self._adapters, self._save_rest)
            self.bytes_elsewhere = self.base.bytes
        else:
            body = saving.save_whole(folder, self.head.body(self.model), self._save_rest)
            self.model = self.head.with_body(self.model, body)

    def save_whole(self, folder: Path) -> None:
        """The whole model as an ordinary transformers folder: adapters beside quantised weights are added to those that
        the base model has. Raises SlmfitError when it cannot be written, UsageError for quantised ones not saved yet.
        """
        if self.settings.bits:
            if self._folder is None:
                raise UsageError("a quantised model becomes whole once its run is saved", fix="save and load it")
            settings: Any = self.settings
            plain = dataclasses.replace(settings, quantise=None)
            type(self).load(self._folder, self.head.task, plain).save_whole(folder)
            return
        body = saving.save_whole(folder, self.head.body(self.model), self._save_rest, adapters=False)
        self.model = self.head.with_body(self.model, body)

    def unload(self) -> None:
        del self.model
        gc.collect()  # modules under adapters stand in circles
        self.backbone.device.free()

    def _save_rest(self, folder: Path) -> None:
        """Tokenizer, head and card."""
        tokenizer = self.backbone.tokenizer
        tokenizer.model_max_length = self.max_length
        tokenizer.padding_side = "right"  # on the left, absolute positions would shift
        tokenizer.save_pretrained(folder)
        self.head.save(self.model, folder)
        storage.write_text(folder / "README.md", self._card())

    @property
    def _keeps_adapters(self) -> bool:
        kept = self.settings.bits or (self.settings.lora and self.settings.keep == "adapters")
        return self.base is not None and bool(kept)

    def _started_from(self, fresh: Collection[str] = ()) -> dict[str, Any]:
        """What the record says of the base model. fresh: weights that it has not and that nothing trained."""
        if fresh:  # then no adapters bring them
            self.base = None
        told = {} if self.base is None else {"name": self.base.name, "sha256": self.base.sha256, "gguf": self.base.gguf}
        return {"base": told} if told else {}

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        method = cls(settings)
        config = pretrained.read_config(str(folder))
        method.backbone = method._backbone(str(folder), config)
        head = next((h for h in method._ways(task).values() if h.file and (folder / h.file).is_file()), None)
        head = head or next(h for h in method._ways(task).values() if not h.file or not cls.ways.get(task.name))
        method.head, method.model = head.load(method.backbone, task, folder, config)
        method.max_length = method.backbone.limit
        method.base = bases.read(folder)
        method._adapters = folder / "adapter" if method.base and (folder / "adapter").is_dir() else None
        method.bytes_elsewhere = method.base.bytes if method.base else 0
        method.model = method._moved(method.model)
        method._folder = folder
        return method

    def _backbone(self, folder: str, config: Any) -> Backbone:
        tokenizer = pretrained.load_tokenizer(folder, config)
        device = choose(self.settings.device, self.settings.precision)
        return Backbone(self.kind, self.settings, tokenizer, device, pretrained.longest(config, tokenizer))

    def _prepare(self, task: Task, seed: int) -> set[str]:
        """Load base model, tokenizer and device; returns the names of the weights the checkpoint did not have."""
        s = self.settings
        folder = pretrained.fetched(s.base_model, lambda config: self._check(config, self._way(task, config), task))
        self.base = pretrained.base_of(s.base_model, folder)
        config = pretrained.read_config(folder)
        self.backbone = self._backbone(folder, config)
        tokenizer, limit = self.backbone.tokenizer, self.backbone.limit
        tokenizer.truncation_side = "right"
        if s.max_length is not None and s.max_length > limit:
            what = f"{self.kind}.max_length cannot be {s.max_length}"
            raise UsageError(what, where=s.base_model, fix=f"it reads at most {limit} tokens")
        if self.kind == "causal":
            config.pad_token_id = tokenizer.pad_token_id  # by it the model finds the last real token
        self.head = self._way(task, config)(self.backbone, task)
        self.model, fresh = self.head.start(folder, config, seed)
        self.head.body(self.model).name_or_path = s.base_model  # adapters name it; the folder is this machine's own
        self.model = self._moved(self.model)
        return fresh

    def _ways(self, task: Task) -> Mapping[str, type[Head]]:
        return self.ways.get(task.name) or {"": self.heads[task.name]}

    def _way(self, task: Task, config: Any) -> type[Head]:
        """The head that is asked for; else the first that fits the task and, untuned, the base model.

        Raises UsageError for one that the task does not have.
        """
        ways, asked = self._ways(task), getattr(self.settings, "answers", "auto")
        if asked != "auto" and self.ways.get(task.name):
            if asked not in ways:
                what = f"{self.kind}.answers cannot be {asked!r} for {task.name}"
                raise UsageError(what, fix=f"one of {', '.join(ways)}")
            return ways[asked]
        untuned = self.settings.epochs == 0
        fitting = (h for h in ways.values() if h.fits(task) and not (untuned and h.unfit(task, config)))
        return next(fitting, next(iter(ways.values())))

    def _check(self, config: Any, head: type[Head], task: Task) -> None:
        """Raise UsageError for a base model that this method cannot start from."""
        pretrained.check_kind(config, self.settings.base_model, self.kind, head.made_for)
        if self._shots and not (head.shows and self.settings.epochs == 0):
            needed = "one that writes or scores answers, and this one has a head"
            known = "a model that is not tuned" if head.shows else needed
            fix = f"set {self.kind}.epochs=0, or leave shots out" if head.shows else f"leave {self.kind}.shots out"
            raise UsageError(f"{self.kind}.shots shows examples to {known}", where=self.settings.base_model, fix=fix)
        if self.settings.epochs == 0 and (reason := head.unfit(task, config)):
            fix = f"leave {self.kind}.epochs open, so it is tuned"
            raise UsageError(reason, where=self.settings.base_model, fix=fix)

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
        return self._moved(self.head.with_body(self.model, body))

    def _moved(self, model: Any) -> Any:
        """The model on its device, where quantised weights are loaded to at once."""
        return model if self.settings.bits else model.to(self.backbone.device.name)

    def _say(self, training: Training, progress: Progress, processes: int) -> None:
        """What was chosen, what stopped it, and which rows were used for what."""
        plan = training.plan
        self.chosen = self._planner.chosen(plan)
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

    def _card(self) -> str:
        about, call = self.head.card(self.max_length)
        named = snapshots.name_on_hub(self.settings.base_model)  # a folder here is nobody else's
        if self.base is not None:
            kind = "the GGUF file" if self.base.gguf else "the base model"
            called = self.base.gguf or named or Path(self.base.name).name
            about += f"\n\nIt was made from {kind} {called}, sha256 {self.base.sha256}."
        known = f"base_model: {json.dumps(named)}\n" if named else ""
        return (
            f"---\nlibrary_name: transformers\npipeline_tag: {self.head.pipeline}\n{known}tags:\n- slmfit\n---\n\n"
            f"# A model for {self.head.pipeline}, fine-tuned by slmfit\n\n{about}\n\n```python\n{call}\n```\n"
        )
