"""`cascade`: its parts are fitted once, a promise makes the threshold, its folder moves, doubt asks the large one."""

import csv
import json
import os
import shutil
from dataclasses import replace

import pytest

from conftest import WORDS, make_dataset
from slmfit.comparison.compare import compare, plan, train
from slmfit.data.load import load_data
from slmfit.errors import UnsafeError, UsageError
from slmfit.methods.base import Context
from slmfit.methods.cascade import Cascade, Settings
from slmfit.methods.specs import parse_specs, with_parts
from slmfit.records import Entities, Prediction, Span
from slmfit.runs.parts import about, part_of
from slmfit.runs.predicting import predict_file
from slmfit.runs.run import Run, load
from slmfit.tasks.sureness import confidence
from slmfit.testing import first_choice, row_in, scripted

PROMISED = {"target": 0.8}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A comparison of two methods and both together."""
    out = tmp_path_factory.mktemp("made")
    data = make_dataset(sizes=(200, 150, 100))
    events = []
    settings = {"cascade": PROMISED}
    asked = "knn,linear,cascade=knn+linear"
    result = compare(data, asked, settings=settings, out=out / "o", listen=lambda kind, of: events.append((kind, of)))
    return data, result, [(kind, of.get("run")) for kind, of in events]


def test_its_parts_are_fitted_once_and_it_stands_beside_them(made):
    _, result, events = made
    assert [row.id for row in result.record.methods] == ["knn", "linear", "cascade-knn-linear"]
    assert [run for kind, run in events if kind == "fit"] == ["knn", "linear", "cascade-knn-linear"]
    row, run = result.record.methods[-1], result.runs["cascade-knn-linear"]
    assert row.size_bytes >= sum(one.size_bytes for one in result.record.methods[:2])
    assert row.latency_ms and row.scores["test"]["accuracy"].value > 0.5 and "train" not in row.scores
    about = run.record.cascade
    assert about["promise"]["rows"] <= 150 and about["small"]["id"] == "knn" and about["large"]["id"] == "linear"
    assert about["small"]["fitted"] == "train + validation"
    assert about["small"]["validation_scored_by"] == "a model fitted on train"
    by = [answer["by"] for answer in run.predictions() if answer["split"] == "test"]
    assert about["share"]["test"] == by.count("small") / 100 and by.count("small") > 20
    assert any("of 100 such splits" in said for said in result.record.verdict.caveats)


def test_it_says_what_its_parts_say_wherever_its_folder_is(made, tmp_path):
    data, result, _ = made
    shutil.copytree(result.runs["cascade-knn-linear"].folder, tmp_path / "moved")
    moved, texts = load(tmp_path / "moved"), [e.input for e in data.test]
    answers = moved.predict(texts)
    kept = moved.answers("test", data.test)
    assert [(a.target, a.by) for a in answers] == [(k.target, k.by) for k in kept]
    parts = {"small": result.runs["knn"], "large": result.runs["linear"]}
    told = {name: run.predict(texts) for name, run in parts.items()}
    assert [a.target for a in answers] == [told[a.by][i].target for i, a in enumerate(answers)]
    (tmp_path / "new.csv").write_text("text\n" + "\n".join(texts[:5]) + "\n")
    predict_file(moved, tmp_path / "new.csv", tmp_path / "answered.csv")
    with (tmp_path / "answered.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["answered_by"] for row in rows] == [a.by for a in answers[:5]]
    card = (moved.folder / "model" / "README.md").read_text()
    assert "A cascade for text-classification" in card and "of 100 such splits" in card
    threshold = moved.record.chosen["threshold"]
    assert [a.by == "small" for a in answers] == [confidence(one) >= threshold for one in told["small"]]


def test_the_same_command_goes_on_where_it_was(made, tmp_path):
    data, result, _ = made
    again = compare(data, "knn,linear,cascade=knn+linear", settings={"cascade": PROMISED}, out=result.folder)
    assert all(row.reused for row in again.record.methods)
    other = plan(data, "knn,linear,cascade=knn+linear", out=result.folder)
    assert [step.action for step in other] == ["reuse", "reuse", "fit"]


def test_without_a_promise_the_large_one_answers(made):
    data, result, _ = made
    small, large = result.runs["knn"], result.runs["linear"]
    method = Cascade(Settings(sure=0.99999))
    context = Context(parts=(part_of(small, data), part_of(large, data)))
    method.fit(data.task, data.train, data.validation[:20], context)
    answers = method.predict([e.input for e in data.test])
    assert method.threshold is None and {answer.by for answer in answers} == {"large"}
    found = about(method.chosen, answers, [small.record, large.record])
    assert found["share"]["test"] == 0 and "linear answers everything" in found["said"][0]


def test_what_is_broken_is_asked_the_large_one(made):
    data, result, _ = made
    method = Run(result.runs["cascade-knn-linear"].folder).method

    def broken(inputs):
        raise RuntimeError("out of order")

    method.small.predict = broken
    texts = [e.input for e in data.test[:5]]
    answers = method.predict(texts)
    assert {a.by for a in answers} == {"large"} and [a.target for a in answers] == [
        a.target for a in method.large.predict(texts)
    ]


def test_how_sure_an_answer_is():
    assert confidence(Prediction("a", probabilities={"a": 0.8, "b": 0.2})) == 0.8
    assert confidence(Prediction("a")) is None
    assert confidence(Prediction(None, "timeout", {"a": 1.0})) is None
    assert confidence(Prediction("a", probabilities={"a": float("nan")})) is None
    spans = Entities((Span(0, 1, "X"), Span(2, 3, "X")), "buy")
    answer = Prediction(spans, probabilities={"buy": 0.5}, span_probabilities=[0.5, 0.8])
    assert confidence(answer) == 0.2 and confidence(replace(answer, confidence=0.1)) == 0.1


def test_behind_a_server_it_says_whose_answers_are_and_keeps_what_was_deferred(made, tmp_path):
    pytest.importorskip("httptools", reason="pip install 'slmfit[serve]'")
    from asking_over_http import ask
    from slmfit.serving import server

    data, result, _ = made
    run = Run(result.runs["cascade-knn-linear"].folder)
    mixed = [f"{a} {b} {c}" for a in WORDS["billing"] for b in WORDS["delivery"] for c in WORDS["account"]]
    texts = [e.input for e in data.test] + mixed[:40]  # no label is likely for these
    expected, kept = run.predict(texts), tmp_path / "deferred.jsonl"
    with server.running({"both": str(run.folder)}, deferred=str(kept)) as served:
        reply = ask(f"{served.url}/v1/classify", {"input": texts, "top_k": 1})
        metrics = ask(f"{served.url}/metrics").body.decode()
    assert [one["label"] for one in reply.json["data"]] == [answer.target for answer in expected]
    by = [answer.by for answer in expected]
    for part in ("small", "large"):
        assert f'slmfit_answered_by_total{{model="both",part="{part}"}} {by.count(part)}\n' in metrics
    assert 'slmfit_validation_answered_by{model="both",part="small"}' in metrics
    deferred = sorted((text, one.target) for text, one in zip(texts, expected, strict=True) if one.by == "large")
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert rows and sorted((row["text"], row["label"]) for row in rows) == deferred
    assert kept.stat().st_mode & 0o077 == 0
    again = load_data(str(kept))
    assert set(again.task.labels) <= set(data.task.labels) and again.train[0].input in texts


def test_what_is_deferred_goes_into_one_file_that_can_be_written(made, tmp_path):
    pytest.importorskip("httptools", reason="pip install 'slmfit[serve]'")
    from slmfit import serve

    _, result, _ = made
    folder = str(result.runs["cascade-knn-linear"].folder)
    for runs, many in (([str(result.runs["knn"].folder)], 0), ([f"a={folder}", f"b={folder}"], 2)):
        with pytest.raises(UsageError, match=f"{many} of the runs are cascades"):
            serve(runs, port=0, keep_deferred=tmp_path / "x.jsonl")
    with pytest.raises(UsageError, match="cannot be written"):
        serve(folder, port=0, keep_deferred=tmp_path / "no" / "x.jsonl")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is no file"):
        serve(folder, port=0, keep_deferred=tmp_path / "pipe")
    for spoiled in ("text,label\na,b\n", '{"text": "a", "label": "b"}'):
        (tmp_path / "mine").write_text(spoiled)
        with pytest.raises(UsageError, match="holds something else than rows as JSON lines"):
            serve(folder, port=0, keep_deferred=tmp_path / "mine")
        assert (tmp_path / "mine").read_text() == spoiled


def test_what_a_part_does_not_read(made):
    _, result, _ = made
    method = Run(result.runs["cascade-knn-linear"].folder).method
    assert method.cuts_off(["a"]) is None
    method.large.cuts_off = lambda inputs: [len(one) > 3 for one in inputs]
    assert method.cuts_off(["a", "abcd"]) == [False, True]
    method.small.cuts_off, method.threshold = lambda inputs: [True] * len(inputs), None
    assert method.cuts_off(["a", "abcd"]) == [False, True]


def test_a_changed_part_is_refused(made, tmp_path):
    _, result, _ = made
    shutil.copytree(result.runs["cascade-knn-linear"].folder, tmp_path / "run")
    path = tmp_path / "run" / "model" / "large" / "slmfit.json"
    path.write_text(path.read_text().replace('"linear"', '"cascade"'))
    with pytest.raises(UnsafeError, match="changed"):
        load(tmp_path / "run").predict(["a"])


def of_few_words(data):
    """The data with three words of each text, of which some say nothing."""
    rows = {
        split: tuple(replace(e, input=f"{' '.join(e.input.split()[:3])} {e.id}") for e in of)
        for split, of in data.splits.items()
    }
    return replace(data, splits=rows)


def test_a_server_is_asked_validation_once_and_test_once(tmp_path):
    data = of_few_words(make_dataset(sizes=(200, 150, 100)))
    truth = {e.input: e.target for split in data.splits.values() for e in split}
    with scripted(answer=lambda body: truth.get(row_in(body)) or first_choice(body)) as server:
        settings = {"llm": {"base_url": server.url}, "cascade": {"target": 0.97}}
        given = {"settings": settings, "out": tmp_path / "o"}
        steps = plan(data, "linear,cascade=linear+llm=m", **given)
        assert [(s.id, s.action, s.split, s.quote and s.quote.texts) for s in steps] == [
            ("linear", "fit", "test", None),
            ("llm-m", "ask", "test", 100),
            ("cascade-linear-llm-m", "ask", "validation", 150),
        ]
        result = compare(data, "linear,cascade=linear+llm=m", **given)
        texts = [row_in(body) for body in server.requests if row_in(body)]
        asked = len(texts)
        assert sorted(texts) == sorted(e.input for split in ("validation", "test") for e in data.splits[split])
        record = result.runs["cascade-linear-llm-m"].record
        assert record.size_bytes is None and record.latency_ms["p50"] > 0 and "validation" in record.scores
        share = record.cascade["share"]["test"]
        assert 0 < share < 1 and record.cascade["saving"]["questions"] == share
        shutil.rmtree(tmp_path / "o" / "runs" / "cascade-linear-llm-m")
        compare(data, "linear,cascade=linear+llm=m", **given)
        small, large = (result.runs[id].folder for id in ("linear", "llm-m"))
        given = {"settings": {"cascade": {"target": 0.97}}, "out": tmp_path / "apart"}
        apart = train(data, f"cascade={small}+{large}", **given)  # two finished runs
        assert len([body for body in server.requests if row_in(body)]) == asked  # all is kept
        assert apart.record.cascade["promise"] == record.cascade["promise"]
        assert str(tmp_path) not in (apart.folder / "run.json").read_text()
        assert not (tmp_path / "apart" / "runs" / "linear").exists()
        with pytest.raises(UsageError, match="was fitted on other data"):
            train(make_dataset(seed=1), f"cascade={small}+{large}", out=tmp_path / "other")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ("cascade", "made of two methods"),
        ("cascade=linear", "made of two methods"),
        ("cascade=linear+linear", "two different methods"),
        ("cascade=llm=m+linear", "the small part of a cascade asks a server"),
        ("cascade=linear+nothing", "no method 'nothing'"),
    ],
)
def test_what_is_no_cascade(words, match):
    with pytest.raises(UsageError, match=match):
        parse_specs(words)


def test_parts_by_name():
    specs = parse_specs("knn@k3,cascade=linear+knn", {"knn@k3": {"k": 3}})
    assert [part.id for part in specs[1].parts] == ["linear", "knn@k3"]
    assert [spec.id for spec in with_parts(specs)] == ["knn@k3", "linear", "cascade-linear-knn-k3"]
    [spec] = parse_specs("cascade=linear+knn", {"knn": {"k": 3}, "cascade": {"sure": "0.9"}})
    assert spec.parts[1].settings.k == 3 and spec.settings.sure == 0.9


def test_two_runs_of_one_method(made, tmp_path):
    _, result, _ = made
    folder = result.runs["linear"].folder
    shutil.copytree(folder, tmp_path / "other")
    [spec] = parse_specs(f"cascade={folder}+{tmp_path / 'other'}")
    assert [part.run for part in spec.parts] == [folder, tmp_path / "other"] and spec.id == "cascade-linear-linear"


def test_settings_that_are_no_shares():
    for given in ({"target": 1.5}, {"sure": 1}):
        with pytest.raises(UsageError, match=r"cascade\.\w+ cannot be"):
            Cascade(Settings(**given))


def test_the_record_is_json(made):
    _, result, _ = made
    plain = json.loads((result.folder / "comparison.json").read_text())
    first, *_, last = plain["methods"]
    assert last["cascade"]["share"].keys() == {"validation", "test"} and "cascade" not in first
