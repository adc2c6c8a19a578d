"""A key shows up nowhere: not in a file, not in a stream, whatever the server repeats and however a command ends."""

import base64
import contextlib
import json
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit.llm.pace import Patience
from slmfit.methods import llm

KEYS = {
    "environment": "sk-canary/env+41c7",
    "dotenv": "sk-canary/dot+92aa",
    "user": "canary-user-5d",
    "password": "canary/pass+0b",
    "query": "canary&query=77",
}
SPELLINGS = {
    form(key) for key in KEYS.values() for form in (str, partial(quote, safe=""), lambda k: json.dumps(k)[1:-1])
}
SPELLINGS |= {base64.b64encode(f"{KEYS['user']}:{KEYS['password']}".encode()).decode()}


class Parrot(BaseHTTPRequestHandler):
    """Repeats all that it was sent, in every place where a reply has room for it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append({**self.headers, ":path": self.path})
        kind, _, key = self.headers.get("authorization", "").partition(" ")
        key = base64.b64decode(key).decode() if kind == "Basic" else key
        heard = f"{self.path} {unquote(self.path)} {dict(self.headers)} {key} {key.partition(':')[2]}"
        getattr(self, f"say_{self.server.kind}")(heard, json.loads(body))

    def reply(self, status, data, *headers):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in (*headers, ("content-length", len(data))):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def message(self, **message):
        choice = {"message": {"role": "assistant", **message}, "finish_reason": "stop"}
        self.reply(200, {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}})

    def say_well(self, heard, body):
        form = (body.get("response_format") or {}).get("json_schema", {}).get("schema", {}).get("properties", {})
        self.message(content=json.dumps({name: inner["enum"][0] for name, inner in form.items()}))

    def say_content(self, heard, body):
        self.message(content=heard)

    def say_object(self, heard, body):
        self.message(content=json.dumps({"label": heard}))

    def say_refusal(self, heard, body):
        self.message(content=None, refusal=heard)

    def say_status(self, heard, body, status=500):
        self.reply(status, {"error": {"message": heard, "code": heard, "param": heard}}, ("retry-after", "0"))

    say_400, say_401, say_402, say_404, say_429, say_500 = (
        lambda self, heard, body, status=status: self.say_status(heard, body, status)
        for status in (400, 401, 402, 404, 429, 500)
    )

    def say_redirect(self, heard, body):
        self.reply(307, b"", ("location", f"http://localhost:{self.server.other}/v1/{quote(heard)}"))

    def say_html(self, heard, body):
        self.reply(200, f"<html>{heard}</html>".encode())

    def say_garbage(self, heard, body):
        self.wfile.write(heard.encode())
        self.close_connection = True

    def log_message(self, *args):
        """Not on our stderr."""


@contextlib.contextmanager
def parrot(kind, other=9):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    server.daemon_threads, server.kind, server.other, server.asked = True, kind, other, []
    server.handle_error = lambda *args: None  # whoever asked has hung up
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # which is also how soon it ends
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Data, and patience for the tries of a test only."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "cache"))
    quick = partial(Patience, attempts=2, base_seconds=0.01, total_seconds=5.0, seconds=5.0)
    monkeypatch.setattr(llm, "Patience", quick)
    for split, examples in make_dataset(sizes=(40, 20, 20)).splits.items():
        rows = "".join(json.dumps({"text": e.input, "label": e.target}) + "\n" for e in examples)
        (tmp_path / f"{split}.jsonl").write_text(rows)
    return tmp_path


def address(server, place, monkeypatch):
    """The server's address, with the key put in its place."""
    if place == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", KEYS["environment"])
    if place in ("environment", "dotenv"):  # what the environment has wins
        Path(".env").write_text(f"OPENAI_API_KEY={KEYS['dotenv']}\n")
    if place != "address":
        return f"http://127.0.0.1:{server.server_port}/v1"
    user, password, query = (quote(KEYS[name], safe="") for name in ("user", "password", "query"))
    return f"http://{user}:{password}@127.0.0.1:{server.server_port}/v1?api_key={query}"


def sent(server, place):
    """Whether the server got the key that it was to get, and no other."""
    heads = [json.dumps(headers) for headers in server.asked]
    other = KEYS["dotenv"] if place == "environment" else KEYS["environment"]
    key = quote(KEYS["query"], safe="") if place == "address" else KEYS[place]
    return heads and all(key in head and other not in head for head in heads)


FILES = ("train.jsonl", "--test", "test.jsonl", "--validation", "validation.jsonl")


def run(capfd, *words):
    """What a command printed."""
    before, sys.argv = sys.argv, ["slmfit", *map(str, words)]
    try:
        with pytest.raises(SystemExit):
            cli.main()
    finally:
        sys.argv = before
    return "".join(capfd.readouterr())


def found_in(folder, *printed):
    """Where a key shows up: files by name, and what was printed."""
    texts = {str(path): path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}
    texts = {name: text for name, text in texts.items() if not name.endswith(".env")}
    texts |= {f"printed {n}": text for n, text in enumerate(printed)} | {"names": "\n".join(texts)}
    return [name for name, text in texts.items() if any(spelling in text for spelling in SPELLINGS)]


PLACES = ("environment", "dotenv", "address")
KINDS = [name.removeprefix("say_") for name in vars(Parrot) if name.startswith("say_") and name != "say_status"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_the_server_repeats(kind, folder, monkeypatch, capfd):
    printed = []
    for place in PLACES:
        with parrot("well") as other, parrot(kind, other.server_port) as server:
            url = address(server, place, monkeypatch)
            asked = (*FILES, "--base-url", url)
            printed.append(run(capfd, "train", "llm=m", *asked, "--out", place))
            assert sent(server, place) and not other.asked
            if place == "address":
                printed.append(run(capfd, "compare", *asked, "--methods", "llm=m", "--out", "compared"))
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        Path(".env").unlink(missing_ok=True)
    assert not found_in(folder, *printed)


@pytest.mark.parametrize("place", PLACES)
def test_a_full_run(place, folder, monkeypatch, capfd):
    with parrot("well") as server:
        url = address(server, place, monkeypatch)
        every = ("--base-url", url)
        words = [
            ("compare", *FILES, "--methods", "majority,llm=m", *every, "--out", "o", "--dry-run"),
            ("compare", *FILES, "--methods", "majority,llm=m", *every, "--out", "o"),
            ("compare", *FILES, "--methods", "majority,llm=m", *every, "--out", "o", "--json"),
            ("train", "llm=m", *FILES, "--set", f"llm.base_url={url}", "--set", "llm.shots=2", "--out", "p", "--json"),
            ("predict", "o/runs/llm-m", "my card was charged twice"),
            ("predict", "o/runs/llm-m", "--input", "test.jsonl", "--output", "answered.csv"),
            ("evaluate", "o/runs/llm-m", "test.jsonl"),
            ("report", "o", "--markdown"),
            ("runs", "--json"),
            ("explain", "--run", "o/runs/llm-m"),
            ("doctor", "--json"),
        ]
        printed = [run(capfd, *command) for command in words]
        assert len(server.asked) > 20
    assert '"id": "llm-m"' in printed[2] and "llm.base_url" in printed[9]
    assert not found_in(folder, *printed)


def test_a_command_that_is_mistyped(folder, capfd):
    key = "http://me:sk-canary%2Fenv%2B41c7@127.0.0.1/v1"
    for words in (
        ("compare", *FILES, key),
        ("compare", *FILES, "--methods", "llm=m", "--set", f"llm.base_url:{key}"),
        ("compare", *FILES, "--methods", "llm=m", "--set", f"llm.url={key}"),
        ("compare", *FILES, "--methods", f"llm={key},lm"),
        ("compare", key),
        ("train", "llm=m", *FILES, "--base-url", key.replace("http", "ftp")),
        ("train", "llm=m", *FILES, "--base-url", key.replace("127.0.0.1", "127.0.0.1:port")),
        ("train", "llm=m", *FILES, "--base-urn", key),
    ):
        said = run(capfd, *words)
        assert "slmfit: " in said and not found_in(folder, said), said


@pytest.mark.parametrize("kind", ["401", "404", "500"])
def test_a_traceback(kind, folder, monkeypatch):
    """--debug in a process of its own, as the traceback is Python's."""
    with parrot(kind) as server:
        words = ("train", "llm=m", *FILES, "--base-url", address(server, "address", monkeypatch), "--out", "o")
        limit = ("--max-minutes", "0.1") if kind == "500" else ()  # time enough for a first call
        command = [sys.executable, "-m", "slmfit", "--debug", *words, *limit]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert sent(server, "address")
    assert "Traceback" in done.stderr
    assert not found_in(folder, done.stdout, done.stderr)
