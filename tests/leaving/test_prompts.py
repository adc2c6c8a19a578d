"""Frames told from texts, prompts from each other, and answers as labels or entities by their look."""

import json
import random
from dataclasses import replace

import pytest

from slmfit.errors import Where
from slmfit.leaving.found import prompts_of
from slmfit.leaving.logs import Call, Log
from slmfit.leaving.shapes import FREE, shape_of
from slmfit.records import Entities, Span

WORDS = "late parcel invoice door driver refund number please again my the where what locked".split()


def call(*messages, said="delivery", ended="ok", schema=None, model="m"):
    turns = tuple(zip(("system", "user") if len(messages) == 2 else ("user",), messages, strict=True))
    return Call(Where("a.jsonl", 1), None, turns, schema, None, model, None, ended, said, (None, None, 0))


def some_texts(count, seed=0):
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=6)) + f" {i}" for i in range(count)]


def sorted_so(text):
    return "billing" if "invoice" in text or "refund" in text else "delivery"


def found(calls):
    return prompts_of(Log(calls=list(calls)))


@pytest.mark.parametrize(
    "frame", ["{}", "Ticket: {}", 'Sort this ticket:\n"""\n{}\n"""\nAnswer with one word.', "{}\n\nWhich topic is it?"]
)
def test_the_frame_of_the_turn_is_no_text(frame):
    texts = some_texts(60)
    calls = [call("Sort it.", frame.format(text), said=sorted_so(text)) for text in texts]
    (prompt,) = found(calls)
    assert [row.text for row in prompt.rows] == texts
    assert [row.target for row in prompt.rows] == [sorted_so(text) for text in texts]
    assert prompt.kind == "text-classification"


def test_a_date_or_a_name_in_the_system_prompt_makes_no_other_prompt():
    names = "Ann Bo Cy Di Ed Flo".split()
    texts = some_texts(60)
    calls = [
        call(f"You sort the tickets of a shop. Today is 2026-11-{1 + i % 28}. You are {names[i % 6]}.", text)
        for i, text in enumerate(texts)
    ]
    calls = [replace(one, said=sorted_so(text)) for one, text in zip(calls, texts, strict=True)]
    (prompt,) = found(calls)
    assert sorted(row.text for row in prompt.rows) == sorted(texts)


def test_prompts_without_a_system_turn_are_told_apart():
    first = [call(f"Which topic is this ticket about?\n\n{text}", said=sorted_so(text)) for text in some_texts(50)]
    second = [
        call(f"Is this message urgent, yes or no?\n\n{text}", said="yes" if "again" in text else "no")
        for text in some_texts(40, seed=1)
    ]
    talk = [call(f"{text} tell me more", said=f"of course, {text} is a long story") for text in some_texts(30, seed=2)]
    one, two, rest = found([*first, *second, *talk])
    assert (len(one.rows), len(two.rows)) == (50, 40)
    assert {row.target for row in two.rows} == {"yes", "no"}
    assert (rest.kind, rest.why, len(rest.calls)) == ("free-text", FREE, 30)


def test_texts_that_begin_alike_are_one_prompt():
    greeting = "Dear Sir or Madam of the support team:\n"
    texts = [greeting + text if i % 3 else text for i, text in enumerate(some_texts(90))]
    (prompt,) = found(call("Sort it.", text, said=sorted_so(text)) for text in texts)
    assert {row.text for row in prompt.rows} == set(texts)


def test_a_prompt_that_was_reworded_stays_one():
    texts = some_texts(80)
    first, second = "You sort tickets into two topics. Be brief.", "You sort tickets into two topics. Be very brief."
    (prompt,) = found(call(first if i < 40 else second, t, said=sorted_so(t)) for i, t in enumerate(texts))
    assert (len(prompt.frames), len(prompt.rows)) == (2, 80)


def test_retries_duplicates_refusals_and_what_was_answered_otherwise():
    texts = some_texts(40)
    calls = [call("Sort it.", text, said=sorted_so(text)) for text in texts]
    calls[3:3] = [call("Sort it.", texts[3], said="", ended="failed")] * 2
    calls.append(call("Sort it.", texts[5], said=sorted_so(texts[5])))
    other = "billing" if sorted_so(texts[6]) == "delivery" else "delivery"
    calls += [call("Sort it.", texts[6], said=other)] * 2
    calls.append(call("Sort it.", "an odd one", said="", ended="refused"))
    calls.append(call("Sort it.", "another odd one", said="Well, that is hard to say."))
    (prompt,) = found(calls)
    assert (prompt.retries, prompt.duplicates, prompt.repeated, prompt.differing) == (2, 3, 2, 1)
    assert (prompt.ended["refused"], prompt.unread, len(prompt.rows)) == (1, 1, 40)
    assert next(row.target for row in prompt.rows if row.text == texts[6]) == other


TEXTS = [f"fly to {city} on {day} {i}" for i, (city, day) in enumerate([("Rome", "Monday"), ("Oslo", "Friday")] * 20)]


def spans(text):
    _, _, city, _, day, _ = text.split()
    found = [(7, 7 + len(city), "CITY"), (text.index(day), text.index(day) + len(day), "DAY")]
    return Entities(tuple(Span(*span) for span in found))


def pairs(text):
    return [(text[s.start : s.end], s.label, s.start, s.end) for s in spans(text).spans]


WRITTEN = {
    "objects": lambda t: {"entities": [{"text": w, "label": kind} for w, kind, *_ in pairs(t)]},
    "turned round": lambda t: {"entities": [{"text": w, "label": kind} for w, kind, *_ in reversed(pairs(t))]},
    "with places": lambda t: {
        "spans": [{"start": s, "end": e, "type": kind, "value": w} for w, kind, s, e in pairs(t)]
    },
    "places alone": lambda t: [{"start": s, "end": e, "type": kind} for _, kind, s, e in pairs(t)],
    "a list": lambda t: [{"entity": w, "type": kind, "score": 0.9} for w, kind, *_ in pairs(t)],
    "under their types": lambda t: {kind: [w] for w, kind, *_ in pairs(t)},
    "types inside": lambda t: {"found": {kind: [w] for w, kind, *_ in pairs(t)} | {"PERSON": []}},
    "one of each": lambda t: {kind.lower(): w for w, kind, *_ in pairs(t)},
}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("fenced", [False, True])
def test_entities_are_read_and_written_again(form, fenced):
    said = [json.dumps(WRITTEN[form](text)) for text in TEXTS]
    said = [f"```json\n{one}\n```" for one in said] if fenced else said
    shape = shape_of(said, TEXTS, None)
    assert not isinstance(shape, str), shape
    for one, text in zip(said, TEXTS, strict=True):
        read = shape.read(one, text)
        assert [(s.start, s.end, s.label.upper()) for s in read.spans] == [
            (s.start, s.end, s.label) for s in spans(text).spans
        ]
        assert shape.read(shape.write(read, text), text) == read
        assert shape.write(read, text).startswith("```") == fenced


@pytest.mark.parametrize("form", ["objects", "a list", "under their types", "one of each"])
def test_entities_of_which_some_are_not_in_their_text_are_entities_and_counted(form):
    changed = [text.replace("Rome", "Roma") if i % 4 == 0 else text for i, text in enumerate(TEXTS)]
    calls = [call("Mark the words of this ticket.", f"Ticket: {text}", said=json.dumps(WRITTEN[form](other)))
             for text, other in zip(TEXTS, changed, strict=True)]  # fmt: skip
    (prompt,) = found(calls)
    assert prompt.kind == "token-classification" and prompt.unplaced == len(TEXTS) / 4
    assert [len(row.target.spans) for row in prompt.rows[:4]] == [1, 2, 2, 2]


def test_entities_with_an_intent():
    said = [json.dumps({"intent": ["book", "ask"][i % 2], **WRITTEN["objects"](text)}) for i, text in enumerate(TEXTS)]
    shape = shape_of(said, TEXTS, None)
    assert [shape.read(one, text).intent for one, text in zip(said[:2], TEXTS[:2], strict=True)] == ["book", "ask"]
    assert json.loads(shape.write(shape.read(said[0], TEXTS[0]), TEXTS[0])) == json.loads(said[0])


def test_labels_as_models_write_them():
    said = ["Billing", "billing.", '"billing"', "Delivery", "delivery"] * 8
    shape = shape_of(said, TEXTS, None)
    assert len(shape.values) == 2
    assert len({shape.read(one, "") for one in said}) == 2


def test_labels_of_a_schema_with_references():
    schema = {
        "$defs": {"Topic": {"enum": ["billing", "delivery"], "type": "string"}},
        "type": "object",
        "properties": {
            "topic": {"$ref": "#/$defs/Topic"},
            "confidence": {"type": "string"},
            "sure": {"type": "boolean"},
        },
    }
    said = [
        json.dumps({"topic": ["billing", "delivery"][i % 2], "confidence": "high", "sure": True}) for i in range(40)
    ]
    shape = shape_of(said, TEXTS, schema)
    assert (shape.form, shape.label) == ("object", "topic")
    assert json.loads(shape.write("billing", "x")).keys() == {"topic", "confidence", "sure"}


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ([0.9, 0.8, 1.0], 0.87),
        ([90, 80, 100], 87),
        ([90, 80, 0.5], 87),
        ([1, 0, 1], 0),
        ([0.5, -1, 1], 0),
        ([1, 250], 0),
    ],
)
def test_a_share_that_says_how_sure_an_answer_is(numbers, written):
    said = [
        json.dumps({"topic": ["billing", "delivery"][i % 2], "confidence": numbers[i // 2 % len(numbers)]})
        for i in range(40)
    ]
    shape = shape_of(said, [f"text {i}" for i in range(40)], None)
    assert json.loads(shape.write("billing", "x", 0.8731))["confidence"] == written
    score = shape_of([one.replace("confidence", "score") for one in said], [f"text {i}" for i in range(40)], None)
    assert json.loads(score.write("billing", "x", 0.8731)).get("score", 0) == 0


@pytest.mark.parametrize("values", [[True, False], [1, 2, 3], ["a", None]])
def test_labels_that_are_no_words(values):
    said = [json.dumps({"answer": values[i % len(values)]}) for i in range(40)]
    shape = shape_of(said, TEXTS, None)
    if None in values:
        assert isinstance(shape, str)
        return
    assert [json.loads(shape.write(shape.read(one, ""), "")) for one in said] == [json.loads(one) for one in said]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ([f"a story of {i}" for i in range(40)], FREE),
        (["yes"] * 40, "always answers 'yes'"),
        ([json.dumps({"summary": f"a story of {i}"}) for i in range(40)], FREE),
        (
            [
                json.dumps({"topic": ["a", "b"][i % 2], "team": ["x", "y"][i // 2 % 2], "why": str(i)})
                for i in range(40)
            ],
            "several things at once",
        ),
    ],
)
def test_what_is_no_task_of_ours(said, why):
    shape = shape_of(said, TEXTS, None)
    assert isinstance(shape, str) and why in shape
