"""Servers of tests leave nothing behind, also of connections made in the moment in which they end."""

import gc
import socket
import warnings

from slmfit.testing import scripted


def test_connections_of_the_last_moment_are_closed(monkeypatch):
    lost = []
    gc.collect()  # what tests before this one left behind is theirs
    monkeypatch.setattr("sys.unraisablehook", lost.append)  # a socket that is collected while open warns there
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(5):
            with scripted() as server:
                clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(8)]
            for client in clients:
                client.close()
        gc.collect()
    assert lost == []
