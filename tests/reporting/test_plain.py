"""The page for who was not there: verdicts in plain words, warnings in brief, no folder, the chosen setting marked."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import fakes
import pytest

from slmfit import reporting, storage
from slmfit.reporting import disk, glossary, plain, searching, warned
from slmfit.reporting.curves import COLUMNS, write_curves
from slmfit.reporting.unplaced import without_places

FOLDER = "/home/me/Client X/models"
TWO = {
    "majority": fakes.SIX["majority"],
    "linear": fakes.SIX["linear"],
    "encoder-potion": replace(fakes.SIX["encoder-minilm"], skill=0.91, base_model=f"{FOLDER}/potion"),
}
AUDIT = {
    "format": "slmfit.audit/1",
    "findings": [
        {"kind": "leak", "severity": "warning", "message": "9 of 400 test rows have a twin in train: 9 the same.",
         "count": 9, "fix": "Remove them (`slmfit compare` lists them).", "examples": []},
        {"kind": "leak", "severity": "warning", "message": "2 of 400 test rows have a twin in validation: 2 the same.",
         "count": 2, "fix": "Likewise.", "examples": []},
        {"kind": "rare", "severity": "warning", "message": "The label 'a: b' is rare.",
         "count": 1, "fix": "", "examples": []},
        {"kind": "duplicate", "severity": "note", "message": "3 rows repeat.", "count": 3, "fix": "", "examples": []},
    ],
    "duplicates": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain") / "out"
    data = fakes.news(400)
    note = "/home/me/Client X/news.csv: read as text-classification."
    source = {**data.source, "files": [{**data.source["files"][0], "file": "/home/me/Client X/news.csv"}]}
    data = replace(data, source=source, notes=(note,))
    fakes.write_comparison(folder, data, TWO, audit=AUDIT, events={"encoder-potion": list(fakes.training())},
                           skipped=[replace(fakes.SKIPPED[1], reason=f"{FOLDER}/gpt is not there")])  # fmt: skip
    record = storage.read_json(folder / "comparison.json")
    record["command"] = f"slmfit compare '/home/me/Client X/news.csv' --methods 'linear,encoder={FOLDER}/potion'"
    storage.write_json(folder / "comparison.json", record)
    return folder


def test_no_folder_of_the_user_is_in_the_page(compared):
    page = reporting.html([compared])
    for part in ("/home", "Client", str(compared.parent), "models/"):
        assert part not in page, part
    for kept in ("news.csv: read as", "encoder=potion", "gpt is not there"):
        assert kept in page, kept


def test_warnings_stand_beside_the_headline_in_brief(compared):
    found = warned.warnings(disk.read([compared]))
    assert found == [
        "9 of 400 test rows have a twin in train.",
        f"2 of 400 test rows have a twin in validation. {warned.BEARS['leak']}",
        "The label 'a: b' is rare.",
    ]
    page = reporting.html([compared])
    head = page[page.index("<h1>") : page.index("</header>")]
    assert all(message.replace("'", "&#39;") in head for message in found)
    assert "`" not in page[page.index("<main>") : page.index("</main>")]


@pytest.mark.parametrize(("rows", "costs"), [(22, "5.5 points at most"), (0, "less than 0.1 points")])
def test_what_different_labels_cost_is_said(compared, rows, costs):
    source = disk.read([compared])
    found = {"kind": "contradiction", "severity": "warning",
             "message": f"11 texts occur with different labels, on {rows} rows in all (case aside)."}  # fmt: skip
    [said] = warned.warnings(replace(source, audit={"findings": [found]}))
    assert said.endswith(f" That costs {costs}.")


def told(source, **verdict):
    """The plain words where the verdict is another."""
    record = replace(source.comparison, verdict=replace(source.comparison.verdict, **verdict))
    return {question: " ".join(said) for question, said in plain.plain(replace(source, comparison=record))}


def test_every_verdict_in_plain_words(compared):
    source = without_places(disk.read([compared]))
    first = told(source, kind="pick", method="linear", best="linear")
    assert first["What was compared"].startswith(
        "2 methods had to give a text one of 4 labels (Business, Sci/Tech, Sports, World)."
    )
    assert "linear counts words, pairs of words and pieces of words" in first["What was compared"]
    assert (
        "360 texts with known answers, had its settings chosen by 40 more (and then learnt from them too)"
        in first["What was compared"]
    )
    score = source.methods[1].scores["test"]["accuracy"]
    assert f"{round(400 * (1 - score.value))} of 400" in first["The result"]
    assert f"between {100 * score.low:.1f} % and {100 * score.high:.1f} %" in first["How sure that is"]
    assert "your own machine" in first["What it costs"]
    assert first["What to do next"].startswith("Have whoever ran this see to the 3 warnings above.")
    paired = source.comparison.paired
    if "linear" in paired:
        best = paired["linear"].to
        second = told(source, kind="pick", method="linear", best=best)["The result"]
        assert "Up to 2 points less counts as level" in second and f"{best} is at most" in second
    assert "Nothing yet: 400 texts are too few" in told(source, kind="too-little-data", method=None)["The result"]
    none = told(source, kind="nothing-beats-majority", method="majority")
    assert "No method is worth it" in none["The result"] and "slmfit predict" not in none["What to do next"]
    alone = told(source, kind="nothing-to-compare", method="linear", best="linear")
    assert "same texts gave the scores" in first["How sure that is"]
    assert "same texts gave the scores" not in alone["How sure that is"]
    assert plain.plain(disk.read([compared / "runs" / "linear"])) == []


def test_each_method_is_said_in_a_sentence(compared):
    found = dict(glossary.methods(without_places(disk.read([compared]))))
    assert set(found) == set(TWO) and found["encoder-potion"].endswith("; it starts from potion")
    assert all(words[0].isupper() for words in found.values())


def test_where_they_fail_opens_on_the_pick(compared):
    shown = reporting.html([compared])
    picked = storage.read_json(compared / "comparison.json")["verdict"]
    ids = [row["id"] for row in storage.read_json(compared / "comparison.json")["methods"] if row["run"]]
    assert f'"first":{ids.index(picked["method"] or picked["best"])},' in shown


def searched(tried, chosen):
    about = SimpleNamespace(search=tried, metric="accuracy", chosen=chosen)
    [found] = searching.searches(SimpleNamespace(records={"linear": about}))
    return found


def test_the_chosen_setting_is_marked_and_why_a_better_looking_one_was_not_taken():
    tried = [{"features": f, "C": C, "accuracy": a, "log_loss": loss} for f, C, a, loss in (
        ("words", 1.0, 0.90, 0.50), ("words", 3.0, 0.912, 0.55), ("words+pairs", 1.0, 0.908, 0.49))]  # fmt: skip
    found = searched(tried, {"features": "words+pairs", "C": 1.0, "characters": 0.5})
    assert found["taken"] == tried[2] and found["best"][0] == tried[1]
    assert "1 other scores higher on validation, by 0.4 points at most" in found["why"] and "log loss" in found["why"]
    found = searched(tried, {"features": "words", "C": 1.0})
    assert found["taken"] == tried[0] and "clearly better" in found["why"]
    assert searched(tried, {"features": "words", "C": 3.0})["why"] == ""
    assert searched(tried, {"features": "characters", "C": 3.0})["taken"] is None
    many = [{"features": "words", "C": float(i), "accuracy": 0.9 - 0.001 * i} for i in range(1, 8)] + [
        {"features": "pairs", "C": float(i), "accuracy": 0.8 - 0.001 * i} for i in range(1, 8)]  # fmt: skip
    found = searched(many, {"features": "pairs", "C": 7.0})
    assert len(found["best"]) == searching.BEST and found["best"][-1] is found["taken"] == many[-1]


def test_losses_and_scores_over_time_as_csv(compared, tmp_path):
    events = [event for event in fakes.training() if event["event"] == "loss"]
    values = [(event, what) for event in events for what in ("loss", "accuracy") if what in event]
    count = write_curves([compared], tmp_path / "new" / "curves.csv")
    with (tmp_path / "new" / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and len(rows) == count == len(values) > 0
    for row, (event, what) in zip(rows, values, strict=True):
        assert (row["method"], row["what"], float(row["value"])) == ("encoder-potion", what, event[what])
        assert (row["split"], row["measured"], float(row["epoch"])) == (
            event["split"],
            event["measured"],
            event["epoch"],
        )
