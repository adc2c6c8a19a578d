"""Tuning: what is tried depends on the trials before alone, luck is no gain, and compare takes up what was kept."""

import json
import os
import signal
from dataclasses import replace
from unittest import mock

import pytest

pytest.importorskip("optuna")

from conftest import make_dataset
from slmfit import tune
from slmfit.comparison.compare import compare
from slmfit.errors import BudgetReached, SlmfitError, UsageError
from slmfit.events import Journal
from slmfit.methods.specs import parse_specs
from slmfit.runs.fitting import Terms
from slmfit.timing.budget import Budget
from slmfit.tuning.sampling import Sampler
from slmfit.tuning.trials import Bench, Tried

ASKED = "trying:Scripted"


@pytest.fixture
def data():
    return make_dataset(sizes=(30, 300, 9))


def bench(data, **settings):
    [spec] = parse_specs(ASKED, {ASKED: settings}, data.task)
    return Bench(spec, data, Terms(0, "accuracy"))


def trials_of(folder):
    """The lines of the journal without what the clock says."""
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()[1:]]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_the_defaults_come_first_and_are_kept_where_settings_do_nothing(data, tmp_path):
    heard = []
    tuned = tune(data, ASKED, trials=8, out=tmp_path / "o", listen=lambda *event: heard.append(event))
    record = tuned.record
    assert record.trials[0].settings == {} and record.trials[0].known == {"place": 0.2, "rows": 8, "word": "plain"}
    assert [one.number for one in record.trials] == list(range(8)) and record.ended == "trials"
    assert (record.kept, tuned.settings, record.comparisons) == ("defaults", {}, 7)
    assert record.gain["low"] <= 0 and record.p_value >= 0.05 and 0 < record.smallest_gain < 0.4
    assert "defaults" in record.sentence and str(record.sentence) in repr(tuned)
    assert {kind for kind, _ in heard} >= {"fit", "tried"}
    kept = {path.name for path in (tmp_path / "o" / "answers").iterdir()}
    assert kept == {"0000-0.jsonl", f"{max(record.trials[1:], key=lambda t: (t.score, -t.number)).number:04}-0.jsonl"}
    again = tune(data, ASKED, trials=8, out=tmp_path / "o", listen=lambda *event: heard.append(event))
    assert again.record == record and heard[-1] == ("reuse", {"run": "scripted"})


def test_a_gain_that_is_no_luck_is_claimed_and_compare_takes_it_up(data, tmp_path):
    settings = {ASKED: {"height": 0.35, "word": "fancy"}}
    tuned = tune(data, ASKED, trials=14, settings=settings, out=tmp_path / "o")
    record = tuned.record
    assert "word" not in record.ranges and record.fixed == {"height": 0.35, "word": "fancy"}
    best = record.trials[record.best]
    assert record.kept == "best" and record.gain["low"] > 0 and record.p_value < 0.05
    assert tuned.settings == {**record.fixed, **best.settings} and abs(best.settings["place"] - 0.8) < 0.3
    assert record.importance["place"] > 0.5 > record.importance["rows"]
    [spec] = parse_specs(f"{ASKED[:]}@tuned={tmp_path / 'o'}", task=data.task)
    assert spec.base_model is None
    assert {name: getattr(spec.settings, name) for name in tuned.settings} == tuned.settings


def test_linear_is_tuned_and_compared(data, tmp_path):
    data = make_dataset()
    out = tmp_path / "o"
    tuned = tune(data, "linear", trials=4, settings={"linear": {"ratios": 0}}, out=out, sampler="random")
    assert set(tuned.record.ranges) == {"features", "power", "characters", "C"}
    assert all(one.state == "ok" for one in tuned.record.trials)
    plain = json.loads((out / "tuning.json").read_text())
    plain["settings"] |= {"C": 0.5, "features": "words"}
    (out / "tuning.json").write_text(json.dumps(plain))
    result = compare(data, f"majority,linear@tuned={out}", settings={"linear@tuned": {"C": 0.7}}, out=tmp_path / "c")
    settings = result.runs["linear@tuned"].record.settings
    assert (settings["C"], settings["features"], settings["ratios"], settings["power"]) == (0.7, "words", 0.0, None)


def test_what_no_comparison_can_take_up(data, tmp_path):
    tune(data, ASKED, trials=2, out=tmp_path / "o")
    with pytest.raises(UsageError, match="holds settings of 'trying:Scripted', not of 'linear'"):
        parse_specs(f"linear@tuned={tmp_path / 'o'}", task=data.task)
    (tmp_path / "o" / "tuning.json").unlink()
    with pytest.raises(UsageError, match="a tuning that is not over"):
        parse_specs(f"{ASKED}@tuned={tmp_path / 'o'}", task=data.task)


@pytest.mark.parametrize("at", [0, 1, 4, 5])
def test_killed_and_resumed_it_tries_the_same(data, tmp_path, at):
    """Killed with half of a line on the disk."""

    def killed(journal, entry):
        if len(journal.done) == at:
            journal._file.write(json.dumps(entry).encode()[:25])
            journal._file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        add(journal, entry)

    add = Journal.add
    tune(data, ASKED, trials=6, out=tmp_path / "whole")
    child = os.fork()
    if not child:
        with mock.patch.object(Journal, "add", killed):
            tune(data, ASKED, trials=6, out=tmp_path / "o")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len((tmp_path / "o" / "trials.jsonl").read_bytes().splitlines()) == at + 2
    resumed = tune(data, ASKED, trials=6, out=tmp_path / "o")
    assert trials_of(tmp_path / "o") == trials_of(tmp_path / "whole")
    assert resumed.record.gain == json.loads((tmp_path / "whole" / "tuning.json").read_text())["gain"]


def test_trials_of_something_else_are_not_gone_on_with(data, tmp_path):
    out = tmp_path / "o"
    tune(data, ASKED, trials=2, out=out)
    for change in ({"seed": 1}, {"sampler": "random"}, {"settings": {ASKED: {"word": "fancy"}}}):
        with pytest.raises(UsageError, match="trials of other data"):
            tune(data, ASKED, trials=2, out=out, **change)
    (out / "answers" / "0000-0.jsonl").unlink()
    with pytest.raises(SlmfitError, match="is missing"):
        tune(data, ASKED, trials=3, out=out)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="holds other files"):
        tune(data, ASKED, trials=2, out=tmp_path / "mine")


def test_a_damaged_line_is_said(data, tmp_path):
    tune(data, ASKED, trials=2, out=tmp_path)
    path = tmp_path / "trials.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join([*lines[:2], lines[2].replace('"score": 0.', '"score": "0.').replace(', "epochs"', '", "epochs"')])
    )
    with pytest.raises(SlmfitError, match="damaged"):
        tune(data, ASKED, trials=3, out=tmp_path)


def test_a_trial_that_fails_is_told_and_the_others_go_on(data, tmp_path):
    record = tune(data, ASKED, trials=8, settings={ASKED: {"broken": True}}, out=tmp_path).record
    failed = [one for one in record.trials if one.state == "failed"]
    assert failed and all(one.reason == "RuntimeError: the place is too high" for one in failed)
    assert record.comparisons == 7 - len(failed)
    assert any(f"{len(failed)} failed" in caveat for caveat in record.caveats)
    with pytest.raises(RuntimeError, match="too high"):
        tune(data, ASKED, trials=2, settings={ASKED: {"broken": True, "place": 0.9}}, out=tmp_path / "p")
    assert not (tmp_path / "p" / "trials.jsonl").exists()


def test_a_trial_without_promise_ends_at_an_epoch(data):
    one = bench(data, epochs=4)
    seen = []

    def hopeless(epoch, score):
        seen.append((epoch, round(score, 3)))
        return epoch == 2

    tried, answers = one.run(3, {"place": 0.5}, hopeless=hopeless)
    assert (tried.state, tried.score, answers) == ("pruned", None, ()) and seen == [(1, 0.15), (2, 0.3)]
    assert tried.epochs == {"1": 0.15, "2": 0.3} and tried.looked_at
    before = [
        Tried(number=n, settings={}, state="ok", score=0.8, epochs={"1": 0.5 + n / 100}, seconds=1) for n in range(6)
    ]
    sampler = Sampler({}, "tpe", 0)
    assert sampler.ask(before).hopeless(1, 0.2) and not sampler.ask(before).hopeless(1, 0.53)
    assert not sampler.ask(before[:3]).hopeless(1, 0.2)


def test_the_budget_ends_it_and_the_trial_it_ends_in_counts_for_nothing(data, tmp_path):
    now = [0.0]

    def ticking(kind, fields):
        now[0] += 1.0

    with mock.patch("slmfit.timing.budget.time.monotonic", lambda: now[0]):
        record = tune(data, ASKED, budget_seconds=20, out=tmp_path / "o", listen=ticking).record
        assert record.ended == "budget" and 2 <= len(record.trials) < 20
        assert sum(one.seconds for one in record.trials) <= 20
        again = tune(data, ASKED, budget_seconds=20, out=tmp_path / "o", listen=ticking).record
        assert again.trials == record.trials  # its time is spent
        more = tune(data, ASKED, budget_seconds=40, out=tmp_path / "o", listen=ticking).record
        assert more.trials[: len(record.trials)] == record.trials and len(more.trials) > len(record.trials)
        with pytest.raises(BudgetReached, match="no time for the defaults"):
            tune(data, ASKED, budget_seconds=1, out=tmp_path / "p", listen=ticking)


def test_several_seeds_are_one_trial(data, tmp_path):
    record = tune(data, ASKED, trials=3, seeds=2, out=tmp_path).record
    assert {path.name for path in (tmp_path / "answers").glob("0000-*")} == {"0000-0.jsonl", "0000-1.jsonl"}
    assert not any("trained once" in caveat for caveat in record.caveats)
    one = bench(data).run(0, {})[0].score
    other = replace(bench(data), terms=Terms(1, "accuracy")).run(0, {})[0].score
    assert record.trials[0].score == pytest.approx((one + other) / 2) and one != other


class Sealed(tuple):
    """Rows that nobody may look at."""

    __getitem__ = __iter__ = __len__ = lambda *_: pytest.fail("the test split was opened")


def test_no_trial_opens_test(data):
    sealed = replace(data, splits={**data.splits, "test": Sealed()})
    tried, answers = bench(sealed).run(1, {"place": 0.3}, budget=Budget())
    assert tried.state == "ok" and len(answers[0]) == len(data.validation)


def test_settings_that_mean_nothing_beside_others_stay_open(data):
    [spec] = parse_specs("linear", task=data.task)
    linear = Bench(spec, data, Terms(0, "accuracy"))
    asked = {"features": "words", "power": 1.0, "characters": 0.5, "C": 1.0}
    assert linear.meant(asked) == {"features": "words", "power": 1.0, "C": 1.0}
    assert linear.meant(asked | {"features": "words+characters"}) == asked | {"features": "words+characters"}


@pytest.mark.parametrize(
    ("asked", "given", "said"),
    [
        ("majority", {"trials": 3}, "majority has no setting to tune"),
        ("llm=m", {"trials": 3}, "llm has no setting to tune"),
        ("linear,knn", {"trials": 3}, "settings of one method"),
        ("linear", {}, "nothing says when to end"),
        ("linear", {"trials": 1}, "--trials cannot be 1"),
        ("linear", {"trials": 3, "sampler": "grid"}, "--sampler cannot be 'grid'"),
        ("linear", {"trials": 3, "seeds": 2}, "nothing here is trained"),
    ],
)
def test_what_cannot_be_asked_for(data, tmp_path, asked, given, said):
    with pytest.raises(UsageError, match=said):
        tune(data, asked, out=tmp_path / "o", **given)
    assert not (tmp_path / "o").exists()


def test_the_page_shows_every_setting_and_trial_and_no_markup_of_others(data, tmp_path):
    named = replace(data, name="<script>alert(1)</script>")
    tuned = tune(named, ASKED, trials=10, settings={ASKED: {"height": 0.3}}, out=tmp_path / "o")
    page = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert "default-src 'none'" in page and "http://" not in page.replace("http://www.w3.org", "")
    for name in tuned.record.ranges:
        assert f"{ASKED}.{name}" in page.replace("<wbr>", "")
    assert page.count('<th scope="row">') == 10 and page.count('<span class="tag">kept</span>') == 1
    assert "best so far" in page and "defaults" in page and f"{ASKED}@tuned=o" in page


def test_the_command_line(tmp_path, monkeypatch, capsys):
    from slmfit.__main__ import main

    def said(*words):
        monkeypatch.setattr("sys.argv", ["slmfit", "tune", *words])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code, capsys.readouterr()

    monkeypatch.chdir(tmp_path)
    rows = [(e.input, e.target) for e in make_dataset(sizes=(90, 0, 0)).train]
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in rows))
    code, told = said("knn", "t.csv", "--trials", "3", "--set", "knn.k=3", "--out", "o")
    assert not code and "defaults" in told.out and "kept" in told.out and "trial 2: tried accuracy" in told.err
    assert told.err.rstrip().splitlines()[-1] == "next: slmfit compare t.csv --methods knn"
    code, told = said("knn", "t.csv", "--trials", "3", "--set", "knn.k=3", "--out", "o", "--json")
    plain = json.loads(told.out)
    assert not code and plain["tuning"] == "o" and len(plain["trials"]) == 3 and plain["fixed"] == {"k": 3}
    code, told = said("knn", "t.csv", "--out", "p")
    assert code == 2 and "give --budget 30m, or --trials 40" in told.err
