"""Processes started together, as torchrun does it, but forked after the imports.

ended = together(folder, lambda: main_of("train", "majority", str(file)), size=2)
ended.codes, ended.said          # of each process: exit code, and all it printed

ended = together(folder, work, meanwhile=lambda pids: os.kill(pids[1], signal.SIGKILL))
"""

import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass

import torch

from patience import SECONDS, free_port
from slmfit.__main__ import main
from slmfit.finetune import processes


@dataclass
class Ended:
    codes: list
    said: list


def together(folder, work, *, size=2, meanwhile=lambda pids: None):
    """Run `work()` in processes that have the variables of torchrun; it returns an exit code, or raises SystemExit."""
    common = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    outputs = [folder / f"said-{rank}" for rank in range(size)]
    pids = [_started(work, outputs[rank], {**common, "RANK": str(rank)}) for rank in range(size)]
    meanwhile(pids)
    return Ended(_codes(pids), [path.read_text() for path in outputs])


def main_of(*words):
    """The command line, in this process."""
    sys.argv = ["slmfit", *words]
    main()


def _started(work, output, variables):
    if pid := os.fork():
        return pid
    code = 99
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(handle, stream)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1) for n in (1, 2))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(variables, TOKENIZERS_PARALLELISM="false")  # its threads would not survive a fork
        torch.set_num_threads(1)
        processes.QUIET = SECONDS  # however late the others come, nothing is said of it
        code = work()
    except SystemExit as ending:
        code = ending.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _codes(pids):
    codes = dict.fromkeys(pids)
    until = time.monotonic() + SECONDS
    while None in codes.values():
        for pid in [p for p, code in codes.items() if code is None]:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                codes[pid] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    return list(codes.values())
