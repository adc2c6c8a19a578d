"""Damaged files: an error of ours or proper examples, in bounded time; nothing is run (benchmarks/attack.py: more)."""

import json
import time
from pathlib import Path

import pytest

import slmfit
from fuzzing import Doors
from slmfit.data.labels import merged_labels
from slmfit.errors import SlmfitError
from slmfit.generating.journal import journal_at
from slmfit.llm.ledger import Ledger

TRIED = 12  # of each reader, and for those that start a process or draw a page
FEW = {"parquet": 1, "comparison, reported": 2}


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    return Doors(tmp_path_factory.mktemp("doors"))


def test_whole_files_are_read(doors, tmp_path):
    for name, door in doors.doors.items():
        for path, content in door.files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
        door.read(tmp_path / name)


def test_damaged_files_end_in_our_errors_or_proper_examples(doors, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in doors.names:
        for number in range(FEW.get(name, TRIED)):
            begin = time.process_time()
            case = doors.attempt(doors.case(number, name), tmp_path / "case")
            assert time.process_time() - begin < 10, (name, case.how)
    assert list(Path().iterdir()) == []  # a pickle that is run makes a file here


def test_a_case_is_the_same_whenever_it_is_made(doors):
    assert [doors.case(n) for n in range(30)] == [doors.case(n) for n in range(30)]


# --- what fell ---


def test_a_merge_rule_of_brackets_without_end_is_refused_at_once(tmp_path):
    (tmp_path / "rules.txt").write_text("[" * 100_000 + "=a")
    begin = time.process_time()
    with pytest.raises(slmfit.UsageError, match="more than 1,000 characters"):
        merged_labels(["a", "b"], [str(tmp_path / "rules.txt")], None)
    assert time.process_time() - begin < 1


def test_a_ledger_may_name_a_sum_of_any_size(tmp_path):
    line = {"reserved": "ab" * 32, "tokens": 1, "usd": 10**400}
    (tmp_path / "l.jsonl").write_text(json.dumps(line) + "\n")
    opened = Ledger(tmp_path / "l.jsonl")
    opened.close()
    assert (opened.damaged, opened.spent.tokens) == (1, 0)


@pytest.mark.parametrize("line", ['{"kept": [', '{"kept": []}', "7", '{"kept": 1, "rejected": []}', "[" * 100_000])
def test_a_journal_s_line_that_nobody_here_wrote_is_told(tmp_path, line):
    (tmp_path / "j").write_text('{"format": "slmfit.generating/1", "key": "k"}\n' + line + "\n")
    with (
        pytest.raises(SlmfitError, match=r"line 2 of this unfinished work is damaged\n.*delete"),
        journal_at(tmp_path / "j", "k"),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("predictions.jsonl", b"\xff\xfe{"),
        ("predictions.jsonl", b'{"split": "test", "id": "1"}\n'),
        ("predictions.jsonl", b"7\n"),
        ("predictions.jsonl", b"[" * 100_000),
        ("run.json", b"[" * 100_000),
    ],
)
def test_a_report_of_what_somebody_edited_is_refused_or_drawn_without_it(doors, tmp_path, name, content):
    door = doors.doors["comparison, reported"]
    for path, whole in door.files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content if path == f"runs/majority/{name}" else whole)
    try:
        door.read(tmp_path)
    except SlmfitError as error:
        assert "damaged" in str(error) and error.fix
