"""What the audit finds in entities: types and intents by split, and edges that are white space."""

import json

from conftest import make_dataset
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.audit.entities import entity_findings
from slmfit.records import Entities, Example, Span


def tagged(split, i, intent, *spans):
    return split, Example(f"{split}{i}", f"text number {i} is here", Entities(spans, intent))


def test_types_and_intents_that_only_test_has_are_told():
    rows = [tagged("train", i, "book", Span(0, 4, "WORD"), Span(5, 11, "word")) for i in range(20)]
    rows += [tagged("test", 1, "cancel", Span(0, 4, "PLACE"), Span(5, 11, "PLACE")), tagged("test", 2, "book")]
    found = {f["kind"]: f for f in entity_findings(rows) if f["severity"] == "warning"}
    assert set(found) == {"unseen_label", "label_twins", "absent_label"}
    messages = [f["message"] for f in entity_findings(rows) if f["kind"] == "unseen_label"]
    assert messages == [
        "1 test intent never occurs in train, so no method can answer 1 row of test right: 'cancel'.",
        "1 test entity type never occurs in train, so no method can find 2 spans of test: 'PLACE'.",
    ]
    assert found["label_twins"]["fix"] == "If they mean the same, write 'word' for 'WORD' in the data."
    assert all("--merge" not in f["fix"] for f in entity_findings(rows))


def test_spans_with_white_space_at_an_edge_are_told():
    rows = [tagged("train", i, "book", Span(0, 4 + (i == 3), "X")) for i in range(20)]
    [found] = [f for f in entity_findings(rows) if f["kind"] == "edge_space"]
    assert found["message"] == "1 of 20 spans (5.0 %) has white space at an edge."
    assert found["examples"] == [{"rows": [{"id": "train3", "split": "train", "label": "X", "text": "'text '"}]}]
    json.dumps(found)


def test_a_clean_tagged_dataset_has_no_entity_findings():
    data = make_dataset("token-classification", sizes=(200, 60, 60))
    kinds = {f["kind"] for f in audit_dataset(data)["findings"]}
    assert not kinds & {"unseen_label", "absent_label", "few_rows", "label_twins", "edge_space", "imbalance"}


def test_spans_that_begin_or_end_inside_a_word_are_told():
    rows = [tagged("train", i, "book", Span(1, 2, "X")) for i in range(20)]
    [found] = [f for f in entity_findings(rows) if f["kind"] == "span_in_word"]
    assert (found["severity"], found["message"]) == ("warning", "20 of 20 spans begin or end inside a word.")
    whole = [tagged("train", i, "book", Span(0, 4, "X")) for i in range(20)]
    assert not [f for f in entity_findings(whole) if f["kind"] == "span_in_word"]
