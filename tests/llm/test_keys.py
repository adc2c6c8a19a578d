"""A key goes to its own server and nowhere else: not into ledger, message, traceback or repr, not to another host."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import asdict

import pytest
from asking import QUICK, ask
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.errors import SlmfitError, UsageError
from slmfit.llm import Client, Patience, Secret, Server
from slmfit.testing import KINDS, Said, scripted

CANARY = "sk-canary/7+f=é".replace("é", "e")
PASSWORD, QUERY = "pass-canary-19", "query-canary-23"
ALL = (CANARY, PASSWORD, QUERY, "sk-canary", "canary")


def with_secrets(url):
    """The URL with a password and a key in it."""
    return f"{url.replace('http://', f'http://user:{PASSWORD}@')}?key={QUERY}&version=2"


def assert_hidden(*texts):
    for text in texts:
        for secret in ALL:
            assert secret not in str(text)


def test_the_key_reaches_its_server():
    with scripted() as server:
        list(Client(Server(server.url, "m", key=CANARY)).answers([ask(1)]))
        assert server.headers[-1]["authorization"] == f"Bearer {CANARY}"


def test_what_stands_in_the_url_reaches_its_server():
    with scripted() as server:
        at = Server(with_secrets(server.url), "m")
        list(Client(at).answers([ask(1)]))
        assert server.headers[-1]["authorization"].startswith("Basic ")
        assert server.headers[-1][":path"] == f"/v1/chat/completions?key={QUERY}&version=2"
        assert at.base_url == server.url
        assert at.host == "127.0.0.1"


def test_nothing_shows_it(caplog):
    server = Server(with_secrets("http://host:1/v1"), "m", key=CANARY)
    shown = [repr(server), str(server), f"{server.key!r} {server.key}", json.dumps([server.base_url, server.host])]
    assert_hidden(*shown, *[repr(secret) for secret in server.secrets])
    for leak in (lambda: pickle.dumps(server), lambda: copy.deepcopy(server), lambda: asdict(server)):
        with pytest.raises(TypeError, match="not to be stored") as caught:
            leak()
        assert_hidden(caught.value)


ECHOES = {
    "in the text": lambda sent: Said(f'{{"label": "sports", "key": "{sent}"}}'),
    "escaped": lambda sent: Said(
        json.dumps({"label": "".join(f"\\u{ord(c):04x}" for c in sent)}).replace("\\\\", "\\")
    ),
    "as a refusal": lambda sent: Said(None, refusal=f"I will not, {sent}"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_server_that_repeats_the_key(tmp_path, echo, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    ledger, heard = tmp_path / "ledger.jsonl", []
    with scripted() as server:
        server.script.answer = lambda body: ECHOES[echo](CANARY)
        at = Server(with_secrets(server.url), "m-echo", key=CANARY)
        client = Client(at, ledger, listen=lambda kind, **fields: heard.append((kind, fields)))
        answers = list(client.answers(ask(n, labels=None, schema={"type": "object"}) for n in range(3)))
        free = list(client.answers([ask(9, labels=None, schema=None)]))
    out, err = capfd.readouterr()
    assert_hidden(ledger.read_text(), answers, free, heard, out, err, caplog.text)


def errors_of(server, tmp_path, kind, seconds=0.2):
    """What comes out when every call fails in one way: the answers, or the error with its traceback.

    seconds: for a call; few of them, as some kinds never reply.
    """
    server.script.faults = 1.0
    at = Server(with_secrets(server.url), f"m-{kind}", key=CANARY)
    patience = Patience(seconds=seconds, attempts=2, base_seconds=0.01, wait_seconds=0.01)
    try:
        return list(Client(at, tmp_path / f"{abs(hash(kind))}.jsonl", patience=patience).answers([ask(1)]))
    except SlmfitError as error:
        return "".join(traceback.format_exception(error)) + str(error.where) + str(error.fix)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("20 MB", "gzip bomb")])
def test_no_fault_shows_it(tmp_path, kind, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    with scripted(kinds=(kind,)) as server:
        shown = errors_of(server, tmp_path, kind)
        assert server.elsewhere == 0
    written = [path.read_text() for path in tmp_path.iterdir()]
    out, err = capfd.readouterr()
    assert_hidden(shown, *written, out, err, caplog.text)


SAYS = {
    401: "refuses the key",
    403: "refuses the key",
    404: "knows no model",
    402: "no credit",
    400: "refuses whatever",
}


@pytest.mark.parametrize("status", SAYS)
def test_no_refusal_shows_it(tmp_path, status, caplog):
    caplog.set_level(logging.DEBUG)
    repeated = json.dumps({"error": {"message": f"Incorrect API key provided: {CANARY} {PASSWORD} {QUERY}"}}).encode()
    with scripted(kinds=(lambda call: call.connection.reply(status, repeated),)) as server:
        shown = errors_of(server, tmp_path, "refused", seconds=30.0)
    assert SAYS[status] in shown
    assert_hidden(shown, caplog.text)


def test_no_connection_shows_it():
    at = Server(with_secrets("http://127.0.0.1:9/v1"), "m", key=CANARY)
    with pytest.raises(SlmfitError) as caught:
        list(Client(at, patience=QUICK).answers([ask(1)]))
    assert_hidden("".join(traceback.format_exception(caught.value)))
    assert "http://127.0.0.1:9/v1" in str(caught.value)


@pytest.mark.parametrize("url", ["", "host:1/v1", "ftp://u:pass-canary-19@h/v1", "http://[bad/v1?key=query-canary-23"])
def test_a_url_that_is_none(url):
    with pytest.raises(UsageError) as caught:
        Server(url, "m")
    assert_hidden(caught.value)


@pytest.mark.parametrize("key", ["sk\nx: y", "sk-é"])
def test_a_key_that_is_none(key):
    with pytest.raises(UsageError, match="holds what no key holds") as caught:
        Server("http://h/v1", "m", key=key)
    assert key not in str(caught.value)


# --- where a key comes from ---


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def key_of(url="http://localhost:1/v1"):
    key = Server.from_environment(url, "m").key
    return key and key.reveal()


def test_the_environment_wins_over_dotenv(here, monkeypatch):
    assert key_of() is None
    (here / ".env").write_text('export OPENAI_API_KEY="from-dotenv"\nOTHER=$HOME\n')
    assert key_of() == "from-dotenv"
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert key_of() == "from-environment"


def test_a_dotenv_that_is_no_text(here):
    (here / ".env").write_bytes(b"OPENAI_API_KEY=\xff\xfe")
    with pytest.raises(UsageError, match=r"\.env: cannot be read"):
        key_of()


def test_a_vendor_gets_its_own_key_alone(here, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "openai-key")
    monkeypatch.setenv("GROQ_API_KEY", "groq-key")
    assert key_of("https://api.openai.com/v1") == "openai-key"
    assert key_of("https://api.groq.com/openai/v1") == "groq-key"
    assert key_of("https://api.mistral.ai/v1") is None
    assert key_of("https://my-own-host.example/v1") == "openai-key"


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=4, max_size=40), st.data())
def test_every_spelling_is_hidden(key, data):
    secret, spelled = Secret(key), data.draw(st.sampled_from([str, json.dumps]))
    text = f"before {spelled(key)} after"
    assert key not in secret.hidden_in(text).replace("********", "")
    assert secret.hidden_in({"a": [key]}) == {"a": ["********"]}
