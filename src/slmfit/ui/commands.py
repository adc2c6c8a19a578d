"""What the page may start: each verb's words made of named fields, every one checked, none of them taken for an option.

    started = command(workspace, {"verb": "explore", "file": "data/tickets.csv"})
    started.words                     # ["explore", "data/tickets.csv", "--json"]

The words are a list, and no shell reads them; what is shown to be copied is the same list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from slmfit.data.readers.rows import ending
from slmfit.errors import UsageError
from slmfit.generating.recipe import built_in_recipes
from slmfit.methods import names as method_names
from slmfit.runs.deleting import cached
from slmfit.storage import file_name
from slmfit.ui.workspace import Workspace

COMPARED, ANSWERED, EXPORTED, GENERATED = "compared", "answered", "exported", "generated"
COLUMNS = ("text", "label")
PREFERRED = ("size", "latency", "memory", "cost")  # the first is what is taken where nothing is said
_METHOD = re.compile(r"([a-z0-9_]+)(@[A-Za-z0-9_.-]{1,40})?(?:=(.+))?")
_SETTING = re.compile(r"[A-Za-z0-9_.@-]{1,80}=.{0,300}")
_PLACE = re.compile(r"[A-Za-z0-9_./ +-]{1,200}")
_URL = re.compile(r"https?://[^\s]{1,300}")

Fields = Mapping[str, Any]


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
    file = _data(workspace, fields)
    named = {role: fields[role] for role in COLUMNS if role in fields}
    return Command(["explore", *_given(file), *_columns(fields), "--json"], {"file": file, **named})


def _compare(workspace: Workspace, fields: Fields) -> Command:
    file = _data(workspace, fields)
    out = _place(workspace, fields.get("out", f"{COMPARED}/{stem(file)}"))
    words = ["compare", *_given(file), *_columns(fields), *_rows(workspace, fields)]
    words += ["--methods", _methods(workspace, fields.get("methods"))]
    for setting in _list(fields.get("settings", [])):
        words += ["--set", _setting(workspace, setting)]
    if "minutes" in fields:
        words += ["--budget", f"{_number(fields['minutes'], 'minutes'):g}m"]
    words += _paid(fields)
    words += [word for name, least in (("seed", 0), ("seeds", 1)) if name in fields
              for word in (f"--{name}", str(_whole(fields[name], name, least)))]  # fmt: skip
    if fields.get("prefer", PREFERRED[0]) != PREFERRED[0]:
        words += ["--prefer", _one_of(fields["prefer"], PREFERRED)]
    words += ["--out", out]
    if fields.get("dry_run") is True:
        return Command([*words, "--dry-run", "--json"], {"file": file, "estimate": True})
    return Command(words, {"file": file, "out": out})


def _predict(workspace: Workspace, fields: Fields) -> Command:
    run, file = _run(workspace, fields), _data(workspace, fields)
    name = f"{stem(file)}-{stem(run)}.csv"
    output = f"{ANSWERED}/{name}"
    workspace.path(ANSWERED).mkdir(exist_ok=True)
    words = ["predict", *_given(run), "--input", *_given(file), "--output", output]
    words += ["--text", _word(fields["text"], "text")] if "text" in fields else []
    return Command(words, {"run": run, "file": file, "out": output})


def _export(workspace: Workspace, fields: Fields) -> Command:
    run, form, quantise = _run(workspace, fields), fields.get("form", "folder"), fields.get("quantise")
    if form not in ("folder", "onnx", "html", "gguf") or quantise not in (None, "int8", "q8_0"):
        raise UsageError(f"there is no format {form!r:.40}", fix="choose one of: folder, onnx, html or gguf")
    ended = ".html" if form == "html" else ""
    output = f"{EXPORTED}/{stem(run)}-{form}{f'-{quantise}' if quantise else ''}{ended}"
    workspace.path(EXPORTED).mkdir(exist_ok=True)
    words = ["export", *_given(run), "--format", form]
    words += ["--quantise", quantise] if quantise else []
    return Command([*words, "--output", output], {"run": run, "out": output})


def _generate(workspace: Workspace, fields: Fields) -> Command:
    recipe = fields.get("recipe", "")
    if recipe not in built_in_recipes():
        recipe = _file(workspace, recipe, (".toml",))
    name = _word(fields["name"], "name") if "name" in fields else recipe
    output = f"{GENERATED}/{stem(name)}.jsonl"
    workspace.path(GENERATED).mkdir(exist_ok=True)
    words = ["generate", *_given(recipe), "-n", str(_whole(fields.get("n", 200), "number", 1))]
    words += ["--seed", str(_whole(fields.get("seed", 0), "seed", 0)), "--output", output]
    if "avoid" in fields:
        words += ["--avoid", *_given(_file(workspace, fields["avoid"]))]
    if fields.get("model"):
        words += ["--writer", "llm", "--model", _word(fields["model"], "model"), *_paid(fields)]
    if fields.get("dry_run") is True:
        return Command([*words, "--dry-run", "--json"], {"recipe": recipe, "estimate": True})
    return Command(words, {"recipe": recipe, "out": output, "n": _whole(fields.get("n", 200), "number", 1)})


def _delete(workspace: Workspace, fields: Fields) -> Command:
    run = workspace.name(workspace.there(fields.get("run")))
    return Command(["runs", *_given(run), "--delete"], {"run": run})


def _prune(workspace: Workspace, fields: Fields) -> Command:
    kind = _one_of(fields.get("kind"), [one.name for one in cached()])
    return Command(["runs", "--prune", kind], {"cache": kind})


COMPARE = "text label test augment group time merge methods settings minutes max_usd base_url seed seeds prefer out"
VERBS: dict[str, tuple[Callable[[Workspace, Fields], Command], str]] = {
    "explore": (_explore, "file text label"),
    "compare": (_compare, f"file {COMPARE} dry_run"),
    "predict": (_predict, "run file text"),
    "export": (_export, "run form quantise"),
    "generate": (_generate, "recipe name n seed avoid model base_url max_usd dry_run"),
    "delete": (_delete, "run"),
    "prune": (_prune, "kind"),
}


def stem(name: str) -> str:
    """What is made of a file or run goes by this: `data/tickets.csv` -> `tickets`, `compared/a/runs/knn` -> `a-knn`."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("data", "runs", COMPARED, GENERATED)]
    if parts and ending_of(parts[-1]):
        parts[-1] = parts[-1].removesuffix(".gz").rpartition(".")[0]
    return "-".join(file_name(part) for part in parts) or "data"


def ending_of(name: str) -> bool:
    return ending(PurePosixPath(name)) is not None or name.endswith(".toml")  # type: ignore[arg-type]


# --- one field each ---


def _given(name: str) -> list[str]:
    """A path as a word that no verb takes for an option."""
    return [f"./{name}" if name.startswith("-") else name]


def _file(workspace: Workspace, name: Any, endings: tuple[str, ...] = ()) -> str:
    place = workspace.there(name)
    if endings and place.suffix not in endings:
        raise UsageError("is no file of that kind", where=str(name), fix=f"one that ends in {', '.join(endings)}")
    return workspace.name(place)


def _data(workspace: Workspace, fields: Fields) -> str:
    return _file(workspace, fields.get("file"))


def _run(workspace: Workspace, fields: Fields) -> str:
    place = workspace.there(fields.get("run"))
    if not any((place / name).is_file() for name in ("run.json", "comparison.json")):
        raise UsageError("is no run", where=workspace.name(place), fix="choose one of the table")
    return workspace.name(place)


def _place(workspace: Workspace, name: Any) -> str:
    """A folder that is to be made."""
    if not isinstance(name, str) or not _PLACE.fullmatch(name) or name.startswith("-"):
        raise UsageError(f"a folder cannot be called {name!r:.60}", fix="letters, digits and - will do")
    return workspace.name(workspace.path(name))


def _columns(fields: Fields) -> list[str]:
    return [word for role in COLUMNS if role in fields for word in (f"--{role}", _word(fields[role], role))]


def _rows(workspace: Workspace, fields: Fields) -> list[str]:
    """Which rows are learnt from and which are tested on, and which labels are one."""
    words = []
    for name in ("test", "augment"):
        words += [f"--{name}", *_given(_file(workspace, fields[name]))] if name in fields else []
    for name in ("group", "time", "merge"):
        words += [f"--{name}", _word(fields[name], name)] if name in fields else []
    if "=" not in fields.get("merge", "="):  # a file of rules, which may lie anywhere
        raise UsageError(
            f"labels cannot be merged by {fields['merge']!r:.60}", fix="OLD=NEW, for example comp.*=computers"
        )
    return words


def _methods(workspace: Workspace, given: Any) -> str:
    """Methods of our own table: a class that a word could name would be imported."""
    known, words = method_names(), _list(given)
    if not words:
        raise UsageError("no method is chosen", fix="choose one or more")
    for word in words:
        found = _METHOD.fullmatch(word)
        if not found or found[1] not in known or "," in word:
            raise UsageError(f"there is no method {word!r:.60}", fix=f"choose one of: {', '.join(known)}")
        if found[3]:
            _below(workspace, found[3])
    return ",".join(words)


def _setting(workspace: Workspace, word: str) -> str:
    if not _SETTING.fullmatch(word):
        raise UsageError(f"a setting cannot be {word!r:.60}", fix="METHOD.KEY=VALUE, for example linear.C=3")
    _below(workspace, word.partition("=")[2])
    return word


def _below(workspace: Workspace, value: str) -> None:
    """A base model is a hub's name or a folder of the workspace; a value may be a path, too."""
    if value.startswith(("/", "~", ".")) or ".." in value or "\\" in value:
        raise UsageError("is a path outside of the workspace", where=value[:80], fix="put it below the workspace")
    if (workspace.root / value.split("@")[0]).exists():
        workspace.path(value.split("@")[0])


def _paid(fields: Fields) -> list[str]:
    words = []
    if "base_url" in fields:
        if not isinstance(fields["base_url"], str) or not _URL.fullmatch(fields["base_url"]):
            raise UsageError("is no address of a server", where=str(fields["base_url"])[:80], fix="http://…/v1")
        words += ["--base-url", fields["base_url"]]
    if "max_usd" in fields:
        words += ["--max-usd", f"{_number(fields['max_usd'], 'dollars'):g}"]
    return words


def _list(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(word, str) and word.isprintable() for word in given):
        raise UsageError("this must be a list of words", fix="reload the page")
    return [str(word).strip() for word in given]


def _word(given: Any, name: str) -> str:
    if not isinstance(given, str) or not given.isprintable() or given.startswith("-") or len(given) > 300:
        raise UsageError(f"{name} cannot be {given!r:.60}", fix="give a word that does not begin with -")
    return given


def _one_of(given: Any, known: Sequence[str]) -> str:
    if given not in known:
        raise UsageError(f"there is no {given!r:.40} here", fix=f"one of {', '.join(known) or 'none'}")
    return str(given)


def _number(given: Any, name: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1e6:
        raise UsageError(f"{name} cannot be {given!r:.40}", fix="give a number above 0")
    return float(given)


def _whole(given: Any, name: str, least: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= 1_000_000:
        raise UsageError(f"{name} cannot be {given!r:.40}", fix=f"give a whole number from {least} on")
    return given
