"""Spans stay on their words while the text around them is edited, and inline marks are read as they are written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.generating.marked import Marked, join, read_marks, write_marks
from slmfit.generating.polish import roughen, tidy
from slmfit.generating.recipe import Noise
from slmfit.records import Span

WORDS = st.text("abcé👍🏽\u0301שz.'-@1", min_size=1, max_size=6)
GAPS = st.sampled_from([" ", "  ", "\t", " \n ", "", " , ", ". "])


@st.composite
def marked_texts(draw):
    """Words and gaps between them, some words marked."""
    parts = []
    for _ in range(draw(st.integers(0, 8))):
        word = draw(WORDS)
        spans = (Span(0, len(word), draw(st.sampled_from(["A", "B"]))),) if draw(st.booleans()) else ()
        parts += [Marked(word, spans), Marked(draw(GAPS))]
    return join(parts)


@given(marked_texts())
def test_marks_are_read_as_they_are_written(marked):
    assert read_marks(write_marks(marked)) == marked


@given(marked_texts())
def test_edits_outside_of_spans_leave_their_words_alone(marked):
    guard = re.compile(r"[ \t\n,]+")
    edited = marked.edit(guard, lambda m: "_" * (len(m[0]) % 3))
    assert edited.words == marked.words
    assert edited.text == guard.sub(lambda m: "_" * (len(m[0]) % 3), marked.text)


@given(marked_texts(), st.randoms())
def test_polish_changes_a_marked_text_as_it_does_a_plain_one(marked, rng):
    noise = Noise(hasty=1.0, typos=0.5, lowercase=0.5, bare=0.5)
    state = rng.getstate()
    rough = roughen(tidy(marked), noise, rng)
    rng.setstate(state)
    plain = roughen(tidy(Marked(marked.text)), noise, rng)
    assert rough.text.lower() == plain.text.lower()  # "3 p.m. tomorrow": a stop at the end of a span ends no sentence
    for one, two in zip(rough.spans, rough.spans[1:], strict=False):
        assert one.end <= two.start
    for span in rough.spans:
        words = rough.text[span.start : span.end]
        assert words and words == words.strip()


def test_an_edge_within_what_is_replaced_goes_to_its_end():
    marked = Marked("on  Monday  , ok", (Span(3, 11, "DATE"),))
    assert tidy(marked) == Marked("On Monday, ok", (Span(3, 9, "DATE"),))
    assert Marked("abc", (Span(1, 2, "X"),)).edit(re.compile("abc"), lambda _: "-").spans == ()


def test_a_stop_of_an_abbreviation_starts_no_sentence():
    assert tidy(read_marks("at [TIME|3 p.m.] tomorrow. fine")).text == "At 3 p.m. tomorrow. Fine"


@pytest.mark.parametrize(
    "written", ["[DATE|Friday", "Friday]", "[DATE|next [DATE|Friday]]", "[Friday]", "[DATE Friday]", "[|x]", "[A|b|c]"]
)
def test_brackets_that_make_no_mark_are_refused(written):
    with pytest.raises(ValueError, match="belongs to no mark"):
        read_marks(written)
