"""The audit says what is wrong, with the right number, and is silent where nothing is."""

import json

import pytest

from slmfit.data.audit.audit import audit
from slmfit.data.audit.findings import Rows
from slmfit.data.audit.label_twins import label_twins
from slmfit.data.audit.near import find_duplicates
from slmfit.data.audit.twins import every_twin

WORDS = "amber birch cedar delta ember fjord grove heath inlet jetty knoll ledge marsh north ocean pearl".split()


def text(k):
    """Texts that are no twins of each other."""
    return " ".join(f"{word}{k}" for word in WORDS[:12])


def found(texts, labels, splits=None, **more):
    result = audit(texts, labels, splits or ["train"] * len(texts), **more)
    assert json.loads(json.dumps(result)) == result
    for one in result["findings"]:
        assert (
            one["severity"] in {"warning", "note"} and one["message"].endswith(".") and one["fix"].endswith(tuple(".'"))
        )
        assert len(one["examples"]) <= 10 and one["count"] >= 1
    return {one["kind"]: one for one in result["findings"]}


def clean(n=60):
    return [text(k) for k in range(n)], ["a", "b"] * (n // 2), ["train"] * (n // 2) + ["test"] * (n - n // 2)


def test_clean_data_have_no_findings():
    assert found(*clean()) == {}
    assert found([], []) == {}


def test_planted_leaks_are_counted_by_kind_with_their_labels():
    texts, labels, splits = clean(80)
    texts[40], texts[41] = texts[0], texts[1]  # identical
    texts[42] = f"  {texts[2].upper()}!"  # but for case, spaces and punctuation
    texts[43] = texts[3].replace("cedar3", "changed")  # one word in twelve
    labels[41] = "a"  # its twin says b
    leak = found(texts, labels, splits)["leak"]
    assert leak["count"] == 4 and leak["severity"] == "warning"
    assert leak["message"] == (
        "4 of 40 test rows (10.0 %) have a twin in train: 2 identical, 1 the same but for case, spaces, "
        "punctuation and markup, 1 with at most one word in ten changed; of all these, 1 has a twin with another label."
    )
    assert [[row["id"] for row in e["rows"]] for e in leak["examples"]] == [
        ["0", "40"],
        ["1", "41"],
        ["2", "42"],
        ["3", "43"],
    ]
    assert [e["match"] for e in leak["examples"]] == ["exact", "exact", "variant", "near"]


def test_a_leak_through_validation_is_told_apart():
    texts, labels, _ = clean(90)
    splits = ["train"] * 30 + ["validation"] * 30 + ["test"] * 30
    texts[60], texts[30] = texts[31], texts[0]
    result = audit(texts, labels, splits)
    messages = [f["message"] for f in result["findings"] if f["kind"] == "leak"]
    assert [m.split(":")[0] for m in messages] == [
        "1 of 30 test rows (3.3 %) has a twin in validation",
        "1 of 30 validation rows (3.3 %) has a twin in train",
    ]


def test_repeats_inside_a_split_count_later_rows_only():
    texts, labels, _ = clean()
    texts[10] = texts[20] = texts[0]
    repeat = found(texts, labels)["duplicate"]
    assert (repeat["count"], repeat["severity"]) == (2, "note")
    assert audit(texts, labels, ["train"] * 60)["duplicates"] == {
        "exact": 2, "variant": 0, "near": 0, "groups": 1, "complete": True,
    }  # fmt: skip


def test_contradictions():
    texts, labels, _ = clean()
    texts[1], texts[5] = texts[0], texts[4].replace("delta4", "changed")
    labels[:6] = ["a", "b", "a", "b", "a", "b"]
    kinds = found(texts, labels)
    assert kinds["contradiction"]["count"] == 1 and "on 2 rows in all" in kinds["contradiction"]["message"]
    assert kinds["near_contradiction"]["count"] == 1
    assert {row["label"] for row in kinds["contradiction"]["examples"][0]["rows"]} == {"a", "b"}
    assert "near_contradiction" not in found(texts, labels, classes=False)  # spans move with every word


def test_rows_without_a_label_contradict_nothing():
    assert set(found([text(0), text(0)], [None, "a"])) >= {"duplicate"}
    assert "contradiction" not in found([text(0), text(0)], [None, "a"])


SAME = [
    ("Cancel ", "cancel"), ("sci-fi", "Sci Fi"), ("ＡＢＣ", "abc"), ("café", "cafe\u0301"), ("1", "1.0"),
    ("yes", "yes!"), ("sport", "sports"), ("billing", "biling"), ("receive", "recieve"), 
    ("order_status", "order status"), ("order status", "order statsu"),
]  # fmt: skip
NOT_SAME = [
    ("1", "2"), ("positive", "negative"), ("comp.sys.ibm", "comp.sys.mac"), ("-1", "1"), ("1.2", "12"), ("10", "1_0"),
    ("C", "C++"), (":)", ":("), ("class A", "class B"), ("teamA", "teamB"), ("typical", "atypical"),
    ("level1", "level2"), ("car", "cat"), ("B-person", "I-person"), ("male", "female"), ("sci.med", "sci.space"),
    ("cause", "pause"),
]  # fmt: skip


@pytest.mark.parametrize("labels", SAME)
def test_labels_that_are_one(labels):
    assert [sorted(group) for group, _ in label_twins(labels)] == [sorted(labels)]


@pytest.mark.parametrize("labels", NOT_SAME)
def test_labels_that_are_two(labels):
    assert label_twins(labels) == []


def test_label_twins_show_the_spelling_and_the_merge():
    texts, _, _ = clean()
    twin = found(texts, ["Cancel "] * 20 + ["cancel"] * 40)["label_twins"]
    assert twin["severity"] == "warning" and "'Cancel ', 'cancel'" in twin["message"]
    assert twin["fix"].endswith("--merge 'Cancel =cancel'")
    assert twin["examples"] == [{"labels": [{"label": "Cancel ", "rows": 20}, {"label": "cancel", "rows": 40}]}]


def test_labels_missing_or_rare_in_a_split():
    texts, _, splits = clean()
    labels = ["a"] * 21 + ["b"] * 9 + ["a"] * 27 + ["new"] * 3
    kinds = found(texts, labels, splits)
    assert kinds["unseen_label"]["severity"] == "warning"
    assert "3 rows of test right: 'new'" in kinds["unseen_label"]["message"]
    assert kinds["absent_label"]["message"].startswith("1 train label never occurs in test")
    rare = [f for f in audit(texts, labels, splits)["findings"] if f["kind"] == "few_rows"]
    assert [(f["severity"], f["examples"]) for f in rare] == [
        ("warning", [{"label": "b", "rows": 9}]), ("note", [{"label": "new", "rows": 3}]),
    ]  # fmt: skip


def test_imbalance():
    texts = [text(k) for k in range(420)]
    assert found(texts, ["a"] * 400 + ["b"] * 20)["imbalance"]["count"] == 20
    assert "imbalance" not in found(texts, ["a"] * 390 + ["b"] * 30)


def test_a_label_column_that_is_none():
    texts, _, _ = clean()
    assert set(found(texts, [f"id-{k}" for k in range(60)])) == {"label_is_id"}
    assert set(found(texts, texts)) == {"label_is_text"}
    assert found(texts, [str(k) for k in range(60)], classes=False) == {}


def test_odd_texts():
    texts, labels, _ = clean()
    texts[3], texts[4], texts[5] = "", " \n\t", "x" * 6_000
    kinds = found(texts, labels)
    assert kinds["empty_text"]["message"] == "2 of 60 texts (3.3 %) are empty."
    assert kinds["long_text"]["count"] == 1 and "the longest has 6,000, the median" in kinds["long_text"]["message"]
    assert found(["x" * 150_000 + str(k) for k in range(60)], labels)["long_text"]["count"] == 60
    assert found(["same"] * 60, labels)["constant_text"]["count"] == 60


def test_texts_stay_out_of_messages_and_excerpts_are_short_and_harmless():
    texts, labels, splits = clean()
    texts[0] = texts[40] = "SECRET \x1b[31m" + "\u202e" + "word " * 100
    labels[0], labels[40] = "a", "b"
    result = audit(texts, labels, splits)
    assert not any("SECRET" in f["message"] + f["fix"] for f in result["findings"])
    shown = [row["text"] for f in result["findings"] for e in f["examples"] for row in e["rows"]]
    assert shown and all(len(t) <= 80 and t.isprintable() for t in shown)


def test_counts_are_of_all_while_examples_are_ten():
    texts, labels, splits = clean(100)
    texts[50:] = texts[:50]
    leak = found(texts, labels, splits)["leak"]
    assert leak["count"] == 50 and len(leak["examples"]) == 10


def test_texts_without_a_word_are_found():
    texts = ["...", "。", "😀", "+", "good", "好", ""]
    found = audit(texts, ["a", "b", "a", "b", "a", "b", "a"], ["train"] * 7)["findings"]
    (no_word,) = [f for f in found if f["kind"] == "no_word"]
    assert [row["text"] for example in no_word["examples"] for row in example["rows"]] == ["。"]


def test_numbers_in_place_of_texts_are_told_of():
    texts = [str(10_000 + i) for i in range(30)]
    kinds = [f["kind"] for f in audit(texts, ["a", "b"] * 15, ["train"] * 30)["findings"]]
    assert "text_is_number" in kinds
    kinds = [f["kind"] for f in audit([f"case {text}" for text in texts], ["a", "b"] * 15, ["train"] * 30)["findings"]]
    assert "text_is_number" not in kinds


def test_long_numbers_are_no_twins():
    assert not label_twins(["12345678901234567", "12345678901234568", "-1", "1", "0", "10", "100", "0.1"])
    twins = ["0.1", "0.10", "00.1", "+0.1"], ["-2", "-2.0"], ["0", "0.0", "00"], ["0012", "12"]
    for group in twins:
        assert [(sorted(found), kind) for found, kind in label_twins(group)] == [(sorted(group), "spelling")]


def test_every_twin_is_listed_by_id():
    """Forty train rows with a twin in test, of which a finding shows ten: here all rows to remove are named."""
    texts = [f"row number {k} is about a{k} b{k} c{k}" for k in range(60)]
    rows = Rows(
        [f"r{k}" for k in range(60)] + [f"t{k}" for k in range(40)] + ["t40"],
        texts + [text.upper() for text in texts[:40]] + [texts[0].upper()],
        ["a"] * 101,
        ["train"] * 60 + ["test"] * 41,
    )
    found = list(every_twin(rows, find_duplicates(rows.texts)))
    removed = [one["id"] for one in found if (one["split"], one["twin_split"]) == ("train", "test")]
    assert removed == [f"r{k}" for k in range(40)]
    assert {"id": "t40", "split": "test", "twin": "t0", "twin_split": "test", "kind": "exact"} in found
    assert {"id": "t40", "split": "test", "twin": "r0", "twin_split": "train", "kind": "variant"} in found
    assert len(found) == 40 + 41 + 1 and all("text" not in one for one in found)
