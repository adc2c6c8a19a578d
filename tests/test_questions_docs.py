"""docs/questions.md: its rows are read as it says, its record is what is written, its commands run."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit.errors import Where
from slmfit.methods import TABLE
from slmfit.records import Example, Prediction, Question
from slmfit.tasks.choice import MultipleChoice

DOC = (Path(__file__).parent.parent / "docs" / "questions.md").read_text(encoding="utf-8")
ROWS = [json.loads(row) for row in re.findall(r"^\| [^|]+ \| `(\{.*?\})`", DOC, re.MULTILINE)]
ICE = Question("Ice is", {"A": "hot", "B": "cold"})


def test_every_row_is_the_same_question():
    assert len(ROWS) == 11
    for row in ROWS:
        row = {
            name.lower() if name in ("A", "B") else name: cell for name, cell in row.items()
        }  # as a file's columns are
        assert MultipleChoice().parse(row, Where("docs/questions.md"), "7") == Example("7", ICE, "B"), row


def test_the_record_is_what_is_written():
    (record,) = (json.loads(block) for block in re.findall(r"```json record\n(.*?)```", DOC, re.DOTALL))
    assert MultipleChoice(("A", "B")).answered(Example("7", ICE, "B"), Prediction("A")) == record


def test_its_methods_do_the_task():
    named = {name.partition("@")[0] for name in re.findall(r"^\| `(\w+(?:@[\w-]+)?)`", DOC, re.MULTILINE)}
    assert {"majority", "linear", "knn", "encoder", "llm"} <= named
    assert all("multiple-choice" in TABLE[name].tasks for name in named)


def test_its_commands_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = make_dataset("multiple-choice", sizes=(60, 20, 20))
    for name, rows in (("quiz", (*data.train, *data.validation)), ("november", data.test), ("new", data.test)):
        lines = [json.dumps({k: v for k, v in data.task.unparse(e).items() if (name, k) != ("new", "answer")})
                 for e in rows]  # fmt: skip
        Path(f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (block,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
    said = []
    for line in block.splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as exit:
            cli.main()
        captured = capsys.readouterr()
        assert not exit.value.code, captured.err
        said.append(captured.out + captured.err)
    assert "in 4 orders of the options" in said[2]
    scores = [re.search(r"^accuracy .*$", one, re.MULTILINE)[0] for one in said[2:4]]
    assert scores[0] == scores[1]
    written = [json.loads(line) for line in Path("compared/data/answered/linear.jsonl").read_text().splitlines()]
    assert written and {"answer_gt", "model_output", "is_correct"} <= written[0].keys()
    assert all("prediction" in json.loads(line) for line in Path("answered.jsonl").read_text().splitlines())
