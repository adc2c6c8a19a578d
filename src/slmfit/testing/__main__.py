"""python -m slmfit.testing --latency 0.05 --faults 0.3      # prints its URL, and runs until killed"""

import argparse
import asyncio
import contextlib

from slmfit.testing.script import Script
from slmfit.testing.server import Scripted


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m slmfit.testing", description="A scripted server. Prints its URL.")
    parser.add_argument("--port", type=int, default=0, help="0 = any that is free")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds per call")
    parser.add_argument("--faults", type=float, default=0.0, help="the share of calls that fail")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    given = parser.parse_args()
    script = Script(latency=given.latency, faults=given.faults, seed=given.seed, keep=False)
    server = Scripted(script, given.port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(lambda: print(server.url, flush=True)))


if __name__ == "__main__":
    main()
