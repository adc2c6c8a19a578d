"""Entities and an intent: spans by a CRF, the intent by the classifier of texts, each with settings of its own.

    method = Tagger(Settings())
    method.fit(task, train, validation, Context(metric="entity_f1"))
    method.predict(["fly to Rome"])[0].target    # Entities((Span(7, 11, "CITY"),), "book")

Only fitting spans needs python-crfsuite (extra `entities`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from slmfit import embeddings
from slmfit.errors import UsageError
from slmfit.methods.base import Context, Method, must
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.clusters import Clusters
from slmfit.methods.linear.settings import OF_TEXTS, Settings
from slmfit.methods.linear.spans import ITERATIONS, Spans
from slmfit.methods.linear.wording import TOKENS, Wording, both_spellings, grain_of
from slmfit.methods.linear.words import REACHES
from slmfit.records import Entities, Example, Input, Prediction
from slmfit.tasks.answers import entities_of
from slmfit.tasks.classification import TextClassification
from slmfit.timing.work import advance, counted

PAIRS = (
    (0.1, 0.01),
    (0.03, 0.1),
    (0.3, 0.03),
    (0.1, 0.3),
)  # of c1 and c2 that are tried, the one to keep on a tie first
MOST_SEARCHED = 100_000_000  # steps of an iteration over the rows that pairs are tried on: about 0.1 seconds
PER_WORD = 1500  # steps that a word takes beside those from each tag to each


class Tagger(Method):
    """Spans, and the intent where rows of train have one."""

    Settings = Settings
    refits = True

    spans: Spans
    intent: Classifier | None
    vectors: embeddings.Static | None = None  # of words, where the settings name a table

    def fit(self, task: Any, train: Sequence[Example], validation: Sequence[Example], context: Context) -> None:
        """Choose what is open on validation, then fit train with it.

        Raises UsageError for settings that have no meaning in these rows, MissingPart without python-crfsuite.
        """
        if not _with_intent(train):
            _refuse(self.settings)
        self.search, self.rows_used = [], {"fitted": "train"}
        self.vectors = self._static(context, alone=not _with_intent(train))
        self.chosen = {"grain": grain_of(train), **self._best(task, train, validation, context)}
        begin = time.perf_counter()
        self._learn(train, context)
        self.fit_seconds = time.perf_counter() - begin
        self.intent = Classifier(self.settings) if _with_intent(train) else None
        if self.intent is not None:
            rows, others = _with_intent(train), _with_intent(validation)
            self.intent.fit(_intents(task), rows, others, _of_intent(context))
            self.fit_seconds += self.intent.fit_seconds or 0.0
            self.search += [{"of": "intent", **tried} for tried in self.intent.search]
        self._told()

    def refit(self, task: Any, examples: Sequence[Example], context: Context) -> None:
        """Fit these rows with what was chosen."""
        self._learn(examples, context)
        if self.intent is not None:
            self.intent.refit(_intents(task), _with_intent(examples), _of_intent(context))
        self._told()

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        found = self.spans.find([i if isinstance(i, str) else str(i) for i in inputs])
        if self.intent is None:
            return [
                Prediction(Entities(spans), span_probabilities=sure, confidence=whole) for spans, sure, whole in found
            ]
        return [
            replace(
                answer,
                target=Entities(spans, str(answer.target)),
                span_probabilities=sure,
                confidence=whole * (answer.probabilities or {}).get(str(answer.target), 0.0),
            )
            for answer, (spans, sure, whole) in zip(self.intent.predict(inputs), found, strict=True)
        ]

    def explain(self, text: str, label: str, top: int = 10) -> list[tuple[str, float]]:
        """As `Classifier.explain`, of an intent. Raises UsageError where there is none."""
        if self.intent is None:
            raise UsageError("no row had an intent that terms could speak for", fix="explain a run that has intents")
        return self.intent.explain(text, label, top)

    def save(self, folder: Path) -> None:
        self.spans.save(folder)
        if self.intent is not None:
            (folder / "intent").mkdir()
            self.intent.save(folder / "intent")

    @classmethod
    def load(cls, folder: Path, task: Any, settings: Any) -> Self:
        method = cls(settings)
        method.spans = Spans.load(folder)
        known = (folder / "intent").is_dir()
        method.intent = Classifier.load(folder / "intent", _intents(task), settings) if known else None
        return method

    def check(self, task: Any) -> None:
        if (crf := self.spans.crf) is not None:
            starts, columns, weights = crf.starts, crf.columns, crf.weights
            tags, size = len(crf.tags), len(columns)
            must(starts.shape == (len(crf.attributes) + 1,) and starts[0] == 0 and starts[-1] == size, "odd starts")
            must((starts[1:] >= starts[:-1]).all() and weights.shape == columns.shape == (size,), "odd weights")
            must(not size or 0 <= columns.min() <= columns.max() < tags, "a weight of a tag that is not there")
            must(crf.transitions.shape == (tags, tags), "transitions of another shape")
        if self.intent is not None:
            self.intent.check(_intents(task))

    def _static(self, context: Context, *, alone: bool) -> embeddings.Static | None:
        """The table of word vectors that the settings name. A sentence encoder is the intent's only.

        Raises UsageError where there is none.
        """
        if self.settings.embeddings is None:
            return None
        found = embeddings.pretrained(self.settings.embeddings, context.cache)
        if isinstance(found, embeddings.Static):
            return found
        if alone:
            what = f"linear.embeddings={self.settings.embeddings} has no vectors of single words"
            raise UsageError(what, fix="give static embeddings in model2vec format")
        return None

    def _learn(self, examples: Sequence[Example], context: Context) -> None:
        rows, wording = self._worded(examples, self.chosen["grain"], context.seed)
        with counted(context.event, "fitting", ITERATIONS, unit="iterations at most"):
            self.spans = self._fitted(rows, wording, self.chosen, tell=partial(_tell, context))

    def _worded(self, examples: Sequence[Example], grain: str, seed: int) -> tuple[Sequence[Example], Wording]:
        """The rows to fit, in both spellings where they came as tokens, and what their words are."""
        rows, cuts = both_spellings(examples) if grain == TOKENS else (examples, None)
        wording = Wording(grain, cuts=cuts)
        if self.vectors is None:
            return rows, wording
        texts = list(map(_text, examples))
        words = [text[start:end] for text in texts for start, end in wording.places(text)]
        return rows, replace(wording, clusters=Clusters.learn(words, self.vectors, seed))

    def _fitted(self, rows: Sequence[Example], wording: Wording, given: Mapping[str, Any], **more: Any) -> Spans:
        clusters = wording.clusters if given.get("clusters") else None
        wording = replace(wording, reach=given["reach"], clusters=clusters)
        return Spans.learn(rows, wording, given["c1"], given["c2"], **more)

    def _told(self) -> None:
        """What the intent's classifier has to say beside what the spans have."""
        if self.intent is not None:
            self.chosen = {**self.chosen, **self.intent.chosen}
            self.rows_used = {**self.intent.rows_used, **self.rows_used}
        if self.vectors is not None and (self.intent is None or self.chosen["clusters"]):
            used = self.settings.embeddings if self.chosen["clusters"] else None
            self.chosen["embeddings"] = used  # with what was chosen alone, the settings make the same model again

    def _best(
        self, task: Any, train: Sequence[Example], validation: Sequence[Example], context: Context
    ) -> dict[str, Any]:
        """reach, c1, c2 and whether there are clusters: those given, else what is best on validation when fitted to
        train, or a sample of it.

        The pairs are tried first, with clusters where there may be some, then with the best of them the other reach,
        and with the best of all none.
        """
        s = self.settings
        pairs = [(a if s.c1 is None else s.c1, b if s.c2 is None else s.c2) for a, b in PAIRS]
        reaches = REACHES if s.reach is None else (s.reach,)
        beside = {} if self.vectors is None else {"clusters": True}
        tried: list[dict[str, Any]] = [
            {"reach": reaches[0], "c1": a, "c2": b, **beside} for a, b in dict.fromkeys(pairs)
        ]
        targets = [Entities(entities_of(e.target).spans) for e in validation]
        only = len(tried) * len(reaches) == 1 and not beside
        if only or not any(target.spans for target in targets):
            return tried[0]
        # F1 tells more finely than whole rows do which pair is better.
        metric = "entity_f1" if context.metric in ("intent_accuracy", "exact_match") else context.metric
        rows, wording = self._worded(_sample(train, len(task.labels), context.seed), grain_of(train), context.seed)
        texts = list(map(_text, validation))

        def score(given: dict[str, Any]) -> float:
            found = self._fitted(rows, wording, given).find(texts)
            answers = [Prediction(Entities(spans)) for spans, _, _ in found]
            value = float(task.components(metric, targets, answers).value)
            self.search.append({"of": "spans", **given, metric: value})
            context.event("search", **self.search[-1])
            advance(1)
            return value

        every = len(tried) + len(reaches) - 1 + bool(beside)
        with counted(context.event, "searching", every, unit="settings"):
            scores = [score(given) for given in tried]
            for reach in reaches[1:]:
                tried.append(tried[int(np.argmax(scores))] | {"reach": reach})
                scores.append(score(tried[-1]))
            self.rows_used["settings_chosen"] = "validation"
            best = tried[int(np.argmax(scores))]
            if beside and score(none := best | {"clusters": False}) >= max(scores):
                return none  # the smaller, where they are no help
        return best


def _text(example: Example) -> str:
    assert isinstance(example.input, str)
    return example.input


def _sample(examples: Sequence[Example], labels: int, seed: int) -> list[Example]:
    """So many rows, drawn at random, that an iteration over them is MOST_SEARCHED steps."""
    steps = (2 * labels + 1) ** 2 + PER_WORD
    sizes = np.array([len(str(e.input).split()) for e in examples])
    order = np.random.default_rng(seed).permutation(len(examples))
    count = max(1, int((sizes[order].cumsum() * steps <= MOST_SEARCHED).sum()))
    return [examples[i] for i in order[:count]]


def _refuse(settings: Settings) -> None:
    """Raise UsageError for a setting that only an intent gives a meaning."""
    given = [name for name in OF_TEXTS if getattr(settings, name) is not None and name != "embeddings"]
    if given:
        raise UsageError(f"linear.{given[0]} is for the intent, and no row has one", fix=f"leave {given[0]} out")


def _intents(task: Any) -> TextClassification:
    return TextClassification(task.intents)


def _with_intent(examples: Sequence[Example]) -> list[Example]:
    """The rows that have an intent, with it as their label."""
    pairs = [(e, entities_of(e.target).intent) for e in examples]
    return [replace(e, target=intent) for e, intent in pairs if intent is not None]


def _of_intent(context: Context) -> Context:
    return replace(context, metric=TextClassification.metric, event=partial(context.event, of="intent"))


def _tell(context: Context, iteration: int, loss: float) -> None:
    context.event("iteration", of="spans", n=iteration, loss=loss)
    advance(1)
