"""The stream: whole lines only, each with the offset behind it, whoever comes and goes."""

import asyncio
import itertools
import json

import pytest

from slmfit import storage
from slmfit.ui.following import follow, log_from, whole_lines
from slmfit.ui.jobs import Jobs
from slmfit.ui.workspace import Workspace

ID = "20260101-000000-compare-0a0b0c"


def line(i, **more):
    return json.dumps({"event": "loss", "i": i, **more}, ensure_ascii=False).encode() + b"\n"


def test_only_whole_lines(tmp_path):
    path = tmp_path / "events.jsonl"
    assert whole_lines(path, 0) == ([], 0)
    whole, cut = line(1, text="ä\u2028") + line(2), line(3)
    for end in range(len(cut)):
        path.write_bytes(whole + cut[:end])
        found, after = whole_lines(path, 0)
        assert [one["i"] for one in found] == [1, 2] and after == len(whole)
    path.write_bytes(whole + cut)
    assert [one["i"] for one in whole_lines(path, len(whole))[0]] == [3]


def test_half_a_line_of_a_killed_process_is_passed_by(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(1) + b'{"event": "lo' + line(2) + b"\xff\xfe\n" + b"7\n" + line(3))
    found, after = whole_lines(path, 0)
    assert [one["i"] for one in found] == [1, 3] and after == path.stat().st_size


def test_any_offsets_give_every_line_once(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(line(i, text="x" * 3000) for i in range(100)))
    found, offset = [], 0
    while True:
        lines, after = whole_lines(path, offset)
        if after == offset:
            break
        found, offset = found + [one["i"] for one in lines], after
    assert found == list(range(100)) and offset == path.stat().st_size
    assert whole_lines(path, 10**9)[1] <= path.stat().st_size  # of a file that is no more: it begins anew


def test_a_line_longer_than_a_piece(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line(1, text="x" * 300_000) + line(2))
    found, after = whole_lines(path, 0)
    assert found[0]["i"] == 1 and after >= 300_000


def test_the_end_of_a_long_log(tmp_path):
    path = tmp_path / "err.txt"
    path.write_text("x" * 100_000 + "the end")
    text, _, end = log_from(path, None)
    assert text.endswith("the end") and len(text) < 40_000 and end == 100_007
    path.write_text("short")
    assert log_from(path, end) == ("short", 0, 5)


@pytest.fixture
def jobs(tmp_path):
    found = Jobs(Workspace(tmp_path))
    folder = found.root / ID
    storage.make_folder(folder)
    storage.write_json(
        folder / "job.json", {"words": ["compare", "x.csv"], "about": {}, "made": "2026-01-01T00:00:00Z"}
    )
    storage.write_json(folder / "exit.json", {"code": 130, "ended": "2026-01-01T00:01:00Z"})
    return found


def heard(jobs, offset):
    """The events of a stream that is left after it has looked, and looked again whether there is more."""

    async def listen():
        found, asked = [], itertools.count()
        async for piece in follow(jobs, ID, offset, lambda: next(asked) >= 2):
            fields = dict(part.split(": ", 1) for part in piece.decode().strip().splitlines() if ": " in part)
            if "event" in fields:
                found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
        return found

    return asyncio.run(listen())


def test_whoever_comes_again_gets_the_rest(jobs):
    events = jobs.root / ID / "events.jsonl"
    events.write_bytes(line(1) + line(2)[:-4])
    first = heard(jobs, 0)
    (lines,) = [event for event in first if event[0] == "lines"]
    assert [one["i"] for one in lines[2]] == [1] and int(lines[1]) == len(line(1))
    assert ("job", None) in [event[:2] for event in first]
    assert next(data for name, _, data in first if name == "job")["state"] == "interrupted"
    events.write_bytes(line(1) + line(2) + line(3))
    (more,) = [event for event in heard(jobs, int(lines[1])) if event[0] == "lines"]
    assert [one["i"] for one in more[2]] == [2, 3]
    assert not [event for event in heard(jobs, int(more[1])) if event[0] == "lines"]
    events.write_bytes(line(9))  # another job's, as it were
    assert [event[0] for event in heard(jobs, int(more[1]))][:2] == ["jobs", "again"]
