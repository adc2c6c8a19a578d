"""Another's method: by module or entry point, what is wrong with it is said, and no file makes us import anything."""

import importlib
import json
import sys

import pytest

from extended import install, slmfit
from slmfit import SlmClassifier, methods
from slmfit.comparison.compare import compare, train
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError
from slmfit.methods import strangers
from slmfit.methods.explaining import explain
from slmfit.methods.specs import parse_specs
from slmfit.runs.evaluation import evaluate
from slmfit.runs.run import load

FILE = '''
"""Says the first label that train has."""

import json
from dataclasses import dataclass

from slmfit.methods.base import Method, setting
from slmfit.records import Prediction


@dataclass(frozen=True)
class Settings:
    base: str | None = setting(None, "What it starts from.")
    loud: bool = setting(False, "Whether it shouts.")


class Theirs(Method):
    """Always the first label."""

    Settings = Settings
    base_model_setting = "base"
    tasks = ("text-classification", "multiple-choice")

    def fit(self, task, train, validation, context):
        self.said = train[0].target

    def predict(self, inputs):
        return [Prediction(self.said) for _ in inputs]

    def save(self, folder):
        (folder / "said.json").write_text(json.dumps(self.said))

    @classmethod
    def load(cls, folder, task, settings):
        method = cls(settings)
        method.said = json.loads((folder / "said.json").read_text())
        return method


class Linear(Theirs):
    pass


class Named(Theirs):
    name = "My own!"
    summary = "Mine."


class Half(Method):
    def fit(self, task, train, validation, context):
        pass


class Untold(Theirs):
    Settings = dict


NUMBER = 7
'''


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that Python looks into, with a package in it; modules imported from it are forgotten again."""
    folder = install(tmp_path / "site", "thatpackage", FILE, {"theirs": "thatpackage:Theirs", "linear": "no:thing"})
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield folder
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
    strangers._source_hash.cache_clear()


@pytest.mark.parametrize(
    ("asked", "id"), [("theirs", "theirs"), ("thatpackage:Theirs", "theirs"), ("thatpackage:Theirs@a=b", "theirs@a")]
)
def test_a_comparison_with_it(site, data, tmp_path, asked, id):
    result = compare(data, ["majority", asked], out=tmp_path / "o")
    row = result.record.methods[1]
    assert (row.id, row.name, row.status) == (id, asked.partition("@")[0], "ok"), row.reason
    run = load(tmp_path / "o" / "runs" / id)
    assert run.predict(["x"])[0].target == data.train[0].target
    assert run.record.method == row.name and run.record.rows_per_second > 0
    rows = tmp_path / "rows.csv"
    rows.write_text(f"text,label\nhello,{data.train[0].target}\n")
    assert evaluate(run, rows).values["accuracy"].value == 1
    assert SlmClassifier(asked).fit(["a", "b"] * 10, [1, 2] * 10).predict(["c"]) in (1, 2)
    assert explain("loud", run.record).settings[0].value is False


def test_it_is_listed_and_explained_and_set(site, data):
    rows = {row["name"]: row for row in methods.list_methods()}
    assert list(rows) == [*methods.TABLE, "theirs"]  # slmfit's own names stay its own
    assert rows["theirs"]["summary"] == "Always the first label." and rows["theirs"]["missing"] is None
    assert [s.full_name for s in explain("theirs").settings] == ["theirs.base", "theirs.loud"]
    assert [s.full_name for s in explain("thatpackage:Theirs.loud").settings] == ["thatpackage:Theirs.loud"]
    given = {"thatpackage:Theirs": {"loud": "true"}, "thatpackage:Theirs@b": {"loud": "false"}}
    specs = parse_specs("theirs,thatpackage:Theirs@a,thatpackage:Theirs@b=x", given, data.task)
    assert [(s.id, s.settings.loud, s.settings.base) for s in specs] == [
        ("theirs", False, None), ("theirs@a", True, None), ("theirs@b", False, "x"),
    ]  # fmt: skip


def test_what_its_runs_are_called(site):
    specs = parse_specs("linear,thatpackage:Linear,thatpackage:Named")
    assert [spec.id for spec in specs] == ["linear", "thatpackage-linear", "My-own"]
    assert specs[2].row.summary == "Mine." and specs[2].quick


def test_another_source_is_fitted_again(site, data, tmp_path):
    words = ("compare", "data.csv", "--methods", "majority,theirs", "--out", "o", "--json")
    rows = "".join(f"{e.input},{e.target}\n" for split in data.splits.values() for e in split)
    (tmp_path / "data.csv").write_text("text,label\n" + rows)

    def reused():
        done = json.loads(slmfit(*words, cwd=tmp_path, source=site).stdout)
        return [row["reused"] for row in done["methods"]]

    assert reused() == [False, False] and reused() == [True, True]
    (site / "thatpackage.py").write_text(FILE + "\n# changed\n")
    assert reused() == [True, False]


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        ("nowhere:Theirs", UsageError, r"no module 'nowhere'[^\0]*start slmfit in the folder"),
        ("thatpackage.sub:Theirs", UsageError, "no module 'thatpackage.sub'"),
        ("thatpackage:Thiers", UsageError, r"thatpackage\.py: has no class 'Thiers'[^\0]*did you mean 'Theirs'"),
        ("thatpackage:NUMBER", UsageError, "NUMBER is no method[^\0]*inherit slmfit.methods.base.Method"),
        ("thatpackage:Settings", UsageError, "Settings is no method"),
        ("thatpackage:Half", UsageError, "Half lacks predict, save, load"),
        ("thatpackage:Untold", UsageError, "Untold.Settings is no dataclass"),
        ("thatpackage:", UsageError, "write MODULE:CLASS"),
        ("a b:Theirs", UsageError, "write MODULE:CLASS"),
        ("__main__:Theirs", UsageError, "a file of its own"),
        ("broken:Theirs", SlmfitError, r"broken\.py, line 2: importing broken fails: ValueError: no"),
        ("leaving:Theirs", SlmfitError, "importing leaving fails: SystemExit: 3"),
        ("needy:Theirs", MissingPart, "needy needs no_such_package, which is not here"),
        ("thiers", UsageError, "did you mean 'theirs'"),
        ("theirs@x y", UsageError, "the name after @ cannot be 'x y'"),
    ],
)
def test_what_is_wrong_is_said(site, data, asked, kind, says):
    (site / "broken.py").write_text("\nraise ValueError('no')\n")
    (site / "leaving.py").write_text("raise SystemExit(3)\n")
    (site / "needy.py").write_text("import no_such_package\n")
    with pytest.raises(kind, match=says):
        compare(data, f"majority,{asked}", out=site / "o")
    assert not (site / "o").exists()


def test_an_installed_package_that_is_broken_is_listed_as_such(site):
    install(site, "ruined", "raise ValueError('no')", {"ruined": "ruined:Ruined"})
    row = next(row for row in methods.list_methods() if row["name"] == "ruined")
    assert row["summary"] == "of the package ruined-package 0.1" and "importing ruined fails" in row["missing"]
    assert "ruined has more" in str(explain().missing) or "ruined" in explain().missing
    with pytest.raises(SlmfitError, match="importing ruined fails"):
        parse_specs("ruined")


def test_no_run_makes_us_import_a_module(site, data, tmp_path):
    """What a stranger mails: its method is a module's class, its files are as they were recorded."""
    made = train(data, "thatpackage:Theirs", out=tmp_path / "o")
    del sys.modules["thatpackage"]
    (site / "thatpackage.py").write_text("raise AssertionError('it was imported')\n" + FILE)
    for read in (lambda: load(made.folder).predict(["x"]), lambda: explain(run=made.record)):
        with pytest.raises(UnsafeError, match=r"no reason to import a module[^\0]*--method thatpackage:Theirs"):
            read()
    assert "thatpackage" not in sys.modules
    (site / "thatpackage.py").write_text(FILE)
    importlib.invalidate_caches()
    methods.method_class("thatpackage:Theirs")  # now the caller has named it
    assert load(made.folder).predict(["x"])[0].target == data.train[0].target
    assert "loud" in [setting.name for setting in explain(run=made.record).settings]


@pytest.mark.parametrize("word", ["os:system", "slmfit.errors:UsageError", "slmfit:compare", "json:nothing"])
def test_a_run_that_names_what_is_no_method(site, tmp_path, word):
    with pytest.raises((UnsafeError, UsageError)):
        strangers.recorded(word, tmp_path)


def test_its_package_is_gone(site, data, tmp_path, monkeypatch):
    made = train(data, "theirs", out=tmp_path / "o")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(site)])
    with pytest.raises(MissingPart, match=r"not installed here[^\0]*it was thatpackage-package 0\.1"):
        load(made.folder).predict(["x"])


def test_the_table_says_of_ours_what_their_classes_say():
    for name, row in methods.TABLE.items():
        if row.place and not methods.unavailable(name):
            assert methods.method_class(name).trained == row.trained
