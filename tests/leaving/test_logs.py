"""What logs may look like: each form in its own words, and what is none."""

import gzip
import json

import pytest

from slmfit.errors import DataError
from slmfit.leaving.logs import read_log

ASKED = [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "my parcel is late"}]
USAGE = {"prompt_tokens": 20, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}}
REPLY = {
    "id": "chatcmpl-7",
    "created": 1_780_000_000,
    "model": "gpt-5-mini-2026-01-01",
    "choices": [{"message": {"role": "assistant", "content": "delivery"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
REQUEST = {"model": "gpt-5-mini", "messages": ASKED}
# The fields of https://docs.litellm.ai/docs/proxy/logging_spec, as its GCS and S3 loggers write them.
LITELLM = {
    "id": "chatcmpl-7",
    "trace_id": "t-1",
    "call_type": "acompletion",
    "response_cost": 0.00011,
    "status": "success",
    "total_tokens": 23,
    "prompt_tokens": 20,
    "completion_tokens": 3,
    "startTime": 1_780_000_000.25,
    "endTime": 1_780_000_001.0,
    "model": "gpt-5-mini",
    "api_base": "https://api.openai.com/v1/",
    "metadata": {"user_api_key_alias": None},
    "cache_hit": False,
    "request_tags": [],
    "messages": ASKED,
    "response": REPLY,
    "error_str": None,
    "model_parameters": {"temperature": 0, "response_format": {"type": "text"}},
    "hidden_params": {"response_cost": 0.00011},
}
SAID = {"role": "assistant", "content": "delivery"}
ANTHROPIC = {
    "request": {"model": "gpt-5-mini", "max_tokens": 5, "system": ASKED[0]["content"], "messages": ASKED[1:]},
    "response": {
        "status_code": 200,
        "body": {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "delivery"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 15, "cache_read_input_tokens": 5, "output_tokens": 3},
        },
    },
    "timestamp": 1_780_000_000,
}
FORMS = {
    "Anthropic's messages": ANTHROPIC,
    "request and response": {"request": REQUEST, "response": REPLY},
    "as a client's hook has them": {
        "ts": "2026-05-28T20:26:40Z",
        "request": {"method": "POST", "url": "https://api.openai.com/v1/chat/completions", "body": json.dumps(REQUEST)},
        "response": {"status_code": 200, "body": json.dumps(REPLY)},
    },
    "a time of another kind": {"date": "Thu, 28 May 2026 20:26:40 GMT", "request": REQUEST, "response": REPLY},
    "LiteLLM": LITELLM,
    "LiteLLM's callback": {"standard_logging_object": LITELLM, "kwargs": {}},
    "LiteLLM's table of spends": {
        "request_id": "chatcmpl-7",
        "call_type": "acompletion",
        "spend": 0.00011,
        "startTime": "2026-05-28T20:26:40.250000Z",
        "model": "gpt-5-mini",
        "messages": json.dumps(ASKED),
        "response": json.dumps(REPLY),
    },
    "messages": {"model": "gpt-5-mini", "messages": [*ASKED, SAID], "timestamp": 1_780_000_000},
    "messages and choices": {**REQUEST, **REPLY, "model": "gpt-5-mini"},
    "a stream": {
        "request": REQUEST,
        "timestamp": 1_780_000_000,
        "response": [
            {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
            {"choices": [{"delta": {"content": "deli"}}]},
            {"choices": [{"delta": {"content": "very"}, "finish_reason": "stop"}]},
            {"choices": [], "usage": USAGE},
        ],
    },
}


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form, tmp_path):
    (tmp_path / "calls.jsonl").write_text(lines(FORMS[form]))
    (call,) = read_log(tmp_path).calls
    assert call.messages == (("system", "Sort it."), ("user", "my parcel is late"))
    assert (call.said, call.ended, call.model) == ("delivery", "ok", "gpt-5-mini")
    assert call.time is not None and call.time.isoformat()[:16] == "2026-05-28T20:26"
    if form != "messages":
        assert call.tokens == (20, 3, 5)
    if "LiteLLM" in form:
        assert call.usd == 0.00011


def test_one_call_a_file_and_packed_ones(tmp_path):
    (tmp_path / "2026-05-28").mkdir()
    (tmp_path / "2026-05-28" / "one.json").write_text(json.dumps(LITELLM, indent=2))
    (tmp_path / "more.jsonl.gz").write_bytes(gzip.compress(lines(LITELLM, LITELLM).encode()))
    (tmp_path / "listed.json").write_text(json.dumps([LITELLM]))
    (tmp_path / "README.txt").write_text("logs of May")
    log = read_log(tmp_path)
    assert len(log.calls) == 4
    assert any("README.txt" in note for note in log.notes)


def test_a_batch_s_halves_find_each_other(tmp_path):
    asked = [
        {"custom_id": f"r-{i}", "method": "POST", "url": "/v1/chat/completions", "body": REQUEST} for i in range(4)
    ]
    answered = [
        {"id": f"b-{i}", "custom_id": f"r-{i}", "response": {"status_code": 200, "body": REPLY}, "error": None}
        for i in (2, 0)
    ]
    answered.append({"custom_id": "r-1", "response": None, "error": {"code": "batch_expired", "message": "expired"}})
    answered.append({"custom_id": "of another", "response": {"status_code": 200, "body": REPLY}, "error": None})
    (tmp_path / "output.jsonl").write_text(lines(*answered))
    (tmp_path / "input.jsonl").write_text(lines(*asked))
    log = read_log(tmp_path)
    assert [(call.id, call.ended) for call in log.calls] == [("r-2", "ok"), ("r-0", "ok"), ("r-1", "failed")]
    assert log.others["answers of a batch whose input is not there"] == 1
    assert log.others["requests of a batch without an answer"] == 1


def test_two_batches_with_the_same_ids_are_refused(tmp_path):
    other = {**REQUEST, "messages": [{"role": "user", "content": "something else"}]}
    (tmp_path / "a.jsonl").write_text(lines({"custom_id": "1", "body": REQUEST}))
    (tmp_path / "b.jsonl").write_text(lines({"custom_id": "1", "body": other}))
    with pytest.raises(DataError, match="custom_id '1' stands for another request"):
        read_log(tmp_path)


@pytest.mark.parametrize(("said", "ended"), [
    ("I'm sorry, but I can't help with that.", "refused"),
    ("I am unable to classify this message.", "refused"),
    ("I can’t assist with that request.", "refused"),
    ("As an AI language model, I do not judge moods.", "refused"),
    ("I can't log in", "ok"),  # what a label may be called
    ("sorry", "ok"),
    ("Sorry, we do not ship there", "ok"),  # what a desk answers
    ("I'm sorry to hear your card was charged twice. A refund is on its way.", "ok"),
    ("I'm sorry, but this is spam.", "ok"),
    ("delivery", "ok"),
])  # fmt: skip
def test_an_excuse_in_place_of_an_answer_is_a_refusal(said, ended, tmp_path):
    path = tmp_path / "log.jsonl"
    reply = {**REPLY, "choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]}
    path.write_text(json.dumps({"request": REQUEST, "response": reply}))
    (call,) = read_log(path).calls
    assert call.ended == ended


@pytest.mark.parametrize(
    ("response", "ended"),
    [
        (
            {**REPLY, "choices": [{"message": {"content": None, "refusal": "I cannot."}, "finish_reason": "stop"}]},
            "refused",
        ),
        ({**REPLY, "choices": [{"message": {"content": "deli"}, "finish_reason": "length"}]}, "truncated"),
        ({**REPLY, "choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}, "filtered"),
        ({"status_code": 429, "body": {"error": {"message": "slow down"}}}, "failed"),
        ({"error": {"message": "overloaded"}}, "failed"),
    ],
)
def test_how_a_call_ended(response, ended, tmp_path):
    (tmp_path / "calls.jsonl").write_text(lines({"request": REQUEST, "response": response}))
    assert read_log(tmp_path).calls[0].ended == ended


def anthropic(**body):
    return {**ANTHROPIC["response"]["body"], **body}


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        (anthropic(stop_reason="max_tokens"), "truncated"),
        (anthropic(stop_reason="model_context_window_exceeded"), "truncated"),
        (anthropic(stop_reason="refusal"), "filtered"),
        (anthropic(content=[]), "failed"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "failed"),
    ],
)
def test_how_a_call_of_anthropics_ended(body, ended, tmp_path):
    (tmp_path / "calls.jsonl").write_text(lines({**ANTHROPIC, "response": body}))
    assert read_log(tmp_path).calls[0].ended == ended


def test_a_system_that_is_none_of_anthropics_is_no_turn(tmp_path):
    (tmp_path / "calls.jsonl").write_text(lines({"system": "crm-prod", "request": REQUEST, "response": REPLY}))
    plain = read_log(tmp_path).calls[0]
    (tmp_path / "calls.jsonl").write_text(lines({"request": {**REQUEST, "system": "crm-prod"}, "response": REPLY}))
    assert read_log(tmp_path).calls[0].messages == plain.messages


def test_answers_of_another_form_are_no_failures_and_named_by_their_keys(tmp_path):
    strange = {"request": REQUEST, "response": {"candidates": [{"content": {"parts": [{"text": "delivery"}]}}], "v": 1}}
    used = {**ANTHROPIC, "response": anthropic(content=[{"type": "tool_use", "id": "1", "name": "f", "input": {}}])}
    (tmp_path / "calls.jsonl").write_text(lines(LITELLM, strange, used))
    log = read_log(tmp_path)
    assert [call.ended for call in log.calls] == ["ok"]
    assert log.others == {
        "calls with answers in an unknown form (keys: 'candidates', 'v')": 1,
        "calls without an answer that is text": 1,
    }
    (tmp_path / "calls.jsonl").write_text(lines(strange))
    with pytest.raises(
        DataError, match=r"no answered call of a chat model, but 1 calls with answers in an unknown form .*'candidates'"
    ):
        read_log(tmp_path)


@pytest.mark.parametrize("further", [0, 1, 2])
def test_further_answers_to_a_call_are_counted(further, tmp_path):
    other = {"index": 1, "message": {"role": "assistant", "content": "billing"}, "finish_reason": "stop"}
    reply = {**REPLY, "choices": [*REPLY["choices"], *[other] * further]}
    batch = {"custom_id": "a", "response": {"status_code": 200, "body": reply}}
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": REQUEST}
    for name, rows in (("calls", [{"request": REQUEST, "response": reply}]), ("batch", [asked, batch])):
        (tmp_path / f"{name}.jsonl").write_text(lines(*rows))
        log = read_log(tmp_path / f"{name}.jsonl")
        assert [call.said for call in log.calls] == ["delivery"]
        assert sum(n for what, n in log.others.items() if what.startswith("further answers")) == further


def test_what_is_no_chat_is_counted(tmp_path):
    tool = {"message": {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}}
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
    (tmp_path / "calls.jsonl").write_text(
        lines(
            LITELLM,
            {**LITELLM, "call_type": "aembedding", "messages": None},
            {**LITELLM, "messages": {}, "response": {}},
            {"request": {"model": "text-embedding-3-small", "input": "x"}, "response": {"data": []}},
            {"request": REQUEST, "response": {**REPLY, "choices": [tool]}},
            {"request": {**REQUEST, "messages": picture}, "response": REPLY},
            {"request": {**REQUEST, "messages": None}, "response": REPLY},
            {"level": "info", "msg": "started"},
        )
    )
    log = read_log(tmp_path)
    assert len(log.calls) == 1
    assert log.others == {
        "calls to something other than chat completions": 2,
        "calls whose messages the log leaves out": 2,
        "calls without an answer that is text": 1,
        "calls that show pictures or call tools": 1,
        "rows of another form": 1,
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"text": "hi", "label": "greeting"}\n', "its rows have 'label', 'text'"),
        ("a.jsonl", '{"prompt": "hi", "completion": "hello"}\n', "its rows have 'completion', 'prompt'"),
        ("a.jsonl", '{"messages": [{"role": "user", "content": "hi"}]}\n', "its rows have 'messages'"),
        ("a.jsonl", '{"messages": {}, "call_type": "completion"}\n', "messages the log leaves out"),
        ("a.jsonl", '{"request": {"messages": [\n', "broken JSON"),
        ("a.csv", "text,label\nhi,greeting\n", "not a log that can be read"),
    ],
)
def test_an_unknown_form_is_refused_with_what_was_seen(name, content, said, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        read_log(tmp_path / name)
    assert caught.value.fix


def test_calls_are_in_the_order_of_time_however_the_log_is_written(tmp_path):
    said, rows = ["billing", "delivery", "account"], []
    for at, label in enumerate(said, 1):
        reply = {**REPLY, "choices": [{"message": {"role": "assistant", "content": label}, "finish_reason": "stop"}]}
        rows.append({"timestamp": 1_780_000_000 + at, "request": REQUEST, "response": reply})
    for order in (rows, rows[::-1]):
        (tmp_path / "calls.jsonl").write_text(lines(*order))
        assert [call.said for call in read_log(tmp_path).calls] == said


def test_a_cost_of_nothing_is_one_that_nobody_knew(tmp_path):
    for cost, known in ((0, None), (0.0, None), (0.002, 0.002)):
        (tmp_path / "calls.jsonl").write_text(lines({**LITELLM, "response_cost": cost}))
        assert read_log(tmp_path).calls[0].usd == known
