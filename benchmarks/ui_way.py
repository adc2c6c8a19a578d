"""The whole way through `slmfit ui` in a headless Chromium; what each step gives is what its printed command gives.

    python benchmarks/ui_way.py mouse        # CSV, audit, compare with an encoder, stop, resume, report, try, export
    python benchmarks/ui_way.py keyboard     # the same without a mouse: how many keys it takes is counted

The encoder is a tiny one of random weights. Each command that the page prints is run again in a second folder, and
what it writes there is compared with what lies in the first. Needs the extras `train` and `export`, and chromium.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slmfit.ui import server
from ui import TOKEN, browser, tickets

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
FIXED = ["linear.features=words", "linear.power=1", "linear.C=1", "linear.ratios=0", "knn.k=5"]
SETTINGS = [*FIXED, "encoder.epochs=5", "encoder.learning_rate=1e-3", "encoder.batch_tokens=256", "encoder.patience=5"]
ROWS = 150
TEXT = "My card was charged twice, and I would like the second charge refunded."
OFFERED = ".drop input"


class Mouse:
    """A hand that points and clicks."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, selector: str) -> None:
        self.page.click(selector)

    def write(self, selector: str, words: str) -> None:
        self.page.click(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(words)

    def choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)

    def bring(self, path: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.click(OFFERED)
        chooser.value.set_files(path)

    def said(self) -> str:
        return "by mouse"


class Keyboard:
    """A hand that has keys alone: Tab until it is there, then Enter or Space."""

    def __init__(self, page: Any) -> None:
        self.page, self.keys = page, 0

    def key(self, name: str) -> None:
        self.page.keyboard.press(name)
        self.keys += 1

    def reach(self, selector: str) -> None:
        wanted = self.page.wait_for_selector(selector)
        for _ in range(300):
            if wanted.evaluate("(one) => one === document.activeElement"):
                box = "const box = one.getBoundingClientRect()"
                seen = wanted.evaluate(f"(one) => {{ {box}; return box.top < innerHeight && box.bottom > 0; }}")
                assert seen, f"{selector} has the focus, and is out of sight"
                return
            self.key("Tab")
        raise SystemExit(f"no key leads to {selector}")

    def press(self, selector: str) -> None:
        self.reach(selector)
        self.key("Space" if self.page.locator(selector).first.evaluate("(one) => one.type === 'checkbox'") else "Enter")

    def write(self, selector: str, words: str) -> None:
        self.reach(selector)
        self.key("Control+a")
        self.page.keyboard.insert_text(words)

    def choose(self, selector: str, value: str) -> None:
        self.reach(selector)
        for _ in range(50):
            if self.page.input_value(selector) == value:
                return
            self.key("ArrowDown")
        raise SystemExit(f"{selector} has no {value}")

    def bring(self, path: Path) -> None:
        self.reach(OFFERED)
        with self.page.expect_file_chooser() as chooser:
            self.key("Enter")
        chooser.value.set_files(path)

    def said(self) -> str:
        return f"by keyboard alone, {self.keys} keys beside the texts"


class Way:
    """A page on a folder, and the second folder in which the printed commands are run again."""

    def __init__(self, page: Any, url: str, work: Path, again: Path) -> None:
        self.page, self.url, self.work, self.again = page, url, work, again
        self.said: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(600_000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def printed(self) -> str:
        """The command that the page shows last, run in the second folder."""
        command = self.page.locator(".typed code").last.text_content()
        words = shlex.split(command)
        assert words[0] == "slmfit", command
        done = self.run(words[1:])
        assert done.returncode == 0, done.stderr
        return str(command)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "slmfit", *words]
        return subprocess.run(command, cwd=self.again, capture_output=True, text=True)

    def same(self, *names: str) -> None:
        """These files are byte for byte the same in both folders."""
        for name in names:
            assert filecmp.cmp(self.work / name, self.again / name, shallow=False), name
        print(f"  equal, byte for byte: {', '.join(names)}")

    def job(self, verb: str) -> Path:
        return sorted((self.work / ".slmfit" / "jobs").glob(f"*-{verb}-*"))[-1]

    def download(self, hand: Any, selector: str, folder: Path) -> Path:
        with self.page.expect_download() as given:
            hand.press(selector)
        path = folder / given.value.suggested_filename
        given.value.save_as(path)
        return path

    def clean(self) -> None:
        others = [url for url in self.asked if not url.startswith((self.url, "blob:"))]
        assert not others and not self.said, (others, self.said)
        print("  0 outside requests, 0 console messages")


def whole(place: Path, make: Callable[[Any], Any]) -> None:
    """From a CSV to answers that are kept."""
    import tiny

    work, again, kept = place / "work", place / "again", place / "kept"
    for folder in (work, again, kept):
        folder.mkdir()
    tiny.encoder(work / "tiny-encoder")
    shutil.copytree(work / "tiny-encoder", again / "tiny-encoder")
    given = tickets(place / "tickets.csv", ROWS)
    tickets(again / "data" / "tickets.csv", ROWS)
    with server.running(work, token=TOKEN) as serving, browser() as running:
        page = running.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
        way, hand = Way(page, serving.url, work, again), make(page)
        page.goto(f"{serving.url}/?token={TOKEN}")
        page.wait_for_selector(OFFERED, state="attached")

        hand.bring(given)
        page.wait_for_selector("text=What the audit says")
        same_findings(way, page.locator(".typed code").last.text_content())

        hand.press("a:text-is('Compare methods')")
        page.wait_for_selector(".methods-of")
        hand.press("input[value=encoder]")
        hand.write("[data-base=encoder]", "tiny-encoder")
        hand.press("summary:has-text('More')")
        hand.write("#settings", "\n".join(SETTINGS))
        hand.press("button[type=submit]")
        page.wait_for_selector(".curves-of svg path.line >> nth=0")
        first = page.locator(".curves-of svg path.line").first.get_attribute("d")
        page.wait_for_function(
            "(d) => document.querySelector('.curves-of path.line').getAttribute('d').length > d.length + 40", arg=first
        )
        print(f"  curves grow: {page.locator('.curves-of svg').first.get_attribute('aria-label')}")
        hand.press("button:text-is('Stop')")
        page.wait_for_selector(".state.interrupted")
        assert not (work / "compared" / "tickets" / "comparison.json").exists()
        page.reload()
        page.wait_for_selector(".curves-of svg path.line >> nth=0")  # all that was
        hand.press("button:text-is('Resume')")
        page.wait_for_selector(".verdict-of")
        compared = record(work)
        assert page.text_content(".verdict-of .sentence") == compared["verdict"]["sentence"]
        print(f"  {compared['verdict']['sentence']}")
        print(f"  {way.printed()}")
        assert compared["verdict"] == record(again)["verdict"]
        way.same(*(f"compared/tickets/{row['run']}/predictions.jsonl" for row in compared["methods"]))
        report = page.frame_locator("iframe.framed")
        report.locator("#rows > li").first.wait_for()
        assert compared["verdict"]["sentence"] in " ".join(report.locator("body").text_content().split())
        page_of = way.download(hand, "text=Download the report", kept)
        assert filecmp.cmp(page_of, work / "compared/tickets/report.html", shallow=False)

        hand.press(".ladder-of a:has-text('encoder')")
        page.wait_for_selector("textarea")
        hand.write("textarea", TEXT)
        hand.press("button:text-is('Answer')")
        page.wait_for_selector(".reply")
        shown = [page.text_content(".reply .answer"), page.locator(".bars-of .num").all_text_contents()]
        answer = json.loads(
            way.run([*shlex.split(page.locator(".typed code").first.text_content())[1:], "--json"]).stdout
        )
        assert as_shown(answer) == shown, (answer, shown)
        print(f"  {page.locator('.typed code').first.text_content()}: {shown}")

        hand.choose("#input-file", "data/tickets.csv")
        hand.press("button:text-is('Answer the file')")
        answers = way.download(hand, "text=Download the answers", kept)
        assert filecmp.cmp(answers, work / "answered" / answers.name, shallow=False)
        (again / "answered").mkdir()
        print(f"  {way.printed()}")
        way.same(f"answered/{answers.name}")

        page.goto(f"{serving.url}/hand-over?run=compared/tickets/runs/encoder-tiny-encoder")
        hand.press("li:has(h3:text-is('ONNX')) button")
        page.wait_for_selector(".state.done")
        gate = json.loads((work / "exported/tickets-encoder-tiny-encoder-onnx/export.json").read_text())["gate"]
        page.wait_for_selector(f"text=the same answer to {100 * gate['agreement']:.1f} %")
        (again / "exported").mkdir()
        print(f"  {page.locator('main .note').first.text_content()}\n  {way.printed()}")
        way.same("exported/tickets-encoder-tiny-encoder-onnx/model.onnx")
        way.clean()
        print(f"  the whole way {hand.said()}")


def same_findings(way: Way, command: Any) -> None:
    """What the page shows of the data is what `slmfit explore` finds."""
    printed = json.loads(way.run([*shlex.split(command)[1:], "--json"]).stdout)
    assert printed == json.loads((way.job("explore") / "out.txt").read_text())
    print(f"  equal: what {command} --json prints")


def record(folder: Path) -> Any:
    return json.loads((folder / "compared" / "tickets" / "comparison.json").read_text())


def as_shown(answer: Any) -> list[Any]:
    """The label and the shares, greatest first, as the page writes them."""
    shares = sorted(answer["probabilities"].values(), reverse=True)
    return [answer["prediction"], [f"{100 * share:.1f} %" for share in shares]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["mouse", "keyboard"])
    what = parser.parse_args().what
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as place:
        whole(Path(place), {"mouse": Mouse, "keyboard": Keyboard}[what])


if __name__ == "__main__":
    main()
