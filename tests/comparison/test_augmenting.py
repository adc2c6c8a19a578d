"""Rows added to train: nothing of them reaches validation or test, and what they brought is said."""

import csv
import json
import random
import sys
import unicodedata
from pathlib import Path

import pytest

from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit.comparison.compare import compare, plan
from slmfit.comparison.planning import with_rows
from slmfit.data.added import add_rows
from slmfit.data.load import load_data
from slmfit.errors import DataError
from slmfit.methods.specs import parse_specs


def write(path, examples):
    """The examples as a CSV of texts and labels."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([example.input, example.target] for example in examples)
    return path


@pytest.fixture
def more(tmp_path):
    """60 rows of the same rule as `data`, and none of its rows."""
    return write(tmp_path / "more rows.csv", make_dataset(sizes=(60, 0, 0), seed=9).train)


def test_rows_enter_train_alone(data, more):
    added = add_rows(data, more)
    assert added.name == "more-rows" and added.record["rows"] == 60 and added.record["left_out"] == 0
    assert added.data.train[: len(data.train)] == data.train and len(added.data.train) == len(data.train) + 60
    for split in ("validation", "test"):
        assert added.data.hashes[split] == data.hashes[split]
    assert added.data.hashes["train"] != data.hashes["train"] and not any("twins" in n for n in added.notes)
    specs = [spec.id for spec in with_rows(parse_specs("majority,linear,knn,llm=x"), added)]
    assert specs == ["linear+more-rows", "knn+more-rows"]


def test_twins_of_held_out_rows_are_left_out_and_told(data, more, tmp_path):
    test, validation = data.test[0], data.validation[0]
    longer = [e for e in data.test if len(str(e.input).split()) > 7]
    stolen = [f"{str(test.input).upper()}!", str(validation.input), str(longer[0].input) + "."]
    rows = [*add_rows(data, more).data.train[-60:]]
    path = write(tmp_path / "stolen.csv", rows)
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([text, "billing"] for text in stolen)
    added = add_rows(data, path)
    assert (added.record["rows"], added.record["left_out"]) == (60, 3)
    assert "3 rows of stolen.csv are twins" in added.notes[-1]
    with pytest.raises(DataError, match="every row is a twin"):
        add_rows(data, write(tmp_path / "all.csv", data.test))


@pytest.mark.parametrize("task", ["text-classification", "multiple-choice"])
def test_rows_that_stand_in_train_already_are_told_of(task, tmp_path):
    """The very file of the train rows, with one row of another answer and one twice."""
    data = make_dataset(task)
    other = next(e for e in data.train if e.target != data.train[0].target)
    rows = [data.task.unparse(e) for e in data.train]
    changed = {**rows[0], **{k: v for k, v in data.task.unparse(other).items() if k in ("label", "answer", "intent")}}
    path = tmp_path / "Again.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    added = add_rows(data, path)
    [said] = [note for note in added.notes if "in train already" in note]
    assert said.startswith(
        f"Again.jsonl: {added.record['rows']} of {added.record['rows']} rows (100.0 %) stand in train"
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in (changed, changed)))
    notes = add_rows(data, path).notes
    assert "Again.jsonl: 2 of 2 rows (100.0 %) have the text of a train row and another answer." in notes
    assert "Again.jsonl: 1 of 2 rows (50.0 %) repeats another row of it." in notes


def test_near_twins_of_held_out_rows_are_left_out(tmp_path):
    made = make_dataset()
    words = "this text is quite a bit longer than ten words so that one more is not too many of them".split()
    held = type(made.test[0])("x", " ".join(words), "billing")
    data = type(made)("made", made.task, {**made.splits, "test": (*made.test, held)}, validation_given=False)
    path = tmp_path / "near.csv"
    path.write_text("text,label\n" + " ".join(["indeed", *words]) + ",billing\nsomething else entirely,account\n")
    assert add_rows(data, path).record["left_out"] == 1


def test_labels_that_the_data_do_not_have_are_refused(data, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("text,label\nwhere is it,Delivery\n")
    with pytest.raises(DataError, match="no 'Delivery' among their labels") as caught:
        add_rows(data, path)
    assert "delivery" in caught.value.fix and "odd.csv" in str(caught.value)


def test_entities_and_intents_are_added_too(tmp_path):
    data = make_dataset("token-classification")
    row = {"text": "go to Bern by Tuesday", "spans": [[6, 10, "CITY"], [14, 21, "DAY"]], "intent": "cancel"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n")
    added = add_rows(data, tmp_path / "a.jsonl").data.train[-1]
    assert added.input == row["text"] and [span.label for span in added.target.spans] == ["CITY", "DAY"]
    (tmp_path / "b.jsonl").write_text(json.dumps(row | {"intent": "praise"}) + "\n")
    with pytest.raises(DataError, match="no 'praise' among their intents"):
        add_rows(data, tmp_path / "b.jsonl")


def test_the_verdict_says_what_they_brought(data, more, tmp_path):
    result = compare(data, "majority,linear", augment=more, out=tmp_path / "o")
    rows = {row.id: row for row in result.record.methods}
    assert list(rows) == ["majority", "linear", "linear+more-rows"]
    with_them, without = (result.runs[id] for id in ("linear+more-rows", "linear"))
    assert with_them.record.split["train"].rows == len(data.train) + 60 == without.record.split["train"].rows + 60
    assert with_them.record.split["test"] == without.record.split["test"] == result.record.split["test"]
    added = result.record.verdict.added
    assert (added["file"], added["rows"]) == ("more rows.csv", 60)
    [gain] = added["gains"]
    scores = [rows[id].scores["test"]["accuracy"].value for id in ("linear+more-rows", "linear")]
    assert gain["difference"]["value"] == pytest.approx(scores[0] - scores[1])
    assert gain["result"] in ("better", "worse", "not distinguishable") and gain["comparisons"] == 1
    assert gain["sentence"] == result.record.verdict.caveats[0] and gain["result"] in gain["sentence"]
    assert "linear+more-rows" in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert with_them.predict(["my parcel is late"])
    again = compare(data, "majority,linear", out=tmp_path / "o")  # without them, what was fitted is used again
    assert [row.id for row in again.record.methods] == ["majority", "linear"]
    assert all(row.reused for row in again.record.methods) and not again.record.verdict.added


def test_a_plan_names_both(data, more, tmp_path):
    steps = plan(data, "majority,linear", augment=more, out=tmp_path / "o")
    assert [(step.id, step.rows) for step in steps][1:] == [
        ("linear", len(data.train)),
        ("linear+more-rows", len(data.train) + 60),
    ]
    assert not (tmp_path / "o").exists()


def test_the_command(data, more, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(Path("rows.csv"), [e for split in data.splits.values() for e in split])
    base = ["slmfit", "compare", "rows.csv", "--methods", "majority,linear", "--out", "o", "--augment"]
    monkeypatch.setattr(sys, "argv", [*base, str(more)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    said = capsys.readouterr().out
    assert exit.value.code == 0 and "with 60 rows of more rows.csv added to train, is" in " ".join(said.split())
    Path("bad.csv").write_text("text,label\nhello,greeting\n")
    monkeypatch.setattr(sys, "argv", [*base, "bad.csv"])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 3


FORMS = {
    "capitals": str.upper,
    "spaces": lambda text: f"  {text.replace(' ', '  ')}\n",
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "taken apart": lambda text: unicodedata.normalize("NFD", text),
    "zero-width spaces": lambda text: text.replace("a", "a\u200b"),
    "soft hyphens": lambda text: text.replace("e", "e\u00ad"),
    "marks around": lambda text: f'\ufeff"{text}"!!!',
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "the other way": lambda text: f"\u202e{text}",
    "no-break spaces of HTML": lambda text: text.replace(" ", "&nbsp;"),
    "written as HTML twice": lambda text: text.replace(" ", "&amp;nbsp;"),
    "entities": lambda text: "".join(f"&#{ord(c)};" if c in "aeiou" else c for c in text),
    "entities without an end": lambda text: text.replace(" ", "&nbsp "),
    "tags": lambda text: f'<p class="x">{text.replace(" ", "<br/> ")}</p><!-- a copy -->',
    "tags within words": lambda text: text.replace("e", "<b>e</b>"),
    "tags as entities": lambda text: f"&lt;B&gt;{text}&lt;/B&gt;",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_test_row_in_another_form_is_not_added(tmp_path, form):
    words = "amber azure beige café coral cream élan green ivory khaki".split()
    rng = random.Random(0)
    rows = [{"text": " ".join(rng.choices(words, k=9)) + f" {i}", "label": "ab"[i % 2]} for i in range(60)]
    data = load_data(rows)
    copies = [{"text": FORMS[form](str(e.input)), "label": e.target} for e in data.test]
    own = {"text": "of another kind altogether, and nowhere else", "label": "a"}
    path = tmp_path / "more.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*copies, own]))
    added = add_rows(data, path)
    assert added.record["rows"] == 1 and added.record["left_out"] == len(copies)
