"""What tests need on a busy machine: to wait for what will come, to tell work from waiting, and a port of their own.

wait_until(lambda: path.is_file())
with of_work(2):                     # seconds of the processor
    read(path)
server = made(port=free_port())
"""

import random
import socket
import time
from contextlib import contextmanager

SECONDS = 300  # after which what has not come is not coming
GIVEN_OUT = 32768  # from here on systems choose ports by themselves: for whoever connects, and where 0 is asked for


def wait_until(true):
    """Raises AssertionError where it does not become true."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def of_work(seconds):
    """Raises AssertionError where it takes more of the processor's time; whoever else has the processor costs none."""
    begin = time.process_time()
    yield
    assert (took := time.process_time() - begin) < seconds, f"it took {took:.1f} s of the processor"


def free_port():
    """The number of a port that stays free though other tests connect to theirs meanwhile."""
    while True:
        with socket.socket() as free:
            port = random.SystemRandom().randrange(20_000, GIVEN_OUT)
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
