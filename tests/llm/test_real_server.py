"""A server of others: `transformers serve` with a tiny model answers 200 to a schema and ignores it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest
from asking import LABELS, SCHEMA, ask

from slmfit.llm import Client, Patience, Server
from slmfit.llm.ledger import Ledger

NEEDED = ("torch", "transformers", "fastapi", "uvicorn")
pytestmark = [
    pytest.mark.real_server,
    pytest.mark.skipif(any(find_spec(name) is None for name in NEEDED), reason="pip install 'transformers[serving]'"),
]
TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
START_SECONDS = 240


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(base URL, model's name) of a tiny Llama of random weights."""
    import tiny

    folder = Path(tiny.causal(tmp_path_factory.mktemp("model"), max_position_embeddings=2048))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "transformers"), "serve", str(folder), "--port", str(port)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    log = (tmp_path_factory.mktemp("log") / "log").open("w+")
    server = subprocess.Popen([*command, "--device", "cpu"], env=environment, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def wait_for(url, server, log):
    for _ in range(START_SECONDS):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    log.seek(0)
    pytest.fail(f"transformers serve did not start: {log.read()[-2000:]}")


def test_it_answers_200_and_ignores_the_schema(served):
    """What makes the test of the fallback one: the day this fails, the server has learnt it."""
    url, model = served
    form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}
    body = {"model": model, "messages": list(ask(1).messages), "max_tokens": 16, "response_format": form}
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        assert reply.status == 200
        content = json.loads(reply.read())["choices"][0]["message"]["content"]
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(content)


def test_slmfit_notices_and_falls_back(served, tmp_path):
    url, model = served
    ledger = tmp_path / "ledger.jsonl"
    client = Client(Server(url, model), ledger, patience=Patience(in_flight=2))
    answers = list(client.answers(ask(n) for n in range(4)))
    assert (client.found.form, client.found.one_token) == ("none", False)
    assert {answer.mode for answer in answers} == {"choice"}
    assert {answer.outcome for answer in answers} <= {"ok", "invalid", "truncated"}
    assert all(answer.usage.seconds > 0 and answer.usage.usd is None for answer in answers)
    assert all(answer.value is None or answer.value in LABELS for answer in answers)
    kept = Ledger(ledger)
    assert kept.found(model, url)["form"] == "none"
    kept.close()
    assert all(answer.reused for answer in Client(Server(url, model), ledger).answers(ask(n) for n in range(4)))
