"""docs/serve.md: its unit file, its Dockerfile and its tables say what is so."""

import configparser
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")
import typer

from slmfit.cli.verbs import app
from slmfit.serving import openapi
from slmfit.serving.limits import Limits

HERE = Path(__file__).parents[2]
PAGE = (HERE / "docs" / "serve.md").read_text(encoding="utf-8")


def block(kind):
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return found


def parsed(words):
    """What the command line makes of `slmfit serve …`; raises where it takes it not."""
    assert words[0].endswith("slmfit") and words[1] == "serve"
    command = typer.main.get_command(app).commands["serve"]
    return command.make_context("serve", words[2:]).params


def test_the_unit_file():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(block("ini"))
    service = unit["Service"]
    given = parsed(shlex.split(service["ExecStart"]))
    assert given["host"] == "127.0.0.1" and given["port"] == 8000
    limits = Limits()
    assert int(service["TimeoutStopSec"]) > limits.drain + limits.grace
    assert int(service["LimitNOFILE"]) > limits.connections + 64
    assert service["Restart"] == "on-failure"  # which an exit code of 0 is not


def test_the_dockerfile():
    lines = dict(line.split(" ", 1) for line in block("dockerfile").splitlines())
    given = parsed(eval(lines["CMD"]))
    assert given["host"] == "0.0.0.0" and str(given["port"]) == lines["EXPOSE"]
    assert given["runs"] == [lines["COPY"].split()[1]] and lines["USER"] == "nobody"
    compile(eval(lines["HEALTHCHECK"].removeprefix("CMD "))[2], "healthcheck", "exec")


def test_its_routes_are_those_of_the_document():
    told = set(re.findall(r"`(?:GET|POST) (/[\w/]*)`", PAGE)) | {"/openapi.json", "/docs"}
    assert told == set(openapi.document(Limits())["paths"])


def test_its_figures_are_the_limits():
    limits = Limits()
    assert f"up to {limits.inputs}" in PAGE and f"{limits.connections:,} connections" in PAGE
    assert f"{limits.body >> 20} MiB" in PAGE and f"up to {limits.drain:g} seconds" in PAGE
    assert limits.receipt == 10 and "ten seconds" in PAGE
