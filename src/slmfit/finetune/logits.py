"""What the logits of a model mean: a label, or spans by the best sequence of BIO tags that is one. Needs no torch.

labelled(logits, ["billing", "delivery"])[0].target
tags = tag_names(["CITY"])                        # ["O", "B-CITY", "I-CITY"]
best(log_probabilities)                           # int64 [words], no I-CITY without a CITY before it
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from slmfit.errors import SlmfitError
from slmfit.records import Entities, Prediction, Span
from slmfit.tasks.spans import Offsets, spans_from_tags


class NotFinite(SlmfitError):
    """A model that computes NaN or infinity has no answers, though the largest of them can still be asked for."""

    def __init__(self) -> None:
        fix = "its weights are damaged or were trained too fast: fetch it again, or fit it with a lower learning rate"
        super().__init__("the model computes what is no finite number", fix=fix)


def finite(computed: np.ndarray) -> np.ndarray:
    """The same. Raises NotFinite where a number in it is none."""
    if not np.isfinite(computed).all():
        raise NotFinite
    return computed


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax in float64, so that rows sum to 1: [rows, labels]."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    grown = np.exp(shifted)
    return grown / grown.sum(axis=1, keepdims=True)


def labelled(logits: np.ndarray, labels: Sequence[str]) -> list[Prediction]:
    """A label per row, with the probabilities of all. logits: float [rows, labels]."""
    # Six digits: what comes after them depends on which other texts share a batch.
    shares = probabilities(logits).round(6)
    return [
        Prediction(labels[int(row.argmax())], probabilities=dict(zip(labels, row.tolist(), strict=True)))
        for row in shares
    ]


def marked(
    tags: np.ndarray, intents: np.ndarray, names: Sequence[str], known: Sequence[str], words: Sequence[Offsets]
) -> list[Prediction]:
    """Spans per text and, where there are any, the intent with the probabilities of all.

    tags: log-probabilities [words of all texts, tags]. intents: logits [texts, intents]. names: of the tags, as
    `tag_names` has them. known: the intents' names. words: where each text's words stand.
    """
    shares = probabilities(intents).round(6) if known else np.zeros((len(words), 0))
    begin, answers = 0, []
    for offsets, share in zip(words, shares.tolist(), strict=True):
        scores = tags[begin : begin + len(offsets)]
        begin += len(offsets)
        spans, sure, whole = spans_of(scores, names, offsets)
        intent = known[int(np.argmax(share))] if known else None
        named = dict(zip(known, share, strict=True)) if known else None
        whole *= named[intent] if named and intent else 1.0
        answers.append(
            Prediction(
                Entities(spans, intent), probabilities=named, span_probabilities=sure, confidence=round(whole, 6)
            )
        )
    return answers


def tag_names(labels: Sequence[str]) -> list[str]:
    """`O`, then `B-X` and `I-X` for every X, so that tag 2k is the I of tag 2k - 1."""
    return ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]


def best(scores: np.ndarray) -> np.ndarray:
    """The sequence with the highest sum in which every `I-X` follows an X (Viterbi, 1967), int64 [words].

    scores: float [words, tags], log-probabilities in the order of `tag_names`. An I-X may only follow its own B-X or
    I-X and everything else may follow everything, so a step takes time in proportion to the tags, not their square.
    """
    path = scores.argmax(axis=1)
    before = np.concatenate(([0], path[:-1]))
    goes_on = (path > 0) & (path % 2 == 0)
    if (~goes_on | (before == path) | (before == path - 1)).all():
        return path  # the likeliest tags are a sequence already, as nearly always, and ten times as quickly found
    steps, tags = scores.shape
    came = np.zeros((steps, tags), np.int64)
    total = scores[0].copy()
    total[2::2] = -np.inf
    begins = np.arange(1, tags, 2)
    for step in range(1, steps):
        came[step] = total.argmax()
        came[step, 2::2] = np.where(total[begins] >= total[begins + 1], begins, begins + 1)
        total = total[came[step]] + scores[step]
    path = np.zeros(steps, np.int64)
    for step in range(steps - 1, -1, -1):
        path[step] = total.argmax() if step == steps - 1 else came[step + 1, path[step + 1]]
    return path


def spans_of(scores: np.ndarray, names: Sequence[str], offsets: Offsets) -> tuple[tuple[Span, ...], list[float], float]:
    """The spans of a text's words, for each the probability that all its words are tagged so, and that all words are.

    scores: float [words, tags], log-probabilities.
    """
    path = best(scores)
    spans, _ = spans_from_tags([names[tag] for tag in path], offsets)
    sure = scores[np.arange(len(path)), path]
    begins = {start: i for i, (start, _) in enumerate(offsets)}
    ends = {end: i for i, (_, end) in enumerate(offsets)}
    shares = [float(np.exp(sure[begins[s.start] : ends[s.end] + 1].sum())) for s in spans]
    return tuple(spans), [round(share, 6) for share in shares], float(np.exp(sure.sum()))
