"""A picture of each view of `slmfit ui`, for docs/ui.md: a folder in which tickets and e-mails were compared.

    python benchmarks/ui_pictures.py docs/images            # ui-data.png … ui-try-phone.png; says how large each one is
    python benchmarks/ui_pictures.py looks --everywhere     # every view, light and dark, 390 and 1280 pixels, whole

The encoder is the packaged MiniLM. Needs the extras `train`, `entities` and `export`, and chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from common import base_model

from slmfit.ui import server
from ui import TOKEN, browser, tickets

TICKETS, MAILS = 400, 300
QUICK = ["linear.reach=near", "linear.c1=0.1", "linear.c2=0.01", "encoder.epochs=3"]
TICKET = "My card was charged twice, and I would like the second charge refunded."
SIZES = {"width": 1200, "height": 640}
STARTED = "async (fields) => (await (await import('/static/dom.js')).post('/api/jobs', fields)).id"
STATE = "async (id) => (await (await import('/static/dom.js')).get(`/api/jobs/${id}`)).state"
SCORED = "() => document.querySelectorAll('.curves-of figure:nth-child(2) .point').length > 1"


class Camera:
    """A page on the folder, and where its pictures go."""

    def __init__(self, page: Any, url: str, out: Path) -> None:
        self.page, self.url, self.out = page, url, out
        page.set_default_timeout(1_200_000)

    def start(self, **fields: Any) -> str:
        return str(self.page.evaluate(STARTED, fields))

    def done(self, **fields: Any) -> str:
        """Start it and wait for its end."""
        id = self.start(**fields)
        while (state := self.page.evaluate(STATE, id)) == "running":
            self.page.wait_for_timeout(500)
        assert state == "done", (fields, state)
        return id

    def go(self, path: str, ready: str) -> None:
        self.page.goto(self.url + path)
        self.page.wait_for_selector(ready)
        self.page.wait_for_timeout(1000)

    def take(self, name: str, high: int | None = None, whole: bool = False) -> None:
        """high: pixels of it from above; None = what the window shows. whole: all that can be scrolled to."""
        path = self.out / f"{name}.png"
        part = None if high is None else {"x": 0, "y": 0, "width": SIZES["width"], "height": high}
        self.page.screenshot(path=path, full_page=whole, clip=part)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--everywhere", action="store_true")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / "my-work"
        tickets(work / "data" / "tickets.csv", TICKETS)
        shutil.copytree(base_model(), work / "models" / "minilm")
        with server.running(work, token=TOKEN) as serving, browser() as running:

            def camera(**how: Any) -> Camera:
                page = running.new_context(**({"viewport": SIZES} | how)).new_page()
                page.goto(f"{serving.url}/?token={TOKEN}")
                return Camera(page, serving.url, given.out)

            pictures(camera())
            phone(camera(viewport={"width": 390, "height": 780}, color_scheme="dark"))
            if given.everywhere:
                for scheme in ("light", "dark"):
                    for width in (390, 1280):
                        size = {"width": width, "height": 900}
                        everywhere(camera(viewport=size, color_scheme=scheme), f"{width}-{scheme}")


def pictures(camera: Camera) -> None:
    """Do it all once, and take each view where it has the most to show."""
    page = camera.page
    camera.done(verb="explore", file="data/tickets.csv")
    camera.go("/?file=data/tickets.csv", ".grid-rows .row:not([data-empty])")
    camera.take("ui-data")
    camera.done(verb="generate", recipe="emails", n=MAILS)
    written = camera.done(verb="generate", recipe="emails", n=3000, name="many")
    camera.go(f"/generate?job={written}", ".reasons li")
    camera.take("ui-generate", 480)
    methods = ["majority", "linear", "encoder=models/minilm"]
    camera.done(verb="compare", file="generated/emails.jsonl", methods=methods, settings=QUICK)
    camera.go("/compare?file=data/tickets.csv", ".methods-of")
    camera.take("ui-methods")
    methods = ["majority", "linear", "knn", "encoder=models/minilm"]
    watched = camera.start(verb="compare", file="data/tickets.csv", methods=methods, settings=["encoder.epochs=6"])
    camera.go(f"/compare?job={watched}", ".way")
    page.wait_for_function(SCORED)
    camera.take("ui-compare")
    page.wait_for_selector(".verdict-of")
    camera.go("/compare?name=compared/tickets", ".verdict-of")
    camera.take("ui-verdict")
    runs = [f"compared/emails/runs/{name}" for name in ("linear", "encoder-minilm")]
    camera.go("/try?" + "&".join(f"run={run}" for run in runs), "textarea")
    page.fill("textarea", mail(page))
    page.click("button:text-is('Answer')")
    page.wait_for_selector(".beside article:nth-child(2) .reply")
    camera.take("ui-try")
    run = "compared/tickets/runs/encoder-minilm"
    exported = camera.done(verb="export", run=run, form="onnx")
    camera.go(f"/hand-over?run={run}&job={exported}", ".state.done")
    camera.take("ui-hand-over")
    camera.go("/runs", ".list tbody tr")
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.click("button:text-is('Set 2 side by side')")
    camera.take("ui-runs")
    camera.go("/settings?run=compared/tickets/runs/linear", ".settings-of h3")
    camera.take("ui-settings", 470)


def mail(page: Any) -> str:
    """One of the e-mails that were generated: the first with three entities."""
    rows = page.evaluate("async () => (await fetch('/files?name=generated/emails.jsonl')).text()").splitlines()
    return next(row["text"] for row in map(json.loads, rows) if len(row["spans"]) >= 3)


def phone(camera: Camera) -> None:
    camera.go("/try?run=compared/tickets/runs/linear", "textarea")
    camera.page.fill("textarea", TICKET)
    camera.page.click("button:text-is('Answer')")
    camera.page.wait_for_selector(".reply")
    camera.take("ui-try-phone")


def everywhere(camera: Camera, name: str) -> None:
    """Every view whole, to be looked at."""
    views = {
        "data": ("/", ".list"),
        "file": ("/?file=data/tickets.csv", ".grid-rows .row:not([data-empty])"),
        "generate": ("/generate", "#recipe"),
        "compare": ("/compare?file=data/tickets.csv", ".methods-of"),
        "verdict": ("/compare?name=compared/tickets", ".verdict-of"),
        "try": ("/try?run=compared/emails/runs/linear&run=compared/emails/runs/encoder-minilm", "textarea"),
        "hand-over": ("/hand-over?run=compared/tickets/runs/linear", ".forms"),
        "runs": ("/runs", ".list tbody tr"),
        "settings": ("/settings?run=compared/tickets/runs/linear", ".settings-of h3"),
    }
    for view, (path, ready) in views.items():
        camera.go(path, ready)
        if view == "try":
            camera.page.fill("textarea", mail(camera.page))
            camera.page.click("button:text-is('Answer')")
            camera.page.wait_for_selector(".beside article:nth-child(2) .reply")
        camera.take(f"{view}-{name}", whole=True)


if __name__ == "__main__":
    main()
