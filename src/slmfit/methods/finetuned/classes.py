"""One label per text: a classification head, on what the base model's own classifiers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from slmfit.finetune import forward, pretrained
from slmfit.finetune.classify import Classify, balanced_weights, probabilities
from slmfit.finetune.firsttoken import first_token_only
from slmfit.finetune.tokens import Rows, Tokens, tokenise
from slmfit.methods.finetuned.head import Arrays, Head, refuse_untuned
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task

if TYPE_CHECKING:
    from slmfit.methods.finetuned.base import FineTuned


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

    def __init__(self, method: FineTuned, task: Task, labels: Sequence[str] | None = None) -> None:
        super().__init__(method, task)
        self.labels = list(labels or task.labels)  # in the order of the head

    def check(self, config: Any) -> None:
        if pretrained.own_labels(config, self.labels) is None:
            raise refuse_untuned(self.method, [str(name) for name in config.id2label.values()], self.labels)

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        self.labels = pretrained.own_labels(config, self.task.labels) or list(self.task.labels)
        config.problem_type = "single_label_classification"
        dropout = self.method.settings.dropout
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
            self.method.device,
            forward.batch_tokens(self.method.device),
            self._weights(train.targets),
        )

    def packed(self, job: Classify) -> tuple[dict[str, int], Arrays]:
        tokens = job.rows.tokens
        arrays = {"ids": tokens.ids, "starts": tokens.starts, "targets": job.targets}
        return {"tail": tokens.tail, "limit": tokens.limit}, arrays

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Classify:
        rows = self._rows(Tokens(arrays["ids"], arrays["starts"], about["tail"], about["limit"]))
        targets = arrays["targets"]
        device = self.method.device
        return Classify(rows, targets, rows, targets, lambda logits: {}, device, 0, self._weights(targets))

    def answers(self, inputs: Sequence[Input]) -> list[Prediction]:
        # Six digits: what comes after them depends on which other texts share a batch.
        shares = probabilities(self.logits([str(i) for i in inputs])).round(6)
        return [
            Prediction(self.labels[int(row.argmax())], probabilities=dict(zip(self.labels, row.tolist(), strict=True)))
            for row in shares
        ]

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [texts, labels]."""
        on = self.method.device.exact()
        tokens = self._tokens(texts, None).at_most(self.method.max_length)
        rows = Rows(tokens, on.name, self.method.pad, step=on.length_step)
        return forward.classes(self.method.model, rows, on, forward.batch_tokens(on))

    @classmethod
    def load(cls, method: FineTuned, task: Task, folder: Path, config: Any) -> Self:
        method.model = pretrained.load_saved(folder, cls.made_for)
        first_token_only(method.model)
        return cls(method, task, [config.id2label[i] for i in range(len(config.id2label))])

    def card(self) -> tuple[str, str]:
        labels = "\n".join(f"- {label}" for label in self.labels)
        length = self.method.max_length
        about = f"It answers with one of these labels:\n\n{labels}\n\nIt reads the first {length} tokens of a text."
        call = 'classify = pipeline("text-classification", model="this-folder", truncation=True)'
        return about, f"from transformers import pipeline\n\n{call}"

    def _tokens(self, texts: Sequence[str], cache: Path | None) -> Tokens:
        tokenizer = self.method.tokenizer
        return tokenise(tokenizer, texts, self.method.limit, cache, fill=_stand_in(tokenizer))

    def _rows(self, tokens: Tokens) -> Rows:
        return Rows(tokens, self.method.device.name, self.method.pad, step=self.method.device.length_step)

    def _weights(self, targets: np.ndarray) -> np.ndarray | None:
        return balanced_weights(targets, len(self.labels)) if self.method.settings.class_weights else None


def _stand_in(tokenizer: Any) -> int:
    """The id read in place of a text that has no tokens; never the padding id, which counts as nothing."""
    for known in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id):
        if known is not None and known != tokenizer.pad_token_id:
            return int(known)
    return 1 if tokenizer.pad_token_id == 0 else 0
