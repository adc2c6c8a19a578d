"""One contract for every method on every task it supports: fit, predict, save, load, the same answers."""

import math
from dataclasses import replace

import pytest

from conftest import make_dataset
from slmfit import methods
from slmfit.data.recipe import TextRecipe
from slmfit.methods.base import Context, Part, Remote
from slmfit.methods.saved import load_model, save_model
from slmfit.records import Entities
from slmfit.testing import scripted

CASES = [
    (name, task)
    for name, row in methods.TABLE.items()
    if row.place
    for task in row.tasks
    if not methods.unavailable(name, task)
]
WRITTEN = [("causal", "token-classification", {"form": "json"})]  # `lines` is what it writes otherwise
CASES = [*((name, task, {}) for name, task in CASES), *(case for case in WRITTEN if case[:2] in CASES)]


@pytest.fixture(scope="module")
def server():
    """A server whose model always says the first thing that it may."""
    with scripted() as running:
        yield running


def created(name, folder, server, given):
    """The method; those that start from a base model start from a tiny one with random weights."""
    if issubclass(methods.method_class(name), Remote):
        return methods.create(name, {"base_url": server.url, "shots": 2, **given}, base_model="m")
    if not methods.TABLE[name].trained:
        return methods.create(name, given)
    import tiny

    base = folder / "base"
    if not base.exists():
        getattr(tiny, name)(base)
    return methods.create(name, {"epochs": 1, **given}, base_model=str(base))


def parts(name, data, folder):
    """What a method is made of that is made of others: fitted and saved, without answers of theirs."""
    if name != "cascade":
        return ()
    found = []
    for of in ("linear", "majority"):
        model = folder / of
        if not model.exists():
            model.mkdir()
            method = methods.create(of)
            method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
            save_model(model, data.task, TextRecipe(), of, method)
        found.append(Part(of, of, of, model))
    return tuple(found)


def but_for_usage(answers):
    """A server that is asked again takes its time again."""
    return [replace(answer, usage=None) for answer in answers]


@pytest.mark.parametrize(("name", "task", "given"), CASES)
def test_contract(name, task, given, tmp_path, server):
    data = make_dataset(task)
    method = created(name, tmp_path, server, given)
    events = []
    context = Context(metric=data.task.metric, work=tmp_path, event=lambda kind, **fields: events.append(kind))
    context = replace(context, parts=parts(name, data, tmp_path))
    method.fit(data.task, data.train, data.validation, context)
    inputs = [e.input for e in data.test]
    before = method.predict(inputs)
    scores = data.task.score([e.target for e in data.test], before)
    assert scores.values[data.task.metric].value >= 0
    if method.refits:
        method.refit(data.task, [*data.train, *data.validation], context)
    answers = method.predict(inputs)
    assert len(answers) == len(inputs)
    for answer in answers:
        assert answer.outcome == "ok"
        if answer.probabilities:
            assert math.isclose(sum(answer.probabilities.values()), 1, abs_tol=1e-4)
            said = answer.target.intent if isinstance(answer.target, Entities) else answer.target
            assert max(answer.probabilities, key=answer.probabilities.get) == said
        if answer.span_probabilities is not None:
            assert len(answer.span_probabilities) == len(answer.target.spans)
            assert all(0 <= p <= 1 for p in answer.span_probabilities)

    model = tmp_path / "model"
    model.mkdir()
    save_model(model, data.task, TextRecipe(), name, method)
    task_again, _, again = load_model(model)
    assert task_again == data.task
    assert again.settings == method.settings
    assert but_for_usage(again.predict(inputs)) == but_for_usage(answers)
    [alone], [first] = but_for_usage(again.predict(inputs[:1])), but_for_usage(answers[:1])
    shares = {"probabilities": None, "span_probabilities": None}
    assert replace(alone, **shares) == replace(first, **shares)
    spans = first.span_probabilities
    assert alone.span_probabilities == (spans and pytest.approx(spans, abs=1e-5))
    assert alone.probabilities == (first.probabilities and pytest.approx(first.probabilities, abs=1e-5))  # rounded
    assert again.predict([]) == []
    assert not [p for p in model.rglob("*") if p.suffix in (".pkl", ".joblib", ".pt", ".npy", ".bin")]


@pytest.mark.parametrize(("name", "task", "given"), CASES)
def test_same_seed_same_bytes(name, task, given, tmp_path, server):
    data = make_dataset(task)
    saved = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        method = created(name, tmp_path, server, given)
        context = Context(metric=data.task.metric, parts=parts(name, data, tmp_path))
        method.fit(data.task, data.train, data.validation, context)
        folder.mkdir()
        save_model(folder, data.task, TextRecipe(), name, method)
        saved.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    assert saved[0] == saved[1]
