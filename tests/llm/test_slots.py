"""A server that says on how many asks it works at once, as llama.cpp's does: none waits there, and one token does."""

import json
import time

import pytest
from asking import LABELS, QUICK, ask, client, labelled

from slmfit.llm import Patience, choices, modes
from slmfit.llm.modes import Found
from slmfit.llm.wire import read as read_reply
from slmfit.records import Prediction
from slmfit.runs import measuring
from slmfit.testing import Said, scripted

LLAMA = frozenset({"json_schema", "logprobs", "grammar"})
LETTERS = ("A", "B", "C", "D")


def answered(server, *asks, **changes):
    """The answers, in the order of the asks, and the client."""
    asking = client(server, **changes)
    answers = {answer.id: answer for answer in asking.answers(asks)}
    return [answers[one.id] for one in asks], asking


def test_no_more_are_under_way_than_the_server_has_slots():
    heard, begin = [], time.monotonic()
    with scripted(takes=LLAMA, slots=3, latency=0.005) as server:
        answers, _ = answered(server, *map(ask, range(30)), listen=lambda kind, **fields: heard.append((kind, fields)))
        assert server.most_running == 3
    assert ("slots", {"slots": 3}) in heard
    # Three at a time and no more: with the waits for a turn they would add up to more than there was time for.
    assert sum(answer.usage.seconds for answer in answers) <= 3 * (time.monotonic() - begin)


def test_some_are_asked_alone_and_the_latency_is_theirs():
    patience = Patience(in_flight=64, start=64, alone=5)
    with scripted(latency=0.1, slots=None) as server:
        answers, _ = answered(server, *map(ask, range(40)), patience=patience)
        assert [answer.usage.alone for answer in answers] == [True] * 5 + [None] * 35
        assert server.most_running > 5
    with scripted(takes=LLAMA, latency=0.02, slots=1) as server:
        answers, _ = answered(server, *map(ask, range(8)), patience=Patience(alone=3))
    own = [answer.usage.seconds for answer in answers[:3]]
    cost = measuring.of_answers([Prediction("sports", usage=answer.usage) for answer in answers])
    assert cost.latency_ms["p50"] == pytest.approx(1000 * sorted(own)[1])
    assert all(answer.usage.server_seconds == 0.02 for answer in answers)


def test_where_none_was_alone_the_latency_is_that_of_all():
    with scripted() as server:
        answers, _ = answered(server, ask(1), ask(2))
    cost = measuring.of_answers([Prediction("sports", usage=answer.usage) for answer in answers])
    assert cost.latency_ms["p50"] > 0


def test_one_token_is_held_to_the_choices_and_comes_with_their_probabilities():
    """The model would rather say hello: the grammar lets it not."""
    with scripted(takes=LLAMA, slots=2, answer=lambda body: None if "grammar" in body else "Hello") as server:
        (label, letter), asking = answered(server, ask(1), ask(2, LETTERS, labelled(LETTERS)))
        sent = {len(body["grammar"]): body for body in server.requests[1:]}
    assert [body["grammar"] for _, body in sorted(sent.items())] == [
        'root ::= "1" | "2" | "3"',
        'root ::= "A" | "B" | "C" | "D"',
    ]
    assert all((body["max_tokens"], body["logprobs"]) == (1, True) for body in sent.values())
    assert (label.mode, label.value, label.outcome) == ("choice", "sports", "ok")
    assert (letter.mode, letter.value, letter.outcome) == ("token", "A", "ok")
    assert set(label.probabilities) == set(LABELS) and set(letter.probabilities) == set(LETTERS)
    assert sum(label.probabilities.values()) == pytest.approx(1)
    assert (asking.found.grammar, asking.found.form, len(server.requests)) == (True, None, 3)


def test_a_server_with_slots_that_goes_by_no_grammar_is_asked_by_schema():
    with scripted(slots=2) as server:
        (answer,), asking = answered(server, ask(1))
    assert (answer.mode, answer.value, asking.found.grammar) == ("schema", {"label": "sports"}, False)


def test_a_server_without_slots_is_asked_for_no_grammar():
    with scripted(takes=LLAMA) as server:
        (answer,), _ = answered(server, ask(1))
        assert answer.mode == "schema" and not [body for body in server.requests if "grammar" in body]


def test_a_grammar_that_is_refused_later_is_done_without(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with scripted(takes=LLAMA, slots=2) as server:
        assert answered(server, ask(1), ledger=ledger)[0][0].mode == "choice"
        server.script.refuses = {"grammar": (400, "Cannot use grammar here")}
        (answer,), asking = answered(server, ask(2), ledger=ledger)
    assert (answer.mode, answer.outcome, asking.found.grammar) == ("schema", "ok", False)


def test_an_answer_written_out_is_asked_by_schema_all_the_same():
    with scripted(takes=LLAMA, slots=2) as server:
        answered(server, ask(1), ask(1, whole=True))
        asked = [body for body in server.requests if "[row 1]" in str(body)]
    whole, short = sorted(asked, key=lambda body: "grammar" in body)
    assert "response_format" in whole and "grammar" in short
    assert ask(1).key("m") != ask(1, whole=True).key("m")


def test_more_labels_than_digits_are_written_out():
    many = tuple(f"intent {i}" for i in range(10))
    with scripted(takes=LLAMA, slots=2) as server:
        (answer,), _ = answered(server, ask(1, many, labelled(many)))
    assert answer.mode == "schema"


@pytest.mark.parametrize(
    ("labels", "few"),
    [(LABELS, True), (LETTERS, True), (("10", "20"), False), (tuple("ABCDEFGHIJKL"), True), (None, False), ((), False)],
)
def test_what_one_token_can_state(labels, few):
    """Labels that are numbers of two digits are answered as they are, which is two tokens."""
    assert modes.few(labels) is few


def test_under_a_grammar_only_what_it_allows_has_a_probability():
    """Else the likeliest of all could be another than the answer: "sports" the word beside "1" the number."""
    top = [("sports", -0.1), ("1", -3.0), ("2", -2.5), (" 1", -1.0)]
    found = choices.probabilities(top, LABELS, as_written=True)
    assert max(found, key=found.get) == "world"
    assert choices.probabilities([("sports", -0.1)], LABELS, as_written=True) is None


def test_the_grammar_is_asked_for_only_with_one_token():
    _, settings = modes.request(ask(1, whole=True), "schema", Found(form="schema", grammar=True))
    assert "grammar" not in settings and settings["max_tokens"] == 32


def test_a_prompt_longer_than_the_context_is_truncated():
    """Also where no row fits: that is said of each, and not that the server is gone."""
    long = ask(2)
    long = type(long)("2", (*long.messages, {"role": "user", "content": "word " * 500}), long.schema, long.choices)
    with scripted(takes=LLAMA, slots=2, context=200) as server:
        (short, cut), _ = answered(server, ask(1), long)
        assert (short.outcome, cut.outcome, cut.value, cut.attempts) == ("ok", "truncated", None, 1)
        assert "exceeds the available context size (200 tokens)" in cut.reason
    with scripted(takes=LLAMA, slots=2, context=100) as server:
        (cut,), _ = answered(server, long)
        assert cut.outcome == "truncated"


def test_a_server_that_says_nonsense_of_its_slots_is_asked_as_any(monkeypatch):
    for said in (b"", b"[1]", b'{"total_slots": "4"}', b'{"total_slots": 0}', b"[" * 100_000):
        with scripted(slots=1) as server:
            monkeypatch.setattr("slmfit.testing.server.json.dumps", lambda value, said=said: said.decode())
            asking = client(server)
            assert asking.slots() is None
            monkeypatch.undo()


def test_slots_of_a_server_that_is_not_there():
    with scripted(slots=4) as server:
        asking = client(server, patience=QUICK)
        assert asking.slots() == 4
    assert asking.slots() is None


@pytest.mark.parametrize(
    ("timings", "seconds"),
    [
        ({"prompt_ms": 90.5, "predicted_ms": 9.5}, 0.1),
        ({"prompt_ms": 1}, None),
        ({"prompt_ms": "many", "predicted_ms": 1}, None),
        ({"prompt_ms": float("nan"), "predicted_ms": 1}, None),
        ([1], None),
        (None, None),
    ],
)
def test_how_long_the_server_says_it_worked(timings, seconds):
    body = {"choices": [{"message": {"content": "1"}}], "timings": timings}
    assert read_reply(json.dumps(body).encode()).seconds == (seconds and pytest.approx(seconds))


def test_what_it_says_beside_the_choices_is_typed():
    """A server that takes the grammar in the probe, and not afterwards."""
    said = lambda body: None if "hello" in str(body) else Said("The")  # noqa: E731
    with scripted(takes=LLAMA, slots=1, answer=said) as server:
        (answer,), _ = answered(server, ask(1))
    assert (answer.outcome, answer.value) == ("invalid", None)
