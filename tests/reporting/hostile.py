"""A comparison of hostile strings, and what its report in a browser obeys of them: nothing, it is to be.

path = reporting.report(written(tmp_path / "out", STRINGS))
obeyed(visit(path, width=390), path, 390)           # {}
"""

import itertools
import json

import fakes

from slmfit import storage

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


def written(folder, strings):
    """A comparison whose texts and ids are these strings, with hostile labels, and names wherever a record has one."""
    labels = [f"{attack}{i}" for i, attack in enumerate(ATTACKS)]
    data = fakes.classified(
        strings, [labels[i % len(labels)] for i in range(len(strings))], len(strings) // 5, name=ATTACKS[1]
    )
    data = fakes.renamed(data, ids=strings)
    linear = fakes.Fake("linear", 0.8, 1000, 0.5, 1000, 1.0, base_model=ATTACKS[3])
    methods = {"majority": fakes.SIX["majority"], "linear": linear}
    fakes.write_comparison(
        folder, data, methods, diagnostics=fakes.diagnosed(data),
        search={"linear": [{"C": s, "accuracy": 0.5} for s in strings[:9]]},
        events={"linear": [{"event": "loss", "split": s, "measured": s, "epoch": 1, "loss": 0.5} for s in strings[:5]]},
    )  # fmt: skip
    record = storage.read_json(folder / "comparison.json")
    record["verdict"] |= {"sentence": f"{strings[3]}: {strings[4]}", "caveats": strings[5:9]}
    record["methods"] += [
        {**record["methods"][0], "id": s, "name": s, "status": "skipped", "reason": s, "run": None, "scores": None}
        for s in strings[:60]
    ]
    record["dataset"] |= {"name": strings[0], "notes": strings[:20]}
    record |= {"command": strings[70], "created": strings[71]}
    record["environment"] |= {"packages": {s: s for s in strings[:20]}, "platform": strings[2]}
    write(folder / "comparison.json", record)
    run = json.loads((folder / "runs" / "linear" / "run.json").read_text())
    run |= {"chosen": {s: s for s in strings[:20]}, "settings": {s: s for s in strings[:20]}, "warnings": strings[:20]}
    write(folder / "runs" / "linear" / "run.json", run)
    return folder


def write(path, value):
    path.write_text(json.dumps(value))  # lone surrogates as escapes


ACTIVE = "iframe, object, embed, base, form[action], img, a:not([href^='#']), animate, link, foreignObject"
UNSEEN = set("\x00\x07\x08\x1b\x9b\u202d\u202e\u2066\u2067\u2069\u2028\u2029\ufeff\u200b")


def obeyed(page, path, width, scripts=3):
    """What of the strings is more than a string -> what was found; empty where all is well."""
    found = {"said": page.said, "asked": [url for url in page.asked if url != path.as_uri()]}
    if scripts == 3:
        open_everything(page)
    every = "[...document.querySelectorAll('*')].filter((e) => !e.closest('.matrix'))"
    given = f"{every}.flatMap((e) => [...e.attributes]).filter((a) => /^(on|style$)/.test(a.name)).length"
    found |= {
        "said after a while": page.said,
        "ran": page.evaluate("window.hit"),
        "active": len(page.query_selector_all(ACTIVE)),
        "scripts": page.evaluate("document.scripts.length") - scripts,
        "attributes": page.evaluate(given),
        "unseen": sorted(set(page.evaluate("document.documentElement.outerHTML")) & UNSEEN),
        "wider than the window": max(0, page.evaluate("document.documentElement.scrollWidth") - width),
        "nested": len(page.query_selector_all("bdi bdi")),
    }
    return {what: seen for what, seen in found.items() if seen}


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
