"""One label per text: a classification head, on what the base model's own classifiers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from slmfit.finetune import forward, pretrained
from slmfit.finetune.classify import Classify, balanced_weights, first_token_only
from slmfit.finetune.logits import labelled
from slmfit.finetune.tokens import Rows, Tokens, tokenise
from slmfit.methods.finetuned.head import Arrays, Backbone, Head, other_labels
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task


@dataclass(frozen=True)
class Texts:
    """Texts as tokens, and the place of each one's label in the head, int64 [rows]."""

    tokens: Tokens
    targets: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        return self.tokens.lengths


class Classes(Head):
    """See the module."""

    made_for: ClassVar[str] = "ForSequenceClassification"
    pipeline: ClassVar[str] = "text-classification"
    adapters: ClassVar[str] = "SEQ_CLS"
    cuts: ClassVar[bool] = True

    def __init__(self, backbone: Backbone, task: Task, labels: Sequence[str] | None = None) -> None:
        super().__init__(backbone, task)
        self.labels = list(labels or task.labels)  # in the order of the head

    @classmethod
    def unfit(cls, task: Task, config: Any) -> str | None:
        if pretrained.own_labels(config, task.labels) is not None:
            return None
        return other_labels([str(name) for name in config.id2label.values()], task.labels)

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        self.labels = pretrained.own_labels(config, self.task.labels) or list(self.task.labels)
        config.problem_type = "single_label_classification"
        dropout = self.backbone.settings.dropout
        model, fresh = pretrained.load_with_head(folder, config, self.made_for, self.labels, seed, dropout)
        first_token_only(model)
        return model, fresh

    def material(self, examples: Sequence[Example], cache: Path | None) -> Texts:
        place = {label: i for i, label in enumerate(self.labels)}
        targets = np.array([place[str(e.target)] for e in examples], np.int64)
        return Texts(self._tokens([str(e.input) for e in examples], cache), targets)

    def job(self, train: Texts, validation: Texts, max_length: int, metric: str) -> Classify:
        truth = [self.labels[i] for i in validation.targets]

        def score(logits: np.ndarray) -> dict[str, float]:
            answers = [Prediction(self.labels[i]) for i in logits.argmax(axis=1)]
            return {metric: self.task.components(metric, truth, answers).value}

        return Classify(
            self._rows(train.tokens.at_most(max_length)),
            train.targets,
            self._rows(validation.tokens.at_most(max_length)),
            validation.targets,
            score,
            self.backbone.device,
            forward.batch_tokens(self.backbone.device),
            self._weights(train.targets),
        )

    def packed(self, job: Classify) -> tuple[dict[str, int], Arrays]:
        tokens = job.rows.tokens
        arrays = {"ids": tokens.ids, "starts": tokens.starts, "targets": job.targets}
        return {"tail": tokens.tail, "limit": tokens.limit}, arrays

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Classify:
        rows = self._rows(Tokens(arrays["ids"], arrays["starts"], about["tail"], about["limit"]))
        targets = arrays["targets"]
        device = self.backbone.device
        return Classify(rows, targets, rows, targets, lambda logits: {}, device, 0, self._weights(targets))

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        return labelled(self.logits(model, [str(i) for i in inputs], max_length), self.labels)

    def logits(self, model: Any, texts: Sequence[str], max_length: int) -> np.ndarray:
        """float32 [texts, labels]."""
        on = self.backbone.device.exact()
        tokens = self._tokens(texts, None).at_most(max_length)
        rows = Rows(tokens, on.name, self.backbone.pad, step=on.length_step)
        return forward.classes(model, rows, on, forward.batch_tokens(on))

    @classmethod
    def load(cls, backbone: Backbone, task: Task, folder: Path, config: Any) -> tuple[Self, Any]:
        model = pretrained.load_saved(folder, cls.made_for)
        first_token_only(model)
        return cls(backbone, task, [config.id2label[i] for i in range(len(config.id2label))]), model

    def card(self, max_length: int) -> tuple[str, str]:
        labels = "\n".join(f"- {label}" for label in self.labels)
        about = f"It answers with one of these labels:\n\n{labels}\n\nIt reads the first {max_length} tokens of a text."
        call = 'classify = pipeline("text-classification", model="this-folder", truncation=True)'
        return about, f"from transformers import pipeline\n\n{call}"

    def _tokens(self, texts: Sequence[str], cache: Path | None) -> Tokens:
        tokenizer = self.backbone.tokenizer
        return tokenise(tokenizer, texts, self.backbone.limit, cache, fill=_stand_in(tokenizer))

    def _rows(self, tokens: Tokens) -> Rows:
        return Rows(tokens, self.backbone.device.name, self.backbone.pad, step=self.backbone.device.length_step)

    def _weights(self, targets: np.ndarray) -> np.ndarray | None:
        return balanced_weights(targets, len(self.labels)) if self.backbone.settings.class_weights else None


def _stand_in(tokenizer: Any) -> int:
    """The id read in place of a text that has no tokens; never the padding id, which counts as nothing."""
    for known in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if known is not None and known != tokenizer.pad_token_id:
            return int(known)
    return 1 if tokenizer.pad_token_id == 0 else 0
