"""The spans: the encoder reads the text, a head on it gives each token a number for each tag. The first token of a word
speaks for it. Texts that are too long are read in windows that overlap.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoModelForTokenClassification, AutoTokenizer

from slmfit.ejecting.parts.bio import Spans, spans_of, tags_for
from slmfit.ejecting.parts.loading import base, loaded
from slmfit.ejecting.parts.run import MODEL
from slmfit.ejecting.parts.tuning import configured, tuned
from slmfit.tasks.splitting import split

AT_PUNCTUATION = False  # whether words end at punctuation, too
UNREAD = -30.0  # the log-probability of all tags but O of a word that no token speaks for


class Tagger:
    """The model and tokenizer in a folder of transformers; in it also the head for intents, if there is one."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = loaded(AutoModelForTokenClassification)
        self.tags = [self.model.config.id2label[i] for i in range(self.model.config.num_labels)]
        # [intents]
        self.intents = json.loads((folder / "entities.json").read_text(encoding="utf-8"))["intents"]
        self.head = load_file(folder / "intent.safetensors")
        # [/intents]

    def find(self, text: str) -> tuple[Spans, dict[str, float]]:
        """The spans of a text, and the probability of every intent."""
        words = split(text, fine=AT_PUNCTUATION)
        scores = torch.full((len(words), len(self.tags)), UNREAD)
        scores[:, 0] = 0.0  # O
        before, ids, after, spoken = read(self.tokenizer, text, words)
        shares: dict[str, float] = {}
        for begin, end, taken, until in windows(len(ids), self.tokenizer.model_max_length - len(before + after)):
            with torch.inference_mode():
                made = self.model(torch.tensor([before + ids[begin:end] + after]), output_hidden_states=True)
            said = made.logits[0, len(before) :].log_softmax(-1)
            for token in range(taken, until):
                if spoken[token] >= 0:
                    scores[spoken[token]] = said[token - begin]
            # [intents]
            if begin == 0:  # the intent is told by the mean of the first window's tokens
                mean = made.hidden_states[-1].mean(1)[0]
                logits = self.head["weight"] @ mean + self.head["bias"]
                shares = dict(zip(self.intents, logits.double().softmax(-1).tolist(), strict=True))
            # [/intents]
        return spans_of([self.tags[tag] for tag in best(scores)], words), shares


def read(
    tokenizer: Any, text: str, words: Sequence[tuple[int, int]]
) -> tuple[list[int], list[int], list[int], list[int]]:
    """The special tokens before a text, its own, those after it; and which word each of its own speaks for, or -1."""
    framed = tokenizer("a", return_special_tokens_mask=True)
    special = framed["special_tokens_mask"]
    head, tail = special.index(0), special[::-1].index(0)
    made = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spoken, at = [], 0
    for start, end in made["offset_mapping"]:
        while start < end and text[start].isspace():  # some tokenizers give a token the space before it
            start += 1
        while at < len(words) and words[at][1] <= start:
            at += 1
        first = start < end and at < len(words) and words[at][0] <= start
        spoken.append(at if first else -1)
        at += first
    ids = framed["input_ids"]
    return ids[:head], made["input_ids"], ids[len(ids) - tail :], spoken


def windows(length: int, size: int) -> list[tuple[int, int, int, int]]:
    """Where each window over so many tokens begins and ends, and which part of it counts: where it sees both sides."""
    overlap, begins = size // 4, [0]
    while begins[-1] + size < length:
        begins.append(min(begins[-1] + size - overlap, length - size))
    edges = [0, *((begin + before + size) // 2 for before, begin in pairwise(begins)), length]
    return [(begin, min(begin + size, length), edges[i], edges[i + 1]) for i, begin in enumerate(begins)]


def best(scores: torch.Tensor) -> list[int]:
    """The likeliest tags [words, tags] of which every I-X follows an X (Viterbi). They are O, B-X, I-X, B-Y, I-Y …"""
    tags = range(scores.shape[1])
    allowed = [[to == 0 or to % 2 == 1 or before in (to, to - 1) for to in tags] for before in tags]
    steps = torch.zeros(len(tags), len(tags)).masked_fill(~torch.tensor(allowed), -torch.inf)
    if not len(scores):
        return []
    total, came = scores[0] + steps[0], []  # the first word comes as after an O
    for own in scores[1:]:
        ways = total[:, None] + steps
        came.append(ways.argmax(0).tolist())
        total = ways.amax(0) + own
    path = [int(total.argmax())]
    for before in reversed(came):
        path.append(before[path[-1]])
    return path[::-1]


# [trained]
def train(texts: Sequence[str], spans: Sequence[Spans], intents: Sequence[str] = ()) -> Callable[[str], list[str]]:
    """What gives the words of a text their tags, learnt anew from these rows, from the base model on.

    A text at a time goes through the model here: slower than a padded batch, and easier to read.
    """
    labels, known = sorted({label for theirs in spans for *_, label in theirs}), sorted(set(intents))
    tags = ["O", *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = base(AutoModelForTokenClassification, configured(tokenizer, tags))
    model.intent = torch.nn.Linear(model.config.hidden_size, max(1, len(known)))

    def said_of(text: str) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
        """What is said of the words that were read, and of the text; and which words these are."""
        before, ids, after, spoken = read(tokenizer, text, split(text, fine=AT_PUNCTUATION))
        room = tokenizer.model_max_length - len(before + after)
        made = model(torch.tensor([before + ids[:room] + after]), output_hidden_states=True)
        first = [token for token, word in enumerate(spoken[:room]) if word >= 0]
        said = made.logits[0, [len(before) + token for token in first]]
        return said, model.intent(made.hidden_states[-1].mean(1)), [spoken[token] for token in first]

    def loss_of(rows: Sequence[tuple[str, Spans, str]]) -> torch.Tensor:
        loss = torch.zeros(())
        for text, theirs, intent in rows:
            right = tags_for(theirs, split(text, fine=AT_PUNCTUATION))
            said, of_text, words = said_of(text)
            numbers = torch.tensor([tags.index(right[word]) for word in words])
            loss = loss + torch.nn.functional.cross_entropy(said, numbers)
            if known:
                loss = loss + torch.nn.functional.cross_entropy(of_text, torch.tensor([known.index(intent)]))
        return loss / len(rows)

    tuned(model, list(zip(texts, spans, intents or [""] * len(texts), strict=True)), loss_of)
    return lambda text: [tags[i] for i in said_of(text)[0].argmax(-1).tolist()]


# [/trained]
