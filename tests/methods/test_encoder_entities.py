"""`encoder` on token-classification: spans and intent from one model, whatever the base model knew before."""

from dataclasses import replace

import finetuned
import pytest
import torch
from finetuned import answers_the_same_loaded, learns_both, score, texts
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

import tiny
from slmfit.errors import UsageError
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings
from slmfit.records import Entities

QUICK = {"epochs": 5, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.encoder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data():
    return finetuned.telling(sizes=(240, 60, 60))


def fit(data, folder=None, **given):
    return finetuned.fit(Encoder(Settings(**given)), data, folder)


@pytest.fixture(scope="module")
def fitted(base, data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("fitted"), base_model=base, **QUICK)


def test_it_learns_both(fitted, data):
    for answer in learns_both(fitted, data):
        assert max(answer.probabilities, key=answer.probabilities.get) == answer.target.intent


def test_loaded_it_answers_the_same(fitted, data):
    answers_the_same_loaded(fitted, data)


def test_the_folder_is_a_plain_token_classifier(fitted, data):
    model, tokenizer = (
        auto.from_pretrained(fitted.folder) for auto in (AutoModelForTokenClassification, AutoTokenizer)
    )
    text = texts(data)[0]
    batch = tokenizer(text, return_tensors="pt")
    with torch.inference_mode():
        plain = model(input_ids=batch["input_ids"]).logits
        ours, _ = fitted.model(batch["input_ids"])
    assert float((plain - ours).abs().max()) < 1e-5
    names = AutoConfig.from_pretrained(fitted.folder).id2label
    assert set(names.values()) == {"O", *(f"{p}-{label}" for p in "BI" for label in data.task.labels)}


def test_a_head_for_entities_keeps_what_it_knows(fitted, data, tmp_path):
    """Of a checkpoint that marks other types as well, the tags that are the same start from what it had."""
    task = replace(data.task, labels=(*data.task.labels, "NEW"))
    method = Encoder(Settings(base_model=str(fitted.folder), epochs=1))
    method._prepare(task, seed=0)
    new, old = method.model.tagger.classifier, fitted.model.tagger.classifier
    for i, tag in enumerate(method.head.tags):
        if tag in fitted.head.tags:
            assert torch.equal(new.weight[i], old.weight[fitted.head.tags.index(tag)])
    assert len(method.head.tags) == new.out_features == len(fitted.head.tags) + 2
    method = fit(data, base_model=str(fitted.folder), epochs=1, learning_rate=1e-6)
    assert score(method, data, "entity_f1") > 0.9


def test_untuned_it_needs_every_head(fitted, base, data):
    with pytest.raises(UsageError, match="no head for the labels"):
        fit(data, base_model=base, epochs=0)
    with pytest.raises(UsageError, match="no head for intents"):
        fit(data, base_model=str(fitted.folder), epochs=0)
    bare = replace(data, task=replace(data.task, intents=()))
    untuned = fit(bare, base_model=str(fitted.folder), epochs=0)
    assert [a.target.spans for a in untuned.predict(texts(data))] == [
        a.target.spans for a in fitted.predict(texts(data))
    ]


def test_lora(base, data, tmp_path):
    method = fit(data, tmp_path, base_model=base, lora=True, epochs=10, learning_rate=5e-3)
    assert score(method, data, "entity_f1") > 0.9
    again = Encoder.load(tmp_path, data.task, method.settings)
    assert [a.target for a in again.predict(texts(data))] == [a.target for a in method.predict(texts(data))]
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_long_texts_and_odd_ones(fitted, data):
    some = [e for e in data.test if e.target.spans][:8]
    joined = " ".join(e.input for e in some * 20)
    places, position = [], 0
    for e in some * 20:
        places += [(position + s.start, position + s.end) for s in e.target.spans]
        position += len(e.input) + 1
    assert len(joined.split()) > 500 > fitted.max_length
    found = {(s.start, s.end) for s in fitted.predict([joined])[0].target.spans}
    # The model never saw places so far from a text's beginning; which windows there are is tested elsewhere.
    assert len(found & set(places)) > 0.4 * len(places)
    for answer in fitted.predict(["", "   ", "\ud83d", "😀 \u200f", "\x00"]):
        assert isinstance(answer.target, Entities)


def test_without_intents_or_entities(base, data):
    no_intents = [replace(e, target=replace(e.target, intent=None)) for e in data.train]
    task = replace(data.task, intents=())
    method = Encoder(Settings(base_model=base, epochs=1))
    method.fit(task, no_intents, no_intents[:20], Context(metric="entity_f1"))
    answer = method.predict(texts(data)[:1])[0]
    assert answer.target.intent is None and answer.probabilities is None
    no_spans = [replace(e, target=replace(e.target, spans=())) for e in data.train]
    method.fit(data.task, no_spans, no_spans[:20], Context(metric="intent_accuracy"))
    assert method.predict(texts(data)[:1])[0].target.intent in data.task.intents
