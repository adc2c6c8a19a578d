"""docs/extending.md is true: its class is a method for every command, in a file of its own and installed."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from extended import install, slmfit

DOC = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tickets")
    rows = "".join(f"{'very ' * (i % 2) * 9}good {i},{'long' if i % 2 else 'short'}\n" for i in range(60))
    (folder / "tickets.csv").write_text("text,label\n" + rows, encoding="utf-8")
    return folder


def run_all(block, cwd, source=None):
    answers = []
    for line in block.splitlines():
        words = [w.strip('"') for w in re.findall(r'"[^"]*"|\S+', line)]
        assert words[0] == "slmfit"
        answers.append(slmfit(*words[1:], cwd=cwd, source=source).stdout)
    return answers


def checked(out):
    record = json.loads((out / "runs" / "shortest" / "run.json").read_text())
    assert record["chosen"] == {"unit": "words"}
    assert record["scores"]["test"]["accuracy"]["value"] == 1
    return record["method"]


def test_the_example_is_a_method_in_the_folder_one_is_in(tickets):
    (tickets / "shortest.py").write_text(*blocks("python"), encoding="utf-8")
    answers = run_all(blocks("sh")[0], tickets)
    assert checked(tickets / "compared") == "shortest:Shortest"
    assert answers[1].startswith("shortest:Shortest.unit\n    What is counted;")
    assert json.loads(answers[2])["prediction"] == "short"
    (run,) = (tickets / "trained" / "runs").iterdir()
    assert run.name == "shortest@letters"
    refused = slmfit("predict", "compared/runs/shortest", "hello", cwd=tickets, check=False)
    assert refused.returncode == 4 and "name it: --method shortest:Shortest" in refused.stderr
    assert "shortest" in slmfit("report", "compared", "--markdown", cwd=tickets).stdout


def test_the_example_is_a_method_once_it_is_installed(tickets, tmp_path):
    points = tomllib.loads(*blocks("toml"))["project"]["entry-points"]["slmfit.methods"]
    source = install(tmp_path / "site", "shortest", *blocks("python"), points)
    answers = run_all(blocks("sh")[1], tickets, source)
    assert "The label whose texts are about as long." in answers[0]
    assert checked(tickets / "installed") == "shortest"
    assert json.loads(answers[2])["prediction"] == "short"
    gone = slmfit("predict", "installed/runs/shortest", "hello", cwd=tickets, check=False)
    assert gone.returncode == 1 and "install the package that brings it: it was shortest-package 0.1" in gone.stderr
