"""Labels that answers state in other words: which words are a frame, which another label, and what is said of it."""

import json
from collections import Counter

import pytest
from test_prompts import call, found, some_texts, sorted_so

from slmfit.leaving.labels import FREE, Labels, in_doubt, labels_of
from slmfit.leaving.shapes import shape_of
from slmfit.tasks.reply_shapes import Shape
from slmfit.tasks.wording import Wording, folded

ASKS = "Sort the ticket into one topic: billing or delivery."
OTHERWISE = {
    "a prefix": "Topic: {}",
    "a bold prefix": "**Topic:** {}",
    "a bold label": "Topic: **{}**",
    "a sentence": "The topic is {}.",
    "a sentence round it": "I think {} is the topic",
    "one word": "topic {}",
    "quoted": 'Answer = "{}"',
    "JSON": '{{"topic": "{}"}}',
    "explained": "{}\n\nThe customer says so.",
    "explained first": "The customer says so.\n\nTopic: {}",
}


def asked_of(says, asks=ASKS, every=5):
    """A prompt whose every fifth answer says its label so."""
    texts = some_texts(80)
    plain = [sorted_so(text) for text in texts]
    return found(
        call(asks, text, said=says.format(label) if at % every == 0 else label)
        for at, (text, label) in enumerate(zip(texts, plain, strict=True))
    )[0], plain


@pytest.mark.parametrize("says", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_a_label_in_other_words_is_that_label_and_said_to_be(says):
    prompt, plain = asked_of(says)
    assert [row.target for row in prompt.rows] == plain
    assert (prompt.unread, prompt.reworded) == (0, 16)
    (note,) = prompt.notes
    assert note.startswith("Written otherwise, and read as the label: 16 of 80 answers (20.0 %): ")
    assert "as 'billing' (" in note
    assert isinstance(prompt.shape, Shape)
    assert prompt.shape.write("billing", "") == "billing"


@pytest.mark.parametrize("says", ["Topic: {}", "The topic is {}."])
def test_no_prompt_has_to_name_the_labels(says):
    prompt, plain = asked_of(says, "Sort it.")
    assert [row.target for row in prompt.rows] == plain


@pytest.mark.parametrize("label", ["not billing", "non-delivery", "billing and delivery", "billing refund"])
def test_what_may_be_another_label_stays_one(label):
    said = ["billing", "delivery", label, "billing", "delivery"] * 20
    shape = shape_of(said, [""] * 100, None)
    assert set(shape.values) == {"billing", "delivery", label}
    assert [shape.read(one, "") for one in said] == said


def test_a_label_that_holds_another_is_told_of_unless_the_prompt_names_it():
    texts = some_texts(80)
    said = ["spam", "not spam"] * 40
    (prompt,) = found(call("Is it spam?", text, said=one) for text, one in zip(texts, said, strict=True))
    assert [row.target for row in prompt.rows] == said
    assert prompt.notes == [
        "Labels of their own, by their look; the prompt does not name them: 'not spam' (40) beside 'spam'."
    ]
    asks = "Answer spam or not spam."
    (prompt,) = found(call(asks, text, said=one) for text, one in zip(texts, said, strict=True))
    assert prompt.notes == []


def test_degrees_that_the_prompt_names_are_labels():
    said = ["positive", "negative", "very positive", "very negative"] * 20
    asks = "very positive, positive, negative or very negative?"
    assert set(labels_of(said, named=asks).values) == set(said)
    assert set(labels_of(said).values) == set(said)
    assert set(labels_of(said, allowed=said, named="positive or negative?").values) == set(said)
    assert set(labels_of(said, named="positive or negative?").values) == {"positive", "negative"}


def test_a_denial_around_several_labels_is_none_of_them():
    said = (["billing", "delivery"] * 4 + ["This is not about billing", "This is not about delivery"]) * 8
    shape = shape_of(said, [""] * len(said), None, ASKS)
    assert {shape.read(one, "") for one in said if "not" in one}.isdisjoint({"billing", "delivery"})


def test_an_answer_that_explains_itself_is_left_out_and_shown():
    texts = some_texts(80)
    plain = [sorted_so(text) for text in texts]
    longer = [f"Maybe {label}, for the text says {text}" for label, text in zip(plain, texts, strict=True)]
    said = [longer[i] if i % 5 == 0 else label for i, label in enumerate(plain)]
    (prompt,) = found(call(ASKS, text, said=one) for text, one in zip(texts, said, strict=True))
    assert [row.target for row in prompt.rows] == [label for i, label in enumerate(plain) if i % 5]
    assert prompt.unread == 16
    (note,) = prompt.notes
    assert note.startswith("In another form, and left out: 16 answers, such as 'Maybe ")


def test_a_label_on_one_of_several_lines_is_read_if_no_other_is_said():
    wording = Wording({"billing": "Billing", "delivery": "Delivery"}, [("topic: ", "")])
    assert wording.label_of("Topic: BILLING\nReason: it was charged") == "Billing"
    assert wording.label_of("billing\nor rather delivery") is None
    assert wording.label_of("billing\ndelivery") is None
    assert wording.label_of("") is None
    assert wording.held("Billing? delivery!") == {"Billing", "Delivery"}
    assert wording.held("redelivery") == set() == Wording({}).held("delivery")


def test_a_label_has_its_commonest_spelling():
    said = ["billing."] * 16 + ["billing"] * 13 + ["BILLING"] * 9 + ["DELIVERY"] * 15 + ["**delivery**"] * 14
    shape = shape_of([*said, *["delivery"] * 11], [""] * 78, None)
    assert set(shape.values) == {"billing", "delivery"}  # 25 times, stars taken away
    assert Counter(shape.read(one, "") for one in said) == {"billing": 38, "delivery": 29}


def test_marks_alone_are_labels():
    said = ["*", "**", "***"] * 20
    assert set(labels_of(said).values) == set(said)
    assert [folded(one) for one in ("*", "**", " ! ")] == ["*", "**", "!"]


def test_a_label_that_is_always_framed_like_the_others_is_called_without():
    said = (["billing", "delivery"] * 6 + ["Topic: billing", "Topic: delivery", "Topic: Account access"]) * 4
    labels = labels_of(said, named=ASKS)
    assert isinstance(labels, Labels)
    assert set(labels.values) == {"billing", "delivery", "Account access"}
    assert labels.values["Account access"] == "Topic: Account access"


def test_words_that_hold_a_label_are_free_text_where_few_answers_state_one():
    said = ["yes", "no"] * 20 + [f"yes, of course, and more of {i}" for i in range(40)]
    assert labels_of(said) == FREE


def test_members_of_an_object_are_read_so_too():
    said = [{"topic": "billing"}, {"topic": "delivery"}, {"topic": "Topic: billing"}, {"topic": "topic: Delivery"}] * 10
    shape = shape_of(list(map(json.dumps, said)), [""] * 40, None)
    assert [shape.read(json.dumps(one), "") for one in said] == ["billing", "delivery"] * 20


def test_in_doubt():
    labels = ["card", "card payment", "late", "gift card payment"]
    assert in_doubt(labels, "") == [("card payment", "card"), ("gift card payment", "card payment")]
    assert in_doubt(labels, "Card payment or gift card payment?") == []
    assert in_doubt(["C", "c++"], "") == [("c++", "C")]


def test_answers_in_free_text_take_no_long_time_to_tell():
    said = ["a", "b"] * 10 + [f"a story of {i} " + "words and words " * 20 for i in range(3000)]
    assert labels_of(said) == FREE


def test_labels_that_the_prompt_names_with_and_without_a_frame_stay_apart():
    said = ["bug", "other", "mobile: bug", "mobile: other"] * 20
    labels = labels_of(said, named="Answer with one of: bug, other, mobile: bug, mobile: other")
    assert isinstance(labels, Labels) and set(labels.values) == set(said)


@pytest.mark.parametrize("says", ["I wouldn't call this {}", "It can't be {}", "It won’t be {}"])
def test_what_is_denied_is_not_the_label(says):
    said = ["spam", "ham"] * 20 + [says.format("spam"), says.format("ham")] * 4
    labels = labels_of(said, named="spam or ham?")
    assert isinstance(labels, str) or not labels.frames
