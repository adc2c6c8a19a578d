"""What goes wrong at the command line: one message with place and remedy, the right exit code, nothing left behind."""

import gzip
import json
import os
import shlex
import subprocess
import sys

import pytest

from slmfit import __main__ as cli

GOOD = "text,label\n" + "".join(f"word{i % 7} number {i} again,{'ab'[i % 2]}\n" for i in range(40))


def run(monkeypatch, capsys, *words):
    """Exit code, stdout and stderr of a command."""
    monkeypatch.setattr(sys, "argv", ["slmfit", *map(str, words)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    captured = capsys.readouterr()
    return exit.value.code or 0, captured.out, captured.err


def lines(n, bad, at):
    """n good CSV rows with a bad one at a line."""
    rows = GOOD.splitlines(keepends=True)[: n + 1]
    return "".join([*rows[: at - 1], bad, *rows[at - 1 :]])


DATA = {
    "missing column": ("d.csv", "body,kind\nx,a\ny,b\n", "cannot tell which column holds the label"),
    "one class": ("d.csv", "text,label\n" + "x y,a\n" * 9, "label"),
    "one row in a class": ("d.csv", GOOD + "odd,c\n", "merge it into another label (--merge 'c=LABEL')"),
    "too few rows": ("d.csv", "text,label\nw,a\nx,b\ny,c\nz,c\n", "or add rows: every label needs at least two"),
    "numbers as labels": ("d.csv", "text,label\n" + "".join(f"w{n},{n / 7}\n" for n in range(40)), "not numbers"),
    "empty file": ("d.csv", "", "d.csv"),
    "header only": ("d.csv", "text,label\n", "no rows"),
    "ragged row": ("d.csv", lines(30, "a,b,c\n", 12), "line 12"),
    "open quote": ("d.csv", lines(30, '"never closed,a\n', 5), "line 5"),
    "broken JSON": ("d.jsonl", '{"text": "x", "label": "a"}\n' * 87 + '{"text": \n', "line 88"),
    "JSON that is no object": ("d.jsonl", "[1, 2]\n", "line 1"),
    "broken whole JSON": ("d.json", '[{"text": "x"', "line 1"),
    "NUL bytes": ("d.csv", GOOD + "a\0b,a\n", "NUL"),
    "wrong encoding": ("d.csv", GOOD.encode() + "caf\xe9,a\n".encode("latin-1"), "UTF-8"),
    "UTF-16": ("d.csv", GOOD.encode("utf-16"), "UTF-16"),
    "10 MB line": ("d.csv", lines(30, "x" * 10_000_000 + ",a\n", 7), "line 7"),
    "duplicate header": ("d.csv", "text,label,label\nx,a,b\n", "label"),
    "empty label": ("d.csv", lines(30, "some text,\n", 9), "line 9"),
    "missing text": ("d.jsonl", '{"text": "x", "label": "a"}\n{"label": "b"}\n', "line 2"),
    "text that is a number": ("d.jsonl", '{"text": 3, "label": "a"}\n', "line 1"),
    "several labels in a cell": ("d.jsonl", '{"text": "x", "label": ["a", "b"]}\n', "several labels"),
    "unknown ending": ("d.docx", "x", "docx"),
    "not a gzip": ("d.csv.gz", GOOD, "gzip"),
    "cut gzip": ("d.csv.gz", gzip.compress(GOOD.encode())[:-9], "gzip"),
    "gzip bomb": ("d.csv.gz", gzip.compress(b"a" * 300_000_000), "times its size"),
    "one text again and again": ("d.csv", "text,label\n" + "the same,a\nthe same,b\n" * 20, "they are 1 group"),
    "not Parquet": ("d.parquet", GOOD, "d.parquet"),
    "constant text is fine, all texts empty": ("d.csv", "text,label\n" + ",a\n,b\n" * 3, "d.csv"),
}


@pytest.mark.parametrize("case", DATA)
def test_bad_data(case, tmp_path, monkeypatch, capsys):
    name, content, says = DATA[case]
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = run(monkeypatch, capsys, "compare", name, "--methods", "majority")
    if case.startswith("constant"):
        assert code in (0, 3)
        return
    assert code == 3, err
    assert says in err
    assert "fix: " in err
    assert name in err
    assert "Traceback" not in err + out
    assert out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


COMMANDS = {
    "no such file": (["compare", "dd.csv"], 3, "did you mean"),
    "an empty name, as of a shell variable": (["compare", ""], 2, "no name"),
    "a run with an empty name": (["predict", "", "hello"], 2, "no name"),
    "folder without data": (["compare", "empty"], 3, "empty"),
    "unknown method": (["compare", "d.csv", "--methods", "liner"], 2, "did you mean 'linear'"),
    "method twice": (["compare", "d.csv", "--methods", "majority,majority"], 2, "twice"),
    "unknown setting": (["compare", "d.csv", "--methods", "linear", "--set", "linear.CC=3"], 2, "did you mean 'C'"),
    "setting in another case": (["compare", "d.csv", "--methods", "linear", "--set", "linear.c=1"], 2, "mean 'C'"),
    "setting out of range": (["compare", "d.csv", "--methods", "linear", "--set", "linear.C=-1"], 2, "C"),
    "setting without a value": (["compare", "d.csv", "--set", "linear.C"], 2, "METHOD.KEY=VALUE"),
    "setting of another method": (
        ["compare", "d.csv", "--methods", "majority", "--set", "knn.k=3"],
        2,
        "add knn to the methods",
    ),
    "a seed in words": (["compare", "d.csv", "--seed", "abc"], 2, "--seed cannot be 'abc': give a whole number"),
    "unknown metric": (["compare", "d.csv", "--metric", "acuracy"], 2, "did you mean 'accuracy'"),
    "unknown preference": (["compare", "d.csv", "--prefer", "sise"], 2, "did you mean 'size'"),
    "preference, told dry": (["compare", "d.csv", "--dry-run", "--prefer", "sise"], 2, "did you mean 'size'"),
    "margin, told dry": (["compare", "d.csv", "--dry-run", "--margin", "-0.1"], 2, "0.02 is 2 points"),
    "limit of nobody, told dry": (["compare", "d.csv", "--dry-run", "--max-usd", "1"], 2, "no method here asks one"),
    "the same, to train": (["train", "linear", "d.csv", "--dry-run", "--max-usd", "1"], 2, "no method here asks one"),
    "unknown task": (["compare", "d.csv", "--task", "tagging"], 2, "task"),
    "unknown option": (["compare", "d.csv", "--bogus"], 2, "--help"),
    "unknown verb": (["comapre", "d.csv"], 2, "No such command"),
    "no argument": (["compare"], 2, "DATA"),
    "named column missing": (["compare", "d.csv", "--text", "body"], 3, "body"),
    "seed below nought": (["compare", "d.csv", "--seed", "-1"], 2, "from 0 to"),
    "seed beyond numpy's": (["train", "majority", "d.csv", "--seed", str(2**32)], 2, "from 0 to"),
    "demo with such a seed": (["demo", "--seed", "-1", "--out", "full"], 2, "from 0 to"),
    "margin that is no number": (["compare", "d.csv", "--margin", "nan"], 2, "0.02 is 2 points"),
    "margin without end": (["compare", "d.csv", "--margin", "inf"], 2, "0.02 is 2 points"),
    "margin in points": (["compare", "d.csv", "--margin", "5"], 2, "0.02 is 2 points"),
    "margin below nought": (["compare", "d.csv", "--margin", "-1"], 2, "0.02 is 2 points"),
    "name too long": (["predict", "x" * 300, "hello"], 1, "xxx"),
    "nothing to merge": (["compare", "d.csv", "--merge", "zz*=a"], 2, "matches no label"),
    "unknown strip": (["compare", "d.csv", "--strip", "header"], 2, "did you mean 'headers'"),
    "group column missing": (["compare", "d.csv", "--group", "who"], 3, "who"),
    "output is a file": (["compare", "d.csv", "--out", "d.csv"], 1, "d.csv"),
    "output holds other files": (["compare", "d.csv", "--out", "full"], 2, "other files"),
    "answers for too few rows": (["compare", "d.csv", "--predictions", "few.csv"], 3, "no answer"),
    "answers without a column": (["compare", "d.csv", "--predictions", "odd.csv"], 3, "no column of answers"),
    "not a run": (["predict", "empty", "hello"], 2, "neither a run nor a comparison"),
    "a run that is not there": (["predict", "emty", "hello"], 2, "there is no such folder"),
    "a report of what is not there": (["report", "emty"], 2, "there is no such folder"),
    "nothing there to delete": (["runs", "emty", "--delete"], 2, "there is no such folder"),
    "runs of what is not there": (["runs", "emty"], 2, "there is no such folder"),
    "a run that is not finished": (["evaluate", "cut", "d.csv"], 2, "what is done lies in .cut.partial"),
    "texts and a file": (["predict", "empty", "hello", "--input", "d.csv"], 2, "both"),
    "a cascade of nothing": (["train", "cascade", "d.csv"], 2, "made of two methods"),
    "two methods to train": (["train", "majority,linear", "d.csv"], 2, "one method"),
    "evaluate without a run": (["evaluate", "d.csv", "d.csv"], 2, "d.csv"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_bad_commands(case, tmp_path, monkeypatch, capsys):
    words, expected, says = COMMANDS[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text(GOOD)
    (tmp_path / "few.csv").write_text("id,prediction\n1,a\n")
    (tmp_path / "odd.csv").write_text("id,what\n" + "".join(f"{n},zz\n" for n in range(1, 41)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / ".cut.partial").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    code, out, err = run(monkeypatch, capsys, *words)
    assert code == expected, err
    assert says in err
    assert "fix: " in err
    assert "Traceback" not in err + out
    assert out == ""
    after = sorted(str(p) for p in tmp_path.rglob("*") if p.name != ".lock")
    assert after == before


STREAMS = {
    "stdout closed": ("methods >&-", 0, "", ""),
    "stdin closed": ("predict empty <&-", 2, "", "empty"),
    "stdout full": ("methods --json >/dev/full", 1, "", "the output: No space left"),
    "reader gone": ("methods --json | true; exit ${PIPESTATUS[0]}", 0, "", ""),
    "a name that is no UTF-8": ("compare d.csv --methods majority --out $'caf\\xe9' && $S runs", 0, "caf⟨U+DCE9⟩", ""),
    "letters the locale lacks": ("compare d.csv --methods majority --out żółw --json", 0, "żółw/runs", ""),
}


@pytest.mark.skipif(sys.platform != "linux", reason="bash, /dev/full, and file names of any bytes")
@pytest.mark.parametrize("case", STREAMS)
def test_streams_that_are_shut_full_or_of_another_alphabet(case, tmp_path):
    words, expected, out, err = STREAMS[case]
    (tmp_path / "d.csv").write_text(GOOD)
    (tmp_path / "empty").mkdir()
    start = f"{shlex.quote(sys.executable)} -c 'from slmfit.__main__ import main; main()'"
    environment = {**os.environ, "S": start, **({"PYTHONIOENCODING": "ascii"} if "letters" in case else {})}
    command = f"{start} {words}".replace("$S", start)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == expected, done.stderr
    assert out in done.stdout.decode("utf-8")
    assert err in done.stderr.decode("utf-8")
    assert not any(word in done.stderr for word in (b"Traceback", b"unexpected", b"ignored"))


EDITS = {
    "scores of another kind": ("runs/majority/run.json", lambda record: record.update(scores="x")),
    "scores of no test": ("runs/majority/run.json", lambda record: record["scores"].pop("test")),
    "a score without a value": ("runs/majority/run.json", lambda r: r["scores"]["test"]["accuracy"].update(value=None)),
    "files of another kind": ("runs/majority/run.json", lambda record: record.update(files=[])),
    "no verdict": ("comparison.json", lambda record: record["verdict"].clear()),
    "methods of another kind": ("comparison.json", lambda record: record.update(methods=["majority"])),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_record_that_was_edited_is_told_and_made_again(case, tmp_path, monkeypatch, capsys):
    (tmp_path / "d.csv").write_text(GOOD)
    compare = ("compare", tmp_path / "d.csv", "--methods", "majority", "--out", tmp_path / "o")
    assert run(monkeypatch, capsys, *compare)[0] == 0
    name, edit = EDITS[case]
    record = json.loads((tmp_path / "o" / name).read_text())
    edit(record)
    (tmp_path / "o" / name).write_text(json.dumps(record))
    for words in (("predict", tmp_path / "o", "hello"), ("report", (tmp_path / "o" / name).parent, "--markdown")):
        code, _, err = run(monkeypatch, capsys, *words)
        assert code == 1 and "lacks" in err and name in err and "fix: " in err
    assert run(monkeypatch, capsys, "runs", tmp_path)[0] == 0
    assert run(monkeypatch, capsys, *compare)[0] == 0
    assert run(monkeypatch, capsys, "predict", tmp_path / "o", "hello")[0] == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_output_that_cannot_be_written(tmp_path, monkeypatch, capsys):
    (tmp_path / "d.csv").write_text(GOOD)
    (tmp_path / "locked").mkdir(mode=0o500)
    code, _, err = run(monkeypatch, capsys, "compare", tmp_path / "d.csv", "--out", tmp_path / "locked" / "x")
    assert code == 1 and "fix: " in err


def test_output_below_a_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "d.csv").write_text(GOOD)
    code, _, err = run(monkeypatch, capsys, "compare", tmp_path / "d.csv", "--out", tmp_path / "d.csv" / "x")
    assert code == 1 and "--out" in err


def test_a_label_only_in_test_is_a_warning_and_scored_wrong(tmp_path, monkeypatch, capsys):
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "test.csv").write_text("text,label\nword1 number,a\nword2 number,b\nnever seen,c\n")
    words = ("compare", tmp_path, "--methods", "majority", "--out", tmp_path / "o", "--json")
    code, out, err = run(monkeypatch, capsys, *words)
    assert code == 0
    result = json.loads(out)
    assert any("'c'" in warning for warning in result["warnings"]), err
    assert result["methods"][0]["scores"]["test"]["accuracy"]["value"] == pytest.approx(1 / 3)


def test_a_changed_model_is_refused_before_it_is_loaded(tmp_path, monkeypatch, capsys):
    (tmp_path / "d.csv").write_text(GOOD)
    assert run(monkeypatch, capsys, "train", "majority", tmp_path / "d.csv", "--out", tmp_path / "o")[0] == 0
    model = tmp_path / "o" / "runs" / "majority" / "model"
    for damage in ("changed", "added", "link"):
        if damage == "changed":
            (model / "counts.json").write_text("[]")
        elif damage == "added":
            (model / "evil.pkl").write_bytes(b"\x80\x04.")
        else:
            (model / "counts.json").unlink()
            (model / "counts.json").symlink_to(tmp_path / "d.csv")
        code, _, err = run(monkeypatch, capsys, "predict", tmp_path / "o", "hello")
        assert code == 4, err
        assert str(model) in err and "fix: " in err
