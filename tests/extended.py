"""A copy of the package with one more method in it, and its command line.

source = with_method(tmp_path / "src", "shortest", file, row)
slmfit("methods", "--json", cwd=tmp_path, source=source).stdout
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "src" / "slmfit"


def with_method(source, name, file, row):
    """The folder to import from: the package with `file` as methods/NAME.py and `row` in the table."""
    shutil.copytree(PACKAGE, source / "slmfit", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "slmfit" / "methods" / f"{name}.py").write_text(file, encoding="utf-8")
    table = source / "slmfit" / "methods" / "__init__.py"
    head, brace, tail = table.read_text(encoding="utf-8").partition("TABLE: dict[str, Row] = {\n")
    assert brace
    table.write_text(head + brace + row + tail, encoding="utf-8")
    return source


def slmfit(*words, cwd, source, check=True):
    """The command with these words, run by the copy and not by the package that is installed."""
    env = os.environ | {"PYTHONPATH": str(source)}
    command = [sys.executable, "-c", "from slmfit.__main__ import main; main()", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=check)
