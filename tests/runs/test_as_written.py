"""Test rows that came as tokens are scored as people write them, too, in the record and in the report."""

import pytest

import slmfit
from slmfit.runs.as_written import respelled

SET = {"linear": {"c1": 0.1, "c2": 0.01, "reach": "near"}}


def tokens(one, two, dash="-"):
    return {"tokens": ["see", one, dash, two, "!"], "tags": ["O", "B-ROOM", "O", "B-SEAT", "O"]}


def rows(*pairs):
    return [tokens(*pair) for pair in pairs]


def plain(row):
    one, two = row["tokens"][1], row["tokens"][3]
    text = " ".join(row["tokens"])
    spans = [{"start": text.index(w), "end": text.index(w) + len(w), "label": tag} for w, tag in
             ((one, "ROOM"), (two, "SEAT"))]  # fmt: skip
    return {"text": text, "spans": spans}


TRAIN = rows(*((one, two) for one in ("red", "blue", "grey") for two in ("ant", "bee", "cow")))
TEST = rows(("pink", "ant"), ("red", "hen"), ("blue", "dog"))


def test_the_second_spelling_is_scored_and_shown(tmp_path):
    pytest.importorskip("pycrfsuite")
    data = slmfit.load_data(TRAIN, validation=TEST, test=TEST)
    assert [str(e.input) for e in respelled(data)] == ["see pink-ant!", "see red-hen!", "see blue-dog!"]
    done = slmfit.compare(data, "linear", settings=SET, out=tmp_path / "out")
    runs = {row.name: slmfit.load(tmp_path / "out" / "runs" / row.id) for row in done.record.methods}
    found = {name: run.record.details["test"] for name, run in runs.items()}
    assert found["linear"]["as_written"]["rows"] == 3
    assert found["linear"]["as_written"]["entity_f1"]["value"] == 1
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "As people write it" in page and "3 of 3 texts differ" in page


def test_tokens_are_part_of_what_the_data_are():
    """The texts and spans are the same, and what is fitted is not; texts have one spelling."""
    texts, few = ([plain(row) for row in some] for some in (TRAIN, TEST))
    came, others = (slmfit.load_data(some, validation=held, test=held) for some, held in ((TRAIN, TEST), (texts, few)))
    assert came.hashes == others.hashes and came.fingerprint != others.fingerprint
    assert respelled(others) == []
