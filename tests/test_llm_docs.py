"""The commands of docs/llm.md, as they stand there, each as a dry run on a small file."""

import csv
import re
import shlex
import sys
from pathlib import Path

import pytest

from slmfit import __main__ as cli
from slmfit.generating import write_tickets

DOCS = (Path(__file__).parent.parent / "docs" / "llm.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def tickets(tmp_path, monkeypatch):
    """The file that the page names, in the current folder."""
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "tickets.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(write_tickets(200, 0))


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("slmfit compare")])
def test_commands(command, tickets, monkeypatch, capsys):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = shlex.split(command.replace("hub:fancyzhx/ag_news", "tickets.csv"))
    monkeypatch.setattr(sys, "argv", [*words, *(["--dry-run"] if "--dry-run" not in words else [])])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    out, err = capsys.readouterr()
    assert not exit.value.code, err
    models = re.findall(r"llm(?:@\w+)?=([^,\s]+)", command)
    assert out.count("asked ") == len(models) > 0
    assert ("No text would leave this machine." in out) == ("localhost" in command)


def test_the_toml_of_prices_is_read(tmp_path):
    from slmfit.llm.prices import from_toml

    (block,) = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    (tmp_path / "prices.toml").write_text(block)
    prices = from_toml(tmp_path / "prices.toml", "gemma3:27b")
    assert (prices.input, prices.output, prices.cached_input, prices.date) == (0.1, 0.3, 0.05, "2026-11-01")


def test_the_test_without_a_model(tickets, capsys):
    (block,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    exec(compile(block, "llm.md", "exec"), {})
    tries, usd = re.fullmatch(r"(\d+) tries, \$ ([\d.]+) for all calls\n", capsys.readouterr().out).groups()
    assert int(tries) > 1 and float(usd) > 0


def test_the_options_it_names_are_there():
    from typer.main import get_command

    commands = [get_command(cli.app).commands[verb] for verb in ("compare", "predict")]
    options = {name for command in commands for parameter in command.params for name in parameter.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", DOCS))
    assert named <= options, named - options
