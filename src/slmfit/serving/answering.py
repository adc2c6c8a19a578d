"""A run answers what was asked of it over HTTP: JSON in, one JSON object an input out.

    answers = Answers(run)
    head, bodies = answers.of([["my card was charged twice", {"index": 0}]])

An input that is none, and one on which the method fails, gets an error of its own; the others get their answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from slmfit.errors import DataError, SlmfitError, UsageError, Where
from slmfit.records import Input, Prediction
from slmfit.runs.known_words import Words
from slmfit.runs.run import Run
from slmfit.serving.deferred import Deferred
from slmfit.serving.drift import Counts, texts_of
from slmfit.tasks.answers import entity_columns, rounded
from slmfit.tasks.common import options_of, refuse_halves
from slmfit.tasks.sureness import confidence

Options = Mapping[str, Any]
Ask = tuple[Any, Options]  # what is asked, and how: index, top_k, threshold, words, written, sure

KINDS = {"text-classification": "classify", "token-classification": "entities", "multiple-choice": "choose"}


class Answers:
    """See the module."""

    def __init__(self, run: Run, deferred: Deferred | None = None) -> None:
        """deferred: keeps what the small part of a cascade leaves to the large one."""
        self.run, self.task, self.deferred = run, run.task, deferred
        self.labels = list(run.task.labels)
        self.words = Words.of(run.method)

    def of(self, asks: Sequence[Ask]) -> tuple[dict[str, Any], list[bytes]]:
        """What the frame's head says, and an object for every input, in order."""
        counts = Counts()
        found: list[Prediction | SlmfitError | Exception | None] = [None] * len(asks)
        inputs: dict[int, Input] = {}
        for place, (value, options) in enumerate(asks):
            try:
                inputs[place] = self._input(value, options["index"])
            except SlmfitError as error:
                found[place] = error
            except Exception as error:  # of another shape than anybody thought of
                what = f"this is no {self.task.noun} ({type(error).__name__})"
                found[place] = UsageError(what, fix="/docs shows what is taken")
        cut = self._predict(inputs, found)
        counts.add(answer for answer in found if isinstance(answer, Prediction))
        counts.read(self.words, texts_of(self.run, list(inputs.values())) if self.words else ())
        counts.truncated = sum(cut.values())
        if self.deferred is not None:
            self.deferred.keep((inputs[i], one) for i, one in enumerate(found) if isinstance(one, Prediction))
        statuses, bodies = [], []
        for place, (_, options) in enumerate(asks):
            status, body = self._written(found[place], inputs.get(place), options, cut.get(place))
            statuses.append(status)
            bodies.append(json.dumps({"index": options["index"], **body}).encode())
        return {"sizes": [len(body) for body in bodies], "status": statuses, "counts": counts.plain()}, bodies

    def _input(self, value: Any, index: int) -> Input:
        where = Where(f"input {index}")
        refuse_halves(value, where)
        if isinstance(value, dict):
            return self.task.seen(value, {}, where)[0]
        return self.task.given(value)

    def _predict(
        self, inputs: Mapping[int, Input], found: list[Prediction | SlmfitError | Exception | None]
    ) -> dict[int, bool]:
        """Fill `found`; of inputs whose end may not be read, whether it is not."""
        places, given = list(inputs), list(inputs.values())
        if not given:
            return {}
        try:
            answers: Sequence[Any] = self.run.predict(given)
        except Exception:
            answers = [self._alone(input) for input in given]
        for place, answer in zip(places, answers, strict=True):
            found[place] = answer
        cut = None
        with suppress(Exception):  # then nobody knows
            cut = self.run.method.cuts_off(given)
        return {} if cut is None else dict(zip(places, cut, strict=True))

    def _alone(self, input: Input) -> Prediction | Exception:
        try:
            return self.run.predict([input])[0]
        except Exception as error:
            return error

    def _written(
        self, found: Prediction | Exception | None, input: Input | None, options: Options, cut: bool | None
    ) -> tuple[int, dict[str, Any]]:
        """The status that the input would have alone, and its object."""
        if not isinstance(found, Prediction):
            return _failure(found)
        assert input is not None
        body = self._entities(found, input, options) if self.task.marks else self._label(found, input, options)
        if found.outcome != "ok":
            body["outcome"] = found.outcome
        if cut is not None:
            body["truncated"] = cut
        if options.get("sure"):
            body["confidence"] = confidence(found)
        if options.get("written") and found.raw is not None:
            body["written"] = found.raw
        return 200, body

    def _label(self, answer: Prediction, input: Input, options: Options) -> dict[str, Any]:
        options_shown = options_of(input)
        labels = list(options_shown) or self.labels
        chances = answer.probabilities
        why = self._words(answer, input, options.get("words", 0))
        body: dict[str, Any] = {"label": answer.target, "probs": None, "num_classes": len(labels)}
        if options_shown:
            body["text"] = options_shown.get(str(answer.target))
        if why is not None:
            body["words"] = why
        if chances is None:
            return body
        body["probs"] = [rounded(chances.get(label, 0.0)) for label in labels]
        if (least := options.get("threshold")) is not None and chances.get(str(answer.target), 0.0) < least:
            body |= {"label": None, "outcome": "abstained"} | ({"text": None} if "text" in body else {})
        if (top := options.get("top_k")) is not None:
            ranked = sorted(labels, key=lambda label: -chances.get(label, 0.0))[:top]
            body["top"] = [{"label": label, "prob": rounded(chances.get(label, 0.0))} for label in ranked]
        return body

    def _words(self, answer: Prediction, input: Input, most: int) -> list[dict[str, Any]] | None:
        """The words that the answer hung on, for it and against it; None where the method cannot say."""
        explain = getattr(self.run.method, "explain", None)
        if not most or explain is None or not isinstance(answer.target, str):
            return None
        try:
            found = explain(self.task.text(input), answer.target, most)
        except (UsageError, ValueError):  # vectors have no words
            return None
        return [{"word": word, "weight": float(f"{weight:.4g}")} for word, weight in found]

    def _entities(self, answer: Prediction, input: Input, options: Options) -> dict[str, Any]:
        columns = entity_columns(answer, str(input))
        spans, least = columns.pop("spans"), options.get("threshold")
        if spans and least is not None:
            spans = [span for span in spans if span.get("probability", 1.0) >= least]
        body: dict[str, Any] = {"entities": spans, "intent": columns["intent"]}
        more = ("intent_probability", "unplaced")
        body |= {name: columns[name] for name in more if name in columns}
        top, chances = options.get("top_k"), answer.probabilities
        if top is not None and chances is not None:
            ranked = sorted(chances, key=lambda name: -chances[name])[:top]
            body["top"] = [{"intent": name, "prob": rounded(chances[name])} for name in ranked]
        return body


def _failure(error: Exception | None) -> tuple[int, dict[str, Any]]:
    """Status and object of an input that has no answer. What a method failed with may hold a text, and is not told."""
    if isinstance(error, UsageError | DataError):
        said = f"{error.what}; {error.fix}" if error.fix else error.what
        return 400, {"error": {"message": said, "type": "invalid_request_error"}}
    kind = type(error).__name__
    return 500, {"error": {"message": f"the model failed on this input ({kind})", "type": "server_error"}}
