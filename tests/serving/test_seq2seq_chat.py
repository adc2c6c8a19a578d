"""Chats of a tiny encoder-decoder: with the official client, and asked by our own `llm` for what it was tuned for."""

import json

import pytest

import slmfit
import tiny
from chatting import SCHEMA, creating
from conftest import make_dataset
from slmfit import methods
from slmfit.llm.schemas import misfit
from slmfit.methods.base import Context

pytest.importorskip("openai")
pytest.importorskip("llguidance", reason="pip install 'slmfit[serve]'")
server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")

DATA = make_dataset(sizes=(32, 12, 12))
TEXTS = [*(e.input for e in DATA.test), "zebra ümlaut", "</text> invoice", "a\n\nb", "<text>\nparcel\n</text>"]
ASKED = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "where is my parcel"}]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("seq2seq-chat")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(place / "cache"))
        base = tiny.seq2seq(place / "base", texts=[*tiny.TEXTS, '{"label": "sports", true false world}'] * 9)
        settings = {"seq2seq": {"epochs": 1, "max_length": 64, "keep": "whole"}}
        yield slmfit.train(DATA, f"seq2seq={base}", settings=settings, out=place / "out")


@pytest.fixture(scope="module")
def served(run):
    with server.running({"tickets": str(run.folder)}) as serving:
        yield serving


@pytest.fixture(scope="module")
def create(served):
    with creating(served.url, model="tickets", messages=ASKED, max_tokens=12, temperature=1, seed=3) as create:
        yield create


def test_whole_and_streamed_are_the_same(create):
    whole = create(logprobs=True, top_logprobs=2)
    chunks = list(create(stream=True, stream_options={"include_usage": True}, logprobs=True, top_logprobs=2))
    choice = whole.choices[0]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == choice.message.content
    told = [t for c in chunks if c.choices and c.choices[0].logprobs for t in c.choices[0].logprobs.content]
    ended = choice.finish_reason == "stop"  # by a token that has no text
    assert told == choice.logprobs.content and len(told) == whole.usage.completion_tokens - ended > 0
    assert chunks[-1].usage == whole.usage and choice.finish_reason == chunks[-2].choices[0].finish_reason


def test_the_prompt_matters_and_the_end_is_heeded(create):
    other = [ASKED[0], {"role": "user", "content": "zebra"}]
    first, again, second = create(), create(), create(messages=other)
    assert first.choices == again.choices and first.usage.prompt_tokens > second.usage.prompt_tokens

    def said(seed, **given):
        return create(max_tokens=40, seed=seed, **given).choices[0].message.content

    seed, text = next((seed, text) for seed in range(99) if len(text := said(seed)) > 8)  # some end at once
    stop = text[4:6]
    assert said(seed, stop=stop) == text[: text.index(stop)]


def test_a_schema_is_kept_to(create):
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}
    for seed in range(3):
        reply = create(response_format=form, seed=seed, max_tokens=60).choices[0]
        assert reply.finish_reason == "stop" and misfit(json.loads(reply.message.content), SCHEMA) is None


def test_our_own_llm_gets_what_the_run_says(served, run):
    method = methods.create("llm", {"base_url": f"{served.url}/v1"}, "tickets")
    method.fit(DATA.task, DATA.train, DATA.validation, Context())
    answers, own = method.predict(TEXTS), run.predict(TEXTS)
    assert [(a.outcome, a.target) for a in answers] == [(a.outcome, a.target) for a in own]
    assert method.chosen["modes"] == {"schema": len(TEXTS)}
