"""Options scored together, after a prompt that is read once: the numbers are those of each read alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, MambaConfig, MambaForCausalLM

import tiny
from slmfit.finetune import score
from slmfit.finetune.device import Device
from slmfit.finetune.logits import NotFinite
from slmfit.finetune.score import Asked, Kept, Whole, following, likelihoods, reader_of

CPU = Device("cpu", "fp32")
WIDE = {"initializer_range": 0.3}  # a model of small weights finds all options alike


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.causal(tmp_path_factory.mktemp("base"), **WIDE)


@pytest.fixture(scope="module")
def model(folder):
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def alone(model, prompt, option):
    """One option after one prompt, in a pass of its own."""
    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *option]])).logits[0, len(prompt) - 1 : -1]
    return float(torch.log_softmax(logits.double(), -1)[range(len(option)), option].sum())


def by_hand(model, asked):
    return [[alone(model, p, o) for o in options] for p, options in zip(asked.prompts, asked.options, strict=True)]


def same(found, expected):
    """Within 1e-5 of each, and the same option is best: that is what is answered."""
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other, rtol=1e-5)
        assert np.argmax(one) == np.argmax(other)


IDS = st.lists(st.integers(2, 390), min_size=1, max_size=12)
ROW = st.tuples(IDS, st.lists(IDS, min_size=1, max_size=5, unique_by=tuple))


@settings(deadline=None, max_examples=15)
@given(rows=st.lists(ROW, min_size=1, max_size=6), tokens=st.sampled_from([1, 60, 100_000]))
def test_they_are_those_of_each_option_alone(model, rows, tokens):
    """Whatever the lengths, the numbers of options, what shares a batch, and the side that is filled up."""
    asked = Asked([prompt for prompt, _ in rows], [options for _, options in rows])
    expected = by_hand(model, asked)
    for reader in (Kept(), Whole()):
        same(likelihoods(model, asked, CPU, 0, reader=reader, tokens=tokens), expected)


ROWS = Asked(
    [[5, 6, 7], [9], [20, 21, 22, 23, 24, 25, 26, 27, 28], [30, 31]],
    [[[8, 9, 10], [11]], [[12, 13], [14, 15, 16, 17], [18]], [[40, 41], [42, 43]], [[50], [51]]],
)


@pytest.mark.parametrize("family", [*tiny.FAMILIES, *tiny.ONLY_WRITING])
def test_in_every_family(family, tmp_path):
    """Also where layers see a few tokens only, fewer than a prompt has, or remember by convolution."""
    narrow = {"sliding_window": 4} if family == "Gemma3Text" else {}
    base = tiny.of_family(tmp_path, family, **WIDE, **narrow)
    found = AutoModelForCausalLM.from_pretrained(base).eval()
    assert isinstance(reader_of(found), Kept)
    same(likelihoods(found, ROWS, CPU, 0), by_hand(found, ROWS))


def test_a_model_that_keeps_nothing_reads_every_row_whole(tmp_path):
    found = MambaForCausalLM(MambaConfig(vocab_size=400, hidden_size=16, num_hidden_layers=1)).eval()
    assert isinstance(reader_of(found), Whole)
    same(likelihoods(found, ROWS, CPU, 0), by_hand(found, ROWS))


def test_a_prompt_is_read_once(model):
    """Which is the point: 3 prompts' tokens, and the options' but for their last ones."""
    read = []

    class Counting(torch.nn.Module):
        config = model.config

        def forward(self, input_ids, logits_to_keep=0, **more):
            read.append(tuple(input_ids.shape))
            return model(input_ids=input_ids, logits_to_keep=logits_to_keep, **more)

    one = Asked([[5, 6, 7, 8, 9]], [[[10, 11, 12], [13], [14, 15]]])
    likelihoods(Counting(), one, CPU, 0, reader=Kept())
    assert read == [(1, 5), (3, 2)]
    read.clear()
    likelihoods(Counting(), Asked([[5, 6]], [[[10], [13]]]), CPU, 0, reader=Kept())
    assert read == [(1, 2)]  # an option of one token is known once the prompt is read


def test_gradients_are_those_of_each_option_alone(model):
    def gradient(reader):
        model.zero_grad()
        rows = score.prompt_rows(reader, ROWS, CPU, 0)
        sum(s.sum() for s in score.scores(reader, model, rows, ROWS, np.arange(4))).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    kept, whole = gradient(Kept()), gradient(Whole())
    model.zero_grad()
    assert float((kept - whole).abs().max()) < 1e-4 * float(whole.abs().max())


def test_what_is_no_number_is_no_answer(folder):
    broken = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    with pytest.raises(NotFinite):
        likelihoods(broken, ROWS, CPU, 0, reader=Kept())


def test_a_prompt_that_is_too_long_loses_its_beginning():
    cut = Asked([[1, 2, 3, 4, 5], [6]], [[[7, 8], [9]], [[10, 11, 12, 13, 14]]]).cut(4)
    assert cut.prompts == [[4, 5], [6]] and cut.options == [[[7, 8], [9]], [[10, 11, 12]]]


def test_split_where_the_prompt_ends(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = tokenizer.backend_tokenizer
    made = following(tokenizer, ["Q: x\nAnswer:", "Q: x\nAnswer: ", "Q: x\nAnswer:\n"], [[" a", " bc"], ["a"], ["a"]])
    assert made.prompts == [plain.encode("Q: x\nAnswer:").ids] * 3
    assert plain.decode(made.options[0][1]) == " bc"
    assert made.options[1][0] == made.options[0][0]  # a space at the end of a prompt is its options'
    assert plain.decode(made.options[2][0]) == "\na"


def test_an_option_that_grows_together_with_its_prompt_is_read_alone(folder):
    """ "Answ" + "er": one token lies over the border, and none of the option would be left."""
    tokenizer = tiny.byte_tokenizer(["Answer Answer Answer"] * 50)
    assert len(tokenizer.backend_tokenizer.encode("Answer").ids) == 1
    made = following(tokenizer, ["Answ"], [["er"]])
    assert tokenizer.decode(made.options[0][0]) == "er"
