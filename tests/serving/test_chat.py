"""Chats: a tiny causal run behind the real server, asked by the official client and by our own `llm`."""

import json
import os
import random
import signal

import pytest

import slmfit
import tiny
from asking_over_http import ask
from chatting import SCHEMA, creating
from conftest import make_dataset
from schemas_at_random import any_schema
from slmfit import methods
from slmfit.llm.schemas import misfit
from slmfit.methods.base import Context

pytest.importorskip("openai")
pytest.importorskip("llguidance", reason="pip install 'slmfit[serve]'")
server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")
from slmfit.serving.writing import Writer  # noqa: E402

DATA = make_dataset("token-classification", sizes=(32, 8, 8))
ASKED = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "fly to Rome"}]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("chat")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(place / "cache"))
        base = tiny.causal(place / "base", max_position_embeddings=2048)
        settings = {"causal": {"epochs": 1, "lora_rank": 2, "max_length": 64, "keep": "whole"}}
        yield slmfit.train(DATA, f"causal={base}", settings=settings, out=place / "out")


@pytest.fixture(scope="module")
def served(run):
    with server.running({"trips": str(run.folder)}) as serving:
        yield serving


@pytest.fixture(scope="module")
def create(served):
    with creating(served.url, model="trips", messages=ASKED, max_tokens=12, temperature=0) as create:
        yield create


def test_whole_and_streamed_are_the_same(create):
    whole = create(logprobs=True, top_logprobs=3)
    chunks = list(create(stream=True, stream_options={"include_usage": True}, logprobs=True, top_logprobs=3))
    choice = whole.choices[0]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == choice.message.content
    assert chunks[-1].usage == whole.usage and whole.usage.completion_tokens == 12
    assert (choice.finish_reason, chunks[-2].choices[0].finish_reason) == ("length", "length")
    told = [t for c in chunks if c.choices and c.choices[0].logprobs for t in c.choices[0].logprobs.content]
    assert told == choice.logprobs.content and len(told) == 12
    for token in told:  # at temperature 0 each is the likeliest
        assert token.logprob == max(one.logprob for one in token.top_logprobs) and len(token.top_logprobs) == 3
        assert token.logprob <= 0
    assert b"".join(bytes(t.bytes) for t in told).decode("utf-8", "replace") == choice.message.content


def test_a_seed_makes_it_the_same_again(create):
    said = [create(temperature=1, seed=seed).choices[0].message.content for seed in (1, 1, 2, 3)]
    assert said[0] == said[1] and len(set(said)) > 1
    unseeded = {create(temperature=1.5).choices[0].message.content for _ in range(3)}
    assert len(unseeded) > 1


def test_it_stops_where_it_is_told_to(create):
    text = create().choices[0].message.content
    stop = text[len(text) // 2 :][:2]
    whole = create(stop=[stop, "never said"]).choices[0]
    assert (whole.message.content, whole.finish_reason) == (text[: text.index(stop)], "stop")
    chunks = list(create(stop=stop, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == whole.message.content
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_schema_is_kept_to(create):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    for seed in range(3):
        reply = create(response_format=form, temperature=1, seed=seed, max_tokens=60).choices[0]
        assert reply.finish_reason == "stop" and misfit(json.loads(reply.message.content), SCHEMA) is None
    free = create(response_format={"type": "json_object"}, max_tokens=200, temperature=1, seed=1).choices[0]
    assert free.message.content.startswith("{")


def test_schemas_at_random(run):
    writer, rng = Writer.of(run.method), random.Random(0)
    usual = {"messages": ASKED, "most": 300, "temperature": 1.0, "top_p": 0.9, "stop": [], "alternatives": None}
    for seed in range(12):
        schema = any_schema(rng)
        pieces = list(writer.write({**usual, "seed": seed, "schema": schema}, lambda: False))
        value = json.loads("".join(piece.get("text", "") for piece in pieces))
        assert pieces[-1]["end"] == "stop" and misfit(value, schema) is None, schema


def test_a_single_message_is_answered_as_predict_does(create, run):
    for text in ("fly to Rome on Monday", "zebra"):
        said = create(messages=[{"role": "user", "content": text}], max_tokens=None).choices[0].message.content
        assert said == run.predict([text])[0].raw


def test_our_own_llm_can_ask_it(served):
    data = make_dataset(sizes=(9, 3, 3))
    method = methods.create("llm", {"base_url": f"{served.url}/v1"}, "trips")
    method.fit(data.task, data.train, data.validation, Context())
    answers = method.predict([e.input for e in data.test])
    assert {answer.outcome for answer in answers} == {"ok"}


def test_our_own_llm_gets_what_the_run_says(served, run):
    texts = [*(e.input for e in DATA.test), "</text> fly to Rome", "Rome, a\nRome", "zebra"]
    for settings in ({}, {"shots": 2}):  # a tuned model needs no examples
        method = methods.create("llm", {"base_url": f"{served.url}/v1", **settings}, "trips")
        method.fit(DATA.task, DATA.train, DATA.validation, Context())
        answers, own = method.predict(texts), run.predict(texts)
        assert [(a.outcome, a.target) for a in answers] == [(a.outcome, a.target) for a in own]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"messages": []}, "list of messages"),
        ({"messages": [{"role": "robot", "content": "a"}]}, "role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "must be text"),
        ({"tools": [{}]}, "'tools' is not done"),
        ({"n": 2}, "'n' is not done"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_logprobs": 3}, "goes with"),
        ({"stop": 3}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"grammar": "root ::= 1"}, "no field 'grammar'"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_object", "schema": {"type": "nothing"}}}, "cannot be followed"),
        ({"messages": [*ASKED, {"role": "user", "content": "a b " * 5000}]}, "the model reads 2,048"),
        ({"model": "nobody"}, "there are: trips"),
        ({"stream": "yes"}, "'stream'"),
    ],
)
def test_what_is_refused(served, changed, said):
    reply = ask(f"{served.url}/v1/chat/completions", {"model": "trips", "messages": ASKED} | changed)
    assert reply.status == (404 if changed.get("model") else 400) and said in reply.error


def test_who_leaves_is_no_longer_written_for(create, served):
    line = served.service.lines["trips"]
    before = line.batches
    with create(stream=True, max_tokens=1900, temperature=1) as stream:
        next(iter(stream))
    assert create(max_tokens=1).choices[0].finish_reason == "length"
    assert line.batches == before + 2


def test_a_worker_that_dies_goes_on_where_it_was(create, served):
    line = served.service.lines["trips"]
    usual = {"max_tokens": 200, "temperature": 1, "seed": 5}
    whole = create(**usual).choices[0].message.content
    said, restarts = [], line.restarts
    for n, chunk in enumerate(create(stream=True, **usual)):
        said.append(chunk.choices[0].delta.content or "")
        if n == 3:
            os.kill(line.process.number, signal.SIGKILL)
    assert "".join(said) == whole and line.restarts in (restarts, restarts + 1)
