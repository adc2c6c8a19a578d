"""Ledgers that somebody else wrote or changed: read whole or passed over, never a wrong figure, never a crash."""

import json
import os
import time

import pytest
from asking import ask, client

from slmfit.errors import SlmfitError, UnsafeError
from slmfit.llm import Limits, probing
from slmfit.llm.ledger import Ledger
from slmfit.llm.lines import LONGEST
from slmfit.testing import scripted

HEAD = {"format": "slmfit.ledger/1", "opened": "2026-11-22T10:00:00Z"}
USAGE = {"input_tokens": 5, "output_tokens": 1, "seconds": 0.1, "usd": 0.01}
FOUND = {
    "form": "schema",
    "one_token": None,
    "numbers": False,
    "limit": "max_tokens",
    "dropped": [],
    "alternatives": 20,
}
ANSWERS = [
    {"value": {"label": "pwned"}}, {"value": "pwned"}, {"value": [1]}, {"value": None}, {"value": {"label": "\x1b"}},
    {"outcome": "pwned"}, {"outcome": [1]}, {"raw": 5}, {"mode": [1]}, {"attempts": "x"}, {"reason": {}},
    {"probabilities": {"pwned": 0.5}}, {"probabilities": [1]}, {"probabilities": {"sports": 2.0}},
    {"probabilities": {"sports": 0.9, "world": 0.9}}, {"probabilities": {"sports": float("nan")}},
    {"usage": None}, {"usage": {"evil": 1}}, {"usage": USAGE | {"input_tokens": "5"}}, {"usage": USAGE | {"usd": -3.0}},
    {"usage": USAGE | {"seconds": float("nan")}}, {"usage": USAGE | {"input_tokens": 10**4000}},
    {"charged": {"tokens": -(10**9), "usd": -100.0}}, {"charged": {"tokens": 6, "usd": "a"}},
    {"charged": {"tokens": "6", "usd": 0.0}}, {"charged": {"tokens": 10**4000, "usd": 0.0}},
    {"charged": {"tokens": 6, "usd": 1e300}}, {"charged": {"tokens": 6, "usd": float("nan")}},
    {"charged": {"tokens": float("inf"), "usd": 0.0}}, {"charged": {"tokens": 6, "usd": float("inf")}}, {"charged": []},
    {"answer": 5}, {"answer": "z" * 64}, {"answer": "-1" * 32},
]  # fmt: skip
FINDINGS = [
    "x", [1], {"form": "schema"}, FOUND | {"form": "evil"}, FOUND | {"form": [1]}, FOUND | {"limit": "messages"},
    FOUND | {"dropped": ["messages"]}, FOUND | {"dropped": 5}, FOUND | {"alternatives": -(10**30)},
]  # fmt: skip
LINES = [
    b'{"answer": "\xff\xfe"}', json.dumps(HEAD).encode("utf-16"), b"[" * 200_000, b'"an answer"', b"null", b"{}", b"[]",
    b'{"reserved": [1], "tokens": 1, "usd": 0}', b'{"reserved": "a", "tokens": -1000000000, "usd": -100.0}',
    b'{"reserved": "a", "tokens": 1e999, "usd": 0}', b'{"found": {}, "model": [], "server": {}}',
    b'{"raw": "' + b"a" * LONGEST + b'"}',
]  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with scripted(prices=(1.0, 4.0)) as server:
        yield server


def answer(server, **changes):
    """The line of an answer to row 0, which the server itself would answer as "sports"."""
    line = {"answer": ask(0).key(server.model), "id": "0", "outcome": "ok", "value": {"label": "world"}, "raw": "x"}
    line |= {"usage": USAGE, "probabilities": None, "attempts": 1, "reason": None, "mode": "schema"}
    return line | {"charged": {"tokens": 6, "usd": 0.01}} | changes


def asked(server, path, lines):
    """The answer to row 0 with a ledger of these lines, and what the ledger says was spent."""
    path.write_bytes(b"".join((li if isinstance(li, bytes) else json.dumps(li).encode()) + b"\n" for li in lines))
    probing._KNOWN.clear()
    begin = time.process_time()
    [got] = client(server, path, Limits(usd=5.0)).answers([ask(0)])
    assert time.process_time() - begin < 5
    again = Ledger(path)
    again.close()
    assert 0 <= again.spent.tokens < 10**6 and 0 <= again.spent.pico < 10**12
    assert [a.reused for a in client(server, path).answers([ask(0)])] == [True]  # and not asked once more
    return got


def test_a_proper_one_is_used(server, tmp_path):
    for value in ({"label": "world"}, "world"):
        got = asked(server, tmp_path / "l", [HEAD, answer(server, value=value, mode="schema")])
        assert (got.value, got.reused) == (value, True)


def test_of_two_answers_the_later_one_counts(server, tmp_path):
    lines = [HEAD, answer(server, value={"label": "pwned"}), answer(server)]
    assert asked(server, tmp_path / "l", lines).value == {"label": "world"}


@pytest.mark.parametrize("changes", ANSWERS, ids=lambda c: json.dumps(c)[:40])
def test_what_is_no_answer_is_asked_again(server, tmp_path, changes):
    got = asked(server, tmp_path / "l", [HEAD, answer(server, **changes)])
    assert (got.outcome, got.value, got.reused) == ("ok", {"label": "sports"}, False)


@pytest.mark.parametrize("found", FINDINGS, ids=lambda f: json.dumps(f)[:40])
def test_what_cannot_have_been_found_is_found_out_anew(server, tmp_path, found):
    line = {"found": found, "model": server.model, "server": server.url, "charged": {"tokens": 1, "usd": 0}}
    assert asked(server, tmp_path / "l", [HEAD, line]).value == {"label": "sports"}


@pytest.mark.parametrize("line", LINES, ids=lambda line: repr(line[:30]))
def test_what_is_no_line_costs_no_other(server, tmp_path, line):
    assert asked(server, tmp_path / "l", [HEAD, line, answer(server)]).value == {"label": "world"}


def test_a_key_twice_in_a_line_is_the_last_one(server, tmp_path):
    line = json.dumps(answer(server))[:-1] + ', "value": {"label": "pwned"}}'
    assert asked(server, tmp_path / "l", [HEAD, line.encode()]).value == {"label": "sports"}


def test_a_link_or_a_pipe_is_refused(server, tmp_path):
    precious = tmp_path / "precious.txt"
    precious.write_text("no line end")
    (tmp_path / "link").symlink_to(precious)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(UnsafeError, match="is no file of ours"):
            Ledger(tmp_path / name)
    assert precious.read_text() == "no line end"


def test_other_formats_are_refused(tmp_path):
    for format in ("slmfit.ledger/2", 5, None, "\x1b[31m"):
        path = tmp_path / "l"
        path.write_text(json.dumps({"format": format}) + "\n")
        with pytest.raises(SlmfitError, match="is a ledger of format"):
            Ledger(path)
