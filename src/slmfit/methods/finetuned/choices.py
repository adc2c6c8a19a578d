"""Answers that are chosen: the model reads the question once, and what it finds the likeliest of the options is it.

How likely an option is can be read in five ways (`finetune.readings`), none of them best everywhere. Which one is used
is asked for, or found on validation; a model is tuned by what is read. The folder loads as a language model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from slmfit import storage
from slmfit.errors import UnsafeError, UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.choose import Choose, Choosing
from slmfit.finetune.readings import READINGS, Seen, per, read
from slmfit.finetune.score import Asked, Reader, following, likelihoods, reader_of
from slmfit.finetune.tokens import Tokens, joined
from slmfit.methods.base import Context
from slmfit.methods.finetuned.head import Arrays, Backbone, Head
from slmfit.methods.shots import PerClass
from slmfit.records import Example, Input, Prediction
from slmfit.tasks.base import Task
from slmfit.tasks.forms import Offer
from slmfit.timing.work import counted

MOST = 50  # labels that are scored, each a reading of its own; more are written

Check = Callable[[], None]


@dataclass(frozen=True)
class Offered:
    """Examples as offers in tokens, uncut, and the place of each right answer, int64 [rows]."""

    offers: Sequence[Offer]
    asked: Asked
    right: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """int64 [rows], prompt and longest option."""
        pairs = zip(self.asked.prompts, self.asked.options, strict=True)
        return np.array([len(prompt) + max(map(len, options)) for prompt, options in pairs], np.int64)


class Choices(Head):
    """See the module."""

    made_for: ClassVar[str] = "ForCausalLM"
    pipeline: ClassVar[str] = "text-generation"
    adapters: ClassVar[str] = "CAUSAL_LM"
    cuts: ClassVar[bool] = True
    shows: ClassVar[bool] = True
    file: ClassVar[str | None] = "choices.json"

    shots: PerClass | None = None
    reader: Reader

    def __init__(self, backbone: Backbone, task: Task, reading: str | None = None) -> None:
        """reading: what `scoring` came to; None = it is still open."""
        super().__init__(backbone, task)
        settings: Any = backbone.settings
        self.form = task.form()
        self.reading = reading or (settings.scoring if settings.scoring != "auto" else READINGS[0])

    @classmethod
    def fits(cls, task: Task) -> bool:
        return not task.classifies or len(task.labels) <= MOST

    @classmethod
    def unfit(cls, task: Task, config: Any) -> str | None:
        """Any language model finds some option the likeliest; how well, only scores can tell."""
        return None

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        dropout, packed = self.backbone.settings.dropout, self.backbone.packed
        model, fresh = pretrained.load_model(folder, config, self.made_for, seed, dropout, packed)
        self.reader = reader_of(model)
        return model, fresh

    def show(self, train: Sequence[Example], shots: int, seed: int) -> int:
        self.shots = PerClass.of(self.task, train, shots, seed)
        return max(len(self._tokens([Offer(shown, {"": " "})]).prompts[0]) for shown in self._shown)

    @cached_property
    def _shown(self) -> tuple[str, str]:
        """The examples as they stand before a question: answered with texts, and with letters."""
        told = [(e.input, str(e.target)) for e in (self.shots.examples if self.shots else ())]
        texts = "".join(self.form.offer(input).answered(target) for input, target in told)
        offers = [(self.form.lettered(input), target) for input, target in told]
        return texts, "".join(offer.answered(target) for offer, target in offers if offer)

    # --- what is asked ---

    def _offers(self, inputs: Sequence[Input], lettered: bool) -> list[Offer]:
        """Raises UsageError for more options than there are letters."""
        offers = [self.form.lettered(i) if lettered else self.form.offer(i) for i in inputs]
        found = [offer for offer in offers if offer is not None]
        if len(found) < len(offers):
            fix = f"set {self.backbone.kind}.scoring to auto, or to another way"
            raise UsageError("there are more labels than letters", fix=fix)
        return [Offer(self._shown[lettered] + offer.prompt, offer.options) for offer in found]

    def _tokens(self, offers: Sequence[Offer]) -> Asked:
        options = [list(offer.options.values()) for offer in offers]
        return following(self.backbone.tokenizer, [offer.prompt for offer in offers], options)

    # --- training ---

    def material(self, examples: Sequence[Example], cache: Path | None) -> Offered:
        offers = self._offers([e.input for e in examples], self.reading == "letter")
        right = [list(offer.options).index(str(e.target)) for offer, e in zip(offers, examples, strict=True)]
        return Offered(offers, self._tokens(offers), np.array(right, np.int64))

    def job(self, train: Offered, validation: Offered, max_length: int, metric: str) -> Choose:
        truth = [list(offer.options)[i] for offer, i in zip(validation.offers, validation.right, strict=True)]

        def score(found: Sequence[np.ndarray]) -> dict[str, float]:
            answers = [_prediction(offer, one) for offer, one in zip(validation.offers, found, strict=True)]
            return {metric: self.task.components(metric, truth, answers).value}

        made = self._choosing(train, max_length), self._choosing(validation, max_length)
        return Choose(*made, score, self.backbone.device, self.backbone.pad, self.reader)

    def _choosing(self, offered: Offered, size: int) -> Choosing:
        asked = offered.asked.cut(size)
        seen = [_counts(offer, options) for offer, options in zip(offered.offers, asked.options, strict=True)]
        return Choosing(asked, offered.right, [per(self.reading, one.tokens, one.characters) for one in seen])

    def packed(self, job: Choose) -> tuple[dict[str, int], Arrays]:
        asked = job.train.asked
        prompts = joined(asked.prompts, max(map(len, asked.prompts)))
        options = [option for row in asked.options for option in row]
        flat = joined(options, max(map(len, options)))
        counts = np.array([len(row) for row in asked.options], np.int64)
        arrays = {"ids": prompts.ids, "starts": prompts.starts, "options": flat.ids, "ends": flat.starts}
        arrays |= {"counts": counts, "right": job.train.right}
        return {}, arrays | ({} if job.train.per is None else {"per": np.concatenate(job.train.per)})

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Choose:
        limit = 1 << 30
        prompts = _rows(Tokens(arrays["ids"], arrays["starts"], 0, limit))
        options = iter(_rows(Tokens(arrays["options"], arrays["ends"], 0, limit)))
        counts = arrays["counts"].tolist()
        asked = Asked(prompts, [[next(options) for _ in range(count)] for count in counts])
        divided = np.split(arrays["per"], np.cumsum(counts)[:-1]) if "per" in arrays else None
        train = Choosing(asked, arrays["right"], divided)
        return Choose(train, train, lambda found: {}, self.backbone.device, self.backbone.pad, self.reader)

    # --- reading ---

    def settle(
        self, model: Any, examples: Sequence[Example], max_length: int, context: Context
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """With `scoring=auto`, the reading that is best on these rows of validation."""
        settings: Any = self.backbone.settings
        if settings.scoring != "auto":
            return {"scoring": self.reading}, []
        if not examples:
            return {"scoring": self.reading, "why": {"scoring": "there is no validation to choose by"}}, []
        inputs, truth = [e.input for e in examples], [str(e.target) for e in examples]
        readings = [r for r in READINGS if r != "letter" or all(self.form.lettered(i) is not None for i in inputs)]
        with counted(context.event, "scoring", len(inputs)):
            seen = self._seen(model, inputs, readings, max_length)
        offers, tried = self._offers(inputs, lettered=False), dict[str, float]()
        for reading in readings:
            answers = [_prediction(offer, read(reading, one)) for offer, one in zip(offers, seen, strict=True)]
            tried[reading] = self.task.components(context.metric, truth, answers).value
        self.reading = max(readings, key=tried.__getitem__)  # of equals the first
        context.event("search", scoring=self.reading, **{context.metric: tried[self.reading]})
        why = {"scoring": f"the best of {len(tried)} on validation"}
        search = [{"scoring": reading, context.metric: value} for reading, value in tried.items()]
        return {"scoring": self.reading, "why": why}, search

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        offers = self._offers(inputs, lettered=False)
        seen = self._seen(model, inputs, [self.reading], max_length)
        return [_prediction(offer, read(self.reading, one)) for offer, one in zip(offers, seen, strict=True)]

    def _seen(self, model: Any, inputs: Sequence[Input], readings: Sequence[str], size: int) -> list[Seen]:
        """What these readings need, and no more, of every input."""
        offers = self._offers(inputs, lettered=False)
        asked = self._tokens(offers)
        counts = [_counts(offer, options) for offer, options in zip(offers, asked.options, strict=True)]
        passes: dict[str, Asked] = {}
        if set(readings) - {"letter"}:
            passes["text"] = asked
        if "pmi" in readings:
            passes["bare"] = self._tokens([Offer(self.form.cue, offer.options) for offer in offers])
        if "letter" in readings:
            passes["letter"] = self._tokens(self._offers(inputs, lettered=True))
        whole = sum(int(one.lengths.sum()) for one in passes.values())
        found = {
            name: self._likelihoods(model, one.cut(size), len(inputs) * int(one.lengths.sum()) / max(1, whole))
            for name, one in passes.items()
        }
        rows = [{name: one[i] for name, one in found.items()} for i in range(len(inputs))]
        return [Seen(one.tokens, one.characters, **row) for one, row in zip(counts, rows, strict=True)]

    def _likelihoods(self, model: Any, asked: Asked, stands_for: float) -> list[np.ndarray]:
        on = self.backbone.device.exact()
        return likelihoods(model, asked, on, self.backbone.pad, reader=self.reader, stands_for=stands_for)

    # --- on disk ---

    def save(self, model: Any, folder: Path) -> None:
        storage.write_json(folder / "choices.json", {"reading": self.reading})
        if self.shots:
            self.shots.save(folder)

    @classmethod
    def load(cls, backbone: Backbone, task: Task, folder: Path, config: Any) -> tuple[Self, Any]:
        """Raises UnsafeError for a reading that there is not."""
        about = storage.read_json(folder / "choices.json", "reading")
        if about["reading"] not in READINGS:
            fix = "fit the run again"
            raise UnsafeError(
                f"names no reading: {about['reading']!r}"[:200], where=str(folder / "choices.json"), fix=fix
            )
        model = pretrained.load_saved(folder, cls.made_for, backbone.packed)
        head = cls(backbone, task, about["reading"])
        head.reader = reader_of(model)
        settings: Any = backbone.settings
        head.shots = PerClass.load(task, folder) if getattr(settings, "shots", 0) else None
        return head, model

    def card(self, max_length: int) -> tuple[str, str]:
        about = (
            f"It finds one of several options the likeliest after a {self.task.noun}, read as {self.reading!r}; "
            f"`slmfit predict` asks it so. It reads the last {max_length} tokens of prompt and option together."
        )
        call = (
            "import torch\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            'tokenizer = AutoTokenizer.from_pretrained("this-folder")\n'
            'model = AutoModelForCausalLM.from_pretrained("this-folder")\n'
            f'prompt, option = "…\\n{self.form.cue}", " an option"\n'
            'asked = tokenizer(prompt + option, return_tensors="pt").input_ids\n'
            "begins = len(tokenizer(prompt).input_ids)\n"
            "found = model(asked).logits[0, begins - 1 : -1].log_softmax(-1)\n"
            "print(found.gather(1, asked[0, begins:, None]).sum())"
        )
        return about, call


def _counts(offer: Offer, options: Sequence[Sequence[int]]) -> Seen:
    characters = [len(text.strip()) for text in offer.options.values()]
    return Seen(np.array([len(ids) for ids in options], np.int64), np.array(characters, np.int64).clip(1))


def _prediction(offer: Offer, found: np.ndarray) -> Prediction:
    """The best option and the share of each."""
    shares = np.exp(found - found.max())
    # Six digits: what comes after them depends on which others share a batch.
    shares = (shares / shares.sum()).round(6)
    names = list(offer.options)
    return Prediction(names[int(shares.argmax())], probabilities=dict(zip(names, shares.tolist(), strict=True)))


def _rows(tokens: Tokens) -> list[list[int]]:
    return [tokens.ids[a:b].tolist() for a, b in zip(tokens.starts[:-1], tokens.starts[1:], strict=True)]
