"""One field of what the page asks for, checked and made words of a command: none of them is taken for an option.

    columns_of({"text": "body"})                # ["--text", "body"]
    given("-x.csv")                             # ["./-x.csv"]

All raise UsageError or UnsafeError for what may not be given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from slmfit.errors import UsageError
from slmfit.methods import names as method_names
from slmfit.methods.specs import OWN_NAME
from slmfit.ui.workspace import Workspace

COLUMNS = ("text", "label")
_METHOD = re.compile(r"([a-z0-9_]+)(@[A-Za-z0-9_.-]{1,40})?(?:=(.+))?")
_SETTING = re.compile(r"[A-Za-z0-9_.@-]{1,80}=.{0,300}")
_PLACE = re.compile(r"[A-Za-z0-9_./ +-]{1,200}")
_URL = re.compile(r"https?://[^\s]{1,300}")

Fields = Mapping[str, Any]


def given(name: str) -> list[str]:
    """A path as a word that no verb takes for an option."""
    return [f"./{name}" if name.startswith("-") else name]


def file_of(workspace: Workspace, name: Any, endings: tuple[str, ...] = ()) -> str:
    place = workspace.there(name)
    if endings and place.suffix not in endings:
        raise UsageError("is no file of that kind", where=str(name), fix=f"one that ends in {', '.join(endings)}")
    return workspace.name(place)


def data_of(workspace: Workspace, fields: Fields) -> str:
    return file_of(workspace, fields.get("file"))


def run_of(workspace: Workspace, fields: Fields) -> str:
    place = workspace.there(fields.get("run"))
    if not any((place / name).is_file() for name in ("run.json", "comparison.json")):
        raise UsageError("is no run", where=workspace.name(place), fix="choose one of the table")
    return workspace.name(place)


def place_of(workspace: Workspace, name: Any) -> str:
    """A folder that is to be made."""
    if not isinstance(name, str) or not _PLACE.fullmatch(name) or name.startswith("-"):
        raise UsageError(f"a folder cannot be called {name!r:.60}", fix="letters, digits and - will do")
    return workspace.name(workspace.path(name))


def columns_of(fields: Fields) -> list[str]:
    return [word for role in COLUMNS if role in fields for word in (f"--{role}", word_of(fields[role], role))]


def rows_of(workspace: Workspace, fields: Fields) -> list[str]:
    """Which rows are learnt from and which are tested on, and which labels are one."""
    words = []
    for name in ("test", "augment"):
        words += [f"--{name}", *given(file_of(workspace, fields[name]))] if name in fields else []
    for name in ("group", "time", "merge"):
        words += [f"--{name}", word_of(fields[name], name)] if name in fields else []
    if "=" not in fields.get("merge", "="):  # a file of rules, which may lie anywhere
        raise UsageError(
            f"labels cannot be merged by {fields['merge']!r:.60}", fix="OLD=NEW, for example comp.*=computers"
        )
    return words


def methods_of(workspace: Workspace, given: Any) -> str:
    """Methods of our own table: a class that a word could name would be imported."""
    known, words = method_names(), list_of(given)
    if not words:
        raise UsageError("no method is chosen", fix="choose one or more")
    for word in words:
        found = _METHOD.fullmatch(word)
        if not found or found[1] not in known or "," in word:
            raise UsageError(f"there is no method {word!r:.60}", fix=f"choose one of: {', '.join(known)}")
        if found[3]:
            _check_below(workspace, found[3])
    return ",".join(words)


def answers_of(workspace: Workspace, fields: Fields) -> list[str]:
    """Answers that are there already, in a file, and whose they are."""
    if "answers" not in fields:
        return []
    file, name = file_of(workspace, fields["answers"]), fields.get("answers_of", "")
    if not isinstance(name, str) or (name and not OWN_NAME.fullmatch(name)):
        raise UsageError(f"the answers cannot go by {name!r:.60}", fix="give letters, digits and -, such as gpt-5")
    words = ["--predictions", *([f"{name}={file}"] if name else given(file))]
    if "answers_column" in fields:
        words += ["--column", f"prediction={word_of(fields['answers_column'], 'column')}"]
    return words


def settings_of(workspace: Workspace, fields: Fields) -> list[str]:
    return [word for one in list_of(fields.get("settings", [])) for word in ("--set", setting_of(workspace, one))]


def budget_of(fields: Fields) -> list[str]:
    return ["--budget", f"{number_of(fields['minutes'], 'minutes'):g}m"] if "minutes" in fields else []


def setting_of(workspace: Workspace, word: str) -> str:
    if not _SETTING.fullmatch(word):
        raise UsageError(f"a setting cannot be {word!r:.60}", fix="METHOD.KEY=VALUE, for example linear.C=3")
    _check_below(workspace, word.partition("=")[2])
    return word


def _check_below(workspace: Workspace, value: str) -> None:
    """A base model is a hub's name or a folder of the workspace; a value may be a path, too."""
    if value.startswith(("/", "~", ".")) or ".." in value or "\\" in value:
        raise UsageError("is a path outside of the workspace", where=value[:80], fix="put it below the workspace")
    if (workspace.root / value.split("@")[0]).exists():
        workspace.path(value.split("@")[0])


def paid_of(fields: Fields) -> list[str]:
    words = []
    if "base_url" in fields:
        if not isinstance(fields["base_url"], str) or not _URL.fullmatch(fields["base_url"]):
            raise UsageError("is no address of a server", where=str(fields["base_url"])[:80], fix="http://…/v1")
        words += ["--base-url", fields["base_url"]]
    if "max_usd" in fields:
        words += ["--max-usd", f"{number_of(fields['max_usd'], 'dollars'):g}"]
    return words


def list_of(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(word, str) and word.isprintable() for word in given):
        raise UsageError("this must be a list of words", fix="reload the page")
    return [str(word).strip() for word in given]


def word_of(given: Any, name: str) -> str:
    if not isinstance(given, str) or not given.isprintable() or given.startswith("-") or len(given) > 300:
        raise UsageError(f"{name} cannot be {given!r:.60}", fix="give a word that does not begin with -")
    return given


def one_of(given: Any, known: Sequence[str]) -> str:
    if given not in known:
        raise UsageError(f"there is no {given!r:.40} here", fix=f"one of {', '.join(known) or 'none'}")
    return str(given)


def number_of(given: Any, name: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1e6:
        raise UsageError(f"{name} cannot be {given!r:.40}", fix="give a number above 0")
    return float(given)


def whole_of(given: Any, name: str, least: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= 1_000_000:
        raise UsageError(f"{name} cannot be {given!r:.40}", fix=f"give a whole number from {least} on")
    return given
