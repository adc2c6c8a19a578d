"""What models answer with that read a prompt in one half and write in the other: T5 and its like.

What is asked, learnt and read is as for models that write on behind a prompt (`Written`, `Choices`); prompts and
answers each end with the token that ends a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.decode import written
from slmfit.finetune.score import Asked, answering
from slmfit.finetune.tokens import joined
from slmfit.finetune.vocabulary import Vocabulary
from slmfit.finetune.write import Pairs, Write, packed, unpacked
from slmfit.methods.base import Context
from slmfit.methods.finetuned.choices import Choices, Offered
from slmfit.methods.finetuned.head import Arrays, Backbone
from slmfit.methods.finetuned.stated import WrittenLabels
from slmfit.methods.finetuned.written import Written
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.tasks.forms import Offer
from slmfit.tasks.grammar import NEVER, Grammar, Words, Writing

NOTHING = Words([], [], [])
Spelling = tuple[dict[str, str], Grammar | None]


class Halves:
    """What such a model is to transformers and peft, and how it is called."""

    made_for: ClassVar[str] = "ForSeq2SeqLM"
    pipeline: ClassVar[str] = "text2text-generation"
    adapters: ClassVar[str] = "SEQ_2_SEQ_LM"
    shows: ClassVar[bool] = False
    goes_on: ClassVar[bool] = False

    def card(self, max_length: int) -> tuple[str, str]:
        about: str = super().card(max_length)[0]  # type: ignore[misc]
        call = (
            "from transformers import AutoModelForSeq2SeqLM, AutoTokenizer\n\n"
            'tokenizer = AutoTokenizer.from_pretrained("this-folder")\n'
            'model = AutoModelForSeq2SeqLM.from_pretrained("this-folder")\n'
            f'asked = tokenizer({self._asked_with("TEXT")!r}, return_tensors="pt")\n'
            "answer = model.generate(**asked, max_new_tokens=100)[0]\n"
            "print(tokenizer.decode(answer, skip_special_tokens=True))"
        )
        return about, call

    def _asked_with(self, text: str) -> str:
        asked: str = self.form.ask(text)  # type: ignore[attr-defined]
        return asked


class Entities(Halves, Written):
    """Entities and an intent, written under the grammar of their form."""


class Labels(Halves, WrittenLabels):
    """A label, written under a grammar of all of them."""


class Scored(Halves, Choices):
    """Labels or options, each scored as an answer."""

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        """Raises UsageError for a tokenizer that makes the same of two labels."""
        if self.task.classifies:
            self._check_apart()
        return super().start(folder, config, seed)

    def _check_apart(self) -> None:
        known: dict[tuple[int, ...], str] = {}
        for label, ids in zip(self.task.labels, self._tokens([self.form.offer("")]).options[0], strict=True):
            if (other := known.setdefault(tuple(ids), label)) != label:
                what = f"its tokenizer makes the same of the labels {other!r} and {label!r}"
                fix = "use a model whose tokenizer has their characters, or rename one"
                raise UsageError(what, where=self.backbone.settings.base_model, fix=fix)

    def _tokens(self, offers: Sequence[Offer]) -> Asked:
        tokenizer, options = self.backbone.tokenizer, [list(offer.options.values()) for offer in offers]
        return answering(tokenizer, [offer.prompt for offer in offers], options, int(tokenizer.eos_token_id))

    def _asked_with(self, text: str) -> str:
        return f"{text}\n\n{self.form.cue}"


class Options(Scored):
    """Options, one of them written out token by token; no other can be.

    At every token the likeliest way is gone on, so what the others would have come to is not known, and there are no
    probabilities.
    """

    file: ClassVar[str | None] = "options.json"

    def __init__(self, backbone: Backbone, task: Task, reading: str | None = None) -> None:
        super().__init__(backbone, task, "text")

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        self._set_vocabulary()
        return super().start(folder, config, seed)

    def _set_vocabulary(self) -> None:
        self.vocabulary = Vocabulary.of(self.backbone.tokenizer, self.backbone.settings.base_model)

    def _spelling(self, options: Sequence[str]) -> Spelling:
        """What may be written -> the option; and the grammar of it, None where nothing can be written."""
        known, texts = self.vocabulary, [" ".join(option.split()) for option in options]
        told: dict[str, str] = {}
        for text, option in zip(texts, options, strict=True):
            data = known.lead + text.encode()
            if known.pieces.fewest(data, (len(data),))[0] < NEVER:
                told.setdefault(text, option)
        grammar = Grammar({text.encode(): False for text in told}, {}).written_in(known.pieces, known.lead)
        return told, grammar if told else None

    def job(self, train: Offered, validation: Offered, max_length: int, metric: str) -> Any:
        truth = [list(offer.options)[i] for offer, i in zip(validation.offers, validation.right, strict=True)]

        def score(model: Any, check: Callable[[], None]) -> dict[str, float]:
            answers = self._predictions(model, validation.offers, validation.asked.cut(max_length), check)
            return {metric: self.task.components(metric, truth, answers).value}

        pairs = _pairs(train, max_length), _pairs(validation, max_length)
        return Write(*pairs, score, self.backbone.device, self.backbone.pad, train.right)

    def packed(self, job: Any) -> tuple[dict[str, int], Arrays]:
        return packed(job)

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Any:
        return unpacked(about, arrays, self.backbone.device, self.backbone.pad)

    def settle(
        self, model: Any, examples: Sequence[Example], max_length: int, context: Context
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return {}, []

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        offers = self._offers(inputs, lettered=False)
        return self._predictions(model, offers, self._tokens(offers).cut(max_length))

    def _predictions(
        self, model: Any, offers: Sequence[Offer], asked: Asked, check: Callable[[], None] = lambda: None
    ) -> list[Prediction]:
        found = [self._spelling(list(offer.options.values())) for offer in offers]
        grammars = {i: grammar for i, (_, grammar) in enumerate(found) if grammar is not None}
        rows = list(grammars)
        prompts = joined([asked.prompts[i] for i in rows], 1 << 30)
        limit = int(prompts.lengths.max(initial=0)) + max((_most(grammar) for grammar in grammars.values()), default=0)

        def writing(row: int) -> Writing:
            return Writing(grammars[rows[row]], NOTHING)

        on, answers = self.backbone.device.exact(), [Prediction(None, "invalid")] * len(offers)
        told = written(model, prompts, writing, limit, self.vocabulary, on, self.backbone.pad, check)
        for i, answer in zip(rows, told, strict=True):
            names = {option: name for name, option in reversed(list(offers[i].options.items()))}
            answers[i] = Prediction(names[found[i][0][answer.text]], raw=answer.text)
        return answers

    def save(self, model: Any, folder: Path) -> None:
        storage.write_json(folder / "options.json", {})

    @classmethod
    def load(cls, backbone: Backbone, task: Task, folder: Path, config: Any) -> tuple[Self, Any]:
        head = cls(backbone, task)
        head._set_vocabulary()
        return head, pretrained.load_saved(folder, cls.made_for, backbone.packed)

    def card(self, max_length: int) -> tuple[str, str]:
        about = "It writes one of the options of a question; `slmfit predict` lets it write no other."
        return about, super().card(max_length)[1]


def _pairs(offered: Offered, size: int) -> Pairs:
    asked = offered.asked.cut(size)
    answers = [options[i] for options, i in zip(asked.options, offered.right.tolist(), strict=True)]
    tokens = joined([[*prompt, *answer] for prompt, answer in zip(asked.prompts, answers, strict=True)], 1 << 30)
    return Pairs(tokens, np.array([len(answer) for answer in answers], np.int64))


def _most(grammar: Grammar) -> int:
    """Room for any of its strings, in the fewest pieces, and the token that ends it."""
    return max(grammar.pieces.fewest(text, (len(text),))[0] for text in grammar.first) + 1
