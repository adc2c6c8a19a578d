"""Kinds of files that gave a figure, or read less than there was, without a word: what came after the eighth reader."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from slmfit.comparison.remarks import odd_offsets, remarks
from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.given import read_answers
from slmfit.errors import DataError
from slmfit.records import Prediction, Question, Span
from slmfit.tasks.classification import TextClassification

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
LABELS = ("billing", "other", "refund")


def text(k: int) -> str:
    rng = random.Random(k)
    return " ".join(rng.choice(WORDS) + str(rng.randrange(90)) for _ in range(7))


def rows(count: int = 60, **columns: Any) -> list[dict[str, Any]]:
    return [{"text": text(k), "label": LABELS[k % 3], **{c: cells[k % len(cells)] for c, cells in columns.items()}}
            for k in range(count)]  # fmt: skip


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def findings(data: Any) -> dict[str, str]:
    return {one["kind"]: one["message"] for one in audit_dataset(data)["findings"]}


# --- offsets ---

NAMES = ("北京大学", "上海银行", "王小明", "苹果公司", "长江", "南京路", "小米", "东方航空")
AROUND = (
    "我们昨天去了{}，又去了别的地方",
    "请问{}在哪里?我想明天和朋友一起去",
    "他说{}很好，我们都很同意他的话",
)


@pytest.mark.parametrize("unit", ["bytes", "characters"])
def test_offsets_in_bytes_are_told_of_without_spaces(tmp_path: Path, unit: str) -> None:
    made = []
    for k in range(96):
        name, around = NAMES[k % 8], "好" * (k % 5) + AROUND[k // 8 % 3]
        said, start = (
            around.format(name) + "".join(random.Random(k).choices("天地人山水火木金土日月星", k=40)),
            around.index("{"),
        )
        places = (start, start + len(name))
        if unit == "bytes":
            places = tuple(len(said[:place].encode()) for place in places)
        made.append({"id": k, "text": said, "spans": [[*places, "X"]]})
    assert ("span_in_bytes" in findings(load_data(made))) == (unit == "bytes")
    right = [row | {"spans": [[0, 1, "X"]]} for row in made]
    data = load_data(right)
    told = [{"id": row["id"], "spans": row["spans"]} for row in made]
    answers = read_answers(jsonl(tmp_path / "p.jsonl", told), data)
    notes = odd_offsets({"p": answers}, data)
    assert any("if they count bytes of UTF-8" in note for note in notes) == (unit == "bytes")


def test_answers_with_white_space_at_their_edges_are_told_of(tmp_path: Path) -> None:
    data = load_data([{"id": k, "text": f"go to Rome {text(k)}", "spans": [[6, 10, "CITY"]]} for k in range(60)])
    told = [{"id": e.id, "spans": [[5, 10, "CITY"]]} for e in data.test]
    answers = read_answers(jsonl(tmp_path / "p.jsonl", told), data)
    assert {a.target.spans for a in answers} == {(Span(5, 10, "CITY"),)}  # type: ignore[union-attr]
    (note,) = odd_offsets({"p": answers}, data)
    assert "12 of 12 spans (100.0 %) have white space at an edge" in note


# --- answers ---

SCORED = {
    "shares": lambda label: {one: 0.9 if one == label else 0.05 for one in LABELS},
    "some shares": lambda label: {label: 0.6, next(one for one in LABELS if one != label): 0.4},
    "logarithms": lambda label: {one: -0.1 if one == label else -3.5 for one in LABELS},
    "a list of logarithms": lambda label: [{"label": o, "logprob": -0.1 if o == label else -3} for o in LABELS],
}


@pytest.mark.parametrize("form", SCORED)
@pytest.mark.parametrize("in_a_cell", [False, True])
def test_the_label_with_the_highest_score_is_the_answer(tmp_path: Path, form: str, in_a_cell: bool) -> None:
    data = load_data([{"id": k, **row} for k, row in enumerate(rows())])
    cells = {e.id: SCORED[form](str(e.target)) for e in data.test}
    told = [{"id": id, "prediction": json.dumps(cell) if in_a_cell else cell} for id, cell in cells.items()]
    answers = read_answers(jsonl(tmp_path / "p.jsonl", told), data)
    assert [answer.target for answer in answers] == [e.target for e in data.test]
    strange = [{"id": id, "prediction": {"billing": 0.4, "Refunds": 0.6}} for id in cells]
    assert {a.outcome for a in read_answers(jsonl(tmp_path / "p.jsonl", strange), data)} == {"invalid"}


@pytest.mark.parametrize("in_a_cell", [False, True])
def test_labels_and_their_scores_in_two_lists_are_the_answer(tmp_path: Path, in_a_cell: bool) -> None:
    """As zero-shot pipelines answer: without their scores a list of labels is no answer."""
    data = load_data([{"id": k, **row} for k, row in enumerate(rows())])
    told = []
    for e in data.test:
        scores = [0.8 if label == e.target else 0.1 for label in LABELS]
        told.append({"id": e.id, "labels": str([*LABELS]) if in_a_cell else LABELS,
                     "scores": str(scores) if in_a_cell else scores})  # fmt: skip
    answers = read_answers(jsonl(tmp_path / "p.jsonl", told), data)
    assert [answer.target for answer in answers] == [e.target for e in data.test]
    short = [row | {"scores": [0.5]} for row in told]
    assert {a.outcome for a in read_answers(jsonl(tmp_path / "p.jsonl", short), data)} == {"invalid"}


@pytest.mark.parametrize(("reply", "way"), [
    ("**refund**", "asterisks"), ("$\\boxed{\\text{refund}}$", "\\boxed"), ("\\boxed{refund}", "\\boxed"),
    ("<think>is it billing?\n</think>\n\nrefund", "what it thought"), ("__refund__", "asterisks"),
])  # fmt: skip
def test_what_models_write_around_a_label_is_named(reply: str, way: str) -> None:
    said = list(remarks("gpt", TextClassification(LABELS), [Prediction(None, "invalid", raw=reply)], ["x"]))
    assert said[0].endswith(f"between 1 of them and a label stands only {way}.")


# --- files ---


@pytest.mark.parametrize(
    "names", [("data", "test"), ("validation", "test"), ("examples", "dev"), ("rows", "Validation")]
)
def test_splits_in_one_object_are_refused_and_not_left_out(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({names[0]: rows(), names[1]: rows(9)}))
    with pytest.raises(DataError, match=f"'{names[1]}' by name a split each\n.*as train.json and test.json"):
        load_data(path)
    path.write_text(json.dumps({names[0]: rows(), "intents": [{"name": "a"}] if names[0] != "validation" else []}))
    assert sum(map(len, load_data(path).splits.values())) == 60


# --- folders, questions, groups ---


def test_texts_that_lie_deeper_than_their_labels_are_told_of(tmp_path: Path) -> None:
    for k in range(40):
        (tmp_path / "ab"[k % 2]).mkdir(exist_ok=True)
        (tmp_path / "ab"[k % 2] / f"{k}.txt").write_text(text(k))
    for litter in (".git", "__MACOSX", "empty"):
        (tmp_path / "a" / litter).mkdir()
        if litter != "empty":
            (tmp_path / "a" / litter / "x.txt").write_text("x")
    assert not any("lies deeper" in note for note in load_data(tmp_path).notes)
    (tmp_path / "b" / "2024").mkdir()
    (tmp_path / "b" / "2024" / "1.txt").write_text(text(99))
    [note] = [note for note in load_data(tmp_path).notes if "lies deeper" in note]
    assert note.endswith("what lies deeper, in folders within those of the labels, is not read: 'b/2024'.")


@pytest.mark.parametrize("written", [float, lambda at: f"{at}.0"])
def test_positions_with_a_point_are_positions(written: Any) -> None:
    made = [{"question": text(k), "options": [f"{colour} {k}" for colour in WORDS[:4]]} for k in range(60)]
    data = load_data([row | {"answer": written(k * 7 % 4)} for k, row in enumerate(made)])
    for example in data.train:
        assert isinstance(example.input, Question)
        at = int(example.input.options["A"].split()[1]) * 7 % 4
        assert example.target == "ABCD"[at]
    with pytest.raises(DataError, match="none is 0"):
        load_data([row | {"answer": written(1 + k % 3)} for k, row in enumerate(made)])
    data = load_data([row | {"options": ["0.5", "1.0", "2.5", "3.0"], "answer": "1.0"} for row in made[:3]] + [
        row | {"answer": "A"} for row in made[3:]])  # fmt: skip
    assert {e.target for s in data.splits.values() for e in s if "1.0" in e.input.options.values()} == {"B"}  # type: ignore[union-attr]


@pytest.mark.parametrize("cell", [["u1", "u2"], "['u1', 'u2']", '["u1", "u2"]'])
@pytest.mark.parametrize("given", [False, True])
def test_a_row_of_several_groups_is_refused(cell: Any, given: bool) -> None:
    made = [row | {"user": cell if k == 7 else [f"u{k % 12}"]} for k, row in enumerate(rows())]
    with pytest.raises(DataError, match=r"line 8, column 'user': .* is several groups"):
        load_data(made, group="user", **({"test": rows(20, user=["u1"])} if given else {}))
    assert load_data([row | {"user": f"u{k % 12}"} for k, row in enumerate(made)], group="user")


def test_groups_that_join_others_or_read_as_none_are_told_of() -> None:
    def notes(*cells: Any) -> list[str]:
        return [note for note in load_data(rows(user=cells), group="user").notes if "'user'" in note][1:]

    plain = [f"u{n}" for n in range(15)]
    assert notes(*plain) == notes(*plain, "a;b", "c | d") == notes(*plain, "Unknown Pleasures") == []
    [said] = notes(*plain[:13], "u1;u2", "u2 | u7")
    assert said.startswith("2 values of 'user' join others, such as 'u1;u2': rows that share one of them may stand on")
    [said] = notes(*plain[:14], "N/A")
    assert said.startswith("4 rows of 'user' are 'N/A', which is kept together as one group")


def test_numbers_written_in_several_ways_are_one_label_twice():
    from slmfit.data.audit.label_twins import label_twins

    def groups(*labels):
        return [group for group, how in label_twins(labels) if how == "spelling"]

    assert groups("1", "1,0", "2", "2,0", "3") == [["1", "1,0"], ["2", "2,0"]]
    assert groups("1000", "1,000", "1e3", "2000") == [["1,000", "1000", "1e3"]]
    assert groups("0", "-0", "-0.0", "1") == [["-0", "-0.0", "0"]]
    assert groups("1234.5", "1,234.50", "12345") == [["1,234.50", "1234.5"]]
    assert groups("1", "-1", "10", "100", "1,5", "15", "1.05", "1,2,3", "123", "1e2000000000000", "e3") == []
    assert groups("9" * 40, "9" * 39 + "8") == []


def test_labels_that_are_combinations_are_told_of():
    from collections import Counter

    from slmfit.data.audit.odd_labels import odd_labels

    def told(*labels):
        found = [one for one in odd_labels(Counter(labels), "label", "row") if one["kind"] == "combined_labels"]
        return sorted(example["label"] for one in found for example in one["examples"])

    assert told("billing;tech", "billing", "account;tech", "account") == ["account;tech", "billing;tech"]
    assert told("billing, tech", "billing, vip", "account, tech", "account, vip") != []
    assert told("a|b", "a|c", "b|c") == ["a|b", "a|c", "b|c"]
    assert told("Books, films", "Books, music", "Toys") == []
    assert told("comp/graphics", "comp/misc", "rec/autos", "rec/misc") == []
    assert told("R&D", "Q&A", "R", "news") == []


def test_evaluate_says_that_it_could_not_look_for_rows_learnt_from(tmp_path):
    import slmfit
    from slmfit.runs.evaluation import evaluate

    rows = [f"my {w} is late again {i},{label}" for i in range(40) for w, label in (("parcel", "a"), ("card", "b"))]
    made, held = tmp_path / "t.csv", tmp_path / "held.csv"
    made.write_text("text,label\n" + "\n".join(rows) + "\n")
    held.write_text("text,label\n" + "\n".join(rows[:20]) + "\n")
    run = slmfit.train(slmfit.load_data(made), "majority", out=tmp_path / "out")
    notes = evaluate(run, held).details["notes"]
    assert any("among those that the run learnt from" in note for note in notes)
    assert not any("could not be checked" in note for note in notes)
    made.write_text(made.read_text() + "one more,a\n")
    notes = evaluate(run, held).details["notes"]
    assert any(note.endswith("could not be checked: 't.csv' is not there as it was.") for note in notes), notes
