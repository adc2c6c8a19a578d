"""A person before the rows, in a real terminal: one key each, undo, skip, pause, a kill; nothing shown too early."""

import io
import json
import os
import random
import select
import signal
import sys
import time
from dataclasses import replace

import pytest
from rich.text import Text

from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit import checking
from slmfit.checking.given import read, written
from slmfit.cli.checks import Sitting, foretold, key_of
from slmfit.cli.console import Screen
from slmfit.cli.keys import BACK, ESCAPE, told
from slmfit.comparison.compare import compare
from slmfit.errors import SlmfitError, UsageError
from slmfit.records import Entities, Span
from slmfit.reporting import report

if os.name == "posix":
    import pty

WAIT = 60  # seconds: machines are shared


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A comparison whose test labels are those of a teacher that errs in a tenth of the rows, and the truth by id."""
    data, rng = make_dataset(sizes=(120, 40, 120)), random.Random(1)
    truth = {e.id: str(e.target) for e in data.test}
    erring = [replace(e, target=rng.choice(data.task.labels)) if rng.random() < 0.1 else e for e in data.test]
    data = replace(data, splits={**data.splits, "test": tuple(erring)})
    folder = tmp_path_factory.mktemp("compared")
    compare(data, "majority,linear,knn", out=folder)
    return folder, truth


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it, with nothing checked."""
    import shutil

    return shutil.copytree(made[0], tmp_path / "out", ignore=shutil.ignore_patterns("checked"))


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *words):
        self.pid, self.file = pty.fork()
        if not self.pid:
            os.environ.update(COLUMNS="100", LINES="40", TERM="xterm")
            os.execv(sys.executable, [sys.executable, "-m", "slmfit", *map(str, words)])
        self.seen = ""

    def until(self, words):
        """What it writes, up to these words and all that comes with them."""
        start, end = self.seen, time.monotonic() + WAIT
        self.seen = ""
        while words not in self.seen:
            assert time.monotonic() < end, f"{words!r} did not come: {start[-300:]!r} {self.seen[-2000:]!r}"
            if select.select([self.file], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.file, 65536).decode()
                except OSError:  # it has ended
                    assert words in self.seen, self.seen[-2000:]
        return self.seen

    def press(self, keys):
        os.write(self.file, keys.encode())

    def end(self, number=None):
        if number:
            os.kill(self.pid, number)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.file)
        return status


@pytest.mark.skipif(os.name != "posix", reason="no such terminals here")
def test_a_sitting_with_undo_skip_pause_and_a_kill(folder, made):
    truth = made[1]
    asked = [row.id for row in checking.of(folder).asked(12)]
    labels = checking.of(folder).labels
    key = {label: str(at + 1) for at, label in enumerate(labels)}
    given = [key[truth[id]] for id in asked]

    first = Terminal("check", folder, "--rows", 12)
    first.until("Any key begins")
    first.press(" ")
    first.until("row 1 of 12")
    first.press(given[0])
    first.until("row 2 of 12")
    first.press("\x1b[A")  # an arrow is no answer
    first.press("q")  # nor is a key without a label
    first.press(given[1] + given[2])  # typed at once
    first.until("row 4 of 12")
    first.press("\x7f")
    first.until("row 3 of 12")
    first.press(given[2])
    first.until("row 4 of 12")
    first.press(" ")  # skipped
    first.until("row 5 of 12")
    first.press("0")  # none is right
    first.until("row 6 of 12")
    assert os.WIFSIGNALED(first.end(signal.SIGKILL))

    lines = (folder / "checked" / "me.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines[1:]] == [
        {"id": asked[0], "label": truth[asked[0]]},
        {"id": asked[1], "label": truth[asked[1]]},
        {"id": asked[2], "label": truth[asked[2]]},
        {"id": asked[2], "undone": True},
        {"id": asked[2], "label": truth[asked[2]]},
        {"id": asked[3], "skipped": True},
        {"id": asked[4], "label": None},
    ]

    second = Terminal("check", folder, "--rows", 12)
    assert "5 rows done so far" in second.until("Any key begins")
    second.press(" ")
    second.until("row 6 of 12")
    second.press("\x1b")
    assert "5 of 12 rows are done and kept" in second.until("next: slmfit check")
    assert second.end() == 0
    assert not (folder / "checked" / "verdict.json").exists()

    third = Terminal("check", folder, "--rows", 12)
    third.until("Any key begins")
    third.press(" ")
    third.until("row 6 of 12")
    third.press("".join(given[5:]))
    third.until("All 12 rows are done")
    third.press("\x7f")
    third.until("row 12 of 12")
    third.press(given[11])
    third.until("All 12 rows are done")
    third.press("\r")
    shown = third.until("next: slmfit")
    assert third.end() == 0
    assert "truly right" in shown
    verdict = json.loads((folder / "checked" / "verdict.json").read_text())
    assert (verdict["asked"], verdict["checked"]) == (12, 11)
    assert verdict["persons"] == {"me": {"answered": 11, "skipped": 1, "none": 1}}


class Typing:
    """A sitting without a terminal: its keys, and what it has drawn."""

    def __init__(self, given, asked, person):
        self.sitting = Sitting(given, asked, person)
        self.drawn = io.StringIO()
        self.sitting.console = Screen(file=self.drawn, width=100, force_terminal=True, highlight=False)

    def press(self, key):
        self.sitting.take(key)
        self.sitting._show()


def test_what_is_shown_does_not_depend_on_what_anybody_answered(folder):
    given = checking.of(folder)
    others = tuple(given.labels[1:]) + given.labels[:1]
    turned = dict(zip(given.labels, others, strict=True))
    altered = replace(
        given,
        rows=[replace(row, label=turned[row.label]) for row in given.rows],
        answers={id: [turned.get(one) for one in said] for id, said in given.answers.items()},
    )
    drawn = []
    for name, one in (("first", given), ("second", altered)):
        with checking.answers_of(given, name) as person:
            typing = Typing(one, one.asked(20), person)
            for _ in range(20):
                typing.press("1" if name == "first" else "2")
            drawn.append(typing.drawn.getvalue())
    assert drawn[0] == drawn[1]


def test_a_key_takes_less_than_a_fifth_of_a_second(folder):
    given = checking.of(folder)
    with checking.answers_of(given, "me") as person:
        typing = Typing(given, given.asked(100), person)
        start = time.process_time()
        for _ in range(100):
            typing.press("1")
        assert (time.process_time() - start) / 100 < 0.2


def test_keys():
    assert list(told("1\x7f \x1b[A\x1bOPa\x1b")) == ["1", BACK, " ", "a", ESCAPE]
    assert list(key_of(["a", "b"]).values()) == ["1", "2"]
    many = key_of([f"label {i}" for i in range(77)])
    assert len(set(many.values())) == 77
    assert many["label 30"] == "be"
    with pytest.raises(UsageError, match="too many"):
        key_of([str(i) for i in range(677)])


def test_two_keys_where_there_are_many_labels(folder):
    given = replace(checking.of(folder), labels=tuple(f"label {i}" for i in range(40)))
    with checking.answers_of(given, "me") as person:
        typing = Typing(given, given.asked(5), person)
        for key in ("b", "e", "b", BACK, "a", "a", "z", "z"):
            typing.press(key)
        assert list(person.labels.values()) == ["label 30", "label 0"]


@pytest.fixture(scope="module")
def with_entities(tmp_path_factory):
    """A comparison of entities in whose test rows every fifth truth lacks one, and the whole truth by id."""
    data = make_dataset("token-classification", sizes=(120, 40, 60))
    truth = {e.id: e.target for e in data.test}
    erring = [replace(e, target=replace(e.target, spans=e.target.spans[1:])) if at % 5 == 0 else e
              for at, e in enumerate(data.test)]  # fmt: skip
    data = replace(data, splits={**data.splits, "test": tuple(erring)})
    folder = tmp_path_factory.mktemp("entities")
    compare(data, "majority,linear", out=folder)
    return folder, truth


def test_entities_are_right_or_not_as_a_whole(with_entities):
    folder, truth = with_entities
    given = checking.of(folder)
    assert given.marks and given.called == "the given answer"
    right = {id: sum(said == written(truth[row.id]) for row, said in zip(given.rows, given.answers[id], strict=True))
             for id in given.answers}  # fmt: skip
    labels = sum(row.label == written(truth[row.id]) for row in given.rows)
    assert labels < len(given.rows) and right["linear"]
    with checking.answers_of(given, "me") as person:
        typing = Typing(given, given.rows, person)
        for row in given.rows:
            options = key_of(row.options)
            typing.press("z")  # means nothing
            typing.press(options.get(written(truth[row.id]), "0"))
    told = checking.judged(given, len(given.rows))
    assert told.accuracy.value == pytest.approx(labels / len(given.rows))
    (linear,) = told.methods
    assert linear.accuracy.value == pytest.approx(right["linear"] / len(given.rows))
    assert linear.difference.value == pytest.approx((labels - right["linear"]) / len(given.rows))
    assert "[Rome CITY]" in Text.from_ansi(typing.drawn.getvalue()).plain
    row = next(row for row in given.rows if len(row.options) > 1)
    for option in row.options:
        assert json.dumps(json.loads(option)) == option and written(read(option)) == option


def test_whose_marks_are_whose_is_not_to_be_seen(with_entities):
    given = checking.of(with_entities[0])
    turned = replace(
        given,
        rows=[
            replace(row, label=said or row.label) for row, said in zip(given.rows, given.answers["linear"], strict=True)
        ],
        answers={"linear": [row.label for row in given.rows]},
    )
    drawn = []
    for name, one in (("first", given), ("second", turned)):
        with checking.answers_of(given, name) as person:
            typing = Typing(one, one.asked(20), person)
            for _ in range(20):
                typing.press("1")
            drawn.append(typing.drawn.getvalue())
    assert drawn[0] == drawn[1]
    assert all(name not in drawn[0] for name in ("linear", "given"))


def test_the_options_of_a_row_are_in_no_order_that_tells(with_entities):
    rows = [row for row in checking.of(with_entities[0]).rows if len(row.options) > 1]
    places = [row.options.index(row.label) for row in rows]
    assert set(places) == {0, 1}


def test_entities_that_are_not_in_the_text_make_an_answer_wrong():
    answer = Entities((Span(0, 4, "CITY"),), "book", (("Oslo", "CITY"),))
    assert written(answer) is None
    assert written(replace(answer, unplaced=())) == '[[[0, 4, "CITY"]], "book"]'
    assert written(replace(answer, unplaced=()), intent=False) == '[[[0, 4, "CITY"]], null]'
    assert (written("billing"), written(None)) == ("billing", None)


def test_some_may_leave_where_not_all_may(tmp_path):
    """linear is right where it is sure, and wrong where it is not."""
    data = make_dataset(sizes=(120, 40, 400))
    compare(data, "linear", out=tmp_path)
    path, rng = tmp_path / "runs" / "linear" / "predictions.jsonl", random.Random(0)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        good = row["split"] != "test" or rng.random() < 0.6
        sure = rng.uniform(0.8, 1) if good else rng.uniform(0.4, 0.5)
        row["prediction"] = row["target"] if good else next(one for one in data.task.labels if one != row["target"])
        row["probabilities"] = {row["prediction"]: sure}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = checking.of(tmp_path)
    truth = {e.id: str(e.target) for e in data.test}
    with checking.answers_of(given, "me") as person:
        for row in given.asked(150):
            person.answer(row.id, truth[row.id])
    found = checking.judged(given, 150)
    assert (found.kind, found.method) == ("leave-in-part", "linear")
    assert 0.5 < found.part.share <= 0.65 and found.part.threshold > 0.5
    assert found.sentence.startswith("Leave in part: where linear is at least ")
    assert json.loads((tmp_path / "checked" / "verdict.json").read_text())["part"]["share"] == found.part.share
    assert found.part.usd_per_1000 is None
    page = report(tmp_path).read_text()
    assert "Checked by a person." in page and "Leave in part: where linear is at least" in page
    assert found.caveats[0].split(" that ")[0] in page


def test_what_little_a_small_test_split_tells_is_said_before(folder):
    """Where no answer differs the rows are a sample still."""
    given = checking.of(folder)
    few = replace(given, rows=given.rows[:24], group=given.group[:24] * 0)
    few = replace(few, answers={"linear": [row.label for row in few.rows]})
    (line,) = foretold(few, 24)
    assert "will be known to within 13.8 points" in line


def test_what_so_many_rows_can_tell_is_said_before(folder):
    lines = foretold(checking.of(folder), 20)
    assert [line.split(":")[0] for line in lines] == ["linear", "knn"]
    assert all("will be known to within" in line for line in lines)


def test_no_verdict_before_the_rows_are_done(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["slmfit", "check", str(folder), "--rows", "10", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "10 of 10 rows are not checked yet" in capsys.readouterr().err


def test_checked_by_two(folder, made, monkeypatch, capsys):
    given, truth = checking.of(folder), made[1]
    for name in ("me", "second"):
        with checking.answers_of(given, name) as person:
            for at, row in enumerate(given.asked(40)):
                wrong = name == "second" and at < 4
                person.answer(row.id, given.labels[0] if wrong and truth[row.id] != given.labels[0] else truth[row.id])
    monkeypatch.setattr(sys, "argv", ["slmfit", "check", str(folder), "--rows", "40", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["checked"] == 40
    assert 0 < found["disagreement"]["value"] <= 0.1
    assert any("The checkers disagree on" in one for one in found["caveats"])
    assert found["accuracy"]["low"] <= found["accuracy"]["value"] <= found["accuracy"]["high"]


def test_the_figures_of_all_rows_checked_are_those_of_the_rows(folder, made):
    given, truth = checking.of(folder), made[1]
    with checking.answers_of(given, "me") as person:
        for row in given.rows:
            person.answer(row.id, truth[row.id])
    assert checking.last_said(folder) is None
    found = checking.judged(given, len(given.rows))
    assert checking.last_said(folder) == found.sentence
    assert "Checked by a person." in report(folder).read_text()
    right = {id: sum(said == truth[row.id] for row, said in zip(given.rows, given.answers[id], strict=True))
             for id in given.answers}  # fmt: skip
    labels = sum(row.label == truth[row.id] for row in given.rows)
    assert found.accuracy.value == pytest.approx(labels / len(given.rows))
    for one in found.methods:
        assert one.accuracy.value == pytest.approx(right[one.id] / len(given.rows))
        assert one.difference.value == pytest.approx((labels - right[one.id]) / len(given.rows))


def test_more_rows_go_on_from_fewer(folder):
    given = checking.of(folder)
    assert [row.id for row in given.asked(30)] == [row.id for row in checking.of(folder).asked(60)][:30]


def test_what_cannot_be_checked_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="--rows cannot be 0"):
        checking.of(folder).asked(0)
    with pytest.raises(UsageError, match="is not a comparison"):
        checking.of(tmp_path)
    with pytest.raises(UsageError, match="no row was answered"):
        checking.judged(checking.of(folder), 10)
    for name in ("", "../me", "a b"):
        with pytest.raises(UsageError, match="--as cannot be"), checking.answers_of(checking.of(folder), name):
            pass
    given = checking.of(folder)
    another = pytest.raises(UsageError, match="another slmfit")
    with checking.answers_of(given, "me"), another, checking.answers_of(given, "me"):
        pass
    compare(make_dataset("multiple-choice"), "linear", out=tmp_path / "options")
    compare(make_dataset(), "linear", out=tmp_path / "bare", texts=False)
    compare(make_dataset(), "majority", out=tmp_path / "floor")
    with pytest.raises(UsageError, match="a person can be asked about labels and entities alone"):
        checking.of(tmp_path / "options")
    with pytest.raises(UsageError, match="no method but those"):
        checking.of(tmp_path / "floor")
    with pytest.raises(UsageError, match="texts were not kept"):
        checking.of(tmp_path / "bare")


def test_a_line_that_a_kill_cut_short_is_asked_again(folder):
    given = checking.of(folder)
    with checking.answers_of(given, "me") as person:
        for row in given.asked(3):
            person.answer(row.id, given.labels[0])
    path = folder / "checked" / "me.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    assert len(checking.judged(given, 3).methods) == 2
    with checking.answers_of(given, "me") as person:
        assert [person.has(row.id) for row in given.asked(3)] == [True, True, False]


def test_answers_to_rows_that_were_drawn_otherwise_are_not_mixed_in(folder):
    given = checking.of(folder)
    with checking.answers_of(given, "me") as person:
        person.answer(given.rows[0].id, given.labels[0])
    path = folder / "checked" / "drawn.json"
    drawn = json.loads(path.read_text())
    path.write_text(json.dumps({**drawn, "ids": drawn["ids"][::-1]}))
    with pytest.raises(UsageError, match="drawn otherwise"), checking.answers_of(checking.of(folder), "me"):
        pass
    path.write_text(json.dumps({**drawn, "test": "other"}))
    with pytest.raises(UsageError, match="not those that were drawn from"):
        checking.of(folder)
    (folder / "checked" / "verdict.json").write_text(json.dumps({"sentence": "Leave."}))
    assert checking.last_said(folder) is None
    assert "Checked by a person." not in report(folder).read_text()
    path.write_text(json.dumps({**drawn, "group": "x"}))
    with pytest.raises(SlmfitError):
        checking.of(folder)


def test_a_method_that_came_after_the_draw_is_judged_too(folder, made):
    """It may differ where all methods agreed when the rows were drawn."""
    given, truth = checking.of(folder), made[1]
    path = folder / "runs" / "knn" / "predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    sure = {row.id for row, group in zip(given.rows, given.group, strict=True) if group < 2}
    others = {label: given.labels[at - 1] for at, label in enumerate(given.labels)}
    for row in rows:
        if row["split"] == "test" and row["id"] in sure:
            row["prediction"] = others[row["prediction"]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    late = checking.of(folder)
    assert late.rows == given.rows and (~late.agree("knn") & (late.group < 2)).any()
    assert foretold(late, 40)
    with checking.answers_of(late, "me") as person:
        for row in late.asked(40):
            person.answer(row.id, truth[row.id])
    (knn,) = (one for one in checking.judged(late, 40).methods if one.id == "knn")
    assert knn.difference.low <= knn.difference.value <= knn.difference.high and knn.difference.value > 0.2


def test_nothing_is_written_where_a_strangers_folder_leads(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "checked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SlmfitError, match="lies outside"):
        checking.of(folder)
    (folder / "checked").unlink()
    given = checking.of(folder)
    (folder / "checked" / "me.jsonl").symlink_to(tmp_path / "elsewhere" / "made")
    with pytest.raises(SlmfitError, match="lies outside"), checking.answers_of(given, "me"):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_draw_that_is_none_is_refused(folder):
    checking.of(folder)
    path = folder / "checked" / "drawn.json"
    drawn = json.loads(path.read_text())
    groups, ids = drawn["group"][1:], drawn["ids"][1:]
    for wrong in ({"group": [9, *groups]}, {"group": [-1, *groups]}, {"ids": [ids[0], *ids]}):
        path.write_text(json.dumps(drawn | wrong))
        with pytest.raises(UsageError, match="not those that were drawn from"):
            checking.of(folder)
