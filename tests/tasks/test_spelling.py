"""Texts that came as tokens: these stay, people's spelling keeps their entities, and a text is cut as they were."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.errors import Where
from slmfit.records import Entities, Example, Span, Tokens
from slmfit.tasks.cuts import Cuts
from slmfit.tasks.spans import join_tokens, spans_from_tags
from slmfit.tasks.spelling import as_written, signs_apart, words_of, written
from slmfit.tasks.tagging import TokenClassification

TOKEN = st.one_of(
    st.sampled_from(["@user", "#tag", "...", "x", "-", "'s", "n't", "do", "(", ")", '"', ",", "$", "5", ":", "http://a.b/c"]),
    st.text(st.sampled_from("abZ9_.,'’-/\u0301🙂东"), min_size=1, max_size=5),
)  # fmt: skip
TOKENS = st.lists(TOKEN, max_size=10)
SIGNS = st.sets(st.sampled_from("-/:.'"))


def joined(*tokens):
    return Tokens(*join_tokens(tokens))


def parsed(**row):
    return TokenClassification().parse(row, Where("a.jsonl", 1), "1")


def test_rows_that_came_as_tokens_keep_them():
    example = parsed(tokens=["@user", "#tag", "..."], tags=["B-X", "O", "O"])
    assert example.input == "@user #tag ..." and words_of(example.input) == ["@user", "#tag", "..."]
    own = parsed(text="x-y!", tokens=["x", "-", "y", "!"], tags=["B-X", "O", "O", "O"])
    assert own.input == "x-y!" and own.input.offsets == ((0, 1), (1, 2), (2, 3), (3, 4))
    assert not isinstance(parsed(text="x-y!", spans=[]).input, Tokens)


def test_tokens_are_copied_whole():
    tokens = joined("a", "b")
    for copied in (pickle.loads(pickle.dumps(tokens)), copy.deepcopy(tokens)):
        assert copied == tokens and copied.offsets == tokens.offsets
    assert json.dumps(tokens) == '"a b"'


@pytest.mark.parametrize(
    ("tokens", "signs", "text"),
    [
        ("Rome ( x - y ) , it 's ok .", "-", "Rome (x-y), it's ok."),
        ("a - b", "", "a - b"),
        ('I do n\'t say " no " , ok ?!', "", 'I don\'t say "no", ok?!'),
        ("pay $ 50 , 30 % now ...", "", "pay $50, 30% now..."),
        ("at 5 : 30 : go", ":", "at 5:30: go"),
        ("RT @user : #tag :)", "", "RT @user: #tag :)"),
        ('" unclosed', "", '" unclosed'),
    ],
)
def test_as_people_write_it(tokens, signs, text):
    assert as_written(tokens.split(), signs)[0] == text


def test_signs_that_no_token_holds_stand_apart():
    assert signs_apart([["x", "-", "y"], ["a", "/", "b"], ["and/or"], ["5", ":", "30"], ["a", ":", "b"]]) == {"-", ":"}


@settings(max_examples=80, deadline=None)
@given(TOKENS, SIGNS)
def test_both_spellings_have_the_same_tokens(tokens, signs):
    text, offsets = as_written(tokens, signs)
    assert [text[start:end] for start, end in offsets] == tokens
    assert "".join(text.split()) == "".join("".join(tokens).split())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(TOKEN, st.sampled_from(["O", "B-X", "I-X", "B-Y"])), min_size=1, max_size=10), SIGNS)
def test_entities_survive_both_spellings(pairs, signs):
    text = joined(*(token for token, _ in pairs))
    spans, _ = spans_from_tags([tag for _, tag in pairs], text.offsets)
    row = Example("1", text, Entities(tuple(spans), "book"))
    for new in written([row], signs):
        assert new.input != text and new.target.intent == "book"
        was = ["".join(text[s.start : s.end].split()) for s in spans]
        assert ["".join(new.input[s.start : s.end].split()) for s in new.target.spans] == was
        assert [s.label for s in new.target.spans] == [s.label for s in spans]


def test_a_text_of_its_own_is_what_people_write():
    row = Example("1", Tokens("x-y", [(0, 1), (1, 2), (2, 3)]), Entities((Span(0, 1, "X"),)))
    assert written([row], "") == [row]
    assert written([Example("1", "x - y", Entities()), Example("2", joined("x", "-", "y"), Entities())], "") == []


@settings(max_examples=60, deadline=None)
@given(st.lists(TOKENS, max_size=6), st.text(st.sampled_from("ab Z9.,'’-@#/\t\u00a0\u0301🙂东"), max_size=25), SIGNS)
def test_every_character_but_space_is_in_one_token(texts, text, signs):
    cuts = Cuts.learn([Tokens(*as_written(tokens, signs)) for tokens in texts])
    places = cuts.cut(text)
    covered = [i for start, end in places for i in range(start, end)]
    assert covered == [i for i, character in enumerate(text) if not character.isspace()]
    again = Cuts.from_plain(json.loads(json.dumps(cuts.plain())))
    assert again == cuts and again.cut(text) == places


def cut(cuts, text):
    return [text[start:end] for start, end in cuts.cut(text)]


def test_a_text_is_cut_as_the_tokens_were():
    rows = [["@user", ":", "x", "-", "y", "'s", "..."], ["do", "n't", "see", "#tag", "!"], ["a", "-", "b", "is", "n't"]]
    signs = signs_apart(rows)
    cuts = Cuts.learn([Tokens(*as_written(row, signs)) for row in rows * 2])
    tokens = ["@else", ":", "c", "-", "d", "'s", "...", "wo", "n't", "#now", "!"]
    assert cut(cuts, "@else: c-d's... won't #now!") == tokens
    whole = Cuts.learn([joined("e-mail", "don't", "x/y", ".")] * 2)
    assert cut(whole, "re-do, isn't a/b.") == ["re-do", ",", "isn't", "a/b", "."]


def test_where_nothing_was_seen_signs_at_the_edges_stand_apart():
    assert cut(Cuts.learn([]), "(Rome's x-y)?! +") == ["(", "Rome's", "x-y", ")", "?", "!", "+"]


def test_odd_cuts_of_a_file_are_refused():
    with pytest.raises(ValueError, match="a chunk that is cut"):
        Cuts.from_plain({"chunks": {"abc": [1, 1]}, "pairs": {}})
