"""A tab that slept, or whose server was gone, while a training went on: it is where a fresh one is."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from patience import free_port
from slmfit import storage

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")
from slmfit.ui.processes import started  # noqa: E402

TOKEN = "open-sesame"
ID = "20260101-000000-compare-0a0b0c"
SEEN = """() => ["ways", "curves"].map((id) => document.getElementById(id).innerHTML)
  .concat(document.querySelector(".log").textContent.slice(-5000), document.querySelector("#head .state").className)"""


@pytest.fixture
def training(tmp_path):
    """A job's folder whose process lives, and does nothing."""
    folder = tmp_path / ".slmfit" / "jobs" / ID
    folder.mkdir(parents=True)
    words = ["compare", "x.csv", "--methods", "linear,encoder=tiny", "--out", "compared/x"]
    asked = {"words": words, "about": {"file": "x.csv", "out": "compared/x"}, "made": "2026-01-01T00:00:00Z"}
    storage.write_json(folder / "job.json", asked)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    storage.write_json(folder / "process.json", {"process": process.pid, "began": started(process.pid)})
    yield folder
    process.kill()
    process.wait()
    process.stdin.close()


def happened(folder, first, last):
    """What an encoder tells while it trains: losses, scores, how far it is, and its log."""
    with (folder / "events.jsonl").open("a") as events, (folder / "err.txt").open("a") as log:
        for i in range(first, last):
            event = {"event": "loss", "run": "encoder-tiny", "split": "train", "epoch": i / 100, "loss": 1 / (1 + i)}
            if i % 10 == 9:
                event |= {"split": "validation", "accuracy": i / 10_000}
            far = {"rows": i, "of_rows": 10_000}
            events.write(json.dumps({"time": "2026-01-01T00:00:00Z", **event, **far}) + "\n")
            log.write(f"encoder-tiny: training {i} of 10,000 rows\n")


def opened(context, serving):
    page = context.new_page()
    page.goto(f"{serving.url}/compare?job={ID}&token={TOKEN}")
    return page


def reaches(page, i):
    page.wait_for_selector(f".way .doing:has-text('training · {i:,} of 10,000 rows')")
    page.wait_for_function("(i) => document.querySelector('.log').textContent.includes(`training ${i} of`)", arg=i)


@pytest.mark.parametrize("away", ["asleep", "without a server"])
def test_a_tab_catches_up(tmp_path, browser, training, away):
    context = browser.new_context()
    happened(training, 0, 50)
    port = free_port()
    with server.running(tmp_path, token=TOKEN, port=port) as serving:
        page = opened(context, serving)
        reaches(page, 49)
        if away == "asleep":
            with asleep(browser):
                happened(training, 50, 6000)
                time.sleep(1)  # the server tells it meanwhile, and nobody listens
            same(page, context, serving)
    if away != "asleep":
        page.wait_for_selector("#connection:not([hidden])")
        happened(training, 50, 6000)
        with server.running(tmp_path, token=TOKEN, port=port) as serving:
            same(page, context, serving)
            page.wait_for_selector("#connection", state="hidden")
    context.close()


@contextmanager
def asleep(browser):
    """The processes of all pages stand still, as those of a laptop that is closed."""
    about = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [one["id"] for one in about if one["type"] == "renderer"]
    assert pages
    try:
        for process in pages:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in pages:
            os.kill(process, signal.SIGCONT)


def same(page, context, serving):
    reaches(page, 5999)
    fresh = opened(context, serving)
    reaches(fresh, 5999)
    for _ in range(600):  # the last of it is drawn with one of the next frames
        if (seen := page.evaluate(SEEN)) == fresh.evaluate(SEEN):
            break
        page.wait_for_timeout(100)
    assert seen == fresh.evaluate(SEEN)
    assert seen[3] == "state running"


def test_a_stream_that_was_refused_begins_again(tmp_path, browser, training):
    """The browser connects no more after an answer that is no stream: the page does."""
    context = browser.new_context()
    happened(training, 0, 50)
    port = free_port()
    with server.running(tmp_path, token=TOKEN, port=port) as serving:
        page = opened(context, serving)
        reaches(page, 49)
        refused = []

        def refuse(route):
            refused.append(route.request.url)
            route.fulfill(status=503, body="no")

        page.route("**/api/events*", refuse)
    with server.running(tmp_path, token=TOKEN, port=port) as serving:
        happened(training, 50, 300)
        page.wait_for_function("() => !document.getElementById('connection').hidden")
        for _ in range(600):
            if refused:
                break
            page.wait_for_timeout(100)
        assert refused
        page.unroute("**/api/events*")
        reaches(page, 299)
    context.close()
