"""Damaged files through the upload and the views' reading: an answer or a refusal (benchmarks/attack.py: thousands)."""

import pytest

from fuzzing import Doors

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")
from guests import Guest  # noqa: E402

TOKEN = "open-sesame"
RARE = {"parquet", "archive"}  # that start a process, or unpack


def test_whatever_is_brought_is_answered(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")  # where a pickle that is run leaves a file
    doors = Doors(tmp_path / "doors")
    with server.running(tmp_path / "work", token=TOKEN) as serving:
        guest = Guest(doors, serving, tmp_path / "work", TOKEN)
        found = [one for name in doors.names for i in range(1 if name in RARE else 2) for one in guest.visit(i, name)]
    assert {status for _, status in found} == {200, 400}
    assert list((tmp_path / "here").iterdir()) == []
    assert list((tmp_path / "work").rglob("*.part")) == []
