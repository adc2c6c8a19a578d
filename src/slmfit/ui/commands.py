"""What the page may start: each verb's words made of named fields, every one checked, none of them taken for an option.

    started = command(workspace, {"verb": "explore", "file": "data/tickets.csv"})
    started.words                     # ["explore", "data/tickets.csv", "--json"]

The words are a list, and no shell reads them; what is shown to be copied is the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from slmfit.data.readers.rows import is_read
from slmfit.errors import UsageError
from slmfit.generating.recipe import built_in_recipes
from slmfit.runs.deleting import cached
from slmfit.storage import file_name
from slmfit.text.visible import without_keys
from slmfit.ui.fields import (
    COLUMNS,
    Fields,
    answers_of,
    budget_of,
    columns_of,
    data_of,
    file_of,
    given,
    methods_of,
    one_of,
    paid_of,
    place_of,
    rows_of,
    run_of,
    settings_of,
    whole_of,
    word_of,
)
from slmfit.ui.jobs import Job, Jobs
from slmfit.ui.workspace import Workspace

COMPARED, ANSWERED, EXPORTED, GENERATED, TUNED = "compared", "answered", "exported", "generated", "tuned"
PREFERRED = ("size", "latency", "memory", "cost")  # the first is what is taken where nothing is said


@dataclass(frozen=True)
class Command:
    """words: as they are typed behind `slmfit`. about: what it works on and makes, by which the page finds the job."""

    words: Sequence[str]
    about: Mapping[str, Any] = field(default_factory=dict)


def command(workspace: Workspace, fields: Fields) -> Command:
    """The command that these fields ask for. Raises UsageError and UnsafeError for what may not be asked."""
    verb = fields.get("verb")
    if not isinstance(verb, str) or verb not in VERBS:
        raise UsageError(f"{verb!r:.40} is nothing that this page starts", fix=f"one of {', '.join(VERBS)}")
    make, known = VERBS[verb]
    if unknown := [name for name in fields if name not in ("verb", *known.split())]:
        raise UsageError(f"{verb} takes no {unknown[0]!r:.40}", fix="reload the page")
    return make(workspace, {name: value for name, value in fields.items() if value not in (None, "", [])})


def _explore(workspace: Workspace, fields: Fields) -> Command:
    file = data_of(workspace, fields)
    named = {role: fields[role] for role in COLUMNS if role in fields}
    return Command(["explore", *given(file), *columns_of(fields), "--json"], {"file": file, **named})


def _compare(workspace: Workspace, fields: Fields) -> Command:
    file = data_of(workspace, fields)
    words = ["compare", *given(file), *columns_of(fields), *rows_of(workspace, fields)]
    words += ["--methods", methods_of(workspace, fields.get("methods")), *answers_of(workspace, fields)]
    words += [*settings_of(workspace, fields), *budget_of(fields), *paid_of(fields)]
    words += [word for name, least in (("seed", 0), ("seeds", 1)) if name in fields
              for word in (f"--{name}", str(whole_of(fields[name], name, least)))]  # fmt: skip
    if fields.get("prefer", PREFERRED[0]) != PREFERRED[0]:
        words += ["--prefer", one_of(fields["prefer"], PREFERRED)]
    out = place_of(workspace, fields["out"]) if "out" in fields else _place_of_its_own(workspace, words, stem(file))
    words += ["--out", out]
    if fields.get("dry_run") is True:
        return Command([*words, "--dry-run", "--json"], {"file": file, "estimate": True})
    asked = {name: _without_keys(value) for name, value in fields.items()}
    return Command(words, {"file": file, "out": out, "asked": asked})


def _place_of_its_own(workspace: Workspace, words: Sequence[str], name: str) -> str:
    """Where the same was asked for before, which goes on there; else a folder that is nobody's yet."""
    asked: dict[Any, list[Job]] = {}
    for job in Jobs(workspace).list():
        asked.setdefault(job.about.get("out"), []).append(job)
    for out in numbered(f"{COMPARED}/{name}"):
        jobs = asked.get(out, [])
        if any(list(job.words) == [*words, "--out", out] for job in jobs):
            return out
        if not workspace.path(out).exists() and not any(job.state == "running" for job in jobs):
            return out
    raise AssertionError


def _without_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_keys(one) for one in value]
    return without_keys(value) if isinstance(value, str) else value


def _tune(workspace: Workspace, fields: Fields) -> Command:
    file, method = data_of(workspace, fields), methods_of(workspace, [fields.get("method", "")])
    out = f"{TUNED}/{stem(file)}-{stem(method)}"
    words = ["tune", method, *given(file), *columns_of(fields), *settings_of(workspace, fields), *budget_of(fields)]
    words += ["--trials", str(whole_of(fields["trials"], "trials", 2))] if "trials" in fields else []
    return Command([*words, "--out", out], {"file": file, "method": method, "out": out})


def _stress(workspace: Workspace, fields: Fields) -> Command:
    run = run_of(workspace, fields)
    return Command(["stress", *given(run)], {"run": run})


def _eject(workspace: Workspace, fields: Fields) -> Command:
    """A script that is there already may hold changes of the user's: the next one gets a number."""
    run = run_of(workspace, fields)
    workspace.path(EXPORTED).mkdir(exist_ok=True)
    output = next(place for place in numbered(f"{EXPORTED}/{stem(run)}", ".py") if not workspace.path(place).exists())
    return Command(["eject", *given(run), "--output", output], {"run": run, "out": output})


def _predict(workspace: Workspace, fields: Fields) -> Command:
    run, file = run_of(workspace, fields), data_of(workspace, fields)
    name = f"{stem(file)}-{stem(run)}.csv"
    output = f"{ANSWERED}/{name}"
    workspace.path(ANSWERED).mkdir(exist_ok=True)
    words = ["predict", *given(run), "--input", *given(file), "--output", output]
    words += ["--text", word_of(fields["text"], "text")] if "text" in fields else []
    return Command(words, {"run": run, "file": file, "out": output})


def _export(workspace: Workspace, fields: Fields) -> Command:
    run, form, quantise = run_of(workspace, fields), fields.get("form", "folder"), fields.get("quantise")
    if form not in ("folder", "onnx", "html", "gguf") or quantise not in (None, "int8", "q8_0"):
        raise UsageError(f"there is no format {form!r:.40}", fix="choose one of: folder, onnx, html or gguf")
    ended = ".html" if form == "html" else ""
    output = f"{EXPORTED}/{stem(run)}-{form}{f'-{quantise}' if quantise else ''}{ended}"
    workspace.path(EXPORTED).mkdir(exist_ok=True)
    words = ["export", *given(run), "--format", form]
    words += ["--quantise", quantise] if quantise else []
    return Command([*words, "--output", output], {"run": run, "out": output})


def _generate(workspace: Workspace, fields: Fields) -> Command:
    recipe = fields.get("recipe", "")
    if recipe not in built_in_recipes():
        recipe = file_of(workspace, recipe, (".toml",))
    name = word_of(fields["name"], "name") if "name" in fields else recipe
    output = f"{GENERATED}/{stem(name)}.jsonl"
    workspace.path(GENERATED).mkdir(exist_ok=True)
    words = ["generate", *given(recipe), "-n", str(whole_of(fields.get("n", 200), "number", 1))]
    words += ["--seed", str(whole_of(fields.get("seed", 0), "seed", 0)), "--output", output]
    if "avoid" in fields:
        words += ["--avoid", *given(file_of(workspace, fields["avoid"]))]
    if fields.get("model"):
        words += ["--writer", "llm", "--model", word_of(fields["model"], "model"), *paid_of(fields)]
    if fields.get("dry_run") is True:
        return Command([*words, "--dry-run", "--json"], {"recipe": recipe, "estimate": True})
    return Command(words, {"recipe": recipe, "out": output, "n": whole_of(fields.get("n", 200), "number", 1)})


def _delete(workspace: Workspace, fields: Fields) -> Command:
    run = workspace.name(workspace.there(fields.get("run")))
    return Command(["runs", *given(run), "--delete"], {"run": run})


def _prune(workspace: Workspace, fields: Fields) -> Command:
    kind = one_of(fields.get("kind"), [one.name for one in cached()])
    return Command(["runs", "--prune", kind], {"cache": kind})


COMPARE = (
    "text label test augment group time merge methods answers answers_of answers_column settings minutes max_usd "
    "base_url seed seeds prefer out"
)
VERBS: dict[str, tuple[Callable[[Workspace, Fields], Command], str]] = {
    "explore": (_explore, "file text label"),
    "compare": (_compare, f"file {COMPARE} dry_run"),
    "predict": (_predict, "run file text"),
    "export": (_export, "run form quantise"),
    "eject": (_eject, "run"),
    "stress": (_stress, "run"),
    "tune": (_tune, "method file text label settings minutes trials"),
    "generate": (_generate, "recipe name n seed avoid model base_url max_usd dry_run"),
    "delete": (_delete, "run"),
    "prune": (_prune, "kind"),
}


def numbered(name: str, ending: str = "") -> Iterator[str]:
    """`name`, `name-2`, `name-3` …"""
    return (f"{name}{f'-{number}' if number > 1 else ''}{ending}" for number in count(1))


def stem(name: str) -> str:
    """What is made of a file or run goes by this: `data/tickets.csv` -> `tickets`, `compared/a/runs/knn` -> `a-knn`."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("data", "runs", COMPARED, GENERATED)]
    if parts and (is_read(Path(parts[-1])) or parts[-1].endswith(".toml")):
        parts[-1] = parts[-1].removesuffix(".gz").rpartition(".")[0]
    return "-".join(file_name(part) for part in parts) or "data"
