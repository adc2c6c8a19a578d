"""Requests and replies as bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.llm.wire import Malformed, body, read

WELL = {
    "choices": [{"message": {"content": "2", "refusal": None}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}},
}


def test_a_reply_is_read():
    reply = read(json.dumps(WELL).encode())
    assert (reply.content, reply.finish, reply.refusal) == ("2", "stop", None)
    assert (reply.input_tokens, reply.output_tokens, reply.cached_tokens, reply.top) == (9, 1, 4, ())


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_malformed(data):
    with pytest.raises(Malformed):
        read(data)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "logprobs", "prompt_tokens", "error"]), inner
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(JUNK)
def test_any_json_is_a_reply_or_malformed(value):
    try:
        reply = read(json.dumps(value).encode())
    except Malformed as error:
        assert str(error)
    else:
        assert isinstance(reply.content, str)


@pytest.mark.parametrize("count", [-1, 1.5, "9", True, None, 2**63])
def test_a_count_that_is_none_is_unknown(count):
    reply = read(json.dumps(WELL | {"usage": {"prompt_tokens": count, "completion_tokens": 3}}).encode())
    assert (reply.input_tokens, reply.output_tokens) == (None, 3)


def test_content_in_parts():
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert read(json.dumps({"choices": [{"message": {"content": parts}}]}).encode()).content == "ab"


def test_an_error_with_200_says_what_it_says():
    with pytest.raises(Malformed, match="overloaded, try later"):
        read(b'{"error": {"message": "overloaded,\\n try later"}}')


def test_the_body_is_json_whatever_the_text():
    messages = [{"role": "user", "content": 'a "quote", \ud800, \0 and é'}]
    sent = json.loads(body(messages, "m", {"max_tokens": 5, "seed": None}))
    assert sent == {"model": "m", "messages": messages, "max_tokens": 5}
