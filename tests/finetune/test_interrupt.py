"""Ctrl-C and SIGTERM at the command line: 130 and 143 within 10 s, and the same command goes on."""

import json
import signal
import sys
import time

import tiny
import warm
from conftest import make_dataset


def test_interrupted_and_resumed(tmp_path):
    base = tiny.encoder(tmp_path / "base")
    rows = [e for split in make_dataset(sizes=(1500, 20, 20)).splits.values() for e in split]
    lines = [json.dumps({"text": f"{e.input} {n}", "label": e.target}) for n, e in enumerate(rows)]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    command = [
        sys.executable,
        "-c",
        "from slmfit.__main__ import main; main()",
        "train",
        f"encoder={base}",
        str(tmp_path / "data.jsonl"),
    ]
    command += ["--out", str(tmp_path / "out"), "--set", "encoder.epochs=2000"]
    for number, code, told in ((signal.SIGINT, 130, ["interrupted"]), (signal.SIGTERM, 143, ["resume", "interrupted"])):
        process = warm.start(command, imports=warm.TUNED)
        waited_for(process, tmp_path / "out")
        begin = time.monotonic()
        process.send_signal(number)
        ended, said = process.wait(timeout=120), process.said[1].decode()
        assert ended == code, said
        assert time.monotonic() - begin < 60  # 10 s, where nothing else has the processor; training takes hours
        assert "Traceback" not in said
        kinds = [event["event"] for event in events(tmp_path / "out")]
        assert [k for k in kinds if k in ("resume", "interrupted")][-len(told) :] == told
        assert list((tmp_path / "out").rglob("work/checkpoints/step-*/sha256"))


def events(out):
    path = next(out.rglob("events.jsonl"), None)
    return [json.loads(line) for line in path.read_text().splitlines()] if path else []


def waited_for(process, out):
    """Until training has reported, after the last interruption."""
    for _ in range(1200):
        assert process.poll() is None, process.said
        kinds = [e["event"] for e in events(out)]
        after = kinds[max((n for n, k in enumerate(kinds) if k == "interrupted"), default=-1) + 1 :]
        if "loss" in after:
            return
        time.sleep(0.1)
    raise AssertionError("training did not begin")
