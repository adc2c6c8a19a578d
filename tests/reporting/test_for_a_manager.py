"""What a reader who was not there has to be told first: what to use, how much goes wrong, where, and what to do."""

import json
from dataclasses import replace

import fakes
import pytest

from slmfit import reporting, storage
from slmfit.records import MethodRow
from slmfit.reporting import disk, plain
from slmfit.reporting.doubted import against_labels, doubted
from slmfit.reporting.headline import SKIPPED, UNASKED, headline
from slmfit.reporting.mistakes import label_table, left_to_it, of_1000, point_at, still_climbs, wrong
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
    head = headline(judged(source, kind="pick", method="linear", best="linear"))
    assert (head.before, head.named, head.after) == ("", "linear", f": {values['linear']}, the best of 2 methods")
    assert head.rest == (f"Next is knn: {values['knn']}.", UNASKED)
    level = [replace(row, scores=line(source, "linear").scores) if row.id == "knn" else row for row in source.methods]
    head = headline(judged(replace(source, methods=level), kind="pick", method="linear", best="linear"))
    assert head.rest[0] == f"Level with it is knn: {values['linear']}."
    for kind, words in (("too-little-data", "Too little data"), ("nothing-beats-majority", "No method is worth it")):
        assert headline(judged(source, kind=kind)).before.startswith(words)


def test_what_the_rule_costs_stands_below_the_headline(source):
    methods = [
        replace(row, size_bytes={"linear": 9_000_000, "knn": 2_000_000}.get(row.id, 300)) for row in source.methods
    ]
    small = judged(replace(source, methods=methods), kind="pick", method="knn", best="linear", tied=["knn"])
    head = headline(small)
    assert head.after.endswith("the smallest within 2 points of the best of 2 methods")
    fewer = round(1000 * source.comparison.paired["knn"].difference.value)
    assert f"({fewer} fewer wrong in 1,000 texts, which may be luck), and takes 7.0 MB of disk more." in head.rest[0]
    assert head.rest[0].endswith("If size does not matter, take linear.")
    fast = headline(judged(small, prefer="latency"))
    assert "the fastest within" in fast.after and "If speed does not matter" in fast.rest[0]


def test_who_has_a_vendor_is_told_that_none_was_asked(source):
    assert headline(source).rest[-1] == UNASKED
    assert any(
        "llm=MODEL" in step and "--predictions FILE" in step for step in next_steps(source, line(source, "linear"))
    )
    skipped = MethodRow(id="llm-x", name="llm", status="skipped", reason="the server wants a key")
    record = replace(source.comparison, methods=[*source.comparison.methods, skipped])
    lost = replace(source, comparison=record, methods=[*source.methods, skipped])
    assert headline(lost).rest[-1] == SKIPPED
    asked = replace(source, methods=[*source.methods, replace(line(source, "knn"), id="llm-x", name="llm")])
    assert UNASKED not in headline(asked).rest
    assert not any("llm=MODEL" in step for step in next_steps(asked, line(source, "linear")))


def test_answers_from_a_file_are_not_said_to_have_been_taught_here(source):
    best = replace(line(source, "linear"), id="predictions-gpt", name="predictions", size_bytes=None)
    rows = [replace(best, scores=line(source, "linear").scores), line(source, "knn"), line(source, "majority")]
    given = judged(replace(source, methods=rows), kind="pick", method=best.id, best=best.id)
    gap = 100 * (best.scores["test"]["accuracy"].value - line(source, "knn").scores["test"]["accuracy"].value)
    assert headline(given).rest[0].startswith("Without a large model, the best is knn: ")
    assert headline(given).rest[0].endswith(f"; it gets {gap:.0f} more in 100 wrong.")
    said = {question: " ".join(answer) for question, answer in plain.plain(given)}
    assert "What predictions-gpt learnt from, and whether these texts were in it" in said["What was compared"]
    assert "knn learnt from" in said["What was compared"] and "Each" not in said["What was compared"]
    assert "Its answers came from a file. This page does not know what they cost" in said["What it costs"]
    assert "--predictions FILE" in said["What to do next"] and "slmfit evaluate" not in said["What to do next"]
    paid = [replace(row, usd_per_1000_rows=0.5) if row.id == best.id else row for row in rows]
    assert "They cost $0.50 for 1,000 texts" in dict(plain.plain(replace(given, methods=paid)))["What it costs"][-2]


def test_one_method_beside_majority_is_no_comparison(source):
    rows = [row for row in source.methods if row.id != "knn"]
    alone = judged(replace(source, methods=rows), kind="pick", method="linear", best="linear")
    head = headline(alone)
    assert "no other method was tried" in head.after and "Try others before deciding" in head.rest[0]
    assert any("Try more methods" in step for step in next_steps(alone, line(source, "linear")))
    assert not any("Try more methods" in step for step in next_steps(source, line(source, "linear")))


def test_majority_alone_is_no_method(source):
    floor = [row for row in source.methods if row.floor]
    bare = judged(replace(source, methods=floor), kind="nothing-to-compare", method="majority", best="majority")
    assert headline(bare).before == "No method was tried yet"
    assert "Nothing but majority" in " ".join(dict(plain.plain(bare))["What was compared"])


def test_how_many_go_wrong_and_where(source):
    row, details = line(source, "linear"), source.details("linear")
    counts = details["confusion"]
    missed = sum(n for t, row_ in enumerate(counts) for a, n in enumerate(row_) if t != a)
    assert wrong(source, row).startswith(f"{of_1000(missed / 400)} in 1,000 texts get a wrong answer ({missed} of 400)")
    found = {one.label: one for one in label_table(source, row).lines}
    rows = list(storage.read_jsonl(source.folders["linear"] / "predictions.jsonl"))
    rows = [r for r in rows if r["split"] == "test"]
    half = sorted(rows, key=lambda r: -r["probabilities"][r["prediction"]])[:200]
    assert set(found) == set(fakes.NEWS)
    for label, one in found.items():
        such = [r for r in rows if r["target"] == label]
        called = [r for r in rows if r["prediction"] == label]
        overlooked, false = (sum(r["prediction"] != r["target"] for r in some) for some in (such, called))
        sure = [r for r in half if r["prediction"] == label]
        assert (one.such, one.overlooked, one.false) == tuple(of_1000(n / 400) for n in (len(such), overlooked, false))
        assert one.overlooked_share == f"{100 * overlooked / len(such):.0f} %"
        assert one.false_share == f"{100 * false / len(called):.0f} %"
        assert one.said == of_1000(len(sure) / 400)
        assert one.said_wrong == of_1000(sum(r["prediction"] != r["target"] for r in sure) / 400)


def test_what_people_read_if_it_answers_only_where_it_is_sure(source):
    row, half = line(source, "linear"), point_at(source, "linear", 0.5)
    bad = of_1000(half["coverage"] * (1 - half["accuracy"]))
    words = left_to_it(source, row)
    assert words.endswith(f"{bad} if it answers the 500 it is surest of and people read 500.")
    assert words in dict(plain.plain(source))["What it costs"]
    assert left_to_it(source, line(source, "majority")) != words


def test_rows_that_all_answer_alike_and_not_as_labelled(source):
    said = [
        {r["id"]: r for r in storage.read_jsonl(source.folders[id] / "predictions.jsonl") if r["split"] == "test"}
        for id in ("linear", "knn")
    ]
    count = sum(one["target"] != one["prediction"] == said[1][id]["prediction"] for id, one in said[0].items())
    assert against_labels(source) == (count, 400) and count > 0
    assert doubted(source).startswith(f"{count} test texts (") and "both methods" in doubted(source)
    alone = replace(source, methods=[row for row in source.methods if row.id != "knn"])
    assert against_labels(alone) is None and doubted(alone) == ""


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

    def result(command):
        record = replace(asked.comparison, command=command)
        return " ".join(dict(plain.plain(replace(asked, comparison=record)))["The result"])

    assert "as slmfit takes it unless told otherwise" in result("slmfit compare a.csv")
    assert "set by the person who ran this" in result("slmfit compare a.csv --margin 0.02")


def test_a_curve_that_climbs_and_the_surest_half(source):
    def points(*values):
        known = [{"method": "linear", "rows": 10 * 2**i, "score": {"value": v}} for i, v in enumerate(values)]
        return replace(source, diagnostics={"learning_curve": {"metric": "accuracy", "points": known}})

    assert [p["rows"] for p in still_climbs(points(0.7, 0.8, 0.83), "linear")] == [20, 40]
    assert still_climbs(points(0.7, 0.8, 0.805), "linear") is None and still_climbs(points(0.7), "linear") is None
    told = [p for p in source.details("linear")["coverage"] if abs(p["coverage"] - 0.5) < 0.03]
    assert point_at(source, "linear", 0.5) == told[0]


def test_the_page_says_first_that_it_holds_texts(folder):
    with_texts, without = reporting.html([folder]), reporting.html([folder], texts=False)
    assert "Holds texts of the data" in with_texts and "Holds texts of the data" not in without
