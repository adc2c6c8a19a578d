"""The README's commands and its Python run, as they stand there."""

import csv
import re
import shlex
import sys
from pathlib import Path

import pytest

from slmfit import __main__ as cli
from slmfit.generating import write_tickets

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def tickets(tmp_path, monkeypatch):
    """A folder with the files that the README names."""
    monkeypatch.chdir(tmp_path)
    for name, seed, rows in (("tickets.csv", 0, 600), ("november.csv", 1, 300), ("new.csv", 2, 300)):
        with (tmp_path / name).open("w", newline="") as file:
            columns = ["id", "text"] if name == "new.csv" else ["id", "text", "label"]
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(write_tickets(rows, seed))
    return tmp_path


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_commands(tickets, monkeypatch, capsys):
    (block,) = [b for b in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "slmfit compare" in b]
    for line in block.splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
        with pytest.raises(SystemExit) as exit:
            cli.main()
        assert not exit.value.code, capsys.readouterr().err
    answered, asked = (rows_of(tickets / name) for name in ("answered.csv", "new.csv"))
    assert [row["id"] for row in answered] == [row["id"] for row in asked]
    assert {"text", "prediction", "probability"} <= answered[0].keys()


def test_python(tickets, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    assert "accuracy" in capsys.readouterr().out


def test_the_table_of_methods_is_the_code_s():
    from slmfit.methods import TABLE

    assert re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE) == list(TABLE)
