"""How verbs end: scores label by label, where the result is, a command to type next that can be typed; and a page that
says nothing of the folders it was made in."""

import csv
import json
import shlex
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

from slmfit import __main__ as cli
from slmfit.cli.verbs import app

TELLTALE = "secret-client"
WORDS = {"billing": "invoice refund card", "delivery": "parcel courier late", "account": "password login email"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder below one that nobody else should hear of, with train.csv in it, and the rest of a comparison."""
    folder = tmp_path_factory.mktemp(TELLTALE) / "shop"
    folder.mkdir()
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for i in range(90):
            label = list(WORDS)[i % 3]
            said = WORDS[list(WORDS)[(i * i) % 3] if i % 7 == 0 else label].split()
            writer.writerow([f"{said[i % 3]} number {i} {said[(i + 1) % 3]}", label])
    return folder


def run(*words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["slmfit", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    assert (left.value.code or 0) == 0, told.err
    return told


@pytest.fixture
def say(monkeypatch, capsys):
    """A command's stdout and stderr; it has to succeed."""
    return lambda *words: run(*words, monkeypatch=monkeypatch, capsys=capsys)


@pytest.fixture(scope="module")
def compared(place, tmp_path_factory):
    """The comparison's folder."""
    out = place / "compared"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["slmfit", "compare", str(place / "train.csv"), "--methods", "majority,linear",
                                    "--set", "linear.C=1", "--out", str(out)])  # fmt: skip
        with pytest.raises(SystemExit) as left:
            cli.main()
    assert left.value.code in (0, None)
    return out


def parsed(words):
    """A command as typer reads it; raises where it could not be typed."""
    group = typer.main.get_command(app)
    with group.make_context("slmfit", list(words)) as context:
        _, command, rest = group.resolve_command(context, list(words))
        return command.make_context(words[0], rest, parent=context)


def next_of(err):
    """The words of the last line, which says what to type next."""
    last = err.rstrip().splitlines()[-1]
    assert last.startswith("next: slmfit "), err
    words = shlex.split(last)[2:]
    parsed(words)
    return words


def test_every_verb_ends_with_what_to_type_next(say, place, compared, monkeypatch):
    monkeypatch.chdir(place)
    rerun = ["compare", "train.csv", "--methods", "majority,linear", "--set", "linear.C=1", "--out", "compared"]
    told = say(*rerun)
    assert "compared\nreport: compared/report.html\n" in told.err
    assert next_of(told.err) in (
        ["predict", "compared", "a new text"],
        ["predict", "compared/runs/linear", "a new text"],
    )
    assert next_of(say(*rerun, "--dry-run").err) == rerun
    told = say("train", "linear", "train.csv", "--set", "linear.C=1", "--out", "compared")
    assert "\ncompared/runs/linear\n" in told.err and next_of(told.err)[:2] == ["predict", "compared/runs/linear"]
    assert next_of(say("evaluate", "compared/runs/linear", "train.csv").err)[0] == "predict"
    told = say("predict", "compared/runs/linear", "--input", "train.csv", "--output", "answered.csv")
    assert "answered in answered.csv" in told.err and next_of(told.err) == ["explore", "answered.csv"]
    told = say("explore", "train.csv", "--label", "label", "--seed", "3", "--output", "look.html")
    assert told.out.endswith("look.html\n")
    assert next_of(told.err) == ["compare", "train.csv", "--label", "label", "--seed", "3"]
    told = say("report", "compared", "--output", "r.html", "--curves", "c.csv")
    assert told.out == "r.html\n" and "0 lines of losses" in told.err and next_of(told.err)[0] == "predict"
    assert next_of(say("generate", "tickets", "-n", "21", "--output", "made.jsonl").err) == ["explore", "made.jsonl"]
    for words in ("generate tickets --dry-run", "runs .", "runs compared/data", "methods", "doctor", "explain linear.C",
                  "models"):  # fmt: skip
        next_of(say(*words.split()).err)
    for words in (
        ["runs", ".", "--json"],
        ["methods", "--json"],
        ["evaluate", "compared/runs/linear", "train.csv", "--json"],
    ):
        told = say(*words)
        assert json.loads(told.out) and "next:" not in told.err


def f1_of(rows, label):
    """F1 of a label, counted from the answers."""
    counts = Counter((row["target"] == label, row["prediction"] == label) for row in rows)
    hit, missed, extra = counts[True, True], counts[True, False], counts[False, True]
    return 2 * hit / (2 * hit + missed + extra)


def test_answers_go_by_a_given_name_or_by_their_file_s(say, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("compare", place / "train.csv", "--methods", "majority", "--out", "o", "--json")
    say(*words)
    rows = map(json.loads, Path("o/data/test.jsonl").read_text().splitlines())
    answers = "".join(json.dumps({"id": row["id"], "prediction": row["label"]}) + "\n" for row in rows)
    for name in ("answers.jsonl", "a=b.jsonl"):  # the second is a file's name, and says nothing of whose they are
        Path(name).write_text(answers)
    given = ("--predictions", "gpt-5=answers.jsonl", "--predictions", "a=b.jsonl", "--predictions", "answers.jsonl")
    methods = json.loads(say(*words, *given).out)["methods"]
    assert [row["id"] for row in methods[1:]] == ["predictions-gpt-5", "predictions-a-b", "predictions-answers"]
    assert "next: slmfit predict o/runs/majority" in say(*words[:-1], *given).err  # a file can be asked nothing


def test_scores_of_labels_are_those_of_the_answers(say, place, compared):
    told = say("compare", place / "train.csv", "--methods", "majority,linear", "--set", "linear.C=1", "--out", compared,
               "--json")  # fmt: skip
    linear = next(row for row in json.loads(told.out)["methods"] if row["id"] == "linear")
    trained = say("train", "linear", place / "train.csv", "--set", "linear.C=1", "--out", compared, "--json").out
    answers = [json.loads(line) for line in (Path(linear["run"]) / "predictions.jsonl").read_text().splitlines()]
    for split in ("validation", "test"):
        rows = [row for row in answers if row["split"] == split]
        found = {row["label"]: row["f1"] for row in linear["details"][split]["per_class"]}
        assert found == pytest.approx({label: f1_of(rows, label) for label in WORDS})
        assert json.loads(trained)["details"][split]["per_class"] == linear["details"][split]["per_class"]
    kept = [row for row in answers if row["split"] == "test"]
    texts = [json.loads(line) for line in (compared / "data" / "test.jsonl").read_text().splitlines()]
    (place / "apart.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    evaluated = json.loads(say("evaluate", linear["run"], place / "apart.jsonl", "--json").out)["details"]["per_class"]
    assert {row["label"]: row["f1"] for row in evaluated} == pytest.approx(
        {label: f1_of(kept, label) for label in WORDS}
    )


def test_scores_of_labels_are_shown(say, place, compared):
    told = say("train", "linear", place / "train.csv", "--set", "linear.C=1", "--out", compared).out
    head = next(line for line in told.splitlines() if line.startswith("class"))
    assert head.split() == ["class", "validation", "rows", "precision", "recall", "F1", "test", "rows", "precision",
                            "recall", "F1"]  # fmt: skip
    assert all(any(line.startswith(label) for line in told.splitlines()) for label in WORDS)


def test_no_page_says_in_which_folder_it_was_made(place, compared, say):
    say("explore", place / "train.csv", "--output", place / "look.html")
    for path in (compared / "report.html", place / "look.html"):
        page = path.read_text()
        assert TELLTALE not in page and str(place.parent.parent) not in page, path
        assert "<title>shop" in page and "train.csv: read as text-classification" in page
    assert "slmfit compare train.csv --methods" in (compared / "report.html").read_text()


def test_data_are_called_as_the_user_says(say, place, compared):
    say(
        "compare",
        place / "train.csv",
        "--methods",
        "majority",
        "--out",
        compared.parent / "named",
        "--name",
        "Tickets, Q3",
    )
    assert "<title>Tickets, Q3" in (compared.parent / "named" / "report.html").read_text()
