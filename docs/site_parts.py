"""What the site needs beyond Sphinx: pages that are made from the code or stand elsewhere, docstrings whose parameters
become lists, formulas without a script, and a check of every name that a page gives.

    setup(app)                                                  # Sphinx calls this
    wrong_names("```sh\nslmfit comapre tickets.csv\n```")       # ["slmfit has no verb 'comapre'"]
"""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Page -> the file whose text it shows.
SHOWN = {
    "figures": "benchmarks/README.md",
    "agents": "AGENTS.md",
    "contributing": "CONTRIBUTING.md",
    "changes": "CHANGELOG.md",
}
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+\.md)")
_BLOCK = re.compile(r"^```(sh|python|\{code-cell\})[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_AFTER = re.compile(r"(?:^|(?<=\. ))(?:Raises|Returns) ", re.MULTILINE)  # what follows the parameters in a paragraph
_SCROLLS = re.compile(r'<pre(?=>)|<div(?= class="(?:table-wrapper|output|math)\b)')
_PUBLIC = re.compile(r"(?<![\w./-])slmfit\.([A-Za-z_]\w*)")


def setup(app: Any) -> dict[str, bool]:
    from pygments.lexers.data import JsonLexer
    from pygments.lexers.special import TextLexer

    app.add_lexer("jsonl", JsonLexer)
    for name in ("csv", "tsv", "txt", "conll"):
        app.add_lexer(name, TextLexer)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _as_fields)
    app.connect("html-page-context", _accessible, priority=900)  # after the theme's own
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


# --- pages -----------------------------------------------------------------------------------------------------------


def _read(app: Any, page: str, source: list[str]) -> None:
    """The page's text: of another file, or made from the code, with the links as they are here."""
    from sphinx.util import logging

    text = (ROOT / SHOWN[page]).read_text(encoding="utf-8") if page in SHOWN else source[0]
    if page == "cli":
        text = f"{text}\n{verbs_as_markdown()}"
    if page.startswith("lessons/"):
        text = with_what_is_missing(text)
    for wrong in wrong_names(text):
        logging.getLogger(__name__).warning(wrong, location=page)
    source[0] = _LINK.sub(lambda found: f"]({_here(page, found[1])}", text)


def _here(page: str, link: str) -> str:
    """Where a link of a page leads within the site: a file that is shown as a page is that page."""
    folder = (ROOT / SHOWN[page]).parent if page in SHOWN else (ROOT / "docs" / page).parent
    target = (folder / link).resolve()
    pages = {(ROOT / file).resolve(): f"{name}.md" for name, file in SHOWN.items()}
    pages[ROOT / "README.md"] = "index.md"
    if target in pages:
        return f"/{pages[target]}"
    return f"/{target.relative_to(ROOT / 'docs')}" if target.is_relative_to(ROOT / "docs") else link


def verbs_as_markdown() -> str:
    """Every verb with its arguments and options, as its `--help` says."""
    return "\n".join(line for name, verb in sorted(_verbs().items()) for line in _verb_as_markdown(name, verb))


def _verb_as_markdown(name: str, verb: Any) -> Iterator[str]:
    arguments = [p for p in verb.params if p.param_type_name == "argument"]
    options = [p for p in verb.params if p.param_type_name == "option"]
    usage = " ".join(["slmfit", name, *(p.metavar or p.name.upper() for p in arguments)])
    yield from (f"## {name}", "", verb.help or "", "", "```text", f"{usage} [OPTIONS]", "```", "")
    rows = [(f"`{p.metavar or p.name.upper()}`", p.help or "") for p in arguments]
    rows += [(f"`{', '.join(p.opts)}`" + (f" `{p.metavar}`" if p.metavar else ""), _told(p)) for p in options]
    if rows:
        yield from ("| | |", "|---|---|")
        yield from (f"| {left} | {_cell(right)} |" for left, right in rows)
        yield ""


def _told(option: Any) -> str:
    default = option.default
    return f"{option.help or ''}" + ("" if default in (None, False, True, ()) else f" Default: `{default}`.")


def _cell(text: str) -> str:
    return re.sub(r"([|<>*_])", r"\\\1", text)


@cache
def _verbs() -> dict[str, Any]:
    """Name -> command, `models pull` among them."""
    import typer

    from slmfit.cli.verbs import app

    def walk(group: Any, before: str) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            yield f"{before}{name}", command
            if hasattr(command, "commands"):
                yield from walk(command, f"{before}{name} ")

    return dict(walk(typer.main.get_command(app), ""))


# --- lessons ---------------------------------------------------------------------------------------------------------


def lessons_without_weights() -> list[str]:
    """The lessons that cannot be run here: they are shown without results."""
    lessons = sorted((ROOT / "docs" / "lessons").glob("[0-9]*.md"))
    return [f"lessons/{path.name}" for path in lessons if _missing(path.read_text(encoding="utf-8"))]


def with_what_is_missing(lesson: str) -> str:
    """A lesson's text; where its weights are not here, with a note on how to get them below its title."""
    error = _missing(lesson)
    if error is None:
        return lesson
    fix = re.sub(r"--[\w-]+", r"`\g<0>`", error.fix)  # or it is set as a dash
    note = (
        ":::{admonition} Shown without results\n:class: warning\n"
        f"This page was built on a machine where {error.what.replace('this lesson needs', 'something was missing:')}."
        f" To get it: {fix}.\n:::"
    )
    return re.sub(r"^(# .*)$", rf"\1\n\n{note}", lesson, count=1, flags=re.MULTILINE)


def _missing(lesson: str) -> Any:
    sys.path.insert(0, str(ROOT / "docs" / "lessons"))
    try:
        import weights
    finally:
        sys.path.pop(0)
    return weights.missing(lesson)


# --- names -----------------------------------------------------------------------------------------------------------


def wrong_names(text: str) -> list[str]:
    """What the blocks of a page name that does not exist: verbs, options, and public names of the Python API."""
    wrong = []
    for language, block in _BLOCK.findall(text):
        wrong += list(_wrong_commands(block) if language == "sh" else _wrong_attributes(block))
    return wrong


def _wrong_commands(block: str) -> Iterator[str]:
    for line in block.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s(?:\|\|?|&&|;)\s", line):
            words = shlex.split(part, comments=True)
            words = words[[w.rpartition("/")[2] for w in words].index("slmfit") :] if _asks_us(words) else []
            given = [word for word in words[1:] if word not in ("--debug",)]
            if not given or given[0].startswith("-"):
                continue
            name = " ".join(given[:2]) if " ".join(given[:2]) in _verbs() else given[0]
            if name not in _verbs():
                yield f"slmfit has no verb {given[0]!r}"
                continue
            known = {flag for option in _verbs()[name].params for flag in option.opts} | {"--help", "-h"}
            named = [word.partition("=")[0] for word in given[1:] if re.match(r"--?[a-z]", word)]
            yield from (f"slmfit {name} has no option {flag!r}" for flag in named if flag not in known)


def _asks_us(words: Sequence[str]) -> bool:
    """Whether a command runs slmfit: by its name, or by a path, `uvx` or `torchrun … -m` that ends in it."""
    names = [word.rpartition("/")[2] for word in words]
    return "slmfit" in names and not {"pip", "pipx", "systemctl", "cd", "docker"} & set(names)


def _wrong_attributes(block: str) -> Iterator[str]:
    import slmfit

    modules = {path.stem for path in Path(slmfit.__file__).parent.iterdir()}
    for name in _PUBLIC.findall(block):
        if name not in slmfit.__all__ and name not in modules:
            yield f"slmfit has no public name {name!r}"


# --- docstrings ------------------------------------------------------------------------------------------------------


def _as_fields(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = as_fields(lines, _parameters(thing))


def _parameters(thing: Any) -> list[str]:
    try:
        return [name for name in inspect.signature(thing).parameters if name != "self"]
    except (TypeError, ValueError):
        return []


def as_fields(lines: Sequence[str], parameters: Sequence[str]) -> list[str]:
    """A docstring of ours as reStructuredText: "metric: what the verdict goes by. margin: …" becomes a list.

    A parameter's text begins with its name and a colon, at the start of a line or after the end of a sentence, and ends
    where the next one begins, or the paragraph. An indented paragraph is an example.
    """
    text = "\n".join(lines).strip("\n")
    made: list[str] = []
    names = "|".join(map(re.escape, parameters))
    begins = re.compile(rf"(?:^|(?<=[.?!] ))((?:{names})(?:, (?:{names}))*): " if names else r"(?!)", re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("    "):
            made += ["::", "", *paragraph.splitlines(), ""]
            continue
        found = list(begins.finditer(paragraph))
        before = paragraph[: found[0].start()] if found else paragraph
        raises = (
            re.search(r"(?:^|(?<=\. ))(?:Raises|Returns) ", paragraph[found[-1].end() :], re.MULTILINE)
            if found
            else None
        )
        end = found[-1].end() + raises.start() if raises else len(paragraph)
        if before.strip():
            made += [*before.strip().splitlines(), ""]
        ends = [following.start() for following in found[1:]] + [end]
        for one, its_end in zip(found, ends if found else [], strict=True):
            told = " ".join(paragraph[one.end() : its_end].split())
            made += [f":param {name}: {told}" for name in one[1].split(", ")]
        made += [""] if found else []
        if paragraph[end:].strip():
            made += [*paragraph[end:].strip().splitlines(), ""]
    return made


# --- what screen readers are told ------------------------------------------------------------------------------------


def _accessible(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Captions of the sidebar have a level; what scrolls can be reached by keyboard; the parameters of a signature are
    no list of definitions without terms."""
    tree = context.get("furo_navigation_tree")
    if tree:
        context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')
    if body := context.get("body"):
        body = re.sub(r'<dt class="sig .*?</dt>', lambda found: _as_spans(found[0]), body, flags=re.DOTALL)
        body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")  # it hides the words on it
        context["body"] = re.sub(_SCROLLS, r'\g<0> tabindex="0"', body)


def _as_spans(signature: str) -> str:
    for old, new in (("dl", "params"), ("dd", "param")):
        signature = signature.replace(f"<{old}>", f'<span class="sig-{new}-line">').replace(f"</{old}>", "</span>")
    return signature


# --- formulas --------------------------------------------------------------------------------------------------------


def _inline_math(translator: Any, node: Any) -> None:
    translator.body.append(_mathml(node, "inline"))
    raise _skip()


def _block_math(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="math">{_mathml(node, "block")}</div>\n')
    raise _skip()


def _mathml(node: Any, display: str) -> str:
    """The formula as MathML, which browsers draw themselves."""
    from latex2mathml.converter import convert

    return convert(node.astext(), display=display)


def _skip() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()
