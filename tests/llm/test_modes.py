"""How an answer is bound: found out from what the server replies, once, and read strictly."""

import json
import re
import time

import pytest
from asking import LABELS, ask, client, labelled
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.llm import Ask, choices, modes
from slmfit.llm.ledger import Ledger
from slmfit.llm.modes import Found, mode_of, read, request
from slmfit.llm.wire import Reply
from slmfit.testing import Said, scripted


def answered(server, *asks, **changes):
    """The answers, in the order of the asks, and the client."""
    asking = client(server, **changes)
    answers = {answer.id: answer for answer in asking.answers(asks)}
    return [answers[one.id] for one in asks], asking


SERVERS = {
    "schema": {"json_schema", "json_object", "logprobs"},
    "object": {"object_schema", "json_object"},
    "json": {"json_object"},
    "choice": set(),
}


@pytest.mark.parametrize("mode", SERVERS)
def test_each_server_is_asked_in_the_best_way_it_takes(mode):
    with scripted(takes=frozenset(SERVERS[mode])) as server:
        (answer,), asking = answered(server, ask(1))
        assert (answer.mode, answer.outcome) == (mode, "ok")
        assert answer.value == ("sports" if mode == "choice" else {"label": "sports"})
        assert asking.found.form == ("none" if mode == "choice" else mode)


def test_a_server_that_answers_200_and_ignores_the_schema_is_noticed():
    with scripted(takes=frozenset(), answer=lambda body: Said("Hello there!")) as server:
        (answer,), asking = answered(server, ask(1))
        assert asking.found.form == "none"
        assert (answer.outcome, answer.value, answer.mode) == ("invalid", None, "choice")
        assert answer.raw == "Hello there!"


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_says_it_takes_no_schema(status):
    refuses = {"response_format": (status, "response_format is not supported")}
    with scripted(takes=frozenset(), refuses=refuses) as server:
        if status == 500:  # it may be anything: the server counts as broken, not as simple
            with pytest.raises(Exception, match="does not answer"):
                answered(server, ask(1))
            return
        (answer,), _ = answered(server, ask(1))
        assert (answer.mode, answer.value) == ("choice", "sports")
        assert sum("response_format" in body for body in server.requests) == 3  # one of each form


def test_without_choices_the_schema_is_told_in_the_prompt():
    with scripted(takes=frozenset()) as server:
        (answer,), _ = answered(server, ask(1, labels=None))
        assert (answer.mode, answer.value) == ("text", {"label": "sports"})
        assert '"enum"' in server.requests[-1]["messages"][0]["content"]
        assert "response_format" not in server.requests[-1]


def test_free_text_is_not_probed():
    with scripted(answer=lambda body: Said("A haiku.")) as server:
        (answer,), _ = answered(server, Ask("1", ({"role": "user", "content": "write"},)))
        assert (answer.mode, answer.value, len(server.requests)) == ("free", "A haiku.", 1)


def test_letters_are_answered_in_one_token_with_probabilities():
    letters = ("A", "B", "C", "D")
    with scripted() as server:
        (answer,), asking = answered(server, ask(1, letters, labelled(letters)))
        sent = server.requests[-1]
        assert (sent["max_tokens"], sent["logprobs"], sent["top_logprobs"]) == (1, True, 20)
        assert (answer.mode, answer.value, asking.found.one_token) == ("token", "A", True)
        assert answer.probabilities["A"] == pytest.approx(0.95, abs=0.06)
        assert sum(answer.probabilities.values()) == pytest.approx(1.0)


def test_letters_without_log_probabilities_go_by_the_schema():
    letters = ("A", "B")
    with scripted(takes=frozenset({"json_schema"})) as server:
        (answer,), asking = answered(server, ask(1, letters, labelled(letters)))
        assert (answer.mode, answer.value, answer.probabilities) == ("schema", {"label": "A"}, None)
        assert asking.found.one_token is False


def test_numbers_of_one_digit_are_one_token_too():
    with scripted(takes=frozenset({"logprobs"})) as server:
        (answer,), _ = answered(server, ask(1))
        assert (answer.mode, answer.value) == ("choice", "sports")
        assert server.requests[-1]["max_tokens"] == 1
        assert set(answer.probabilities) == set(LABELS)


def test_a_server_that_tells_only_five_alternatives():
    with scripted(refuses={"top_logprobs": (400, "top_logprobs must be at most 5")}) as server:
        (answer,), asking = answered(server, ask(1, ("A", "B"), labelled(("A", "B"))))
        assert asking.found.one_token is False  # it refuses five as well
        assert [body.get("top_logprobs") for body in server.requests if "top_logprobs" in body] == [20, 5]
        assert answer.outcome == "ok"


def test_too_many_labels_for_an_enum_are_numbered():
    many = tuple(f"intent {i}" for i in range(700))
    with scripted() as server:
        (answer,), _ = answered(server, ask(1, many, labelled(many)))
        schema = server.requests[-1]["response_format"]["json_schema"]["schema"]
        assert schema["properties"] == {"number": {"type": "integer", "minimum": 1, "maximum": 700}}
        assert (answer.mode, answer.value) == ("numbers", "intent 0")


def test_labels_that_this_server_finds_too_many_are_numbered():
    many = tuple(f"intent {i}" for i in range(300))
    with scripted(most_labels=100) as server:
        answers, asking = answered(server, ask(1, many, labelled(many)), ask(2, many, labelled(many)))
        assert [(a.mode, a.value) for a in answers] == [("numbers", "intent 0")] * 2
        assert asking.found.numbers


@pytest.mark.parametrize("setting", ["temperature", "seed"])
def test_a_setting_that_a_model_does_not_take_is_left_out_and_said(setting):
    heard = []
    refuses = {setting: (400, f"Unsupported value: '{setting}' does not support 0 with this model.")}
    with scripted(refuses=refuses) as server:
        (answer,), asking = answered(server, ask(1, seed=3), listen=lambda kind, **fields: heard.append((kind, fields)))
        assert answer.outcome == "ok"
        assert asking.found.dropped == (setting,)
        assert setting not in server.requests[-1]
        assert ("found", setting) in [(kind, *fields["dropped"]) for kind, fields in heard]


def test_a_model_that_wants_max_completion_tokens():
    refuses = {"max_tokens": (400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")}
    with scripted(refuses=refuses) as server:
        (answer,), asking = answered(server, ask(1))
        assert (answer.outcome, asking.found.limit) == ("ok", "max_completion_tokens")
        assert server.requests[-1]["max_completion_tokens"] == 32


def test_what_was_found_out_is_not_asked_again(tmp_path):
    with scripted(takes=frozenset()) as server:
        answered(server, ask(1), ledger=tmp_path / "ledger.jsonl")
        probes = len(server.requests) - 1
        assert probes > 1
        answered(server, ask(2), ledger=tmp_path / "ledger.jsonl")
        assert len(server.requests) == probes + 2
        ledger = Ledger(tmp_path / "ledger.jsonl")
        assert ledger.found(server.model, server.url)["form"] == "none"
        ledger.close()


def test_examples_are_restated_by_number():
    shown = ({"role": "user", "content": "goal!"}, {"role": "assistant", "content": '{"label": "world"}'})
    one = ask(1)
    asked = Ask("1", (*one.messages[:1], *shown, *one.messages[1:]), one.schema, one.choices)
    messages, _ = request(asked, "choice", Found(form="none"))
    assert [m["content"] for m in messages[2:3]] == ["2"]
    assert messages[0]["content"].endswith("Answer with the number of one, and nothing else.")
    assert messages[0]["content"].startswith("Classify.")
    messages, _ = request(asked, "numbers", Found(form="schema"))
    assert json.loads(messages[2]["content"]) == {"number": 2}
    messages, _ = request(asked, "schema", Found(form="schema"))
    assert list(messages) == list(asked.messages)


def test_a_prompt_without_a_system_message_gets_one():
    messages, _ = request(Ask("1", ({"role": "user", "content": "x"},), choices=LABELS), "choice", Found())
    assert [m["role"] for m in messages] == ["system", "user"]


def reply(content, finish="stop", refusal=None):
    return Reply(content, finish, refusal, 1, 1, 0, ())


@pytest.mark.parametrize(
    ("said", "mode", "outcome"),
    [
        (reply('{"label": "world"}'), "schema", "ok"),
        (reply('```json\n{"label": "world"}\n```'), "json", "ok"),
        (reply('<think>is it {"label": "sports"}?</think>\n{"label": "world"}'), "json", "ok"),
        (reply('{"label": "world"}', finish="length"), "schema", "ok"),
        (reply('{"label": "wor', finish="length"), "schema", "truncated"),
        (reply('{"label": "wor'), "schema", "invalid"),
        (reply('{"label": "World"}'), "schema", "invalid"),
        (reply('{"label": "world", "label": "sports"}'), "schema", "invalid"),
        (reply('Sure! {"label": "world"}'), "json", "invalid"),
        (reply("world"), "schema", "invalid"),
        (reply(""), "schema", "invalid"),
        (reply("", finish="length"), "schema", "truncated"),
        (reply("<think>hm", finish="length"), "choice", "truncated"),
        (reply("2"), "choice", "ok"),
        (reply("2", finish="length"), "choice", "truncated"),
        (reply("4"), "choice", "invalid"),
        (reply("2, or rather 1"), "choice", "invalid"),
        (reply("", refusal="I will not."), "schema", "refused"),
        (reply("", finish="content_filter"), "schema", "filtered"),
        (reply('{"number": 2}'), "numbers", "ok"),
        (reply('{"number": 0}'), "numbers", "invalid"),
        (reply('{"number": true}'), "numbers", "invalid"),
        (reply('{"number": 9}'), "numbers", "invalid"),
        (reply('{"number": NaN}'), "numbers", "invalid"),
        (reply('{"label": 1e999}'), "json", "invalid"),
    ],
)
def test_what_a_reply_comes_to(said, mode, outcome):
    parsed = read(said, ask(1), mode, single=False)
    assert parsed.outcome == outcome
    if outcome == "ok":
        assert parsed.value in ({"label": "world"}, "world")
    else:
        assert parsed.value is None
        assert parsed.reason


def test_choices_alone_give_a_label_in_every_mode():
    alone = Ask("1", ask(1).messages, choices=LABELS)
    assert read(reply('{"label": "world"}'), alone, "schema", single=False).value == "world"
    assert mode_of(alone, Found(form="schema")) == "schema"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["```", "json", "\n", " ", "{}", "<think>", "</think>", "a"]), max_size=9))
def test_fences_and_thoughts_are_read_as_the_patterns_of_before_read_them(parts):
    """Those took cubic time: 3 kB froze the client."""
    text = "".join(parts)
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", text, re.DOTALL)
    assert modes.unfenced(text).strip() == (fenced[1] if fenced else text).strip()
    thought = re.match(r"\s*<think(?:ing)?>.*?</think(?:ing)?>\s*", text, re.DOTALL)
    assert modes.without_thought(text) == (text[thought.end() :] if thought else text)


def test_what_a_model_writes_freezes_nothing():
    begin = time.process_time()
    for text in ("```json" + "\n" * 100_000, "```" + " \n" * 50_000 + "x", "<think>" * 15_000, "1." + " \n" * 50_000):
        modes.unfenced(text), modes.without_thought(text), choices.chosen(text + "x", ("a", "b"))
    assert time.process_time() - begin < 1
