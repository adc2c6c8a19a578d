"""One call over HTTP: certificates, proxies, connections that were closed meanwhile, replies that are packed."""

import asyncio
import gzip
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from contextlib import contextmanager

import pytest
from asking import QUICK, ask, client

from slmfit.errors import MissingPart
from slmfit.llm import Client, Server
from slmfit.llm.channel import Channel, Received, Trouble
from slmfit.testing import scripted
from slmfit.testing.threads import in_thread, until_cancelled


def post(url, body=b"{}", seconds=30.0, patience=QUICK, times=1):
    """What comes of calls one after the other over one channel."""

    async def run():
        async with Channel(Server(url, "m", key="sk-test-key"), patience) as channel:
            return [await channel.post(body, seconds) for _ in range(times)]

    return asyncio.run(run())


@contextmanager
def answering(*replies, closed=None):
    """A server that sends these bytes, one per connection, whatever it is asked; yields its URL and what it got.

    closed: a list that grows by one when a connection has been closed.
    """
    got, closed = [], [] if closed is None else closed
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for reply in replies:
                connection, _ = listening.accept()
                with connection:
                    got.append(connection.recv(65536))
                    connection.sendall(reply)
                closed.append(True)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", got
        thread.join(2)


def reply(body, *headers, status=200):
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_head_and_body_leave_together():
    with answering(reply(b"[1]")) as (url, got):
        (received,) = post(url, b'{"a": 1}')
    assert isinstance(received, Received)
    assert (received.status, received.body) == (200, b"[1]")
    assert got[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert got[0].endswith(b'\r\n\r\n{"a": 1}')


def test_a_connection_that_was_closed_meanwhile_is_opened_again():
    closed = []
    with answering(reply(b"1"), reply(b"2"), reply(b"3"), closed=closed) as (url, _):

        async def run():
            async with Channel(Server(url, "m"), QUICK) as channel:
                bodies = []
                for call in range(1, 4):
                    bodies.append((await channel.post(b"{}", 30.0)).body)
                    while len(closed) < call:  # as far as the system knows: the loop may not have heard
                        time.sleep(0.005)
                return bodies

        assert asyncio.run(run()) == [b"1", b"2", b"3"]


def test_one_connection_serves_calls_one_after_the_other():
    with scripted() as server:
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "[row 1]"}]}).encode()
        assert [got.status for got in post(server.url, body, times=5)] == [200] * 5
        assert server.connections == 1


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_reply_is_unpacked(coding, pack):
    with answering(reply(pack(b"[1, 2]"), f"content-encoding: {coding}")) as (url, _):
        assert post(url)[0].body == b"[1, 2]"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_a_reply_that_cannot_be_unpacked(coding):
    with (
        answering(reply(b"\x1b junk", f"content-encoding: {coding}")) as (url, _),
        pytest.raises(Trouble, match=f"could not be unpacked \\({coding}\\)"),
    ):
        post(url)


def test_a_chunked_reply():
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
    with answering(chunked) as (url, _):
        assert post(url)[0].body == b"[1]"


def test_a_reply_without_end_is_cut_off_in_time():
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{") as (url, _):
        with pytest.raises(Trouble) as caught:
            post(url, seconds=0.3)
        assert caught.value.outcome in ("timeout", "error")


# --- certificates ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, context) for 127.0.0.1, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    paths = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    named = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *paths, *named]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


def test_a_certificate_that_is_trusted(certificate, monkeypatch):
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with scripted(tls=context) as server:
        assert {a.outcome for a in client(server).answers(ask(n) for n in range(40))} == {"ok"}
        assert server.headers[-1]["authorization"] == "Bearer sk-test-key"


def test_a_certificate_that_is_not_trusted_gets_no_key(certificate):
    _, context = certificate
    with (
        scripted(tls=context) as server,
        pytest.raises(MissingPart, match=r"no connection \(.*certificate.*\)"),
    ):
        list(client(server).answers([ask(1)]))
    assert server.requests == []


# --- proxies ---


@contextmanager
def proxy():
    """A proxy that tunnels CONNECT and forwards http; yields its address and the heads of what it was asked."""
    heads, transports, address = [], set(), []

    async def pipe(reader, writer):
        transports.add(writer.transport)
        try:
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()
            await writer.wait_closed()
        finally:
            writer.transport.abort()
            transports.discard(writer.transport)

    async def forward(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head.decode())
        method, target, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            host, _, port = target.decode().rpartition(":")
        else:
            host, _, port = target.decode().removeprefix("http://").partition("/")[0].rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        if method == b"CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            back.write(head)
        await asyncio.gather(pipe(reader, back), pipe(there, writer), return_exceptions=True)

    async def serve(started):
        server = await asyncio.start_server(forward, "127.0.0.1", 0)
        address[:] = server.sockets[0].getsockname()
        started()
        await until_cancelled(server, transports)

    with in_thread(serve):
        yield f"{address[0]}:{address[1]}", heads


@pytest.fixture
def elsewhere(monkeypatch):
    """The servers of these tests count as on another machine, or no proxy would be asked."""
    monkeypatch.setattr(Server, "local", False)
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_a_proxy_of_the_environment_is_used(elsewhere, monkeypatch):
    with proxy() as (address, heads), scripted() as server:
        monkeypatch.setenv("http_proxy", f"http://user:proxy-canary@{address}")
        assert [a.outcome for a in client(server).answers([ask(1)])] == ["ok"]
        assert heads[0].startswith(f"GET http://127.0.0.1:{server.port}/props ")  # first of this connection
        assert "proxy-authorization: basic " in heads[0].lower() and server.connections == 1


def test_through_a_tunnel_the_proxy_sees_no_key(elsewhere, certificate, monkeypatch):
    path, context = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with proxy() as (address, heads), scripted(tls=context) as server:
        monkeypatch.setenv("https_proxy", address)
        assert [a.outcome for a in client(server).answers([ask(1)])] == ["ok"]
        assert all(head.startswith("CONNECT 127.0.0.1:") and "sk-test-key" not in head for head in heads)
        assert server.headers[-1]["authorization"] == "Bearer sk-test-key"


def test_no_proxy_holds(elsewhere, monkeypatch):
    with proxy() as (address, heads), scripted() as server:
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert [a.outcome for a in client(server).answers([ask(1)])] == ["ok"]
        assert heads == []


def test_a_server_on_this_machine_is_asked_directly(monkeypatch):
    with scripted() as server:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert [a.outcome for a in client(server).answers([ask(1)])] == ["ok"]


def test_a_proxy_that_is_not_there_is_said(elsewhere, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:proxy-canary@127.0.0.1:9")
    with pytest.raises(MissingPart, match="no connection") as caught:
        list(Client(Server("http://h.example/v1", "m"), patience=QUICK).answers([ask(1)]))
    assert "proxy-canary" not in str(caught.value)
