"""The page for a reader who was not there: what was compared, the result, how sure that is, what it costs, what to do.

plain(source)[1]        # ("The result", "Take linear, which counts words … With it, 81.5 % of these …")
what_it_is(record)      # "counts words and pairs of words, and weighs each for or against every label"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slmfit.records import MethodRow, RunRecord, Score
from slmfit.reporting.disk import Source
from slmfit.text.figures import (
    by_unit,
    bytes_words,
    dollars,
    joined,
    milliseconds,
    number_of,
    parts_of,
    points_words,
    told,
)
from slmfit.text.visible import excerpt

FEW = 8  # labels that are named

WHAT = {
    "majority": "gives everything the most frequent answer: the floor that the others have to beat",
    "linear": "counts words, pairs of words and pieces of words, and weighs each for or against every label",
    "knn": "looks for the most similar texts among the labelled ones, and lets them vote",
    "encoder": "is a pretrained network that reads the text as a whole, trained further on the labelled texts",
    "causal": "is a small model that writes text, trained further to write the answer",
    "seq2seq": "is a small model that turns one text into another, trained further to give the answer",
    "llm": "is a large model on a server, asked about every text",
    "predictions": "is answers that were there already, scored like the others",
    "cascade": "asks a large model where a small one is unsure",
}
LINEAR_TAGS = "decides word by word what is an entity, from the word, its spelling and its neighbours"
VECTORS = {"linear": "beside them it reads the vectors of", "knn": "similar by the vectors of"}

MEANS = {
    "accuracy": "get the right label",
    "exact_match": "are wholly right: every entity found, with its type, start and end, none invented, and the intent",
    "intent_accuracy": "get the right intent",
}
ORDERS = {"size": ("smallest", "larger"), "latency": ("fastest", "slower"), "memory": ("leanest", "less lean")}
WORDS = {
    "method": "A way to give the answers; each is a row of the table. What each one is stands below the table.",
    "train, validation, test": (
        "The labelled texts in three parts. Methods learn from train, their settings are chosen on validation, and "
        "scores are of test, which no method has seen."
    ),
    "accuracy": "The share of the texts that get the right answer.",
    "95 % interval": (
        "Where the true score may lie: on other texts of the same kind the score would be a little another. Of 20 such "
        "intervals, about 19 hold the true score. Written as 80.2–82.7."
    ),
    "points": "Percentage points: from 80 % to 82 % are 2 points.",
    "not worse, margin": (
        "A method is not worse than the best where it is at most the margin below it, with luck allowed for. The "
        "margin was set before anything was compared."
    ),
    "not distinguishable": "So close that the difference may be luck.",
    "twin": "A text that occurs twice: the same, or nearly so.",
    "precision, recall, F1": (
        "Of what a method calls X, the share that is X; of all that is X, the share that it finds; and one number for "
        "both, high only where both are."
    ),
    "one text, p50, p95": "How long one answer takes: half of them take p50 or less, 19 of 20 take p95 or less.",
    "training, fit, search": "Learning from the labelled texts once; and trying settings before that.",
    "log loss, Brier score, calibration error": "How far the probabilities are from the truth; lower is better.",
}
ENTITY_WORDS = {
    "entity, intent": "A stretch of a text that has a type, as a city or a date; and what the whole text is for.",
    "missed, spurious": "An entity that was not found; one that was found where there is none.",
}
# What a warning of the audit means for the scores.
BEARS = {
    "leak": "A twin is the same text, or nearly so: its answer is known already, which makes scores look better.",
    "contradiction": "No method can be right on all of them.",
}


def words(source: Source) -> dict[str, str]:
    """What the words of the page mean."""
    return {**WORDS, **(ENTITY_WORDS if source.about.dataset["task"]["name"] == "token-classification" else {})}


def warnings(source: Source) -> list[str]:
    """What the audit warns of, in brief: a paragraph for each kind of warning; the whole of it stands with the data."""
    by_kind: dict[str, list[str]] = {}
    for found in (source.audit or {}).get("findings", ()):
        if found["severity"] == "warning":
            by_kind.setdefault(found["kind"], []).append(_brief(found["message"]))
    return [" ".join([*said, *filter(None, [BEARS.get(kind)])]) for kind, said in by_kind.items()]


def _brief(message: str) -> str:
    """What stands before the first colon, unless that is inside a name."""
    start, colon, _ = message.partition(": ")
    return f"{start}." if colon and not start.count("'") % 2 else message


def what_it_is(record: RunRecord) -> str:
    """One plain sentence for a method, without its name before it; empty for a class of the user's own."""
    words = WHAT.get(record.method, "")
    if record.method == "linear" and record.task["name"] == "token-classification":
        words = LINEAR_TAGS
    if not words or not record.base_model:
        return words
    return f"{words}; {VECTORS.get(record.method, 'it starts from')} {record.base_model}"


def methods(source: Source) -> list[tuple[str, str]]:
    """Of each method that ran, in the order of the table: its id, and what it is."""
    found = [(id, what_it_is(record)) for id, record in source.by_score()]
    return [(id, words[0].upper() + words[1:]) for id, words in found if words]


def plain(source: Source) -> list[tuple[str, str]]:
    """Question and answer; none for runs that were not compared."""
    if not source.comparison or not source.records:
        return []
    subject = next((row for row in source.methods if row.id == (source.picked or source.best)), None)
    if subject is None or not subject.scores:
        return []
    answers = [
        ("What was compared", _compared(source)),
        ("The result", " ".join(_decided(source, subject))),
        ("How sure that is", " ".join(_sure(source, subject))),
        ("What it costs", " ".join(_costs(source, subject))),
        ("What to do next", " ".join(_next(source, subject))),
    ]
    return [(question, answer) for question, answer in answers if answer]


def _compared(source: Source) -> str:
    ran, split = [row for row in source.methods if row.scores], source.about.split
    built = sum(split[name].rows for name in ("train", "validation") if name in split)
    return (
        f"{number_of(len(ran), 'way')} to {_job(source.about.dataset['task'])}. Each learnt from the same {built:,} "
        f"texts with known answers, and was then asked about {split['test'].rows:,} others, kept apart for that."
    )


def _job(task: Mapping[str, Any]) -> str:
    """What one answer is."""
    labels = [excerpt(str(label), 30) for label in task.get("labels", ())]
    if task["name"] == "multiple-choice":
        return "choose the right one of several answers to a question"
    if task["name"] == "token-classification":
        intents = [excerpt(str(intent), 30) for intent in task.get("intents", ())]
        also = f", and say which of {_named(intents, 'intents')} it has" if intents else ""
        return f"find {_named(labels, 'kinds of entities')} in a text{also}"
    return f"give a text one of {_named(labels, 'labels')}"


def _named(names: list[str], noun: str) -> str:
    some = ", ".join(names) if len(names) <= FEW else f"{', '.join(names[:3])} …"
    return f"{len(names):,} {noun}" + (f" ({some})" if names else "")


def _score(source: Source, row: MethodRow) -> Score:
    return (row.scores or {})["test"][source.metric]


def _decided(source: Source, row: MethodRow) -> Iterator[str]:
    assert source.comparison
    verdict, rows = source.comparison.verdict, source.about.split["test"].rows
    value = by_unit(source.metric, _score(source, row).value)
    right = f"its {told(source.metric)} on these {rows:,} texts is {value}"
    if source.metric in MEANS:
        right = f"{value} of these {rows:,} texts {MEANS[source.metric]}"
    if verdict.kind == "too-little-data":
        yield f"Nothing yet: {rows:,} texts are too few to say which method to take."
        yield f"Highest so far is {row.id}: with it, {right}."
    elif verdict.kind == "nothing-beats-majority":
        yield f"No method is worth it: giving always the same answer ({row.id}) does as well. With it, {right}."
    elif verdict.kind == "nothing-to-compare":
        yield f"Nothing, as one method alone ran: {row.id}. With it, {right}."
    else:
        what = what_it_is(source.records[row.id]) if row.id in source.records else ""
        yield f"Take {row.id}" + (f", which {what}." if what else ".")
        yield f"With it, {right}."
        if parts := parts_of(row, source.metric):
            alone = joined([f"{told(name)} is {by_unit(name, part.value)}" for name, part in parts.items()])
            yield f"Taken alone, {alone}."
        yield _against_best(source, row)


def _against_best(source: Source, row: MethodRow) -> str:
    """Why the pick, and not the method with the highest score."""
    assert source.comparison
    verdict, paired = source.comparison.verdict, source.comparison.paired.get(row.id)
    best = next((other for other in source.methods if other.id == verdict.best), None)
    if paired is None or best is None or best.id == row.id:
        return "No other method scores higher."
    gap, most = points_words(paired.difference.value), points_words(paired.difference.high or 0.0)
    most_so, less_so = ORDERS.get(verdict.prefer, ("cheapest", "dearer"))
    sizes = ""
    if verdict.prefer == "size" and row.size_bytes and best.size_bytes:
        sizes = f" ({bytes_words(row.size_bytes)} against {bytes_words(best.size_bytes)})"
    return (
        f"The highest score is that of {best.id}, {gap} more; allowing for chance, it may be up to {most} better. "
        f"But up to {points_words(verdict.margin)} were set beforehand as not worth a {less_so} method, and "
        f"{row.id} is the {most_so} within them{sizes}."
    )


def _sure(source: Source, row: MethodRow) -> Iterator[str]:
    score = _score(source, row)
    if score.low is not None and score.high is not None:
        low, high = (by_unit(source.metric, end) for end in (score.low, score.high))
        yield f"On other texts of the same kind, expect a score between {low} and {high}, as far as chance goes."
    floor = next((r for r in source.methods if r.name == "majority" and r.scores and r.id != row.id), None)
    if floor:
        yield f"Always giving the most frequent answer scores {by_unit(source.metric, _score(source, floor).value)}."
    if warned := len(warnings(source)):
        yield f"{number_of(warned, 'warning', 'bear')} on these figures: see above."


def _costs(source: Source, row: MethodRow) -> Iterator[str]:
    remote = row.id in source.records and source.records[row.id].remote
    if row.size_bytes is not None:
        speed = f", and {milliseconds(row.latency_ms['p50'])} to answer a text" if row.latency_ms else ""
        busy = " (measured while the machine was busy with other work)" if row.measured.get("busy") is True else ""
        yield f"{bytes_words(row.size_bytes)} of disk{speed}{busy if speed else ''}."
    if remote:
        paid = row.usd_per_1000_rows
        yield "Texts are sent to a server" + (
            f", at {dollars(paid)} for 1,000 of them." if paid is not None else "; what that costs is not known."
        )
    elif row.size_bytes is not None:
        yield "It runs on your own machine: no text leaves it, and no answer is paid for."


def _next(source: Source, row: MethodRow) -> Iterator[str]:
    assert source.comparison
    kind = source.comparison.verdict.kind
    if warnings(source):
        yield "See to the warnings."
    if kind == "too-little-data":
        yield "Have more texts labelled, and compare again."
    elif kind == "nothing-beats-majority":
        yield "Look whether the answers can be told from the texts at all, before more is spent on this."
    else:
        yield f"Read some mistakes of {row.id} under “Where they fail”: would they do harm?"
        yield (
            "If not, have some new texts labelled and it scored on them (for whoever runs it: `slmfit evaluate`), then "
            "put it to use (`slmfit predict`)."
        )
