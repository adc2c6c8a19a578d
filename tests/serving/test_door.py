"""The door: tokens, hosts, origins; bodies and connections that are slow, large, nested, chunked or packed."""

import asyncio
import gzip
import os
import signal
import socket
from dataclasses import replace

import pytest

import slmfit
from asking_over_http import ask, head, port_of, say, status
from conftest import make_dataset
from patience import wait_until

server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")
from slmfit.serving.limits import Limits  # noqa: E402

TOKEN = "open-sesame"
LIMITS = Limits(body=10_000, head=4096, receipt=60.0, connections=12, grace=60.0)
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return str(slmfit.train(make_dataset(), "majority", out=tmp_path_factory.mktemp("door")).folder)


@pytest.fixture(scope="module")
def served(run):
    with server.running({"m": run}, token=TOKEN, names=["api.example.org"], limits=LIMITS) as serving:
        yield serving


@pytest.fixture
def port(served):
    return port_of(served.url)


PATHS = [
    "/ready",
    "/v1/models",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/v1/classify",
    "/v1/entities",
    "/nix",
    "/health/",
]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_every_route_but_one_needs_the_token(port, method):
    for path in PATHS:
        for given in (None, "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer"):
            reply = say(port, head(path, method, authorization=given, connection="close"))
            assert status(reply) == 401, (path, given)
            assert b"www-authenticate: Bearer" in reply
    assert status(say(port, head("/health", "GET", connection="close"))) == 200


def test_the_page_that_asks_for_the_token_is_shown_without(port):
    page = say(port, head("/", "GET", connection="close"))
    assert status(page) == 200 and b"majority" not in page  # nothing of the runs
    assert status(say(port, head("/static/tried.js", "GET", connection="close"))) == 200
    for path in ("/static/../v1/models", "/static/..%2Fv1%2Fmodels", "/static//v1/models", "/static/nix"):
        assert status(say(port, head(path, "GET", connection="close"))) == 404
    for path in ("/", "/static/tried.js"):
        assert status(say(port, head(path, "POST", connection="close"))) == 401


def test_with_the_token(served):
    reply = ask(f"{served.url}/v1/classify", {"input": "a"}, **BEARER)
    assert reply.status == 200 and reply.json["data"][0]["label"]
    assert ask(f"{served.url}/v1/models", **BEARER).status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", 200), ("localhost:8000", 200), ("[::1]:80", 200), ("192.168.1.7", 200), ("API.example.org", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421), ("", 421), (None, 400),
        ("127.0.0.1@evil.example", 421), ("2130706433", 421),
    ],
)  # fmt: skip
def test_the_name_it_is_asked_by(port, method, host, expected):
    path = "/health" if method == "GET" else "/v1/classify"
    body = b"" if method == "GET" else b'{"input": "a"}'
    request = head(path, method, host=host, content_length=len(body), connection="close", **BEARER) + body
    assert status(say(port, request)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "http://127.0.0.1"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:81"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-origin"}, 200),
    ],
)
def test_other_sites_pages(port, headers, expected):
    assert status(say(port, head("/health", "GET", connection="close", **headers))) == expected


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"content_encoding": "gzip"}, gzip.compress(b'{"input": "a"}', mtime=0), 415),
        ({"content_encoding": "identity"}, b'{"input": "a"}', 200),
        ({"content_type": "text/plain"}, b'{"input": "a"}', 415),
        ({"content_type": None}, b'{"input": "a"}', 415),
        ({"content_type": "application/json; charset=utf-8"}, b'{"input": "a"}', 200),
        ({"content_length": 10_001}, b"", 413),
        ({"content_length": 10**18}, b"", 413),
        ({"content_length": "-1"}, b"", 400),
        ({"content_length": "7, 8"}, b"", 400),
        ({"transfer_encoding": "chunked", "content_length": 3}, b"0\r\n\r\n", 400),
        ({}, b"[" * 9_000, 400),
    ],
)
def test_bodies(port, headers, body, expected):
    head_ = head(**{"content_length": len(body), "connection": "close", **BEARER, **headers})
    assert status(say(port, head_, body)) == expected


def chunked(*pieces):
    return [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]


def test_a_body_in_chunks_is_counted_as_it_comes(port):
    start = head(transfer_encoding="chunked", connection="close", **BEARER)
    assert status(say(port, start, *chunked(b'{"inp', b'ut": "a"}'), b"0\r\n\r\n")) == 200
    assert status(say(port, start, *chunked(*[b" " * 1000] * 11))) == 413
    assert status(say(port, start, *chunked(*[b" "] * 30), b"0\r\nx: " + b"y" * 50_000)) in (408, 431)


@pytest.fixture(scope="module")
def hasty(run):
    """A server that waits no longer than 1.5 s for a request."""
    with server.running({"m": run}, token=TOKEN, limits=replace(LIMITS, receipt=1.5)) as serving:
        yield serving


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"GET /hea",),
        (head()[:-2],),
        (head(content_length=9, **BEARER), *[b" ", 0.4] * 8),
        (b"G", 0.5, b"E", 0.5, b"T", 0.5, b" ", 0.5, b"/"),
    ],
    ids=["silent", "half a line", "half a head", "a byte at a time", "a letter at a time"],
)
def test_what_does_not_come_in_time_is_over(hasty, pieces):
    reply = say(port_of(hasty.url), *pieces)  # which waits for the end
    assert reply == b"" or status(reply) == 408


def test_a_head_without_an_end(port):
    assert status(say(port, b"GET / HTTP/1.1\r\nx: " + b"y" * 200_000)) == 431
    assert status(say(port, b"GET /" + b"y" * 200_000)) == 431


def test_there_is_an_end_of_connections(port):
    held = []
    try:
        for _ in range(LIMITS.connections):
            held.append(socket.create_connection(("127.0.0.1", port)))
        assert status(say(port, head("/health", "GET"))) == 503
    finally:
        for connection in held:
            connection.close()
    wait_until(lambda: status(say(port, head("/health", "GET", connection="close"))) == 200)  # once it has seen them go


def test_what_is_no_http(port):
    for garbage in (b"\x00" * 100, b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        assert status(say(port, garbage)) == 400


def test_a_client_that_leaves_is_dropped(served, port):
    line = served.service.lines["m"]
    os.kill(line.process.number, signal.SIGSTOP)
    try:
        body, flew = b'{"input": "a"}', line._flying
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        for waiting, connection in enumerate(connections):
            connection.sendall(head(content_length=len(body), **BEARER) + body)
            # the first is with the model, not waiting
            wait_until(lambda waiting=waiting: line._flying is not flew and len(line.waiting) == waiting)
        before = line.dropped
        for connection in connections:
            connection.close()
        wait_until(lambda: all(item.left for item in line.waiting))
    finally:
        os.kill(line.process.number, signal.SIGCONT)
    wait_until(lambda: line.dropped >= before + 2)
    assert line.dropped == before + 2
    assert ask(f"{served.url}/v1/classify", {"input": "a"}, **BEARER).status == 200


def test_what_is_under_way_is_answered_before_the_end(run):
    with server.running({"m": run}, limits=LIMITS) as serving:
        port, line, body = int(serving.url.rpartition(":")[2]), serving.service.lines["m"], b'{"input": "a"}'
        with (
            socket.create_connection(("127.0.0.1", port)) as busy,
            socket.create_connection(("127.0.0.1", port)) as idle,
        ):
            os.kill(line.process.number, signal.SIGSTOP)
            busy.sendall(head(content_length=len(body)) + body)
            wait_until(lambda: serving.server_state.tasks)
            serving.should_exit = True
            wait_until(lambda: serving.service.draining)
            idle.sendall(head(content_length=len(body)) + body)  # it was open, and is still answered
            os.kill(line.process.number, signal.SIGCONT)
            for connection in (busy, idle):
                connection.settimeout(60)
                reply = connection.recv(1 << 16)
                assert status(reply) == 200 and b"connection: close" in reply


def test_small_answers_are_sent_at_once():
    """Without TCP_NODELAY the second part of an answer waits for the other side to have acknowledged the first."""
    set_there = []

    class Seen(asyncio.Protocol):
        def connection_made(self, transport):
            set_there.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async def connected():
        listening = await asyncio.get_running_loop().create_server(Seen, sock=server.bound("127.0.0.1", 0))
        _, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        while not set_there:
            await asyncio.sleep(0.01)
        writer.close()
        listening.close()

    asyncio.run(connected())
    assert set_there == [1]
