"""An option that takes one value, given twice: the last would count alone, and nothing would say so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def slmfit(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "slmfit", *words], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("words", [
    ["compare", "a.csv", "--augment", "x.csv", "--augment", "y.csv"],
    ["compare", "a.csv", "--methods=majority", "--methods", "linear"],
    ["predict", "run", "--input", "a.csv", "--input=b.csv"],
    ["models", "pull", "x", "--to", "a", "--to", "b"],
    ["generate", "tickets", "-n", "5", "-n", "7"],
])  # fmt: skip
def test_it_is_refused_before_anything_is_read(words: list[str], tmp_path: Path) -> None:
    done = slmfit(*words, folder=tmp_path)
    assert done.returncode == 2 and "is given twice" in done.stderr


def test_options_of_several_values_and_words_behind_two_hyphens_are_not(tmp_path: Path) -> None:
    done = slmfit("compare", "a.csv", "--column", "text=a", "--column", "label=b", folder=tmp_path)
    assert "no such file" in done.stderr
    done = slmfit("predict", "run", "--text", "a", "--", "--text", "--text", folder=tmp_path)
    assert "given twice" not in done.stderr


def test_two_files_of_answers_by_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"word{k} is here,{'ab'[k % 2]}\n" for k in range(60)))
    done = slmfit("compare", "a.csv", "--predictions", "gpt/p.csv", "--predictions", "claude/p.csv", folder=tmp_path)
    assert done.returncode == 2 and "two files of answers go by the name 'p'" in done.stderr
