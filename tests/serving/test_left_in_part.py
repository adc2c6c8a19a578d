"""A prompt that may be left in part: what the small model is sure of is answered here, the rest by the API."""

import json
import random
import re
import shutil
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from slmfit import __main__ as cli
from slmfit import checking
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError
from slmfit.leaving import leave
from slmfit.serving import serve, server, upstream
from slmfit.serving.as_openai import left
from slmfit.serving.upstream import Upstream
from slmfit.testing import KINDS, Said, scripted, status
from traffic import OPENINGS, TOPICS

openai = pytest.importorskip("openai")

EASY, HARD = 700, 300
KEY = "sk-of-the-server-alone"


def request(text):
    messages = [{"role": "system", "content": "Sort the ticket."}, {"role": "user", "content": f"Ticket: {text}"}]
    return {"model": "gpt-5-mini", "messages": messages}


def drawn():
    """Texts with their topic: most tell it, the others do not."""
    rng = random.Random(0)
    rows = []
    for i in range(EASY + HARD):
        topic = rng.choice(list(TOPICS))
        words = rng.choices(OPENINGS, k=5) + (rng.choices(TOPICS[topic], k=3) if i < EASY else [])
        rng.shuffle(words)
        rows.append((f"{' '.join(words)} {1000 + i}", topic))
    rng.shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What `leave` wrote, and a person who found the teacher always right."""
    folder = tmp_path_factory.mktemp("left")
    with (folder / "calls.jsonl").open("w") as file:
        for at, (text, topic) in enumerate(drawn()):
            choice = {"index": 0, "message": {"role": "assistant", "content": topic}, "finish_reason": "stop"}
            body = {"object": "chat.completion", "model": "gpt-5-mini", "choices": [choice]}
            reply = {"status_code": 200, "body": body}
            file.write(json.dumps({"timestamp": 1.8e9 + at, "request": request(text), "response": reply}) + "\n")
    leave(folder / "calls.jsonl", "majority,linear", out=folder / "out")
    given = checking.of(folder / "out")
    with checking.answers_of(given, "me") as person:
        for row in given.asked(150):
            person.answer(row.id, row.label)
    assert checking.judged(given, 150).kind == "leave-in-part"
    return folder / "out"


@pytest.fixture(scope="module")
def api():
    with scripted(answer=lambda body: Said("delivery")) as running:
        yield running


@pytest.fixture(scope="module")
def serving(folder, api):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        runs, prompts = left([folder])
        with server.running(runs, prompts=prompts, upstream=Upstream(api.url)) as running:
            yield running


@pytest.fixture
def client(serving, api):
    with openai.OpenAI(base_url=f"{serving.url}/v1", api_key="sk-of-the-client", max_retries=0) as made_client:
        yield made_client
    api.script.faults = 0.0


def fails(api, kind):
    api.script.faults, api.script.kinds = 1.0, (kind,)


def counted(serving):
    with urllib.request.urlopen(f"{serving.url}/metrics") as page:
        text = page.read().decode()
    return dict(re.findall(r"^(slmfit_(?:prompts|upstream)_total\{.*\}) (\d+)$", text, re.MULTILINE))


UNSURE = "hello again why since what 5000"


def test_what_it_is_sure_of_is_answered_here_and_the_rest_as_it_came(client, api, serving):
    before, asked = counted(serving), len(api.requests)
    sure = client.chat.completions.create(**request("please parcel courier late driver 4000"))
    assert (sure.choices[0].message.content, sure.usage.total_tokens) == ("delivery", 0)
    assert len(api.requests) == asked
    more = {"temperature": 0.3, "user": "u-1", "max_tokens": 7}
    rest = client.chat.completions.create(**request(UNSURE), **more)
    assert rest.choices[0].message.content == "delivery"
    assert rest.usage.total_tokens > 0
    assert api.requests[-1] == {**request(UNSURE), **more}
    assert api.headers[-1]["authorization"] == f"Bearer {KEY}"
    after = counted(serving)
    (name,) = serving.service.lines
    grown = {key: int(after[key]) - int(before.get(key, 0)) for key in after}
    assert grown[f'slmfit_prompts_total{{model="{name}",by="here"}}'] == 1
    assert grown[f'slmfit_prompts_total{{model="{name}",by="upstream"}}'] == 1
    assert grown['slmfit_upstream_total{status="200"}'] == 1


def test_what_is_of_no_prompt_or_of_another_shape_goes_on(client, api, serving):
    other = {"model": "gpt-5", "messages": [{"role": "user", "content": "tell me about rivers"}]}
    assert client.chat.completions.create(**other).choices[0].message.content == "delivery"
    assert api.requests[-1] == other
    tools = [{"type": "function", "function": {"name": "f"}}]
    client.chat.completions.create(**request("parcel courier late driver"), tools=tools)
    assert api.requests[-1]["tools"] == tools
    assert int(counted(serving)['slmfit_prompts_total{model="other",by="upstream"}']) >= 2


def test_a_stream_goes_through_piece_by_piece(client, api):
    def streams(call):
        about = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        choices = [{"index": 0, "delta": {"content": part}, "finish_reason": None} for part in "ab"]
        events = [{**about, "choices": [choice]} for choice in choices]
        data = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: r-7\r\n"
        call.connection.send(f"{head}content-length: {len(data) + more}\r\n\r\n{data}".encode())
        call.connection.send(b"data: [DONE]\n\n") if more == 14 else call.connection.close()

    fails(api, streams)
    more = 14
    asked = {**request(UNSURE), "stream": True}
    whole = client.chat.completions.with_raw_response.create(**asked)
    assert whole.headers["x-request-id"] == "r-7"
    assert [chunk.choices[0].delta.content for chunk in whole.parse()] == ["a", "b"]
    more = 40
    pieces = []
    with pytest.raises(openai.APIError, match="gave no answer: the connection broke"):
        for chunk in client.chat.completions.create(**asked):
            pieces.append(chunk.choices[0].delta.content)
    assert pieces == ["a", "b"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("kind", "error", "code", "words"),
    [
        (status(429, "retry-after: 7", message="slow down"), openai.RateLimitError, 429, "slow down"),
        (status(400, message=f"odd {KEY}"), openai.BadRequestError, 400, r"odd \*{8}"),
        (status(401, message="no such key"), openai.InternalServerError, 502, r"rejected this server's key \(401"),
        (KINDS["502, HTML"], openai.InternalServerError, 502, "sent 502 without a usable answer"),
        (KINDS["HTML with 200"], openai.InternalServerError, 502, "sent 200 without a usable answer"),
        (KINDS["redirect here"], openai.InternalServerError, 502, "redirected the request"),
        (KINDS["closed"], openai.InternalServerError, 502, "gave no answer: the connection broke"),
        (KINDS["hang"], openai.InternalServerError, 504, "gave no answer: no whole reply within 0.2 s"),
    ],
)
def test_where_the_api_fails_the_client_is_told_so_in_its_own_form(
    client, api, monkeypatch, kind, error, code, words, streamed
):
    if code == 504:
        monkeypatch.setattr(upstream, "SECONDS", 0.2)
    fails(api, kind)
    with pytest.raises(error, match=words) as raised:
        client.chat.completions.create(**request(UNSURE), stream=streamed)
    assert raised.value.status_code == code
    assert KEY not in str(raised.value)
    if code == 429:
        assert raised.value.response.headers["retry-after"] == "7"


def test_what_the_api_is_asked_when_the_server_ends_is_told_so(folder, api, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    runs, prompts = left([folder])
    asked, made = threading.Event(), Upstream(api.url)
    fails(api, lambda call: asked.set())
    with (
        server.running(runs, prompts=prompts, upstream=made) as running,
        openai.OpenAI(base_url=f"{running.url}/v1", api_key="k", max_retries=0) as asks,
        ThreadPoolExecutor(1) as thread,
    ):
        said = thread.submit(asks.chat.completions.create, **request(UNSURE))
        assert asked.wait(60)
        (task,) = made._under_way
        task.get_loop().call_soon_threadsafe(running.service.give_up)
        with pytest.raises(openai.InternalServerError, match="about to end"):
            said.result()
    api.script.faults = 0.0


def test_without_an_api_to_go_on_to_it_does_not_begin(folder):
    with pytest.raises(UsageError, match="only part of these requests") as raised:
        serve(folder, as_openai=True, port=0)
    assert "--base-url" in raised.value.fix


def test_an_api_that_cannot_be_asked(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(MissingPart, match="wants a key"):
        serve(folder, as_openai=True, base_url="https://api.openai.com/v1", port=0)
    with pytest.raises(UnsafeError, match="holds a key"):
        serve(folder, as_openai=True, base_url="http://me:secret@llm.example.org/v1", port=0)
    with pytest.raises(UsageError, match="is this server's own address"):
        serve(folder, as_openai=True, base_url="http://localhost:8765/v1", port=8765)
    with pytest.raises(UsageError, match="is this server's own address"):
        serve(folder, as_openai=True, base_url="http://localhost/v1", port=80)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-any")
    with pytest.raises(UnsafeError, match="would not be sent by plain http"):
        serve(folder, as_openai=True, base_url="http://192.0.2.2:18799/v1", port=0)
    with pytest.raises(UsageError, match="goes with --as-openai"):
        serve(folder, base_url="http://localhost:1/v1", port=0)


def test_a_verdict_on_a_model_that_was_fitted_again_is_not_served(folder, tmp_path):
    again = shutil.copytree(folder, tmp_path / "out")
    (verdict,) = again.glob("*/checked/verdict.json")
    plain = json.loads(verdict.read_text())
    plain["methods"][0]["key"] = "of another"
    verdict.write_text(json.dumps(plain))
    with pytest.raises(UsageError, match="about an earlier fit of") as raised:
        left([again])
    assert "slmfit check" in raised.value.fix
    del plain["methods"][0]["key"]
    verdict.write_text(json.dumps(plain))
    with pytest.raises(UsageError, match="made by an older slmfit"):
        left([again])
    verdict.unlink()
    runs, prompts = left([again])
    assert runs and not prompts.thresholds and "nobody has checked" in next(iter(prompts.notes.values()))


def test_a_verdict_to_stay_is_served_by_nothing(folder, tmp_path):
    again = shutil.copytree(folder, tmp_path / "out")
    (verdict,) = again.glob("*/checked/verdict.json")
    plain = json.loads(verdict.read_text()) | {"kind": "stay", "sentence": "Stay: it is worse.", "method": None}
    verdict.write_text(json.dumps(plain | {"part": None}))
    with pytest.raises(UsageError, match="Stay: it is worse"):
        left([again])


@pytest.mark.parametrize("change", [
    {"part": None}, {"method": None}, {"kind": "leave"}, {"kind": "stay"}, {"part": []},
    {"part": {"method": "knn", "threshold": 0.5}},
    {"part": {"method": "linear", "threshold": 1.5}},
    {"part": {"method": "linear", "threshold": -1}},
])  # fmt: skip
def test_a_verdict_that_contradicts_itself_is_not_served(folder, tmp_path, change):
    again = shutil.copytree(folder, tmp_path / "out")
    (verdict,) = again.glob("*/checked/verdict.json")
    verdict.write_text(json.dumps(json.loads(verdict.read_text()) | change))
    with pytest.raises(SlmfitError, match="damaged") as raised:
        left([again])
    assert "slmfit check" in raised.value.fix


def test_what_to_type_next_serves_it(folder, monkeypatch, capsys):
    (given,) = (path.parent.parent for path in folder.glob("*/checked/verdict.json"))
    monkeypatch.setattr(sys, "argv", ["slmfit", "check", str(given), "--rows", "150"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"next: slmfit serve {folder} --as-openai --base-url https://api.openai.com/v1" in said
