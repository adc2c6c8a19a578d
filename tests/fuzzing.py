"""Damaged files for every reader: whole small ones, and ways to harm them, each known by its number.

    doors = Doors(tmp_path / "doors")           # what the readers need beside a file: data, a run, a comparison
    case = doors.case(4711)                     # always the same one: Case(door="csv", files={"d.csv": b"…"})
    doors.attempt(case, tmp_path / "case")      # reads it; an error of ours is an answer, any other is a find

A new reader is one more line in `doors()`, a new form of others one in others_files.py. benchmarks/attack.py tries
100,000.
"""

import os
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import others_files
from conftest import make_dataset
from damaging import harmed, poison, renamed
from slmfit import reporting
from slmfit.comparison.compare import Comparison, compare
from slmfit.data.added import add_rows
from slmfit.data.given import read_answers
from slmfit.data.load import load_data
from slmfit.errors import SlmfitError
from slmfit.generating import read_recipe
from slmfit.generating.journal import journal_at
from slmfit.leaving.costs import PriceList, cost_of
from slmfit.leaving.found import prompts_of
from slmfit.leaving.logs import read_log
from slmfit.llm.ledger import Ledger
from slmfit.llm.prices import from_toml
from slmfit.methods.llm.prompt import read_descriptions
from slmfit.records import Entities, Question
from slmfit.runs.predicting import predict_file
from slmfit.runs.run import list_runs, load
from whole_files import (
    answered,
    as_csv,
    as_json,
    as_jsonl,
    as_parquet,
    asked,
    columns,
    lettered,
    of_folder,
    slots,
    tagged,
    texts,
    tokens,
    zipped,
)


@dataclass(frozen=True)
class Door:
    """A reader. files: whole ones, by path. read: what is done with the folder they lie in. share: how often."""

    files: Mapping[str, bytes]
    read: Callable[[Path], object]
    share: float = 1.0


@dataclass(frozen=True)
class Case:
    """Damaged files for a door. how: what was done to them."""

    door: str
    files: Mapping[str, bytes]
    how: tuple[str, ...]


class Doors:
    """Every reader with what it needs beside its file, made once below `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.data = make_dataset(sizes=(30, 10, 30))
        compare(self.data, "majority", out=self.folder / "compared")
        self.run = load(self.folder / "compared" / "runs" / "majority")
        self.poison = poison("ran")  # in the current folder
        self.doors = doors(self)
        self.names = list(self.doors)
        self.shares = [door.share for door in self.doors.values()]

    def case(self, number, door=None):
        """The case of that number; `door` asks for one of that reader."""
        rng = random.Random(number)
        door = door or rng.choices(self.names, self.shares)[0]
        files = dict(self.doors[door].files)
        name = rng.choice(sorted(files))
        damaged, how = harmed(files[name], rng, self.poison)
        del files[name]
        more = ()
        if len(files) == 0 and "." in name:
            name, damaged, more = renamed(name, damaged, rng)
        return Case(door, files | {name: damaged}, (*how, *more))

    def attempt(self, case, folder):
        """Let the reader have it. Raises whatever is no error of ours."""
        folder = Path(folder)
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in case.files.items():
            path = folder / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            self.doors[case.door].read(folder)
        except SlmfitError as error:
            assert str(error) and error.what, case
        return case


def only(read):
    """A reader of the one file in a folder."""

    def reads(folder):
        (path,) = folder.iterdir()
        return read(path)

    return reads


def checked(data):
    """Proper examples are all that may come out of a file."""
    for example in (*data.train, *data.validation, *data.test):
        assert isinstance(example.input, str | Question) and isinstance(example.target, str | Entities)
    return data


def journal(path):
    with journal_at(path, "k") as opened:
        return opened.done


def calls():
    """A log in every form that is known, the batch's halves among them."""
    asked, said = [{"role": "user", "content": "Sort it: late parcel"}], {"role": "assistant", "content": "delivery"}
    request, reply = {"model": "m", "messages": asked}, {"choices": [{"message": said}], "created": 1_780_000_000}
    litellm = {"call_type": "acompletion", "startTime": 1_780_000_000.5, "response_cost": 0.1, "response": reply}
    forms = [
        {"request": request, "response": reply, "timestamp": "2026-05-28T20:26:40Z"},
        {"request": request, "response": {"status_code": 500, "body": {"error": {"message": "no"}}}},
        {**request, **litellm},
        {"model": "m", "messages": [*asked, said]},
        {"custom_id": "1", "body": request},
        {"custom_id": "1", "response": {"status_code": 200, "body": reply}},
    ]
    return forms * 12


def log_of_calls(path):
    log = read_log(path)
    for prompt in prompts_of(log):
        assert len(prompt.rows) <= len(prompt.calls) <= len(log.calls)
        cost_of(prompt.calls, PriceList())


def ledger(path):
    Ledger(path).close()


def comparison(folder):
    """What `runs`, `compare` and `predict` read of a folder that was sent on."""
    list_runs(folder)
    assert Comparison(folder).runs
    load(folder).predict(["a text"])


LEDGER = [
    {"format": "slmfit.ledger/1", "opened": "2026-11-22T10:00:00Z"},
    {"found": {"form": "schema"}, "model": "m", "server": "http://localhost/v1", "charged": {"tokens": 3, "usd": 0.1}},
    {"reserved": "ab" * 32, "tokens": 40, "usd": 0.001},
    {"answer": "ab" * 32, "id": "1", "outcome": "ok", "value": {"label": "a"}, "charged": {"tokens": 9, "usd": 0.001}},
]
TOML = {
    "prices.toml": b'date = 2026-11-01\n[models."m"]\ninput = 0.10\noutput = 0.30\ncached_input = 0.05\n',
    "labels.toml": b'billing = "invoices and refunds"\ndelivery = "parcels"\n',
}
RULES = b"a*=one\nb,two\n"
RECIPE = Path(read_recipe.__code__.co_filename).parent / "recipes"


def doors(about):
    """Name -> the door."""
    read = only(lambda path: checked(load_data(path)))
    found = {}
    for kind, rows in (("texts", texts()), ("entities", tagged()), ("questions", asked())):
        flat = [lettered(row) for row in rows] if kind == "questions" else rows
        found[f"csv, {kind}"] = Door({"d.csv": as_csv(flat)}, read, 4)
        found[f"tsv, {kind}"] = Door({"d.tsv": as_csv(flat, "\t")}, read)
        found[f"jsonl, {kind}"] = Door({"d.jsonl": as_jsonl(rows)}, read, 4)
        found[f"json, {kind}"] = Door({"d.json": as_json(rows)}, read, 3)
    found["jsonl, tokens"] = Door({"d.ndjson": as_jsonl(tokens())}, read, 2)
    found["json, pairs"] = Door(
        {"d.json": as_json([[r["text"], {"entities": [list(s.values()) for s in r["spans"]]}] for r in tagged()])}, read
    )
    for ending in ("conll", "iob", "iob2", "bio"):
        found[ending] = Door({f"d.{ending}": columns(tokens())}, read, 1.5)
    for form, (name, content) in others_files.forms().items():
        found[form] = Door({name: content}, read, others_files.SHARE)
    found["parquet"] = Door({"d.parquet": as_parquet(texts())}, read, 0.25)  # a process each
    found["split files"] = Door(
        {"train.csv": as_csv(texts()), "dev.jsonl": as_jsonl(texts()), "test.tsv": as_csv(texts(), "\t")},
        lambda folder: checked(load_data(folder)), 1.5,
    )  # fmt: skip
    found["slots"] = Door(
        slots(tokens()),
        lambda folder: checked(load_data(folder)), 2,
    )  # fmt: skip
    found["folders of texts"] = Door(
        {f"{row['label']}/{row['id']}.txt": row["text"].encode() for row in texts()},
        lambda folder: checked(load_data(folder)), 2,
    )  # fmt: skip
    given = only(lambda path: read_answers(path, about.data))
    rows = answered(about.data)
    for ending, write in (("csv", as_csv), ("jsonl", as_jsonl), ("json", as_json)):
        found[f"answers, {ending}"] = Door({f"a.{ending}": write(rows)}, given, 2)
    more = [{"text": f"{e.input} more", "label": e.target} for e in about.data.train[:20]]
    found["added rows"] = Door({"more.jsonl": as_jsonl(more)}, only(lambda path: add_rows(about.data, path)), 2)
    output = about.folder / "answered.csv"
    found["texts to predict"] = Door(
        {"new.csv": as_csv(texts())}, only(lambda path: predict_file(about.run, path, output)), 3
    )
    found["merge rules"] = Door({"rules.txt": RULES}, only(lambda path: _merged(path)), 2)
    for name in ("emails", "tickets"):
        recipe = (RECIPE / f"{name}.toml").read_bytes()
        found[f"recipe, {name}"] = Door({"r.toml": recipe}, only(read_recipe), 1.5)
    found["prices"] = Door({"prices.toml": TOML["prices.toml"]}, only(lambda path: from_toml(path, "m")), 1.5)
    found["descriptions"] = Door({"labels.toml": TOML["labels.toml"]}, only(read_descriptions))
    found["descriptions, json"] = Door({"labels.json": b'{"billing": "invoices"}'}, only(read_descriptions))
    found["log"] = Door({"log.jsonl": as_jsonl(calls())}, only(log_of_calls), 3)
    found["log, one call"] = Door({"log.json": as_json(calls()[0])}, only(log_of_calls))
    found["ledger"] = Door({"ledger.jsonl": as_jsonl(LEDGER)}, only(ledger), 3)
    head = {"format": "slmfit.generating/1", "key": "k"}
    found["journal"] = Door({"j.partial": as_jsonl([head, {"kept": [], "rejected": []}])}, only(journal))
    compared = of_folder(about.folder / "compared", "*.json", "data/*", "runs/*/*", "runs/*/model/*")
    found["comparison"] = Door(compared, comparison, 1.5)
    found["comparison, reported"] = Door(compared, lambda folder: reporting.html([folder]), 0.25)  # a fifth of a second
    found["archive"] = Door({"train.zip": zipped(as_csv(texts()))}, read, 1.5)
    return found


def _merged(path):
    from slmfit.data.labels import merged_labels

    return merged_labels(["a", "ab", "b", "c"], [str(path)], None)
