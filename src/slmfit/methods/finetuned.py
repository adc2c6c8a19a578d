"""What `encoder` and `causal` share: a pretrained model with a classification head, tuned whole or with adapters.

    class Encoder(FineTunedClassifier):
        Settings = Settings
        kind = "encoder"

What is saved is a plain transformers folder: `AutoModelForSequenceClassification` and `AutoTokenizer` load it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from safetensors import SafetensorError

from slmfit import storage
from slmfit.errors import SlmfitError, UsageError
from slmfit.finetune import classify, costs, forward, lora, pretrained, processes
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.finetune.device import DEVICES, PRECISIONS, Device, choose
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Asked, Facts, Plan, derive
from slmfit.finetune.processes import Helper
from slmfit.finetune.tokens import Rows, Tokens, tokenise
from slmfit.methods.base import Context, Method, setting
from slmfit.methods.helping import described
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class TuningSettings:
    """None of them needs a value: what is left open is derived from the model, the data and the machine."""

    base_model: str = setting("", "The pretrained checkpoint to start from: a hub name or a folder.")
    epochs: int | None = setting(None, "How often the training rows are seen; 0 = use the model untuned.", low=0)
    learning_rate: float | None = setting(None, "The highest learning rate, reached after warming up.", low=0)
    batch_tokens: int | None = setting(None, "Tokens of one update, padding included.", low=16)
    max_length: int | None = setting(None, "Tokens of one text, special tokens included; longer texts are cut.", low=8)
    lora: bool = setting(False, "Train low-rank adapters on every linear layer, not the whole model.")
    lora_rank: int = setting(64, "Rank of the adapters; more can learn more and takes more memory.", low=1)
    lora_alpha: float = setting(16, "Strength of the adapters, divided by the root of the rank.", low=0)
    lora_dropout: float = setting(0.05, "Share of the adapters' inputs that is dropped in training.", low=0)
    dropout: float | None = setting(
        0.0, "Share dropped in training wherever the model drops any; none = its own.", low=0
    )
    class_weights: bool = setting(False, "Let every label add as much to the loss, however few rows it has.")
    warmup: float = setting(0.1, "Share of the training in which the learning rate rises.", low=0)
    weight_decay: float = setting(0.01, "How strongly weights are pulled towards zero.", low=0)
    patience: int = setting(3, "Evaluations without gain after which training stops.", low=1)
    device: str = setting("auto", "Where to compute.", choices=DEVICES)
    precision: str = setting("auto", "Of matrix products; weights stay fp32.", choices=PRECISIONS)


class FineTunedClassifier(Method):
    """A text classifier from a pretrained model of one kind ("encoder" or "causal")."""

    Settings: ClassVar[type] = TuningSettings
    base_model_setting = "base_model"
    kind: ClassVar[str]

    settings: TuningSettings
    labels: list[str]  # in the order of the head
    tokenizer: Any
    model: Any  # after `fit` with LoRA with its adapters, merged; otherwise plain
    device: Device
    max_length: int

    @property
    def seeded(self) -> bool:
        return self.settings.epochs != 0

    def fit(self, task: Task, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Tune on train; validation picks the best epoch.

        Raises UsageError for a base model that does not fit, MissingPart for one that is out of reach, BudgetReached
        when the budget leaves no time to train.
        """
        began = time.monotonic()
        fresh = self._prepare(task, context.seed)
        if self.settings.epochs == 0:
            self.max_length = min(self.settings.max_length or 512, self._limit)
            self.chosen = {"max_length": self.max_length, "epochs": 0}
            self.rows_used = {"fitted": "none: the base model is used as it is"}
            return
        tokens = [self._tokens([str(e.input) for e in rows], context.cache) for rows in (train, validation)]
        self.model = self._trainable(fresh, context.seed)
        plan = self._plan(task, train, tokens, validation, context, began)
        job = self._job(task, train, tokens, validation, plan, context.metric)
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
            self.model.merge_adapter()  # what is scored now is then, to the bit, what is saved
        self.chosen = self._chosen(training.plan)
        self.search = []
        if progress.best is not None:
            share = (progress.best_step or 0) / max(1, progress.step)
            self.chosen |= {"epoch_kept": round(share * training.epochs_seen, 2)}
        if team.size > 1:
            self.chosen |= {"processes": team.size}
        if progress.stopped:
            self.chosen |= {"stopped": progress.stopped}
        seen = "train" if progress.seen >= len(train) else f"{progress.seen} rows of train"
        self.rows_used = {"fitted": seen}
        if plan.evaluations:
            self.rows_used |= {"best epoch": "validation"}
        self.fit_seconds = progress.seconds

    def assisting(
        self, helper: Helper, task: Task, tokens: Tokens, targets: np.ndarray, plan: Plan, seed: int
    ) -> Training:
        """The training that `fit` makes, in a process that helps with it; nothing is validated or written there."""
        self.model = self._trainable(self._prepare(task, seed), seed)
        self.model.train()
        rows = self._rows(tokens)
        job = classify.Classify(
            rows, targets, rows, targets, lambda logits: {}, self.device, 0, self._class_weights(targets)
        )
        return Training(self.model, job, plan, self.device, seed=seed, metric="", team=helper)

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        if not inputs:
            return []
        # Six digits: what comes after them depends on which other texts share a batch.
        shares = classify.probabilities(self.logits([str(i) for i in inputs])).round(6)
        return [
            Prediction(self.labels[int(row.argmax())], probabilities=dict(zip(self.labels, row.tolist(), strict=True)))
            for row in shares
        ]

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, labels]."""
        self.model.eval()
        on = self.device.exact()
        tokens = self._tokens(texts, None).at_most(self.max_length)
        rows = Rows(tokens, on.name, self.tokenizer.pad_token_id, step=on.length_step)
        return forward.classes(self.model, rows, on, forward.batch_tokens(on))

    def save(self, folder: Path) -> None:
        """A transformers folder: the whole model, adapters added in; with LoRA also the adapters, for peft.

        Raises SlmfitError when it cannot be written.
        """
        try:
            with pretrained.quiet():
                if hasattr(self.model, "merge_and_unload"):
                    lora.save_adapters(self.model, folder / "adapter")
                    self.model = lora.merged(self.model)
                self.tokenizer.model_max_length = self.max_length
                self.tokenizer.padding_side = "right"  # on the left, absolute positions would shift
                self.model.save_pretrained(folder)
                self.tokenizer.save_pretrained(folder)
            storage.write_text(folder / "README.md", self._card())
        except (OSError, SafetensorError) as error:
            what = getattr(error, "strerror", None) or str(error).splitlines()[0]
            fix = "free some space and run the same command again; the training is not lost"
            raise SlmfitError(f"the model could not be written: {what}", where=str(folder), fix=fix) from None

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        from transformers import AutoModelForSequenceClassification

        method = cls(settings)
        config = pretrained.read_config(str(folder))
        method.tokenizer = pretrained.load_tokenizer(str(folder), config)
        with pretrained.quiet():
            method.model = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
            )
        method.labels = [config.id2label[i] for i in range(len(config.id2label))]
        method._limit = pretrained.longest(config, method.tokenizer)
        method.max_length = method._limit
        method.device = choose(settings.device, settings.precision)
        method.model.to(method.device.name)
        return method

    def _prepare(self, task: Task, seed: int) -> set[str]:
        """Load base model, tokenizer and device; returns the names of the weights the checkpoint did not have."""
        s = self.settings
        folder = pretrained.fetched(s.base_model, lambda config: self._check(config, task))
        config = pretrained.read_config(folder)
        self.labels = pretrained.own_labels(config, task.labels) or list(task.labels)
        self.device = choose(s.device, s.precision)
        self.tokenizer = pretrained.load_tokenizer(folder, config)
        self.tokenizer.truncation_side = "right"
        self._limit = pretrained.longest(config, self.tokenizer)
        if s.max_length is not None and s.max_length > self._limit:
            what = f"{self.kind}.max_length cannot be {s.max_length}"
            raise UsageError(what, where=s.base_model, fix=f"it reads at most {self._limit} tokens")
        if self.kind == "causal":
            config.pad_token_id = self.tokenizer.pad_token_id  # by it the model finds the last real token
        self.model, fresh = pretrained.load_classifier(folder, config, self.labels, seed, s.dropout)
        self.model.name_or_path = s.base_model  # what adapters name as theirs; the folder is this machine's own
        self.model.to(self.device.name)
        return fresh

    def _check(self, config: Any, task: Task) -> None:
        """Raise UsageError for a base model that this method cannot start from."""
        base = self.settings.base_model
        pretrained.check_kind(config, base, self.kind)
        if self.settings.epochs == 0 and pretrained.own_labels(config, task.labels) is None:
            names = ", ".join(map(str, list(config.id2label.values())[:6]))
            what = f"has no head for the labels {', '.join(task.labels[:6])} (its own: {names})"
            raise UsageError(what, where=base, fix=f"leave {self.kind}.epochs open, so that it is tuned")

    def _trainable(self, fresh: set[str], seed: int) -> Any:
        s = self.settings
        if not s.lora:
            return self.model
        made = lora.with_adapters(
            self.model, fresh, rank=s.lora_rank, alpha=s.lora_alpha, dropout=s.lora_dropout, seed=seed
        )
        return made.to(self.device.name)

    def _tokens(self, texts: Sequence[str], cache: Path | None) -> Tokens:
        return tokenise(self.tokenizer, texts, self._limit, cache, fill=_stand_in(self.tokenizer))

    def _rows(self, tokens: Tokens) -> Rows:
        return Rows(tokens, self.device.name, self.tokenizer.pad_token_id, step=self.device.length_step)

    def _plan(
        self,
        task: Task,
        train: Sequence[Example],
        tokens: Sequence[Tokens],
        validation: Sequence[Example],
        context: Context,
        began: float,
    ) -> Plan:
        """The plan that an interrupted training left, or a new one, written down."""
        known = context.work / "plan.json" if context.work else None
        if known and known.is_file():
            return Plan.from_json(storage.read_json(known))
        s = self.settings
        asked = Asked(**{f.name: getattr(s, f.name) for f in dataclasses.fields(Asked)})
        facts = Facts(
            lengths=tokens[0].lengths,
            limit=self._limit,
            hidden=self.model.config.hidden_size,
            lora=s.lora,
            device=self.device.name,
            validation_rows=len(validation),
        )
        plan = derive(asked, facts)
        if context.budget_seconds is not None:
            job = self._job(task, train, tokens, validation, plan, context.metric)
            size = processes.current().size
            part = dataclasses.replace(plan, batch_tokens=plan.batch_tokens // size)
            measured = costs.measure(self.model, job, job.rows, self.device, part)
            measured = dataclasses.replace(measured, training=measured.training / size)
            plan = costs.within(
                plan,
                measured,
                tokens[0].lengths,
                seconds=context.budget_seconds - (time.monotonic() - began),
                validation_rows=len(validation),
                predicted_rows=context.rows_to_predict,
            )
        _write_plan(context.work, plan)
        context.event("plan", **{k: v for k, v in self._chosen(plan).items() if k != "why"})
        return plan

    def _job(
        self,
        task: Task,
        train: Sequence[Example],
        tokens: Sequence[Tokens],
        validation: Sequence[Example],
        plan: Plan,
        metric: str,
    ) -> classify.Classify:
        place = {label: i for i, label in enumerate(self.labels)}
        targets, held = (np.array([place[str(e.target)] for e in rows], np.int64) for rows in (train, validation))
        truth = [str(e.target) for e in validation]

        def score(logits: np.ndarray) -> dict[str, float]:
            answers = [Prediction(self.labels[i]) for i in logits.argmax(axis=1)]
            return {metric: task.components(metric, truth, answers).value}

        return classify.Classify(
            self._rows(tokens[0].at_most(plan.max_length)),
            targets,
            self._rows(tokens[1].at_most(plan.max_length)),
            held,
            score,
            self.device,
            forward.batch_tokens(self.device),
            self._class_weights(targets),
        )

    def _class_weights(self, targets: np.ndarray) -> np.ndarray | None:
        return classify.balanced_weights(targets, len(self.labels)) if self.settings.class_weights else None

    def _chosen(self, plan: Plan) -> dict[str, Any]:
        """The values, and under `why` the reasons."""
        names = ("epochs", "learning_rate", "batch_tokens", "max_length")
        chosen = {name: getattr(plan, name) for name in names}
        chosen |= {"rows": plan.rows_at(1 << 62), "device": self.device.name, "precision": self.device.precision}
        return {**chosen, "why": {**plan.why, "precision": self.device.why}}

    def _card(self) -> str:
        labels = "\n".join(f"- {label}" for label in self.labels)
        base = json.dumps(self.settings.base_model)
        return (
            "---\nlibrary_name: transformers\npipeline_tag: text-classification\n"
            f"base_model: {base}\ntags:\n- slmfit\n---\n\n"
            f"# A text classifier, fine-tuned by slmfit\n\nIt answers with one of these labels:\n\n{labels}\n\n"
            f"It reads the first {self.max_length} tokens of a text.\n\n"
            "```python\nfrom transformers import pipeline\n\n"
            'classify = pipeline("text-classification", model="this-folder", truncation=True)\n```\n'
        )


def _write_plan(folder: Path | None, plan: Plan) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        storage.write_json(folder / "plan.json", plan.to_json())


def _stand_in(tokenizer: Any) -> int:
    """The id read in place of a text that has no tokens; never the padding id, which counts as nothing."""
    for known in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if known is not None and known != tokenizer.pad_token_id:
            return int(known)
    return 1 if tokenizer.pad_token_id == 0 else 0
