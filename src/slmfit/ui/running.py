"""The process of a job: the verb itself, its exit code written down when it ends. Started by `jobs.py`.

python -m slmfit.ui.running .slmfit/jobs/20261128-224501-compare
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path

from slmfit import storage
from slmfit.environment import now
from slmfit.events import KEPT
from slmfit.ui.processes import started


def main() -> None:
    """Be the verb, and say how it ended; a process that is killed says nothing, and is taken for interrupted."""
    folder = Path(sys.argv[1]).resolve()
    # Whoever starts the page in the background has it ignore Ctrl-C, and its jobs would do so, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    storage.write_json(folder / "process.json", {"process": os.getpid(), "began": started(os.getpid())})
    code = 1
    try:
        sys.argv = ["slmfit", *storage.read_json(folder / "job.json", "words")["words"]]
        os.environ[KEPT] = str(folder / "events.jsonl")
        runpy.run_module("slmfit", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except KeyboardInterrupt:
        code = 130
    storage.write_json(folder / "exit.json", {"code": code, "ended": now()})
    sys.exit(code)


if __name__ == "__main__":
    main()
