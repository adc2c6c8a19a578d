"""The folder that the page works in: nothing outside, nothing hidden, no links; what it finds; files that come."""

import base64
import json
import os
import stat
import threading

import pytest

from slmfit.errors import DataError, SlmfitError, UnsafeError, UsageError
from slmfit.ui.commands import command, stem
from slmfit.ui.rows import Tables
from slmfit.ui.uploads import Uploads, safe_name
from slmfit.ui.workspace import Workspace


@pytest.fixture
def here(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    (root / "data").mkdir()
    (root / "data" / "tickets.csv").write_text("text,label\na,b\n")
    (tmp_path / "secret.csv").write_text("text,label\nsecret,x\n")
    return Workspace(root)


OUTSIDE = [
    "../secret.csv", "/etc/passwd", "data/../../secret.csv", "..", ".", "", " ", ".slmfit/token", "data/.hidden.csv",
    "~/x", "a\x00b", "data/a\nb.csv", "..\\secret.csv", "C:/x.csv", "file:///etc/passwd", None, 7, ["data"], "x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_leads_out_is_refused(here, name):
    if name in (".", "~/x"):  # the folder itself, which holds what it holds; a folder of that very name
        assert here.path(name).is_relative_to(here.root)
        return
    with pytest.raises(UnsafeError):
        here.path(name)


def test_a_base_model_is_no_data(here):
    for name in ("config.json", "tokenizer.json", "1_Pooling/config.json"):
        path = here.root / "models" / "tiny" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert not [name for name in here.scan().files if name.startswith("models/")]


def test_an_export_that_answers_is_a_run_too(here):
    for name in ("run.json", "export.json"):
        path = here.root / "exported" / "onnx" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    found = here.scan()
    assert "exported/onnx" in found.runs and "exported/onnx" in found.exports


def test_links_are_refused_and_not_shown(here, tmp_path):
    (here.root / "out.csv").symlink_to(tmp_path / "secret.csv")
    (here.root / "folder").symlink_to(tmp_path)
    (here.root / "inner").symlink_to(here.root / "data")
    for name in ("out.csv", "folder/secret.csv", "inner/tickets.csv"):
        with pytest.raises(UnsafeError, match="is a link"):
            here.path(name)
    assert here.scan().files == ["data/tickets.csv"]


def test_a_pipe_is_not_waited_for(here):
    os.mkfifo(here.root / "data" / "pipe.csv")
    assert here.scan().files == ["data/tickets.csv"]
    with pytest.raises(UnsafeError, match="is neither a file nor a folder"):
        here.there("data/pipe.csv")


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        Workspace(tmp_path / "nowhere")


def test_the_token_is_kept_and_nobody_elses(here):
    first = here.token()
    assert len(first) >= 32 and Workspace(here.root).token() == first
    assert stat.S_IMODE((here.own / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(here.own.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "fields",
    [
        {"verb": "serve"},
        {"verb": ["explore"]},
        {"verb": "explore", "file": "../secret.csv"},
        {"verb": "explore", "file": "data/tickets.csv", "text": "--json"},
        {"verb": "explore", "file": "data/tickets.csv", "output": "/etc/x"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["my_module:Evil"]},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear,my_module:Evil"]},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["encoder=/root/model"]},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["encoder=../model"]},
        {"verb": "compare", "file": "data/tickets.csv", "methods": []},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "out": "../elsewhere"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "out": "--out"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "settings": ["knn.embeddings=/etc"]},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "minutes": "5; rm -rf /"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "seed": True},
        {"verb": "predict", "file": "data/tickets.csv", "run": "data"},
        {"verb": "generate", "recipe": "/etc/passwd"},
        {"verb": "generate", "recipe": "emails", "name": 5},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "test": "../secret.csv"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "augment": "/etc/passwd"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "merge": "--json"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "merge": "../secret.csv"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "prefer": "--json"},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "seeds": 0},
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "answers": "../secret.csv"},
        {
            "verb": "compare",
            "file": "data/tickets.csv",
            "methods": ["linear"],
            "answers": "data/tickets.csv",
            "answers_of": "--json",
        },
        {
            "verb": "compare",
            "file": "data/tickets.csv",
            "methods": ["linear"],
            "answers": "data/tickets.csv",
            "answers_of": "../x",
        },
        {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear@tuned=../x"]},
        {"verb": "tune", "file": "data/tickets.csv", "method": "my_module:Evil"},
        {"verb": "tune", "file": "data/tickets.csv", "method": "linear", "trials": 1},
        {"verb": "tune", "file": "data/tickets.csv", "method": "encoder=/root/model"},
        {"verb": "stress", "run": "data"},
        {"verb": "eject", "run": "../x"},
        {"verb": "delete", "run": ".."},
        {"verb": "prune", "kind": "../.."},
        {"verb": "prune", "kind": "--delete"},
    ],
)
def test_what_may_not_be_started(here, fields):
    with pytest.raises(SlmfitError):
        command(here, fields)


def test_a_command_is_a_list_of_words(here):
    (here.root / "-x; touch y.csv").write_text("text,label\na,b\n")
    asked = {"verb": "compare", "file": "-x; touch y.csv", "methods": ["majority", "linear"], "minutes": 5}
    assert command(here, asked).words == [
        "compare", "./-x; touch y.csv", "--methods", "majority,linear", "--budget", "5m", "--out", "compared/x-touch-y",
    ]  # fmt: skip
    (here.root / "data" / "more.csv").write_text("text,label\na,b\n")
    asked = {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "text": "body", "group": "customer",
             "time": "sent", "merge": "b.*=c", "augment": "data/more.csv", "seeds": 3, "prefer": "cost"}  # fmt: skip
    assert command(here, asked).words == [
        "compare", "data/tickets.csv", "--text", "body", "--augment", "data/more.csv", "--group", "customer", "--time",
        "sent", "--merge", "b.*=c", "--methods", "linear", "--seeds", "3", "--prefer", "cost", "--out",
        "compared/tickets",
    ]  # fmt: skip
    asked = {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "answers": "data/more.csv",
             "answers_of": "gpt-5", "answers_column": "said"}  # fmt: skip
    assert command(here, asked).words == [
        "compare", "data/tickets.csv", "--methods", "linear", "--predictions", "gpt-5=data/more.csv", "--column",
        "prediction=said", "--out", "compared/tickets",
    ]  # fmt: skip
    asked = {"verb": "tune", "file": "data/tickets.csv", "method": "linear", "minutes": 5, "trials": 9, "label": "mood"}
    assert command(here, asked).words == [
        "tune", "linear", "data/tickets.csv", "--label", "mood", "--budget", "5m", "--trials", "9", "--out",
        "tuned/tickets-linear",
    ]  # fmt: skip
    assert stem("compared/tickets/runs/knn") == "tickets-knn" and stem("data/tickets.csv.gz") == "tickets"


def test_what_was_chosen_is_kept_without_a_key(here):
    asked = {"verb": "compare", "file": "data/tickets.csv", "methods": ["linear"], "base_url": "https://a:key@x.org/v1"}
    made = command(here, asked)
    assert made.about["asked"]["methods"] == ["linear"] and made.about["asked"]["base_url"] == "https://x.org/v1"
    assert "https://a:key@x.org/v1" in made.words


def test_a_script_that_is_there_is_not_written_over(here):
    (here.root / "compared" / "runs" / "linear").mkdir(parents=True)
    (here.root / "compared" / "runs" / "linear" / "run.json").write_text("{}")
    asked = {"verb": "eject", "run": "compared/runs/linear"}
    first = command(here, asked).words[-1]
    (here.root / first).write_text("changed")
    assert (first, command(here, asked).words[-1]) == ("exported/linear.py", "exported/linear-2.py")


def test_texts_and_zips_are_data_where_they_were_brought(here):
    from zipfile import ZipFile

    (here.root / "notes.txt").write_text("not data\n")
    (here.root / "data" / "fast.txt").write_text("__label__a one\n__label__b two\n")
    with ZipFile(here.root / "data" / "tickets.zip", "w") as packed:
        packed.writestr("tickets.csv", "text,label\na,b\nc,d\n")
    assert here.scan().files == ["data/fast.txt", "data/tickets.csv", "data/tickets.zip"]
    assert Tables().part(here.path("data/tickets.zip"), 0, 10)["rows"] == [[0, ["a", "b"]], [1, ["c", "d"]]]


def test_what_tuning_leaves_is_no_data(here):
    for name in ("trials.jsonl", "answers/0000-0.jsonl"):
        path = here.root / "tuned" / "tickets-linear" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    assert here.scan().files == ["data/tickets.csv"] and here.scan().tunings == []
    (here.root / "tuned" / "tickets-linear" / "tuning.json").write_text("{}")
    assert here.scan().files == ["data/tickets.csv"] and here.scan().tunings == ["tuned/tickets-linear"]


def pieces(name, data, size=5, key="0f" * 16):
    for at in range(0, max(1, len(data)), size):
        piece = base64.b64encode(data[at : at + size]).decode()
        yield {"key": key, "name": name, "at": at, "data": piece, "last": at + size >= len(data)}


def test_a_file_comes_whole_or_not_at_all(here):
    uploads = Uploads(here)
    *first, last = pieces("new.csv", b"text,label\nx,y\n")
    assert [uploads.add(piece) for piece in first] == [None] * len(first)
    assert not (here.root / "data" / "new.csv").exists()
    with pytest.raises(UsageError, match="a piece of it is missing"):
        uploads.add(first[0] | {"at": 3})
    assert uploads.add(last) == "data/new.csv"
    assert (here.root / "data" / "new.csv").read_bytes() == b"text,label\nx,y\n"
    again = [uploads.add(piece) for piece in pieces("new.csv", b"text,label\nx,y\n", key="1f" * 16)]
    assert again[-1] == "data/new.csv"  # the same file
    other = [uploads.add(piece) for piece in pieces("new.csv", b"text,label\nx,z\n", key="2f" * 16)]
    assert other[-1] == "data/new-2.csv"  # nothing is overwritten


@pytest.mark.parametrize(("asked", "made"), [({}, "emails"), ({"name": "few"}, "few"), ({"name": "a b/c"}, "a-b-c")])
def test_generated_data_have_a_name(here, asked, made):
    words = command(here, {"verb": "generate", "recipe": "emails", **asked}).words
    assert words[words.index("--output") + 1] == f"generated/{made}.jsonl"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/cron.csv", "cron.csv"), ("a b (2).CSV.gz", "a-b-2.csv.gz"), ("..csv.csv", "csv.csv"),
        ("C:\\x\\y.jsonl", "y.jsonl"), ("<img src=x>.csv", "img-src-x.csv"), ("名.csv", "model.csv"),
        ("a.b.parquet", "a-b.parquet"), ("cooking.TXT", "cooking.txt"), ("sms spam.zip", "sms-spam.zip"),
    ],
)  # fmt: skip
def test_its_name_is_made_safe(given, name):
    assert safe_name(given) == name


@pytest.mark.parametrize("given", ["x.exe", ".csv", ".txt", ".zip", "x.zip.gz", "x.tar.gz", "x", None, "page.html", 5])
def test_other_kinds_are_refused(given):
    with pytest.raises(DataError):
        safe_name(given)


def test_rows_some_at_a_time(here):
    path = here.root / "data" / "many.csv"
    path.write_text("id,text\n" + "".join(f"{i},row {i}\n" for i in range(1200)))
    tables = Tables()
    part = tables.part(path, 1195, 100)
    assert part["total"] == 1200 and [row[0] for row in part["rows"]] == list(range(1195, 1200))
    found = tables.part(path, 0, 1000, "ROW 119")
    assert found["found"] == 11 and found["rows"][0] == [119, ["119", "row 119"]]
    assert len(tables.part(path, 0, 10_000)["rows"]) == 500
    path.write_text("id,text\n1,other\n")
    os.utime(path, ns=(1, 1))
    assert tables.part(path, 0, 10)["rows"] == [[0, ["1", "other"]]]


def test_the_first_rows_are_there_before_the_last_is_read(here, monkeypatch):
    gate, path = threading.Event(), here.root / "data" / "tickets.csv"

    def slow(path, notes, name):
        yield from ((i, {"text": f"row {i}"}) for i in range(250))
        assert gate.wait(60)
        yield from ((i, {"text": f"row {i}", "label": "late"}) for i in range(250, 400))

    monkeypatch.setattr("slmfit.ui.rows.read_rows", slow)
    tables = Tables()
    first = tables.part(path, 0, 100)
    assert first["reading"] and len(first["rows"]) == 100 and first["columns"] == ["text"]
    gate.set()
    last = tables.part(path, 300, 500)
    assert not last["reading"] and last["total"] == 400 and last["columns"] == ["text", "label"]
    assert last["rows"][-1] == [399, ["row 399", "late"]] and tables.part(path, 0, 1, "late")["found"] == 150


def test_rows_before_one_that_cannot_be_read(here):
    path = here.root / "data" / "torn.csv"
    path.write_text("text,label\n" + "a,b\n" * 700 + "a,b,c\n" + "a,b\n")
    part = Tables().part(path, 650, 100)
    assert len(part["rows"]) == 50 and "torn.csv, line 702" in part["stopped"]
    path.write_text("")
    with pytest.raises(DataError, match="is empty"):
        Tables().part(path, 0, 10)


def test_a_second_comparison_of_the_same_data_gets_a_folder_of_its_own(here):
    asked = {"verb": "compare", "file": "data/tickets.csv", "methods": ["majority"]}
    first = list(command(here, asked).words)
    assert first[-1] == "compared/tickets"
    job = here.own / "jobs" / "20260101-000000-compare-0a0b0c"
    job.mkdir(parents=True)
    (job / "job.json").write_text(json.dumps({"words": first, "about": {"out": first[-1]}, "made": "2026"}))
    (job / "exit.json").write_text('{"code": 0, "ended": "2026"}')
    (here.root / first[-1]).mkdir(parents=True)
    assert list(command(here, asked).words) == first  # the very same goes on
    other = {**asked, "methods": ["linear"]}
    assert command(here, other).words[-1] == "compared/tickets-2"
    assert command(here, {**other, "dry_run": True}).words[-3] == "compared/tickets-2"
    assert command(here, {**other, "out": "compared/tickets"}).words[-1] == "compared/tickets"  # it was said so
