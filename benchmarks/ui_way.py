"""The whole way through `slmfit ui` in a headless Chromium; what each step gives is what its printed command gives.

    python benchmarks/ui_way.py mouse        # CSV, audit, compare with an encoder, stop, resume, report, try, export
    python benchmarks/ui_way.py keyboard     # the same without a mouse: how many keys it takes is counted
    python benchmarks/ui_way.py emails       # from templates, stop, resume, explore, entities, two runs side by side

The encoder is a tiny one of random weights. Each command that the page prints is run again in a second folder, and
what it writes there is compared with what lies in the first. Needs the extras `train`, `entities` and `export`, and
chromium.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ui_hands import OFFERED, Hand, Keyboard, Mouse, Way

from slmfit.ui import server
from ui import TOKEN, browser, tickets

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
FIXED = ["linear.features=words", "linear.power=1", "linear.C=1", "linear.ratios=0", "knn.k=5"]
LONG = ["encoder.epochs=20", "encoder.patience=20", "encoder.batch_tokens=256"]  # so that it can be stopped half-way
SETTINGS = [*FIXED, *LONG, "encoder.learning_rate=1e-3"]
ROWS = 150
TEXT = "My card was charged twice, and I would like the second charge refunded."
EMAILS, FEW = 7000, 200  # the first more than a round of drafts, so that something is kept when the writing is stopped
QUICK = ["linear.reach=near", "linear.c1=0.3", "linear.c2=0.03", "encoder.epochs=2", "encoder.learning_rate=1e-3"]
LINE = ".curves-of path.line"
LONGER = "([line, before]) => document.querySelector(line).getAttribute('d').length > before.length"
MARKS = "(all) => all.map((one) => [one.querySelector('bdi').textContent, one.querySelector('small bdi').textContent])"


@contextmanager
def opened(place: Path, hand: type[Hand]) -> Iterator[tuple[Way, Hand]]:
    """A page on an empty folder, with a tiny encoder in it; what it says and asks for is looked at in the end."""
    import tiny

    work, again, kept = place / "work", place / "again", place / "kept"
    for folder in (work, again, kept):
        folder.mkdir(exist_ok=True)
    tiny.encoder(work / "tiny-encoder")
    shutil.copytree(work / "tiny-encoder", again / "tiny-encoder")
    with server.running(work, token=TOKEN) as serving, browser() as running:
        page = running.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
        way = Way(page, serving.url, work, again)
        page.goto(f"{serving.url}/?token={TOKEN}")
        page.wait_for_selector(OFFERED, state="attached")
        yield way, hand(page)
        way.clean()


def whole(place: Path, hand_of: type[Hand]) -> None:
    """From a CSV to answers that are kept."""
    given = tickets(place / "tickets.csv", ROWS)
    tickets(place / "again" / "data" / "tickets.csv", ROWS)
    with opened(place, hand_of) as (way, hand):
        page, work, again, kept = way.page, way.work, way.again, place / "kept"
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
        page.wait_for_selector(LINE)
        first = page.locator(LINE).first.get_attribute("d")
        page.wait_for_function(LONGER, arg=[LINE, first])
        print(f"  curves grow: {page.locator('.curves-of svg').first.get_attribute('aria-label')}")
        hand.press("button:text-is('Stop')")
        page.wait_for_selector(".state.interrupted")
        assert not (work / "compared" / "tickets" / "comparison.json").exists()
        page.reload()
        page.wait_for_selector(LINE)  # all that was
        hand.press("button:text-is('Resume')")
        page.wait_for_selector(".verdict-of")
        compared = record(work)
        assert page.text_content(".verdict-of .sentence") == compared["verdict"]["sentence"]
        print(f"  {compared['verdict']['sentence']}")
        print(f"  {way.printed('compare')}")
        assert compared["verdict"] == record(again)["verdict"]
        way.same(*(f"compared/tickets/{row['run']}/predictions.jsonl" for row in compared["methods"]))
        page.locator("iframe.framed").scroll_into_view_if_needed()  # a frame that is out of sight is not drawn
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
        print(f"  {way.printed('predict')}")
        way.same(f"answered/{answers.name}")

        page.goto(f"{way.url}/hand-over?run=compared/tickets/runs/encoder-tiny-encoder")
        hand.press("li:has(h3:text-is('ONNX')) button")
        page.wait_for_selector(".state.done")
        gate = json.loads((work / "exported/tickets-encoder-tiny-encoder-onnx/export.json").read_text())["gate"]
        page.wait_for_selector(f"text=the same answer to {100 * gate['agreement']:.1f} %")
        (again / "exported").mkdir()
        print(f"  {page.locator('main .note').first.text_content()}\n  {way.printed('export')}")
        way.same("exported/tickets-encoder-tiny-encoder-onnx/model/model.onnx")
        print(f"  the whole way {hand.said()}")


def emails(place: Path, hand_of: type[Hand]) -> None:
    """From nothing but a recipe to entities that are marked by two models."""
    with opened(place, hand_of) as (way, hand):
        page, work, again = way.page, way.work, way.again
        hand.press("nav a:text-is('Generate')")
        hand.choose("#recipe", "emails")
        hand.write("#n", str(EMAILS))
        hand.press("button:text-is('Generate')")
        page.wait_for_selector(".reasons li")  # a round is done
        print(f"  while it writes: {figures(page)}")
        hand.press("button:text-is('Stop')")
        page.wait_for_selector(".state.interrupted")
        stopped = figures(page)
        assert not (work / "generated" / "emails.jsonl").exists(), "it was done before it could be stopped"
        page.reload()
        page.wait_for_selector(".reasons li")
        assert figures(page) == stopped, (figures(page), stopped)
        hand.press("button:text-is('Resume')")
        page.wait_for_selector(".state.done")
        print(f"  stopped at {stopped}, in the end {figures(page)}")
        (again / "generated").mkdir()
        print(f"  {way.printed('generate')}")
        way.same("generated/emails.jsonl", "generated/emails.jsonl.rejected.jsonl")

        hand.press("a:text-is('Look at them')")
        hand.press("button:text-is('Look at it')")
        page.wait_for_selector("text=What the audit says")
        same_findings(way, page.locator(".typed code").last.text_content())

        hand.press("nav a:text-is('Generate')")  # few of them, to be learnt from
        hand.choose("#recipe", "emails")
        hand.write("#n", str(FEW))
        hand.write("#name", "few")
        hand.press("button:text-is('Generate')")
        page.wait_for_selector(".state.done")
        hand.press("a:text-is('Look at them')")
        hand.press("a:text-is('Compare methods')")
        page.wait_for_selector(".methods-of")
        hand.press("input[value=knn]")  # off: it knows no entities
        hand.press("input[value=encoder]")
        hand.write("[data-base=encoder]", "tiny-encoder")
        hand.press("summary:has-text('More')")
        hand.write("#settings", "\n".join(QUICK))
        hand.press("button[type=submit]")
        page.wait_for_selector(".verdict-of")
        print(f"  {page.text_content('.verdict-of .sentence')}")

        hand.press(".ladder-of a:has-text('linear')")
        hand.choose("[aria-label='Add a run beside']", "compared/few/runs/encoder-tiny-encoder")
        page.wait_for_selector(".chips li >> nth=1")
        mail = json.loads((work / "generated" / "few.jsonl").read_text().splitlines()[-1])["text"]
        hand.write("textarea", mail)
        hand.press("button:text-is('Answer')")
        page.wait_for_selector(".beside article:nth-child(2) .reply")
        for article in page.locator(".beside article").all():
            command = article.locator(".typed code").text_content()
            words = [*shlex.split(command)[1:], "--json"]
            answer = json.loads(way.run(words, cwd=work).stdout)
            found = [(one["text"], one["label"]) for one in answer["spans"]]
            marks = article.locator("mark").evaluate_all(MARKS)
            assert [tuple(mark) for mark in marks] == found, (marks, found)
            print(f"  {shlex.split(command)[2]}: {found}")


def figures(page: Any) -> str:
    return " ".join(page.inner_text(".figures").split())


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
    parser.add_argument("what", choices=["mouse", "keyboard", "emails"])
    what = parser.parse_args().what
    os.environ |= {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as place:
        (emails if what == "emails" else whole)(Path(place), Keyboard if what == "keyboard" else Mouse)


if __name__ == "__main__":
    main()
