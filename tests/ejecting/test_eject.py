"""`slmfit eject`: a run as a script that answers as the run does, where there is no slmfit; linear and knn."""

import json
import sys
from dataclasses import replace

import pytest
from scripts import called, ejected, loaded, same, texts

import slmfit
from conftest import make_dataset
from slmfit import storage
from slmfit.__main__ import main
from slmfit.data.recipe import TextRecipe
from slmfit.errors import UnsafeError, UsageError
from slmfit.records import Entities, Example, Span, Tokens
from slmfit.runs.run import Run
from slmfit.tasks.spans import join_tokens
from static_model import model2vec_folder, wordpiece_folder

DATA = make_dataset()
ENTITIES = make_dataset("token-classification")
WORDS = ["invoice", "refund", "parcel", "courier", "late", "my", "fly", "rome", "oslo", "monday"]
CLASSIFIERS = {
    "words": {"features": "words", "ratios": 0.0},
    "pairs": {"features": "words+pairs", "power": 1.0, "ratios": 0.6},
    "characters": {"features": "words+pairs+characters", "characters": 0.5, "ratios": 0.3},
    "vectors": {"features": "embeddings"},
    "words and LSA": {"features": "words+embeddings"},
}


def trained(data, method, place, **settings):
    name = method.partition("=")[0]
    return slmfit.train(data, method, settings={name: settings} if settings else None, out=place)


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    return wordpiece_folder(tmp_path_factory.mktemp("static") / "model", WORDS)


@pytest.mark.parametrize("features", CLASSIFIERS)
def test_linear(features, tmp_path):
    run = trained(DATA, "linear", tmp_path / "out", C=1.0, **CLASSIFIERS[features])
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(DATA)), run, DATA)
    learnt = script["train"]([e.input for e in DATA.train], [e.target for e in DATA.train])
    right = sum(a == e.target for a, e in zip(learnt(texts(DATA)), DATA.test, strict=True))
    assert right / len(DATA.test) > 0.85
    assert script["C"] == 1.0


def test_linear_of_two_labels_in_other_scripts(tmp_path):
    signs = {"包裹在哪里": "a", "C++ 👍🏽 :-)": "b", "กำลัง 5-3 -5": "a", "!!! 🇩🇪 isn't": "b"}
    rows = [Example(str(i), f"{text} {i % 5}", signs[text]) for i, text in enumerate([*signs] * 12)]
    data = replace(DATA, splits={"train": tuple(rows[:24]), "validation": tuple(rows[24:32]), "test": tuple(rows[32:])},
                   task=DATA.task.with_labels("ab"))  # fmt: skip
    run = trained(data, "linear", tmp_path / "out", features="words+pairs+characters")
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(data)), run, data)
    learnt = script["train"]([e.input for e in data.train], [e.target for e in data.train])
    assert learnt(texts(data)) == [e.target for e in data.test]


def test_linear_beside_static_embeddings(static, tmp_path):
    run = trained(DATA, f"linear={static}", tmp_path / "out", features="words+embeddings")
    same(loaded(ejected(run, tmp_path))["answers"](texts(DATA)), run, DATA)


@pytest.mark.parametrize("weighting", ("uniform", "softmax-0.1"))
@pytest.mark.parametrize("base", ("LSA", "static", "mapped"))
def test_knn(base, weighting, static, tmp_path):
    if base == "mapped":
        static = model2vec_folder(tmp_path / "model", mapping=_numbers([0, 1, 1, 2, 3, 4, 5]), config={"max_length": 4})
    run = trained(DATA, "knn" if base == "LSA" else f"knn={static}", tmp_path / "out", k=5, weighting=weighting)
    script = loaded(ejected(run, tmp_path))
    same(script["answers"]([*texts(DATA)]), run, DATA)
    assert run.predict(["qqq"])[0].target == script["answers"](["qqq"])[0]["prediction"]
    learnt = script["train"]([e.input for e in DATA.train], [e.target for e in DATA.train])
    assert set(learnt(texts(DATA))) <= set(DATA.task.labels)


def _numbers(numbers):
    import numpy as np

    return np.array(numbers, np.int64)


@pytest.mark.parametrize("reach", ("near", "far"))
def test_entities_of_linear(reach, tmp_path):
    run = trained(ENTITIES, "linear", tmp_path / "out", reach=reach, c1=0.03, c2=0.1, features="words")
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(ENTITIES)), run, ENTITIES)
    spans = [[(s.start, s.end, s.label) for s in e.target.spans] for e in ENTITIES.train]
    file = tmp_path / "spans.crfsuite"
    script["train_spans"]([e.input for e in ENTITIES.train], spans, str(file))
    import pycrfsuite

    text = "fly to Rome on Monday"
    with pycrfsuite.Tagger().open(str(file)) as tagger:
        tags = tagger.tag(script["told"](text, script["places"](text)))
    assert script["spans_of"](tags, script["places"](text)) == [(7, 11, "CITY"), (15, 21, "DAY")]


def test_entities_without_an_intent_beside_clusters(static, tmp_path):
    plain = [
        replace(e, target=Entities(e.target.spans)) for e in (*ENTITIES.train, *ENTITIES.validation, *ENTITIES.test)
    ]
    splits = {"train": tuple(plain[:120]), "validation": tuple(plain[120:160]), "test": tuple(plain[160:])}
    data = replace(ENTITIES, splits=splits, task=ENTITIES.task.with_labels(e.target for e in plain))
    run = trained(data, f"linear={static}", tmp_path / "out", c1=0.03, c2=0.1)
    assert "clusters" in run.record.chosen
    same(loaded(ejected(run, tmp_path))["answers"](texts(data)), run, data)


def test_entities_that_came_as_tokens(tmp_path):
    def came(e):
        text, offsets = join_tokens([*e.input.split(), "-", "it", "'s", "o.k.", ",", "see", "www.a-b.com", "!"])
        return Example(e.id, Tokens(text, offsets), e.target)

    splits = {name: tuple(map(came, rows)) for name, rows in ENTITIES.splits.items()}
    data = replace(ENTITIES, splits=splits)
    run = trained(data, "linear", tmp_path / "out", reach="near", c1=0.03, c2=0.1, features="words")
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(data)), run, data)
    for text in ("Rome's o.k., isn't it?", "(fly to Oslo!!)", "a@b.com #x-y x’ll n't", ""):
        plain = run.method.part.spans.wording.places(text)
        assert list(script["places"](text)) == list(plain)
    lines = called(tmp_path / "script.py", given=[*texts(data)[:3], "fly to Rome on Monday"])
    assert lines[:3] == script["answers"](texts(data)[:3])
    assert [span["label"] for span in lines[3]["spans"]] == ["CITY", "DAY"]


def test_a_script_runs_where_there_is_no_slmfit(tmp_path, monkeypatch, capsys):
    data = replace(DATA, recipe=TextRecipe(("html",)))
    run = trained(data, "linear", tmp_path / "compared", features="words")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["slmfit", "eject", "compared", "--output", "of my own.py"])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    assert capsys.readouterr().out.strip() == "of my own.py"
    same(called("of my own.py", given=texts(data)), run, data)
    one = called(tmp_path / "of my own.py", "<b>my</b> card", "a parcel &amp; more")
    assert [answer["prediction"] for answer in one] == [
        answer.target for answer in run.predict(["<b>my</b> card", "a parcel &amp; more"])
    ]
    with pytest.raises(UsageError, match="is there already"):
        slmfit.eject("compared", "of my own.py")


def test_the_recipe_says_how_the_run_was_made(tmp_path):
    run = trained(DATA, "linear", tmp_path / "out", C=0.3, features="words")
    said = ejected(run, tmp_path).read_text(encoding="utf-8").partition("\nfrom __future__")[0].replace("\n#  ", "")
    for told in ("120 rows of train", "C=0.3", "power=", "Seed: 0", "numpy", "pip install numpy safetensors",
                 "scikit-learn", f"fingerprint {DATA.fingerprint[:12]}", "Score: test accuracy"):  # fmt: skip
        assert told in said, told


def test_nothing_in_a_run_becomes_code(tmp_path):
    """A run may be a stranger's: what its record names stands in comments and strings that it cannot end."""
    evil = 'x"\nimport os\r\x0cos.abort()\x85\u2028\u202e\'""" \\'
    run = trained(DATA, "linear", tmp_path / "out", features="words")
    path = run.folder / "run.json"
    record = json.loads(path.read_text())
    record["dataset"] |= {"name": evil, "source": {"files": [{"file": evil, "rows": 1, "sha256": evil}], "split": evil}}
    record["settings"] |= {"features": evil, evil: evil}
    record["chosen"] |= {"why": {evil: evil}, "base": {"name": evil, "sha256": evil, "gguf": None}}
    record["environment"] |= {"slmfit": evil, "python": evil, "packages": {evil: evil}}
    record["rows_used"] = {evil: evil}
    path.write_text(json.dumps(record))
    script = ejected(Run(run.folder), tmp_path / evil.replace("\n", " ").replace("/", ""))
    same(loaded(script)["answers"](texts(DATA)), run, DATA)


@pytest.mark.parametrize("method, task, said", [
    ("majority", "text-classification", "a run of majority for text-classification has no script"),
    ("linear", "multiple-choice", "a run of linear for multiple-choice has no script"),
])  # fmt: skip
def test_what_has_no_script(method, task, said, tmp_path):
    run = trained(make_dataset(task), method, tmp_path / "out")
    with pytest.raises(UsageError, match=said) as error:
        slmfit.eject(run, tmp_path / "script.py")
    assert "linear, knn, encoder and causal" in error.value.fix
    assert not (tmp_path / "script.py").exists()


def test_a_model_that_was_changed_is_refused(tmp_path):
    run = trained(DATA, "linear", tmp_path / "out", features="words")
    about = storage.read_json(run.folder / "model" / "linear.json")
    storage.write_json(run.folder / "model" / "linear.json", about | {"labels": ["x", "y", "z"]})
    with pytest.raises(UnsafeError):
        slmfit.eject(run.folder, tmp_path / "script.py")


def test_a_span_at_the_edge_of_a_text(tmp_path):
    rows = [Example(str(i), f"Oslo, now {i % 3}", Entities((Span(0, 4, "CITY"),))) for i in range(60)]
    splits = {"train": tuple(rows[:40]), "validation": tuple(rows[40:50]), "test": tuple(rows[50:])}
    data = replace(ENTITIES, splits=splits, task=ENTITIES.task.with_labels(e.target for e in rows))
    run = trained(data, "linear", tmp_path / "out", reach="near", c1=0.03, c2=0.1)
    script = loaded(ejected(run, tmp_path))
    same(script["answers"](texts(data)), run, data)
    assert script["answers"]([""])[0]["spans"] == []
