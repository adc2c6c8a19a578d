"""What listens where a cluster's head is looked for: only what speaks HTTP/2 is left to Ray, which waits minutes."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from slmfit.cluster import nodes

SETTINGS = bytes([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0])


@contextmanager
def listening(answer):
    """The port of somebody who says this to whoever comes; None = nothing, and the connection stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection, suppress(ConnectionError):  # who asks hangs up once it knows
                for byte in answer or b"":
                    connection.send(bytes([byte]))
                while connection.recv(64):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_head_answers_with_its_settings():
    with listening(SETTINGS) as port:
        nodes.knock("127.0.0.1", port)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"-ERR\r\n", None])
def test_others_are_no_head(answer, monkeypatch):
    monkeypatch.setattr(nodes, "CONNECT_SECONDS", 0.2)
    with listening(answer) as port, pytest.raises(OSError, match=r"not a Ray head|timed out"):
        nodes.knock("127.0.0.1", port)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        nodes.knock("127.0.0.1", port)
