"""What is checked, what is counted, and what a kill leaves behind."""

import errno
import json
import os
from collections import Counter
from random import Random

import pytest

from slmfit.errors import DataError, SlmfitError, UsageError
from slmfit.events import Journal
from slmfit.generating import generate, read_recipe, work
from slmfit.generating.checks import Draft, flaw
from slmfit.generating.journal import journal_at
from slmfit.generating.marked import Marked, read_marks
from slmfit.generating.quotas import Quotas
from slmfit.generating.twins import Twins
from slmfit.records import Span

EMAILS = read_recipe("emails")


def draft(text, label="cancel"):
    return Draft(label, text if isinstance(text, Marked) else read_marks(text), "plain")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("Cancel the call on [DATE|Friday], please", None),
        ("[NAME|Ann]'s call on [DATE|Friday] is off", None),
        ("Cancel the [TIME|10] o'clock call of [DATE|March 10]", None),  # the other 10 is marked, too
        ("Cancel the call on [DATE|Fri]day, please", "misplaced mark"),
        ("Cancel the call on[DATE| Friday], please", "misplaced mark"),
        ("Cancel the call on [DATE|Friday,] please", "misplaced mark"),
        ("Cancel the [TIME|10] AM call with 10 people", "unmarked entity"),
        ("Cancel [DATE|Friday], I said Friday already", "unmarked entity"),
        ("Cancel the call in [CITY|Rome] today, please", "unknown entity"),
        ("Cancel it", "too short"),
        ("Cancel it, please. " * 30, "too long"),
        ("Cancel the call on\0 [DATE|Friday]", "broken text"),
        ("Cancel the call on \ud83d [DATE|Friday]", "broken text"),
        ("  \n \t " * 9, "broken text"),
        ("The same time [DATE|the day after tomorrow]", None),
        ("Move it to the noon call [DATE|the day after tomorrow]", "lost in words"),
    ],
)
def test_what_is_looked_at(written, reason):
    assert flaw(draft(written), EMAILS) == reason


def test_a_label_that_is_none_and_scripts_without_spaces():
    assert flaw(draft("Cancel the call on [DATE|Friday]", "praise"), EMAILS) == "unknown label"
    assert (
        flaw(draft(Marked("東京へ明日行くのはやめます、よろしくお願いします", (Span(3, 5, "DATE"),))), EMAILS) is None
    )


def test_twins_are_told_from_what_is_kept_not_from_what_is_rejected():
    words = "please cancel the call with the whole team about the new plan tomorrow".split()
    near = " ".join(["kindly", *words[1:]])
    far = " ".join(["kindly", *words[1:-1], "today"])  # one word from `near`, two from the first
    kept = []
    twins = Twins(avoid=["Do not copy this row of the test split, whatever you may write here"])
    copy = "do not copy this row of the test split whatever you write here"
    texts = [" ".join(words), near, far, near.upper() + "!", copy]
    reasons = twins.sort_out(texts, lambda position: kept.append(position))
    assert reasons == [None, "near duplicate", None, "near duplicate", "copied row"]
    assert kept == [0, 2]
    more = twins.sort_out([" ".join(words).title(), "something else"], lambda _: "over quota")
    assert more == ["duplicate", "over quota"]
    assert twins.sort_out(["something else"], lambda _: None) == [None]


def test_quotas_are_kept_whatever_comes():
    rng = Random(4)
    for n in (1, 2, 7, 50, 333):
        quotas = Quotas(EMAILS, n)
        while quotas.missing:
            types = {name for name in EMAILS.entities if rng.random() < 0.5}
            label = rng.choice(["inquiry", "cancel"])
            if quotas.takes(label, types):
                quotas.add(label, types)
        assert quotas.by_label == quotas.labels
        for name, wanted in quotas.types.items():
            assert abs(quotas.by_type[name] - wanted) <= max(1, wanted / 10)


def test_a_plan_asks_for_exactly_what_is_missing():
    quotas = Quotas(EMAILS, 40)
    for orders in (quotas.plan(Random(1)), quotas.plan(Random(1), None)):
        assert Counter(order.label for order in orders) == quotas.labels
        assert Counter(name for order in orders for name in order.types) == quotas.types
    assert quotas.plan(Random(1)) != quotas.plan(Random(2))


# --- killed and gone on ---


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if "about" not in path.name}


def made_in_a_fork(folder, die_at):
    """Write in a child that dies when the journal grows for the die_at-th time, half a line on the disk."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0
    real = Journal._append

    def append(self, entry):
        nonlocal count
        count += 1
        if count == die_at:
            line = json.dumps(entry).encode()
            self._file.write(line[: len(line) // 2])
            self._file.flush()
            os._exit(9)
        real(self, entry)

    Journal._append = append
    try:
        generate("emails", n=120, seed=5, output=folder / "e.jsonl")
    finally:
        os._exit(0)


def test_a_command_killed_at_any_round_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "ROUND", 25)
    whole = tmp_path / "whole"
    generate("emails", n=120, seed=5, output=whole / "e.jsonl")
    for die_at in (1, 2, 4):
        folder = tmp_path / str(die_at)
        assert made_in_a_fork(folder, die_at) == 9
        assert [path.name for path in folder.iterdir()] == [".e.jsonl.partial"]
        assert made_in_a_fork(folder, 2) == 9  # and once more, a line later
        assert not generate("emails", n=120, seed=5, output=folder / "e.jsonl").reused
        assert files(folder) == files(whole)


def test_a_kill_while_the_files_appear_loses_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(work, "write_examples", refuse)
        with pytest.raises(KeyboardInterrupt):
            generate("emails", n=20, output=tmp_path / "e.jsonl")
    assert not (tmp_path / "e.jsonl").exists()
    made = generate("emails", n=20, output=tmp_path / "e.jsonl")
    assert made.missing == 0 and not made.reused
    assert generate("emails", n=20, output=tmp_path / "e.jsonl").reused


def test_a_full_disk_is_said_with_the_file_that_it_refused(tmp_path, monkeypatch):
    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(SlmfitError, match="No space") as caught:
            generate("emails", n=5, output=tmp_path / "e.jsonl")
    assert caught.value.where == str(tmp_path / ".e.jsonl.partial")
    assert generate("emails", n=5, output=tmp_path / "e.jsonl").missing == 0


def test_what_is_there_already_is_never_written_over(tmp_path):
    path = tmp_path / "e.jsonl"
    path.write_text("mine\n")
    with pytest.raises(UsageError, match="is there already"):
        generate("emails", n=5, output=path)
    assert path.read_text() == "mine\n"
    path.unlink()
    generate("emails", n=5, output=path)
    for other in ({"n": 6}, {"seed": 1}, {"recipe": "tickets"}, {"form": "tokens"}):
        with pytest.raises(UsageError, match="is there already"):
            generate(**{"recipe": "emails", "n": 5, "output": path, **other})
    path.write_text(path.read_text().replace("a", "b"))  # changed by hand
    with pytest.raises(UsageError, match="is there already"):
        generate("emails", n=5, output=path)


def test_unfinished_work_of_another_command_is_left_alone(tmp_path):
    with journal_at(tmp_path / ".e.jsonl.partial", "another") as journal:
        journal.add({"kept": [], "rejected": []})
        with pytest.raises(UsageError, match="another slmfit"):
            generate("emails", n=5, output=tmp_path / "e.jsonl")
    with pytest.raises(UsageError, match="unfinished work of another"):
        generate("emails", n=5, output=tmp_path / "e.jsonl")
    assert (tmp_path / ".e.jsonl.partial").stat().st_size


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 10**12}, "at most 1,000,000"),
        ({"form": "bio"}, "no format 'bio'"),
        ({"output": "e.csv"}, r"end the name of --output in \.jsonl"),
        ({"output": "e.jsonl", "form": "words"}, r"end the name of --output in \.json$"),
        ({"output": ""}, "no name"),
        ({"seed": -1}, "seed"),
    ],
)
def test_arguments_that_cannot_be_are_refused_before_anything_is_written(given, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says):
        generate("emails", **given)
    assert list(tmp_path.iterdir()) == []


def test_rows_to_avoid_may_be_of_any_form(tmp_path):
    first = generate("emails", n=30, output=tmp_path / "spans.jsonl")
    generate("emails", n=30, output=tmp_path / "tokens.jsonl", form="tokens")
    (tmp_path / "texts.csv").write_text("body\nhello\n")
    texts = {json.loads(line)["text"] for line in first.path.read_text().splitlines()}
    for name in ("spans", "tokens"):
        made = generate("emails", n=30, output=tmp_path / f"a-{name}.jsonl", avoid=[tmp_path / f"{name}.jsonl"])
        assert made.about["rejected"]["copied row"] >= 25 and made.missing == 0
        assert not texts & {json.loads(line)["text"] for line in made.path.read_text().splitlines()}
    with pytest.raises(DataError, match="no column 'text'"):
        generate("emails", n=5, output=tmp_path / "b.jsonl", avoid=[tmp_path / "texts.csv"])
