"""The method llm against a scripted server: what it asks, keeps, pays for and gives back."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from attacks import attacks, obeyed, outside_tags
from conftest import make_dataset
from slmfit import methods
from slmfit.data.recipe import TextRecipe
from slmfit.errors import BudgetReached, MissingPart, UsageError
from slmfit.llm import Limits
from slmfit.llm.limits import Allowance, Cost
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, save_model
from slmfit.records import Example, Question
from slmfit.tasks import by_name
from slmfit.tasks.classification import TextClassification
from slmfit.testing import Said, Script, row_in, scripted

PRICES = 'date = 2026-11-01\n[models."m"]\ninput = 1.0\noutput = 4.0\n'


def knows(data, wrong=lambda text: None):
    """A model that knows every row; `wrong` may say something else about some."""
    truth = {data.task.text(e.input): e.target for part in data.splits.values() for e in part}
    return lambda body: wrong(row_in(body)) or truth.get(row_in(body))


def fitted(server, data, context=None, **settings):
    method = methods.create("llm", {"base_url": server.url, **settings}, "m")
    method.fit(data.task, data.train, data.validation, context or Context())
    return method


def inputs_of(data):
    return [e.input for e in data.test]


def test_answers_come_back_in_the_order_of_the_rows(data):
    with scripted(Script(answer=knows(data), latency=0.002)) as server:
        answers = fitted(server, data).predict(inputs_of(data))
    assert [a.target for a in answers] == [e.target for e in data.test]
    assert all(a.usage.input_tokens and a.usage.seconds > 0 and a.usage.usd is None for a in answers)


def test_what_is_no_answer_is_typed_and_never_a_label():
    """Also where labels are called like outcomes."""
    task = TextClassification(("error", "ok", "refused"))
    said = {
        "a": "refused", "b": Said(None, refusal="no"), "c": {"label": "invalid"}, "d": {"label": "Refused"},
        "e": Said("", finish="content_filter"), "f": Said('{"label": "er', finish="length"), "g": "error",
    }  # fmt: skip
    with scripted(Script(answer=lambda body: said.get(row_in(body)))) as server:
        method = methods.create("llm", {"base_url": server.url}, "m")
        method.fit(task, [Example("1", "x", "ok")], [], Context())
        found = {row: (a.target, a.outcome) for row, a in zip(said, method.predict(list(said)), strict=True)}
    assert found == {
        "a": ("refused", "ok"), "b": (None, "refused"), "c": (None, "invalid"), "d": (None, "invalid"),
        "e": (None, "filtered"), "f": (None, "truncated"), "g": ("error", "ok"),
    }  # fmt: skip


def test_nothing_is_asked_until_it_must_be_and_then_once(data, tmp_path):
    with scripted(Script(answer=knows(data))) as server:
        method = fitted(server, data, shots="2")
        quote = method.quote(inputs_of(data))
        assert (quote.texts, quote.leaves_machine, quote.usd) == (60, False, None) and not server.requests
        first = method.predict(inputs_of(data))
        asked = len(server.requests)
        again = fitted(server, data, shots="2")
        assert again.predict(inputs_of(data)) == first
        assert again.quote(inputs_of(data)).texts == 0
        assert len(server.requests) == asked
        other = fitted(server, data, shots="3")
        assert other.quote(inputs_of(data)).texts == 60


def test_a_budget_ends_it_and_a_larger_one_goes_on(data, tmp_path):
    (tmp_path / "prices.toml").write_text(PRICES)
    with scripted(Script(answer=knows(data))) as server:

        def asked(usd):
            allowance = Allowance(Limits(usd=usd))
            method = fitted(
                server, data, Context(allowance=allowance.of("llm-m")), prices=str(tmp_path / "prices.toml")
            )
            try:
                return method.predict(inputs_of(data)), allowance
            except BudgetReached as reached:
                assert "of 60 rows are answered, and kept" in str(reached) and "higher limit" in str(reached)
                return None, allowance

        spent = []
        for usd in (0.004, 0.004, 0.006, 1.0):
            answers, allowance = asked(usd)
            assert allowance.of("another").left().usd == pytest.approx(usd - server.billed)
            spent.append(server.billed)
            assert server.billed <= usd
            if usd < 1.0:
                assert answers is None
        assert 0 < spent[0] == spent[1] < spent[2] < spent[3]
        assert len(server.requests) == 60 + 1  # one call found out what the server takes
        assert sum(a.usage.usd for a in answers) == pytest.approx(server.billed, rel=0.05)


def test_methods_share_an_allowance():
    allowance = Allowance(Limits(usd=5.0, tokens=100, seconds=1000), {"a": Cost(30, 1_500_000_000_000)})
    a, b = allowance.of("a"), allowance.of("b")
    assert (a.left().usd, a.left().tokens) == (5.0, 100)  # its own ledger counts what it was charged itself
    assert (b.left().usd, b.left().tokens) == (3.5, 70) and 990 < b.left().seconds <= 1000
    b.took(Cost(80, 9_000_000_000_000))
    assert (a.left().usd, a.left().tokens) == (0.0, 20)
    a.took(Cost(31, 1_500_000_000_000))
    assert (b.left().usd, b.left().tokens) == (3.5, 69)
    assert Allowance(Limits()).of("a").left() == Limits()


def test_the_price_is_kept_with_its_date(data, tmp_path):
    path = tmp_path / "prices.toml"
    path.write_text(PRICES)
    with scripted(Script(answer=knows(data))) as server:
        method = fitted(server, data, prices=str(path))
        assert method.chosen["prices"]["date"] == "2026-11-01"
        assert method.chosen["why"]["prices"] == "prices.toml, 2026-11-01"
        (tmp_path / "model").mkdir()
        save_model(tmp_path / "model", data.task, TextRecipe(), "llm", method)
        path.unlink()
        _, _, loaded = load_model(tmp_path / "model")
        answers = loaded.predict(inputs_of(data))
    assert sum(a.usage.usd for a in answers) == pytest.approx(server.billed, rel=0.05)
    assert loaded.chosen["modes"] == {"schema": 60}


def test_descriptions_and_examples_are_read_by_the_model(data, tmp_path):
    (tmp_path / "labels.toml").write_text('billing = "invoices and refunds"')
    with scripted(Script(answer=knows(data))) as server:
        method = fitted(server, data, descriptions=str(tmp_path / "labels.toml"), shots="3", examples="nearest")
        method.predict(inputs_of(data))
        bodies = [body for body in server.requests if len(body["messages"]) > 1]
        train = {e.input: e.target for e in data.train}
        for body in bodies:
            system, *shots, _ = body["messages"]
            assert "- billing: invoices and refunds\n" in system["content"] and len(shots) == 6
            for user, assistant in zip(shots[::2], shots[1::2], strict=True):
                assert train[row_in({"messages": [user]})] == json.loads(assistant["content"])["label"]
        (tmp_path / "model").mkdir()
        save_model(tmp_path / "model", data.task, TextRecipe(), "llm", method)
        (tmp_path / "labels.toml").unlink()
        asked = len(server.requests)
        load_model(tmp_path / "model")[2].predict(inputs_of(data))
        assert len(server.requests) == asked


def test_a_question_is_answered_with_a_letter_that_it_offers():
    task = by_name("multiple-choice", labels=("A", "B", "C", "D"))
    rows = [
        Question("2 + 2?", dict(zip("ABCD", "3456", strict=True))),
        Question("Is ice cold?", {"A": "no", "B": "yes"}),
    ]
    with scripted(Script(answer=lambda body: "7" if "digit 7" in str(body["messages"]) else "B")) as server:
        method = methods.create("llm", {"base_url": server.url}, "m")
        method.fit(task, [Example("1", rows[0], "B")], [], Context())
        answers = method.predict(rows)
    assert [(a.target, a.outcome) for a in answers] == [("B", "ok")] * 2
    assert [list(a.probabilities) for a in answers] == [list("ABCD"), list("AB")]


def test_a_model_must_be_named_and_an_address_be_one():
    with pytest.raises(UsageError, match="llm=gemma3:12b"):
        methods.create("llm")
    with pytest.raises(UsageError, match="http"):
        methods.create("llm", {"base_url": "localhost:11434/v1"}, "m")


def test_no_row_is_sent_to_a_vendor_without_a_key(data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    method = methods.create("llm", {}, "gpt-5-mini")
    method.fit(data.task, data.train, data.validation, Context())
    assert method.quote(inputs_of(data)).host == "api.openai.com"
    with pytest.raises(MissingPart, match="set OPENAI_API_KEY"):
        method.predict(inputs_of(data))


def test_a_key_in_the_address_is_used_and_not_kept(data, tmp_path):
    with scripted(Script(answer=knows(data))) as server:
        address = server.url.replace("http://", "http://me:canary-7f3a@") + "?token=canary-91bc"
        method = methods.create("llm", {"base_url": address}, "m")
        method.fit(data.task, data.train, data.validation, Context())
        method.predict(inputs_of(data))
        assert all("basic" in h["authorization"].lower() and "canary-91bc" in h[":path"] for h in server.headers)
        assert method.settings.base_url == server.url
        save_model(tmp_path, data.task, TextRecipe(), "llm", method)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "canary" in path.read_text()]
    assert "canary" not in repr(vars(method))


def attacked(data, payloads):
    """The dataset with a payload in every other test row, and the ids of those rows."""
    places = range(0, 2 * len(payloads), 2)
    test = list(data.test)
    for place, payload in zip(places, payloads, strict=True):
        test[place] = replace(test[place], input=f"{test[place].input} {payload.text}")
    return replace(data, splits={**data.splits, "test": tuple(test)}), {test[place].id for place in places}


@pytest.mark.parametrize("obeys_inside_tags", [True, False])
def test_an_obedient_model_changes_the_attacked_rows_only(obeys_inside_tags):
    """200 payloads; the model obeys any that it finds in a request, or, more careful, any outside the row's tags."""
    data = make_dataset(sizes=(120, 40, 450))
    payloads = attacks(data.task.labels, 200)
    attacked_data, ids = attacked(data, payloads)
    truth = {data.task.text(e.input): e.target for e in data.test}

    def answer(body):
        content = body["messages"][-1]["content"]
        heard = "\n".join(m["content"] for m in body["messages"][:-1] if m["role"] != "assistant")
        heard += content if obeys_inside_tags else outside_tags(content)
        if wanted := obeyed(heard, payloads):
            return {"label": wanted}
        return next((t for text, t in truth.items() if row_in(body).startswith(text)), None)

    with scripted(Script(answer=answer)) as server:
        answers = fitted(server, attacked_data, shots="4").predict(inputs_of(attacked_data))
    changed = {e.id for e, a in zip(attacked_data.test, answers, strict=True) if a.target != e.target}
    assert changed <= ids
    assert not [a for a in answers if a.outcome == "ok" and a.target not in data.task.labels]
    if obeys_inside_tags:
        assert len(changed) > 100  # the model is as bad as it is meant to be
        assert Counter(a.outcome for a in answers)["invalid"] >= 40  # what is no label is no answer
    else:
        assert not changed  # no row has left its tags
