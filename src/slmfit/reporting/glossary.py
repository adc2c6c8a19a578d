"""What each method is and what the words of the page mean, for a reader who was not there.

what_it_is(record)      # "counts words and pairs of words, and weighs each for or against every label"
"""

from __future__ import annotations

from slmfit.records import RunRecord
from slmfit.reporting.disk import Source
from slmfit.tasks import by_name

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
VECTORS = {
    "linear": "beside them it knows which words mean much the same, from a ready-made table:",
    "knn": "similar by a ready-made table of which words mean much the same:",
    "llm": "here it is",
    "predictions": "here they are those of",
}

WORDS = {
    "text, row": "One text with its known answer, where it has one.",
    "label, class": "One of the answers that a text can get.",
    "method": "A way to give the answers; each is a row of the table. What each one is stands below the table.",
    "train, validation, test": (
        "The labelled texts in three parts. Methods learn from train, their settings are chosen on validation, and "
        "scores are of test, which none of them was shown."
    ),
    "accuracy": "The share of the texts that get the right answer.",
    "95 % interval": (
        "Where the true score may lie: on other texts of the same kind the score would differ a little. Of 20 such "
        "intervals, about 19 hold the true score."
    ),
    "points": "Percentage points: from 80 % to 82 % are 2 points.",
    "not worse, margin": (
        "A method is not worse than the best where it is at most the margin below it, with luck allowed for. The "
        "margin was set before anything was compared: 2 points unless the person who ran it said otherwise."
    ),
    "as good as the best": "So close to it that the difference may be luck.",
    "random guess": "What drawing answers by lot would score.",
    "twin": "A text that occurs twice: the same, or nearly so.",
    "precision, recall, F1": (
        "Of what a method calls X, the share that is X; of all that is X, the share that it finds; and one number for "
        "both, high only where both of these are. Macro: the mean over labels; micro: over texts; weighted: over "
        "labels, common ones counting more; balanced accuracy: the mean recall of the labels."
    ),
    "one text": "How long one answer takes: half of them take the first figure or less, 19 of 20 the second or less.",
    "learning once, search": "Learning from the labelled texts once; and trying settings before that.",
    "calibration error": "How far, on average, “80 % sure” is from being right 80 times in 100; lower is better.",
    "log loss, Brier score": "Two measures of how far the probabilities are from the answers; lower is better.",
}
ENTITY_WORDS = {
    "entity, intent": "A stretch of a text that has a type, as a city or a date; and what the whole text is for.",
    "missed, spurious": "An entity that was not found; one that was found where there is none.",
}


def words(source: Source) -> dict[str, str]:
    """What the words of the page mean."""
    return {**WORDS, **(ENTITY_WORDS if by_name(source.about.dataset["task"]["name"]).marks else {})}


def what_it_is(record: RunRecord) -> str:
    """One plain sentence for a method, without its name before it; empty for a class of the user's own."""
    words = WHAT.get(record.method, "")
    if record.method == "linear" and by_name(record.task["name"]).marks:
        words = LINEAR_TAGS
    if not words or not record.base_model:
        return words
    return f"{words}; {VECTORS.get(record.method, 'it starts from')} {record.base_model}"


def methods(source: Source) -> list[tuple[str, str]]:
    """Of each method that ran, the pick first: its id, and what it is."""
    ordered = sorted(source.by_score(), key=lambda pair: pair[0] != source.picked)
    found = [(id, what_it_is(record)) for id, record in ordered]
    return [(id, words[0].upper() + words[1:]) for id, words in found if words]
