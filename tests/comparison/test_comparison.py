"""A comparison: its shape, its verdict recomputed from what is on disk, answers given, methods that cannot run."""

import json
import random
import sys
from dataclasses import replace

import pytest

from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit import methods
from slmfit.cli import display
from slmfit.comparison.compare import compare, train
from slmfit.data.given import read_answers
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.runs.run import load, read_comparison, write_comparison


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "o"
    return compare(make_dataset(sizes=(120, 40, 200)), "majority,linear,knn,encoder", out=out)


def call(monkeypatch, *words):
    """The command line in this process; it must end well."""
    monkeypatch.setattr(sys, "argv", ["slmfit", *map(str, words)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert not exit.value.code


def test_the_json_that_scripts_rely_on(tmp_path, monkeypatch, capsys):
    (tmp_path / "d.csv").write_text("text,label\n" + "".join(f"w{i % 5} x {i},{'ab'[i % 2]}\n" for i in range(60)))
    call(monkeypatch, "compare", tmp_path / "d.csv", "--out", tmp_path / "o", "--json")
    result = json.loads(capsys.readouterr().out)
    assert {"dataset", "split", "methods", "verdict"} <= result.keys()
    for split in ("train", "validation", "test"):
        assert result["split"][split].keys() == {"rows", "hash"}
        for row in result["methods"]:
            assert row["scores"][split]["accuracy"].keys() == {"value", "low", "high"}
            assert "f1_macro" in row["scores"][split]
    row = result["methods"][1]
    assert row["status"] == "ok" and row["reason"] is None
    assert (tmp_path / "o") in type(tmp_path)(row["run"]).parents
    assert row["latency_ms"].keys() == {"p50", "p95"}
    for figure in ("fit_seconds", "search_seconds", "rows_per_second", "size_bytes", "peak_memory_bytes"):
        assert row[figure] > 0
    assert {"kind", "method", "metric", "margin", "tied", "sentence"} <= result["verdict"].keys()


def test_methods_that_cannot_run_are_skipped_with_the_line_that_enables_them(tmp_path, data, monkeypatch):
    monkeypatch.setattr(methods, "missing", lambda *modules: True)
    result = compare(data, "majority,encoder,cascade=majority+encoder", out=tmp_path / "o")
    rows = {row.id: row for row in result.record.methods}
    for name in ("encoder", "cascade-majority-encoder"):
        assert rows[name].status == "skipped" and "pip install" in rows[name].reason
    assert rows["majority"].status == "ok"


def test_the_verdict_follows_from_the_predictions_on_disk(compared):
    """Recomputed the plain way: right answers counted, discordant rows paired."""
    right = {}
    for id, run in compared.runs.items():
        rows = [row for row in run.predictions() if row["split"] == "test"]
        right[id] = [row["outcome"] == "ok" and row["prediction"] == row["target"] for row in rows]
        assert run.record.scores["test"]["accuracy"].value == pytest.approx(sum(right[id]) / len(rows))
    verdict, best = compared.record.verdict, max(right, key=lambda id: sum(right[id]))
    assert sum(right[verdict.best]) == sum(right[best])
    for id, pair in compared.record.paired.items():
        gap = sum(right[pair.to]) - sum(right[id])
        assert pair.difference.value == pytest.approx(gap / 200)
        assert pair.difference.low <= gap / 200 <= pair.difference.high
    if verdict.kind == "pick":
        sizes = {row.id: row.size_bytes for row in compared.record.methods if row.status == "ok"}
        others = [id for id in verdict.not_worse if id != "majority"]
        assert verdict.method == min(others, key=sizes.get)
        assert compared.best.record.id == verdict.method


def test_scores_equal_those_of_the_rows_on_disk(compared):
    """Log loss from the written probabilities, to the last digit: what is scored is what is kept."""
    import math

    record = compared.runs["linear"].record
    rows = [row for row in compared.runs["linear"].predictions() if row["split"] == "validation"]
    losses = [-math.log(max(row["probabilities"][row["target"]], 1.2e-7)) for row in rows]
    assert record.scores["validation"]["log_loss"].value == pytest.approx(sum(losses) / len(losses), rel=1e-9)


@pytest.mark.parametrize("key", ["id", "text"])
def test_answers_the_user_already_has(tmp_path, data, key):
    path = tmp_path / "gpt.jsonl"
    with path.open("w") as file:
        for i, example in enumerate(reversed(data.test)):
            answer = ["billing", "no idea", None][i % 3]
            row = {"prediction": answer or "", "outcome": "ok" if answer else "refused"}
            file.write(json.dumps({key: example.id if key == "id" else example.input, **row}) + "\n")
    answers = read_answers(path, data)
    result = compare(data, "majority", given={"gpt": answers}, out=tmp_path / "o")
    row = result.record.methods[1]
    assert row.id == "predictions-gpt" and row.size_bytes is None
    outcomes = result.runs[row.id].record.details["test"]["outcomes"]
    assert outcomes == {"ok": 20, "invalid": 20, "refused": 20}
    with pytest.raises(UsageError, match="no model"):
        result.runs[row.id].predict(["x"])


def test_a_method_that_breaks_does_not_stop_the_others(tmp_path, data, monkeypatch):
    from slmfit.methods.majority import Majority

    def broken(self, inputs):
        raise MemoryError("no more")

    monkeypatch.setattr(Majority, "predict", broken)
    result = compare(data, "majority,knn", out=tmp_path / "o")
    rows = {row.id: row for row in result.record.methods}
    assert rows["majority"].status == "failed" and "no more" in rows["majority"].reason
    assert rows["knn"].status == "ok"


def test_nothing_that_ran_is_no_verdict(tmp_path, data, monkeypatch):
    monkeypatch.setattr(methods, "missing", lambda *modules: True)
    result = compare(data, "encoder", out=tmp_path / "o")
    assert result.record.verdict.kind == "nothing-to-compare"
    with pytest.raises(UsageError, match="picked no method"):
        _ = result.best


def test_without_a_pick_only_runs_that_are_there_are_named(tmp_path, data):
    out = compare(data, "majority,knn", out=tmp_path / "o").folder
    record = read_comparison(out)
    unsure = replace(record, verdict=replace(record.verdict, method=None, best="majority"))
    write_comparison(out, unsure)
    with pytest.raises(UsageError, match=r"runs/majority, .*runs/knn; majority scores highest"):
        load(out)
    (out / "runs" / "majority").rename(out / "runs" / "majority,12345678")
    with pytest.raises(UsageError, match=r"name a run: \S*runs/knn$"):
        load(out)


def test_a_method_that_does_not_do_the_task_is_skipped(tmp_path):
    result = compare(make_dataset("token-classification"), "majority,knn", out=tmp_path / "o")
    rows = {row.id: row for row in result.record.methods}
    assert rows["majority"].status == "ok"
    assert rows["knn"].status == "skipped" and "token-classification" in rows["knn"].reason


def test_beside_a_ranker_stand_those_that_never_see_the_question(tmp_path):
    """Options of which the right ones give themselves away: then nothing beats what reads the options alone."""
    rng = random.Random(5)
    told = [["always right", "never", "seldom"][i % 3] for i in range(3)]
    rows = []
    for n in range(2000):  # fewer do not show that as good is not worse
        options = rng.sample(told, 3)
        rows.append({"question": f"which of {n}?", "options": options, "answer": options.index(told[0])})
    result = compare(load_data(rows), "majority,linear", out=tmp_path / "o")
    scores = {row.id: row.scores["test"]["accuracy"].value for row in result.record.methods}
    assert list(scores) == ["majority", "linear", "linear@options-only", "linear@lengths-only"]
    assert scores["linear@options-only"] == 1 > scores["majority"]
    assert result.record.verdict.kind == "nothing-beats-majority"
    assert result.record.verdict.method in ("linear@options-only", "linear@lengths-only")
    assert "Nothing beats linear@" in result.record.verdict.sentence


def test_a_method_that_does_not_do_the_task_is_not_trained(tmp_path):
    with pytest.raises(
        UsageError, match="knn does text-classification and multiple-choice, not token-classification"
    ) as caught:
        train(make_dataset("token-classification"), "knn", out=tmp_path / "o")
    assert caught.value.fix == "use one of majority, linear, encoder, causal, seq2seq, llm, cascade"


def test_why_a_method_was_skipped_stands_below_the_table(tmp_path, capsys):
    result = compare(make_dataset("token-classification"), "majority,knn", out=tmp_path / "o")
    display.show_comparison(result, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert "knn: does text-classification and multiple-choice, not token-classification" in lines
    assert max(map(len, lines[:3])) < 150 and "skipped" in lines[2]


def test_entities_compare_too(tmp_path):
    result = compare(make_dataset("token-classification"), "majority,linear", metric="entity_f1", out=tmp_path / "o")
    assert [row.status for row in result.record.methods] == ["ok", "ok"]
    assert result.record.verdict.method == "linear"


def test_texts_once_kept_go_when_the_next_comparison_keeps_none(tmp_path, data):
    out, text = tmp_path / "o", data.test[0].input
    for texts in (True, False, True):
        compare(data, "majority", out=out, texts=texts)
        train(data, "majority", out=out)
        assert any(text in path.read_text() for path in (out / "data").iterdir()) == texts


def test_what_python_gets_wrong_is_told(tmp_path, data):
    with pytest.raises(UsageError, match="load_data"):
        compare("tickets.csv")
    run = train(data, "majority", out=str(tmp_path / "o"))
    with pytest.raises(UsageError, match="a list is needed"):
        run.predict("one text")
    assert "train" in repr(data) and len(repr(data)) < 150


def test_labels_that_a_run_never_saw_are_warned_of_when_it_is_evaluated(tmp_path, monkeypatch, capsys):
    data = make_dataset("token-classification")
    run = train(data, "majority", out=tmp_path / "o")
    rows = [data.task.unparse(example) for example in data.test]
    rows[3]["spans"].append({"start": 0, "end": 1, "label": "VERB"})
    rows[4]["intent"] = "scold"
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    call(monkeypatch, "evaluate", run.folder, tmp_path / "rows.jsonl")
    said = capsys.readouterr().err
    assert "warning: 1 label the run never saw and cannot answer: 'VERB'" in said
    assert "warning: 1 intent the run never saw and cannot answer: 'scold'" in said


def test_what_was_asked_for_is_not_told_as_chosen(tmp_path, monkeypatch, capsys):
    rows = [{"text": f"fly {i} to Rome", "spans": [[0, 3, "VERB"]]} for i in range(40)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("--set", "linear.c1=0.5", "--set", "linear.reach=far")
    call(monkeypatch, "train", "linear", tmp_path / "rows.jsonl", "--out", tmp_path / "o", *asked)
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("chosen: ")]
    assert "grain words" in line and "c2 " in line and "c1" not in line and "reach" not in line


def test_the_name_of_a_floor_is_nobody_elses(tmp_path):
    """A run by that name would count as what all others must beat, whatever it reads."""
    with pytest.raises(UsageError, match="the name 'linear@options-only' is that of a floor"):
        compare(make_dataset(), "majority,linear@options-only", out=tmp_path / "o")
