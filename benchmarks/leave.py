"""Logs read: python benchmarks/leave.py --calls 10000

The official client asks a scripted server: a prompt with labels, one with entities, chats in free text; one call in
twenty fails and is tried again. Then the log is read in a process of its own: whether tasks, texts and answers are what
was sent, how long that takes, and whether torch was imported.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

READS = """
import json, sys, time
begin = time.perf_counter(), time.process_time()
from slmfit.leaving.found import prompts_of
from slmfit.leaving.logs import read_log
from slmfit.tasks.answers import target_to_json
found = prompts_of(read_log(sys.argv[1]))
took = time.perf_counter() - begin[0], time.process_time() - begin[1]
rows = {p.name: {row.text: target_to_json(row.target) for row in p.rows} for p in found}
about = {p.name: [len(p.calls), p.ended["failed"], p.retries, p.duplicates] for p in found}
told = {"wall": took[0], "processor": took[1], "torch": "torch" in sys.modules}
print(json.dumps({**told, "rows": rows, "about": about}))
"""


def main() -> None:
    """See the module's docstring."""
    from traffic import logged, made

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10_000)
    given = parser.parse_args()
    traffic = made(given.calls)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        counts = logged(traffic, path)
        print(f"{counts}, {path.stat().st_size / 1e6:.1f} MB")
        done = subprocess.run([sys.executable, "-c", READS, str(path)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    meant: dict[str, dict[str, object]] = {"ticket-topic": {}, "entities": {}, "free-text": {}}
    for one in traffic:
        if one.kind == "topic":
            meant["ticket-topic"][one.text] = one.target
        elif one.kind == "entities":
            meant["entities"][one.text] = {"spans": [list(span) for span in one.target], "intent": None}
    print(found["about"], "calls, failed, retries, duplicates")
    print(f"as sent: {found['rows'] == meant}; torch imported: {found['torch']}")
    print(f"read in {found['wall']:.1f} s, {found['processor']:.1f} s of processor time")
    sys.exit(found["rows"] != meant)


if __name__ == "__main__":
    main()
