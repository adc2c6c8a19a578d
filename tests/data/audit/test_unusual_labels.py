"""Labels that read as none, or hold what nobody sees."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data.audit.audit import audit
from slmfit.data.audit.label_twins import label_twins
from slmfit.data.audit.labels import LABEL, TYPE, label_findings
from slmfit.data.audit.odd_labels import odd_labels
from slmfit.text.looks import look


@pytest.mark.parametrize(("label", "kind"), [
    ("nan", "no_label"), ("#N/A", "no_label"), ("unsup", "no_label"), ("pos\u200b", "unseen_character"),
    ('"negative"', "label_edges"), (' "negative"', "label_edges"), (" a", "label_edges"),
    (".", "no_label"), ("\\N", "no_label"), ("\u0430ccount", "mixed_scripts"), ("new \u0391pple", "mixed_scripts"),
])  # fmt: skip
def test_an_odd_label_is_told(label, kind):
    assert [f["kind"] for f in odd_labels(Counter({label: 12, "good": 9}), "label", "row")] == [kind]


def test_usual_labels_are_not():
    usual = ["none", "neutral", "a c", "comp.os", "l'eau", "👩‍👧", "счёт C", "µm", "αβ", "Prüfung"]
    assert not list(odd_labels(Counter(usual), "label", "row"))


def test_a_large_label_that_test_lacks_is_a_warning():
    splits = {"train": Counter(a=50, b=50, unsup=80, c=10), "test": Counter(a=10, b=10)}
    assert {f["severity"] for f in label_findings(splits, LABEL) if f["kind"] == "absent_label"} == {"warning"}
    splits["train"]["unsup"] = 5
    assert {f["severity"] for f in label_findings(splits, LABEL) if f["kind"] == "absent_label"} == {"note"}


@pytest.mark.parametrize("label", ["a/b", "a / b", "a + b", "a & b", "a::b", "a:b", "a and b", "a b"])
def test_labels_that_join_others_are_told_of(label):
    assert [f["kind"] for f in odd_labels(Counter({label: 12, "a": 9, "b": 9}), "label", "row")] == ["joined_labels"]
    assert not list(odd_labels(Counter({label: 12, "a": 9}), "label", "row"))


def test_a_line_break_in_a_label_is_told_of():
    assert [f["kind"] for f in odd_labels(Counter({"a\nc": 12, "b": 9}), "label", "row")] == ["line_break"]


@pytest.mark.parametrize(("one", "other", "said"), [
    ("spam", "\u0455pam", "'spam' (U+0073), '\u0455pam' (U+0455)"), ("A", "\u0410", "'A' (U+0041), '\u0410' (U+0410)"),
    ("OK", "\u039f\u039a", "'OK' (U+004F, U+004B), '\u039f\u039a' (U+039F, U+039A)"), ("-1", "\u22121", "U+2212"),
    ("spam", "\uff53\uff50\uff41\uff4d", "U+FF53"), ("A", "\U0001d400", "U+1D400"), ("A", "\uff21", "U+FF21"),
    ("pos", "pos\u200b", "U+200B"), ("\u2764", "\u2764\ufe0f", "U+FE0F"), ("e-mail", "e\u2011mail", "U+2011"),
    ("a b", "a\u00a0b", "U+00A0"), ("neg", "\u0274eg", "U+0274"),
])  # fmt: skip
def test_labels_in_look_alike_letters_are_told_of_with_their_code_points(one, other, said):
    for kind in (LABEL, TYPE):
        found = label_findings({"train": Counter({one: 20, other: 20, "third": 20})}, kind)
        [twins] = [f for f in found if f["kind"] == "label_twins"]
        assert twins["severity"] == "warning"
        assert "only in characters that look alike" in twins["message"]
        assert said in twins["message"]
    unseen = label_findings({"train": Counter({one: 20, "third": 20}), "test": Counter({other: 9})}, LABEL)
    assert any(f"which looks like {one!r}" in f["message"] for f in unseen if f["kind"] == "unseen_label")


def test_labels_of_one_script_each_are_no_twins():
    usual = ["да", "da", "нет", "net", "μ", "m", "ok", "ОК-да", "1", "2", "日本", "本日", "👍", "👍🏽", "-1", "1"]
    assert not [group for group, how in label_twins(usual) if how == "look"]
    assert label_twins(["1", "١"]) == [(["1", "١"], "spelling")]


@given(st.text(st.characters(codec="utf-8"), max_size=8))
def test_a_look_is_its_own_look(name):
    assert look(look(name)) == look(name)


@pytest.mark.parametrize("nothing", ["NULL", "nan", "#REF!", "#N/A", "<NA>", " null "])
def test_texts_that_read_as_none_are_told_of(nothing):
    texts = [f"{word} is the word number {i}" for i, word in enumerate("amber azure beige black".split() * 5)]
    found = audit([*texts, nothing, "none of these", "?"], ["a", "b"] * 11 + ["a"], ["train"] * 23)["findings"]
    [told] = [f for f in found if f["kind"] == "no_text"]
    assert told["count"] == 1 and repr(nothing.strip()) in told["message"]
