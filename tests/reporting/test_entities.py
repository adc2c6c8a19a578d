"""The report of entities: marks where the entities are, counts that are those on disk, nothing obeyed."""

import base64
import json
import re
import zlib
from types import SimpleNamespace

import pytest
import tagged
from hostile import ATTACKS

from slmfit import reporting, storage
from slmfit.reporting import searching
from slmfit.reporting.entities import placed
from slmfit.text.visible import visible

pytest_plugins = ["browsing"]

READ_MARKS = """(all) => all.map((mark) => [mark.firstChild.textContent, mark.querySelector("small bdi").textContent,
  mark.className.includes("missed") ? "missed" : mark.className.includes("spurious") ? "spurious" : ""])"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return tagged.compared(tmp_path_factory.mktemp("entities") / "out", tagged.texts(300))


def unpacked(page):
    """The rows as script.js unpacks them."""
    block = re.search(r'<script type="text/plain" id="packed">([^<]*)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(block[1])))


def facts(page):
    return json.loads(re.search(r'id="facts">(.*?)</script>', page)[1])


def rows_of(folder, method):
    rows = storage.read_jsonl(folder / "runs" / method / "predictions.jsonl")
    return [row for row in rows if row["split"] == "test"]


def sliced(text, start, end):
    """What JavaScript's `text.slice(start, end)` gives."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def details(folder, method):
    return storage.read_json(folder / "runs" / method / "run.json")["details"]["test"]


METHODS = ("majority", "predictions-careful", "predictions-hasty")


def test_every_mark_stands_on_its_words(compared):
    page = reporting.html([compared])
    told, known = unpacked(page), facts(page)
    words = {row["id"]: row["text"] for row in storage.read_jsonl(compared / "data" / "test.jsonl")}
    seen = 0
    for at, method in enumerate(METHODS):
        for i, row in enumerate(rows_of(compared, method)):
            text = words[row["id"]]
            true, found = row["target"]["spans"], (row["prediction"] or {"spans": []})["spans"]
            for flat, spans_ in (told["entities"]["marks"][i], true), (told["entities"]["found"][at][i], found):
                if flat == 0:
                    assert {tuple(s) for s in spans_} == {tuple(s) for s in true}
                    continue
                spans = [flat[k : k + 3] for k in range(0, len(flat), 3)]
                shown = [(sliced(told["texts"][i], start, end), known["labels"][type]) for start, end, type in spans]
                assert shown == [(visible(text[start:end]), label) for start, end, label in spans_]
                seen += len(shown)
    assert seen > 500


def test_places_are_counted_in_utf16_and_signs_have_a_length():
    text = "👩\x00\u202eRome\n"
    shown, at = placed(text, {3, 7})
    assert shown == "👩␀⟨U+202E⟩Rome "
    assert sliced(shown, at[3], at[7]) == "Rome"


def test_right_and_wrong_are_those_of_the_record(compared):
    found = unpacked(reporting.html([compared]))
    for at, method in enumerate(METHODS):
        right = sum(said == 0 for said in found["said"][at])
        exact = storage.read_json(compared / "runs" / method / "run.json")["scores"]["test"]["exact_match"]["value"]
        assert right / len(found["ids"]) == pytest.approx(exact)


def test_without_texts_marks_are_places_and_nothing_else_is_left(compared):
    page = reporting.html([compared], texts=False)
    found = unpacked(page)
    assert "texts" not in found
    first = rows_of(compared, "majority")[0]
    flat = [part for start, end, _ in first["target"]["spans"] for part in (start, end)]
    assert [part for k, part in enumerate(found["entities"]["marks"][0]) if k % 3 != 2] == flat
    assert "naïve" not in json.dumps(found, ensure_ascii=False)


def test_texts_are_cut_where_they_are(compared, monkeypatch):
    monkeypatch.setattr(reporting, "LEAST", 1000)
    monkeypatch.setattr(reporting, "SIZE", 1000)
    page = reporting.html([compared])
    cut = int(re.search(r"texts are cut after (\d+) characters", page)[1])
    whole = unpacked(page)["texts"]
    assert max(map(len, whole)) == cut and any(text.endswith("…") for text in whole)


# --- in a browser ---


def test_the_matrix_is_the_confusion_on_disk_and_a_cell_lists_its_rows(compared, visit):
    page = visit(reporting.report(compared))
    assert page.said == []
    names = facts((compared / "report.html").read_text())["labels"]
    for method in METHODS[1:]:
        page.select_option("#method", label=method)
        cells = {(c["true"], c["found"]): c for c in details(compared, method)["confusion"]}
        shown = page.query_selector_all("#matrix button")
        assert len(shown) == len(cells)
        for button in shown:
            t, f = (int(button.get_attribute(f"data-{part}")) for part in ("truth", "answer"))
            cell = cells[[*names, None][t], [*names, None][f]]
            off = cell["count"] - cell["exact"] if t == f else 0
            shown_there = button.evaluate("(b) => b.parentNode.innerText").split()
            assert shown_there == [str(cell["count"]), *([str(off), "off"] if off else [])]
        button = next(b for b in shown if b.get_attribute("data-truth") != b.get_attribute("data-answer"))
        button.click()
        wanted = [int(button.get_attribute(f"data-{part}")) for part in ("truth", "answer")]
        ids = page.eval_on_selector_all("#rows > li", "(all) => all.map((e) => e.dataset.id)")
        found = unpacked((compared / "report.html").read_text())
        at, width = METHODS.index(method), len(names) + 1
        code = wanted[0] * width + wanted[1]
        expected = [
            i for i, pairs in zip(found["ids"], found["entities"]["pairs"][at], strict=True) if code in (pairs or [])
        ]
        assert ids == expected
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
    assert page.evaluate("document.getElementById('truth').options.length") == len(names) + 2


def test_truth_stands_against_the_answer(compared, visit):
    page = visit(reporting.report(compared), "#method=predictions-hasty&show=wrong")
    told = {row["id"]: row for row in rows_of(compared, "predictions-hasty")}
    words = {row["id"]: row["text"] for row in storage.read_jsonl(compared / "data" / "test.jsonl")}
    checked = 0
    page.click("#more")
    for item in page.query_selector_all("#rows > li")[:60]:
        row, text = told[item.get_attribute("data-id")], words[item.get_attribute("data-id")]
        true = {tuple(s) for s in row["target"]["spans"]}
        found = {tuple(s) for s in row["prediction"]["spans"]} if row["outcome"] == "ok" else set()
        marks = item.eval_on_selector_all(".row-text mark", READ_MARKS)
        lost = (row["prediction"] or {}).get("unplaced", [])
        expected = [
            (visible(text[a:b]), label, "" if (a, b, label) in found else "missed") for a, b, label in sorted(true)
        ]
        expected += [
            (visible(text[a:b]), label, "" if (a, b, label) in true else "spurious") for a, b, label in sorted(found)
        ]
        expected += [(words_, label, "spurious") for words_, label in lost]
        assert [tuple(mark) for mark in marks] == expected
        head = item.query_selector(".row-head").inner_text()
        if row["outcome"] == "ok":
            assert f"{len(true & found)} of {len(true)} right" in head
            assert ("not in the text" in item.inner_text()) == bool(lost)
        else:
            assert "no usable answer: truncated" in head
        checked += 1
    assert checked > 30
    page.click("#rows > li:nth-child(1) > button")
    assert page.eval_on_selector_all(".row-more tr", "(all) => all.length") == 3


def test_tables_hold_the_figures_on_disk(compared, visit):
    page = visit(reporting.report(compared))
    for method in METHODS[1:]:
        about = details(compared, method)
        for row in about["schemes"]:
            cell = page.query_selector(f'.schemes tr[data-scheme="{row["scheme"]}"] td[data-method="{method}"]')
            assert cell.query_selector("span").inner_text() == f"{100 * row['f1']:.1f}"
            assert (
                cell.query_selector("small").inner_text() == f"{100 * row['precision']:.1f} · {100 * row['recall']:.1f}"
            )
        if about["unplaced"]:
            assert f"{method} named {about['unplaced']} entities that are not in the text" in page.inner_text(
                "#failures"
            )
    scores = page.eval_on_selector(
        "#by-1 + .scroll table", "(t) => [...t.querySelectorAll('tbody tr')].map((r) => r.cells[0].innerText)"
    )
    subject = storage.read_json(compared / "comparison.json")["verdict"]["best"]
    weakest = sorted(details(compared, subject)["per_type"], key=lambda row: row["f1"])
    assert scores == [row["label"] for row in weakest]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(compared, visit, axe, scheme):
    page = visit(reporting.report(compared), "#method=predictions-hasty&show=wrong", scheme=scheme)
    page.click("#rows button")
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    page.evaluate(axe)
    faults = page.evaluate("axe.run().then((found) => found.violations)")
    told = [(f["id"], f["impact"], [node["html"][:160] for node in f["nodes"]][:3]) for f in faults]
    assert [fault for fault in told if fault[1] in ("serious", "critical")] == []


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    types = [f"{attack}{i}" for i, attack in enumerate(ATTACKS)]
    known = {"types": types, "intents": ATTACKS}
    folder = tmp_path_factory.mktemp("hostile") / "out"
    return tagged.compared(folder, tagged.texts(400, words=ATTACKS, **known), **known) / "report.html"


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_and_nothing_is_obeyed(hostile, visit, width):
    path = hostile
    page = visit(path, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    for method in range(3):
        page.select_option("#method", str(method))
        page.select_option("#show", "all")
        page.evaluate("() => { while (!more.hidden) more.click(); }".replace("more", "document.getElementById('more')"))
        page.evaluate("[...document.querySelectorAll('#rows > li > button')].slice(0, 60).forEach((b) => b.click())")
    page.wait_for_timeout(200)
    assert page.said == [] and page.asked == [path.as_uri()]
    assert page.evaluate("window.hit") is None
    active = "iframe, object, embed, base, form[action], img, a:not([href^='#']), animate, link, foreignObject"
    assert page.query_selector_all(active) == []
    assert page.evaluate("document.scripts.length") == 3
    text = page.evaluate("document.documentElement.outerHTML")
    assert not set(text) & set("\x00\x07\x08\x1b\x9b\u202d\u202e\u2066\u2067\u2069\u2028\u2029\ufeff\u200b")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_types_are_told_as_the_commonest_confusions(tmp_path, visit):
    types = [f"slot.number_{i}" for i in range(60)]
    folder = tagged.compared(tmp_path / "out", tagged.texts(500, types=types), types=types)
    page = visit(folder / "report.html", "#method=predictions-hasty")
    every = details(folder, "predictions-hasty")["confusion"]
    cells = [n for c in every if (n := c["count"] - (c["exact"] if c["true"] == c["found"] else 0))]
    first = page.query_selector("#matrix .confusions button")
    assert first.inner_text().split("\n")[0].split()[0] == str(max(cells))
    shown = page.query_selector_all("#matrix .confusions button")
    assert len(shown) == min(40, len(cells))
    assert any("missed" in b.inner_text() for b in shown) and any("spurious" in b.inner_text() for b in shown)
    page.evaluate("document.querySelector('.confusions').classList.add('open')")
    off = next(b for b in shown if "wrong start or end" in b.inner_text())
    type, count = off.query_selector("bdi").inner_text(), int(off.query_selector("b").inner_text())
    off.click()
    truth = {row["id"]: row for row in rows_of(folder, "predictions-hasty")}
    spans = [
        {tuple(s) for s in (truth[id][side] or {"spans": []})["spans"] if s[2] == type}
        for id in page.eval_on_selector_all("#rows > li", "(all) => all.map((e) => e.dataset.id)")
        for side in ("target", "prediction")
    ]
    assert 0 < len(spans) // 2 <= count and all(spans[i] != spans[i + 1] for i in range(0, len(spans), 2))


def test_how_entities_were_searched_is_shown_without_the_search_for_the_intent():
    tried = [{"of": "spans", "reach": reach, "entity_f1": f1} for reach, f1 in (("near", 0.8), ("far", 0.9))]
    about = SimpleNamespace(search=[*tried, {"of": "intent", "C": 1.0, "accuracy": 0.7, "log_loss": 0.1}],
                            metric="entity_f1", chosen={"reach": "far", "C": 1.0})  # fmt: skip
    [shown] = searching.searches(SimpleNamespace(records={"linear": about}))
    assert (shown["tried"], shown["score"], shown["best"]) == (2, "entity_f1", tried[::-1])
