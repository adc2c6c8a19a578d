"""The house: packages in one order, walls between some of them, no circle of files, and no name hidden by a package."""

import ast
import pkgutil
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import slmfit

HERE = Path(__file__).parent.parent
SOURCE = HERE / "src" / "slmfit"
# A module imports only what stands above it in this list, or its own package. Those to come have their place already.
ORDER = """
errors records streams storage environment events timing text hub evidence tasks data finetune llm embeddings generating
methods runs reporting exploring comparison exporting ejecting serving tuning stressing checking leaving cluster ui
testing cli __init__ __main__
""".split()
LEAVES = {
    "exporting",
    "ejecting",
    "serving",
    "tuning",
    "stressing",
    "checking",
    "leaving",
    "testing",
}  # of these none imports another
WALLS = {  # what does not reach what, not even through others
    "finetune": {"methods", "data"},
    "llm": {"methods", "data"},
    "embeddings": {"methods", "data"},
    "tasks": {"methods"},
}
# Of that package, what a run is read by.
NO_METHOD = {"slmfit.methods", "slmfit.methods.base", "slmfit.methods.saved", "slmfit.methods.strangers"}
MOST_LOOSE = 8


def modules(root=SOURCE):
    """Module -> its file."""
    base = root.parent if root == SOURCE else root
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)] = path
    return found


def imports(path, known):
    """The modules among `known` that a file imports anywhere: inside functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name in known)


@cache
def graph(root=SOURCE):
    """Module -> the modules it imports."""
    known = modules(root)
    return {name: set(imports(path, known)) - {name} for name, path in known.items()}


def reached(package):
    """What a package reaches, itself or through others -> the module that imports it."""
    found, reached = graph(), {}
    waiting = [module for module in found if place(module) == package]
    while waiting:
        module = waiting.pop()
        for other in found[module] - reached.keys():
            reached[other] = module
            waiting.append(other)
    return reached


def place(module):
    return module.split(".")[1]


def test_every_module_stands_in_the_list():
    assert {place(module) for module in modules()} <= set(ORDER)
    loose = [path.name for path in SOURCE.glob("*.py")]
    assert len(loose) <= MOST_LOOSE, loose


def test_imports_only_look_up():
    wrong = []
    for module, others in graph().items():
        for other in others:
            above = ORDER.index(place(other)) <= ORDER.index(place(module))
            leaves = {place(module), place(other)} <= LEAVES and place(module) != place(other)
            if not above or leaves:
                wrong.append(f"{module} imports {other}")
    assert wrong == []


@pytest.mark.parametrize("root", [SOURCE, HERE / "benchmarks"], ids=lambda root: root.name)
def test_no_circle_of_files(root):
    try:
        TopologicalSorter(graph(root)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_circle_would_be_found(tmp_path):
    (tmp_path / "one.py").write_text("def f():\n    from two import g\n")
    (tmp_path / "two.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import one\n")
    with pytest.raises(CycleError):
        TopologicalSorter(graph(tmp_path)).prepare()


@pytest.mark.parametrize("package", WALLS)
def test_walls(package):
    through = {other: by for other, by in reached(package).items() if place(other) in WALLS[package]}
    assert through == {}, "what is reached, and from where"


def test_the_report_knows_no_method():
    through = {other: by for other, by in reached("reporting").items() if place(other) == "methods"}
    assert through.keys() <= NO_METHOD, through


def test_nothing_needs_what_is_for_tests():
    pairs = [(module, other) for module, others in graph().items() for other in others]
    assert [pair for pair in pairs if len({place(name) == "testing" for name in pair}) == 2] == []


def test_public_names_are_still_there_after_every_module_is_imported():
    # In a process of its own, as what is imported stays: whoever imports slmfit.comparison must still have
    # slmfit.compare, and no package may stand where a function or class is looked for.
    names = [module.name for module in pkgutil.walk_packages(slmfit.__path__, "slmfit.")]
    names = [name for name in names if name not in ("slmfit.__main__", "slmfit.data.readers.parquet_worker")]
    code = (
        "import importlib, sys\n"
        "import slmfit\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        assert not error.name.startswith('slmfit'), error\n"
        "print([name for name in slmfit.__all__ if not callable(getattr(slmfit, name))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_the_public_names():
    assert slmfit.__all__ == dir(slmfit) == [
        "BudgetReached", "Chart", "Comparison", "DataError", "Dataset", "Entities", "Example", "MissingPart",
        "Prediction", "Question", "Run", "Score", "SlmClassifier", "SlmfitError", "Span", "UnsafeError", "Usage",
        "UsageError", "compare", "demo_data", "eject", "embed", "evaluate", "explain", "explore", "export",
        "generate", "leave", "list_methods", "list_runs", "load", "load_data", "predict_file", "pull_model", "report",
        "serve", "stress", "train", "tune",
    ]  # fmt: skip
    packages = {path.stem for path in SOURCE.iterdir() if path.suffix in ("", ".py")}
    assert not packages & set(slmfit.__all__)
