"""Two texts as one row of tokens: as the checkpoint's own tokenizer makes it, whatever the length."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import processors

import tiny
from slmfit.finetune.pairs import Frame, tokenise_pairs
from slmfit.finetune.rows import Rows


def bert():
    return tiny.word_tokenizer()


def roberta():
    """Byte-level, two separators between the texts, no types of tokens."""
    tokenizer = tiny.byte_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.RobertaProcessing(("</s>", 0), ("<s>", 1))
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.pad_token = "<|endoftext|>"
    return tokenizer


MADE = {"bert": bert(), "roberta": roberta()}
TEXT = st.text(st.sampled_from("invoice charged twice \n☃é\ud83d"), max_size=40)


def rows_of(tokens, name, **how):
    batch = Rows(tokens, "cpu", pad=0, **how).batch(np.arange(len(tokens)))
    return [part[mask.bool()].tolist() for part, mask in zip(batch[name], batch["attention_mask"], strict=True)]


@settings(deadline=None)
@pytest.mark.parametrize("kind", list(MADE))
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), st.integers(6, 40))
@example([("a" * 60, "b" * 50), ("b" * 50, "a" * 60), ("a" * 60, "a" * 60), ("", ""), ("", "a" * 60)], 11)
def test_rows_are_those_of_the_tokenizer(kind, pairs, limit):
    tokenizer = MADE[kind]
    firsts, seconds = ([t.encode("utf-8", "replace").decode() for t in side] for side in zip(*pairs, strict=True))
    expected = tokenizer(firsts, seconds, truncation=True, max_length=limit)
    tokenizer.backend_tokenizer.no_truncation()
    tokens = tokenise_pairs(tokenizer, pairs, 40, Frame.own_of(tokenizer, kinds=2)).at_most(limit)
    for left in (False, True):
        assert rows_of(tokens, "input_ids", left=left) == expected["input_ids"]
        if kind == "bert":
            assert rows_of(tokens, "token_type_ids", left=left, step=8) == expected["token_type_ids"]
    assert tokens.lengths.tolist() == [len(ids) for ids in expected["input_ids"]]


def test_types_are_told_only_where_the_model_knows_them():
    assert Frame.own_of(MADE["bert"], kinds=2).types == (0, 0, 0, 1, 1)
    assert Frame.own_of(MADE["bert"], kinds=1).types is None
    assert Frame.own_of(MADE["roberta"], kinds=2).types is None
    assert Frame.own_of(tiny.byte_tokenizer(), kinds=2) is None  # it sets nothing between


def test_a_line_break_between_where_the_tokenizer_sets_nothing_and_both_stay_when_cut():
    tokenizer = tiny.byte_tokenizer()
    frame = Frame.by_line(tokenizer, stand_in=1)
    tokens = tokenise_pairs(tokenizer, [("the parcel", "is late"), ("invoice " * 40, "late " * 3)], 60, frame)
    one, other = rows_of(tokens, "input_ids")
    assert tokenizer.decode(one) == "the parcel\nis late"
    assert len(other) == 60
    assert tokenizer.decode(other).endswith("\nlate late late ")
    assert Frame.by_line(bert(), stand_in=9).between == (9,)  # it knows no line break


def test_no_pairs_at_all():
    tokens = tokenise_pairs(MADE["bert"], [], 20, Frame.own_of(MADE["bert"], kinds=2))
    assert len(tokens) == 0
