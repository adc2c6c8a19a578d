"""What every setting is, and in a run what it was and why; docs/settings.md is made of the same.

    print(as_text(explain("encoder.learning_rate")))
    print(as_text(explain(run=load("slmfit-out/tickets-3fa9c1").record)))

The words are those that stand beside each setting in its method: nothing is written twice.
Make the page anew with `python -m slmfit.methods.explaining > docs/settings.md`.
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
import typing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slmfit import methods, storage
from slmfit.errors import SlmfitError, UsageError, did_you_mean
from slmfit.methods.base import Method, takes
from slmfit.methods.ranges import declared_range
from slmfit.records import GIVEN, RunRecord

WIDTH = 100
INTRODUCTION = """# Settings

No setting needs a value: what is left open is derived from the model, the data and the machine, or chosen on the
validation rows, and the run says what it was and why. Give one with `--set METHOD.NAME=VALUE`, or `none` to leave it
open again. `slmfit explain METHOD.NAME` shows what stands here, and with `--run RUN` the value of that run.

This page is made by `python -m slmfit.methods.explaining`; do not edit it.
"""


@dataclass(frozen=True)
class Setting:
    """One setting of one method.

    takes: what its value may be, in words. when: when to change it; measured: what that did, where we measured it.
    tuned: what `slmfit tune` tries, in words; None = it leaves it alone.
    value, why: what it was in a run, and the reason; `why` is empty without a run.
    """

    method: str
    name: str
    doc: str
    default: Any
    takes: str
    when: str | None = None
    measured: str | None = None
    tuned: str | None = None
    value: Any = None
    why: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.method}.{self.name}"

    def same_as(self, other: Setting) -> bool:
        """Whether all but the method is the same."""
        return replace(self, method="") == replace(other, method="")


@dataclass(frozen=True)
class Explanation:
    """settings: those asked for. missing: method -> the line that brings it here, where all were asked for."""

    settings: list[Setting]
    missing: dict[str, str] = field(default_factory=dict)


def explain(name: str | None = None, run: RunRecord | None = None) -> Explanation:
    """The settings of that name: `learning_rate`, `encoder.learning_rate`, all those of `encoder`, or all there are.

    run: its method is the one meant then, and each setting has its value in that run and the reason.
    Raises UsageError for a name that is none, MissingPart for a method that cannot run here, UnsafeError for a run
    whose method is a module's class that nobody has named or imported.
    """
    method = _method_in(name)
    if run is not None:
        if run.method == GIVEN:
            raise UsageError("holds given answers, which have no settings", where=run.id, fix="name another")
        if method == run.method:
            methods.method_class(method)
        cls = methods.recorded_class(run.method, Path(run.id))
        with storage.undamaged(run.id):
            found = [_in_run(setting, run) for setting in settings_of(run.method, cls)]
        return Explanation(_named(name, found, [run.method]))
    if name is not None and method is not None:
        return Explanation(_named(name, settings_of(method), [method]))
    rows = methods.list_methods()
    missing = {row["name"]: row["missing"] for row in rows if row["missing"]}
    found = [setting for row in rows if not row["missing"] for setting in settings_of(row["name"])]
    return Explanation(_named(name, found, methods.names()), missing if name is None else {})


def _method_in(name: str | None) -> str | None:
    """The method that a name begins with, METHOD or METHOD.SETTING; None where it is a setting's alone."""
    if name is None:
        return None
    method = name if name in methods.names() or ":" in name.rpartition(".")[2] else name.rpartition(".")[0]
    return method if ":" in method or method in methods.names() else None


def settings_of(method: str, cls: type[Method] | None = None) -> list[Setting]:
    """All settings of a method, in the order they stand in its class; cls: None = the one of that name."""
    declared: Any = (cls or methods.method_class(method)).Settings
    hints = typing.get_type_hints(declared)
    return [
        Setting(
            method,
            f.name,
            f.metadata.get("doc", ""),
            f.default,
            takes(hints[f.name], f.metadata.get("low"), f.metadata.get("choices")),
            f.metadata.get("when"),
            f.metadata.get("measured"),
            found.words() if (found := declared_range(f, hints[f.name])) else None,
        )
        for f in dataclasses.fields(declared)
    ]


def as_text(explanation: Explanation) -> str:
    """To read on a terminal; what several methods share is said once."""
    blocks = []
    for setting, names in _grouped(explanation.settings):
        head = f"{', '.join(names)} = {_shown(setting.value)}" if setting.why else ", ".join(names)
        lines = [f"Why: {setting.why}."] if setting.why else []
        lines += [setting.doc, f"Takes {setting.takes}; default {_shown(setting.default)}."]
        lines += [f"Change it when {setting.when}"] if setting.when else []
        lines += [f"Measured: {setting.measured}"] if setting.measured else []
        lines += [f"`slmfit tune` tries {setting.tuned}."] if setting.tuned else []
        blocks.append("\n".join([head, *(textwrap.fill(line, WIDTH, **_INDENT) for line in lines)]))
    blocks += [f"{method} has more, once it is here: {line}" for method, line in explanation.missing.items()]
    return "\n\n".join(blocks) or "no settings"


_INDENT: dict[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    "}


def as_markdown() -> str:
    """docs/settings.md."""
    sections = [section(method) for method, row in methods.TABLE.items()]
    return "\n".join([INTRODUCTION, *filter(None, sections)])


def section(method: str) -> str:
    """A method's part of docs/settings.md; what an earlier method has too is only named. Empty without settings."""
    known: dict[str, list[Setting]] = {}
    for other in methods.TABLE:
        if other == method:
            break
        if methods.TABLE[other].place and not methods.unavailable(other):
            known[other] = settings_of(other)
    rows: list[str] = []
    shared: dict[str, list[str]] = {}
    for setting in settings_of(method):
        first = next((m for m, theirs in known.items() if any(map(setting.same_as, theirs))), None)
        if first:
            shared.setdefault(first, []).append(setting.name)
        else:
            rows.append(_row(setting))
    if not rows and not shared:
        return ""
    table = ["| setting | takes | default | what it is |", "|---|---|---|---|", *rows] if rows else []
    also = [f"As in `{m}`: {', '.join(f'`{name}`' for name in names)}." for m, names in shared.items()]
    parts = [[f"## {method}"], [methods.TABLE[method].summary], table, also]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _row(setting: Setting) -> str:
    words = [setting.doc]
    words += [f"Change it when {setting.when}"] if setting.when else []
    words += [f"Measured: {setting.measured}"] if setting.measured else []
    words += [f"`slmfit tune` tries {setting.tuned}."] if setting.tuned else []
    cells = (f"`{setting.full_name}`", setting.takes, f"`{_shown(setting.default)}`", " ".join(words))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _named(name: str | None, settings: Sequence[Setting], known: Sequence[str]) -> list[Setting]:
    """Those that a name means. Raises UsageError when it means none."""
    if name is None or name in known:
        return list(settings)
    found = [setting for setting in settings if name in (setting.name, setting.full_name)]
    if not found:
        names = list(dict.fromkeys(n for s in settings for n in ((s.full_name,) if "." in name else (s.name,))))
        raise UsageError(f"there is no setting {name!r}", fix=did_you_mean(name, names))
    return found


def _in_run(setting: Setting, record: RunRecord) -> Setting:
    """The setting with its value in a run, and the reason."""
    given = record.settings.get(setting.name, setting.default)
    value = record.chosen.get(setting.name, given) if given is None else given
    reasons = record.chosen.get("why") or {}
    if setting.name in reasons:
        return replace(setting, value=record.chosen.get(setting.name, value), why=str(reasons[setting.name]))
    if given != setting.default:
        return replace(setting, value=value, why="asked for")
    if given is None and value is not None:
        having = [candidate for candidate in record.search if setting.name in candidate]
        tried = {str(candidate[setting.name]) for candidate in having}
        by = f", by {record.metric}" if having and record.metric in having[0] else ""
        why = f"the best of {len(tried)} tried on validation{by}" if len(tried) > 1 else "chosen"
        return replace(setting, value=value, why=why)
    return replace(setting, value=value, why="the default")


def _grouped(settings: Iterable[Setting]) -> list[tuple[Setting, list[str]]]:
    """Each setting once, with its full names in all the methods that share it."""
    groups: list[tuple[Setting, list[str]]] = []
    for setting in settings:
        same = next((names for first, names in groups if setting.same_as(first)), None)
        if same is None:
            groups.append((setting, [setting.full_name]))
        else:
            same.append(setting.full_name)
    return groups


def _shown(value: Any) -> str:
    """A value as it is given on a command line."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _main() -> int:
    """Print docs/settings.md; every method's packages must be here for it."""
    try:
        page = as_markdown()
    except SlmfitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(page)
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
