"""What all work on a cluster has in common: how a task is asked for, what it tells on the way, and its end.

    told = told_here(ray)
    waiting = {task(ray, fit_here).remote(..., told): "linear"}
    with as_they_end(ray, waiting, told, listen) as ended:
        for reference, name in ended:
            files = ray.get(reference)

Where a task runs, how often it is tried and what is spilled to disk is Ray's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from slmfit.environment import code_version
from slmfit.errors import UsageError
from slmfit.events import Listener

T = TypeVar("T")
RETRIES = 3  # of a task whose node or process died
TELL_SECONDS = 0.5


class Told:
    """What happens on the nodes, until it is told here."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def tell(self, kind: str, fields: dict[str, Any]) -> None:
        self.events.append((kind, fields))

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        taken, self.events = self.events, []
        return taken


def told_here(ray: Any) -> Any:
    """An actor on this machine that tasks tell what happens: `told.tell.remote(kind, fields)`."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(Told).remote()


def task(ray: Any, work: Callable[..., Any], *, trained: bool = False) -> Any:
    """Work as a task of one core, and, where a method is trained and the cluster has any, a GPU."""
    gpus = ray.cluster_resources().get("GPU", 0)
    return ray.remote(num_cpus=1, num_gpus=int(bool(gpus and trained)), max_retries=RETRIES)(work)


@contextmanager
def as_they_end(
    ray: Any, waiting: dict[Any, T], told: Any, listen: Listener | None
) -> Iterator[Iterator[tuple[Any, T]]]:
    """Each task as it ends, taken out of `waiting`, to which more may be added on the way. What `told` was told is told
    to the listener meanwhile. What still waits when it is left is cancelled."""

    def ended() -> Iterator[tuple[Any, T]]:
        while waiting:
            done, _ = ray.wait(list(waiting), timeout=TELL_SECONDS)
            for kind, fields in ray.get(told.take.remote()):
                if listen:
                    listen(kind, fields)
            for reference in done:
                yield reference, waiting.pop(reference)

    try:
        yield ended()
    finally:
        for reference in waiting:
            ray.cancel(reference, force=True)


def cause_of(error: Exception) -> BaseException:
    """What went wrong on the node, of an error that Ray raises here."""
    return getattr(error, "cause", None) or error


def said_by(error: Exception) -> str:
    """The same in a line."""
    cause = cause_of(error)
    return (str(cause).strip().splitlines() or [type(cause).__name__])[-1]


def check_code(code: str) -> None:
    """Raise UsageError where this node runs another slmfit than the machine that asks."""
    if code_version() != code:
        raise UsageError(f"slmfit is {code_version()} there and {code} here", fix="install the same everywhere")
