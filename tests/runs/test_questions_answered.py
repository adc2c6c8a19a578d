"""Questions are written down with their answers and read back, and asked again with their options in other orders."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from conftest import make_dataset
from slmfit.cli.verbs import app
from slmfit.comparison.compare import train
from slmfit.data.load import load_data
from slmfit.errors import UsageError, Where
from slmfit.records import Example, Prediction, Question
from slmfit.runs.evaluation import evaluate
from slmfit.tasks.choice import MultipleChoice

TASK = MultipleChoice(("A", "B", "C"))


def rows(n, seed=0):
    """The right option is the one that repeats the question's word; it stands at A in two of three."""
    rng, found = random.Random(seed), []
    for i in range(n):
        right, *wrong = rng.sample("red blue green black white pink brown".split(), 3)
        place = rng.choice([0, 0, 0, 0, 1, 2])
        options = [*wrong[:place], right, *wrong[place:]]
        row = {"question_id": f"q{i}", "question": f"which is {right}?", "answer_gt": "ABC"[place]}
        row["options"] = dict(zip("ABC", options, strict=True))
        found.append({**row, "subject": "sky" if i % 3 else "sea"})
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    data = load_data(rows(150))
    return {name: train(data, name, out=folder / name) for name in ("majority", "linear")}


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "new.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(40, seed=1)))
    return path


@pytest.mark.parametrize("name", ["majority", "linear"])
def test_what_is_written_is_read_back_with_the_same_accuracy(runs, new, tmp_path, name):
    written = tmp_path / "answered.jsonl"
    scores = evaluate(runs[name], new, output=written)
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert [line["question_id"] for line in lines] == [row["question_id"] for row in rows(40, seed=1)]
    for line, row in zip(lines, rows(40, seed=1), strict=True):
        assert line["question"] == row["question"] and line["options"] == row["options"]
        assert line["answer_gt"] == row["answer_gt"]
        assert line["model_output"]["reasoning_steps"] == [] and line["model_output"]["final_answer"] in line["options"]
        assert line["is_correct"] == (line["model_output"]["final_answer"] == line["answer_gt"])
    again = evaluate(runs[name], written)
    assert again.values == scores.values
    assert scores.values["accuracy"].value == sum(line["is_correct"] for line in lines) / len(lines)
    assert [(row["subject"], row["support"]) for row in again.details["by_subject"]] == [("sea", 14), ("sky", 26)]


SOLID = st.text(min_size=1, max_size=12).filter(str.strip) | st.sampled_from(
    ["👩‍🚀", "e\u0301\t", "שָׁלוֹם\r\n", "\xa0a", "A", "B", "1", "0", "a\u2028b", '"}', "A. x", "null"])  # fmt: skip


@given(st.lists(SOLID, min_size=2, max_size=8), st.data(), SOLID, st.none() | SOLID, st.none() | SOLID)
def test_any_text_comes_back_from_the_record(texts, data, question, context, raw):
    options = dict(zip("ABCDEFGH", texts, strict=False))
    right, said = (data.draw(st.sampled_from(sorted(options))) for _ in range(2))
    example = Example("7", Question(question, options, context or None), right)
    outcome = data.draw(st.sampled_from(["ok", "invalid", "timeout"]))
    line = json.dumps(TASK.answered(example, Prediction(said, outcome, raw=raw)), ensure_ascii=False)
    record = json.loads(line)
    assert TASK.parse(record, Where("a.jsonl", 1), "7") == example
    assert record["is_correct"] == (outcome == "ok" and said == right)
    assert (record["model_output"]["final_answer"] is None) == (outcome != "ok")


def test_reasoning_is_what_was_written_beside_the_answer():
    question = Question("Ice is", {"A": "hot", "B": "cold"})
    raw = "Ice is frozen water.\n\nFrozen things are cold.\n(B)\n"
    record = TASK.answered(Example("1", question, "B"), Prediction("B", raw=raw))
    assert record["model_output"] == {
        "reasoning_steps": ["Ice is frozen water.", "Frozen things are cold."],
        "final_answer": "B",
    }


def test_an_answer_by_place_changes_with_the_order_and_one_by_content_does_not(runs, new):
    by_place = evaluate(runs["majority"], new, orders=4).details["orders"]
    by_content = evaluate(runs["linear"], new, orders=4).details["orders"]
    assert len(by_place["accuracy"]) == 4
    assert by_place["changed"]["value"] > 0.8  # three options in four orders: 26 in 27
    assert by_content["changed"]["value"] == 0 and by_content["lowest"] == by_content["highest"] > 0.9
    assert by_content["right_in_all"]["value"] == by_content["mean"]
    assert by_place["mean"] == pytest.approx(sum(by_place["accuracy"]) / 4)
    assert evaluate(runs["majority"], new, orders=4).details["orders"] == by_place  # the same orders every time
    assert by_place["accuracy"][0] == evaluate(runs["majority"], new).values["accuracy"].value


def test_the_command_says_it_and_letters_stand_with_the_share_of_answers(runs, new, tmp_path):
    run = str(runs["majority"].folder)
    written = tmp_path / "answered.jsonl"
    said = CliRunner().invoke(app, ["evaluate", run, str(new), "--orders", "3", "--output", str(written)])
    assert said.exit_code == 0, said.output
    assert "in 3 orders of the options: accuracy" in said.output and "the answer changes for" in said.output
    assert "answered" in said.output and "subject" in said.output
    assert len(written.read_text().splitlines()) == 40
    plain = CliRunner().invoke(app, ["evaluate", run, str(new), "--orders", "3", "--json"])
    found = json.loads(plain.stdout)["details"]
    assert found["orders"]["changed"]["value"] > 0.5
    assert [(row["letter"], row["answered"]) for row in found["by_letter"]] == [("A", 1.0), ("B", 0.0), ("C", 0.0)]


def test_both_are_refused_for_what_has_no_options(tmp_path, runs, new):
    run = train(make_dataset(), "majority", out=tmp_path / "o")
    labelled = [{"text": "a", "label": "billing"}, {"text": "b", "label": "account"}]
    with pytest.raises(UsageError, match="no options to put in another order") as refused:
        evaluate(run, labelled, orders=3)
    assert "leave --orders out" in refused.value.fix
    with pytest.raises(UsageError, match="no questions to write down"):
        evaluate(run, labelled, output=tmp_path / "a.jsonl")
    with pytest.raises(UsageError, match="--orders cannot be 1"):
        evaluate(runs["majority"], new, orders=1)
    with pytest.raises(UsageError, match="is the input, too"):
        evaluate(runs["majority"], new, output=new)
    with pytest.raises(UsageError, match="records are JSON lines"):
        evaluate(runs["majority"], new, output=tmp_path / "a.csv")
