"""A Ray cluster on this machine, by Ray's own utility: nodes of one core each, of which all but the head may die.

with Nodes(2) as cluster:
    cluster.address                  # "127.0.0.1:6379"
    cluster.kill()                   # a node is gone at once, with all that runs on it
    cluster.add()
    cluster.workers()                # the processes in which a task runs now
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ALONE = {"OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
ENVIRONMENT = ALONE | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # of every process of the cluster, and who joins it

CLUSTER = """
import sys
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
more = [cluster.add_node(num_cpus=1) for _ in range(int(sys.argv[1]) - 1)]
print(cluster.address, flush=True)
for line in sys.stdin:
    if line == "kill\\n":
        cluster.remove_node(more.pop(), allow_graceful=False)
    else:
        more.append(cluster.add_node(num_cpus=1))
    print("done", flush=True)
cluster.shutdown()
"""


class Nodes:
    """A head and others, in a process that ends with its stdin."""

    def __init__(self, count=2):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=os.environ | ENVIRONMENT,
        )  # fmt: skip
        self.address = self.process.stdout.readline().strip()
        assert re.fullmatch(r"[\d.]+:\d+", self.address), self.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def kill(self):
        self._do("kill")

    def add(self):
        self._do("add")

    def workers(self, task="fit_here"):
        return [number for number in _below(self.process.pid) if _title(number) == f"ray::{task}"]

    def _do(self, what):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


def _below(number):
    """The processes that a process has started, and those that they have."""
    for task in Path(f"/proc/{number}/task").glob("*/children"):
        for child in map(int, _read(task).split()):
            yield child
            yield from _below(child)


def _title(number):
    return _read(Path(f"/proc/{number}/cmdline")).partition("\0")[0].partition("(")[0].strip()


def _read(path):
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return ""
