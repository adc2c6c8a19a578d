"""Windows take every token once, words are spoken for by their first token, and no entity is lost at an edge."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tiny
from slmfit.finetune.device import Device
from slmfit.finetune.logits import best, spans_of, tag_names
from slmfit.finetune.tag import answer
from slmfit.finetune.windows import UNREAD, cut, encode
from slmfit.tasks.spans import spans_from_tags
from slmfit.tasks.splitting import split

CPU = Device("cpu", "fp32")


@given(st.integers(0, 300), st.integers(2, 40), st.data())
def test_every_token_is_taken_once(length, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    made = cut(length, size, overlap)
    assert [i for _, _, begin, end in made for i in range(begin, end)] == list(range(length))
    assert all(opens <= begin <= end <= closes <= opens + size for opens, closes, begin, end in made)


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.word_tokenizer()


def test_the_first_token_speaks_for_a_word(tokenizer):
    texts = ["parcel invoice", "", "xqzxqz refund", "naïve 😀 e\u0301"]
    words = [split(text) for text in texts]
    made = encode(tokenizer, texts, words).windows(64)
    assert made.count == sum(map(len, words))
    spoken = made.word[made.word >= 0]
    assert len(set(spoken)) == len(spoken)
    for n in range(len(texts)):
        begin, end = made.tokens.starts[n : n + 2]
        assert made.word[begin] == made.word[end - 1] == -1  # the special tokens
    assert list(made.word[: made.tokens.starts[1]]).count(0) == 1


class Labeller(torch.nn.Module):
    """Tags a token by its id alone: the ids of `inside` go on with an entity, those of `begins` start one."""

    def __init__(self, begins, inside):
        super().__init__()
        self.begins, self.inside = begins, inside

    def forward(self, input_ids, attention_mask=None):
        tags = torch.full((*input_ids.shape, 3), -20.0)
        tags[..., 0] = 0.0
        tags[..., 1][torch.isin(input_ids, self.begins)] = 20.0
        tags[..., 2][torch.isin(input_ids, self.inside)] = 20.0
        return tags, torch.zeros(len(input_ids), 0)


@pytest.mark.parametrize("size", [16, 50, 128, 511])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_entities_survive_every_edge(tokenizer, size, share):
    rng = np.random.default_rng(size)
    words, truth = [], []
    for _ in range(200):
        words += ["parcel"] * int(rng.integers(5, 16))
        at = len(words)
        words += ["invoice", *["refund"] * int(rng.integers(1, 5))]
        truth.append((at, len(words)))
    text = " ".join(words)
    places = split(text)
    made = encode(tokenizer, [text], [places]).windows(size, overlap=int(share * (size - 2)))
    assert len(made.tokens.ids) >= 3000 or len(made.row) > 1
    begins, inside = (torch.tensor([tokenizer.convert_tokens_to_ids(w)]) for w in ("invoice", "refund"))
    scores, _ = answer(Labeller(begins, inside), made, CPU, pad=0, tokens=2048)
    spans, shares, _ = spans_of(scores, tag_names(["X"]), places)
    assert [(s.start, s.end) for s in spans] == [(places[a][0], places[b - 1][1]) for a, b in truth]
    assert min(shares) > 0.99


def test_a_word_without_a_token_is_outside(tokenizer):
    made = encode(tokenizer, ["parcel \x00 refund"], [[(0, 6), (7, 8), (9, 15)]]).windows(32)
    scores, _ = answer(Labeller(torch.tensor([0]), torch.tensor([0])), made, CPU, pad=0, tokens=64)
    assert scores[1].tolist() == [0.0, UNREAD, UNREAD] or made.word.max() == 2


@given(st.integers(0, 5), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_the_best_sequence_is_the_best_of_all_that_are_ones(words, labels, seed):
    names = tag_names("XY"[:labels])
    scores = np.random.default_rng(seed).normal(size=(words, len(names)))

    def all_from(before, step):
        if step == words:
            return [(0.0, ())]
        allowed = [t for t in range(len(names)) if t % 2 or not t or before in (t, t - 1)]
        rest = {t: all_from(t, step + 1) for t in allowed}
        return [(scores[step, t] + value, (t, *path)) for t in allowed for value, path in rest[t]]

    path = best(scores)
    assert sum(scores[i, t] for i, t in enumerate(path)) == pytest.approx(max(all_from(0, 0))[0])
    assert spans_from_tags([names[t] for t in path], [(i, i + 1) for i in range(words)])[1] == []
