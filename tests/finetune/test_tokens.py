import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny
from slmfit.finetune.forward import inputs
from slmfit.finetune.rows import Rows
from slmfit.finetune.tokens import tokenise

TOKENIZERS = {"words": tiny.word_tokenizer(), "bytes": tiny.byte_tokenizer()}
TOKENIZERS["bytes"].pad_token = "<|endoftext|>"


def rows_of(tokens):
    made = Rows(tokens, "cpu", pad=0)
    batch = made.batch(np.arange(len(tokens)))
    return [ids[mask.bool()].tolist() for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)]


@settings(deadline=None)
@pytest.mark.parametrize("kind", list(TOKENIZERS))
@given(texts=st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=6), limit=st.integers(4, 30))
def test_cut_later_as_the_tokenizer_would_have_cut(kind, texts, limit):
    tokenizer = TOKENIZERS[kind]
    expected = tokenizer([t.encode("utf-8", "replace").decode() for t in texts], truncation=True, max_length=limit)
    assert rows_of(tokenise(tokenizer, texts, 40).at_most(limit)) == expected["input_ids"]


def test_padding_on_either_side():
    tokens = tokenise(TOKENIZERS["words"], ["invoice", "invoice charged twice"], 20)
    for left in (False, True):
        batch = Rows(tokens, "cpu", pad=0, left=left, step=8).batch(np.array([0, 1]))
        assert batch["input_ids"].shape == (2, 8)
        assert batch["attention_mask"].sum(1).tolist() == tokens.lengths.tolist()
        real = [ids[mask.bool()].tolist() for ids, mask in zip(*batch.values(), strict=True)]
        assert real == rows_of(tokens)
        assert bool(batch["attention_mask"][0, 0]) != left


def test_a_mask_is_left_out_only_when_it_hides_nothing():
    tokens = tokenise(TOKENIZERS["words"], ["invoice", "parcel", "invoice charged twice"], 20)
    for step, rows, masked in ((1, [0, 1], False), (1, [0, 2], True), (8, [0, 1], True)):
        made = inputs(Rows(tokens, "cpu", pad=0, step=step), np.array(rows))
        assert ("attention_mask" in made) == masked


def test_cached_by_content(tmp_path, monkeypatch):
    tokenizer, texts = TOKENIZERS["words"], ["a parcel", "a late parcel"]
    first = tokenise(tokenizer, texts, 20, tmp_path)
    monkeypatch.setattr("slmfit.finetune.tokens._tokenise", lambda *a: pytest.fail("not from the cache"))
    again = tokenise(tokenizer, texts, 20, tmp_path)
    assert again.ids.tolist() == first.ids.tolist()
    assert again.tail == first.tail == 1
    monkeypatch.undo()
    for other in ({"limit": 19}, {"fill": 3}):
        tokenise(tokenizer, texts, **{"limit": 20, **other}, cache=tmp_path)
    tokenise(TOKENIZERS["bytes"], texts, 20, tmp_path)
    tokenise(tokenizer, texts[:1], 20, tmp_path)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 5


def test_a_damaged_cache_is_made_again(tmp_path):
    tokenizer, texts = TOKENIZERS["words"], ["a parcel", "a late parcel"]
    first = tokenise(tokenizer, texts, 20, tmp_path)
    path = next(tmp_path.rglob("*.safetensors"))
    for place in range(0, path.stat().st_size, 7):
        raw = bytearray(path.read_bytes())
        raw[place] ^= 0x41
        path.write_bytes(raw)
        assert tokenise(tokenizer, texts, 20, tmp_path).ids.tolist() == first.ids.tolist()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "tokens").write_text("in the way")
    assert len(tokenise(TOKENIZERS["words"], ["a parcel"], 20, tmp_path)) == 1


def test_odd_texts():
    tokens = tokenise(TOKENIZERS["bytes"], ["", "half \ud83d pair", "😀"], 20, fill=1)
    assert rows_of(tokens)[0] == [1]
    assert (tokens.lengths > 0).all()
    assert len(tokenise(TOKENIZERS["bytes"], [], 20)) == 0


def test_the_tokenizer_is_left_as_it_was():
    tokenizer = TOKENIZERS["words"]
    before = tokenizer.backend_tokenizer.to_str()
    tokenise(tokenizer, ["a parcel"], 20)
    assert tokenizer.backend_tokenizer.to_str() == before
