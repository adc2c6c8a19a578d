"""Whatever takes its time says how far it is, with a time to go: each of these is told with every step it makes."""

import pytest

from conftest import make_dataset
from slmfit import methods
from slmfit.cli.lines import in_words
from slmfit.exploring import explore
from slmfit.exploring.diagnostics import diagnose
from slmfit.generating import generate, read_recipe
from slmfit.methods.base import Context
from slmfit.testing import Script, row_in, scripted
from slmfit.timing import work


@pytest.fixture
def told(monkeypatch):
    """All the progress that was told, and two listeners: a run's, and a command's."""
    found = []
    monkeypatch.setattr(work, "TELL_SECONDS", 0.0)
    return found, lambda kind, **fields: found.append((kind, fields)), lambda kind, fields: found.append((kind, fields))


def stages(found):
    """Stage -> what was told of it, in order; each line says how long it still takes, and no more than there is."""
    by_stage = {}
    for kind, fields in found:
        if kind == "progress":
            assert 0 <= fields["rows"] <= fields["of_rows"] and fields["eta_seconds"] >= 0, fields
            by_stage.setdefault(fields["stage"], []).append(fields)
    return by_stage


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("text-classification", {"searching"}),
        ("token-classification", {"searching", "fitting"}),
        ("multiple-choice", {"searching"}),
    ],
)
def test_the_search_of_linear(task, expected, told):
    found, event, _ = told
    data = make_dataset(task, sizes=(120, 60, 10))
    method = methods.create("linear", {"features": "words"} if task == "text-classification" else {})
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric, event=event))
    assert stages(found).keys() == expected
    assert in_words("progress", stages(found)["searching"][0]).startswith("searching 1 of ")
    if task == "token-classification":
        assert any(kind == "iteration" for kind, _ in found)  # of the CRF, each with its loss


def test_a_server_that_is_asked(told, data):
    found, event, _ = told
    truth = {e.input: e.target for e in data.test}
    with scripted(Script(answer=lambda body: truth.get(row_in(body)), latency=0.001)) as server:
        method = methods.create("llm", {"base_url": server.url}, "m")
        method.fit(data.task, data.train, data.validation, Context(event=event))
        method.predict([e.input for e in data.test])
    asking = stages(found)["asking"]
    assert len(asking) == asking[-1]["rows"] == len(data.test)  # with each answer


def test_exploring_and_diagnostics(told, data):
    found, _, listen = told
    explore(data, listen=listen)
    assert [fields["rows"] for fields in stages(found)["looking at"]] == sorted(
        fields["rows"] for fields in stages(found)["looking at"]
    )
    found.clear()
    diagnose(data, metric="accuracy", seed=0, listen=listen)
    curve = stages(found)["learning curve"]
    assert curve[-1]["rows"] == curve[-1]["of_rows"]


def test_writing_examples(told, tmp_path):
    found, _, listen = told
    generate(read_recipe("emails"), n=30, output=tmp_path / "emails.jsonl", listen=listen)
    writing = stages(found)["writing"]
    assert len(writing) >= 30 and writing[0]["unit"] == "examples" and writing[-1]["of_rows"] == 30
