"""A run as a stranger sends it: changed, with hashes of its own that fit.

altered(run, tmp_path / "sent")              # a copy
with changed_json(folder / "model" / "slmfit.json") as about: about["settings"]["base_url"] = "https://evil.example/v1"
sealed(folder)                               # run.json names the files as they are now
"""

import contextlib
import json
import shutil

from slmfit import storage


def altered(run, to):
    """A copy of a run's folder."""
    shutil.copytree(run, to)
    return to


@contextlib.contextmanager
def changed_json(path):
    """What the file holds, written back when the block ends."""
    value = json.loads(path.read_text(encoding="utf-8"))
    yield value
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def sealed(run):
    """Let run.json vouch for whatever lies in model/."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["files"] = storage.hash_files(run / "model")
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return run
