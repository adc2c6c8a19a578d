"""Examples as a recipe says: written, checked, and kept in a file with how they came to be.

    made = generate("emails", n=200, output="emails.jsonl")
    made.path, made.about["rejected"]             # emails.jsonl, {"near duplicate": 11, "over quota": 1}

A writer hands over drafts, and nothing that it says is taken on trust: checks.py names what is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slmfit import storage, streams
from slmfit.data.split import checked_seed
from slmfit.data.texts import load_texts
from slmfit.environment import code_version
from slmfit.errors import BudgetReached, UsageError, did_you_mean
from slmfit.events import Listener
from slmfit.generating.journal import journal_at
from slmfit.generating.output import FORMS, beside, output_path
from slmfit.generating.recipe import Recipe, read_recipe
from slmfit.generating.templates import TemplateWriter
from slmfit.generating.work import Work, Writer
from slmfit.storage import hash_json
from slmfit.tasks import by_name

MOST = 1_000_000  # examples of one file: all are in memory, and each is held against all others


@dataclass(frozen=True)
class Made:
    """What was written. about: what `FILE.about.json` holds. reused: it was all there already."""

    path: Path
    about: Mapping[str, Any]
    reused: bool = False

    @property
    def rejected(self) -> Path:
        """The file of what was rejected."""
        return beside(self.path, "rejected.jsonl")

    @property
    def missing(self) -> int:
        """How many of the examples asked for could not be had."""
        return int(self.about["asked"] - self.about["rows"])


def generate(
    recipe: str | Path | Recipe,
    *,
    n: int | None = None,
    seed: int = 0,
    output: str | Path | None = None,
    form: str = "spans",
    avoid: Sequence[str | Path] = (),
    writer: Writer | None = None,
    listen: Listener | None = None,
) -> Made:
    """Examples as a recipe says, each one checked; the same command goes on where it was killed.

    recipe: a built-in one's name, or the path of a TOML file. n: how many; None = as many as the recipe says.
    output: None = NAME.jsonl, or NAME.json in the words form. Beside it come FILE.about.json and FILE.rejected.jsonl.
    What is no file (`-` for stdout, a pipe, a device) is handed the examples and nothing else.
    form: how entities are written: spans, tokens or words. avoid: data of which no row may be copied, test rows say.
    writer: None = the recipe's templates.

    Fewer examples than asked for are a result, told in `about`: the writer had nothing more to say.
    Raises UsageError and DataError for a recipe or an output that cannot be, before anything is written, and
    BudgetReached when a budget ran out; what there is by then is written, and the same command goes on.
    """
    seed = checked_seed(seed)
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    n = checked_count(recipe, n)
    if form not in FORMS:
        raise UsageError(f"there is no format {form!r}", fix=did_you_mean(form, FORMS))
    if form != "spans" and not recipe.tagged:
        fix = "leave --format out"
        raise UsageError(f"{form} are a form of entities, and {recipe.name!r} has none", fix=fix)
    path = output_path(output, recipe.name, form)
    if streams.is_stream(path):
        asked = {"n": n, "seed": seed, "form": form, "avoid": avoid, "writer": writer, "listen": listen}
        return _into_stream(path, recipe, f"examples{FORMS[form]}", asked)
    by: Writer = writer or TemplateWriter(recipe, seed)
    texts = [text for data in avoid for text in load_texts(data, by_name(recipe.task))]
    server = by.server and by.server["base_url"]  # without its prices, which change from day to day
    key = hash_json([recipe.source, n, seed, by.name, by.model, server, by.system_prompt, texts, code_version()])
    journal = journal_at(path.with_name(f".{path.name}.partial"), key)
    if path.exists() and not journal.path.exists():
        return _made_before(path, key, form)
    with journal:
        work = Work(recipe, by, n, seed, texts, journal, listen)
        reached = work.run()
        if work.kept or reached is None:
            work.write_files(path, form)
        if reached is not None:
            what = f"{reached.what}; {len(work.kept):,} of {n:,} examples are written"
            raise BudgetReached(what, where=reached.where, fix=reached.fix)
        journal.remove()
    return Made(path, storage.read_json(beside(path, "about.json")))


def _into_stream(path: Path, recipe: Recipe, name: str, asked: dict[str, Any]) -> Made:
    """The examples alone, at once, to whoever reads there: nothing is left to stand beside them or to go on from."""
    with TemporaryDirectory(prefix="slmfit-") as folder:
        kept = Path(folder) / name
        try:
            made = generate(recipe, output=kept, **asked)
        finally:  # also what there is when a budget ran out
            if kept.is_file():
                with storage.output(path) as file:
                    file.write(kept.read_bytes())
    return Made(path, made.about)


def checked_count(recipe: Recipe, n: int | None) -> int:
    """How many examples are asked for. Raises UsageError for a number that cannot be."""
    n = recipe.count if n is None else n
    if n < 1:
        raise UsageError(f"cannot write {n} examples", fix="ask for at least 1")
    if n > MOST:
        raise UsageError(f"cannot write {n:,} examples at once", fix=f"ask for at most {MOST:,}")
    return n


def _made_before(path: Path, key: str, form: str) -> Made:
    """What the same command wrote before. Raises UsageError where the file is anything else."""
    about = beside(path, "about.json")
    made = storage.read_json(about, "key", "file", "form") if about.is_file() else {}
    if (made.get("key"), made.get("form"), made.get("file")) != (key, form, storage.hash_file(path)):
        fix = "choose another --output, or delete the file"
        raise UsageError("is there already, and was not written by this very command", where=str(path), fix=fix)
    return Made(path, made, reused=True)
