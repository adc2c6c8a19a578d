"""Spans of texts by a CRF over their words: learnt from examples, found with probabilities.

    spans = Spans.learn(train, Wording(grain_for(train)), c1=0.1, c2=0.01)
    spans.find(["fly to Rome"])     # [((Span(7, 11, "CITY"),), [0.93], 0.91)]

Words are as `wording.py` cuts them. A span that begins or ends within a word takes all of it, in training as in
answers; of two that share a word the first has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from slmfit import storage
from slmfit.methods.linear import crfsuite
from slmfit.methods.linear.crf import Chances, Crf, Floats
from slmfit.methods.linear.wording import Wording
from slmfit.records import Example, Span
from slmfit.tasks.answers import entities_of
from slmfit.tasks.spans import Offsets, spans_from_tags
from slmfit.tasks.splitting import tags_of

ITERATIONS = 60  # of L-BFGS; F1 on validation with 2,500 rows of SNIPS: 84.2 after 25, 86.4 after 40, 87.3 after 80

Found = tuple[tuple[Span, ...], list[float], float]  # spans, the probability of each, and that these are all


@dataclass(frozen=True)
class Spans:
    """wording: what a word is, and is told of. crf: None where no row had a span."""

    wording: Wording
    crf: Crf | None

    @classmethod
    def learn(
        cls,
        examples: Sequence[Example],
        wording: Wording,
        c1: float,
        c2: float,
        tell: Callable[[int, float], None] = lambda iteration, loss: None,
    ) -> Self:
        """Fitted to the spans of these rows. Raises MissingPart without python-crfsuite."""
        texts, tags = [], []
        for example in examples:
            text = example.input
            assert isinstance(text, str)
            if words := wording.places(text):
                texts.append(wording.told(text, words))
                tags.append(tags_of(entities_of(example.target).spans, words))
        if all(tag == "O" for sequence in tags for tag in sequence):
            return cls(wording, None)
        return cls(wording, crfsuite.train(texts, tags, c1=c1, c2=c2, iterations=ITERATIONS, tell=tell))

    def find(self, texts: Sequence[str]) -> list[Found]:
        """The spans of each text in reading order."""
        if self.crf is None:
            return [((), [], 1.0) for _ in texts]
        places = [self.wording.places(text) for text in texts]
        told = [self.wording.told(text, words) for text, words in zip(texts, places, strict=True)]
        return [self._read(scores, words) for scores, words in zip(self.crf.scores(told), places, strict=True)]

    def save(self, folder: Path) -> None:
        storage.write_json(folder / "spans.json", {**self.wording.plain(), "any": self.crf is not None})
        self.wording.save(folder)
        if self.crf is not None:
            self.crf.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As they were saved."""
        about = storage.read_json(folder / "spans.json", "grain", "any")
        return cls(Wording.load(folder, about), Crf.load(folder) if about["any"] else None)

    def _read(self, scores: Floats, words: Offsets) -> Found:
        """The spans of the best tags. A span's probability: its words are tagged so, and the next does not go on."""
        assert self.crf is not None
        path = self.crf.best(scores)
        tags = [self.crf.tags[tag] for tag in path]
        spans, _ = spans_from_tags(tags, words)
        if not len(path):
            return (), [], 1.0
        chances = Chances(scores, self.crf.transitions)
        whole = min(1.0, round(chances.of(path, 0, len(path)), 6))
        begins = {start: i for i, (start, _) in enumerate(words)}
        ends = {end: i + 1 for i, (_, end) in enumerate(words)}
        goes_on = self._goes_on
        sure = [chances.of(path, begins[s.start], ends[s.end], goes_on.get(s.label, ())) for s in spans]
        return tuple(spans), [min(1.0, round(share, 6)) for share in sure], whole

    @property
    def _goes_on(self) -> dict[str, tuple[int, ...]]:
        """Label -> the place of its I tag, where there is one."""
        assert self.crf is not None
        return {tag[2:]: (i,) for i, tag in enumerate(self.crf.tags) if tag.startswith("I-")}
