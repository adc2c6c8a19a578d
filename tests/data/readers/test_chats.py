"""Chats and batches as rows: the one answer is the label; what can mean two things is left as it is."""

from pathlib import Path

import pytest

from slmfit.data import load_data
from slmfit.data.readers.chats import batched, spoken
from slmfit.records import Pair


def chat(*turns):
    return {"messages": [{"role": who, "content": said, **more} for who, said, *rest in turns for more in [dict(rest)]]}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([("user", "a"), ("assistant", " b ")], {"text": "a", "label": "b"}),
        ([("developer", "s"), ("user", "a"), ("assistant", "b")], {"text": "a", "label": "b", "system_prompt": "s"}),
        ([("user", "a")], {"text": "a"}),
        ([("user", "a"), ("assistant", '{"label": "b"}')], {"text": "a", "label": "b"}),
        ([("user", "a"), ("assistant", '{"label": "b", "why": "c"}')],
         {"text": "a", "label": '{"label": "b", "why": "c"}'}),
        ([("user", "a"), ("assistant", "b", ("weight", 0)), ("user", "c"), ("assistant", "d")],
         {"text": "user: a\nassistant: b\nuser: c", "label": "d"}),
        ([("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")], None),
        ([("user", "a"), ("assistant", "b"), ("user", "c")], None),
        ([("system", "a"), ("assistant", "b")], None),
        ([("user", "a"), ("tool", "b")], None),
        ([("user", "a"), ("assistant", "", ("tool_calls", [{}]))], None),
        ([("user", [{"type": "image_url"}]), ("assistant", "b")], None),
    ],
)  # fmt: skip
def test_a_chat_with_one_answer_is_a_row(turns, expected):
    assert spoken(chat(*turns)) == expected


def test_a_system_prompt_that_differs_is_half_of_the_input(tmp_path: Path):
    def rows(system):
        words = "amber azure beige black coral".split()
        return [chat(("system", system(i)), ("user", f"{words[i % 5]} is number {i}"), ("assistant", "ab"[i % 2]))
                for i in range(40)]  # fmt: skip

    same, other = load_data(rows(lambda i: "Sort.")), load_data(rows(lambda i: f"Sort by {i % 3}."))
    assert not isinstance(same.train[0].input, Pair) and "Sort" not in same.train[0].input
    assert isinstance(other.train[0].input, Pair) and other.task.texts == ("system_prompt", "text")


@pytest.mark.parametrize("body", [{"choices": [{"message": {"content": "a"}, "finish_reason": ["x"]}]},
                                  {"output": [{"content": 7}]}, {"content": [None]}])  # fmt: skip
def test_a_batch_s_answer_of_any_shape_comes_through(body):
    assert batched({"custom_id": "1", "response": {"status_code": 200, "body": body}})["id"] == "1"
