"""The whole way in a browser, by mouse; and what hostile names and texts do there: nothing."""

import csv
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")
import slmfit  # noqa: E402
from slmfit.generating import write_tickets  # noqa: E402

TOKEN = "open-sesame"
TINY = "linear.features=words\nlinear.power=1\nlinear.C=1\nlinear.ratios=0\nknn.k=5"
TEXT = "My card was charged twice"


class Visitor:
    """A page of the browser on a workspace; `asked` are the addresses it asked for, `said` what the console has."""

    def __init__(self, browser, serving, width=1280, scheme="light"):
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page, self.url, self.asked, self.said = self.context.new_page(), serving.url, [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(f"{serving.url}/?token={TOKEN}")

    def go(self, path, ready):
        self.page.goto(self.url + path)
        self.page.wait_for_selector(ready)


@pytest.fixture
def visit(browser):
    visitors = []

    def visit(serving, **how):
        visitors.append(Visitor(browser, serving, **how))
        return visitors[-1]

    yield visit
    for visitor in visitors:
        visitor.context.close()


def tickets(path, rows=150):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(write_tickets(rows, 0))
    return path


def test_from_a_csv_to_an_answer(tmp_path, visit):
    work = tmp_path / "work"
    work.mkdir()
    file = tickets(tmp_path / "tickets.csv")
    with server.running(work, token=TOKEN) as serving:
        visitor = visit(serving)
        page = visitor.page
        page.set_input_files(".drop input", str(file))
        page.wait_for_selector("text=What was recognised")  # the audit is there
        assert "the text from 'text'" in page.text_content(".notes-of")
        assert page.locator(".grid-rows .row").count() > 5
        page.click("text=Compare methods")
        page.wait_for_selector(".methods-of")
        page.click('summary:has-text("what smallest means")')
        page.fill("#settings", TINY)
        page.click("button[type=submit]")
        page.wait_for_selector(".way:nth-child(2) .doing:text-matches('learning|answering|measured|search')")
        page.click("text=Stop")
        page.wait_for_selector(".state.interrupted")
        page.reload()
        page.click("text=Resume")
        page.wait_for_selector(".verdict-of")
        compared = json.loads((work / "compared" / "tickets" / "comparison.json").read_text())
        assert page.text_content(".verdict-of .sentence") == compared["verdict"]["sentence"]
        assert [row["id"] for row in compared["methods"] if row["reused"]] != []  # what was done was not done again
        page.locator("iframe.framed").scroll_into_view_if_needed()  # a frame that is out of sight is not drawn
        report = page.frame_locator("iframe.framed")
        report.locator("#rows > li").first.wait_for()  # its script runs in its frame
        page.click(".ladder-of >> text=linear")
        page.fill("textarea", TEXT)
        page.click("text=Answer >> nth=0")
        page.wait_for_selector(".reply")
        answer = slmfit.load(work / "compared" / "tickets" / "runs" / "linear").predict([TEXT])[0]
        assert page.text_content(".reply .answer") == answer.target
        assert "charged" in page.text_content(".words-of")
        assert visitor.said == []
        assert {url.split("/")[2] for url in visitor.asked} == {serving.url.split("/")[2]}


def test_hostile_names_and_texts_are_texts(tmp_path, visit):
    import hostile

    hostile.written(tmp_path / "compared", hostile.STRINGS[:300])
    labels = [f"{attack}{i}" for i, attack in enumerate(hostile.ATTACKS)]
    rows = [{"text": text, "label": labels[i % len(labels)]} for i, text in enumerate(hostile.STRINGS)]
    (tmp_path / "data").mkdir()
    name = "data/<img src=x onerror='window.hit=1'>.jsonl"
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"words": ["compare", hostile.ATTACKS[0]], "about": {"file": name, "out": "nothing"}, "made": "2026"}
    job = past(tmp_path, "compare-0a0b0c", asked, 130, "\n".join(hostile.STRINGS[:200]))
    said = "slmfit: there is no column " + "\n".join(hostile.STRINGS[:20])[:3000]
    past(
        tmp_path,
        "compare-0a0b0d",
        {**asked, "about": {"file": name, "asked": {"methods": hostile.STRINGS[:50]}}},
        2,
        said,
    )
    answered = name.replace(".jsonl", "-answered.jsonl")
    (tmp_path / answered).write_text((tmp_path / name).read_text())
    notes = "".join(f"{name}: {text}\n" for text in hostile.STRINGS[:200])
    about = {"file": name, "run": hostile.ATTACKS[1], "out": answered}
    past(tmp_path, "predict-0a0b0e", {"words": ["predict", "x"], "about": about, "made": "2026"}, 0, notes)
    told = [{"event": "loss", "run": s, "split": s, "epoch": 1, "loss": 0.5, s: 1} for s in hostile.STRINGS[:40]]
    told += [{"event": "progress", "run": s, "stage": s, "rows": 1, "of_rows": 2} for s in hostile.STRINGS[:40]]
    told += [{"event": "failed", "run": s, "reason": s} for s in hostile.STRINGS[40:60]]
    (job / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    with server.running(tmp_path, token=TOKEN) as serving:
        visitor = visit(serving, width=390, scheme="dark")
        visitor.go("/", ".list")
        views = {
            f"/?file={quoted(name)}": ".grid-rows .row:not([data-empty])",
            "/compare?job=20260101-000000-compare-0a0b0c": ".way",
            "/compare?refused=20260101-000000-compare-0a0b0d": "details[open] .refusal",
            f"/?file={quoted(answered)}": ".grid-rows .row:not([data-empty])",
            "/compare?name=compared": ".verdict-of",
            "/runs": ".list tbody tr",
            "/try?run=compared/runs/linear": "textarea",
            "/hand-over?run=compared/runs/linear": ".forms",
            "/settings": ".settings-of h3",
        }
        for path, ready in views.items():
            visitor.go(path, ready)
            assert visitor.page.evaluate(ACTIVE) == 0, path
        assert visitor.page.evaluate("() => window.hit") is None
        assert visitor.said == []
        assert {url.split("/")[2] for url in visitor.asked} == {serving.url.split("/")[2]}


def past(work, id, asked, code, said):
    """A job that is over: what was asked, its exit code, and what it said on stderr."""
    job = work / ".slmfit" / "jobs" / f"20260101-000000-{id}"
    job.mkdir(parents=True)
    (job / "job.json").write_text(json.dumps(asked))
    (job / "exit.json").write_text(json.dumps({"code": code, "ended": "<b>now</b>"}))
    (job / "err.txt").write_text(said)
    return job


# What a text could have become: scripts, pictures, handlers, links out; our own are counted out by where they are.
ACTIVE = """() => [...document.querySelectorAll("*")].filter((node) =>
  (node.localName === "script" && !node.src.startsWith(location.origin + "/static/"))
  || ["img", "object", "embed", "base", "animate", "video", "audio"].includes(node.localName)
  || (node.localName === "iframe" && !/^\\/(report|explored)\\?/.test(node.getAttribute("src") ?? ""))
  || (node.localName === "meta" && node.httpEquiv)
  || (node.localName === "a" && node.href && !node.href.startsWith(location.origin + "/"))
  || [...node.attributes].some((one) => one.name.startsWith("on"))).length"""


def quoted(name):
    from urllib.parse import quote

    return quote(name, safe="")
