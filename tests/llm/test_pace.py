"""How many at once, and how long between tries."""

import asyncio
import selectors

from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.llm.pace import Gate, Patience


class Leaping(selectors.DefaultSelector):
    """Nobody waits: the clock leaps to the moment that is waited for, so a busy machine makes nothing late."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


def run(coroutine):
    """As asyncio.run, by a clock that leaps."""
    selector = Leaping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(coroutine)


async def calls(gate, count, seconds, serves, told=None):
    """`count` calls to a server that takes `seconds` each and works on `serves` at once; the most at once.

    told: the latency that the gate is told of each; None = what the clock says.
    """
    server, running, most = asyncio.Semaphore(serves), 0, 0

    async def call():
        nonlocal running, most
        async with gate:
            running += 1
            most = max(most, running)
            start = asyncio.get_running_loop().time()
            async with server:
                await asyncio.sleep(seconds)
            gate.well(told or asyncio.get_running_loop().time() - start)
            running -= 1

    await asyncio.gather(*[call() for _ in range(count)])
    return most


def test_never_more_than_the_most():
    assert run(calls(Gate(most=5, start=16), 40, 0.001, 100)) == 5


def test_a_fast_server_soon_gets_all_it_may():
    gate = Gate(most=64, start=4)
    run(calls(gate, 300, 0.01, 100, told=0.01))
    assert gate.limit == 64


def test_a_server_that_queues_gets_no_more_than_it_stands():
    gate = Gate(most=64, start=4)
    run(calls(gate, 60, 0.12, 2))
    assert gate.limit <= 12


def test_too_many_requests_halve_and_hold():
    async def scene():
        gate, loop = Gate(most=64, start=16), asyncio.get_running_loop()
        start = loop.time()
        for _ in range(10):  # ten refusals of one burst count once
            gate.slow_down(0.1)
        assert gate.limit == 8
        async with gate:
            assert loop.time() - start >= 0.1

    run(scene())


def test_it_recovers_one_by_one_after_strain():
    async def scene():
        gate = Gate(most=64, start=16)
        gate.slow_down(0.0)
        for _ in range(8):
            gate.well(0.05)
        assert gate.limit == 9

    run(scene())


def test_whoever_is_cancelled_while_waiting_takes_no_turn():
    async def scene():
        gate, through = Gate(most=1, start=1), []

        async def pass_through(name):
            async with gate:
                through.append(name)
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(pass_through(n)) for n in range(4)]
        await asyncio.sleep(0.005)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert through == [0, 2, 3]

    run(scene())


@settings(deadline=None)
@given(st.integers(1, 60), st.none() | st.floats(-10, 1e12))
def test_waits_are_bounded(attempt, asked):
    patience = Patience()
    wait = patience.wait(attempt, asked)
    assert 0 <= wait <= patience.wait_seconds
    if asked is not None:
        assert wait >= min(max(asked, 0), patience.wait_seconds)


def test_waits_are_jittered_over_the_whole_range():
    waits = [Patience().wait(3) for _ in range(300)]
    assert min(waits) < 0.3
    assert 1.6 < max(waits) <= 2.0


def test_slots_that_the_server_tells_are_all_used_however_long_a_call_takes_beside_others():
    gate = Gate(most=64, start=4)
    for _ in range(3):
        gate.alone(0.1)
    gate.keep_to(8)
    run(calls(gate, 40, 0.001, 8, told=0.7))
    assert gate.limit == 8
    gate = Gate(most=4, start=4)
    gate.keep_to(8)
    assert gate.limit == 4


def test_calls_that_were_alone_say_what_a_queue_is():
    """Four at once from the start on a server that does one: nothing else would tell that they wait."""
    gate = Gate(most=64, start=4)
    for _ in range(3):
        gate.alone(0.2)
    run(calls(gate, 40, 0.001, 8, told=0.8))
    assert gate.limit < 2
