"""Schemes of tags: each says the same spans as BIO does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.records import Span
from slmfit.tasks.schemes import Scheme
from slmfit.tasks.spans import join_tokens, spans_from_tags, tags_from_spans

LETTERS = {  # of an entity of one token, of the first, of those between, of the last
    "BIO": "BBII", "BIOES": "SBIE", "BILOU": "UBIL", "BMES": "SBME", "BMEWO": "WBME",
}  # fmt: skip
LABELS = st.sampled_from(["CITY", "creative-work", "S-Bahn", "B", "ville d’été"])


@st.composite
def marked(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str]]]:
    """A number of tokens, and entities of some of them: first, end, label."""
    edges = sorted(draw(st.sets(st.integers(0, 9), max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return 10, [(first, end, draw(LABELS)) for first, end in pairs]


def written(scheme: str, count: int, marks: list[tuple[int, int, str]]) -> list[str]:
    one, first, within, last = LETTERS[scheme]
    tags = ["O"] * count
    for start, end, label in marks:
        tags[start:end] = [f"{within}-{label}"] * (end - start)
        tags[start], tags[end - 1] = f"{first}-{label}", f"{last}-{label}"
        if end - start == 1:
            tags[start] = f"{one}-{label}"
    return tags


@pytest.mark.parametrize("scheme", LETTERS)
@given(marked())
def test_every_scheme_says_the_same_spans(scheme: str, case: tuple[int, list[tuple[int, int, str]]]) -> None:
    count, marks = case
    _, places = join_tokens(["word"] * count)
    expected = [Span(places[first][0], places[end - 1][1], label) for first, end, label in marks]
    tags, seen = written(scheme, count, marks), Scheme()
    for tag in tags:
        seen.look(tag)
    spans, mended = spans_from_tags(seen.bio(tags), places)
    assert (spans, mended) == (expected, [])
    assert not seen.bare and bool(seen.note) == any(tag[0] not in "BIO" for tag in tags)
    assert tags_from_spans(spans, places) == written("BIO", count, marks)


def test_labels_alone_are_entities_as_long_as_they_go_on() -> None:
    scheme = Scheme()
    for tag in ("O", "CITY", "DATE"):
        scheme.look(tag)
    assert scheme.bare and scheme.plausible and "labels without B- and I-" in scheme.note
    assert scheme.bio(["CITY", "CITY", "DATE", "O", "CITY"]) == ["B-CITY", "I-CITY", "B-DATE", "O", "B-CITY"]


@pytest.mark.parametrize(("tags", "says"), [
    (["B-CITY", "DATE"], "'DATE' is no BIO tag"), (["DATE", "B-CITY"], "'B-CITY' has what 'DATE' lacks"),
    (["O", "B"], "'B' is no"), (["CITY-B"], "no BIO"), (["b-CITY"], "no BIO"), (["B_CITY"], "no BIO"), ([""], "no BIO"),
    (["7"], "no BIO"), (["B-"], "no BIO"), (["two words"], "no BIO"),
])  # fmt: skip
def test_what_is_no_tag_is_told(tags: list[str], says: str) -> None:
    scheme = Scheme()
    for tag in tags[:-1]:
        scheme.look(tag)
    with pytest.raises(ValueError, match=says):
        scheme.look(tags[-1])


def test_tags_without_any_outside_are_hardly_entities() -> None:
    scheme = Scheme()
    for tag in ("NN", "VB", "DT"):
        scheme.look(tag)
    assert not scheme.plausible
