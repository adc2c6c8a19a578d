"""A run scored on rows kept apart: by the columns it was made with, less what is no truth; what was guessed is told."""

import json

import pytest

from slmfit.__main__ import main
from slmfit.comparison.compare import train
from slmfit.data.load import load_data
from slmfit.errors import DataError, UsageError
from slmfit.runs.evaluation import evaluate

COLOURS = "amber azure beige black brown coral cream green".split()
UNCHECKED = (
    "{}: whether rows are among those that the run learnt from could not be checked: its data were given in Python."
)


def rows(start, count=40, **more):
    """`kind` is the truth, and `label`, which is named more usually, its opposite."""
    made = []
    for i in range(start, start + count):
        words, truth = f"{COLOURS[i % 8]} thing number {i}", "ab"[i % 2]
        made.append({"body": words, "kind": truth, "label": "ba"[i % 2], "text": "always this"} | more)
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    data = load_data(rows(0, 60), columns={"text": "body", "label": "kind"})
    return train(data, "linear", out=tmp_path_factory.mktemp("run"))


def write(path, made):
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


def test_the_columns_are_those_of_the_runs_own_data(run, tmp_path):
    scores = evaluate(run, write(tmp_path / "a.jsonl", rows(100)))
    assert scores.values["accuracy"].value == 1.0 and scores.details["notes"] == [
        UNCHECKED.format(tmp_path / "a.jsonl")
    ]
    other = evaluate(run, tmp_path / "a.jsonl", columns={"label": "label"})
    assert other.values["accuracy"].value == 0.0
    renamed = [{"text": row["body"], "label": row["kind"]} for row in rows(100)]
    found = evaluate(run, write(tmp_path / "b.jsonl", renamed))
    assert found.values["accuracy"].value == 1.0
    assert "the text from 'text', the label from 'label'" in found.details["notes"][0]


def test_rejected_rows_are_left_out_and_told_by_the_command(run, tmp_path, monkeypatch, capsys):
    made = [*rows(100, 30, answer="accept"), *rows(131, 9, answer="reject")]
    for row in made[30:]:
        row["kind"] = row["label"]
    path = write(tmp_path / "a.jsonl", made)
    monkeypatch.setattr("sys.argv", ["slmfit", "evaluate", str(run.folder), str(path), "--json"])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()
    assert left.value.code in (0, None) and json.loads(told.out)["accuracy"]["value"] == 1.0
    assert "9 rows left out by Prodigy's column 'answer': 9 reject" in told.err


def test_one_of_two_texts_is_not_left_out_in_silence(tmp_path):
    pairs = [{"premise": row["body"], "hypothesis": f"so {row['kind']}", "label": row["kind"]} for row in rows(0, 60)]
    run = train(load_data(pairs), "majority", out=tmp_path / "o")
    path = write(tmp_path / "a.jsonl", [{"premise": row["body"], "label": row["kind"]} for row in rows(100)])
    with pytest.raises(DataError, match="there is no column 'hypothesis'"):
        evaluate(run, path)
    with pytest.raises(DataError, match="two texts are needed, 'premise' and 'hypothesis'"):
        evaluate(run, path, columns={"text": "premise"})


def test_rows_that_the_run_was_made_from_are_told(run, tmp_path):
    path = write(tmp_path / "a.jsonl", rows(0, 60))
    own = train(load_data(path, columns={"text": "body", "label": "kind"}), "majority", out=tmp_path / "o")
    assert "made from this very file" in evaluate(own, path).details["notes"][0]
    assert evaluate(run, path).details["notes"] == [UNCHECKED.format(path)]


def test_rows_of_train_by_the_column_split_are_left_out(run, tmp_path):
    made = [dict(row, split="train", kind=row["label"]) for row in rows(100, 30)]
    made += [dict(row, split="Test") for row in rows(130, 9)]
    scores = evaluate(run, made)
    assert scores.values["accuracy"].value == 1.0 and scores.details["rows"] == 9
    assert "30 rows are not test by the column 'split', and left out" in scores.details["notes"][0]
    everything = evaluate(run, [dict(row, split="train") for row in rows(100)])
    assert everything.details["rows"] == 40


def test_rows_that_are_held_are_scored(run):
    pl = pytest.importorskip("polars")
    assert evaluate(run, pl.DataFrame(rows(100))).values["accuracy"].value == 1.0


def test_spans_that_cut_words_are_told(tmp_path):
    made = [{"text": f"fly to Rome number {i}", "spans": [{"start": 7, "end": 11, "label": "CITY"}]} for i in range(60)]
    run = train(load_data(made), "majority", out=tmp_path / "o")
    assert evaluate(run, made).details["notes"][1:] == []
    for row in made:
        row["spans"] = [{"start": 7, "end": 10, "label": "CITY"}]
    assert any("60 of 60 spans begin or end inside a word" in note for note in evaluate(run, made).details["notes"])


def test_of_two_columns_that_may_be_meant_none_is_taken(run):
    two = [{"message": row["body"], "content": "x", "label": row["kind"]} for row in rows(100)]
    with pytest.raises(
        DataError, match="no column 'body', as in the training data, and 'content', 'message' may each be"
    ):
        evaluate(run, two)
    assert evaluate(run, two, columns={"text": "message"}).values["accuracy"].value == 1.0
    labels = [{"body": row["body"], "intent": row["kind"], "category": "a"} for row in rows(100)]
    with pytest.raises(DataError, match="name the label: --column label=NAME"):
        evaluate(run, labels)
    case = [{"Body": row["body"], "KIND": row["kind"], "label": "a", "text": "x"} for row in rows(100)]
    scores = evaluate(run, case)
    assert scores.values["accuracy"].value == 1.0
    assert any("read as the data's: 'Body as body', 'KIND as kind'" in note for note in scores.details["notes"])


def test_rows_that_repeat_are_told_of(run):
    scores = evaluate(run, rows(100, 10) * 5)
    assert any("40 of 50 rows (80.0 %) repeat an earlier one" in note for note in scores.details["notes"])


def test_what_cannot_be_read_is_refused_in_words(run):
    with pytest.raises(UsageError, match="the rows are generator"):
        evaluate(run, (row for row in rows(100)))


def test_rows_that_the_run_learnt_from_are_told_of(tmp_path):
    made = [{"text": f"{COLOURS[i % 8]} thing number {i}", "label": "ab"[i % 2]} for i in range(60)]
    path = write(tmp_path / "a.jsonl", made)
    data = load_data(path)
    run = train(data, "majority", out=tmp_path / "out")
    tested = {str(example.input) for example in data.test}
    again = [row | {"text": f"{row['text'].upper()} !"} for row in made if row["text"] not in tested][:30]
    notes = evaluate(run, again + rows(100, 10, text="new", label="a")).details["notes"]
    assert any("30 of 40 rows (75.0 %) are among those that the run learnt from" in note for note in notes)
    for other in ([row for row in made if row["text"] in tested], rows(100, 10, text="new", label="a")):
        assert not any("learnt from" in note for note in evaluate(run, other).details["notes"])
    write(path, made[1:])
    [note] = (note for note in evaluate(run, again).details["notes"] if "learnt from" in note)
    assert note.endswith("could not be checked: 'a.jsonl' is not there as it was.")


def twins_of(kind):
    """Rows of a kind, and the same the other way round: a pair turned, options from last to first."""
    for i in range(60):
        one, two = f"{COLOURS[i % 8]} thing number {i}", f"{COLOURS[i * 3 % 8]} car of row {i}"
        if kind == "pairs":
            pair = {"premise": one, "hypothesis": two, "label": "ab"[i % 2]}
            yield pair, {**pair, "premise": two, "hypothesis": one}
        elif kind == "options":
            options = [f"{i}\nred", f"{i} Blue", f"{i} green"]
            yield ({"question": one, "options": options, "answer": "ABC"[i % 3]},
                   {"question": one.upper(), "options": options[::-1], "answer": "CBA"[i % 3]})  # fmt: skip
        else:
            yield ({"tokens": one.split(), "tags": ["B-X", "O", "O", "O"]},
                   {"tokens": one.upper().split(), "tags": ["B-X", "O", "O", "O"]})  # fmt: skip


@pytest.mark.parametrize("kind", ["pairs", "options", "tokens"])
def test_rows_learnt_from_are_known_when_turned_round(tmp_path, kind):
    made, turned = zip(*twins_of(kind), strict=True)
    run = train(load_data(write(tmp_path / "a.jsonl", made)), "majority", out=tmp_path / "out")
    tested = {int(row["id"]) - 1 for row in run.predictions() if row["split"] == "test"}
    seen = [row for i, row in enumerate(turned) if i not in tested]
    notes = evaluate(run, seen).details["notes"]
    assert any(f"{len(seen)} of {len(seen)} rows (100.0 %) are among those" in note for note in notes)
    assert not any("learnt from" in note for note in evaluate(run, [turned[i] for i in tested]).details["notes"])
