"""Labels that read as none, or hold what nobody sees."""

from collections import Counter

import pytest

from slmfit.data.audit.labels import LABEL, label_findings
from slmfit.data.audit.odd_labels import odd_labels


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
