"""What tests of `slmfit eject` share: a script, run as anybody would who has no slmfit, and what must hold of it.

script = ejected(run, folder)           # checked: no slmfit in it, nothing undefined, nothing twice
same(script, run, data)                 # its answers to the test rows are the run's
"""

import ast
import json
import re
import runpy
import subprocess
import sys

import slmfit
from slmfit.records import Tokens

CLOSE = 1e-4  # of probabilities
# Runs a file as its own program where no slmfit can be imported.
WITHOUT = (
    "import runpy, sys; sys.modules['slmfit'] = None; sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def ejected(run, folder):
    folder.mkdir(parents=True, exist_ok=True)
    place = slmfit.eject(run, folder / "script.py")
    lines = place.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 120
    assert not any(re.search(r"# \[/?\w+\]$", line) for line in lines)
    tree = ast.parse("\n".join(lines))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not any("slmfit" in ast.unparse(node) for node in imported)
    defined = [name for statement in tree.body for name in _defined(statement)]
    assert len(defined) == len(set(defined)), sorted(defined)
    checks = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--line-length", "120", str(place)]
    wrong = subprocess.run([*checks, "--select", "E,F,I,B,UP,RUF100"], capture_output=True, text=True)
    assert wrong.returncode == 0, wrong.stdout
    return place


def _defined(statement):
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def loaded(script):
    """The names of a script, as if it were imported."""
    return runpy.run_path(str(script))


def texts(data):
    """Test rows as a script takes them: texts, or the tokens that they came as."""
    inputs = [example.input for example in data.test]
    return [[i[a:b] for a, b in i.offsets] if isinstance(i, Tokens) else str(i) for i in inputs]


def same(answers, run, data):
    """Each of a script's answers is the run's, and says it as `predict` does."""
    inputs = [example.input for example in data.test]
    for answer, own, input in zip(answers, run.predict(inputs), inputs, strict=True):
        theirs = run.task.columns(own, input)
        assert answer["text"] == str(input)
        for name in ("prediction", "intent"):
            assert answer.get(name) == theirs.get(name)
        for name in ("probability", "intent_probability"):
            assert (name in answer) == (name in theirs)
            assert abs(answer.get(name, 0) - theirs.get(name, 0)) < CLOSE
        if "spans" in theirs:
            assert answer["spans"] == [
                {k: v for k, v in span.items() if k != "probability"} for span in theirs["spans"]
            ]
        assert answer.get("probabilities", {}).keys() == theirs.get("probabilities", {}).keys()
        for label, share in theirs.get("probabilities", {}).items():
            assert abs(answer["probabilities"][label] - share) < CLOSE


def called(script, *words, given=None):
    """What it prints to these texts, or to lines on stdin, in an environment without slmfit."""
    lines = None if given is None else "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in given)
    command = [sys.executable, "-P", "-c", WITHOUT, str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, input=lines, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
