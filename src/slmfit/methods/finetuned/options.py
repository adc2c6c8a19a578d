"""The option of a question: each is read with the question, and a head gives the two of them one number.

The model is transformers' own for multiple choice. Where a question has a context, that is the first text of a pair,
and the question goes with the option: so what is cut, where it is too long, is the context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from slmfit.finetune import forward, pretrained
from slmfit.finetune.classify import first_token_only
from slmfit.finetune.logits import labelled
from slmfit.finetune.pairs import Frame, tokenise_pairs
from slmfit.finetune.rank import Questions, Rank, scores
from slmfit.finetune.tokens import Tokens
from slmfit.methods.finetuned.head import Arrays, Backbone, Head
from slmfit.records import Example, Input, Prediction, Question
from slmfit.tasks.base import Task
from slmfit.tasks.forms.letters import question_of


class Options(Head):
    """See the module."""

    made_for: ClassVar[str] = "ForMultipleChoice"
    pipeline: ClassVar[str] = "multiple-choice"
    adapters: ClassVar[str] = "FEATURE_EXTRACTION"
    cuts: ClassVar[bool] = True

    @classmethod
    def unfit(cls, task: Task, config: Any) -> str | None:
        made_for = (config.architectures or [""])[0]
        return None if made_for.endswith(cls.made_for) else "has no head for multiple choice"

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        self._set_frame(config)
        model, fresh = pretrained.load_model(folder, config, self.made_for, seed, self.backbone.settings.dropout)
        first_token_only(model)
        return model, fresh

    def material(self, examples: Sequence[Example], cache: Path | None) -> Questions:
        questions = [question_of(e.input) for e in examples]
        right = [list(q.options).index(str(e.target)) for q, e in zip(questions, examples, strict=True)]
        return Questions(self._pairs(questions), _offsets(questions), np.array(right, np.int64))

    def texts_per_row(self, material: Questions) -> float:
        return float(material.counts.mean()) if len(material.right) else 1.0

    def job(self, train: Questions, validation: Questions, max_length: int, metric: str) -> Rank:
        held = replace(validation, pairs=validation.pairs.at_most(max_length))

        def score(found: np.ndarray) -> dict[str, float]:
            best = [found[begin:end].argmax() for begin, end in pairwise(held.offsets)]
            return {metric: float(np.mean(best == held.right))}

        on = self.backbone.device
        cut = replace(train, pairs=train.pairs.at_most(max_length))
        return Rank(cut, held, score, on, self.backbone.pad, forward.batch_tokens(on))

    def packed(self, job: Rank) -> tuple[dict[str, int], Arrays]:
        about, arrays = job.train.pairs.packed()
        return about, arrays | {"offsets": job.train.offsets, "right": job.train.right}

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Rank:
        questions = Questions(Tokens.unpacked(about, arrays), arrays["offsets"], arrays["right"])
        return Rank(questions, questions, lambda found: {}, self.backbone.device, self.backbone.pad, 0)

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        questions = [question_of(i) for i in inputs]
        on = self.backbone.device.exact()
        pairs = self._pairs(questions).at_most(max_length)
        found = scores(model, pairs, on, self.backbone.pad, forward.batch_tokens(on))
        each = zip(questions, pairwise(_offsets(questions)), strict=True)
        return [labelled(found[None, begin:end], list(q.options))[0] for q, (begin, end) in each]

    @classmethod
    def load(cls, backbone: Backbone, task: Task, folder: Path, config: Any) -> tuple[Self, Any]:
        model = pretrained.load_saved(folder, cls.made_for)
        first_token_only(model)
        head = cls(backbone, task)
        head._set_frame(config)
        return head, model

    def card(self, max_length: int) -> tuple[str, str]:
        about = (
            "It gives every option of a question a number, and answers with the option that has the highest. "
            f"It reads a question and an option as a pair, {max_length} tokens in all; the longer one is cut first. "
            "Where there is a context, that is the first text, and question and option, with a space between, the "
            "second."
        )
        call = (
            "from transformers import AutoModelForMultipleChoice, AutoTokenizer\n\n"
            'tokenizer = AutoTokenizer.from_pretrained("this-folder")\n'
            'model = AutoModelForMultipleChoice.from_pretrained("this-folder")\n'
            "questions = [question] * len(options)\n"
            'pairs = tokenizer(questions, options, truncation=True, padding=True, return_tensors="pt")\n'
            "numbers = model(**{name: rows.unsqueeze(0) for name, rows in pairs.items()}).logits[0]"
        )
        return about, call

    def _set_frame(self, config: Any) -> None:
        self.frame = Frame.of(self.backbone.tokenizer, config)

    def _pairs(self, questions: Sequence[Question]) -> Tokens:
        pairs = [_pair(q, option) for q in questions for option in q.options.values()]
        return tokenise_pairs(self.backbone.tokenizer, pairs, self.backbone.limit, self.frame)


def _pair(question: Question, option: str) -> tuple[str, str]:
    if question.context:
        return question.context, f"{question.question} {option}"
    return question.question, option


def _offsets(questions: Sequence[Question]) -> np.ndarray:
    return np.cumsum([0, *(len(q.options) for q in questions)], dtype=np.int64)
