"""Requests as tests write them: whole ones by urllib, broken ones byte by byte."""

import json
import re
import socket
import urllib.error
import urllib.request


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]["message"]


def ask(url, body=None, method=None, **headers):
    """A reply, whatever its status. body: JSON, or bytes as they are."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        headers.setdefault("content-type", "application/json")
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def say(port, *pieces, wait=60.0):
    """All that comes back for these bytes until the server closes; a piece that is a number is a pause."""
    import time

    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        found = b""
        for piece in pieces:
            if isinstance(piece, bytes):
                try:
                    connection.sendall(piece)
                except OSError:
                    break
            else:
                time.sleep(piece)
        try:
            while part := connection.recv(1 << 16):
                found += part
        except ConnectionResetError:
            pass
        return found


def head(path="/v1/classify", method="POST", **headers):
    """The head of a request, with the empty line behind it."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"host": "127.0.0.1", "content-type": "application/json", **given}
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{told}\r\n".encode()


def port_of(url):
    return int(url.rpartition(":")[2])


def status(reply):
    """Of a reply as it came."""
    return int(re.match(rb"HTTP/1.1 (\d+)", reply)[1])
