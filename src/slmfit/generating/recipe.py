"""What a recipe is, and how one is read: a TOML file that says which examples to write.

    recipe = read_recipe("emails")            # a built-in one of `recipes/`, or the path of a file
    recipe.entities["DATE"].share             # the share of texts that hold a date

docs/recipes.md explains every key; phrases.py says how the templates are read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from slmfit.data.readers.rows import missing, reading
from slmfit.errors import DataError, UsageError, did_you_mean
from slmfit.generating.marked import LABEL
from slmfit.generating.phrases import Choice, Lists, Mark, Slot, Template, parse_list
from slmfit.generating.tables import Table
from slmfit.tasks import TASKS, by_name

CLASSIFICATION, TAGGING = "text-classification", "token-classification"
KINDS = {CLASSIFICATION: "labels", TAGGING: "intents"}  # task -> the table of the kinds of texts it writes
MOST_BYTES = 5_000_000  # of a recipe
MOST_KINDS = 500  # labels or intents: each is drawn against every other one
MOST_DOTS = 50  # in the keys of a line; reading a.a.a.… takes time in their square
_TEXTS = re.compile(r"\"(?:[^\"\\]|\\.?)*+(?:\"|\Z)|'[^']*+(?:'|\Z)|#.*")  # one that is not closed, to the end
DEEPEST = 50  # brackets and slots within each other
PLAIN = ""  # the one label of a recipe for entities without intents


@dataclass(frozen=True, slots=True)
class Kind:
    """A label, an intent or an entity type.

    share: of the texts that have it. about: what it is, told to a language model.
    """

    share: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A way of writing: a style, a degree of difficulty.

    share: of the texts written so. about: what it is, told to a language model. templates: for the template writer.
    """

    share: float
    about: str = ""
    templates: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class Noise:
    """How texts are roughened. A hasty text has typos, and may lack capitals or apostrophes and the last full stop."""

    hasty: float = 0.0  # share of texts typed in haste
    typos: float = 0.0  # share of a hasty text's words of four letters and more
    lowercase: float = 0.0  # share of hasty texts
    bare: float = 0.0  # share of hasty texts


@dataclass(frozen=True)
class Recipe:
    """What to write; the module's docstring names where each field is explained."""

    name: str
    task: str  # text-classification or token-classification
    count: int  # of examples, unless another number is asked for
    length: tuple[int, int]  # least and most characters of a text
    about: str
    style: str
    difficulty: str
    personas: tuple[str, ...]
    labels: Mapping[str, Kind]  # labels or intents; the one `PLAIN` where entities have no intents
    entities: Mapping[str, Kind]
    forms: Mapping[str, Form]
    lists: Mapping[str, Lists]  # label -> slot -> phrases, the shared ones included
    keep: frozenset[str]  # slots that stay the same all through a text
    wrong_label: float  # share of rows that get a wrong label
    noise: Noise
    source: str = ""  # the TOML it was read from

    @property
    def shares(self) -> dict[str, float]:
        """Label -> share of rows."""
        return {label: kind.share for label, kind in self.labels.items()}

    @property
    def tagged(self) -> bool:
        return by_name(self.task).marks


def read_recipe(name: str | Path) -> Recipe:
    """The built-in recipe of that name, or the one in a file: a name that ends in .toml or holds a slash.

    Raises UsageError for an unknown name and DataError for a recipe that cannot be used.
    """
    if isinstance(name, Path) or name.endswith(".toml") or "/" in name or "\\" in name:
        with reading(str(name)):
            if not Path(name).exists():
                raise missing(Path(name))
            if not Path(name).is_file():
                raise DataError("is no file", where=str(name), fix="give the path of a TOML file")
            with Path(name).open("rb") as file:
                source = file.read(MOST_BYTES + 1)
        return _read_source(source, str(name))
    files = _built_in()
    if name not in files:
        fix = f"{did_you_mean(name, sorted(files))} (a recipe of your own is a file: NAME.toml)"
        raise UsageError(f"there is no recipe {name!r}", fix=fix)
    return _read_source(files[name].read_bytes(), f"recipe {name!r}")


def built_in_recipes() -> list[str]:
    """The names of the recipes that come with slmfit."""
    return sorted(_built_in())


def _built_in() -> dict[str, Traversable]:
    folder = resources.files("slmfit.generating") / "recipes"
    return {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}


def _read_source(source: bytes, place: str) -> Recipe:
    try:
        text = source.decode("utf-8-sig")
        _check_length(source, text, place)
        return parse_recipe(tomllib.loads(text), place, text)
    except UnicodeDecodeError:
        raise DataError("is not UTF-8 text", where=place, fix="save it as UTF-8") from None
    except RecursionError:
        raise DataError("its brackets nest too deeply", where=place, fix="write some of it as a slot") from None
    except ValueError as error:
        raise DataError(f"is no TOML: {error}", where=place, fix="mend it there") from None


def _check_length(source: bytes, text: str, place: str) -> None:
    if len(source) > MOST_BYTES:
        raise DataError(f"is longer than {MOST_BYTES:,} bytes", where=place, fix="write shorter lists")
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MOST_DOTS and _TEXTS.sub("", line).count(".") > MOST_DOTS:
            raise DataError("a key has too many parts", where=f"{place}, line {number}", fix="put texts in quotes")


def parse_recipe(table: Mapping[str, object], place: str = "recipe", source: str = "") -> Recipe:
    """The recipe that a TOML table describes, with every slot of every template checked.

    Raises DataError for a key that is missing, unknown or of another kind, too few labels, a slot without a list, a
    list that contains itself, brackets that do not match and marks of an entity that is not declared.
    """
    root = Table(table, place)
    name = root.take("name", str)
    if not re.fullmatch(r"\w[\w.-]{0,99}", name):
        fix = "begin with a letter or digit; up to 99 more, '-', '_' and '.' may follow: files are named after it"
        raise root.error("name", f"is {name!r}", fix)
    task = root.take("task", str, CLASSIFICATION)
    if task not in KINDS:
        known = tuple(KINDS)
        raise root.error(
            "task", f"is {task!r}", did_you_mean(task, known) if task not in TASKS else f"choose one of: {known}"
        )
    shared = _lists(root.table("slots"))
    labels, lists = _labels(root.table(KINDS[task]), task, shared)
    noise = root.table("noise")
    recipe = Recipe(
        name=name,
        task=task,
        count=root.take("count", int, 50),
        length=_length(root),
        about=root.take("about", str, ""),
        style=root.take("style", str, ""),
        difficulty=root.take("difficulty", str, ""),
        personas=tuple(root.take("personas", list, [])),
        labels=labels,
        entities=_entities(root.table("entities"), task),
        forms=_forms(root.table("forms")),
        lists=lists,
        keep=frozenset(root.take("keep", list, [])),
        wrong_label=noise.part("wrong_label"),
        noise=Noise(*(noise.part(part) for part in ("hasty", "typos", "lowercase", "bare"))),
        source=source,
    )
    noise.done()
    root.done()
    if recipe.wrong_label and recipe.tagged:
        raise noise.error("wrong_label", "is given", "leave it out: only labels can be planted wrong")
    if recipe.count < 1:
        raise root.error("count", f"is {recipe.count}", "ask for at least 1")
    Checker(recipe, place).check()
    return recipe


def _labels(table: Table, task: str, shared: Lists) -> tuple[dict[str, Kind], dict[str, Lists]]:
    """Label -> its share and meaning, and label -> its lists."""
    labels: dict[str, Kind] = {}
    lists: dict[str, Lists] = {}
    for label, own in table.tables().items():
        labels[label] = Kind(own.share("share"), own.take("about", str, ""))
        lists[label] = {**shared, **_lists(own)}
    key = KINDS[task]
    if key == "intents" and not labels:
        return {PLAIN: Kind(1.0)}, {PLAIN: shared}
    if len(labels) > MOST_KINDS:
        raise DataError(f"has more than {MOST_KINDS} {key}", where=table.place, fix="write several recipes")
    if len(labels) < 2 or "" in labels:
        fix = f"add a table [{key}.NAME]" + (", or leave intents out" if key == "intents" else "")
        raise DataError(f"a recipe needs two {key} at least, each with a name", where=table.place, fix=fix)
    return labels, lists


def _lists(table: Table) -> Lists:
    return {slot: parse_list(f"{table.place}, {slot!r}", phrases) for slot, phrases in table.lists().items()}


def _entities(table: Table, task: str) -> dict[str, Kind]:
    entities = {}
    for label, own in table.tables().items():
        if not re.fullmatch(LABEL, label):
            raise table.error(label, "cannot name an entity", "use no spaces and no brackets")
        entities[label] = Kind(own.share("share", most=1), own.take("about", str, ""))
        own.done()
    tagged = by_name(task).marks
    if bool(entities) != tagged:
        what, fix = ("there are no entities", "add a table [entities.NAME]") if tagged else (
            "labels have no entities", f'write task = "{TAGGING}", or leave them out')  # fmt: skip
        raise DataError(what, where=table.place, fix=fix)
    return entities


def _forms(table: Table) -> dict[str, Form]:
    forms = {}
    for name, own in table.tables().items():
        templates = own.take("templates", list, [])
        parsed = parse_list(own.place, templates) if templates else ()
        forms[name] = Form(own.share("share", default=1.0), own.take("about", str, ""), parsed)
        own.done()
    return forms or {"plain": Form(1.0)}


def _length(root: Table) -> tuple[int, int]:
    table = root.table("length")
    least, most = table.take("least", int, 10), table.take("most", int, 1000)
    table.done()
    if not 1 <= least <= most:
        raise root.error("length", f"is from {least} to {most}", "write length = {least = 10, most = 1000}")
    return least, most


class Checker:
    """Follows every slot of every template of a recipe."""

    def __init__(self, recipe: Recipe, place: str) -> None:
        self._recipe, self._place = recipe, place
        self._checked: set[tuple[str, str, bool]] = set()

    def check(self) -> None:
        for label in self._recipe.labels:
            for name, form in self._recipe.forms.items():
                for template in form.templates:
                    self._follow(template, label, (f"form {name}",), marked=False, depth=0)

    def _follow(self, template: Template, label: str, path: tuple[str, ...], marked: bool, depth: int) -> None:
        if depth > DEEPEST:
            raise self._error("brackets and slots nest too deeply", label, path[:3], f"{DEEPEST} levels are enough")
        for part in template:
            if isinstance(part, Choice):
                for option in part.options:
                    self._follow(option, label, path, marked, depth + 1)
            elif isinstance(part, Mark):
                self._check_mark(part, label, path, marked)
                self._follow(part.words, label, path, True, depth + 1)
            elif isinstance(part, Slot):
                self._follow_slot(part, label, path, marked, depth)

    def _check_mark(self, mark: Mark, label: str, path: tuple[str, ...], marked: bool) -> None:
        if marked:
            fix = "write the entity's type once, around all its words"
            raise self._error(f"an entity {mark.label!r} within an entity", label, path, fix)
        if mark.label not in self._recipe.entities:
            fix = did_you_mean(mark.label, self._recipe.entities, f"declare it: [entities.{mark.label}]")
            raise self._error(f"there is no entity {mark.label!r}", label, path, fix)

    def _follow_slot(self, slot: Slot, label: str, path: tuple[str, ...], marked: bool, depth: int) -> None:
        if slot.name in path:
            raise self._error(f"the list {slot.name!r} contains itself", label, path, "take that slot out")
        others = [name for name in self._recipe.labels if name != label]
        if slot.other and not others:
            raise self._error(f"{{other.{slot.name}}} has no other label", label, path, "leave 'other.' out")
        for name in others if slot.other else [label]:
            lists = self._recipe.lists[name]
            if slot.name not in lists:
                fix = did_you_mean(slot.name, sorted(lists))
                raise self._error(f"label {name!r} has no list {slot.name!r}", label, path, fix)
            if (name, slot.name, marked) not in self._checked:
                for phrase in lists[slot.name]:
                    self._follow(phrase, name, (*path, slot.name), marked, depth + 1)
                self._checked.add((name, slot.name, marked))

    def _error(self, what: str, label: str, path: tuple[str, ...], fix: str) -> DataError:
        of = f", label {label!r}" if label else ""
        return DataError(what, where=f"{self._place}{of}, {' > '.join(path)}", fix=fix)
