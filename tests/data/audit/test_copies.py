"""Copies that are no twins: words that changed places, sentences moved, greetings, a text inside another."""

import csv
import random

import numpy as np
import pytest

from slmfit.data.added import add_rows
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.audit.copies import copies_of
from slmfit.data.audit.near import find_duplicates
from slmfit.data.audit.overlaps import Runs
from slmfit.data.load import load_data
from slmfit.generating import write_tickets

WORDS = [a + b for a in "ba de fi go ku la me ni po ra su te vi wo ze".split() for b in "ck ll mp nd rn st x".split()]


def texts(seed, count=60, words=12):
    rng = random.Random(seed)
    return [" ".join(rng.sample(WORDS, words)) for _ in range(count)]


def swapped(text, rng):
    words = text.split()
    for _ in range(2):
        i, j = rng.sample(range(len(words)), 2)
        words[i], words[j] = words[j], words[i]
    return " ".join(words)


REMADE = {
    "swapped": swapped,
    "swapped, and one dropped": lambda text, rng: " ".join(swapped(text, rng).split()[1:]),
    "moved": lambda text, rng: " ".join([*text.split()[5:], *text.split()[:5]]),
    "signed": lambda text, rng: f"Dear team, {text}. Kind regards, {rng.choice(['A', 'B', 'C'])}.",
    "sent on": lambda text, rng: f"RT @user{rng.randrange(999)}: {text} https://t.co/{rng.randrange(9999)}",
    "continued": lambda text, rng: f"{text} {' '.join(rng.sample(WORDS, 12))}",
}


def copies(known, asked):
    return copies_of(find_duplicates([*known, *asked]).words, len(known)).tolist()


@pytest.mark.parametrize("how", REMADE)
def test_a_copy_is_known_from_either_side(how):
    rng, known = random.Random(0), texts(0)
    remade = [REMADE[how](text, rng) for text in known]
    assert copies([*texts(1), *known], remade) == list(range(60, 120))
    assert copies(remade, known) == list(range(60))
    assert copies(known, texts(1)) == copies([], known) == [-1] * 60


@pytest.mark.parametrize("how", REMADE)
def test_many_on_both_sides_are_warned_of(how):
    rng = random.Random(0)
    rows = [{"text": text, "label": "ab"[k % 2]} for k, text in enumerate(texts(0))]
    rows += [row | {"text": REMADE[how](row["text"], rng)} for row in rows for _ in range(2)]
    rng.shuffle(rows)
    found = {one["kind"]: one for one in audit_dataset(load_data(rows))["findings"]}
    assert found["copies"]["severity"] == "warning" and "--group" in found["copies"]["fix"]
    assert len(found["copies"]["examples"][0]["rows"]) == 2


def test_templated_short_texts_are_no_copies():
    rng = random.Random(0)
    towns = [word.title() for word in WORDS[:40]]
    rows = [
        {"text": f"show me flights from {rng.choice(towns)} to {rng.choice(towns)}", "label": "ab"[k % 2]}
        for k in range(600)
    ]
    for data in (rows, write_tickets(600, 0)):
        assert "copies" not in {
            one["kind"] for one in audit_dataset(load_data([dict(row) for row in data]))["findings"]
        }


def test_copies_of_held_rows_are_not_added(tmp_path):
    rows = [{"text": text, "label": "ab"[k % 2]} for k, text in enumerate(texts(0, 100))]
    data, rng = load_data(rows), random.Random(0)
    with (tmp_path / "more.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([swapped(row["text"], rng), row["label"]] for row in rows)
    added = add_rows(data, tmp_path / "more.csv")
    assert (added.record["rows"], added.record["left_out"]) == (60, 40)
    assert any(
        "share nearly all of their words with validation or test rows, or overlap them" in note for note in added.notes
    )


# --- cut from one text ------------------------------------------------------------------------------------------------


def windows(shared, rng, length=30, count=6):
    """Parts of a text as they slide over it: so much of each is in the next."""
    step = max(1, round(length * (1 - shared)))
    text = [rng.choice(WORDS) for _ in range(length + step * (count - 1))]
    return [" ".join(text[k * step : k * step + length]) for k in range(count)]


def turns(_, rng, count=5):
    """A conversation so far, at each turn."""
    said = [f"user: {' '.join(rng.choice(WORDS) for _ in range(rng.randint(7, 12)))}" for _ in range(count)]
    return ["\n".join(said[: k + 1]) for k in range(count)]


@pytest.mark.parametrize(
    ("cut", "shared"), [(windows, 0.3), (windows, 0.5), (windows, 0.7), (windows, 0.85), (turns, 0)]
)
def test_parts_of_one_text_are_warned_of(cut, shared, tmp_path):
    rng = random.Random(0)
    rows = [{"text": part, "label": "ab"[k % 2]} for k in range(40) for part in cut(shared, rng)]
    known, asked = [row["text"] for row in rows[::2]], [row["text"] for row in rows[1::2]]
    assert sum(place >= 0 for place in copies(known, asked)) >= 0.95 * len(asked)
    rng.shuffle(rows)
    data = load_data(rows)
    found = next(one for one in audit_dataset(data)["findings"] if one["kind"] == "copies")
    assert found["count"] >= 0.6 * len(data.test)
    assert "both cut from one" in found["message"] and "--group" in found["fix"]
    path = tmp_path / "more.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows({"text": row.input + " " + " ".join(rng.sample(WORDS, 30)), "label": "a"} for row in data.test)
        writer.writerows({"text": " ".join(rng.sample(WORDS, 30)), "label": "a"} for _ in range(5))
    assert add_rows(data, path).record["rows"] == 5


def test_sentences_that_many_texts_have_do_not_make_them_parts_of_one():
    rng = random.Random(0)
    said = texts(3, 12, 9)  # canned answers, of which each text is made
    rows = [{"text": ". ".join(rng.sample(said, 3)), "label": "ab"[k % 2]} for k in range(400)]
    known, asked = [row["text"] for row in rows[::2]], [row["text"] for row in rows[1::2]]
    words = find_duplicates([*known, *asked]).words
    every = np.arange(400)
    assert (Runs(words).overlapping(every[:200], every[200:]) >= 0).sum() == 0


def test_where_not_all_texts_are_compared_the_finding_says_so(monkeypatch):
    rng = random.Random(0)
    rows = [{"text": text, "label": "ab"[k % 2]} for k, text in enumerate(texts(0, 120))]
    rows += [row | {"text": swapped(row["text"], rng)} for row in rows for _ in range(2)]
    rng.shuffle(rows)
    whole, *_ = [one for one in audit_dataset(load_data(rows))["findings"] if one["kind"] == "copies"]
    assert "There may be more" not in whole["message"]
    monkeypatch.setattr("slmfit.data.audit.copies._MEETINGS", 3_000)
    part, *_ = [one for one in audit_dataset(load_data(rows))["findings"] if one["kind"] == "copies"]
    assert part["count"] < whole["count"] and "There may be more: of so many texts only about" in part["message"]
