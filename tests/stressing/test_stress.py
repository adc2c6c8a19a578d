"""What a stressed run is said to take: planted fragilities show, figures are those of the rows, all ends are told."""

import json
import random
import sys
from dataclasses import replace

import fragile
import numpy as np
import pytest

import slmfit
from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit import reporting
from slmfit.comparison.compare import compare, train
from slmfit.data.dataset import Dataset
from slmfit.errors import SlmfitError, UnsafeError, UsageError
from slmfit.records import Example, Prediction, Question
from slmfit.runs.deleting import delete
from slmfit.runs.run import Run
from slmfit.runs.stressed import FILE, read_stressed
from slmfit.stressing import DRAWS, stress_methods
from slmfit.stressing.pairing import Before, drop, paired
from slmfit.tasks import by_name

THINGS = "parcel invoice courier receipt voucher account".split()


def dataset(make, labels, task="text-classification", rows=(40, 20, 60)):
    rng = random.Random(0)
    examples = [Example(str(i), *make(rng, i)) for i in range(sum(rows))]
    parts = (examples[: rows[0]], examples[rows[0] : sum(rows[:2])], examples[sum(rows[:2]) :])
    splits = {split: tuple(part) for split, part in zip(("train", "validation", "test"), parts, strict=True)}
    return Dataset("planted", by_name(task).with_labels(labels), splits)


def by_case(rng, i):
    text = f"{rng.choice(THINGS)} number {i} came"
    return (text.capitalize(), "big") if i % 2 else (text, "small")


def by_mark(rng, i):
    text = f"your {rng.choice(THINGS)} number {i} came"
    return (f"{text}?", "asked") if i % 2 else (f"{text}.", "said")


def by_word(rng, i):
    return f'{"Parcel" if i % 2 else "Voucher"} {i} came, "it\'s" café.', "parcel" if i % 2 else "other"


def by_place(rng, i):
    return Question(f"What is {i} + 1?", {"A": str(i + 1), "B": str(i + 3), "C": str(i + 7)}), "A"


PLANTED = {
    "Case": (dataset(by_case, ["big", "small"]), {"small letters", "capitals"}, {"one typo", "quotes", "options"}),
    "Mark": (dataset(by_mark, ["asked", "said"]), {"final mark"}, {"small letters", "capitals", "one typo"}),
    "First": (dataset(by_place, "ABC", "multiple-choice"), {"options"}, {"capitals", "one typo", "final mark"}),
    "Words": (dataset(by_word, ["other", "parcel"]), set(), {"capitals", "quotes", "unicode", "final mark", "spaces"}),
}


@pytest.mark.parametrize("method", PLANTED)
def test_what_a_method_alone_reads_is_exposed(method, tmp_path):
    data, falls, stays = PLANTED[method]
    run = train(data, f"fragile:{method}", out=tmp_path / "out")
    found = {kind.kind: kind for kind in slmfit.stress(run, data).kinds}
    for name in falls:
        kind = found[name]
        assert kind.before == 1 and kind.drop.low > 0.1 and kind.p_value < 0.001, name
        assert kind.right_to_wrong == pytest.approx(kind.rows * kind.drop.value) and kind.wrong_to_right == 0
    for name in stays:
        kind = found[name]
        assert not kind.rows or (kind.drop.value == 0 and kind.drop.low < 0 < kind.drop.high), name


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return train(PLANTED["Words"][0], "fragile:Words", out=tmp_path_factory.mktemp("words") / "out")


def test_rows_that_a_kind_leaves_alone_are_not_asked(words):
    fragile.Reader.asked.clear()
    data = PLANTED["Words"][0]
    slmfit.stress(words, data, rows=20)
    originals = {str(example.input) for example in data.test}
    assert not originals & set(fragile.Reader.asked)


def test_the_same_is_used_again_and_another_number_of_rows_is_not(words):
    data, told = PLANTED["Words"][0], []
    first = slmfit.stress(words, data, rows=30, listen=lambda kind, fields: told.append(kind))
    assert (first.rows, first.of_rows) == (30, 60) and "reuse" not in told
    assert slmfit.stress(words, data, rows=30, listen=lambda kind, fields: told.append(kind)) == first
    assert told[-1] == "reuse"
    assert slmfit.stress(words, data, rows=31).rows == 31
    again = slmfit.stress(words, data, rows=30)
    assert replace(again, created="") == replace(first, created="")


def test_kinds_that_change_nothing_say_why(words):
    kinds = slmfit.stress(words, PLANTED["Words"][0]).kinds
    reasons = {kind.kind: kind.reason for kind in kinds if not kind.rows}
    assert reasons == {
        "options": "inputs have no options",
        "politeness": "no row is plainly English, as the frames are",
        "two typos": "no row has two words for typos",
    }
    assert all(kind.drop is None and kind.before is None for kind in kinds if not kind.rows)


def test_the_figures_of_a_kind_are_those_of_its_rows():
    task = by_name("text-classification").with_labels("ab")
    rows = [Example(str(i), f"text {i}", "a") for i in range(4)]
    right, wrong = Prediction("a"), Prediction("b")
    before = Before(task, "accuracy", rows, [right, right, wrong, right])
    draws = [[(rows[0], wrong), (rows[1], right), (rows[2], right), None], [(rows[0], wrong), None, None, None]]
    found = paired("one typo", "…", before, draws)
    assert (found.rows, found.draws, found.before) == (4, 2, 0.75)
    assert found.after == pytest.approx((3 / 4 + 2 / 4) / 2) and (found.lowest, found.highest) == (0.5, 0.75)
    assert (found.right_to_wrong, found.wrong_to_right) == (1.0, 0.5)
    assert found.drop.value == 0.125 and found.drop.low < 0.125 < found.drop.high


def test_more_draws_tell_more_but_no_more_than_the_rows_do():
    task = by_name("text-classification").with_labels("ab")
    rng = np.random.default_rng(0)

    def width(draws, fragile_rows):
        chance = np.where(np.arange(400) < 400 * fragile_rows, 0.2 / fragile_rows, 0.0)
        table = [[Prediction("b" if rng.random() < p else "a") for p in chance] for _ in range(draws)]
        parts = [task.components("accuracy", ["a"] * 400, answers).rows for answers in table]
        found = drop(task.components("accuracy", ["a"] * 400, [Prediction("a")] * 400), parts)
        assert 0.1 < found.value < 0.3
        return found.high - found.low

    assert width(5, 1.0) < 0.65 * width(1, 1.0)  # every row is fragile alike: the draws' luck is all there is
    assert width(5, 0.2) > 0.9 * width(1, 0.2)  # a fifth always fails: which rows these are is all there is


def test_the_spread_of_the_metric_that_the_run_was_chosen_by(tmp_path):
    data = make_dataset(sizes=(120, 40, 60))
    run = train(data, "linear", metric="f1_macro", out=tmp_path / "out")
    found = slmfit.stress(run, data)
    typo = next(kind for kind in found.kinds if kind.kind == "two typos")
    assert found.metric == "f1_macro" and typo.draws == DRAWS and typo.before <= 1
    assert typo.lowest <= typo.highest and typo.drop.low <= typo.drop.value <= typo.drop.high


@pytest.mark.parametrize("task", ["token-classification", "multiple-choice"])
def test_every_task(task, tmp_path):
    data = make_dataset(task, sizes=(120, 40, 40))
    found = slmfit.stress(train(data, "linear", out=tmp_path / "out"), data, rows=20)
    assert found.rows == 20 and len([kind for kind in found.kinds if kind.rows]) >= 3


def test_a_run_without_a_model_or_behind_a_server_is_refused(tmp_path):
    data = make_dataset(sizes=(40, 20, 30))
    given = {"theirs": [Prediction(example.target) for example in data.test]}
    compared = compare(data, "majority", given=given, out=tmp_path / "out")
    with pytest.raises(UsageError, match="given answers only"):
        slmfit.stress(compared.runs["predictions-theirs"], data)
    run = compared.runs["majority"]
    run.record = replace(run.record, remote=True)
    with pytest.raises(UsageError, match="asked and paid for"):
        slmfit.stress(run, data)
    with pytest.raises(UsageError, match="--rows cannot be 0"):
        slmfit.stress(run, data, rows=0)
    asked = stress_methods(compared, data)
    assert asked.keys() == {"predictions-theirs"} and "no model" in asked["predictions-theirs"]


def test_the_record_is_read_back_and_another_run_s_is_not(words):
    found = slmfit.stress(words, PLANTED["Words"][0])
    path = words.folder / FILE
    assert read_stressed(words.folder, words.record) == found
    assert read_stressed(words.folder, replace(words.record, key="0" * 64)) is None
    whole = path.read_text()
    path.write_text(whole.replace('"rows": ', '"rows": "x', 1))
    with pytest.raises(SlmfitError):
        read_stressed(words.folder)
    path.write_text(json.dumps(json.loads(whole) | {"format": "slmfit.stress/9"}))
    with pytest.raises(UnsafeError, match="its format is"):
        read_stressed(words.folder)
    path.write_text(whole)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The words of the command that makes it, its JSON, and its folder."""
    folder = tmp_path_factory.mktemp("compared")
    rows = "".join(f"the {THINGS[i % 6]} {i} came {'late' if i % 2 else 'early'},{'ab'[i % 2]}\n" for i in range(120))
    (folder / "d.csv").write_text("text,label\n" + rows)
    return folder


def call(capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["slmfit", *map(str, words)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    return exit.value.code or 0, capsys.readouterr()


def test_compare_stress_on_the_terminal_in_json_and_in_the_report(compared, capsys, monkeypatch):
    words = ("compare", compared / "d.csv", "--methods", "majority,linear", "--out", compared / "o", "--stress")
    code, said = call(capsys, monkeypatch, *words)
    assert code == 0 and "right → wrong" in said.out and "two typos" in said.out
    assert "not tried: options, as inputs have no options" in said.err
    code, said = call(capsys, monkeypatch, *words, "--json")
    rows = {row["id"]: row for row in json.loads(said.out)["methods"]}
    assert "stress" not in rows["majority"] and rows["linear"]["stress"]["kinds"][0]["kind"] == "small letters"
    page = (compared / "o" / "report.html").read_text()
    assert 'id="stress"' in page and 'data-kind="one typo"' in page and "Not tried: " in page
    code, said = call(capsys, monkeypatch, "stress", compared / "o", "--json")
    assert code == 0 and json.loads(said.out) == rows["linear"]["stress"]
    code, said = call(capsys, monkeypatch, "stress", compared / "o", "--rows", "9")
    assert code == 0 and "9 of" in said.err and "next: slmfit report" in said.err
    run = Run(compared / "o" / "runs" / "linear")
    assert json.loads((run.folder / FILE).read_text())["rows"] == 9
    assert "9 of " in reporting.html([run.folder])


def test_a_report_without_it_has_no_section(compared, capsys, monkeypatch):
    words = ("compare", compared / "d.csv", "--methods", "majority,linear", "--out", compared / "plain")
    assert call(capsys, monkeypatch, *words)[0] == 0
    assert 'id="stress"' not in (compared / "plain" / "report.html").read_text()


def test_stress_has_no_part_in_a_budget(compared, capsys, monkeypatch):
    code, said = call(capsys, monkeypatch, "compare", compared / "d.csv", "--budget", "1m", "--stress")
    assert code == 2 and "no part in a budget" in said.err and "slmfit stress RUN" in said.err


def test_rows_that_are_gone_are_asked_for(compared, capsys, monkeypatch):
    moved = compared / "moved.csv"
    call(capsys, monkeypatch, "train", "linear", compared / "d.csv", "--out", compared / "t")
    (compared / "d.csv").rename(moved)
    try:
        code, said = call(capsys, monkeypatch, "stress", compared / "t" / "runs" / "linear")
        assert code == 3 and "--data FILE" in said.err
        code, said = call(capsys, monkeypatch, "stress", compared / "t" / "runs" / "linear", "--data", moved)
        assert code == 0
    finally:
        moved.rename(compared / "d.csv")
    assert delete(compared / "t" / "runs" / "linear")
