"""One token or the answer written out: tried on validation, where that costs nothing but time."""

from dataclasses import replace

import pytest

from slmfit import methods
from slmfit.llm import Limits
from slmfit.llm.limits import Allowance
from slmfit.methods.base import Context
from slmfit.methods.llm import trying
from slmfit.records import Example
from slmfit.testing import Script, row_in, scripted
from slmfit.timing import work

LLAMA = frozenset({"json_schema", "logprobs", "grammar"})


def tried(server, data, context=None):
    method = methods.create("llm", {"base_url": server.url}, "m")
    method.fit(data.task, data.train, data.validation, context or Context(rows_to_predict=len(data.test)))
    assert not server.requests
    method.try_out(data.validation)
    return method


def knows(data, short=True):
    """A model that knows every row; short: also where it may say one token only."""
    truth = {data.task.text(e.input): e.target for part in data.splits.values() for e in part}
    wrong = dict(zip(data.task.labels, data.task.labels[1:] + data.task.labels[:1], strict=True))

    def answer(body):
        label = truth.get(row_in(body))
        return wrong[label] if label and "grammar" in body and not short else label

    return answer


@pytest.mark.parametrize(("short", "way", "mode"), [(True, "one token", "choice"), (False, "written out", "schema")])
def test_the_cheaper_is_kept_unless_it_is_worse(data, short, way, mode):
    with scripted(Script(answer=knows(data, short), takes=LLAMA, slots=2)) as server:
        method = tried(server, data)
        asked = {row_in(body) for body in server.requests} - {""}
        answers = method.predict([e.input for e in data.test])
    assert asked <= {data.task.text(e.input) for e in data.validation} and len(asked) == 16
    assert (method.chosen["answers"], method.chosen["modes"]) == (way, {mode: len(data.test)})
    assert [a.target for a in answers] == [e.target for e in data.test]
    assert {one["answers"]: one["accuracy"] for one in method.search} == {"one token": float(short), "written out": 1.0}
    assert method.rows_used["tried how to ask"] == "16 rows of validation"


@pytest.mark.parametrize("limits", [Limits(usd=1.0), Limits(tokens=10**6)])
def test_nothing_is_tried_where_it_would_be_paid_for(data, limits):
    context = Context(allowance=Allowance(limits).of("llm-m"))
    with scripted(Script(answer=knows(data), takes=LLAMA, slots=2)) as server:
        method = tried(server, data, context)
        assert not server.requests and "answers" not in method.chosen


def test_nothing_is_tried_where_there_is_no_choice(data):
    with scripted(Script(answer=knows(data))) as server:
        assert not tried(server, data).chosen.get("answers") and not server.requests
    many = replace(data.task, labels=tuple(f"label {n}" for n in range(30)))
    with scripted(Script(takes=LLAMA, slots=2)) as server:
        method = methods.create("llm", {"base_url": server.url}, "m")
        method.fit(many, [Example("1", "x", "label 1")], [], Context())
        method.try_out([Example("2", "y", "label 2")])
        method.try_out([])
        assert not server.requests


def test_what_may_be_chance_is_no_reason_to_pay_more():
    assert not trying.whole_is_better([True] * 4, [False] * 4)  # 1 in 16
    assert trying.whole_is_better([True] * 5, [False] * 5)
    assert not trying.whole_is_better([True] * 12 + [False] * 8, [False] * 12 + [True] * 8)
    assert not trying.whole_is_better([], [])


def test_every_row_that_is_answered_is_progress(data, monkeypatch):
    monkeypatch.setattr(work, "TELL_SECONDS", 0.0)
    heard = []
    with scripted(Script(answer=knows(data), takes=LLAMA, slots=2)) as server:
        method = tried(server, data)
        told = lambda kind, **fields: heard.append(fields) if fields.get("stage") == "asking" else None  # noqa: E731
        method.context = replace(method.context, event=told)
        method.predict([e.input for e in data.test])
    assert [fields["rows"] for fields in heard] == list(range(1, len(data.test) + 1))
    assert heard[0]["of_rows"] == len(data.test) and heard[-1]["eta_seconds"] == 0


@pytest.mark.parametrize(("later", "alone"), [(60, 6), (0, 0)])
def test_rows_are_asked_one_at_a_time_only_where_a_table_is_made(data, later, alone):
    """A run that predicts has no use for how long one row takes, and its user waits for all."""
    with scripted(Script(answer=knows(data), latency=0.002)) as server:
        method = methods.create("llm", {"base_url": server.url}, "m")
        method.fit(data.task, data.train, data.validation, Context(rows_to_predict=later))
        answers = method.predict([e.input for e in data.test])
    assert sum(bool(answer.usage.alone) for answer in answers) == alone
