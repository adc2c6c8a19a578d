"""A recipe of one's own: what it may say, and what is refused with the place and the remedy."""

import copy
import json
import sys
import tomllib

import pytest

from slmfit import __main__ as cli
from slmfit.errors import DataError, UsageError
from slmfit.generating import generate, read_recipe
from slmfit.generating.recipe import parse_recipe

VISITS = """
name = "visits"
task = "token-classification"
count = 12
length = { least = 5, most = 90 }

[entities.CITY]
share = 0.75
[entities.DAY]
share = 0.5

[intents.book]
share = 0.5
say = ["Book", "Please book", "I want", "Reserve", "Get me"]
[intents.drop]
share = 0.5
say = ["Cancel", "Please cancel", "Drop", "Forget", "No more"]

[forms.only]
templates = ["{say} {what} {number} (to [CITY|{city}]|) (on [DAY|{day}]|)."]

[slots]
what = ["trip", "flight", "ticket", "seat", "tour"]
number = ["one", "two", "three", "four", "five", "six", "seven"]
city = ["Rome", "Oslo", "Lima", "New York"]
day = ["Monday", "Friday", "Sunday"]
"""


def table(**changes):
    """The recipe above, with some of its keys changed: `intents__book__share=0` goes deep; None takes one out."""
    changed = copy.deepcopy(tomllib.loads(VISITS))
    for path, value in changes.items():
        *folders, key = path.split("__")
        place = changed
        for folder in folders:
            place = place.setdefault(folder, {})
        if value is None:
            place.pop(key)
        else:
            place[key] = value
    return changed


def test_a_recipe_of_ones_own_is_a_file(tmp_path):
    path = tmp_path / "visits.toml"
    path.write_text(VISITS)
    made = generate(str(path), output=tmp_path / "v.jsonl")
    assert made.about["rows"] == 12 and made.about["recipe"]["source"] == VISITS
    quotas = made.about["quotas"]
    assert quotas["labels"] == {"book": {"asked": 6, "rows": 6}, "drop": {"asked": 6, "rows": 6}}
    assert quotas["entities"]["CITY"]["asked"] == 9 and 8 <= quotas["entities"]["CITY"]["rows"] <= 10


def test_entities_need_no_intents(tmp_path):
    plain = table(intents=None, forms__only__templates=["{what} {number} (to [CITY|{city}]|) (on [DAY|{day}]|)."])
    made = generate(parse_recipe(plain), output=tmp_path / "v.jsonl")
    rows = made.path.read_text()
    assert made.about["rows"] == 12 and '"intent"' not in rows and made.about["quotas"]["labels"] == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": None}, "'name' is missing"),
        ({"name": "a/b"}, "files are named after it"),
        ({"name": ".."}, "files are named after it"),
        ({"task": "token-clasification"}, "did you mean 'token-classification'"),
        ({"task": "multiple-choice"}, "choose one of: "),
        ({"counts": 3}, "did you mean 'count'"),
        ({"count": 0}, "at least 1"),
        ({"count": "many"}, "write a whole number"),
        ({"length": {"least": 9, "most": 2}}, "least = 10"),
        ({"keep": "city"}, "write a list of texts"),
        ({"entities__CITY__share": 1.2}, "at most 1"),
        ({"entities__CITY__share": None}, "'share' is missing"),
        ({"entities__CITY__colour": "red"}, "is no key of a recipe"),
        ({"entities__A B": {"share": 0.1}}, "cannot name an entity"),
        ({"entities": None}, "there are no entities"),
        (
            {"task": "text-classification", "labels": {"a": {"share": 1.0}, "b": {"share": 1.0}}},
            "labels have no entities",
        ),
        ({"noise__wrong_label": 0.1}, "only labels"),
        ({"intents__drop": None}, "two intents at least"),
        ({"intents__book__share": 0}, "above 0"),
        ({"intents__book__share": float("nan")}, "above 0"),
        ({"intents__book__say": "Book"}, "write a list of texts"),
        ({"intents__book__say": ["Book", 3]}, "write a list of texts"),
        ({"forms__only__templates": ["[TOWN|{city}]"]}, r"\[entities.TOWN\]"),
        ({"forms__only__templates": ["[CITI|{city}]"]}, "did you mean 'CITY'"),
        ({"forms__only__templates": ["[CITY|to [CITY|Rome]]"]}, "within an entity"),
        ({"slots__city": ["[DAY|Rome]"]}, "within an entity"),
        ({"slots__city": ["(a|" * 51 + "b" + ")" * 51]}, "nest too deeply"),
        ({"forms__only__templates": ["[CITY|Rome|Oslo]"]}, "do not match"),
        ({"forms__only__templates": ["[CITY|Rome"]}, "do not match"),
        ({"forms__only__templates": ["{other.hats}"]}, "no list 'hats'"),
        ({"noise__typos": 2}, "from 0 to 1"),
        ({"noise__speed": 1}, "is no key of a recipe"),
        ({"slots__city": []}, "is empty"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_with_its_place(changes, says):
    with pytest.raises(DataError, match=says) as caught:
        parse_recipe(table(**changes), "visits.toml")
    assert caught.value.fix and "visits.toml" in str(caught.value.where)


def test_shares_that_the_templates_cannot_give_are_refused(tmp_path):
    recipe = parse_recipe(table(forms__only__templates=["{say} {what} {number} to [CITY|{city}] (on [DAY|{day}]|)."]))
    with pytest.raises(DataError, match="cannot put 'CITY' into 9 of 12 texts, only into 12"):
        generate(recipe, output=tmp_path / "v.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_kept_slot_marks_the_same_types_each_time(tmp_path):
    places = ["[CITY|Rome]", "there"]
    recipe = parse_recipe(table(keep=["place"], slots__place=places, forms__only__templates=["{place}"]))
    with pytest.raises(DataError, match="kept slot 'place'"):
        generate(recipe, output=tmp_path / "v.jsonl")


def test_a_recipe_without_templates_is_for_a_model(tmp_path):
    with pytest.raises(UsageError, match="no templates") as caught:
        generate(parse_recipe(table(forms=None)), output=tmp_path / "v.jsonl")
    assert "--writer llm" in caught.value.fix


def test_templates_that_run_out_come_short_and_say_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = VISITS.replace('"one", "two", "three", "four", "five", "six", "seven"', '"one"').replace('"trip", ', "")
    (tmp_path / "visits.toml").write_text(short.replace("length", "# length"))
    monkeypatch.setattr(sys, "argv", ["slmfit", "generate", "visits.toml", "-n", "1500"])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    said = capsys.readouterr()
    about = json.loads((tmp_path / "visits.jsonl.about.json").read_text())
    rows = len((tmp_path / "visits.jsonl").read_text().splitlines())
    assert exit.value.code == 1 and 100 < rows == about["rows"] < 1500
    assert f"{1500 - rows:,} examples are missing" in said.err and "duplicate" in said.out
    assert about["tried"] == rows + sum(about["rejected"].values())


def test_files_that_are_no_recipe_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_recipe(str(tmp_path / "none.toml"))
    with pytest.raises(DataError, match="is no file"):
        read_recipe(f"{tmp_path}/")
    deep = b"a = " + b"[" * 5000
    bad = ((b"name = ", "no TOML"), (b"\xff\xfe", "UTF-8"), (b"", "missing"), (deep, "nest too deeply"))
    for number, (content, says) in enumerate(bad):
        path = tmp_path / f"{number}.toml"
        path.write_bytes(content)
        with pytest.raises(DataError, match=says) as caught:
            read_recipe(str(path))
        assert str(path) in str(caught.value)
