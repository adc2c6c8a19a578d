"""docs/extending.md is true: its file and its row, put where it says, make a method that every command knows."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def slmfit(*words, cwd, source):
    # The copied package goes first on the path, so that it and not the installed one answers.
    env = os.environ | {"PYTHONPATH": str(source)}
    command = [sys.executable, "-c", "from slmfit.__main__ import main; main()", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)


def test_the_example_becomes_a_method(tmp_path):
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    file, row = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shell,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src" / "slmfit", source / "slmfit", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "slmfit" / "methods" / "shortest.py").write_text(file, encoding="utf-8")
    table = source / "slmfit" / "methods" / "__init__.py"
    head, brace, tail = table.read_text(encoding="utf-8").partition("TABLE: dict[str, Row] = {\n")
    assert brace
    table.write_text(head + brace + row + tail, encoding="utf-8")
    rows = "".join(f"{'very ' * (i % 2) * 9}good {i},{'long' if i % 2 else 'short'}\n" for i in range(60))
    (tmp_path / "tickets.csv").write_text("text,label\n" + rows, encoding="utf-8")

    answers = []
    for line in shell.splitlines():
        words = [w.strip('"') for w in re.findall(r'"[^"]*"|\S+', line)]
        assert words[0] == "slmfit"
        answers.append(slmfit(*words[1:], cwd=tmp_path, source=source).stdout)
    assert "shortest" in answers[0]
    record = json.loads((tmp_path / "compared" / "runs" / "shortest" / "run.json").read_text())
    assert record["chosen"] == {"unit": "words"}
    assert record["scores"]["test"]["accuracy"]["value"] == 1
    assert json.loads(answers[2])["prediction"] == "short"
