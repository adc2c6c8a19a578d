"""The first comment of a script: what it is, how it is called, what it needs, and how the run was made.

head(run, "linear.py", script)
"""

from __future__ import annotations

import ast
import shlex
import sys
from typing import Any

from slmfit.ejecting.composing import comment
from slmfit.runs.brief import score_sentence
from slmfit.runs.run import Run
from slmfit.text.figures import number_words

# What is imported -> what is installed.
_INSTALLED = {"sklearn": "scikit-learn", "pycrfsuite": "python-crfsuite"}


def head(run: Run, name: str, script: str) -> str:
    """name: of the file. script: what it will hold."""
    record = run.record
    needed, later = _needed(script)
    known = {"slmfit": record.environment.get("slmfit"), "Python": record.environment.get("python")}
    source = record.dataset.get("source") or {}
    files = [f"{one['file']} ({one['rows']:,} rows, sha256 {one['sha256'][:12]}…)" for one in source.get("files", ())]
    rows = ", ".join(f"{about.rows:,} rows of {split}" for split, about in record.split.items())
    given = {name: value for name, value in record.settings.items() if value is not None}
    chosen = {name: value for name, value in record.chosen.items() if name not in ("why", "base")}
    made = [
        f"Data: {record.dataset['name']}: {rows}, fingerprint {record.dataset['fingerprint'][:12]}…",
        *(f"  {one}" for one in files),
        *([f"  {source['split']}"] if source.get("split") else []),
        f"Settings: {_told(given) or 'none was given'}",
        f"Chosen: {_told(chosen)}",
        *(f"  {name}: {why}" for name, why in (record.chosen.get("why") or {}).items()),
        *([_base(record.chosen["base"])] if record.chosen.get("base") else []),
        f"Rows used: {'; '.join(f'{what}: {which}' for what, which in record.rows_used.items())}",
        f"Seed: {record.seed}",
        f"Score: {score_sentence(record)} on {record.split['test'].rows:,} test rows",
        f"Made {record.created[:10]} with {_told({**known, **record.environment.get('packages', {})}, ' ')}",
    ]
    train = f" Training needs {', '.join(later)}, too." if later else ""
    said = [
        f"{record.method} for {record.dataset['name']}, as slmfit made it: the run {record.id}, without slmfit.",
        "",
        f'    python {shlex.quote(name)} "a text"',
        f"    python {shlex.quote(name)} < texts.txt        # a text a line; each is answered with a line of JSON",
        "",
        f"It reads the run's folder, named below, and needs: pip install {' '.join(needed)}.{train}",
        "",
        "--- How it was made ---",
        *made,
    ]
    return comment("\n".join(said))


def _needed(script: str) -> tuple[list[str], list[str]]:
    """What has to be installed for the script, and what is only imported when it trains."""
    tree = ast.parse(script)
    always = _packages(tree.body)
    return sorted(always), sorted(_packages(list(ast.walk(tree))) - always)


def _packages(nodes: list[Any]) -> set[str]:
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    roots = {name.partition(".")[0] for name in named} - sys.stdlib_module_names
    return {_INSTALLED.get(root, root) for root in roots}


def _told(values: Any, between: str = "=") -> str:
    return ", ".join(f"{name}{between}{number_words(value)}" for name, value in values.items())


def _base(base: Any) -> str:
    return f"Base model: {base.get('gguf') or base.get('name')}, sha256 {base.get('sha256')}"
