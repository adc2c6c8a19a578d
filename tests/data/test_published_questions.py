"""Questions as benchmarks publish them: the right answer is the one that the benchmark means, or they are refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from slmfit.comparison.compare import train
from slmfit.data import load_data
from slmfit.errors import DataError, Where
from slmfit.records import Question
from slmfit.runs.evaluation import evaluate

RIGHT = "right"


def texts(i: int, count: int) -> list[str]:
    """Options of row i, of which the one at i % count is right."""
    return [f"{RIGHT} {i}" if at == i % count else f"wrong {i} {at}" for at in range(count)]


def apart(i: int, *columns: str) -> dict[str, str]:
    return dict(zip(columns, texts(i, len(columns)), strict=True))


PUBLISHED: dict[str, Any] = {
    "copa": lambda i: {"premise": f"man {i}", **apart(i, "choice1", "choice2"), "question": "cause", "label": i % 2},
    "piqa": lambda i: {"goal": f"do {i}", **apart(i, "sol1", "sol2"), "label": i % 2},
    "winogrande": lambda i: {"sentence": f"a _ {i}", **apart(i, "option1", "option2"), "answer": str(1 + i % 2)},
    "hellaswag": lambda i: {"ctx": f"a man {i}", "endings": texts(i, 4), "label": str(i % 4), "activity_label": "x"},
    "swag": lambda i: {"startphrase": f"a man {i}", "sent1": "a man", "sent2": "he", "gold-source": "gold",
                       **apart(i, "ending0", "ending1", "ending2", "ending3"), "label": i % 4},
    "siqa": lambda i: {"context": f"c {i}", "question": f"q {i}", **apart(i, "answerA", "answerB", "answerC"),
                       "label": str(1 + i % 3)},
    "cosmos": lambda i: {"context": f"c {i}", "question": f"q {i}", "label": i % 4,
                         **apart(i, "answer0", "answer1", "answer2", "answer3")},
    "race": lambda i: {"article": f"c {i}", "question": f"q {i}", "options": texts(i, 4), "answer": "ABCD"[i % 4]},
    "mmlu": lambda i: {"question": f"q {i}", "choices": texts(i, 4), "answer": i % 4, "subject": "law"},
    "quail": lambda i: {"context": f"c {i}", "question": f"q {i}", "answers": texts(i, 4), "correct_answer_id": i % 4},
    "reclor": lambda i: {"context": f"c {i}", "question": f"q {i}", "answers": texts(i, 4), "label": i % 4},
    "logiqa": lambda i: {"context": f"c {i}", "query": f"q {i}", "options": texts(i, 4), "correct_option": i % 4},
    "arc": lambda i: {"question": f"q {i}", "answerKey": "1234"[i % 4],
                      "choices": {"text": texts(i, 4), "label": list("1234")}},
    "csqa": lambda i: {"question": f"q {i}", "question_concept": "x", "answerKey": "ABCDE"[i % 5],
                       "choices": {"text": texts(i, 5), "label": list("ABCDE")}},
}  # fmt: skip
IN_TABLES = sorted(
    name for name in PUBLISHED if all(isinstance(cell, str | int) for cell in PUBLISHED[name](0).values())
)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(("name", "write"), [*((name, jsonl) for name in PUBLISHED), *((n, table) for n in IN_TABLES)])
def test_the_right_option_is_the_one_the_benchmark_means(tmp_path: Path, name: str, write: Any) -> None:
    path = write(tmp_path / f"a.{'csv' if write is table else 'jsonl'}", [PUBLISHED[name](i) for i in range(60)])
    data = load_data(path)
    assert data.task.name == "multiple-choice"
    for example in (example for split in data.splits.values() for example in split):
        assert isinstance(example.input, Question)
        assert example.input.options[str(example.target)].startswith(RIGHT)
        has_context = not PUBLISHED[name](0).keys().isdisjoint(("premise", "context", "article"))
        assert bool(example.input.context) == has_context


@pytest.mark.parametrize("name", ["copa", "winogrande", "siqa", "logiqa"])
def test_and_so_in_files_that_come_later(tmp_path: Path, name: str) -> None:
    run = train(load_data([PUBLISHED[name](i) for i in range(60)]), "majority", out=tmp_path / "o")
    later = [PUBLISHED[name](i) for i in range(60, 84)]
    count = len(load_data(later).train[0].input.options)  # type: ignore[union-attr]
    found = evaluate(run, later).details["by_letter"]
    assert {row["letter"]: row["support"] for row in found} == dict.fromkeys("ABCD"[:count], 24 // count)
    hidden = [{column: cell for column, cell in row.items() if not column.startswith(("label", "answer_", "correct"))}
              for row in later]  # fmt: skip
    inputs = [run.task.seen(row, run.record.origin.columns, Where("f", 1))[0] for row in hidden]
    assert [list(question.options.values()) for question in inputs] == [texts(i, len(q.options))
                                                                      for i, q in enumerate(inputs, 60)]  # type: ignore[union-attr]  # fmt: skip


def test_an_answer_that_is_no_number_of_an_option_is_refused(tmp_path: Path) -> None:
    rows = [PUBLISHED["winogrande"](i) | {"answer": str(i % 2)} for i in range(60)]
    with pytest.raises(DataError, match="the answer '0' is no number from 1 to 2"):
        load_data(jsonl(tmp_path / "a.jsonl", rows))


def test_positions_that_count_from_1_are_read_so_where_that_is_said(tmp_path: Path) -> None:
    rows = [{"question": f"q {i}", "options": texts(i, 3), "right": 1 + i % 3} for i in range(60)]
    data = load_data(jsonl(tmp_path / "a.jsonl", rows), columns={"answer_number": "right"})
    assert all(e.input.options[str(e.target)].startswith(RIGHT) for e in data.train)  # type: ignore[union-attr]


def test_a_right_answer_in_a_column_of_its_own_is_refused_with_the_line_to_type(tmp_path: Path) -> None:
    wrong = {f"distractor{n}": f"wrong {n}" for n in (1, 2, 3)}
    rows = [{"question": f"q {i}", "correct_answer": f"r {i}", "support": "s", **wrong} for i in range(60)]
    with pytest.raises(DataError, match=r"options: \(\[.correct_answer, .distractor1, .distractor2, .distractor3\]"):
        load_data(jsonl(tmp_path / "a.jsonl", rows))


@pytest.mark.parametrize("yes", [True, "yes", "True"])
def test_a_question_with_a_passage_and_a_yes_or_no_is_classified(tmp_path: Path, yes: Any) -> None:
    no = {True: False, "yes": "no", "True": "False"}[yes]
    rows = [{"question": f"is it {i}", "passage": f"it is {i}", "answer": [yes, no][i % 2]} for i in range(60)]
    data = load_data(jsonl(tmp_path / "a.jsonl", rows))
    assert data.task.name == "text-classification"
    assert {label.lower() for label in data.task.labels} in ({"true", "false"}, {"yes", "no"})
    assert str(data.train[0].input).startswith("is it ")
