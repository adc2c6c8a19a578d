"""The program that wrote a log asks again at another base URL: the same request, an answer of the same schema."""

import json

import pytest

from slmfit.errors import UsageError
from slmfit.leaving import leave
from slmfit.llm.schemas import misfit
from slmfit.serving import server
from slmfit.serving.as_openai import left
from traffic import CHATS, SCHEMA, logged, made

openai = pytest.importorskip("openai")


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    folder = tmp_path_factory.mktemp("left")
    logged(made(400), folder / "calls.jsonl")
    leave(folder / "calls.jsonl", "majority,linear", out=folder / "out")
    runs, prompts = left([folder / "out"])
    with server.running(runs, prompts=prompts) as running:
        yield running


@pytest.fixture(scope="module")
def client(serving):
    with openai.OpenAI(base_url=f"{serving.url}/v1", api_key="sk-as-before", max_retries=0) as made_client:
        yield made_client


def test_the_same_program_gets_answers_of_the_same_schema(client):
    for one in made(60, seed=7):
        if one.kind == "chat":
            continue
        reply = client.chat.completions.create(**one.request)
        assert (reply.object, reply.model, reply.choices[0].finish_reason) == ("chat.completion", "gpt-5-mini", "stop")
        said = reply.choices[0].message.content
        if one.kind == "topic":
            assert misfit(json.loads(said), SCHEMA) is None
        else:
            assert said.startswith("```json\n") and said.endswith("\n```")
            plain = json.loads(said.removeprefix("```json").removesuffix("```"))
            assert [item.keys() for item in plain["entities"]] == [{"type", "value"}] * len(plain["entities"])
            assert all(item["value"] in one.text for item in plain["entities"])


def test_most_answers_are_those_of_the_log(client):
    topics = [one for one in made(100, seed=9) if one.kind == "topic"]
    said = [json.loads(client.chat.completions.create(**one.request).choices[0].message.content) for one in topics]
    assert sum(one["topic"] == asked.target for one, asked in zip(said, topics, strict=True)) > 0.8 * len(topics)


def test_a_stream_says_the_same(client):
    one = made(1)[0]
    whole = client.chat.completions.create(**one.request).choices[0].message.content
    parts = client.chat.completions.create(**one.request, stream=True, stream_options={"include_usage": True})
    chunks = list(parts)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == whole
    assert chunks[-1].usage.total_tokens == 0


def test_what_changes_nothing_of_the_shape_is_taken(client):
    one = made(1)[0]
    more = {"seed": 7, "max_tokens": 50, "top_p": 0.5, "user": "u", "n": 1, "reasoning_effort": "low"}
    assert client.chat.completions.create(**one.request, **more).choices[0].message.content


def test_what_is_of_no_prompt_is_refused_in_so_many_words(client):
    one = made(1)[0]
    other = {**one.request, "messages": [{"role": "system", "content": CHATS}, {"role": "user", "content": "hello"}]}
    with pytest.raises(openai.NotFoundError, match="of no prompt that is answered here; these are: "):
        client.chat.completions.create(**other)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**{**one.request, "response_format": {"type": "json_object"}})
    for more in ({"n": 2}, {"logprobs": True}, {"tools": [{"type": "function", "function": {"name": "f"}}]}):
        with pytest.raises(openai.BadRequestError, match="is not done here"):
            client.chat.completions.create(**one.request, **more)


def test_a_folder_of_something_else(tmp_path):
    with pytest.raises(UsageError, match=r"holds no leave\.json"):
        left([tmp_path])
    with pytest.raises(UsageError, match="one folder"):
        left([tmp_path, tmp_path])
