"""The recipe emails, its three forms, and the third seed project's own files."""

import json
import os
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.readers.rows import read_rows
from slmfit.errors import Where
from slmfit.generating import generate
from slmfit.generating.checks import well_placed
from slmfit.generating.output import FORMS, spans_of, tokens_row, words_form
from slmfit.records import Entities, Example
from slmfit.tasks.tagging import TokenClassification
from slmfit.tasks.words import words_from_spans

DATA = os.environ.get("SLMFIT_DATA")
N = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return generate("emails", n=N, seed=1, output=tmp_path_factory.mktemp("made") / "emails.jsonl")


@pytest.fixture(scope="module")
def rows(made):
    return [json.loads(line) for line in made.path.read_text(encoding="utf-8").splitlines()]


def test_entities_stand_where_they_are_said_to(rows):
    """A reader of its own: it shares no code with what wrote them."""
    assert len(rows) == N
    for row in rows:
        text, last = row["text"], 0
        for span in row["spans"]:
            words = text[span["start"] : span["end"]]
            assert last <= span["start"] < span["end"] <= len(text), row
            assert words.strip(" ,;:!?\n") == words and words, row
            for left, right in ((span["start"] - 1, span["start"]), (span["end"] - 1, span["end"])):
                inside = left >= 0 and right < len(text)
                assert not (inside and text[left].isalnum() and text[right].isalnum()), row
            assert ("@" in words) == (span["label"] == "EMAIL"), row
            assert span["label"] != "TIME" or any(c.isdigit() for c in words) or len(words) > 3, row
            last = span["end"]
        assert not any(c in text for c in "[]{}|")


def test_quotas_are_met_and_told(made, rows):
    labels = Counter(row["intent"] for row in rows)
    types = Counter(name for row in rows for name in {span["label"] for span in row["spans"]})
    asked = {name: quota["asked"] for kind in made.about["quotas"].values() for name, quota in kind.items()}
    assert asked == {"inquiry": 150, "cancel": 150, "DATE": 240, "TIME": 210, "NAME": 180, "EMAIL": 150}
    for name, count in (labels + types).items():
        assert abs(count - asked[name]) <= 0.1 * asked[name]
        kind = "labels" if name in labels else "entities"
        assert made.about["quotas"][kind][name]["rows"] == count
    assert {row["form"] for row in rows} == {"plain", "chatty", "terse", "tricky"}
    assert made.about["rows"] / made.about["tried"] > 0.7


def test_no_two_are_near_each_other(rows):
    """By counting words: two texts at most one edit in ten apart share all but so many of them."""
    words = [Counter(row["text"].lower().split()) for row in rows[:150]]
    for one, two in combinations(words, 2):
        longer = max(one.total(), two.total())
        assert longer < 10 or max((one - two).total(), (two - one).total()) > longer // 10


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    again = generate("emails", n=N, seed=1, output=tmp_path / "e.jsonl")
    assert again.path.read_bytes() == made.path.read_bytes()
    assert again.about["recipe"] == made.about["recipe"] and again.about["rejected"] == made.about["rejected"]
    assert generate("emails", n=N, seed=2, output=tmp_path / "f.jsonl").path.read_bytes() != made.path.read_bytes()


def test_every_form_is_read_back_as_the_same_examples(tmp_path):
    read = {}
    for form, ending in FORMS.items():
        made = generate("emails", n=40, output=tmp_path / f"{form}{ending}", form=form)
        data = load_data(made.path)
        assert data.task.name == "token-classification"
        assert data.task.labels == ("DATE", "EMAIL", "NAME", "TIME") and data.task.intents == ("cancel", "inquiry")
        read[form] = {(e.input, e.target) for split in data.splits.values() for e in split}
    assert read["spans"] == read["tokens"] == read["words"] and len(read["spans"]) == 40


def test_the_words_form_says_who_wrote_it(tmp_path):
    made = generate("emails", n=5, output=tmp_path / "w.json", form="words")
    whole = json.loads(made.path.read_text())
    assert list(whole) == ["system_prompt", "model", "about", "dataset"] and whole["model"] == "templates"
    assert whole["about"]["seed"] == 0 and whole["about"]["recipe"]["name"] == "emails" and "made" not in whole["about"]
    assert set(whole["dataset"][0]) == {"text", "labels", "intent"}
    about = json.loads(Path(f"{made.path}.about.json").read_text())
    assert about["made"]["slmfit"] and about["made"]["created"] and about["usage"] is None


PIECES = ["👩‍🚀", "e\u0301", "שָׁלוֹם", "東京", "\t", "\n", "\xa0", " ", " ", "a", "ab", "1", "10", ".", "-", ","]


@st.composite
def examples(draw):
    """A text of odd pieces with spans anywhere in it, and an intent or none."""
    text = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [
        {"start": a, "end": b, "label": draw(st.sampled_from(["DATE", "NAME"]))}
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]
    return {"text": text, "spans": spans, "intent": draw(st.sampled_from(["cancel", "inquiry"]))}


def told_by_words(row):
    try:
        words_from_spans(row["text"], spans_of(row))
    except ValueError:
        return False
    return bool(row["text"].strip())


@settings(deadline=None)
@given(st.lists(examples().filter(told_by_words), min_size=1, max_size=3))
def test_what_is_written_in_words_is_read_as_it_was(tmp_path_factory, rows):
    about = {"system_prompt": None, "model": None, "writer": "templates"}
    path = tmp_path_factory.mktemp("words") / "w.json"
    path.write_text(json.dumps(words_form(rows, about), indent=1), encoding="utf-8")
    for row, (where, cells) in zip(rows, read_rows(path, []), strict=True):
        assert TokenClassification().parse(cells, where, "1") == Example(
            "1", row["text"], Entities(tuple(spans_of(row)), row["intent"])
        )


@given(examples().filter(lambda row: all(well_placed(row["text"], s.start, s.end) for s in spans_of(row))))
def test_tokens_begin_and_end_with_the_entities(row):
    made = tokens_row(row)
    position = 0
    for token in made["tokens"]:
        position = row["text"].index(token, position) + len(token)
    example = TokenClassification().parse(made, Where("made"), "1")
    assert example.input == row["text"] and list(example.target.spans) == spans_of(row)


# --- the third seed project's own files ---

SEEDS = {"2dae": (200, 14, 0), "e00a": (50, 6, 5), "01a5": (10, 2, 0), "9711": (10, 2, 0), "e4e1": (10, 0, 0)}


@pytest.mark.real_data
@pytest.mark.skipif(DATA is None, reason="SLMFIT_DATA is not set")
@pytest.mark.parametrize("name", SEEDS)
def test_the_seed_files_load_and_what_was_decided_is_listed(name):
    rows, ambiguous, stray = SEEDS[name]
    data = load_data(Path(str(DATA)) / "email_seed" / f"dataset_{name}.json")
    assert sum(map(len, data.splits.values())) == rows and data.task.intents == ("cancel", "inquiry")
    said = " ".join(data.notes)
    assert (
        said.count("in reading order: ") == bool(ambiguous)
        and said.count("line ", said.find("in reading order: ")) >= ambiguous
    )
    assert (f"{ambiguous} words that occur more than once" in said) == (ambiguous > 1)
    assert (f"{stray} words listed as O" in said) == (stray > 1) and "no place" not in said
    assert not any(span.label == "O" for split in data.splits.values() for e in split for span in e.target.spans)
