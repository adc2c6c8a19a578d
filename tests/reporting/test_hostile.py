"""Labels, texts, ids and names that try to be markup, commands or another reading order stay what they are: strings."""

import itertools
import json

import fakes
import pytest

from slmfit import reporting, storage
from slmfit.runs.brief import comparison_html, markdown
from slmfit.runs.card import model_card
from slmfit.runs.run import read_comparison, read_run

pytest_plugins = ["browsing"]

ATTACKS = [
    "<script>window.hit = 1</script>",
    "</script><script>window.hit = 2</script>",
    "</style><script>window.hit = 3</script>",
    "<img src=x onerror='window.hit = 4'>",
    "<svg onload=window.hit=5><script>window.hit=5</script></svg>",
    "<svg><animate onbegin='window.hit=6' attributeName=x dur=1s>",
    '" onmouseover="window.hit=7" autofocus onfocus="window.hit=7',
    "' style='position:fixed;inset:0' onclick='window.hit=8",
    "javascript:window.hit=9",
    "<a href='javascript:window.hit=10'>here</a>",
    "<iframe srcdoc='<script>parent.hit=11</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://example.com'>",
    "<base href=https://example.com/><form action=https://example.com><button>",
    "<!--", "-->", "]]>", "<![CDATA[", "&lt;b&gt;", "&#60;script&#62;",
    "{{ 7 * 7 }}", "{% raw %}", "${7*7}", "__proto__", "constructor", "toString",
    "\x1b[31mred\x1b[0m", "\x1b]8;;https://example.com\x07link\x1b]8;;\x07", "\x00\x07\x08", "\x9b31m",
    "=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "=HYPERLINK(\"https://example.com\")",
    "\u202egnp.exe", "\u202d\u202e\u2066\u2067\u2069", "\u2028\u2029", "\ufeff\u200b",
    "Z" + "\u0335\u0301" * 40, "W" * 400, "שלום עולם", "אבג < דהו", "👩\u200d👩\u200d👧" * 30, " ", "\t\r\n",
]  # fmt: skip
STRINGS = [f"{a} {b} {i}" for i, (a, b) in enumerate(itertools.islice(itertools.product(ATTACKS, ATTACKS), 2000))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """2,000 hostile texts with hostile ids, 45 hostile labels, and hostile names wherever a record has one."""
    labels = [f"{attack}{i}" for i, attack in enumerate(ATTACKS)]
    data = fakes.classified(STRINGS, [labels[i % len(labels)] for i in range(len(STRINGS))], 400, name=ATTACKS[1])
    data = fakes.renamed(data, ids=STRINGS)
    linear = fakes.Fake("linear", 0.8, 1000, 0.5, 1000, 1.0, base_model=ATTACKS[3])
    methods = {"majority": fakes.SIX["majority"], "linear": linear}
    folder = fakes.write_comparison(
        tmp_path_factory.mktemp("hostile") / "out", data, methods, diagnostics=fakes.diagnosed(data),
        search={"linear": [{"C": s, "accuracy": 0.5} for s in STRINGS[:9]]},
        events={"linear": [{"event": "loss", "split": s, "measured": s, "epoch": 1, "loss": 0.5} for s in STRINGS[:5]]},
    )  # fmt: skip
    record = storage.read_json(folder / "comparison.json")
    record["verdict"] |= {"sentence": f"{STRINGS[3]}: {STRINGS[4]}", "caveats": STRINGS[5:9]}
    record["methods"] += [
        {**record["methods"][0], "id": s, "name": s, "status": "skipped", "reason": s, "run": None, "scores": None}
        for s in STRINGS[:60]
    ]
    record["dataset"] |= {"name": STRINGS[0], "notes": STRINGS[:20]}
    record |= {"command": STRINGS[70], "created": STRINGS[71]}
    record["environment"] |= {"packages": {s: s for s in STRINGS[:20]}, "platform": STRINGS[2]}
    write(folder / "comparison.json", record)
    run = json.loads((folder / "runs" / "linear" / "run.json").read_text())
    run |= {"chosen": {s: s for s in STRINGS[:20]}, "settings": {s: s for s in STRINGS[:20]}, "warnings": STRINGS[:20]}
    write(folder / "runs" / "linear" / "run.json", run)
    return folder


def write(path, value):
    path.write_text(json.dumps(value))  # lone surrogates as escapes


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_obeyed(folder, visit, width):
    path = reporting.report(folder)
    page = visit(path, width=width)
    assert page.said == []
    assert page.asked == [path.as_uri()]
    open_everything(page)
    assert page.evaluate("window.hit") is None
    active = "iframe, object, embed, base, form[action], img, a:not([href^='#']), animate, link, foreignObject"
    assert page.query_selector_all(active) == []
    assert page.evaluate("document.scripts.length") == 3
    every = "[...document.querySelectorAll('*')].filter((e) => !e.closest('.matrix'))"
    given = f"{every}.flatMap((e) => [...e.attributes]).filter((a) => /^(on|style$)/.test(a.name)).length"
    assert page.evaluate(given) == 0
    text = page.evaluate("document.documentElement.outerHTML")
    assert not set(text) & set("\x00\x07\x08\x1b\x9b\u202d\u202e\u2066\u2067\u2069\u2028\u2029\ufeff\u200b")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.query_selector_all("bdi bdi") == []


def open_everything(page):
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    page.click("#more-suspects")
    for method in ("0", "1"):
        page.select_option("#method", method)
        page.select_option("#show", "all")
    page.evaluate("""() => {
      while (!document.getElementById("more").hidden) document.getElementById("more").click();
      [...document.querySelectorAll("#rows > li > button")].slice(0, 200).forEach((button) => button.click());
    }""")
    page.hover("#matrix button")
    page.wait_for_timeout(200)


def test_no_row_is_lost(folder, visit):
    page = visit(reporting.report(folder))
    page.select_option("#show", "all")
    assert page.inner_text("#count") == "1,600 rows"
    shown = page.inner_text("#rows > li:nth-child(1) .row-text")
    assert shown.endswith("…") or shown.split()[-1] == "400"


def test_notebook_markdown_and_card(folder):
    record = read_comparison(folder)
    shown = comparison_html(record)
    for tag in ("<script", "<img", "<svg", "<iframe", "<a ", "<base", "<meta", "\x1b", "\u202e"):
        assert tag not in shown
    for text in (markdown(record), model_card(read_run(folder / "runs" / "linear"))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert all(line.count(" | ") == 6 for line in markdown(record).splitlines() if line.startswith("| "))
