"""`slmfit eject` of what was fine-tuned: encoder and causal."""

from dataclasses import replace

import pytest
from scripts import ejected, loaded, same, texts

import slmfit
import tiny
import tiny_gguf
from conftest import make_dataset
from slmfit.errors import UsageError
from slmfit.records import Entities, Example

# What peft calls in transformers, which warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated")
DATA = make_dataset(sizes=(64, 16, 16))
ENTITIES = make_dataset("token-classification", sizes=(64, 16, 16))
QUICK = {"epochs": 2, "learning_rate": 3e-3, "max_length": 24}


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    place = tmp_path_factory.mktemp("bases")
    return {"encoder": tiny.encoder(place / "encoder"), "causal": tiny.causal(place / "causal")}


def trained(data, method, bases, place, **settings):
    return slmfit.train(data, f"{method}={bases[method]}", settings={method: QUICK | settings}, out=place)


def longer(data, target):
    """The same with test rows that are too long, and one that is empty."""
    test = [replace(e, input=f"{e.input} " * 9) if n % 4 == 0 else e for n, e in enumerate(data.test)]
    return replace(data, splits={**data.splits, "test": (*test, Example("empty", "", target))})


@pytest.mark.parametrize("method, settings", [
    ("encoder", {}),
    ("encoder", {"lora": True, "lora_rank": 4, "dropout": None}),
    ("causal", {}),
    ("causal", {"lora": False}),
])  # fmt: skip
def test_labels_by_a_head(method, settings, bases, tmp_path):
    data = longer(DATA, DATA.test[0].target)
    run = trained(data, method, bases, tmp_path / "out", **settings)
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(data)), run, data)
    learnt = script["train"]([e.input for e in DATA.train], [e.target for e in DATA.train])
    assert set(learnt(texts(DATA))) <= set(DATA.task.labels)


@pytest.mark.parametrize("intents", (True, False))
def test_entities_of_an_encoder(intents, bases, tmp_path):
    data = longer(ENTITIES, Entities((), "book"))
    if not intents:
        splits = {
            n: tuple(replace(e, target=Entities(e.target.spans)) for e in rows) for n, rows in data.splits.items()
        }
        rows = [e for some in splits.values() for e in some]
        data = replace(data, splits=splits, task=data.task.with_labels(e.target for e in rows))
    run = trained(data, "encoder", bases, tmp_path / "out", epochs=8)
    script = loaded(ejected(run, tmp_path))
    answers = script["answers"](texts(data))
    assert any(answer["spans"] for answer in answers)
    same(answers, run, data)
    rows = ENTITIES.train[:32]
    spans = [[(s.start, s.end, s.label) for s in e.target.spans] for e in rows]
    given = ([e.target.intent for e in rows],) if intents else ()
    tags = script["train"]([e.input for e in rows], spans, *given)("fly to Rome on Monday")
    assert len(tags) == 5


@pytest.mark.parametrize("settings", [
    {"answers": "scored"},
    {"answers": "scored", "epochs": 0, "shots": 2, "scoring": "pmi"},
    {"answers": "scored", "epochs": 0, "scoring": "letter"},
    {"answers": "written"},
])  # fmt: skip
def test_labels_of_a_causal_model(settings, bases, tmp_path):
    data = replace(DATA, splits={**DATA.splits, "test": DATA.test[:8]})
    run = trained(data, "causal", bases, tmp_path / "out", **{"max_length": 48} | settings)
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(data)), run, data)
    assert ("train" in script) == (settings.get("epochs") != 0)
    if "train" in script:
        learnt = script["train"]([e.input for e in DATA.train[:16]], [e.target for e in DATA.train[:16]])
        assert set(learnt(texts(data)[:2])) <= set(DATA.task.labels)


@pytest.mark.parametrize("settings", [{"form": "lines"}, {"form": "json"}, {"epochs": 0, "shots": 1}])
def test_entities_of_a_causal_model(settings, bases, tmp_path):
    data = replace(ENTITIES, splits={**ENTITIES.splits, "test": ENTITIES.test[:8]})
    run = trained(data, "causal", bases, tmp_path / "out", **{"max_length": 96} | settings)
    script = loaded(ejected(run, tmp_path))
    answers = script["answers"](texts(data))
    same(answers, run, data)
    if settings.get("epochs") != 0:
        rows = ENTITIES.train[:4]
        spans = [[(s.start, s.end, s.label) for s in e.target.spans] for e in rows]
        assert script["train"]([e.input for e in rows], spans, [e.target.intent for e in rows])


def test_a_base_model_that_is_a_gguf_file(bases, tmp_path):
    data = replace(DATA, splits={**DATA.splits, "test": DATA.test[:4]})
    file = tiny_gguf.write(tmp_path / "tiny.gguf", kind="Q8_0")
    run = trained(data, "causal", {"causal": file}, tmp_path / "out", epochs=0, answers="scored", scoring="text")
    script = loaded(ejected(run, tmp_path))
    assert script["GGUF"] == "tiny.gguf"
    same(script["answers"](texts(data)), run, data)


def test_packed_weights_and_pairs_are_refused(bases, tmp_path):
    run = trained(DATA, "encoder", bases, tmp_path / "out", epochs=1)
    run.record = replace(run.record, task={**run.record.task, "texts": ["premise", "hypothesis"]})
    with pytest.raises(UsageError, match="two texts in a row"):
        slmfit.eject(run, tmp_path / "script.py")
    packed = {**run.record.settings, "quantise": "4bit"}
    run.record = replace(run.record, task={**run.record.task, "texts": []}, settings=packed)
    with pytest.raises(UsageError, match="weights of 4bit have no script"):
        slmfit.eject(run, tmp_path / "script.py")
