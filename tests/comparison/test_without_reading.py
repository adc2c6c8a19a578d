"""For each method it is said whether it does more than guessing, and more than the options give away alone."""

import json
import random
import re

import pytest
from typer.testing import CliRunner

from slmfit.cli.verbs import app
from slmfit.comparison.compare import compare
from slmfit.data.load import load_data
from slmfit.runs.run import read_comparison

THINGS = {"sky": "blue", "grass": "green", "snow": "white", "coal": "black", "blood": "red", "sun": "yellow"}


def rows(n, *, given_away, seed=0):
    """What is right follows from the question; given_away: and from the options alone, as it ends in a full stop."""
    rng, found = random.Random(seed), []
    for i in range(n):
        thing = rng.choice(sorted(THINGS))
        shown = [*rng.sample(sorted({*THINGS.values()} - {THINGS[thing]}), rng.randint(2, 3)), THINGS[thing]]
        rng.shuffle(shown)
        place = shown.index(THINGS[thing])
        options = [f"{c} indeed" if given_away and c == THINGS[thing] else c for c in shown]
        found.append({"question": f"{thing} number {i} is", "options": options, "answer": "ABCD"[place]})
    return found


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return {
        given: compare(load_data(rows(300, given_away=given)), "majority,linear", out=folder / str(given))
        for given in (True, False)
    }


def test_a_method_that_reads_is_above_both(results):
    found = results[False].record.floors
    assert found.keys() == {"linear"} and found["linear"].keys() == {"guessing", "linear@options-only"}
    for test in found["linear"].values():
        assert test["differs"] and test["difference"] > 0.3 and test["p_value"] < 0.001


def test_options_that_give_themselves_away_are_not_told_from_reading(results):
    found = results[True].record.floors["linear"]
    assert found["guessing"]["differs"] and not found["linear@options-only"]["differs"]


def test_it_stands_on_the_page_in_the_record_and_in_the_command(results, tmp_path):
    folder = results[True].folder
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Do they read the question?" in page and "against linear@options-only" in page
    cells = re.findall(r'<td class="num" data-key="floor">(.*?)<small>', page)
    assert len(cells) == 2 and cells[0].endswith("points above") and cells[1] == "not distinguishable"
    assert re.search(r'data-key="longest">[\d.]+ %', page)
    assert re.search(r"[\d.]+ of answers", page) and "answers by place" in page
    assert read_comparison(folder).floors == results[True].record.floors
    data = tmp_path / "quiz.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows(120, given_away=False)))
    said = CliRunner().invoke(app, ["compare", str(data), "--methods", "linear", "--out", str(tmp_path / "o")])
    assert said.exit_code == 0, said.output
    assert re.search(r"linear against guessing: [\d.]+ points above, p < 0.001; against", " ".join(said.output.split()))


def test_other_tasks_say_nothing_of_it(tmp_path):
    made = [{"text": f"{'red' if i % 2 else 'blue'} thing {i}", "label": "ab"[i % 2]} for i in range(60)]
    result = compare(load_data(made), "majority", out=tmp_path / "o")
    assert not result.record.floors
    assert "floors" not in json.loads((tmp_path / "o" / "comparison.json").read_text())
    assert "Do they read the question?" not in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
