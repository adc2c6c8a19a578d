"""Comparisons of answers that mark entities, on texts of every kind, with every kind of mistake.

folder = compared(tmp_path / "out", texts(200))
"""

import random

from slmfit.comparison.compare import compare
from slmfit.data.dataset import Dataset
from slmfit.records import SPLITS, Entities, Example, Prediction, Span
from slmfit.tasks import by_name

TYPES = ("person", "location", "creative-work")
INTENTS = ("book", "cancel", "ask")
WORDS = "Ann Oslo \U0001f469\u200d\U0001f680 e\u0301te\u0301 שלום مرحبا 東京 Rome visit May at the".split(" ")
WORDS += ["naïve\tline\nend", "\u202eevil", "a\x00b"]


def texts(n, *, words=WORDS, types=TYPES, intents=INTENTS, seed=0):
    """Examples of a few words each, of which some are entities."""
    rng = random.Random(seed)
    for i in range(n):
        said, spans, at = [], [], 0
        for _ in range(rng.randint(1, 9)):
            word = rng.choice(words)
            if rng.random() < 0.4:
                spans.append(Span(at, at + len(word), rng.choice(types)))
            said.append(word)
            at += len(word) + 1
        yield Example(str(i), f"{' '.join(said)} {i}", Entities(tuple(spans), rng.choice(intents) if intents else None))


def harmed(example, rng, types=TYPES, intents=INTENTS):
    """An answer: right half of the time, else with a few mistakes; sometimes none."""
    true = example.target
    if rng.random() < 0.5:
        return Prediction(true)
    if rng.random() < 0.05:
        return Prediction(None, "truncated", raw="{")
    spans, lost = [], []
    for span in true.spans:
        match rng.randrange(6):
            case 0:
                pass
            case 1:
                spans.append(Span(span.start, span.end, rng.choice(types)))
            case 2:
                spans.append(Span(span.start, span.end + 1, span.label))
            case 3:
                lost.append((f"not {span.label}", span.label))
            case _:
                spans.append(span)
    if not spans and rng.random() < 0.5:
        spans.append(Span(0, 1, rng.choice(types)))
    intent = rng.choice(intents) if intents and rng.random() < 0.3 else true.intent
    return Prediction(Entities(tuple(spans), intent, tuple(lost)))


def dataset(examples, name="mails"):
    """A fifth of the rows is train, a fifth of that validation, the rest test."""
    rows = list(examples)
    train, validation = len(rows) // 5, len(rows) // 25
    parts = rows[: train - validation], rows[train - validation : train], rows[train:]
    task = by_name("token-classification").with_labels(e.target for e in rows)
    return Dataset(name, task, {s: tuple(part) for s, part in zip(SPLITS, parts, strict=True)}, validation_given=True)


def compared(folder, examples, *, methods=("careful", "hasty"), texts=True, **known):
    """majority, and made-up answers of each method."""
    data = dataset(examples)
    given = {m: [harmed(e, random.Random(f"{m}{e.id}"), **known) for e in data.test] for m in methods}
    compare(data, "majority", given=given, out=folder, texts=texts)
    return folder
