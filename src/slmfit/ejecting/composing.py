"""Parts made one script: what they import once, what they say, and the values of a run in place of theirs.

    composed(["ejecting/parts/run", "ejecting/parts/linear"], has={"counted"}, values={"C": 0.1})

Parts are modules of slmfit, so they are checked as all of its code is. A script is made of their lines, nothing is
written twice: what a run does not have is left out (`# [name]` … `# [/name]`), then what nothing in the script uses.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slmfit.text.visible import visible

SOURCE = Path(__file__).parent.parent
WIDTH = 110  # of comments


def composed(parts: Sequence[str], has: Collection[str], values: Mapping[str, Any]) -> str:
    """The script of these parts, without its first comment. has: what the run has, of the names of blocks.

    values: capital names and what they are in this run.
    """
    read = [_Part(_chosen((SOURCE / f"{part}.py").read_text(encoding="utf-8"), has)) for part in parts]
    used = _used([statement for part in read for statement in part.body])
    bodies = filter(None, (part.text(used) for part in read))
    script = f"{_imports(read, used)}\n" + "\n\n".join(bodies)
    return re.sub(r"\n{4,}", "\n\n\n", _assigned(script, values)).rstrip("\n") + "\n"


def comment(text: str, indent: str = "  ") -> str:
    """Lines of any text as a comment that nothing in them can end. indent: before what goes on with a long line."""
    lines = [visible(line) for line in text.split("\n")]
    wrapped = [textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""] for line in lines]
    return "".join(f"# {line}".rstrip() + "\n" for several in wrapped for line in several)


def literal(value: Any) -> str:
    """A value as Python writes it, strings in double quotes where they hold none; nothing in it can end them."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(name)}: {literal(one)}' for name, one in value.items())}}}"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
    written = repr(value)
    if isinstance(value, str) and written.startswith("'") and '"' not in written:
        return f'"{written[1:-1]}"'
    return written


class _Part:
    """The text of a module: what it says first, what it imports, its other statements."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        statements = ast.parse(text).body
        paragraphs = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")
        self.said = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        self.imports = [s for s in statements if isinstance(s, ast.Import | ast.ImportFrom)]
        self.body = [s for s in statements[1:] if s not in self.imports]

    def text(self, used: Collection[str]) -> str:
        """What it says as a comment, and those of its statements that something uses, as they are written."""
        kept, begin = list[str](), max((s.end_lineno or 0) for s in self.imports)
        for statement in self.body:
            end = statement.end_lineno or 0
            if not _defined(statement) or _defined(statement) & set(used):
                kept += self.lines[begin:end]
            begin = end
        return "" if not kept else comment(f"--- {self.said}", "") + "\n" * (kept[0] != "") + "\n".join(kept) + "\n"


def _chosen(text: str, has: Collection[str]) -> str:
    """The text without the blocks of what a run has not."""
    kept, open_ = list[str](), list[bool]()
    for line in text.split("\n"):
        mark = line.strip()
        if mark.startswith("# [/") and mark[4:-1].isidentifier():
            open_.pop()
        elif mark.startswith("# [") and mark[3:-1].isidentifier():
            open_.append(mark[3:-1] in has)
        elif all(open_):
            kept.append(line.partition("  # type: ")[0])  # which is for us
    return "\n".join(kept)


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning, of those that can be left out."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return set()


def _used(statements: Sequence[ast.stmt]) -> set[str]:
    """The names that a script needs: of what it does, of its training, which is to be read, and in all of these."""
    found, waiting = {"train", "train_spans"}, [s for s in statements if not _defined(s)]
    while True:
        found |= {name for statement in waiting for name in _names(statement)}
        more = [s for s in statements if s not in waiting and _defined(s) & found]
        if not more:
            return found
        waiting += more


def _names(statement: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))


def _imports(parts: Sequence[_Part], used: Collection[str]) -> str:
    """What the parts import and use, of Python's own first, each once."""
    lines: dict[tuple[bool, bool, str], set[str]] = {}
    for statement in (statement for part in parts for statement in part.imports):
        module = statement.module or "" if isinstance(statement, ast.ImportFrom) else ""
        if module.partition(".")[0] in ("__future__", "slmfit"):
            continue
        for alias in statement.names:
            if (alias.asname or alias.name) in used:
                of = module or alias.name
                own = of.partition(".")[0] in sys.stdlib_module_names
                named = alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"
                lines.setdefault((not own, bool(module), of), set()).add(named)
    groups = {False: ["from __future__ import annotations\n"], True: []}
    for (other, several, module), names in sorted(lines.items()):
        line = f"from {module} import {', '.join(sorted(names))}" if several else f"import {next(iter(names))}"
        groups[other].append(line)
    return "\n".join(groups[False]) + "\n\n" + "\n".join(groups[True]) + "\n"


def _assigned(script: str, values: Mapping[str, Any]) -> str:
    """The script with these values behind their names; one that nothing uses is not there any more."""
    lines = script.split("\n")
    for i, line in enumerate(lines):
        begin, equals, rest = line.partition(" = ")
        if equals and (name := begin.partition(":")[0]) in values:
            lines[i] = "".join((begin, equals, literal(values[name]), *rest.partition("  #")[1:]))
    return "\n".join(lines)
