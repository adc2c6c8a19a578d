"""A real model on llama.cpp's own server: what it takes is found out, one token does, and the latency is its own."""

import statistics

import pytest

import llama_server
from slmfit import methods
from slmfit.methods.base import Context
from slmfit.records import Entities, Example, Question, Span
from slmfit.runs import measuring
from slmfit.tasks import by_name
from slmfit.timing import work

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(not llama_server.HERE, reason=llama_server.WANTED),
]
SLOTS = 2


@pytest.fixture(scope="module")
def url():
    with llama_server.serving(slots=SLOTS, context=1024) as url:
        yield url


def fitted(url, task, train, validation=(), **changes):
    heard = []
    context = Context(event=lambda kind, **fields: heard.append((kind, fields)), rows_to_predict=20)
    method = methods.create("llm", {"base_url": url, **changes}, "smollm2")
    method.fit(task, train, validation, context)
    method.try_out(list(validation))
    return method, heard


@pytest.mark.parametrize("shots", ["0", "8"])
def test_labels_in_one_token_with_probabilities_and_the_servers_own_latency(data, url, shots):
    method, heard = fitted(url, data.task, data.train, data.validation, shots=shots)
    rows = [e.input for e in data.test][:20]
    with work.counted(method.context.event, "predicting test", len(rows)):
        answers = method.predict([*rows, "word " * 1500])
    *answers, cut = answers
    assert {a.outcome for a in answers} == {"ok"} and {a.target for a in answers} <= set(data.task.labels)
    assert (cut.outcome, cut.target) == ("truncated", None)
    assert ("slots", {"slots": SLOTS}) in heard
    assert len(method.search) == 2 and method.chosen["answers"] in ("one token", "written out")
    if method.chosen["answers"] == "one token":
        assert max(a.usage.output_tokens for a in answers) <= 3
        assert all(set(a.probabilities) == set(data.task.labels) for a in answers)
        assert all(max(a.probabilities, key=a.probabilities.get) == a.target for a in answers)
    alone = [a.usage for a in answers if a.usage.alone]
    p50, own = measuring.of_answers(answers).latency_ms["p50"], statistics.median(u.server_seconds for u in alone)
    assert len(alone) >= 5 and p50 / 1000 == pytest.approx(own, rel=0.2, abs=0.02)
    assert any(kind == "progress" and fields["eta_seconds"] is not None for kind, fields in heard)


def test_a_question_is_answered_with_a_letter(url):
    task = by_name("multiple-choice", labels=("A", "B", "C", "D"))
    rows = [
        Question("2 + 2?", dict(zip("ABCD", "3456", strict=True))),
        Question("Is ice cold?", {"A": "no", "B": "yes"}),
    ]
    method, _ = fitted(url, task, [Example("1", rows[0], "B"), Example("2", rows[1], "B")], shots="2")
    answers = method.predict(rows)
    assert [(a.outcome, a.usage.output_tokens) for a in answers] == [("ok", 1)] * 2
    assert [list(a.probabilities) for a in answers] == [list("ABCD"), list("AB")]
    assert method.chosen["modes"] == {"token": 2}


def test_entities_are_written_as_the_schema_has_them(url):
    task = by_name("token-classification", labels=("place", "time"), intents=())
    train = [Example("1", "a train to Rome on Friday", Entities((Span(11, 15, "place"), Span(19, 25, "time"))))]
    for shots in ("0", "1"):
        method, _ = fitted(url, task, train, shots=shots)
        answers = method.predict(["a flight to Oslo on Monday", "the bus to Bern"])
        assert {a.outcome for a in answers} <= {"ok", "truncated", "invalid"}
        assert method.chosen["modes"] == {"schema": 2}
