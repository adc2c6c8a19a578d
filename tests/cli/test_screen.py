"""Nothing in a user's names is obeyed by the terminal, whatever verb prints them."""

import ast
import io
import json
import re
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from slmfit import __main__ as cli
from slmfit.cli.console import Screen

SOURCE = Path(__file__).parents[2] / "src" / "slmfit"
EVIL = "\x1b[31m\x9b31m\x1b]0;x\x07\u202e\x7f"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LABELS = [f"card{EVIL}", f"parcel{EVIL}"]
WORDS = ["invoice refund", "courier late"]


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """A command's exit code, stdout and stderr, in a folder full of hostile names."""
    monkeypatch.chdir(tmp_path)
    rows = [{f"body{EVIL}": f"{WORDS[i % 2]} {i} {EVIL}", f"kind{EVIL}": LABELS[i % 2]} for i in range(60)]
    Path(f"d{EVIL}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    other = [{"text": WORDS[i % 2], "label": f"{LABELS[i % 2]}{i % 2 * EVIL}"} for i in range(4)]
    Path(f"e{EVIL}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in other))

    def command(*words):
        monkeypatch.setattr(sys, "argv", ["slmfit", *words])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        captured = capsys.readouterr()
        return exit.value.code or 0, captured.out, captured.err

    return command


DATA = [f"d{EVIL}.jsonl", "--text", f"body{EVIL}", "--label", f"kind{EVIL}"]
OUT = f"o{EVIL}"


def test_no_verb_prints_what_a_terminal_obeys(say):
    run, told = f"{OUT}/runs/linear", {}
    for words, expected in (
        (["compare", *DATA, "--methods", "majority,linear", "--out", OUT], 0),
        (["compare", *DATA, "--methods", "majority", "--out", OUT, "--dry-run"], 0),
        (["train", "knn", *DATA, "--out", OUT], 0),
        (["runs", "."], 0),
        (["explain", "--run", run], 0),
        (["evaluate", run, f"e{EVIL}.jsonl", "--text", "text", "--label", "label"], 0),
        (["explore", *DATA, "--output", f"x{EVIL}.html"], 0),
        (["report", OUT, "--output", f"r{EVIL}.html"], 0),
        (["report", OUT, "--markdown"], 0),
        (["predict", run, "--input", f"d{EVIL}.jsonl", "--output", f"a{EVIL}.csv"], 0),
        (["predict", run, "--input", f"e{EVIL}.jsonl"], 0),
        (["predict", run, f"late {EVIL}"], 0),
        (["compare", f"d{EVIL}.jsonl"], 3),
        (["compare", f"nothing{EVIL}.csv"], 3),
        (["compare", *DATA, "--merge", f"zz{EVIL}=a"], 2),
        (["compare", *DATA, "--methods", f"linear{EVIL}"], 2),
        (["compare", *DATA, "--set", f"linear.{EVIL}=1"], 2),
        (["compare", *DATA, "--metric", EVIL], 2),
        (["train", "linear", f"e{EVIL}.jsonl", "--out", OUT], 3),
        (["predict", f"nothing{EVIL}", "x"], 2),
        ([f"verb{EVIL}"], 2),
        (["compare", f"--option{EVIL}"], 2),
    ):
        code, out, err = say(*words)
        assert code == expected, (words, out, err)
        found = OBEYED.search(out + err)
        assert not found, (words, found)
        told[words[0]] = told.get(words[0], "") + out + err
    assert "␛[31m" in told["runs"] and "␛[31m" in told["explore"] and "x1b[31m" in told["compare"]


def test_the_traceback_of_debug_is_shown_likewise(capsys):
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        cli._traced(ValueError, error, error.__traceback__)
    assert not OBEYED.search(capsys.readouterr().err)


def test_json_is_the_same_value_and_obeyed_by_no_terminal(say):
    code, out, _ = say("train", "majority", *DATA, "--out", OUT, "--json")
    assert code == 0 and not OBEYED.search(out)
    record = json.loads(out)
    assert record["task"]["labels"] == LABELS and record["run"] == f"{OUT}/runs/majority"


def test_tables_and_colours_let_nothing_pass_but_their_own():
    screen = Screen(file=io.StringIO(), force_terminal=True, width=60, color_system="standard")
    table = Table("name", EVIL)
    table.add_row(EVIL, f"[bold]{EVIL}[/]")
    for what in (table, Text(EVIL, "red"), f"[green]{EVIL}[/]"):
        screen.print(what)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", screen.file.getvalue())
    assert not OBEYED.search(shown.replace("\r", "")) and shown.count("␛[31m⟨U+009B⟩31m") == 5


def test_there_is_no_other_door():
    """print, echo, consoles and the streams themselves are used where this stands, and nowhere else."""
    allowed = {"cli/screen.py", "cli/console.py", "data/readers/parquet_worker.py", "runs/measuring.py"}
    allowed |= {"runs/tables.py", "finetune/processes.py"}  # JSON lines, and a helper's last words: both made visible
    allowed |= {"llm/trust.py", "testing/__main__.py"}  # to whom texts go, made visible; the address of our own server
    allowed |= {"ejecting/parts/labels.py", "ejecting/parts/entities.py"}  # lines of a script of the user's own
    allowed |= {"methods/explaining.py"}  # writes docs/settings.md, of our own words
    used = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            doors = (
                "print",
                "typer.echo",
                "typer.secho",
                "Console",
                "rich.print",
                "sys.stdout.write",
                "sys.stderr.write",
            )
            if called in doors:
                used.add(path.relative_to(SOURCE).as_posix())
    assert used <= allowed, used - allowed
