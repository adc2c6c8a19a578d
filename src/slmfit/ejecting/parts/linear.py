"""The classifier: one weight for each term and label. What they add up to, the margin, says how well a label fits; a
curve that all labels share turns margins into probabilities.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from slmfit.ejecting.parts.lsa import Embedding, learn
from slmfit.ejecting.parts.run import SEED
from slmfit.ejecting.parts.tfidf import Tfidf, terms_of

C = 0.3  # weight of fitting the rows against keeping weights small
POWER = 2.0  # idf to this power: the larger, the more rare words weigh
SHARES = {"words": 1.0, "pairs": 0.5, "characters": 1.0}  # the length of each block of a text
RATIOS = 0.3  # how much the log ratios of terms say beside what was learnt


class Classifier:
    """The weights in weights.safetensors, the labels and the curve in linear.json."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "weights.safetensors")
        self.labels, self.curve = about["labels"], about["curve"]
        self.weights, self.intercepts = tensors["weights"].astype(float), tensors["intercepts"]
        # [counted]
        self.counted = Tfidf(folder)
        # [/counted]
        # [vectors]
        self.vectors = Embedding(folder / "embedding")
        # [/vectors]

    def predict(self, texts: Sequence[str]) -> list[tuple[str, dict[str, float]]]:
        """The label of each text, and the probability of every label."""
        margins = np.tile(self.intercepts, (len(texts), 1))
        # [counted]
        for margin, text in zip(margins, texts, strict=True):
            columns, values = self.counted.weigh(text)
            margin += values @ self.weights[columns]
        # [/counted]
        # [vectors]
        vectors = self.vectors.embed(texts)
        margins += vectors @ self.weights[-vectors.shape[1] :]  # the last columns are those of the vectors
        # [/vectors]
        logs = -np.logaddexp(0, -(self.curve["slope"] * margins + self.curve["offset"]))
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return [(self.labels[row.argmax()], dict(zip(self.labels, row.tolist(), strict=True))) for row in shares]


def train(texts: Sequence[str], labels: Sequence[str]) -> Callable[[Sequence[str]], list[str]]:
    """What answers texts with labels, learnt anew from these rows with the values above; needs scikit-learn.

    slmfit also chooses these values on rows held out, and fits the curve to margins of rows that were not trained on.
    """
    from scipy.sparse import hstack
    from sklearn.svm import LinearSVC

    blocks: list[tuple[float, Callable[[Sequence[str]], Any]]] = []  # their lengths, and what makes them of texts
    # [counted]
    from sklearn.feature_extraction.text import TfidfVectorizer

    for block, share in SHARES.items():
        least = 1 if block == "words" else 2  # texts that a term must be in
        counted = TfidfVectorizer(analyzer=lambda text, b=block: terms_of(text)[b], sublinear_tf=True, min_df=least)
        counted.fit(texts)
        counted.idf_ = counted.idf_**POWER
        blocks.append((share, counted.transform))
    # [/counted]
    # [vectors]
    from scipy.sparse import csr_matrix

    embed = learn(texts)
    blocks.append((1.0, lambda texts: csr_matrix(embed(texts))))
    # [/vectors]

    def features_of(texts: Sequence[str]) -> Any:
        return hstack([share * block(texts) for share, block in blocks], format="csr")

    features = features_of(texts)
    machine = LinearSVC(C=C, tol=0.3, max_iter=300, random_state=SEED)  # each label against all others
    machine.fit(features, labels)
    weights, intercepts = machine.coef_.T, machine.intercept_
    if len(machine.classes_) == 2:  # one machine tells two labels apart
        weights, intercepts = np.hstack((-weights, weights)), np.append(-intercepts, intercepts)
    # [ratios]
    # How much more of a label's rows each term is than of all others, as in naive Bayes; scaled to say as much.
    size = sum(block(texts[:1]).shape[1] for _, block in blocks[: len(SHARES)])
    rows = [features[np.array(labels) == label, :size] for label in machine.classes_]
    own = np.array([np.asarray(row.sum(axis=0)).ravel() for row in rows]).T + 0.01
    ratios = np.log(own / (own.sum(axis=1, keepdims=True) - own))
    ratios -= np.log(own.sum(axis=0) / (own.sum() - own.sum(axis=0)))
    spread = (features @ weights + intercepts).std() / (features[:, :size] @ ratios).std()
    weights[:size] += RATIOS * spread * ratios
    # [/ratios]
    return lambda others: machine.classes_[(features_of(others) @ weights + intercepts).argmax(axis=1)].tolist()
