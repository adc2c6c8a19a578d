"""What a server takes, and how long it waits: chosen for one machine that answers many short texts."""

from __future__ import annotations

from dataclasses import dataclass

TOKEN = "SLMFIT_TOKEN"  # the variable that holds what clients must show


@dataclass(frozen=True)
class Limits:
    """Bytes and counts are of one request unless said otherwise; times are seconds.

    head: bytes of a request that are no body. receipt: from its first byte, or from the connection's begin, to its
    last. stalled: how long a client may leave an answer unread. waiting: inputs of one run that always may wait; more
    only as many as it answers in `patience`. drain: how long requests under way are waited for at the end. grace: how
    long an idle connection then still gets an answer.
    """

    body: int = 2 << 20
    head: int = 64 << 10
    inputs: int = 256
    receipt: float = 10.0
    stalled: float = 30.0
    connections: int = 1000
    waiting: int = 48
    most_waiting: int = 4096
    patience: float = 0.25
    drain: float = 30.0
    grace: float = 0.5
