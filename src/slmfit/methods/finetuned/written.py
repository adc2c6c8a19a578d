"""Answers written out as text: the model reads the text and writes entities and intent after it, under a grammar.

The folder loads as a causal language model of transformers. How answers are written is the task's matter (its form);
here they become tokens, and what is written becomes predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from slmfit import storage
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.decode import Answer, written
from slmfit.finetune.steps import has_cache
from slmfit.finetune.tokens import CHUNK, closing, encodable, joined
from slmfit.finetune.vocabulary import Vocabulary
from slmfit.finetune.write import Pairs, Write, packed, unpacked
from slmfit.hub.border import encoded
from slmfit.methods.finetuned.head import Arrays, Backbone, Head
from slmfit.methods.shots import PerClass
from slmfit.records import Example, Input, Prediction, Target
from slmfit.tasks.answers import entities_of
from slmfit.tasks.base import Task
from slmfit.tasks.forms.entities import FORMS, EntityForm
from slmfit.tasks.grammar import Writing
from slmfit.tasks.splitting import grain_for

ROOMY = 0.98  # the share of training answers that the room kept for an answer is enough for
Ids = list[int]


@dataclass(frozen=True)
class Asked:
    """Texts as prompts, what they should be answered with, and both as tokens, uncut. room: kept for an answer."""

    texts: Sequence[Any]
    targets: Sequence[Target]
    prompts: Sequence[Ids]
    answers: Sequence[Ids]
    room: int

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(prompt) + self.room for prompt in self.prompts], np.int64)


class Written(Head):
    """See the module."""

    made_for: ClassVar[str] = "ForCausalLM"
    pipeline: ClassVar[str] = "text-generation"
    adapters: ClassVar[str] = "CAUSAL_LM"
    cuts: ClassVar[bool] = True
    shows: ClassVar[bool] = True
    goes_on: ClassVar[bool] = True  # whether the model writes on behind the prompt, which then is not closed
    file: ClassVar[str | None] = "written.json"

    task: Any
    form: Any  # of the task, with a grammar
    shots: PerClass | None = None

    def __init__(self, backbone: Backbone, task: Task, grain: str | None = None, room: int | None = None) -> None:
        """grain: what words are, None = as the training rows need it. room: tokens kept for an answer, likewise."""
        super().__init__(backbone, task)
        self.grain, self.room = grain, room
        self._set_form()

    def _set_form(self) -> None:
        settings: Any = self.backbone.settings
        self.form = self.task.form(settings.form, self.grain or "words")

    def _target(self, example: Example) -> Any:
        return entities_of(example.target)

    def _text(self, input: Input) -> Any:
        """An input as it is asked for, and cut."""
        return encodable(str(input))

    def _writing(self, text: Any) -> Writing | Callable[[str], bool]:
        """What an answer to a text is written under."""
        return Writing(self.grammar, self.form.copied(text, self.vocabulary.pieces))

    @classmethod
    def unfit(cls, task: Task, config: Any) -> str | None:
        """Any language model can write; how well, only scores can tell."""
        return None

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        """Raises UsageError for a tokenizer or a model that cannot write answers."""
        self._set_vocabulary()
        dropout, packed = self.backbone.settings.dropout, self.backbone.packed
        model, fresh = pretrained.load_model(folder, config, self.made_for, seed, dropout, packed)
        if not has_cache(model):
            kind = self.backbone.kind
            fix = f"use a model with attention, for example {kind}={pretrained.FITTING[kind]}"
            what = f"a {config.model_type} model keeps no cache of keys and values to write on from"
            raise UsageError(what, where=self.backbone.settings.base_model, fix=fix)
        return model, fresh

    def _set_grain(self, examples: Sequence[Example]) -> None:
        self.grain = grain_for(examples)
        self._set_form()

    def _set_vocabulary(self) -> None:
        """Raises UsageError for a tokenizer that cannot write the names of types and intents."""
        base = self.backbone.settings.base_model
        self.vocabulary = Vocabulary.of(self.backbone.tokenizer, base)
        self.grammar = self.form.grammar.written_in(self.vocabulary.pieces, self.vocabulary.lead)
        if (string := self.grammar.unwritable()) is not None:
            fix = "use a model whose tokenizer has these characters, or rename what they stand in"
            if isinstance(self.form, EntityForm):
                fix += f", or set {self.backbone.kind}.form, one of {', '.join(FORMS)}"
            raise UsageError(f"its tokenizer cannot write {string.decode()!r}", where=base, fix=fix)

    def show(self, train: Sequence[Example], shots: int, seed: int) -> int:
        self._set_grain(train)
        self.shots = PerClass.of(self.task, train, shots, seed)
        return len(self._encoded([self._shown])[0])

    @cached_property
    def _shown(self) -> str:  # the examples, asked and answered, as they stand before a text
        examples = self.shots.examples if self.shots else ()
        told = [(e.input, self._target(e)) for e in examples]
        return "".join(f"{self.form.ask(text)}{self.form.write(target, text)}\n" for text, target in told)

    def material(self, examples: Sequence[Example], cache: Path | None) -> Asked:
        if self.grain is None:
            self._set_grain(examples)
        texts = [self._text(e.input) for e in examples]
        targets = [self._target(e) for e in examples]
        told = [self.form.write(target, text) for target, text in zip(targets, texts, strict=True)]
        answers = [[*ids, self.vocabulary.end] for ids in self._encoded(told)]
        if self.room is None:
            enough = int(np.quantile([len(ids) for ids in answers], ROOMY, method="higher"))
            self.room = max(-(-enough // 8) * 8, self.grammar.least)
        return Asked(texts, targets, self._prompts(texts), answers, self.room)

    def job(self, train: Asked, validation: Asked, max_length: int, metric: str) -> Write:
        def score(model: Any, check: Callable[[], None]) -> dict[str, float]:
            answers = self._predictions(model, validation.texts, validation.prompts, max_length, check)
            return {metric: self.task.components(metric, validation.targets, answers).value}

        labels = [self.task.label(target) for target in train.targets]
        strata = np.unique(labels, return_inverse=True)[1].astype(np.int64)
        pairs, held = self._pairs(train, max_length), self._pairs(validation, max_length)
        return Write(pairs, held, score, self.backbone.device, self.backbone.pad, strata)

    def _pairs(self, asked: Asked, size: int) -> Pairs:
        """Every row as prompt and answer of at most `size` tokens; what a cut text no longer holds is not answered."""
        most, rows, answers = self._most(size), [], []
        for text, target, prompt, answer in zip(asked.texts, asked.targets, asked.prompts, asked.answers, strict=True):
            whole = text
            text, prompt = self._fitting(text, prompt, most)
            while True:
                if text != whole:
                    answer = self._answer(target, text)
                over = len(prompt) + len(answer) - size
                if over <= 0 or not text:
                    break
                text, prompt = self._fitting(text, prompt, len(prompt) - over)
            rows.append([*prompt, *answer][:size])
            answers.append(len(rows[-1]) - len(prompt))
        return Pairs(joined(rows, size), np.array(answers, np.int64))

    def _answer(self, target: Target, text: str) -> Ids:
        told = self.form.write(self.form.cut(target, len(text)), text)
        return [*self._encoded([told])[0], self.vocabulary.end]

    def _most(self, size: int) -> int:
        """How many tokens a prompt may have. Raises UsageError when that leaves none for a text."""
        least = self.grammar.least
        most = size - max(least, min(self.room or size // 4, size // 2))
        frame = self._frame()
        if most <= frame:
            fix = f"set {self.backbone.kind}.max_length to {2 * (least + frame)} or more"
            raise UsageError(f"{size} tokens have no room for a text and its answer", fix=fix)
        return most

    def _frame(self) -> int:
        """Tokens of a prompt that are of no text."""
        return len(self._prompts([""])[0])

    def _fitting(self, text: Any, prompt: Ids, most: int) -> tuple[Any, Ids]:
        """Text and prompt; the text cut, if needed, so that the prompt has at most so many tokens."""
        while len(prompt) > most and text:
            offsets = self.backbone.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).offsets
            left = len(offsets) - (len(prompt) - most)
            text = text[: min(offsets[left - 1][1], len(text) - 1)] if left > 0 else ""
            prompt = self._prompts([text])[0]
        return text, prompt

    def asked(self, text: Any) -> str:
        """What the model reads before it answers."""
        return encodable(self._shown + self.form.ask(text))

    def cut_to(self, input: Input, size: int) -> Any:
        """An input as it is read where prompt and answer have `size` tokens."""
        text = self._text(input)
        return self._fitting(text, self._prompts([text])[0], self._most(size))[0]

    def _prompts(self, texts: Sequence[Any]) -> list[Ids]:
        """With the special tokens that stand before a text; without those after it where the model goes on there."""
        tail = closing(self.backbone.tokenizer.backend_tokenizer) if self.goes_on else 0
        made = self._encoded([self.asked(text) for text in texts], framed=True)
        return [ids[: len(ids) - tail] for ids in made]

    def _encoded(self, texts: Sequence[str], framed: bool = False) -> list[Ids]:
        backend = self.backbone.tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        chunks = (texts[begin : begin + CHUNK] for begin in range(0, len(texts), CHUNK))
        return [e.ids for chunk in chunks for e in encoded(backend, chunk, special=framed)]

    def packed(self, job: Write) -> tuple[dict[str, int], Arrays]:
        return packed(job)

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Write:
        return unpacked(about, arrays, self.backbone.device, self.backbone.pad)

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        texts = [self._text(i) for i in inputs]
        return self._predictions(model, texts, self._prompts(texts), max_length)

    def cuts_off(self, inputs: Sequence[Input], max_length: int) -> list[bool] | None:
        most = self._most(max_length)
        return [len(prompt) > most for prompt in self._prompts([self._text(i) for i in inputs])]

    def _predictions(
        self,
        model: Any,
        texts: Sequence[Any],
        prompts: Sequence[Ids],
        size: int,
        check: Callable[[], None] = lambda: None,
    ) -> list[Prediction]:
        """What the model writes after these texts, cut where needed. size: tokens of prompt and answer together."""
        most = self._most(size)
        read = [self._fitting(text, prompt, most) for text, prompt in zip(texts, prompts, strict=True)]

        def writing(row: int) -> Writing | Callable[[str], bool]:
            return self._writing(read[row][0])

        made = joined([prompt for _, prompt in read], size)
        on = self.backbone.device.exact()
        answers = written(
            model, made, writing, size, self.vocabulary, on, self.backbone.pad, check, self._longest(size)
        )
        return [self._prediction(answer, text) for answer, (text, _) in zip(answers, read, strict=True)]

    def _longest(self, size: int) -> int:
        """Tokens of an answer at most: a grammar brings each to its end."""
        return size

    def _prediction(self, answer: Answer, text: Any) -> Prediction:
        read = replace(self.form.read(answer.text, text), raw=answer.text)
        if read.outcome != "ok":
            return read
        shares = [round(answer.share(*p), 6) for p in self.form.parts(answer.text)]
        return replace(read, span_probabilities=shares, confidence=round(float(np.prod(answer.shares)), 6))

    def save(self, model: Any, folder: Path) -> None:
        storage.write_json(folder / "written.json", {"grain": self.grain, "room": self.room})
        if self.shots:
            self.shots.save(folder)

    @classmethod
    def load(cls, backbone: Backbone, task: Any, folder: Path, config: Any) -> tuple[Self, Any]:
        about = storage.read_json(folder / "written.json", "grain", "room")
        model = pretrained.load_saved(folder, cls.made_for, backbone.packed)
        head = cls(backbone, task, about["grain"], about["room"])
        settings: Any = backbone.settings
        head.shots = PerClass.load(task, folder) if getattr(settings, "shots", 0) else None
        head._set_vocabulary()
        return head, model

    _sample: ClassVar[Any] = "TEXT"

    @property
    def _what(self) -> str:
        return "the entities of a text and its intent" if self.task.intents else "the entities of a text"

    def card(self, max_length: int) -> tuple[str, str]:
        most = self._most(max_length)
        about = (
            f"It writes {self._what}. It reads the first {most} tokens of what it is asked "
            "with, and is held to answers that can be read when `slmfit predict` asks it; as below it is not.\n\n"
            f"An answer:\n\n```\n{self.form.example()}\n```"
        )
        asked = self.asked(self._sample)
        call = (
            "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            'tokenizer = AutoTokenizer.from_pretrained("this-folder")\n'
            'model = AutoModelForCausalLM.from_pretrained("this-folder")\n'
            f'asked = tokenizer({asked!r}, return_tensors="pt")\n'
            "answer = model.generate(**asked, max_new_tokens=100)[0, asked.input_ids.shape[1]:]\n"
            "print(tokenizer.decode(answer, skip_special_tokens=True))"
        )
        return about, call
