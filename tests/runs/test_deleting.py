"""Runs that are deleted, and what the cache holds: what is named goes, and nothing else."""

import sys

import pytest

import slmfit
from conftest import make_dataset
from slmfit import __main__ as cli
from slmfit.environment import cache_folder
from slmfit.errors import UnsafeError, UsageError
from slmfit.runs.deleting import cached, delete, prune


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    out = tmp_path_factory.mktemp("deleting") / "compared"
    slmfit.compare(make_dataset(), "majority", out=out)
    return out


def test_what_is_not_deleted(compared, tmp_path):
    with pytest.raises(UsageError, match="is part of a comparison"):
        delete(compared / "runs" / "majority")
    with pytest.raises(UsageError, match="is neither a run nor a comparison"):
        delete(tmp_path)
    (tmp_path / "link").symlink_to(compared)
    with pytest.raises(UnsafeError, match="is a link"):
        delete(tmp_path / "link")
    (compared / "thesis.txt").write_text("mine")
    with pytest.raises(UnsafeError, match="holds other things"):
        delete(compared)
    (compared / "thesis.txt").unlink()
    assert (compared / "comparison.json").is_file()


def test_a_run_and_its_comparison_by_the_command(tmp_path, monkeypatch, capsys):
    run = slmfit.train(make_dataset(), "majority", out=tmp_path / "trained").folder
    monkeypatch.setattr(sys, "argv", ["slmfit", "runs", str(run), "--delete"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code and "is deleted" in capsys.readouterr().out and not run.exists()
    assert delete(tmp_path / "trained") > 0 and not (tmp_path / "trained").exists()


def test_the_cache_is_pruned_kind_by_kind():
    for kind in ("vectors", "answers"):
        (cache_folder() / kind).mkdir(parents=True)
        (cache_folder() / kind / "x").write_text("12345")
    assert [(one.name, one.files, one.bytes) for one in cached()] == [("answers", 1, 5), ("vectors", 1, 5)]
    with pytest.raises(UsageError, match="nothing called"):
        prune("../x")
    assert prune("vectors").bytes == 5
    assert [one.name for one in cached()] == ["answers"]
