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
from slmfit.finetune.pairs import Frame, stand_in_of, tokenise_pairs
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import Tokens, tokenise
from slmfit.methods.finetuned.head import Arrays, Backbone, Head, other_labels
from slmfit.records import Example, Input, Pair, Prediction
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
        self._set_frame(config)
        self.labels = pretrained.own_labels(config, self.task.labels) or list(self.task.labels)
        config.problem_type = "single_label_classification"
        dropout = self.backbone.settings.dropout
        packed = self.backbone.packed
        model, fresh = pretrained.load_with_head(folder, config, self.made_for, self.labels, seed, dropout, packed)
        first_token_only(model)
        return model, fresh

    def material(self, examples: Sequence[Example], cache: Path | None) -> Texts:
        place = {label: i for i, label in enumerate(self.labels)}
        targets = np.array([place[str(e.target)] for e in examples], np.int64)
        return Texts(self._tokens([e.input for e in examples], cache), targets)

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
        about, arrays = job.rows.tokens.packed()
        return about, arrays | {"targets": job.targets}

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Classify:
        rows = self._rows(Tokens.unpacked(about, arrays))
        targets = arrays["targets"]
        device = self.backbone.device
        return Classify(rows, targets, rows, targets, lambda logits: {}, device, 0, self._weights(targets))

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        return labelled(self.logits(model, inputs, max_length), self.labels)

    def logits(self, model: Any, inputs: Sequence[Input], max_length: int) -> np.ndarray:
        """float32 [inputs, labels]."""
        on = self.backbone.device.exact()
        tokens = self._tokens(inputs, None).at_most(max_length)
        rows = Rows(tokens, on.name, self.backbone.pad, step=on.length_step)
        return forward.classes(model, rows, on, forward.batch_tokens(on))

    @classmethod
    def load(cls, backbone: Backbone, task: Task, folder: Path, config: Any) -> tuple[Self, Any]:
        model = pretrained.load_saved(folder, cls.made_for, backbone.packed)
        first_token_only(model)
        head = cls(backbone, task, [config.id2label[i] for i in range(len(config.id2label))])
        head._set_frame(config)
        return head, model

    def card(self, max_length: int) -> tuple[str, str]:
        labels = "\n".join(f"- {label}" for label in self.labels)
        reads, call = f"It reads the first {max_length} tokens of a text.", ""
        if self.frame is not None:
            first, second = self.task.texts
            way = "as a pair" if self.frame.own else "with a line break between"
            reads = f"It reads `{first}` and `{second}` {way}, {max_length} tokens in all; the longer one is cut first."
            given = '{"text": first, "text_pair": second}' if self.frame.own else 'f"{first}\\n{second}"'
            call = f"\nclassify({given})"
        about = f"It answers with one of these labels:\n\n{labels}\n\n{reads}"
        call = f'classify = pipeline("text-classification", model="this-folder", truncation=True){call}'
        return about, f"from transformers import pipeline\n\n{call}"

    def _set_frame(self, config: Any) -> None:
        """How a model of this configuration is given two texts, where its inputs are pairs."""
        self.frame = None
        if self.task.texts:
            self.frame = Frame.of(self.backbone.tokenizer, config if self.backbone.kind == "encoder" else None)

    def _tokens(self, inputs: Sequence[Input], cache: Path | None) -> Tokens:
        tokenizer, limit = self.backbone.tokenizer, self.backbone.limit
        if self.frame is None:
            return tokenise(tokenizer, [str(i) for i in inputs], limit, cache, fill=stand_in_of(tokenizer))
        pairs = [pair for i in inputs if isinstance(pair := self.task.given(i), Pair)]
        return tokenise_pairs(tokenizer, [(pair.first, pair.second) for pair in pairs], limit, self.frame)

    def _rows(self, tokens: Tokens) -> Rows:
        return Rows(tokens, self.backbone.device.name, self.backbone.pad, step=self.backbone.device.length_step)

    def _weights(self, targets: np.ndarray) -> np.ndarray | None:
        return balanced_weights(targets, len(self.labels)) if self.backbone.settings.class_weights else None
