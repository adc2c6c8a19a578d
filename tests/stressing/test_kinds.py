"""What each kind changes, and what it leaves alone: answers stay right, entities stay where they are."""

import random
import re
from pathlib import Path

import pytest

from conftest import make_dataset
from slmfit.generating.marked import Marked
from slmfit.records import Entities, Example, Pair, Question, Span, Tokens
from slmfit.stressing.changing import changed, left_out
from slmfit.stressing.kinds import KINDS, Known
from slmfit.tasks import by_name

TEXTS = by_name("text-classification").with_labels(["billing", "delivery"])
MARKS = by_name("token-classification")
CHOICE = by_name("multiple-choice").with_labels("AB")
DOC = (Path(__file__).parents[2] / "docs" / "stress.md").read_text(encoding="utf-8")


def text_after(kind, text, draw=0, known=None):
    found = changed(Example("1", text, "billing"), kind, TEXTS, f"0 {draw}", known)
    return found and found.input


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("small letters", "My IBAN is Wrong", "my IBAN is wrong"),
        ("small letters", "MY CARD IS GONE", "my card is gone"),
        ("small letters", "nothing here", None),
        ("capitals", "the iPhone of Ann", "THE iPhone OF ANN"),
        ("quotes", """it's "late" again""", "it’s “late” again"),
        ("quotes", "it’s “late”", """it's "late\""""),
        ("unicode", "café…", "cafe\u0301..."),
        ("unicode", "cafe\u0301", "café"),
        ("unicode", "plain", None),
        ("final mark", "where is it", "where is it."),
        ("politeness", "wo ist mein Paket", None),
        ("one typo", "it is not at 3", None),
        ("two typos", "the parcel is late", "the parcel is late"),
    ],
)
def test_a_kind_changes(kind, before, after):
    if kind == "two typos":  # both words, each by a slip
        after = text_after(kind, before)
        assert [a == b for a, b in zip(before.split(), after.split(), strict=True)] == [True, False, True, False]
    else:
        assert text_after(kind, before) == after


def test_the_last_mark_goes_or_is_repeated():
    found = {text_after("final mark", "where is it?", draw) for draw in range(20)}
    assert found == {"where is it", "where is it??"}


def test_politeness_stands_before_behind_or_on_both_sides():
    found = {text_after("politeness", "where is my parcel?", draw) for draw in range(40)}
    assert all("where is my parcel?" in text for text in found)
    sides = {(text.startswith("where"), text.endswith("?")) for text in found}
    assert sides == {(False, True), (True, False), (False, False)}


def test_spaces_change_nothing_but_spaces():
    found = {text_after("spaces", "where is it", draw) for draw in range(20)}
    assert found == {"where  is  it", " where is it \n", "where\u00a0is\u00a0it"}


def test_no_typo_in_a_name_a_number_a_negation_or_a_short_word():
    text = "I never paid seven hundred euros to Miller for order4711, didn't we, nor nothing, don’t"
    for draw in range(60):
        after = text_after("one typo", text, draw)
        odd = [a for a, b in zip(text.split(), after.split(), strict=True) if a != b]
        assert odd in (["paid"], ["euros"]), after


def test_a_typo_makes_no_other_word_of_the_data():
    made = {text_after("one typo", "form", draw) for draw in range(200)}
    assert {"from", "foorm"} <= made
    known = Known(frozenset(made - {"foorm"}))
    assert {text_after("one typo", "form", draw, known) for draw in range(50)} <= {"foorm", None}


def test_the_same_draw_changes_a_row_alike_and_another_otherwise():
    text = "where is the parcel that somebody promised yesterday"
    assert text_after("one typo", text, 1) == text_after("one typo", text, 1)
    assert len({text_after("one typo", text, draw) for draw in range(10)}) > 3


def tagged(rng, tokens):
    """A text with a city and a name in it, given as tokens or as it is."""
    words = ["Please", "book", "Rome", "for", "the", '"Ann', 'Lee"', "café", "please", "before", "Friday", "night"]
    rng.shuffle(words)
    text = " ".join(words) + rng.choice(["", ".", " ?"])
    spans = tuple(
        Span(found.start(), found.end(), label)
        for found, label in sorted(
            ((re.search(word, text), label) for word, label in (("Rome", "CITY"), ("Ann", "NAME"), ("Friday", "DAY"))),
            key=lambda pair: pair[0].start(),
        )
    )
    pieces = [found.span() for found in re.finditer(r"\w+|[^\w\s]", text)]
    return Example("1", Tokens(text, pieces) if tokens else text, Entities(spans, "book"))


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.change])
@pytest.mark.parametrize("tokens", [False, True])
def test_entities_stay_as_they_are_and_move_along(kind, tokens):
    rng, touched = random.Random(kind), 0
    for draw in range(60):
        row = tagged(rng, tokens)
        after = changed(row, kind, MARKS, str(draw))
        if after is None:
            continue
        touched += 1
        words = [[(str(e.input)[s.start : s.end], s.label) for s in e.target.spans] for e in (row, after)]
        assert words[0] == words[1] and after.target.intent == "book"
        if tokens:
            assert isinstance(after.input, Tokens)
            covered = {at for start, end in after.input.offsets for at in range(start, end)}
            assert covered == {at for at, c in enumerate(after.input) if not c.isspace()}, (
                after.input,
                after.input.offsets,
            )
            assert list(after.input.offsets) == sorted(after.input.offsets)
    assert touched


def test_both_texts_of_a_pair_are_changed_and_stay_a_pair():
    pair = changed(Example("1", Pair("A man", "A boy"), "yes"), "capitals", TEXTS, "0").input
    assert (pair.first, pair.second) == ("A MAN", "A BOY")


@pytest.mark.parametrize("draw", range(5))
def test_options_stand_in_another_order_and_the_right_one_stays_right(draw):
    asked = Question("Ice is", {"A": "cold", "B": "hot", "C": "warm"}, "Of water.", "physics")
    after = changed(Example("1", asked, "A"), "options", CHOICE, f"0 {draw}")
    assert after.input.options != asked.options and after.input.options[after.target] == "cold"
    assert (after.input.question, after.input.context, after.input.subject) == ("Ice is", "Of water.", "physics")


@pytest.mark.parametrize("option", ["all of the above", "None of these", "both A and B", "A or C", "Neither B"])
def test_options_that_speak_of_others_stay(option):
    asked = Question("Ice is", {"A": "cold", "B": "hot", "C": option})
    assert changed(Example("1", asked, "A"), "options", CHOICE, "0") is None


def test_an_option_that_is_a_vitamin_is_dealt():
    asked = Question("It is", {"A": "vitamin A", "B": "a and b in a row"})
    assert changed(Example("1", asked, "A"), "options", CHOICE, "0").target == "B"


def test_questions_keep_their_options_when_the_question_is_changed():
    asked = Question("Ice is", {"A": "Cold", "B": "Hot"})
    after = changed(Example("1", asked, "A"), "capitals", CHOICE, "0")
    assert after.input == Question("ICE IS", {"A": "Cold", "B": "Hot"}) and after.target == "A"


@pytest.mark.parametrize("label", ["greeting", "say_hello", "gratitude", "small talk"])
def test_politeness_is_left_out_where_a_label_is_one(label):
    task = by_name("text-classification").with_labels(["billing", label])
    assert "politeness itself" in left_out(task, "politeness")
    assert left_out(task, "capitals") is None and left_out(TEXTS, "politeness") is None


def test_options_are_for_questions_alone():
    assert left_out(TEXTS, "options") and not left_out(CHOICE, "options")


def test_no_kind_leaves_a_trace_in_what_it_was_given():
    data = make_dataset(sizes=(5, 5, 20))
    for kind in KINDS:
        for example in data.test:
            before = str(example.input)
            changed(example, kind, data.task, "0")
            assert example.input == before


def test_a_change_of_nothing_is_nothing():
    for kind in KINDS.values():
        if kind.change:
            after = kind.change(Marked(""), random.Random(0), Known())
            assert not after.text.strip(), kind


def test_the_page_names_every_kind():
    assert re.findall(r"^\| `([a-z ]+)` \|", DOC, re.MULTILINE) == list(KINDS)
