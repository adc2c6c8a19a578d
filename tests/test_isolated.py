"""No process of ours runs a Python file that happens to lie in the current folder under the name of a library."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
NAMES = [
    "json", "random", "numpy", "polars", "re", "typing", "subprocess", "statistics", "safetensors", "scipy", "pickle",
    "fnmatch", "rich", "pyarrow", "orjson",
]  # fmt: skip
GOOD = "text,label\n" + "".join(f"word{i % 7} number {i} again,{'ab'[i % 2]}\n" for i in range(40))
STARTS = {  # how else a process could begin: nothing in the source may use them
    "os": {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
}
MODULES = {"multiprocessing", "pty", "concurrent.futures.process", "torch.multiprocessing", "joblib"}


def calls():
    """Every call in the source with the names it is called by, its module's text and its place."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            yield path.relative_to(SOURCE).as_posix(), text, node


def test_every_process_that_the_source_starts_is_isolated():
    started = {}
    for path, text, node in calls():
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        imported += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not MODULES & set(imported), path
        assert not ("subprocess" in imported and isinstance(node, ast.ImportFrom)), f"{path}: import it whole"
        assert "ProcessPoolExecutor" not in imported, path
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        of, name = getattr(node.func.value, "id", ""), node.func.attr
        assert name not in STARTS.get(of, ()) and not (of == "os" and name.startswith(("exec", "spawn"))), path
        if of == "subprocess":
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert options.get("env", "").startswith("without_here(") and "shell" not in options, path
            assert "isolated(" in text or 'sys.executable, "-P", ' in text, path
            started[path] = name
    assert started == {
        "slmfit/data/readers/parquet_reader.py": "run",
        "slmfit/exporting/gguf/server.py": "Popen",
        "slmfit/runs/measuring.py": "run",
        "slmfit/runs/part_worker.py": "Popen",
        "slmfit/serving/process.py": "Popen",
        "slmfit/ui/jobs.py": "Popen",
    }


@pytest.fixture
def planted(tmp_path):
    """A folder with data, and files that leave a mark when they are run."""
    (tmp_path / "d.csv").write_text(GOOD)
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r} + '\\n')\n")
    return tmp_path


CASES = {
    "the script": "train linear d.csv",
    "an empty entry in PYTHONPATH": "train knn d.csv",
    "-m": "compare d.csv --methods linear",
}


@pytest.mark.parametrize("way", CASES)
def test_what_lies_in_the_current_folder_is_not_run(planted, way):
    code, path, cwd = "from slmfit.__main__ import main; main()", str(SOURCE), planted
    if "empty" in way:  # an entry for which the user's own process imports from here, and so starts elsewhere
        code, path, cwd = f"import os; os.chdir({str(planted)!r}); {code}", f"{SOURCE}{os.pathsep}", SOURCE
    start = ["-m", "slmfit"] if way == "-m" else ["-P", "-c", code]  # the installed script does as the latter
    environment = os.environ | {"PYTHONPATH": path, "SLMFIT_CACHE": str(planted / "cache")}
    words = [sys.executable, *start, *CASES[way].split()]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (planted / "ran").exists(), (planted / "ran").read_text()


def test_the_source_itself_may_be_the_current_folder(tmp_path):
    (tmp_path / "slmfit").symlink_to(SOURCE / "slmfit")
    (tmp_path / "d.csv").write_text(GOOD)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"SLMFIT_CACHE": str(tmp_path / "cache")}
    words = [sys.executable, "-m", "slmfit", "train", "majority", "d.csv"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
