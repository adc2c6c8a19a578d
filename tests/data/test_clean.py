"""Text recipes: scikit-learn's for posts, and the entities that AG News lost the ampersands of."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import _twenty_newsgroups as theirs

from patience import of_work
from slmfit.data.clean import clean, without_footer, without_html, without_quotes
from slmfit.data.recipe import STRIPS, TextRecipe

POST = """From: kim@example.org (Kim)
Subject: Re: frames
Lines: 7

In article <1@example.org> Lee writes:
> steel or carbon?
Steel, it bends.

Lee said: no.
--
Kim, Oslo
"""
LINE = st.sampled_from(["", " ", "-", "--", " -- ", "> a", "| b", "In article <1>", "x wrote: y", "said:", "a b"])
LINES = st.lists(LINE | st.text(max_size=8)).map("\n".join)


def sklearn_clean(text: str) -> str:
    return theirs.strip_newsgroup_quoting(theirs.strip_newsgroup_footer(theirs.strip_newsgroup_header(text)))


def test_a_post_keeps_only_what_its_writer_wrote() -> None:
    assert clean(POST, ("headers", "footers", "quotes")) == "Steel, it bends.\n"
    assert clean(POST, ("quotes",)).startswith("From: kim")


@given(LINES)
def test_footers_and_quotes_are_scikit_learns(text: str) -> None:
    assert without_footer(text) == theirs.strip_newsgroup_footer(text)
    assert without_quotes(text) == theirs.strip_newsgroup_quoting(text)


@given(LINES)
def test_headers_are_scikit_learns_where_there_are_some(text: str) -> None:
    post = f"Subject: x\n{text}"
    if "\n\n" in post and "\r\n" not in post:
        assert clean(post, ("headers", "footers", "quotes")) == sklearn_clean(post)


def test_a_text_that_is_no_post_keeps_its_first_paragraph() -> None:
    assert clean("my card was charged twice", ("headers",)) == "my card was charged twice"
    assert clean("First of all:\n\nit broke", ("headers",)) == "First of all:\n\nit broke"


def test_a_mail_with_windows_line_ends_loses_its_headers_only() -> None:
    assert clean("Subject: x\r\n\r\nHello\r\nthere", ("headers",)) == "Hello\nthere"
    assert clean("Hello\r\nthere", ("html",)) == "Hello\nthere"
    assert clean("Subject: x\r\nb\n\nHello\r\nthere", ("headers",)) == "Hello\r\nthere"  # as scikit-learn


@pytest.mark.parametrize(("text", "plain"), [
    ("China #39;s AT amp;T", "China's AT&T"),
    ("China&#39;s AT&amp;T", "China's AT&T"),
    ("story headlined  quot;Up quot;", 'story headlined "Up"'),
    ("quot;Up quot;", '"Up"'),
    ("fell by  #36;1.17 billion #151; net", "fell by $1.17 billion— net"),
    ("in &lt;b&gt;...&lt;/b&gt; Beijing", "in  ...  Beijing"),
    ('&lt;A HREF="http://x/?a=1"&gt;NT.TO&lt;/A&gt;, one', " NT.TO , one"),
    ("a<br/>b<!-- c -->d", "a b d"),
    ("1 < 2 and 3 > 2; x<y", "1 < 2 and 3 > 2; x<y"),
    ("Chip Sales Rise; #1; C#39; example; lamp;", "Chip Sales Rise; #1; C#39; example; lamp;"),
    ("<3 you & me", "<3 you & me"),
    ("a List<int> of Map<K, V>; vec<T>()", "a List<int> of Map<K, V>; vec<T>()"),
    ("<john@x.org> <https://x.org> <name> <PAD>", "<john@x.org> <https://x.org> <name> <PAD>"),
    ("a < b > c, a <b and c> d, <i think so>, <a>", "a < b > c, a <b and c> d, <i think so>,  "),
    ("<P CLASS=x>a</P><input disabled checked/><o:p></o:p>b</div >", " a    b "),
    ("<row id='1'>a</row> <w:p w:rsid=\"2\">b</w:p>", "<row id='1'>a</row> <w:p w:rsid=\"2\">b</w:p>"),
    ("x<style>.a{color:red}</style>y<SCRIPT src='x'>if (a<b) f('<p>')</Script >z", "x y z"),
    ("a<script>b", "a b"),
    ("<!-- <b>gone</b> --> a --> b <!-- c --><!DOCTYPE html>d", "  a --> b   d"),
])  # fmt: skip
def test_html(text: str, plain: str) -> None:
    assert without_html(text) == plain


def test_nothing_is_done_unasked() -> None:
    assert TextRecipe()(POST + "&amp;\r\n") == POST + "&amp;\r\n"


def test_hostile_texts_take_no_longer_than_others() -> None:
    for piece in (
        "<!--",
        "<a ",
        "<",
        "&",
        " amp",
        "#39",
        "\n",
        "-",
        ">\n",
        " ",
        "a:",
        "From",
        "<a " + "b" * 50,
        "<script>",
        "<style>a",
        "<!-- <",
        "<a b=",
        '<a b="',
        "<a disabled ",
        "</a ",
        "<a  ",
    ):
        with of_work(4):  # a quarter of a second, where nothing takes the square of it
            clean(piece * (1_000_000 // len(piece)), STRIPS)


@pytest.mark.real_data
@pytest.mark.skipif("SLMFIT_DATA" not in os.environ, reason="SLMFIT_DATA names no folder of real data")
def test_every_post_of_20_newsgroups_is_cleaned_as_by_scikit_learn() -> None:
    csv.field_size_limit(max(csv.field_size_limit(), 1_000_000))
    path = Path(os.environ["SLMFIT_DATA"]) / "newsgroups20" / "test.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        texts = [row["text"] for row in csv.DictReader(handle)]
    assert len(texts) == 7532
    assert [clean(t, ("headers", "footers", "quotes")) for t in texts] == [sklearn_clean(t) for t in texts]
