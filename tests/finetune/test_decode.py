"""Answers written under a grammar: whatever the model, the tokenizer and the text, each can be read."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import tiny
from slmfit.errors import UsageError
from slmfit.finetune import decode
from slmfit.finetune.decode import written
from slmfit.finetune.device import Device
from slmfit.finetune.tokens import encodable, joined
from slmfit.finetune.vocabulary import Vocabulary
from slmfit.records import Entities
from slmfit.tasks.forms.entities import FORMS
from slmfit.tasks.grammar import NEVER, Writing
from slmfit.tasks.splitting import GRAINS
from slmfit.tasks.tagging import TokenClassification

TASK = TokenClassification(("CITY", "DAY", "Ort-é"), ("book", "book it", "cancel"))
CPU = Device("cpu", "fp32")
SEEN = [
    "fly to Rome on Monday, book it", "intent: cancel\nB-CITY: Rome\nB-DAY: Monday\nB-Ort-é: x\n",
    '{"entities": [{"text": "Rome", "label": "CITY"}], "intent": "book"}',
    "intent: book| B-CITY: Rome| B-DATE: 10 May|",
    "مرحبا بالعالم 漢字 😀 café\r\n",
] * 10  # fmt: skip
TEXTS = st.text(st.sampled_from('ab Ro\t\r\n."\\😀é\u0301مرح漢字\u200f\u00a0\ud83dé'), max_size=30)


def byte_level(alphabet):
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<end>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(SEEN, trainer)
    return backend


def marked(fallback):
    """Spaces as "▁", as SentencePiece and Llama 2 have it; with tokens for bytes, or without."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=fallback, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    backend.decoder = decoders.Sequence(parts)
    special = ["<unk>", "<end>", *(f"<0x{byte:02X}>" for byte in range(256 if fallback else 0))]
    backend.train_from_iterator(
        SEEN, trainers.BpeTrainer(vocab_size=500, special_tokens=special[:2], show_progress=False)
    )
    if fallback:
        vocabulary = backend.get_vocab()
        model = Tokenizer.from_str(backend.to_str())
        merges = __import__("json").loads(backend.to_str())["model"]["merges"]
        names = [name for name, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
        names = [*special[:2], *special[2:], *(n for n in names if n not in special)]
        model.model = models.BPE(
            vocab={name: i for i, name in enumerate(names)}, merges=[tuple(m) for m in merges],
            unk_token="<unk>", byte_fallback=True, fuse_unk=True,
        )  # fmt: skip
        backend = model
    return backend


def unigram():
    """As T5's: whole characters alone, and those of the training texts only."""
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<unk>", "<end>"], unk_token="<unk>", show_progress=False
    )
    lines = [f"{text} \n" for text in SEEN]
    backend.train_from_iterator([*lines, *[c for text in lines for c in text]], trainer)
    return backend


KINDS = {
    "bytes": lambda: byte_level(pre_tokenizers.ByteLevel.alphabet()),
    "some bytes": lambda: byte_level([]),
    "marked": lambda: marked(False),
    "marked, bytes": lambda: marked(True),
    "unigram": unigram,
}


@cache
def tokenizer_of(kind):
    return PreTrainedTokenizerFast(tokenizer_object=KINDS[kind](), eos_token="<end>")


@cache
def vocabulary(kind):
    return Vocabulary.of(tokenizer_of(kind))


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_tokens_write_is_what_the_tokenizer_reads(kind):
    backend, known = tokenizer_of(kind).backend_tokenizer, vocabulary(kind)
    for text in SEEN[:3]:
        ids = backend.encode(text, add_special_tokens=False).ids
        assert b"".join(known.written[i] for i in ids) == known.lead + text.encode()
    assert known.lead == (b"" if "bytes" in (kind, kind[5:]) else b" ")
    for character in "Ré":
        assert known.pieces.fewest(character.encode(), (len(character.encode()),))[0] < NEVER
    assert (known.pieces.fewest("☂".encode(), (3,))[0] == 3) == (kind in ("bytes", "marked, bytes"))


@pytest.mark.parametrize("kind", list(KINDS))
@settings(deadline=None)
@given(
    text=TEXTS, form=st.sampled_from(list(FORMS)), grain=st.sampled_from(list(GRAINS)),
    room=st.integers(0, 60), seed=st.integers(0, 1 << 30),
)  # fmt: skip
def test_whatever_the_scores_an_answer_can_be_read_and_fits(kind, text, form, grain, room, seed):
    text, known = encodable(text), vocabulary(kind)
    form = TASK.form(form, grain)
    grammar = form.grammar.written_in(known.pieces, known.lead)
    room += grammar.least
    row = decode._Row(Writing(grammar, form.copied(text, known.pieces)), room, known)
    rng, tokens = np.random.default_rng(seed), []
    size = max(*known.written, known.end) + 1
    while (token := row.add(rng.normal(size=size) - 3 * (np.arange(size) == known.end))) is not None:
        tokens.append(token)
    answer = form.read(row.answer.text, text).target
    assert len(tokens) <= room
    assert isinstance(answer, Entities) and not answer.unplaced
    assert all(text[s.start : s.end].strip() for s in answer.spans)
    assert all(0 < row.answer.share(*part) <= 1 for part in form.parts(row.answer.text))


def test_what_is_added_and_in_the_vocabulary_as_well_writes_what_it_does_there():
    names = ["<unk>", "<end>", "▁", "▁▁", "a", "b"]
    merges = [("▁", "▁")]
    backend = Tokenizer(models.BPE(vocab={n: i for i, n in enumerate(names)}, merges=merges, unk_token="<unk>"))
    backend.normalizer, backend.decoder = normalizers.Replace(" ", "▁"), decoders.Replace("▁", " ")
    backend.add_tokens([AddedToken("▁▁", normalized=False), AddedToken("<tool>", normalized=False)])
    known = Vocabulary.of(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<end>"))
    ids = backend.encode("a  b<tool>", add_special_tokens=False).ids
    assert ids == [4, 3, 5, 6]
    assert [known.written[i] for i in ids] == [b"a", b"  ", b"b", b"<tool>"]


def test_a_tokenizer_that_loses_spaces_or_case_is_refused():
    with pytest.raises(UsageError, match="cannot write every text back"):
        Vocabulary.of(tiny.word_tokenizer(), "that-model")


TEXT_ROWS = [
    "fly to Rome on Monday",
    "",
    "a" * 20,
    "مرحبا بالعالم 😀 café",
    "go to Oslo or Lima or Rome on Friday\r\n",
    "no",
] * 3


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A model of random weights, a sharp one, so that no two tokens are equally likely."""
    folder = tiny.causal(tmp_path_factory.mktemp("base"), initializer_range=0.5)
    return AutoModelForCausalLM.from_pretrained(folder).eval(), tiny.byte_tokenizer()


def asked(tokenizer, form, texts, limit=100):
    known = Vocabulary.of(tokenizer)
    prompts = [tokenizer.encode(form.ask(text)) for text in texts]

    def writing(row):
        return Writing(form.grammar.written_in(known.pieces), form.copied(texts[row], known.pieces))

    return joined(prompts, limit), writing, known


def naive(model, prompt, writing, known, limit):
    """One row, everything computed anew for every token."""
    row, ids = decode._Row(writing, limit - len(prompt), known), list(prompt)
    while True:
        with torch.inference_mode():
            token = row.add(model(torch.tensor([ids])).logits[0, -1].numpy())
        if token is None:
            return row.answer
        ids.append(token)


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("at_once", [0, 8])
def test_batches_with_a_cache_write_what_one_row_without_does(tuned, form, at_once, monkeypatch):
    model, tokenizer = tuned
    form = TASK.form(form)
    prompts, writing, known = asked(tokenizer, form, TEXT_ROWS, limit=90)
    monkeypatch.setattr(decode, "AT_ONCE", at_once)
    found = written(model, prompts, writing, 90, known, CPU, 0)
    for i, answer in enumerate(found[:6]):
        begin, end = prompts.starts[i : i + 2]
        plain = naive(model, prompts.ids[begin:end].tolist(), writing(i), known, 90)
        assert answer.text == plain.text and answer.ends == plain.ends
        np.testing.assert_allclose(answer.shares, plain.shares, atol=1e-4)
    assert [a.text for a in found[:6]] == [a.text for a in found[6:12]]


@pytest.mark.parametrize("family", [*tiny.FAMILIES, *tiny.ONLY_WRITING])
def test_other_families_write_in_batches_what_they_write_alone(family, tmp_path):
    """With positions that are learnt, windows that attention slides over, and caches of other shapes."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(tiny.of_family(tmp_path, family, initializer_range=0.3)).eval()
    prompts, writing, known = asked(tiny.byte_tokenizer(), TASK.form("lines"), TEXT_ROWS[:6], limit=64)
    found = written(model, prompts, writing, 64, known, CPU, 0)
    for i, answer in enumerate(found):
        begin, end = prompts.starts[i : i + 2]
        plain = naive(model, prompts.ids[begin:end].tolist(), writing(i), known, 64)
        assert answer.text == plain.text
        np.testing.assert_allclose(answer.shares, plain.shares, atol=1e-4)


def test_what_does_not_fit_into_memory_is_written_in_halves(tuned):
    model, tokenizer = tuned
    prompts, writing, known = asked(tokenizer, TASK.form("lines"), TEXT_ROWS, limit=90)
    whole = written(model, prompts, writing, 90, known, CPU, 0)

    class Small:
        def __init__(self):
            self.forward = model.forward

        def __call__(self, **inputs):
            if len(inputs["input_ids"]) > 5:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return model(**inputs)

    halves = written(Small(), prompts, writing, 90, known, CPU, 0)
    assert [a.text for a in halves] == [a.text for a in whole]


def test_told_to_stop_it_stops(tuned):
    model, tokenizer = tuned
    prompts, writing, known = asked(tokenizer, TASK.form("lines"), TEXT_ROWS)

    def check():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(model, prompts, writing, 100, known, CPU, 0, check)
