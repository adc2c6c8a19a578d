"""docs/security.md names the test that keeps each promise: each of them is there, and every promise has one."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent.parent
PAGE = (HERE / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def names_in(file):
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_it_names_is_there():
    assert len(NAMED) > 30
    assert [f"{file}::{name}" for file, name in NAMED if name not in names_in(file)] == []
    assert PAGE.count("tests/") == len(NAMED), "a test is named as tests/FILE.py::NAME"


def test_every_line_of_a_table_names_one():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.endswith(" test |")]
    assert len(lines) > 15
    assert [line for line in lines if "tests/" not in line.rsplit("|", 2)[1]] == []


def test_the_readme_leads_to_it():
    assert "docs/security.md" in (HERE / "README.md").read_text(encoding="utf-8")
