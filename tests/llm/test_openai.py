"""The official client as the yardstick: the same request, the same faults tried again."""

import pytest
from asking import LABELS, SCHEMA, ask, client, labelled

from slmfit.llm import Ask
from slmfit.testing import REFUSED, scripted

openai = pytest.importorskip("openai")
WAITS = ("429, wait eleven days", "429, a date", "429, milliseconds")  # for which they sleep seconds


def theirs(server, settings=None, **request):
    """Their client's reply to a request."""
    with openai.OpenAI(base_url=server.url, api_key="sk-test-key", **settings or {}) as them:
        return them.chat.completions.create(**request)


def test_the_same_body_for_the_same_request():
    one = ask(1, seed=7)
    with scripted() as server:
        list(client(server).answers([one]))
        ours, our_headers = server.requests[-1], server.headers[-1]
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
        same = {"max_tokens": 32, "temperature": 0.0, "seed": 7, "response_format": form}
        theirs(server, model=ours["model"], messages=list(one.messages), **same)
        assert server.requests[-1] == ours
        for name in ("authorization", "content-type", "accept", ":path"):
            assert server.headers[-1][name] == our_headers[name]


def test_the_same_body_for_one_token():
    letters = ("A", "B")
    with scripted() as server:
        list(client(server).answers([Ask("1", ask(1).messages, labelled(letters), letters)]))
        ours = server.requests[-1]
        same = {"max_tokens": 1, "temperature": 0.0, "logprobs": True, "top_logprobs": 20}
        theirs(server, model=ours["model"], messages=ours["messages"], **same)
        assert server.requests[-1] == ours


def test_what_they_read_is_what_we_read():
    with scripted() as server:
        (answer,) = client(server).answers([ask(1)])
        reply = theirs(server, **server.requests[-1])
        assert reply.choices[0].message.content == answer.raw
        assert reply.usage.prompt_tokens == answer.usage.input_tokens
        assert answer.value["label"] in LABELS


@pytest.mark.parametrize("kind", [kind for kind in [*REFUSED, "reset in the body", "body cut"] if kind not in WAITS])
def test_what_they_try_again_we_try_again(kind):
    fails = {"kinds": (kind,), "faults": 1.0, "rows": frozenset({"x"})}
    with scripted(**fails) as server:
        with pytest.raises(openai.OpenAIError):
            theirs(server, {"max_retries": 1, "timeout": 2.0}, model="m", messages=list(ask("x").messages))
        their_tries = server.calls["x"]
    with scripted(**fails) as server:
        answers = {a.id: a for a in client(server).answers([ask("well"), ask("x"), ask("better")])}
        our_tries = server.calls["x"]
    assert answers["x"].outcome in ("error", "timeout")
    assert our_tries > 1 or their_tries == 1
