"""Copies that are no twins: words that changed places, sentences moved, greetings, a text inside another."""

import csv
import random

import pytest

from slmfit.data.added import add_rows
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.audit.copies import copies_of
from slmfit.data.audit.near import find_duplicates
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
    assert any("share nearly all of their words with validation or test rows" in note for note in added.notes)
