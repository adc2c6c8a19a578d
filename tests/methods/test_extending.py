"""docs/extending.md is true: its file and its row, put where it says, make a method that every command knows."""

import json
import re
from pathlib import Path

from extended import slmfit, with_method

DOC = Path(__file__).parents[2] / "docs" / "extending.md"


def test_the_example_becomes_a_method(tmp_path):
    text = DOC.read_text(encoding="utf-8")
    file, row = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shell,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    source = with_method(tmp_path / "src", "shortest", file, row)
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
