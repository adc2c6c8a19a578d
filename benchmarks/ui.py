"""`slmfit ui` in a headless Chromium: how soon it is there, how it scrolls, what axe finds, what a kill does to it.

    python benchmarks/ui.py paint            # 500 runs in the folder: first paint, and when the table is there
    python benchmarks/ui.py scroll           # 100,000 rows: the longest frame, and the rows in the document
    python benchmarks/ui.py axe [FOLDER]     # every view, light and dark, 390 and 1280 pixels
    python benchmarks/ui.py killed           # kill -9 of the server in mid-training, then of the training

`axe` needs axe-core beside pyproject.toml (npm install axe-core). A FOLDER with runs in it shows more of the page.
"""

from __future__ import annotations

import argparse
import bisect
import csv
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright import sync_api

import slmfit
from slmfit.data import load_data
from slmfit.exporting.page.replay import FLAGS, found
from slmfit.generating import write_tickets
from slmfit.ui import server

TOKEN = "measured"
URL = "http://127.0.0.1:8899"  # of the server that is killed
VIEWS = ("", "generate", "compare", "try", "hand-over", "runs", "settings")
AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
FRAMES = """([step, times]) => new Promise((done) => {
  const box = document.querySelector(".grid-rows"), took = []; let most = 0, last = performance.now();
  const go = () => requestAnimationFrame((now) => {
    took.push(now - last); last = now;
    most = Math.max(most, document.querySelectorAll(".grid-rows .row").length);
    box.scrollTop += step;
    if (took.length < times) go(); else done([took.slice(2), most]);
  });
  go();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["paint", "scroll", "axe", "killed"])
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        {"paint": paint, "scroll": scroll, "axe": axe, "killed": killed}[given.what](given.folder or Path(place))


@contextmanager
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=found(), args=FLAGS)
        yield running
        running.close()


def tickets(path: Path, rows: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(write_tickets(rows, 0))
    return path


def paint(folder: Path) -> None:
    """500 copies of a run, opened in a fresh browser five times; the server has read none of them before the first."""
    data = load_data(tickets(folder / "data" / "tickets.csv", 400))
    run = slmfit.train(data, "linear", settings={"linear": {"features": "words", "C": 1.0}}, out=folder / "one").folder
    for i in range(499):
        shutil.copytree(run, folder / "many" / f"{i:03}")
    with browser() as running:
        for _ in range(5):
            with server.running(folder, token=TOKEN) as serving:
                page = running.new_context().new_page()
                page.goto(f"{serving.url}/?token={TOKEN}")
                begin = time.perf_counter()
                page.goto(f"{serving.url}/runs", wait_until="commit")
                page.wait_for_selector("tbody tr:nth-child(200)")
                table = time.perf_counter() - begin
                first = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
                print(f"first paint {first / 1000:.2f} s, the table of 500 runs {table:.2f} s")


def scroll(folder: Path) -> None:
    """Down and about a table of 100,000 rows, slowly and in leaps."""
    base = list(write_tickets(2000, 0))
    path = folder / "data" / "many.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        for i in range(50):
            writer.writerows({**row, "id": f"{i}-{row['id']}"} for row in base)
    with server.running(folder, token=TOKEN) as serving, browser() as running:
        page = running.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"{serving.url}/?token={TOKEN}")
        begin = time.perf_counter()
        page.goto(f"{serving.url}/?file=data/many.csv", wait_until="commit")
        page.wait_for_selector(".grid-rows .row:not([data-empty])")
        first = time.perf_counter() - begin
        page.wait_for_function("() => document.querySelector('.look .note').textContent === '100,000 rows.'")
        counted = time.perf_counter() - begin
        print(f"{path.stat().st_size:,} bytes: the first rows after {first:.2f} s, their number after {counted:.2f} s")
        for step in (60, 600, 40_000):
            running.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
            took, most = page.evaluate(FRAMES, [step, 120])
            own = sorted(worked(json.loads(running.stop_tracing())["traceEvents"]))
            took.sort()
            print(
                f"{step:6} pixels a frame: the page's thread computes {statistics.median(own):.1f} ms a frame, at most "
                f"{own[-1]:.1f}; frames apart by {statistics.median(took):.0f} ms, 99 % {took[-2]:.0f}, longest "
                f"{took[-1]:.0f}; at most {most} rows in the document"
            )


def worked(trace: list[dict[str, Any]]) -> list[float]:
    """Milliseconds for which the page's thread had a processor, for each of its frames."""
    named = {(one["pid"], one["tid"]): one["args"]["name"] for one in trace if one["name"] == "thread_name"}
    page = [one for one in trace if named.get((one["pid"], one["tid"])) == "CrRendererMain"]
    begins = sorted(one["ts"] for one in page if one["name"] == "PrePaint")
    frames = [0.0] * len(begins)
    for one in page:
        if one["name"] == "ThreadControllerImpl::RunTask" and (place := bisect.bisect(begins, one["ts"])):
            frames[place - 1] += one.get("tdur", 0) / 1000
    return frames


def axe(folder: Path) -> None:
    """Serious and critical faults, requests to others, and what the console says."""
    script, bad = AXE.read_text(encoding="utf-8"), 0
    with server.running(folder, token=TOKEN) as serving, browser() as running:
        for scheme in ("light", "dark"):
            for width in (390, 1280):
                context = running.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                context.add_init_script(script)  # before the page's policy, which lets nothing be added
                page, asked, said = context.new_page(), list[str](), list[str]()
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                page.on("console", lambda message, said=said: said.append(message.text))
                page.on("pageerror", lambda error, said=said: said.append(str(error)))
                page.goto(f"{serving.url}/?token={TOKEN}")
                for view in places(folder):
                    page.goto(f"{serving.url}/{view}")
                    page.wait_for_timeout(2500)
                    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                    result = page.evaluate("() => axe.run(document, { iframes: false })")
                    faults = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
                    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                    bad += len(faults)
                    for one in faults:
                        print(f"  {scheme} {width} /{view}: {one['id']}: {one['nodes'][0]['html'][:160]}")
                        print(f"    {one['nodes'][0]['failureSummary'][:300]}")
                    if wide > 0:
                        print(f"  {scheme} {width} /{view}: {wide} pixels wider than the screen")
                others = [url for url in asked if not url.startswith(serving.url)]
                print(f"{scheme} {width}: {len(others)} outside requests, {len(said)} console messages {said[:3]}")
    print(f"{bad} serious faults")


def places(folder: Path) -> list[str]:
    """The views, and those of what lies in the folder."""
    files = [
        path.relative_to(folder).as_posix()
        for name in ("data", "answered")
        for path in sorted((folder / name).glob("*.csv"))[:1]
    ]
    compared = [
        path.parent.relative_to(folder).as_posix() for path in sorted(folder.glob("compared/*/comparison.json"))
    ]
    runs = [
        path.parent.relative_to(folder).as_posix() for path in sorted(folder.glob("compared/*/runs/linear/run.json"))
    ]
    more = [f"?file={one}" for one in files] + [
        f"compare?{what}={one}" for one in compared[:1] for what in ("name", "again")
    ]
    return [*VIEWS, *more, *(f"settings?run={one}" for one in runs[:1])]


def killed(folder: Path) -> None:
    """A server that is killed in mid-training, a new one beside the same training; then the training is killed."""
    tickets(folder / "data" / "tickets.csv", 3000)
    first = started(folder)
    job = asked("/api/jobs", {"verb": "compare", "file": "data/tickets.csv", "methods": ["majority", "linear"]})
    place = f"/api/jobs/{job['id']}"
    events = folder / ".slmfit" / "jobs" / job["id"] / "events.jsonl"
    until(lambda: events.is_file() and '"search"' in events.read_text())
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = events.stat().st_size
    second = started(folder)
    until(lambda: events.stat().st_size > before)
    print(f"a new server says {asked(place)['state']}; events go on behind {before:,} bytes")
    heard = urllib.request.Request(f"{URL}/api/events?job={job['id']}&from={before}", headers=keys())
    with urllib.request.urlopen(heard, timeout=30) as stream:
        line = next(line for line in stream if line.startswith(b"id: "))
    print(f"its stream goes on at {line.decode().strip()}")
    os.killpg(json.loads((events.parent / "process.json").read_text())["process"], signal.SIGKILL)
    until(lambda: asked(place)["state"] != "running")
    print(f"the training was killed: {asked(place)['state']}")
    asked(f"{place}/resume", {})
    until(lambda: asked(place)["state"] != "running")
    verdict = json.loads((folder / "compared" / "tickets" / "comparison.json").read_text())["verdict"]["sentence"]
    print(f"resumed: {asked(place)['state']}: {verdict}")
    second.terminate()
    second.wait()


def started(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "slmfit", "ui", str(folder), "--port", URL.rpartition(":")[2], "--token", TOKEN]
    )

    def there() -> bool:
        try:
            asked("/api/workspace")
            return True
        except OSError:
            return False

    until(there)
    return process


def keys() -> dict[str, str]:
    from slmfit.ui.door import page_token

    content = {"content-type": "application/json", "x-slmfit-page": page_token(TOKEN)}
    return {"authorization": f"Bearer {TOKEN}", **content}


def asked(path: str, fields: dict[str, Any] | None = None) -> Any:
    data = None if fields is None else json.dumps(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, keys()), timeout=60) as reply:
        return json.loads(reply.read())


def until(done: Any, seconds: float = 600.0) -> None:
    ends = time.monotonic() + seconds
    while not done():
        if time.monotonic() > ends:
            raise SystemExit("it did not come")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
