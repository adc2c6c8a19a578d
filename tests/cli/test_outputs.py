"""`--output -` and what is no file: every verb that writes hands over what it made, and nothing beside it."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from slmfit import __main__ as cli
from slmfit.errors import UsageError
from slmfit.generating import generate

GOOD = "text,label\n" + "".join(f"word{i % 7} number {i} again,{'ab'[i % 2]}\n" for i in range(40))


@pytest.fixture
def done(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text(GOOD)

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["slmfit", *words])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        captured = capfd.readouterr()
        assert not exit.value.code, captured.err
        return captured.out

    return command


def test_every_verb_writes_to_stdout_what_it_would_write_to_a_file(done, tmp_path):
    done("train", "majority", "d.csv", "--out", "o")
    before = {path.name for path in tmp_path.iterdir()}
    for words in (
        ["explore", "d.csv"],
        ["report", "o/runs/majority"],
        ["predict", "o/runs/majority", "--input", "d.csv"],
        ["generate", "tickets", "-n", "20"],
    ):
        name = "f.html" if words[0] in ("explore", "report") else "f.jsonl"
        done(*words, "--output", name)
        assert done(*words, "--output", "-") == Path(name).read_text(), words[0]
        for path in tmp_path.glob("f.*"):
            path.unlink()
    assert {path.name for path in tmp_path.iterdir()} == before


def test_examples_go_into_a_pipe_and_nothing_stands_beside_it(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    made = generate("tickets", n=10, output=pipe)
    reader.join()
    assert len([json.loads(line) for line in got[0].splitlines()]) == 10 == made.about["rows"]
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"] and pipe.is_fifo()


@pytest.mark.parametrize("theirs", ["no line end", "a line\nand another\n", '{"format": "slmfit.generating/1"}\n'])
def test_a_file_by_the_journal_s_name_that_is_no_journal_stays(tmp_path, theirs):
    journal = tmp_path / ".t.jsonl.partial"
    journal.write_text(theirs)
    with pytest.raises(UsageError, match="unfinished work of another"):
        generate("tickets", n=10, output=tmp_path / "t.jsonl")
    assert journal.read_text() == theirs
