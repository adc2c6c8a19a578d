"""Spans are read and written exactly, whatever the text is made of."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.errors import DataError, Where
from slmfit.records import Entities, Example, Prediction, Span
from slmfit.tasks import from_plain, to_plain
from slmfit.tasks.answers import target_from_json, target_to_json
from slmfit.tasks.spans import (
    join_tokens,
    spans_from_tags,
    tags_from_spans,
    tile_tokens,
)
from slmfit.tasks.tagging import TokenClassification
from slmfit.tasks.words import place, placeable, spans_from_words, words_from_spans

TASK = TokenClassification(("CITY", "DATE"), ("book", "cancel"))
HERE = Where("rows.jsonl", 7)

# emoji with a joiner and a skin tone, combining marks, right-to-left, tabs, line ends, no-break space, plain letters
PIECES = ["👩‍🚀", "👍🏽", "e\u0301", "\u0301", "שָׁלוֹם", "مرحبا", "東京", "\t", "\r\n", "\n", "\xa0", " "]
PIECES += ["a", "b", "ab", "1", "10", ".", "-"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
LABELS = st.sampled_from(["CITY", "DATE", "creative-work", "B-X"])


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(TEXTS)
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return text, [Span(start, end, draw(LABELS)) for start, end in pairs if start < end]


TOKENS = st.lists(st.sampled_from(PIECES).map(str.strip).filter(bool) | st.text(min_size=1, max_size=4), max_size=10)
TAGS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y", "B-creative-work", "I-creative-work"])


def parse(row: dict[str, Any], **more: Any) -> Entities:
    target = TASK.parse(row | more, HERE, "1").target
    assert isinstance(target, Entities)
    return target


# --- reading rows ---


ROME = (Span(7, 11, "CITY"),)


@pytest.mark.parametrize(
    "row",
    [
        {"text": "fly to Rome", "spans": [{"start": 7, "end": 11, "label": "CITY"}]},
        {"text": "fly to Rome", "spans": [[7, 11, "CITY"]]},
        {"text": "fly to Rome", "entities": [[7, 11, "CITY"]]},
        {"tokens": ["fly", "to", "Rome"], "tags": ["O", "O", "B-CITY"]},
        {"tokens": ["fly", "to", "Rome"], "ner_tags": [0, 0, 1], "tag_names": ["O", "B-CITY"]},
        {"text": "fly to Rome", "tokens": ["fly", "to", "Rome"], "tags": ["O", "O", "B-CITY"]},
        {"text": "fly to Rome", "labels": [{"word": "Rome", "label": "B-CITY"}]},
    ],
)
def test_every_form_of_a_row_gives_the_same_target(row: dict[str, Any]) -> None:
    assert TASK.parse(row, HERE, "1") == Example("1", "fly to Rome", Entities(ROME))
    assert parse(row, intent="book") == Entities(ROME, "book")
    assert TASK.recognises([*row, "intent"])


def test_a_row_without_entities_has_no_target_and_one_with_none_has_an_empty_one() -> None:
    assert TASK.parse({"text": "fly"}, HERE, "1").target is None
    assert TASK.parse({"text": "fly", "spans": None, "intent": None}, HERE, "1").target is None
    assert parse({"text": "fly", "spans": []}) == Entities()
    assert parse({"text": "fly", "intent": "book"}) == Entities(intent="book")


def test_a_file_of_another_task_is_not_recognised() -> None:
    assert not TASK.recognises(["text", "label"])
    assert not TASK.recognises(["text", "labels"])
    assert not TASK.recognises(["question", "options", "answer"])


def test_spans_come_in_reading_order() -> None:
    assert parse({"text": "a b", "spans": [[2, 3, "X"], [0, 1, "Y"]]}).spans == (Span(0, 1, "Y"), Span(2, 3, "X"))


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ({"spans": []}, "text", "there is no text"),
        ({"text": 5, "spans": []}, "text", "there is no text"),
        ({"tokens": ["a"], "spans": []}, "spans", "counts tokens"),
        ({"text": "abc", "spans": [[0, 2, "X"], [1, 3, "Y"]]}, "spans", "overlap"),
        ({"text": "abc", "spans": [[0, 3, "X"], [1, 2, "Y"]]}, "spans", "overlap"),
        ({"text": "abc", "spans": [[0, 2, "X"], [0, 2, "X"]]}, "spans", "overlap"),
        ({"text": "abc", "spans": [[0, 4, "X"]]}, "spans", "outside of the text"),
        ({"text": "abc", "spans": [[-1, 2, "X"]]}, "spans", "outside of the text"),
        ({"text": "abc", "spans": [[2, 1, "X"]]}, "spans", "is empty"),
        ({"text": "abc", "spans": [[1, 1, "X"]]}, "spans", "is empty"),
        ({"text": "abc", "spans": [[0, 1, ""]]}, "spans", "span 1, 0 to 1 ('a'), has no label"),
        ({"text": "abc", "spans": [[0, 1.0, "X"]]}, "spans", "span 1 is"),
        ({"text": "abc", "spans": [[False, 1, "X"]]}, "spans", "span 1 is"),
        ({"text": "abc", "spans": [[0, True, "X"]]}, "spans", "span 1 is"),
        ({"text": "abc", "spans": [[0, 1, " "]]}, "spans", "has no label"),
        ({"text": "abc", "spans": r'[[0, 1, "\ud83d"]]'}, "spans", r"half a character (\ud83d alone)"),
        ({"tokens": r'["\udc00"]', "tags": ["O"]}, "tokens", "half a character"),
        ({"text": "abc", "spans": [[0, 1]]}, "spans", "has no label"),
        ({"text": "abc", "spans": [{"start": 0, "stop": 1, "label": "X"}]}, "spans", "span 1 is"),
        ({"text": "abc", "entities": "X"}, "entities", "a list is needed"),
        ({"text": "abc", "entities": {"X": 1}}, "entities", "a list is needed"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "tags", "1 tags for 2 tokens"),
        ({"tokens": ["a"], "tags": ["X-S"]}, "tags", "no BIO tag"),
        ({"tokens": ["a"], "tags": ["CITY"]}, "tags", "no BIO tag"),
        ({"tokens": ["a"], "tags": ["B-"]}, "tags", "no BIO tag"),
        ({"tokens": ["a"], "tags": ["B- "]}, "tags", "no BIO tag"),
        ({"tokens": ["a"], "tags": [None]}, "tags", "no BIO tag"),
        ({"tokens": ["a"], "ner_tags": [3]}, "ner_tags", "no list of names"),
        ({"tokens": ["a"], "ner_tags": [3], "tag_names": ["O"]}, "ner_tags", "no BIO tag"),
        ({"tokens": ["a"], "ner_tags": [-100], "tag_names": ["O"]}, "ner_tags", "no BIO tag"),
        ({"tokens": ["a"], "ner_tags": [0], "tag_names": 5}, "tag_names", "a list is needed here, not '5'"),
        ({"tokens": ["a"], "ner_tags": [0], "tag_names": {"O": 0}}, "tag_names", "a list is needed"),
        ({"tokens": ["a"], "ner_tags": [0], "tag_names": "O,B-X"}, "tag_names", "a list is needed"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "tokens", "token 2"),
        ({"tokens": "a b", "tags": ["O", "O"]}, "tokens", "a list is needed"),
        ({"text": "a-b", "tokens": ["a", "b"], "tags": ["O", "O"]}, "tokens", "does not go on"),
        ({"text": "a b c", "tokens": ["a", "b"], "tags": ["O", "O"]}, "tokens", "no token covers 'c'"),
        ({"text": "a", "labels": [{"word": "a", "label": "B_X"}]}, "labels", "no BIO tag"),
        ({"text": "a", "labels": [{"word": "a", "label": "X"}]}, "labels", "no BIO tag"),
        ({"text": "a", "labels": ["B-X"]}, "labels", "no tokens"),
        ({"text": "a", "intent": " "}, "intent", "the intent is"),
        ({"text": "a", "intent": 3}, "intent", "the intent is"),
        ({"text": "a", "intent": "['book', 'cancel']"}, "intent", "the intent is"),
        ({"text": "a", "intent": '["book"]'}, "intent", "the intent is"),
    ],
)
def test_a_bad_row_is_refused_with_its_place_and_a_remedy(row: dict[str, Any], column: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        TASK.parse(row, HERE, "1")
    assert str(caught.value).startswith(f"rows.jsonl, line 7, column '{column}': ")
    assert says in caught.value.what
    assert caught.value.fix


def test_tag_names_may_be_written_as_json() -> None:
    row = {"tokens": ["a"], "ner_tags": [1], "tag_names": '["O", "B-X"]'}
    assert parse(row).spans == (Span(0, 1, "X"),)


def test_an_intent_without_a_word_on_entities_is_counted() -> None:
    assert [r.kind for r in TASK.repairs({"text": "a", "intent": "book"}, HERE)] == ["unsaid entities"]
    assert [r.kind for r in TASK.repairs({"tokens": ["a"], "intent": "book"}, HERE)] == ["unsaid entities"]
    assert not TASK.repairs({"text": "a", "intent": "book", "spans": []}, HERE)
    assert not TASK.repairs({"tokens": ["a"], "tags": ["O"], "intent": "book"}, HERE)
    assert not TASK.repairs({"text": "a"}, HERE)


# --- what is written is read back ---


@given(texts_with_spans(), st.none() | st.sampled_from(["book", "cancel"]), st.text(max_size=5))
def test_unparse_is_the_inverse_of_parse(pair: tuple[str, list[Span]], intent: str | None, id: str) -> None:
    text, spans = pair
    for target in (Entities(tuple(spans), intent), None):
        example = Example(id, text, target)
        row = json.loads(json.dumps(TASK.unparse(example)))
        assert TASK.parse(row, HERE, row["id"]) == example
        assert target_from_json(json.loads(json.dumps(target_to_json(target)))) == target


@given(TOKENS, st.data())
def test_spans_to_tags_to_spans(tokens: list[str], data: st.DataObject) -> None:
    text, offsets = join_tokens(tokens)
    assert [text[a:b] for a, b in offsets] == tokens
    tags = data.draw(st.lists(TAGS, min_size=len(tokens), max_size=len(tokens)))
    spans, mended = spans_from_tags(tags, offsets)
    again = tags_from_spans(spans, offsets)
    assert spans_from_tags(again, offsets) == (spans, [])
    assert [i for i, (a, b) in enumerate(zip(tags, again, strict=True)) if a != b] == mended


@given(TOKENS, st.data())
def test_tokens_find_their_places_in_any_spacing(tokens: list[str], data: st.DataObject) -> None:
    tokens = [token.strip() for token in tokens if token.strip()]
    text, offsets = "", []
    for token in tokens:
        text += data.draw(st.sampled_from(["", " ", "\t", "\r\n", "\xa0 "]))
        offsets.append((len(text), len(text) + len(token)))
        text += token
    assert tile_tokens(text, tokens) == offsets


def test_tags_cannot_say_a_span_that_cuts_a_token() -> None:
    with pytest.raises(ValueError, match="begin and end with a token"):
        tags_from_spans([Span(0, 2, "X")], [(0, 3)])


# --- the words form and the aligner ---


def test_words_are_placed_in_reading_order_and_what_was_decided_is_said() -> None:
    text = "Please cancel May 10 at 10 AM on Friday, March 19, not the 15th of June."
    words = "cancel/O May/B-DATE 10/I-DATE 10/B-TIME AM/I-TIME Friday/B-DATE March/I-DATE 19/I-DATE"
    words += " 15th/B-DATE June/I-DATE"
    labels = [{"word": w, "label": t} for w, t in (word.split("/") for word in words.split())]
    row = {"text": text, "labels": labels, "intent": "cancel"}
    found = [(text[s.start : s.end], s.label) for s in parse(row).spans]
    dates = [(words, "DATE") for words in ("May 10", "Friday, March 19", "15th", "June")]
    assert found == [dates[0], ("10 AM", "TIME"), *dates[1:]]
    kinds = [repair.kind for repair in TASK.repairs(row, HERE)]
    assert kinds == ["stray label", "ambiguous word", "ambiguous word", "mended tag"]


def test_a_mended_tag_is_told_by_its_token() -> None:
    [repair] = TASK.repairs({"tokens": ["a", "b"], "tags": ["O", "I-X"]}, HERE)
    assert repair.detail == "I-X of token 2 starts an entity"


def test_a_whole_word_is_preferred_unless_a_later_word_needs_the_room() -> None:
    assert place("11 at 1", ["1"]) == [(6, 7)]
    assert place("3pm or 3", ["3", "pm"]) == [(0, 1), (1, 3)]
    assert place("banana an", ["an", "an"]) == [(1, 3), (7, 9)]
    assert place("東京へ行く", ["東京"]) == [(0, 2)]


@given(st.text("ab 1", max_size=12), st.lists(st.text("ab1", min_size=1, max_size=2), max_size=4))
def test_words_are_placed_whenever_they_can_be(text: str, words: list[str]) -> None:
    position, possible = 0, True
    for word in words:  # taking the first place every time leaves the most room
        start = text.find(word, position)
        possible, position = possible and start >= 0, start + len(word)
    if not possible:
        with pytest.raises(ValueError, match="does not occur"):
            place(text, words)
        return
    offsets = place(text, words)
    assert [text[a:b] for a, b in offsets] == words
    assert all(one[1] <= two[0] for one, two in pairwise(offsets))


@given(st.text("ab ", max_size=8), st.lists(st.text("ab", max_size=2), max_size=6))
def test_as_many_words_are_placed_as_can_be(text: str, words: list[str]) -> None:
    kept = placeable(text, words)
    place(text, [words[i] for i in kept])
    for more in combinations(range(len(words)), len(kept) + 1):
        with pytest.raises(ValueError, match="does not occur"):
            place(text, [words[i] for i in more])


def test_words_without_a_place_are_left_out_and_said() -> None:
    words = [("Bob", "B-NAME"), ("ann@x.org", "B-EMAIL"), ("7", "B-TIME"), ("PM", "I-TIME")]
    spans, repairs = spans_from_words("At 7 PM with ann@x.org", words)
    assert spans == [Span(3, 7, "TIME")]
    assert [tuple(r) for r in repairs] == [
        ("unplaced word", "'Bob' (B-NAME)"),
        ("unplaced word", "'ann@x.org' (B-EMAIL)"),
    ]


@given(texts_with_spans())
def test_spans_to_words_to_spans_or_a_refusal(pair: tuple[str, list[Span]]) -> None:
    text, spans = pair
    try:
        words = words_from_spans(text, spans)
    except ValueError:
        return
    assert spans_from_words(text, words)[0] == spans


def test_ordinary_spans_can_be_told_by_their_words() -> None:
    text = "Call Ann Lee,\tAnn Roe on 10 May at 10"
    spans = [Span(5, 12, "NAME"), Span(14, 21, "NAME"), Span(25, 31, "DATE"), Span(35, 37, "TIME")]
    assert words_from_spans(text, spans)[:3] == [("Ann", "B-NAME"), ("Lee", "I-NAME"), ("Ann", "B-NAME")]


# --- the codec ---


@given(texts_with_spans(), st.none() | st.sampled_from(["book", "cancel"]))
def test_what_is_written_is_read_as_the_same_words(pair: tuple[str, list[Span]], intent: str | None) -> None:
    text, spans = pair
    task = TASK.with_labels([Entities(tuple(spans), "book"), Entities(intent="cancel")])
    form = task.form()
    read = form.read(form.write(Entities(tuple(spans), intent), text), text).target
    assert isinstance(read, Entities)
    assert [(text[s.start : s.end], s.label) for s in read.spans] == [(text[s.start : s.end], s.label) for s in spans]
    assert read.intent == intent


def test_written_form() -> None:
    target = Entities(ROME, "book")
    form = TASK.form()
    written = form.write(target, "fly to Rome")
    assert written == '{"intent": "book", "entities": [{"text": "Rome", "label": "CITY"}]}'
    assert form.read(written, "fly to Rome") == form.read(json.loads(written), "fly to Rome") == Prediction(target)
    other = '{"entities": [{"label": "CITY", "text": "Rome"}], "intent": "book"}'
    assert form.read(other, "fly to Rome").target == target
    told = form.opening()
    assert "- CITY\n- DATE" in told and "- book\n- cancel" in told
    assert form.turn("fly to Rome").startswith("<text>\nfly to Rome\n</text>\n")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "none",
        "[]",
        "[" * 100_000,
        "{}",
        '{"entities": {}}',
        '{"entities": ["Rome"]}',
        '{"entities": [{"text": "Rome"}]}',
        '{"entities": [{"text": "Rome", "label": 3}]}',
        '{"entities": [{"text": "Rome", "label": "RIVER"}]}',
        '{"entities": [], "intent": "praise"}',
        '{"entities": [], "intent": ["book"]}',
        '{"entities": [], "entities": []}',
        '{"entities": [], "note": "none found"}',
        '{"entities": []} and nothing else',
    ],
)
def test_a_reply_that_is_not_as_the_schema_says_is_invalid(reply: str) -> None:
    assert TASK.form().read(reply, "fly to Rome") == Prediction(None, "invalid")


@pytest.mark.parametrize(
    ("words", "found", "unplaced"),
    [
        (["Paris"], [], ["Paris"]),
        ([""], [], [""]),
        (["Rome", "Rome"], [(12, 16)], ["Rome"]),
        (["Oslo", "Paris", "Rome"], [(4, 8), (12, 16)], ["Paris"]),
        (["Rome", "Oslo"], [(4, 8)], ["Rome"]),  # out of order: one of them has no place
        (["May", "fly", "Oslo", "Rome"], [(0, 3), (4, 8), (12, 16)], ["May"]),  # as many as can be
        (["fly Oslo", "Oslo"], [(0, 8)], ["Oslo"]),
    ],
)
def test_an_entity_without_a_place_is_told_and_the_others_are_kept(
    words: list[str], found: list[tuple[int, int]], unplaced: list[str]
) -> None:
    reply = {"entities": [{"text": word, "label": "CITY"} for word in words], "intent": "book"}
    read = TASK.form().read(json.dumps(reply), "fly Oslo to Rome May").target
    spans = tuple(Span(start, end, "CITY") for start, end in found)
    assert read == Entities(spans, "book", tuple((word, "CITY") for word in unplaced))


def test_schema_names_types_and_intents() -> None:
    schema = TASK.form().schema("a text")
    assert schema["properties"]["entities"]["items"]["properties"]["label"]["enum"] == ["CITY", "DATE"]
    assert schema["properties"]["intent"]["enum"] == ["book", "cancel"]
    assert TokenClassification(("CITY",)).form().schema("a text")["required"] == ["entities"]


# --- labels ---


def test_labels_and_intents_are_those_that_occur() -> None:
    task = TokenClassification().with_labels([Entities(ROME, "book"), Entities((), "ask"), Entities()])
    assert task == TokenClassification(("CITY",), ("ask", "book")) == from_plain(to_plain(task))


def test_rows_are_stratified_by_intent_or_first_type() -> None:
    assert TASK.label(Entities(ROME, "book")) == "book"
    assert TASK.label(Entities(ROME)) == "CITY"
    assert TASK.label(Entities()) == "O"
    assert TASK.text("fly") == "fly"


def test_a_record_with_labels_that_are_no_texts_is_no_task() -> None:
    with pytest.raises(TypeError, match="no text"):
        from_plain({"name": TASK.name, "labels": ["CITY", {"test": 7}]})
