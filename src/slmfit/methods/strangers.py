"""Methods that slmfit does not bring: a class of your own as `my_module:MyMethod`, or one that a package installs.

    named("my_module:MyMethod")        # you named it: its module is imported
    named("theirs")                    # the entry point `theirs` of the group `slmfit.methods`
    recorded("my_module:MyMethod")     # a file names it: nothing is imported

The promise: no file makes slmfit import a module. A run, which may come from anyone, names its method; that name is
looked up among slmfit's own methods and those of installed packages, and a `module:Class` only among the modules that
this process has imported already, because you named or imported them yourself.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from slmfit import storage
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError, did_you_mean
from slmfit.methods.base import Method

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "slmfit.methods"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # of a method: a folder's name, and a word in --methods and --set
DUTIES = ("fit", "predict", "save", "load")


def installed() -> dict[str, EntryPoint]:
    """Name -> the entry point of an installed package; of two with the same name the one that Python finds first."""
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if NAME.fullmatch(point.name):
            found.setdefault(point.name, point)
    return found


def named(word: str) -> tuple[str, type[Method]]:
    """The place and class of a method that the caller names: its module is imported.

    Raises UsageError for a module, class or name that is not there and for a class that is no method, MissingPart
    where the module needs a package that is not here, SlmfitError where importing it fails.
    """
    place = word if ":" in word else _place_of(installed()[word])
    module, _, name = place.partition(":")
    if not (name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        where = None if word == place else f"the entry point {word} of {package_of(word)}"
        raise UsageError(f"{place!r} names no class", where=where, fix="write MODULE:CLASS, as in my_module:MyMethod")
    if module == "__main__":
        fix = "put the class into a file of its own, and name that"
        raise UsageError("a method in __main__ cannot be found again by another process", where=word, fix=fix)
    return place, _checked(word, _imported(word, module), name)


def recorded(word: str, where: Path, package: str | None = None) -> type[Method]:
    """The class of a method that a file names; package: what brought it, by the word of that file.

    Raises UnsafeError for a module's class that nobody here has imported, MissingPart for a method of a package that
    is not installed.
    """
    if ":" not in word:
        if word not in installed():
            fix = f"install the package that brings it{f': it was {package}' if package else ''}"
            raise MissingPart(f"its method {word!r} is not installed here", where=str(where), fix=fix)
        return named(word)[1]
    module, _, name = word.partition(":")
    if not isinstance(found := sys.modules.get(module), ModuleType) or name not in vars(found):
        what = f"its method is {word}, and a file is no reason to import a module"
        fix = f"if you trust it, name it: --method {word}; in Python, import {module} first"
        raise UnsafeError(what, where=str(where), fix=fix)
    return _checked(word, found, name)


def label(place: str, cls: type[Method], taken: tuple[str, ...]) -> str:
    """What the runs of a class are called: its `name`, or its class's in small letters; safe as a folder's name.

    Where that name is `taken`, the module's stands before it.
    """
    own = re.sub(r"[^A-Za-z0-9_-]+", "-", cls.name or cls.__name__.lower()).strip("-_")[:60] or "method"
    return f"{place.partition(':')[0].replace('.', '-')}-{own}"[-60:].strip("-_") if own.lower() in taken else own


def source_hash(cls: type[Method]) -> str:
    """sha256 of the source that the class stands in, all of its package: with another one, a run is fitted again."""
    return _source_hash(cls.__module__.partition(".")[0])


@cache
def _source_hash(package: str) -> str:
    top = sys.modules[package]
    folders = [Path(folder) for folder in getattr(top, "__path__", ())]
    files = sorted(file for folder in folders for file in folder.rglob("*.py"))
    alone = getattr(top, "__file__", None)
    return storage.hash_json([storage.hash_file(file) for file in files or ([Path(alone)] if alone else [])])


def package_of(word: str) -> str | None:
    """The package that brings a method by entry point, with its version."""
    point = None if ":" in word else installed().get(word)
    return f"{point.dist.name} {point.dist.version}" if point and point.dist else None


def _place_of(point: EntryPoint) -> str:
    return f"{point.module}:{point.attr}"


def _imported(word: str, module: str) -> ModuleType:
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.append(here)  # last, so that a file here stands before nothing that is installed
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            fix = "start slmfit in the folder where it lies, or install the package that holds it"
            raise UsageError(f"there is no module {error.name!r}", where=word, fix=fix) from None
        raise MissingPart(f"{module} needs {error.name}, which is not here", where=word, fix="install it") from None
    except (Exception, SystemExit) as error:
        from traceback import extract_tb

        last = extract_tb(error.__traceback__)[-1]
        what = f"importing {module} fails: {type(error).__name__}: {error}"
        fix = f"repair it; `python -c 'import {module}'` shows where it breaks"
        raise SlmfitError(what, where=f"{last.filename}, line {last.lineno}", fix=fix) from error


def _checked(word: str, module: ModuleType, name: str) -> type[Method]:
    """The class of that name, which must be a method, and a whole one."""
    where = getattr(module, "__file__", None) or module.__name__
    found = getattr(module, name, None)
    if found is None:
        methods = [n for n, value in vars(module).items() if _is_method(value) and value.__module__ == module.__name__]
        fix = did_you_mean(name, methods) if methods else "it holds no method at all; docs/extending.md shows one"
        raise UsageError(f"has no class {name!r}", where=where, fix=fix)
    if not _is_method(found):
        fix = "let it inherit slmfit.methods.base.Method; docs/extending.md shows one"
        raise UsageError(f"{name} is no method", where=where, fix=fix)
    duties = (*DUTIES, "refit") if found.refits else DUTIES
    if lacking := [n for n in duties if inspect.getattr_static(found, n) is inspect.getattr_static(Method, n)]:
        raise UsageError(f"{name} lacks {', '.join(lacking)}", where=where, fix="docs/extending.md says what they do")
    if not dataclasses.is_dataclass(found.Settings):
        raise UsageError(f"{name}.Settings is no dataclass", where=where, fix="write @dataclass(frozen=True) above it")
    return found


def _is_method(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Method) and value is not Method
