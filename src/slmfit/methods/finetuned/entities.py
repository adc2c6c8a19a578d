"""Entities and an intent: a tag for every word and, where the task has intents, one for the text, learnt together.

The body is a token classifier of transformers and loads as one; the head for intents lies beside it. A checkpoint that
was tuned for other entities keeps what its head knows of the tags that are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from slmfit import storage
from slmfit.finetune import forward, pretrained
from slmfit.finetune.logits import marked, tag_names
from slmfit.finetune.tag import NONE, Joint, Tag, Tagged, answer
from slmfit.finetune.tokens import Tokens
from slmfit.finetune.windows import Answers, Encoded, Windows, encode
from slmfit.methods.finetuned.head import Arrays, Backbone, Head, other_labels
from slmfit.records import Entities, Example, Input, Prediction
from slmfit.tasks.answers import entities_of
from slmfit.tasks.spans import Offsets
from slmfit.tasks.splitting import needs_fine, split, tags_of
from slmfit.tasks.tagging import TokenClassification


@dataclass(frozen=True)
class Marked:
    """Texts as tokens, where their words stand, and what they should be answered with.

    tags: int64 [words], places in the list of tags. intents: int64 [texts], places in the list of intents, or NONE.
    """

    encoded: Encoded
    words: Sequence[Offsets]
    targets: Sequence[Entities]
    tags: np.ndarray
    intents: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        return self.encoded.lengths

    def cut(self, size: int) -> Tagged:
        made = self.encoded.windows(size)
        return Tagged(made, self.tags, np.where(made.first, self.intents[made.row], NONE))


class EntityTags(Head):
    """See the module."""

    made_for: ClassVar[str] = "ForTokenClassification"
    pipeline: ClassVar[str] = "token-classification"
    adapters: ClassVar[str] = "TOKEN_CLS"
    cuts: ClassVar[bool] = False

    def __init__(
        self,
        backbone: Backbone,
        task: TokenClassification,
        tags: Sequence[str] | None = None,
        fine: bool | None = None,
    ) -> None:
        """fine: whether words end at punctuation too; None = as the training rows need it."""
        super().__init__(backbone, task)
        self.tags = list(tags or tag_names(task.labels))
        self.intents = list(task.intents)
        self.fine = fine

    @classmethod
    def unfit(cls, task: Any, config: Any) -> str | None:
        own, tags = [str(name) for name in config.id2label.values()], tag_names(task.labels)
        if set(own) != set(tags) or not _made_for(config, cls.made_for):
            return other_labels(own, tags)
        return "has no head for intents" if task.intents else None

    def start(self, folder: str, config: Any, seed: int) -> tuple[Any, set[str]]:
        dropout = self.backbone.settings.dropout
        own = [str(config.id2label[i]) for i in range(len(config.id2label))] if _made_for(config, self.made_for) else []
        kept = [name for name in self.tags if name in own]
        tagger, fresh = pretrained.load_with_head(
            folder, config, self.made_for, own if kept else self.tags, seed, dropout
        )
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            if kept and own != self.tags:
                fresh |= _regrow(tagger, own, self.tags)
            return Joint(tagger, len(self.intents)), fresh

    def body(self, model: Any) -> Any:
        return model.tagger

    def with_body(self, model: Any, body: Any) -> Any:
        model.tagger = body
        return model

    def material(self, examples: Sequence[Example], cache: Path | None) -> Marked:
        if self.fine is None:
            self.fine = needs_fine(examples)
        texts = [str(e.input) for e in examples]
        words = [split(text, fine=self.fine) for text in texts]
        targets = [entities_of(e.target) for e in examples]
        place = {tag: i for i, tag in enumerate(self.tags)}
        tags = [place[t] for target, at in zip(targets, words, strict=True) for t in tags_of(target.spans, at)]
        known = {intent: i for i, intent in enumerate(self.intents)}
        intents = [NONE if t.intent is None else known[t.intent] for t in targets]
        encoded = encode(self.backbone.tokenizer, texts, words)
        return Marked(encoded, words, targets, np.array(tags, np.int64), np.array(intents, np.int64))

    def job(self, train: Marked, validation: Marked, max_length: int, metric: str) -> Tag:
        held = validation.cut(max_length)

        def score(found: Answers) -> dict[str, float]:
            answers = self._predictions(found, held.made, validation.words)
            return {metric: self.task.components(metric, validation.targets, answers).value}

        on = self.backbone.device
        return Tag(train.cut(max_length), held, score, on, self.backbone.pad, forward.batch_tokens(on))

    def packed(self, job: Tag) -> tuple[dict[str, int], Arrays]:
        made, tokens = job.train.made, job.train.made.tokens
        arrays = {"ids": tokens.ids, "starts": tokens.starts, "word": made.word, "row": made.row, "first": made.first}
        arrays |= {"tags": job.train.tags, "intents": job.train.intents}
        return {"tail": tokens.tail, "limit": tokens.limit, "count": made.count}, arrays

    def unpacked(self, about: dict[str, int], arrays: Arrays) -> Tag:
        tokens = Tokens(arrays["ids"], arrays["starts"], about["tail"], about["limit"])
        made = Windows(tokens, arrays["row"], arrays["first"], arrays["word"], about["count"])
        train = Tagged(made, arrays["tags"], arrays["intents"])
        return Tag(train, train, lambda found: {}, self.backbone.device, self.backbone.pad, 0)

    def answers(self, model: Any, inputs: Sequence[Input], max_length: int) -> list[Prediction]:
        texts = [str(i) for i in inputs]
        words = [split(text, fine=bool(self.fine)) for text in texts]
        made = encode(self.backbone.tokenizer, texts, words).windows(max_length)
        on = self.backbone.device.exact()
        found = answer(model, made, on, self.backbone.pad, forward.batch_tokens(on))
        return self._predictions(found, made, words)

    def _predictions(self, found: Answers, made: Windows, words: Sequence[Offsets]) -> list[Prediction]:
        tags, logits = found
        return marked(tags, logits[made.first] if self.intents else logits, self.tags, self.intents, words)

    def save(self, model: Any, folder: Path) -> None:
        storage.write_json(folder / "entities.json", {"fine": bool(self.fine), "intents": self.intents})
        if self.intents:
            weights = {n: w.detach().cpu().contiguous() for n, w in model.intent.state_dict().items()}
            save_file(weights, folder / "intent.safetensors")

    @classmethod
    def load(cls, backbone: Backbone, task: TokenClassification, folder: Path, config: Any) -> tuple[Self, Any]:
        about = storage.read_json(folder / "entities.json", "fine", "intents")
        model = Joint(pretrained.load_saved(folder, cls.made_for), len(about["intents"]))
        if model.intent is not None:
            model.intent.load_state_dict(load_file(folder / "intent.safetensors"))
        head = cls(backbone, task, [config.id2label[i] for i in range(len(config.id2label))], about["fine"])
        head.intents = about["intents"]
        return head, model

    def card(self, max_length: int) -> tuple[str, str]:
        types = "\n".join(f"- {label}" for label in self.task.labels)
        about = f"It marks entities of these types:\n\n{types}"
        if self.intents:
            names = "\n".join(f"- {name}" for name in self.intents)
            about += f"\n\nThe whole of it also names one of these intents (`slmfit predict`):\n\n{names}"
        call = 'tag = pipeline("token-classification", model="this-folder", aggregation_strategy="first")'
        return about, f"from transformers import pipeline\n\n{call}"


def _made_for(config: Any, ending: str) -> bool:
    return (config.architectures or [""])[0].endswith(ending)


def _regrow(tagger: Any, own: Sequence[str], tags: Sequence[str]) -> set[str]:
    """Give a token classifier a row for each of `tags`, those it had kept; returns the names of its weights."""
    name, old = next((n, m) for n, m in tagger.named_modules() if n.rpartition(".")[2] == "classifier")
    new = torch.nn.Linear(old.in_features, len(tags))
    torch.nn.init.normal_(new.weight, std=0.02)
    torch.nn.init.zeros_(new.bias)
    with torch.no_grad():
        for i, tag in enumerate(tags):
            if tag in own:
                new.weight[i] = old.weight[own.index(tag)]
                new.bias[i] = old.bias[own.index(tag)] if old.bias is not None else 0.0
    tagger.set_submodule(name, new)
    tagger.num_labels = tagger.config.num_labels = len(tags)
    tagger.config.id2label = dict(enumerate(tags))
    tagger.config.label2id = {tag: i for i, tag in enumerate(tags)}
    return {f"{name}.weight", f"{name}.bias"}
