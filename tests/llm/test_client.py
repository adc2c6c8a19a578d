"""The client as a whole: nothing lost, nothing asked twice, nothing paid beyond the limits, every ending said."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from asking import LABELS, PRICES, QUICK, ask, client

from patience import wait_until
from slmfit.errors import BudgetReached, MissingPart, SlmfitError, UsageError
from slmfit.llm import Ask, Client, Limits, Patience, Server
from slmfit.records import OUTCOMES
from slmfit.testing import CHARGED, FINAL, KINDS, REFUSED, Said, scripted
from slmfit.testing.faults import big


@pytest.fixture
def ledger(tmp_path):
    return tmp_path / "ledger.jsonl"


def lines(ledger):
    return [json.loads(line) for line in ledger.read_bytes().splitlines()]


def test_one_answer_to_each_ask(ledger):
    with scripted() as server:
        answers = list(client(server, ledger).answers(ask(n) for n in range(200)))
    assert Counter(a.id for a in answers) == Counter(str(n) for n in range(200))
    assert {a.outcome for a in answers} == {"ok"}
    one = answers[0]
    assert one.usage.usd == pytest.approx((one.usage.input_tokens * 1.0 + one.usage.output_tokens * 4.0) / 1e6)
    assert one.usage.seconds > 0
    line = next(line for line in lines(ledger) if line.get("id") == one.id)
    assert line["model"].startswith("m-")
    assert len(line["prompt"]) == 64


def test_every_field_of_a_line_is_explained(ledger):
    explained = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8").split("## The ledger")[1]
    with scripted() as server:
        list(client(server, ledger, Limits(usd=1.0)).answers([ask(1)]))
    written = lines(ledger)
    assert {next(iter(line)) for line in written} == {"format", "found", "reserved", "answer"}
    for name in {name for line in written for name in line}:
        assert f"`{name}`" in explained or f'"{name}"' in explained, name


def test_the_same_again_asks_nothing(ledger):
    with scripted() as server:
        first = {a.id: a for a in client(server, ledger).answers(ask(n) for n in range(50))}
        asked = len(server.requests)
        again = {a.id: a for a in client(server, ledger).answers(ask(n) for n in range(50))}
        assert len(server.requests) == asked
    assert all(again[i].reused and not first[i].reused for i in first)
    assert all(again[i].value == first[i].value and again[i].usage == first[i].usage for i in first)


@pytest.mark.parametrize("changes", [{"max_tokens": 33}, {"temperature": 0.5}, {"seed": 1}, {"labels": LABELS[:2]}])
def test_another_setting_is_another_ask(ledger, changes):
    with scripted() as server:
        list(client(server, ledger).answers([ask(1)]))
        (answer,) = client(server, ledger).answers([ask(1, **changes)])
        assert not answer.reused


def test_asks_that_are_the_same_are_asked_once(ledger):
    with scripted(latency=0.02) as server:
        twins = [Ask(str(n), ask(n % 5).messages, ask(0).schema, LABELS, max_tokens=32) for n in range(500)]
        answers = list(client(server, ledger).answers(twins))
        assert Counter(a.id for a in answers) == Counter(str(n) for n in range(500))
        assert max(count for row, count in server.calls.items() if row != "?") == 1
        assert sum(not a.reused for a in answers) == 5


def test_without_a_ledger():
    with scripted() as server:
        assert len(list(client(server).answers(ask(n) for n in range(20)))) == 20


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_ends_in_a_typed_outcome(kind):
    big("bomb"), big("20 MB")  # not in the server's time
    seconds = 2.0 if kind in ("hang", "drip") else 30.0  # those alone are ended by the clock
    patience = Patience(seconds=seconds, attempts=2, base_seconds=0.01, wait_seconds=0.05, reply_bytes=2**20)
    with scripted(faults=1.0, kinds=(kind,), rows=frozenset({"bad"})) as server:
        asks = [ask("good"), ask("bad"), ask("better")]
        answers = {answer.id: answer for answer in client(server, patience=patience).answers(asks)}
    assert answers["good"].outcome == answers["better"].outcome == "ok"
    bad = answers["bad"]
    assert bad.outcome in OUTCOMES
    assert server.elsewhere == 0
    if kind in FINAL:
        assert bad.outcome in ("invalid", "refused", "truncated", "filtered", "error")
        assert server.calls["bad"] == 1
    elif kind in REFUSED or kind in CHARGED:
        assert bad.outcome in ("error", "timeout")
        assert bad.reason
        assert (server.calls["bad"], bad.attempts) == (2, 2)
    else:
        assert (bad.outcome, bad.usage.usd) == ("ok", None)


def test_a_call_that_failed_is_tried_again():
    with scripted(faults=0.3, seed=3) as server:
        answers = list(
            client(server, patience=Patience(seconds=0.5, base_seconds=0.01, wait_seconds=0.02)).answers(
                ask(n) for n in range(60)
            )
        )
        assert len(answers) == 60
        assert sum(server.calls.values()) > 65
        assert {a.attempts for a in answers} > {1}


STOPS = [
    (401, b'{"error": {"message": "Incorrect API key"}}', MissingPart, r"refuses the key \(401\).*Incorrect API key"),
    (403, b'{"error": {"message": "no access"}}', MissingPart, r"refuses the key \(403\)"),
    (404, b'{"error": {"message": "model not found"}}', UsageError, r"knows no model 'm-\d+'"),
    (402, b"{}", MissingPart, "no credit or quota left"),
    (429, b'{"error": {"code": "insufficient_quota", "message": "quota"}}', MissingPart, "no credit or quota left"),
    (400, b'{"error": {"code": "model_not_found"}}', UsageError, "knows no model"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), STOPS)
def test_what_no_second_try_would_mend_ends_at_once(ledger, status, body, kind, words):
    with scripted() as server:
        list(client(server, ledger).answers([ask(0)]))
        server.script.kinds, server.script.faults = (lambda call: call.connection.reply(status, body),), 1.0
        with pytest.raises(kind, match=words) as caught:
            list(client(server, ledger).answers(ask(n) for n in range(1, 1000)))
        assert caught.value.fix
        assert sum(server.calls.values()) < 40


def test_a_server_that_is_not_there_is_said_soon():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        start = time.monotonic()
        with pytest.raises(MissingPart, match=r"does not answer: no connection \(Connect"):
            list(Client(Server(url, "m"), patience=QUICK).answers([ask(1)]))
        assert time.monotonic() - start < 20  # the patience with one call is longer


def test_a_name_that_does_not_resolve_is_said(monkeypatch):
    def unknown(*_, **__):  # at once: how long a machine without a network looks for a name is its own affair
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(MissingPart, match="does not answer: no connection"):
        list(Client(Server("http://no-such-host.invalid/v1", "m"), patience=QUICK).answers([ask(1)]))


def test_a_server_that_goes_away_poisons_nothing(ledger):
    with scripted() as server:
        answers, total = [], 400
        with pytest.raises(MissingPart, match="does not answer"):
            for answer in client(server, ledger).answers(ask(n) for n in range(total)):
                answers.append(answer)
                if len(answers) == 100:
                    server.script.kinds, server.script.faults = ("closed",), 1.0
        assert {a.outcome for a in answers} == {"ok"}
        assert {line["outcome"] for line in lines(ledger) if "answer" in line} == {"ok"}
        server.script.faults = 0.0
        rest = list(client(server, ledger).answers(ask(n) for n in range(total)))
        assert (len(rest), {a.outcome for a in rest}) == (total, {"ok"})
        assert sum(a.reused for a in rest) >= len(answers)


@pytest.mark.parametrize("gone", [False, True])
def test_the_last_rows_without_an_answer_are_final_only_if_the_server_is_there(ledger, gone):
    rows = frozenset({"7", "8", "?"} if gone else {"7", "8"})
    with scripted(kinds=("500",), rows=rows) as server:
        list(client(server, ledger).answers([ask(0)]))
        server.script.faults = 1.0
        asks = [ask(0), ask(7), ask(8)]
        if gone:
            with pytest.raises(MissingPart, match="does not answer: the server answered 500"):
                list(client(server, ledger).answers(asks))
            server.script.faults = 0.0
            assert [a.outcome for a in client(server, ledger).answers(asks)] == ["ok"] * 3
        else:
            answers = {a.id: a.outcome for a in client(server, ledger).answers(asks)}
            assert answers == {"0": "ok", "7": "error", "8": "error"}


def test_a_server_that_refuses_everything_is_said():
    refuses = {"messages": (400, "this deployment takes no chat")}
    with (
        scripted(refuses=refuses) as server,
        pytest.raises(UsageError, match=r"refuses whatever it is asked.*takes no chat"),
    ):
        list(client(server).answers(ask(n) for n in range(100)))


def test_rows_that_are_too_long_fail_alone():
    long = frozenset(str(n) for n in range(20, 60))
    with scripted(kinds=("400, too long",), faults=1.0, rows=long) as server:
        answers = list(client(server).answers(ask(n) for n in range(100)))
    assert {a.id for a in answers if a.outcome == "truncated"} == long
    assert sum(a.outcome == "ok" for a in answers) == 60


# --- limits ---


@pytest.mark.parametrize("limits", [Limits(usd=0.004), Limits(tokens=3000)])
def test_a_limit_is_kept_and_what_was_answered_stays(ledger, limits):
    with scripted(latency=0.005) as server:
        answers = []
        with pytest.raises(BudgetReached, match="the budget does not hold another call") as caught:
            answers.extend(client(server, ledger, limits).answers(ask(n) for n in range(2000)))
        assert server.billed <= (limits.usd or 1)
        assert server.billed_tokens <= (limits.tokens or 10**9)
        answered = [line["id"] for line in lines(ledger) if "answer" in line]
        assert len(answered) > 20
        assert "higher limit" in caught.value.fix
        with pytest.raises(BudgetReached):
            list(client(server, ledger, limits).answers(ask(n) for n in range(2000)))
        assert server.billed <= (limits.usd or 1)
        assert all(a.reused for a in client(server, ledger).answers(ask(n) for n in answered))


def test_answers_come_before_the_error():
    with scripted() as server:
        got = []
        with pytest.raises(BudgetReached):
            for answer in client(server, None, Limits(tokens=2500)).answers(ask(n) for n in range(500)):
                got.append(answer)
        assert len(got) >= sum(server.calls.values()) - server.calls["?"] - 1


def test_a_limit_too_small_for_one_call_sends_none():
    with scripted() as server:
        with pytest.raises(BudgetReached):
            list(client(server, None, Limits(usd=0.00001)).answers([ask(1)]))
        assert server.requests == []


def test_a_limit_in_time_is_kept(ledger):
    with scripted(latency=0.05) as server:
        start = time.monotonic()
        with pytest.raises(BudgetReached, match="time limit of 2 s is over"):
            list(client(server, ledger, Limits(seconds=2)).answers(ask(n) for n in range(100_000)))
        assert time.monotonic() - start < 30  # all of them would take 80 s, 64 at once
        assert sum("answer" in line for line in lines(ledger)) > 5


def test_a_usd_limit_needs_a_price():
    with pytest.raises(UsageError, match="costs time, not money"):
        Client(Server("http://localhost:1/v1", "m"), limits=Limits(usd=1))


def test_usage_that_is_not_told_is_unknown_and_counts_at_the_most():
    with scripted(answer=lambda body: Said('{"label": "sports"}', usage={})) as server:
        asking = client(server, None, Limits(usd=1.0))
        (answer,) = asking.answers([ask(1)])
        assert (answer.usage.input_tokens, answer.usage.usd) == (None, None)
        assert asking.spent.usd > server.billed


def test_a_server_that_charges_more_than_asked_is_counted_in_full():
    said = Said('{"label": "sports"}', usage={"prompt_tokens": 90_000, "completion_tokens": 9_000})
    with scripted(answer=lambda body: said) as server:
        with pytest.raises(BudgetReached):
            list(client(server, None, Limits(usd=0.5)).answers(ask(n) for n in range(50)))
        assert sum(server.calls.values()) < 25


# --- the caller ---


def test_whoever_stops_listening_stops_the_calls(ledger):
    threads = threading.active_count()
    with scripted(latency=0.01) as server:
        answers = client(server, ledger).answers(ask(n) for n in range(10_000))
        for _ in range(5):
            next(answers)
        answers.close()
        calls = sum(server.calls.values())
        time.sleep(0.5)
        assert sum(server.calls.values()) <= calls + QUICK.in_flight < 400  # what was on its way then has arrived
    wait_until(lambda: threading.active_count() <= threads)


def test_an_error_of_the_caller_s_own_comes_through(ledger):
    def asks():
        yield ask(1)
        raise ZeroDivisionError

    with scripted() as server, pytest.raises(ZeroDivisionError):
        list(client(server, ledger).answers(asks()))


def test_asks_are_read_no_further_than_needed():
    read = []

    def asks():
        for n in range(10_000):
            read.append(n)
            yield ask(n)

    with scripted(latency=0.01) as server:
        answers = client(server, patience=Patience(in_flight=8)).answers(asks())
        next(answers)
        assert len(read) < 60
        answers.close()


def test_it_runs_where_a_loop_runs_already():
    import asyncio

    async def notebook(server):
        return len(list(client(server).answers([ask(1), ask(2)])))

    with scripted() as server:
        assert asyncio.run(notebook(server)) == 2


def test_a_full_disk_is_said(ledger, monkeypatch):
    def fsync(handle):
        raise OSError(28, "No space left on device")

    with scripted() as server:
        monkeypatch.setattr(os, "fsync", fsync)
        with pytest.raises(SlmfitError, match="cannot be written: No space left"):
            list(client(server, ledger).answers(ask(n) for n in range(100)))


LIFE = """
import sys, signal
sys.path[:0] = {path!r}
from pathlib import Path
from asking import ask
from slmfit.llm import Client, Server
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background has it ignored
client = Client(Server({url!r}, "m"), Path({ledger!r}))
try:
    for n, answer in enumerate(client.answers(ask(n) for n in range(100_000))):
        if n == 50:
            print("on", flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_ledger_whole(ledger, number, code):
    with scripted(latency=0.005) as server:
        script = LIFE.format(path=[*sys.path], url=server.url, ledger=str(ledger))
        life = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert life.stdout.readline() == "on\n"
        life.send_signal(number)
        life.communicate(timeout=100)
        assert life.returncode == code
        assert ledger.read_bytes().endswith(b"\n")
        finished = [line["id"] for line in lines(ledger) if "answer" in line]
        assert len(finished) == len(set(finished)) >= 50
        server.finished = set(finished)
        at = Server(server.url, "m", prices=PRICES)
        rest = list(Client(at, ledger).answers(ask(n) for n in range(len(finished) + 20)))
        assert len(rest) == len(finished) + 20
        assert server.again == 0
