"""What a reader who was not there has to be told first: what to use, how much goes wrong, where, and what to do."""

import json
from dataclasses import replace

import fakes
import pytest

from slmfit import reporting, storage
from slmfit.reporting import disk, plain
from slmfit.reporting.mistakes import mistakes, still_climbs, surest_half
from slmfit.reporting.next_steps import next_steps
from slmfit.reporting.unplaced import without_places
from slmfit.reporting.warned import without_twins


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    methods = {name: fakes.SIX[name] for name in ("majority", "linear", "knn")}
    return fakes.write_comparison(tmp_path_factory.mktemp("manager") / "out", fakes.news(400), methods)


@pytest.fixture(scope="module")
def source(folder):
    return without_places(disk.read([folder]))


def judged(source, **verdict):
    record = replace(source.comparison, verdict=replace(source.comparison.verdict, **verdict))
    return replace(source, comparison=record)


def line(source, id):
    return next(row for row in source.methods if row.id == id)


def test_the_headline_says_what_to_use_and_how_good_it_is(source):
    values = {
        row.id: f"{100 * row.scores['test']['accuracy'].value:.1f} % right" for row in source.methods if row.scores
    }
    head = plain.headline(judged(source, kind="pick", method="linear", best="linear"))
    assert (head.before, head.named, head.after) == ("Use ", "linear", f": {values['linear']}")
    assert head.rest == f"The highest score of 2 methods; next is knn with {values['knn']}."
    head = plain.headline(judged(source, kind="pick", method="knn", best="linear"))
    assert head.rest.startswith(f"Practically as good as the highest score, {values['linear']} with linear")
    for kind, words in (("too-little-data", "Too little data"), ("nothing-beats-majority", "No method is worth it")):
        assert plain.headline(judged(source, kind=kind)).before.startswith(words)


def test_one_method_beside_majority_is_no_comparison(source):
    rows = [row for row in source.methods if row.id != "knn"]
    alone = judged(replace(source, methods=rows), kind="pick", method="linear", best="linear")
    head = plain.headline(alone)
    assert "compared with nothing real" in head.after and "Try another before deciding" in head.rest
    assert any("Try another method" in step for step in next_steps(alone, line(source, "linear"), 1))
    assert not any("Try another method" in step for step in next_steps(source, line(source, "linear"), 2))


def test_how_many_go_wrong_and_where(source):
    row, details = line(source, "linear"), source.details("linear")
    wrong = sum(n for t, counts in enumerate(details["confusion"]) for a, n in enumerate(counts) if t != a)
    said = list(mistakes(source, row))
    assert f"({wrong} of 400)" in said[0]
    found = {c["label"]: (details["confusion"][i][i], c["support"]) for i, c in enumerate(details["per_class"])}
    weakest = min(found, key=lambda label: found[label][0] / found[label][1])
    assert said[1].startswith(f"Weakest is {weakest}: ")
    assert f"({found[weakest][0]} of {found[weakest][1]})" in said[1]


def test_the_score_without_twins_is_that_of_the_other_rows(folder):
    rows = [r for r in storage.read_jsonl(folder / "runs" / "linear" / "predictions.jsonl") if r["split"] == "test"]
    source = disk.read([folder])
    storage.write_text(folder / "data" / "twins.jsonl", "")
    assert without_twins(source, line(source, "linear")) is None
    twins = [{"id": r["id"], "split": "test", "twin": "train:1", "twin_split": s}
             for r, s in zip(rows[:9], ["train"] * 6 + ["test"] * 3, strict=True)]  # fmt: skip
    storage.write_text(folder / "data" / "twins.jsonl", "\n".join(map(json.dumps, twins)))
    right = [r["prediction"] == r["target"] for r in rows[6:]]  # twins within test are no leak
    assert without_twins(source, line(source, "linear")) == (sum(right) / len(right), 394)


def test_who_set_the_margin_is_said(source):
    asked = judged(source, kind="pick", method="knn", best="linear")
    if "knn" not in source.comparison.paired:
        pytest.skip("the fakes put knn first")

    def result(command):
        record = replace(asked.comparison, command=command)
        return " ".join(dict(plain.plain(replace(asked, comparison=record)))["The result"])

    assert "unless the person who runs it says otherwise" in result("slmfit compare a.csv")
    assert "set by the person who ran this" in result("slmfit compare a.csv --margin 0.02")


def test_a_curve_that_climbs_and_the_surest_half(source):
    def points(*values):
        known = [{"method": "linear", "rows": 10 * 2**i, "score": {"value": v}} for i, v in enumerate(values)]
        return replace(source, diagnostics={"learning_curve": {"metric": "accuracy", "points": known}})

    assert [p["rows"] for p in still_climbs(points(0.7, 0.8, 0.83), "linear")] == [20, 40]
    assert still_climbs(points(0.7, 0.8, 0.805), "linear") is None and still_climbs(points(0.7), "linear") is None
    told = [p for p in source.details("linear")["coverage"] if abs(p["coverage"] - 0.5) < 0.03]
    assert surest_half(source, "linear") == (told[0]["coverage"], told[0]["accuracy"])


def test_the_page_says_first_that_it_holds_texts(folder):
    with_texts, without = reporting.html([folder]), reporting.html([folder], texts=False)
    assert "Holds texts of the data" in with_texts and "Holds texts of the data" not in without
