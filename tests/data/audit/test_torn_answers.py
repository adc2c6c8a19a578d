"""Rows of one document on both sides of the split, where answers are entities or options: the column is named."""

import random

import pytest

from slmfit.data.audit.audit import audit_dataset
from slmfit.data.load import load_data

WORDS = [a + b for a in "ba de fi go ku la me ni po ra su te".split() for b in "ck ll mp nd rn st".split()]
NAMES = [a + b + c for a in ("Ta", "Ke", "Mu", "So") for b in "lemi roku napa".split() for c in "no sa ti ra".split()]


def entities(rng, own, documents=30, each=6, intent=False):
    """own: every document has a name of its own, of one type; else any name may stand in any."""
    rows = []
    for document in range(documents):
        for _ in range(each):
            name = document if own else rng.randrange(documents)
            words = [*rng.sample(WORDS, 6), NAMES[name]]
            rng.shuffle(words)
            text = " ".join(words)
            start = text.index(NAMES[name])
            spans = [[start, start + len(NAMES[name]), "PLACE" if name % 2 else "FIRM"]]
            more = {"intent": rng.choice(["ask", "tell"])} if intent else {}
            rows.append({"text": text, "spans": spans, "doc_id": f"d{document}"} | more)
    rng.shuffle(rows)
    return rows


def questions(rng, own, articles=30, each=6):
    """own: the same of four names is right throughout an article; else any of them."""
    rows = []
    for article in range(articles):
        names = [f"{NAMES[article]} {k}" for k in range(4)]
        for _ in range(each):
            options = rng.sample(names, 4)
            answer = options.index(names[0]) if own else rng.randrange(4)
            rows.append({
                "question": " ".join(rng.sample(WORDS, 6)), "options": options, "answer": "ABCD"[answer],
                "article_id": article,
            })  # fmt: skip
    rng.shuffle(rows)
    return rows


def found(rows, **how):
    return [one for one in audit_dataset(load_data(rows, **how))["findings"] if one["kind"] == "group"]


@pytest.mark.parametrize("intent", [False, True])
def test_a_documents_entities_on_both_sides(intent):
    rows = entities(random.Random(0), own=True, intent=intent)
    [one] = found(rows)
    assert one["severity"] == "warning" and "'doc_id'" in one["message"] and "--group doc_id" in one["fix"]
    assert "knows 100.0 % of" in one["message"] and "and 0.0 % where" in one["message"] and one["examples"]
    assert found(rows, group="doc_id") == []


def test_an_articles_right_option_on_both_sides():
    rows = questions(random.Random(0), own=True)
    [one] = found(rows)
    assert "'article_id' share their right options" in one["message"] and "--group article_id" in one["fix"]
    assert found(rows, group="article_id") == []


def test_columns_that_give_no_answer_away_are_not_warned_of():
    assert found(entities(random.Random(0), own=False)) == []
    assert found(questions(random.Random(0), own=False)) == []
