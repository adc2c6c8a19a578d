"""Encoder-decoders: prompts are read once, on either side of padding, and answers written on from them."""

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM

import tiny
from conftest import make_dataset
from slmfit.errors import UsageError
from slmfit.finetune import decode, pretrained
from slmfit.finetune.decode import written
from slmfit.finetune.device import Device
from slmfit.finetune.rows import Rows
from slmfit.finetune.score import Asked, likelihoods, prompt_rows, reader_of, scores
from slmfit.finetune.steps import steps_of
from slmfit.finetune.tokens import joined
from slmfit.finetune.vocabulary import Vocabulary
from slmfit.finetune.write import Pairs, Write, answer_loss
from slmfit.tasks.grammar import Writing

CPU = Device("cpu", "fp32")
ROWS = [([5, 6, 7, 1], [8, 9, 1]), ([5, 1], [11, 1]), ([20, 21, 22, 23, 24, 25, 1], [1]), ([30, 1], [9, 8, 7, 6, 1])]


@pytest.fixture(scope="module", params=[False, True], ids=["own head", "tied"])
def model(request, tmp_path_factory):
    """A sharp one, so that no two tokens are equally likely."""
    folder = tiny.seq2seq(tmp_path_factory.mktemp("base"), tied=request.param, initializer_factor=3.0)
    with pretrained.quiet():
        return AutoModelForSeq2SeqLM.from_pretrained(folder).eval()


def pairs():
    tokens = joined([[*prompt, *answer] for prompt, answer in ROWS], 64)
    return Pairs(tokens, np.array([len(answer) for _, answer in ROWS], np.int64))


def test_the_loss_is_the_one_that_the_model_computes_of_each_row_alone(model):
    with torch.inference_mode():
        alone = [
            float(model(input_ids=torch.tensor([prompt]), labels=torch.tensor([answer])).loss) * len(answer)
            for prompt, answer in ROWS
        ]
        for step in (1, 8):
            made = Rows(pairs().tokens, "cpu", 0, step=step)
            for rows in ([0], [1], [0, 1, 2, 3], [3, 1]):
                found = float(answer_loss(model, made, pairs().answers, np.array(rows)))
                assert found == pytest.approx(sum(alone[i] for i in rows), rel=1e-5)
        job = Write(pairs(), pairs(), lambda model, check: {}, CPU, pad=0)
        assert job.validate(model, lambda: None)["loss"] == pytest.approx(sum(alone) / 11, rel=1e-5)


ASKED = Asked(
    [prompt for prompt, _ in ROWS],
    [[[8, 9, 10, 1], [11, 1]], [[12, 13, 1], [14, 15, 16, 17, 1], [1]], [[40, 41, 1], [42, 1]], [[50, 1]] * 2],
)


def alone(model, prompt, option):
    """In a pass of its own, without any cache."""
    logits = model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0, *option[:-1]]])).logits[0]
    return torch.log_softmax(logits.double(), -1)[range(len(option)), option].sum()


@pytest.mark.parametrize("tokens", [1, 40, 100_000])
def test_options_scored_together_are_those_of_each_read_alone(model, tokens):
    """Whatever shares a batch, and the same is the best: within 1e-5 of each."""
    found = likelihoods(model, ASKED, CPU, 0, tokens=tokens)
    with torch.inference_mode():
        for prompt, options, one in zip(ASKED.prompts, ASKED.options, found, strict=True):
            by_hand = [float(alone(model, prompt, option)) for option in options]
            np.testing.assert_allclose(one, by_hand, rtol=1e-5)
            assert np.argmax(one) == np.argmax(by_hand)


def test_what_is_learnt_from_options_scored_together_is_the_same_too(model):
    """The gradients go through what was kept of the prompts, on to the encoder."""
    names = ["encoder.block.0.layer.0.SelfAttention.q.weight", "decoder.block.1.layer.1.EncDecAttention.k.weight"]
    weights = [model.get_parameter(name) for name in names]
    reader = reader_of(model)
    together = scores(reader, model, prompt_rows(reader, ASKED, CPU, 0), ASKED, np.arange(4))
    one = torch.autograd.grad(sum(t.logsumexp(0) for t in together), weights)
    rows = zip(ASKED.prompts, ASKED.options, strict=True)
    apart = [torch.stack([alone(model, prompt, option) for option in options]) for prompt, options in rows]
    other = torch.autograd.grad(sum(t.logsumexp(0) for t in apart), weights)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))


def test_rehearsing_reads_once_and_writes_a_token_at_a_time(model):
    asked = []

    class Counting(torch.nn.Module):
        config, get_encoder = model.config, model.get_encoder

        def forward(self, decoder_input_ids, **more):
            asked.append(tuple(decoder_input_ids.shape))
            return model(decoder_input_ids=decoder_input_ids, **more)

    with torch.inference_mode():
        Write(pairs(), pairs(), lambda model, check: {}, CPU, pad=0).rehearse(Counting(), np.array([0, 3]))
    assert asked == [(2, 1)] * 5


@pytest.mark.parametrize("left", [False, True])
def test_on_whichever_side_rows_are_filled_up_the_next_tokens_are_the_same(model, left):
    rows = Rows(joined([prompt for prompt, _ in ROWS], 64), "cpu", 0, left=left)
    with torch.inference_mode():
        together = steps_of(model)(model, rows.batch(np.arange(4))).logits()
        for i, (prompt, _) in enumerate(ROWS):
            alone = model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([[0]])).logits[0, -1]
            torch.testing.assert_close(together[i], alone, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("at_once", [0, 8])
def test_batches_with_a_cache_write_what_one_row_without_does(model, at_once, monkeypatch):
    data = make_dataset("token-classification", sizes=(5, 2, 2))
    tokenizer, form = tiny.t5_tokenizer(), data.task.form("bars")
    known, texts = Vocabulary.of(tokenizer), [str(e.input) for e in data.train]
    grammar = form.grammar.written_in(known.pieces, known.lead)
    prompts = [tokenizer.encode(form.ask(text)) for text in texts]

    def writing(row):
        return Writing(grammar, form.copied(texts[row], known.pieces))

    monkeypatch.setattr(decode, "AT_ONCE", at_once)
    found = written(model, joined(prompts, 100), writing, 100, known, CPU, 0)
    for i, prompt in enumerate(prompts):
        row, ids = decode._Row(writing(i), 100 - len(prompt), known), [0]
        with torch.inference_mode():
            while (
                token := row.add(
                    model(input_ids=torch.tensor([prompt]), decoder_input_ids=torch.tensor([ids])).logits[0, -1].numpy()
                )
            ) is not None:
                ids.append(token)
        assert found[i].text == row.answer.text and found[i].ends == row.answer.ends
        np.testing.assert_allclose(found[i].shares, row.answer.shares, atol=1e-3)


def test_each_kind_of_model_is_sent_where_it_belongs(tmp_path):
    t5 = AutoConfig.for_model("t5", architectures=["T5ForConditionalGeneration"])
    with pytest.raises(UsageError, match=r"is a seq2seq model, which 'encoder' cannot use") as caught:
        pretrained.check_kind(t5, "my-t5", "encoder")
    assert caught.value.fix.startswith("use seq2seq=my-t5")
    for name in ("t5", "mt5", "umt5"):
        config = AutoConfig.for_model(name, architectures=["ForConditionalGeneration"])
        pretrained.check_kind(config, "a", "seq2seq", "ForConditionalGeneration")
    for name in ("bart", "mbart", "pegasus", "m2m_100", "longt5", "t5gemma", "seamless_m4t"):
        with pytest.raises(UsageError, match=f"of the type '{name}', which 'seq2seq' cannot use"):
            pretrained.check_kind(AutoConfig.for_model(name), "a", "seq2seq", "ForConditionalGeneration")
    bert = AutoConfig.for_model("bert", architectures=["BertForMaskedLM"])
    with pytest.raises(UsageError, match="is a encoder model"):
        pretrained.check_kind(bert, "a", "seq2seq")
