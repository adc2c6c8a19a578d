"""`causal` on token-classification: entities and intent written as text, in both forms."""

import warnings
from dataclasses import replace

import finetuned
import numpy as np
import pytest
import torch
from finetuned import answers_the_same_loaded, learns_both, texts
from tokenizers import Tokenizer, models
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedTokenizerFast,
)

import tiny
from conftest import make_dataset
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.methods.base import Context
from slmfit.methods.causal import Causal, Settings
from slmfit.records import Entities, Example, Span

QUICK = {"epochs": 10, "learning_rate": 3e-3, "batch_tokens": 300, "lora": False}


@pytest.fixture(scope="module")
def data():
    return finetuned.telling(sizes=(300, 40, 40))


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    texts = [e.input for e in data.train]
    texts += [data.task.form(form).write(e.target, e.input) for e in data.train for form in ("lines", "json")]
    return tiny.causal(tmp_path_factory.mktemp("base"), texts=texts, hidden_size=64)


def fit(data, folder=None, **given):
    return finetuned.fit(Causal(Settings(**given)), data, folder)


@pytest.fixture(scope="module", params=["lines", "json"])
def fitted(request, base, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fitted")
    return fit(data, folder, base_model=base, form=request.param, **QUICK)


def test_it_learns_both(fitted, data):
    for answer in learns_both(fitted, data):
        assert answer.outcome == "ok" and answer.raw


def test_loaded_it_answers_the_same(fitted, data):
    answers_the_same_loaded(fitted, data)


def test_the_folder_is_a_plain_language_model_and_its_card_calls_it(fitted, data, capsys):
    """What it writes without a grammar is, tuned so well, an answer as well."""
    card = (fitted.folder / "README.md").read_text()
    assert "pipeline_tag: text-generation" in card
    assert "the entities of a text and its intent" in card
    model, tokenizer = (auto.from_pretrained(fitted.folder) for auto in (AutoModelForCausalLM, AutoTokenizer))
    text = texts(data)[0]
    asked = tokenizer(fitted.head.form.ask(text), return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        assert float((model(asked).logits - fitted.model(asked).logits).abs().max()) < 1e-5
    code = card.partition("```python\n")[2].partition("```")[0]
    code = code.replace("this-folder", str(fitted.folder)).replace("TEXT", text).replace("=100", "=60")
    with pretrained.quiet():
        exec(code, {})
    told = capsys.readouterr().out.removesuffix("\n")
    assert fitted.head.form.read(told, text).outcome == "ok"


def test_any_text_gets_an_answer_that_can_be_read(fitted):
    odd = ["", "   ", "\ud83d", "😀 \u200f مرحبا", "\x00", "a\r\nb\r\n", "x" * 500, "fly to Rome " * 100]
    for text, answer in zip(odd, fitted.predict(odd), strict=True):
        assert isinstance(answer.target, Entities) and not answer.target.unplaced
        assert all(text[s.start : s.end] for s in answer.target.spans)


def test_untuned_it_writes_what_can_be_read(base, data):
    method = fit(data, base_model=base, epochs=0)
    answers = method.predict(texts(data))
    assert all(isinstance(a.target, Entities) and not a.target.unplaced for a in answers)


def test_with_lora_by_default(base, data, tmp_path):
    from peft import PeftModel

    method = fit(data, tmp_path, base_model=base, epochs=2, learning_rate=1e-2, lora_rank=8)
    assert method.settings.lora
    again = Causal.load(tmp_path, data.task, method.settings)
    assert again.predict(texts(data)) == method.predict(texts(data))
    with pretrained.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own call
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "adapter").eval()
    ids = torch.arange(5, 25).unsqueeze(0)
    with torch.inference_mode():
        assert float((model(ids).logits - again.model(ids).logits).abs().max()) < 1e-4


def long_rows(count=40):
    rows = make_dataset("token-classification", sizes=(count, 20, 2)).train
    for e in rows:
        spans = tuple(Span(s.start + at, s.end + at, s.label) for at in (0, 200) for s in e.target.spans)
        yield Example(e.id, e.input.ljust(200, "x") + e.input, Entities(spans, e.target.intent))


def test_a_long_text_is_cut_and_what_it_no_longer_holds_is_not_answered(base, data):
    rows = list(long_rows())
    method = Causal(Settings(base_model=base, epochs=1, lora=False, max_length=60))
    method.fit(data.task, rows[:30], rows[30:], Context(metric="entity_f1"))
    asked = method.head.material(rows, None)
    made = method.head._pairs(asked, 60)
    assert made.tokens.lengths.max() <= 60
    tokenizer = method.backbone.tokenizer
    for row, e in enumerate(rows):
        ids = made.tokens.ids[made.tokens.starts[row] : made.tokens.starts[row + 1]]
        prompt, answer = np.split(ids, [len(ids) - made.answers[row]])
        text = tokenizer.decode(prompt).removesuffix("\n\nAnswer:\n")
        assert e.input.startswith(text) and len(text) > 20
        kept = Entities(tuple(s for s in e.target.spans if s.end <= len(text)), e.target.intent)
        assert 0 < len(kept.spans) < len(e.target.spans)
        assert tokenizer.decode(answer) == method.head.form.write(kept, e.input) + tokenizer.eos_token
    assert "reads the first" in method.head.card(method.max_length)[0]
    for answer in method.predict([e.input for e in rows]):
        assert isinstance(answer.target, Entities)


def test_a_length_without_room_for_an_answer_is_refused(base, data):
    with pytest.raises(UsageError, match=r"no room for a text and its answer") as caught:
        fit(data, base_model=base, max_length=16)
    assert "causal.max_length to" in caught.value.fix


@pytest.mark.parametrize("family", list(tiny.ONLY_WRITING))
def test_families_that_transformers_has_no_classifier_of_write_as_well(family, data, tmp_path):
    base = tiny.of_family(tmp_path / "base", family)
    method = fit(data, tmp_path / "made", base_model=base, epochs=1, max_length=64)
    assert all(answer.outcome == "ok" for answer in method.predict(texts(data)))
    answers_the_same_loaded(method, data)
    with pytest.raises(UsageError, match="'causal' cannot use"):
        finetuned.fit_classes(Causal(Settings(base_model=base, epochs=1)), make_dataset())


def test_a_model_that_keeps_no_keys_and_values_is_refused_before_it_is_tuned(data, tmp_path):
    tokenizer = tiny.byte_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    config = MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1)
    with pretrained.quiet():
        MambaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="a mamba model keeps no cache"):
        fit(data, base_model=str(tmp_path))


def test_a_name_that_the_tokenizer_cannot_write_is_refused(data, tmp_path):
    backend = tiny.byte_tokenizer().backend_tokenizer
    lacking = Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "Ġ": 2, "<end>": 3}, merges=[]))
    lacking.pre_tokenizer, lacking.decoder = backend.pre_tokenizer, backend.decoder
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=lacking, eos_token="<end>", pad_token="<end>")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with pretrained.quiet():
        LlamaForCausalLM(LlamaConfig(vocab_size=4, **shape)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="cannot write"):
        fit(data, base_model=str(tmp_path))


def test_without_intents_or_entities(base, data):
    no_intents = [replace(e, target=replace(e.target, intent=None)) for e in data.train]
    method = Causal(Settings(base_model=base, epochs=1))
    method.fit(replace(data.task, intents=()), no_intents, no_intents[:20], Context(metric="entity_f1"))
    assert method.predict(texts(data)[:1])[0].target.intent is None
    assert "intent" not in method.head.card(method.max_length)[0]
    no_spans = [replace(e, target=replace(e.target, spans=())) for e in data.train]
    method.fit(data.task, no_spans, no_spans[:20], Context(metric="intent_accuracy"))
    assert method.predict(texts(data)[:1])[0].target.intent in data.task.intents


def test_a_budget_counts_the_writing(base, data):
    method = Causal(Settings(base_model=base, lora=False))
    context = Context(metric="entity_f1", budget_seconds=10.0, rows_to_predict=40)
    method.fit(data.task, data.train, data.validation, context)
    assert "budget" in method.chosen["why"]["epochs"] or method.chosen["epochs"] == 10
