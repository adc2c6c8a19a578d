"""What the audit finds and what it takes, on AG News: SLMFIT_DATA=../shared/data python benchmarks/audit.py

1. Leaks planted in AG News' train split: rows copied as they are, with other case, spaces and punctuation, and with up
   to one word in ten changed, added or dropped. Share found.
2. Pairs reported on AG News as it is: share that the textbook's edit distance, over plain lower-cased words, confirms.
3. Test rows with a twin in train, at one word in ten and, for comparison, at looser limits.
4. Seconds for 120,000 rows: the train split repeated with random edits.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from slmfit.data.audit import near
from slmfit.data.audit.audit import audit

EACH = 1_000  # planted rows per kind


def main() -> None:
    if "SLMFIT_DATA" not in os.environ:
        sys.exit("skipped: SLMFIT_DATA names no folder with ag_news in it")
    folder = Path(os.environ["SLMFIT_DATA"]) / "ag_news"
    train, test = (pl.read_csv(folder / f"{split}.csv.gz", columns=["text", "label"]) for split in ("train", "test"))
    rng = random.Random(0)
    texts = train["text"].to_list()
    vocabulary = [word for text in texts[:5_000] for word in text.split()]
    figures: dict[str, Any] = {
        "planted": planted(texts, vocabulary, rng),
        "precision": precision(texts + test["text"].to_list()),
        "leaks": leaks(train, test),
        "rows": rows(train, test, vocabulary, rng),
    }
    print(json.dumps(figures, indent=2))


def planted(texts: list[str], vocabulary: list[str], rng: random.Random) -> dict[str, float]:
    """Kind -> share of the planted twins that are found as pairs with the row they were made from."""
    makers: dict[str, Callable[[str], str]] = {
        "exact": lambda text: text,
        "variant": lambda text: reshaped(text, rng),
        "near": lambda text: edited(text, vocabulary, rng, most=True),
    }
    found = {}
    for kind, make in makers.items():
        chosen = rng.sample([k for k, text in enumerate(texts) if len(text.split()) >= 10], EACH)
        twins = near.find_duplicates(texts + [make(texts[k]) for k in chosen])
        first = twins.exact if kind == "exact" else twins.variant
        pairs = set(map(tuple, twins.near.tolist()))
        hits = 0
        for at, k in enumerate(chosen, len(texts)):
            one, other = int(first[k]), int(first[at])
            hits += one == other or (kind == "near" and (min(one, other), max(one, other)) in pairs)
        found[kind] = hits / EACH
    return found


def precision(texts: list[str]) -> dict[str, float]:
    """Share of the reported pairs within a distance, by words as a person would split them and by characters."""
    pairs = near.find_duplicates(texts).near.tolist()
    words = [distance(plain(texts[i]).split(), plain(texts[j]).split()) for i, j in pairs]
    characters = [distance(plain(texts[i]), plain(texts[j])) for i, j in pairs]
    return {
        "pairs": len(pairs),
        "words_10": sum(d <= 0.1 for d in words) / len(pairs),
        "words_15": sum(d <= 0.15 for d in words) / len(pairs),
        "characters_15": sum(d <= 0.15 for d in characters) / len(pairs),
    }


def leaks(train: pl.DataFrame, test: pl.DataFrame) -> dict[str, Any]:
    """Test rows with a twin in train: what the audit says, and how many there were at one word in 8, 6 and 5."""
    everything = pl.concat([train, test])
    texts, labels = everything["text"].to_list(), everything["label"].to_list()
    result = audit(texts, labels, ["train"] * len(train) + ["test"] * len(test))
    counts: dict[str, Any] = {"audit": [f["message"] for f in result["findings"]]}
    kept = near.WORDS_PER_EDIT
    for per_edit in (10, 8, 6, 5):
        near.WORDS_PER_EDIT = per_edit
        pairs = near.find_duplicates(texts).near.tolist()
        counts[f"one word in {per_edit}"] = len({j for i, j in pairs if i < len(train) <= j})
    near.WORDS_PER_EDIT = kept
    return counts


def rows(train: pl.DataFrame, test: pl.DataFrame, vocabulary: list[str], rng: random.Random) -> dict[str, float]:
    """Seconds of wall time for 120,000 rows, the whole audit and the search for twins alone."""
    texts, labels = train["text"].to_list(), train["label"].to_list()
    many = [*texts, *(edited(text, vocabulary, rng) for _ in range(5) for text in texts)][:120_000]
    answers = (labels * 6)[: len(many)]
    splits = ["train" if rng.random() < 0.8 else "test" for _ in many]
    began = time.perf_counter()
    twins = near.find_duplicates(many)
    middle = time.perf_counter()
    audit(many, answers, splits)
    return {
        "rows": len(many),
        "near_pairs": len(twins.near),
        "twins_seconds": round(middle - began, 2),
        "audit_seconds": round(time.perf_counter() - middle, 2),
    }


def reshaped(text: str, rng: random.Random) -> str:
    """Other case, spaces and punctuation, the same words."""
    case = rng.choice([str.upper, str.lower, str.title, str.swapcase])
    space = rng.choice(["  ", "\t", "\n", " - "])
    before, after = rng.choice(["", " ", "("]), rng.choice(["", " ", "!", " ..."])
    return before + space.join(case(text).split()) + after


def edited(text: str, vocabulary: list[str], rng: random.Random, most: bool = False) -> str:
    """Up to one word in ten changed, added or dropped; as many as that if `most`."""
    words = text.split()
    limit = len(words) // 10
    for _ in range(limit if most else rng.randint(0, limit)):
        at, how = rng.randrange(len(words)), rng.randrange(3)
        words[at : at + (how != 1)] = [] if how == 0 else [rng.choice(vocabulary)]
    return " ".join(words)


def plain(text: str) -> str:
    """Lower case; punctuation dropped."""
    return " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())


def distance(one: list[str] | str, other: list[str] | str) -> float:
    """Edits by the textbook's table, as a share of the longer side."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1] / max(len(one), len(other), 1)


if __name__ == "__main__":
    main()
