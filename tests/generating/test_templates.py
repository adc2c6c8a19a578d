"""The template writer and the tickets it writes for the demo."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter
from importlib import resources

import pytest

from slmfit.errors import DataError, UsageError
from slmfit.generating import read_recipe, write_tickets
from slmfit.generating.chance import allot
from slmfit.generating.marked import Marked
from slmfit.generating.polish import tidy
from slmfit.generating.recipe import parse_recipe
from slmfit.generating.tickets import write_rows

TICKETS = "9a540168d7444e3f74d62acb015b890e9ee1df4bda08d8aa0c72c72ec75be53f"


@pytest.fixture(scope="module")
def tickets():
    return write_tickets()


def small(**changes) -> dict:
    """A recipe table with two labels, to be broken by the test."""
    table = {
        "name": "small",
        "keep": ["pet"],
        "noise": {"wrong_label": 0.0, "hasty": 0.0, "typos": 0.0, "lowercase": 0.0, "bare": 0.0},
        "forms": {"only": {"share": 1.0, "templates": ["{say} my {pet} and (your|our|) {pet}, not {other.say} {d}"]}},
        "slots": {"pet": ["cat", "dog"], "d": ["1", "2"]},
        "labels": {"greet": {"share": 0.5, "say": ["hi", "hello"]}, "part": {"share": 0.5, "say": ["bye", "ciao"]}},
    }
    return table | changes


def test_the_same_seed_writes_the_same_bytes(tickets):
    written = "\n".join(json.dumps(row) for row in tickets)
    assert hashlib.sha256(written.encode()).hexdigest() == TICKETS  # changes with the recipe, and with nothing else
    assert write_tickets(200, seed=1) != write_tickets(200, seed=2)


def test_tickets_have_the_shares_of_the_recipe(tickets):
    shares = read_recipe("tickets").shares
    counts = Counter(row["true_label"] for row in tickets)
    assert len(tickets) == 3000 and sum(shares.values()) == pytest.approx(1)
    assert counts == {label: round(3000 * share) for label, share in shares.items()}
    assert max(counts.values()) > 3 * min(counts.values())


def test_two_percent_of_the_labels_are_wrong_and_known(tickets):
    wrong = [row for row in tickets if row["label"] != row["true_label"]]
    assert len(wrong) == 60
    assert {row["label"] for row in wrong} <= set(read_recipe("tickets").shares)


def test_no_ticket_comes_twice_not_even_with_other_numbers_or_case(tickets):
    assert len({row["id"] for row in tickets}) == 3000
    assert len({re.sub(r"[\W\d_]+", " ", row["text"].lower()) for row in tickets}) == 3000


def test_every_ticket_is_text_without_holes(tickets):
    for row in tickets:
        assert 10 <= len(row["text"]) <= 700, row
        assert not re.search(r"[{}|]|  | [.,;!?]|\([^)]*$", row["text"]), row
    words = sorted(len(row["text"].split()) for row in tickets)
    assert words[150] <= 12 and words[-150] >= 40  # one line to several sentences


def test_every_form_of_wording_and_every_list_is_used(tickets):
    recipe = read_recipe("tickets")
    assert sum(form.share for form in recipe.forms.values()) == pytest.approx(1)
    assert len({(row["true_label"], row["form"]) for row in tickets}) == len(recipe.shares) * len(recipe.forms)
    source = (resources.files("slmfit.generating") / "recipes" / "tickets.toml").read_text(encoding="utf-8")
    table = tomllib.loads(source)
    for slot in {*table["slots"], *(slot for own in table["labels"].values() for slot in own)} - {"share", "about"}:
        assert re.search(rf"\{{(other\.)?{slot}\}}", source), f"no template uses {slot}"


def test_a_kept_slot_is_the_same_all_through_a_text_and_another_labels_phrase_is_its_own():
    for row in write_rows(parse_recipe(small()), 20, seed=0):
        found = re.fullmatch(r"(\w+) my (cat|dog) and (?:your |our )?\2, not (\w+) \d", row["text"])
        mine, other = ({"hi", "hello"}, {"bye", "ciao"})[:: 1 if row["label"] == "greet" else -1]
        assert found and found[1].lower() in mine and found[3] in other


def test_running_out_of_different_texts_is_said():
    with pytest.raises(UsageError, match="ran out of different texts"):
        write_rows(parse_recipe(small()), 100, seed=0)
    with pytest.raises(UsageError, match="at least 1"):
        write_tickets(0)


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"pet": ["{cat}"], "d": ["1"]}, "has no list 'cat'"),
        ({"pet": ["a {d}"], "d": ["{pet}"]}, "contains itself"),
        ({"pet": ["(a|b"], "d": ["1"]}, "do not match"),
        ({"pet": ["a)b(c"], "d": ["1"]}, "do not match"),
        ({"pet": ["a|b"], "d": ["1"]}, "do not match"),
        ({"pet": ["{Dog}"], "d": ["1"]}, "do not match"),
        ({"pet": [], "d": ["1"]}, "is empty"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(slots, message):
    with pytest.raises(DataError, match=message):
        parse_recipe(small(slots=slots))


def test_one_label_or_an_unknown_recipe_is_refused():
    with pytest.raises(DataError, match="two labels"):
        parse_recipe(small(labels={"greet": {"share": 1.0, "say": ["hi"]}}))
    with pytest.raises(UsageError, match="did you mean 'tickets'"):
        read_recipe("ticket")


def test_rounding_leaves_no_row_out():
    counts = Counter(allot(10, {"a": 0.34, "b": 0.33, "c": 0.33}))
    assert counts == {"a": 4, "b": 3, "c": 3}
    assert len(allot(3001, read_recipe("tickets").shares)) == 3001


def test_tidy_sets_spaces_and_capitals():
    text = tidy(Marked(' hello,\n  i ask  . it said: "no ." (really)  '))
    assert text == Marked('Hello,\nI ask. It said: "No." (Really)')
