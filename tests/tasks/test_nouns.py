"""What depends on the task is asked of the task: nowhere else is its name or the class of a target looked at."""

import ast
from pathlib import Path

from slmfit.tasks import TASKS

SOURCE = Path(__file__).parents[2] / "src" / "slmfit"
CLASSES = {"Entities", "Question", "TextClassification", "TokenClassification", "MultipleChoice"}
ALLOWED = {
    "records.py": 1,  # where they are defined, and shown in a notebook
    "data/given.py": 1,  # rows of data say entities, as `unplaced` is added to what the task has parsed
    "checking/given.py": 3,  # a person is shown entities as options, each by a name of its own
}


def named(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in TASKS


def constants(tree):
    """The names that hold a task's name; CLASSIFICATION is one wherever it is imported."""
    found = {"CLASSIFICATION"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(map(named, [node.value, *getattr(node.value, "elts", [])])):
            found |= {name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)}
    return found


def found_in(tree):
    """Comparisons with a task's name, and isinstance of a target's class or a task's."""
    known = constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [side for one in (node.left, *node.comparators) for side in (one, *getattr(one, "elts", []))]
            if any(named(side) or getattr(side, "id", "") in known for side in sides):
                yield node
        called = node.func if isinstance(node, ast.Call) else None
        if getattr(called, "id", "") == "isinstance" and CLASSES & {
            n.id for n in ast.walk(node.args[1]) if hasattr(n, "id")
        }:
            yield node


def test_nobody_else_asks_what_the_task_is():
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith("tasks/"):
            lines = [node.lineno for node in found_in(ast.parse(path.read_text(encoding="utf-8")))]
            if len(lines) > ALLOWED.get(name, 0):
                found[name] = lines
    assert found == {}
    assert len(ALLOWED) <= 3


def test_such_a_comparison_would_be_found():
    code = """
    A, B = "text-classification", "token-classification"
    one = task.name == "multiple-choice"
    two = task == B
    three = task in (A, B)
    four = isinstance(target, str | Entities)
    """
    assert len(list(found_in(ast.parse("if True:" + code)))) == 4
