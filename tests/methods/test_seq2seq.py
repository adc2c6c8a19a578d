"""`seq2seq`: a T5 on every task, whole or with adapters, its head its own or tied."""

import warnings
from dataclasses import replace

import finetuned
import numpy as np
import pytest
import torch
from finetuned import texts
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BartConfig

import tiny
from conftest import make_dataset
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.methods.base import Context
from slmfit.methods.seq2seq import Seq2seq, Settings
from slmfit.records import Example, Question
from slmfit.tasks.choice import MultipleChoice
from slmfit.tasks.classification import TextClassification

QUICK = {"epochs": 1, "max_length": 64, "scoring": "text"}
IDS = torch.tensor([[5, 6, 7, 8, 1]])
BEGUN = torch.tensor([[0, 9, 8]])


@pytest.fixture(scope="module", params=[False, True], ids=["own head", "tied"])
def base(request, tmp_path_factory):
    return tiny.seq2seq(tmp_path_factory.mktemp("base"), tied=request.param)


def fit(data, folder=None, **given):
    return finetuned.fit(Seq2seq(Settings(**given)), data, folder)


def logits(model):
    with torch.inference_mode():
        return model.eval()(input_ids=IDS, decoder_input_ids=BEGUN).logits


@pytest.mark.parametrize("keep", ["adapters", "whole", "no lora"])
def test_saved_and_loaded_it_is_the_same_to_the_bit(base, keep, tmp_path):
    """Also by transformers alone; T5 takes two lines of its configuration for one another where they do not agree."""
    data = make_dataset(sizes=(24, 8, 8))
    lora = {"lora": False} if keep == "no lora" else {"lora": True, "lora_rank": 4, "keep": keep}
    method = fit(data, tmp_path, base_model=base, **QUICK, **lora)
    again = Seq2seq.load(tmp_path, data.task, method.settings)
    assert torch.equal(logits(method.model), logits(again.model))
    assert again.predict(texts(data)) == method.predict(texts(data))
    with pretrained.quiet():
        untuned = AutoModelForSeq2SeqLM.from_pretrained(base)
        plain = None if keep == "adapters" else AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    assert float((logits(untuned) - logits(again.model)).abs().max()) > 1e-4
    if plain is not None:
        assert torch.equal(logits(plain), logits(again.model))
    if keep != "no lora":
        with_adapters(base, tmp_path, again.model)


def with_adapters(base, folder, merged):
    from peft import PeftModel

    with pretrained.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own call
        model = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(base), folder / "adapter")
    torch.testing.assert_close(logits(model), logits(merged), rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """Entities and an intent, learnt."""
    data = finetuned.telling(sizes=(200, 30, 30))
    told = [*texts(data), *(data.task.form("bars").write(e.target, e.input) for e in data.train)]
    base = tiny.seq2seq(tmp_path_factory.mktemp("base"), texts=told, d_model=64)
    quick = {"epochs": 14, "learning_rate": 3e-3, "batch_tokens": 400}
    return fit(data, tmp_path_factory.mktemp("fitted"), base_model=base, **quick), data


def test_it_learns_to_write_entities(tagged):
    method, data = tagged
    finetuned.learns_both(method, data)
    finetuned.answers_the_same_loaded(method, data)


def test_its_card_calls_it(tagged, capsys):
    """What it writes without a grammar is, tuned so well, an answer as well."""
    method, data = tagged
    card, text = (method.folder / "README.md").read_text(), texts(data)[0]
    assert "pipeline_tag: text2text-generation" in card
    code = card.partition("```python\n")[2].partition("```")[0]
    with pretrained.quiet():
        exec(code.replace("this-folder", str(method.folder)).replace("TEXT", text), {})
    told = capsys.readouterr().out.removesuffix("\n")
    assert method.head.form.read(told, text).outcome == "ok"


def test_a_process_that_helps_has_the_same_to_learn(tagged):
    method, data = tagged
    made = method.head.material(data.train[:9], None), method.head.material([], None)
    job = method.head.job(*made, max_length=64, metric="entity_f1")
    again = method.head.unpacked(*method.head.packed(job))
    with torch.inference_mode():
        assert torch.equal(job.loss(method.model, np.arange(9)), again.loss(method.model, np.arange(9)))


def test_any_text_gets_an_answer_that_can_be_read(tagged):
    method, _ = tagged
    odd = ["", "   ", "\ud83d", "😀 \u200f مرحبا", "\x00", "a\r\nb | c\r\n", "x" * 500, "fly to {Rome} " * 100]
    for text, answer in zip(odd, method.predict(odd), strict=True):
        assert answer.outcome == "ok" and not answer.target.unplaced
        assert all(text[s.start : s.end] for s in answer.target.spans)


def question(rng, i):
    """Right is the option that stands in the question."""
    words = [f"{a}{b}" for a in ("ba", "ko", "li", "mu") for b in ("ra", "te", "so", "ni")]
    told = [str(word) for word in rng.choice(words, 6, replace=False)]
    options = rng.permutation([told[0], *(w for w in words if w not in told)][:4])
    asked = " ".join(rng.permutation(told[:3]))
    letter = "ABCD"[list(options).index(told[0])]
    return Example(str(i), Question(asked, dict(zip("ABCD", map(str, options), strict=True))), letter)


def test_it_learns_a_rule_and_the_order_of_options_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    rows = [question(rng, i) for i in range(560)]
    task = MultipleChoice(tuple("ABCD"))
    told = [" ".join([e.input.question, *e.input.options.values()]) for e in rows[:400]]
    base = tiny.seq2seq(tmp_path, texts=[f"Question: {text} Answer:" for text in told], d_model=64)
    method = Seq2seq(Settings(base, epochs=8, learning_rate=3e-3, batch_tokens=800, scoring="text"))
    method.fit(task, rows[:400], rows[400:460], Context())
    asked = [e.input for e in rows[460:]]
    answers = method.predict(asked)
    assert np.mean([a.target == e.target for a, e in zip(answers, rows[460:], strict=True)]) > 0.8
    turned = [replace(q, options=dict(zip("ABCD", reversed(q.options.values()), strict=True))) for q in asked]
    for one, other in zip(answers, method.predict(turned), strict=True):
        assert one.probabilities[one.target] == pytest.approx(other.probabilities["DCBA"["ABCD".index(one.target)]])


def many(count, names):
    return [Example(str(i), f"the word is {names[i % len(names)]}", names[i % len(names)]) for i in range(count)]


def test_more_than_fifty_labels_are_written_and_no_other_is(tmp_path):
    """Of two labels, the one that the other begins with can be written as well."""
    names = [f"{a}-{b}" for a in ("ba", "ko", "li", "mu", "so", "ta", "ne", "ri") for b in "abcdefg"]
    names = sorted([*names[:-2], "ba", "ba-a ba"])
    task, rows = TextClassification(tuple(names)), many(280, names)
    base = tiny.seq2seq(tmp_path / "base", texts=[e.input for e in rows], d_model=64)
    method = Seq2seq(Settings(base, epochs=12, learning_rate=3e-3, batch_tokens=600))
    method.fit(task, rows, rows[:28], Context())
    assert type(method.head).__name__ == "Labels"
    answers = method.predict([e.input for e in rows])
    assert np.mean([a.target == e.target for a, e in zip(answers, rows, strict=True)]) > 0.8
    odd = method.predict(["", "nothing of the kind", "😀" * 300])
    assert all(a.outcome == "ok" and a.target in names for a in odd)
    (tmp_path / "made").mkdir()
    method.save(tmp_path / "made")
    again = Seq2seq.load(tmp_path / "made", task, method.settings)
    assert again.predict([e.input for e in rows[:9]]) == answers[:9]


def test_options_are_written_where_asked(base):
    data = make_dataset("multiple-choice", sizes=(24, 8, 8))
    method = fit(data, base_model=base, answers="written", **QUICK)
    for e, answer in zip(data.test, method.predict(texts(data)), strict=True):
        assert answer.outcome == "ok" and e.input.options[answer.target] == answer.raw
    unwritable = Question("Which?", {"A": "漢", "B": "字"})
    assert [a.outcome for a in method.predict([unwritable])] == ["invalid"]


def test_labels_that_the_tokenizer_makes_the_same_of_are_refused(base):
    task, rows = TextClassification(("漢", "字")), [Example("1", "a", "漢"), Example("2", "b", "字")]
    for answers, what in (
        ("auto", "makes the same of the labels '漢' and '字'"),
        ("written", "cannot write"),
    ):
        with pytest.raises(UsageError, match=what):
            Seq2seq(Settings(base, answers=answers)).fit(task, rows, rows, Context())


def test_a_form_that_the_tokenizer_cannot_write_is_refused_with_those_there_are(base):
    data = make_dataset("token-classification", sizes=(8, 4, 4))
    with pytest.raises(UsageError, match="cannot write") as caught:
        fit(data, base_model=base, form="lines")
    assert "seq2seq.form, one of lines, bars, json" in caught.value.fix


def test_other_encoder_decoders_and_fp16_are_refused(tmp_path):
    BartConfig(architectures=["BartForConditionalGeneration"]).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="of the type 'bart', which 'seq2seq' cannot use") as caught:
        fit(make_dataset(), base_model=str(tmp_path))
    assert "seq2seq=google/flan-t5-base" in caught.value.fix
    from slmfit import methods

    with pytest.raises(UsageError, match="precision cannot be 'fp16'"):
        methods.create("seq2seq", {"precision": "fp16"})


def test_untuned_it_answers(base):
    for task in ("text-classification", "token-classification", "multiple-choice"):
        data = make_dataset(task, sizes=(8, 4, 4))
        method = fit(data, base_model=base, epochs=0)
        assert all(answer.outcome == "ok" for answer in method.predict(texts(data)))
        assert isinstance(AutoTokenizer.from_pretrained(base).eos_token_id, int)
