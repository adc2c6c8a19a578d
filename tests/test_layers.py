"""One ordered list: a module imports only what stands above it, or its own package."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent / "src" / "slmfit"
ORDER = """
errors records storage environment wording visible summary hub ngrams tfidf metrics statistic spread verdict tasks data
finetune embeddings llm methods runs measuring fitting entries planning judging report given diagnostics keeping
augmenting comparison evaluation marking predicting exploring generate tuning exporting estimator cluster demo doctor
models explaining serve
__init__ display options generating cli __main__
""".split()
LEAVES = {"exploring", "tuning", "exporting", "estimator", "cluster"}


def places():
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, parts[0]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "slmfit" else [node.module or ""]
        yield from (name.split(".")[1] for name in names if name.startswith("slmfit."))


def test_every_module_stands_in_the_list():
    assert {place for _, place in places()} <= set(ORDER)


def test_imports_only_look_up():
    wrong = []
    for path, place in places():
        for other in imported(path):
            above = ORDER.index(other) <= ORDER.index(place)
            if not above or (other in LEAVES and place in LEAVES and other != place):
                wrong.append(f"{path.relative_to(ROOT)} imports {other}")
    assert wrong == []
