"""The report in a real browser: it asks nobody, obeys the keyboard, shares its state, and lists the right rows."""

import json

import fakes
import pytest

from slmfit import reporting

IDS = "(items) => items.map((item) => item.dataset.id)"


pytest_plugins = ["browsing"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return written(tmp_path_factory.mktemp("behaviour") / "out", 1600)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """As many rows, and as long, as AG News has."""
    return written(tmp_path_factory.mktemp("large") / "out", 7600)


def written(folder, rows):
    """Six methods."""
    data = fakes.news(rows)
    events = {"encoder-minilm": list(fakes.training())}
    fakes.write_comparison(folder, data, search=fakes.searches(), diagnostics=fakes.diagnosed(data), events=events)
    reporting.report(folder)
    return folder


@pytest.fixture(scope="module")
def truth(compared):
    """id -> its test rows' (id, target, prediction, confidence), None where an answer is not usable."""
    found = {}
    for folder in sorted((compared / "runs").iterdir()):
        rows = map(json.loads, (folder / "predictions.jsonl").read_text().splitlines())
        found[folder.name] = [(r["id"], r["target"], *answer(r)) for r in rows if r["split"] == "test"]
    return found


def answer(row):
    label = row["prediction"] if row["outcome"] == "ok" else None
    return label, (row.get("probabilities") or {}).get(label)


def listed(page):
    """All rows of the list, however often more must be asked for."""
    while page.is_visible("#more"):
        page.click("#more")
    return page.eval_on_selector_all("#rows > li", IDS)


def choose(page, method):
    page.select_option("#method", label=method)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_from_disk_and_asks_nobody(large, visit, scheme):
    path = large / "report.html"
    page = visit(path, scheme=scheme)
    assert page.asked == [path.as_uri()]
    assert page.said == []
    assert path.stat().st_size <= 1_000_000
    policy = page.get_attribute('meta[http-equiv="Content-Security-Policy"]', "content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_what_the_policy_does_not_name_does_not_run(compared, visit, tmp_path):
    text = (compared / "report.html").read_text()
    path = tmp_path / "tampered.html"
    path.write_text(
        text.replace(
            "</main>", '<script>document.title = "obeyed"</script><img src=x onerror="document.title=1"></main>'
        )
    )
    page = visit(path)
    assert "obeyed" not in page.title()
    assert any("Content Security Policy" in line for line in page.said)


def test_a_cell_lists_its_rows(compared, visit, truth):
    page = visit(compared / "report.html")
    labels = sorted({target for _, target, _, _ in truth["linear"]})
    for method in ("linear", "llm-gemma3-12b"):
        choose(page, method)
        for button in page.query_selector_all("#matrix button"):
            t, a = int(button.get_attribute("data-truth")), int(button.get_attribute("data-answer"))
            button.press("Enter")
            expected = [
                id for id, target, said, _ in truth[method]
                if target == labels[t] and (said == labels[a] if a < len(labels) else said is None)
            ]  # fmt: skip
            if t != a or (method == "linear" and t == 0):
                assert sorted(listed(page)) == sorted(expected)
            assert page.inner_text("#count") == f"{len(expected):,} rows"
            assert button.inner_text() == f"{len(expected):,}"
            assert button.get_attribute("aria-pressed") == "true"


def test_views_and_filters(compared, visit, truth):
    page = visit(compared / "report.html")
    choose(page, "knn")
    right = {method: {id: target == said for id, target, said, _ in rows} for method, rows in truth.items()}
    everyone = list(right["knn"])
    said = {id: {rows[i][2] for method, rows in truth.items() if method != "majority"} for i, id in enumerate(everyone)}
    others = [m for m in right if m != "knn"]
    expected = {
        "all": everyone,
        "wrong": [id for id in everyone if not right["knn"][id]],
        "only-right": [id for id in everyone if right["knn"][id] and not any(right[m][id] for m in others)],
        "only-wrong": [id for id in everyone if not right["knn"][id] and all(right[m][id] for m in others)],
        "alike": [id for id in everyone if not right["knn"][id] and len(said[id]) == 1 and None not in said[id]],
        "none-right": [id for id in everyone if not any(right[m][id] for m in right)],
    }
    sure = {id: round(10 * float(f"{100 * chance:.1f}")) for id, _, _, chance in truth["knn"]}
    for view in ("wrong", "alike"):
        expected[view].sort(key=lambda id: -sure[id])
    for view, ids in expected.items():
        page.select_option("#show", view)
        assert page.inner_text("#count").split()[0] == (f"{len(ids):,}")
        if len(ids) < 2000:
            assert listed(page) == ids
    assert not page.query_selector('#show [value="surest"]')  # of all rows the mistakes are these, surest first
    page.select_option("#show", "wrong")
    wrong = sorted((row for row in truth["knn"] if row[1] != row[2]), key=lambda row: -row[3])
    shown = page.eval_on_selector_all("#rows .row-head", "(all) => all.map((e) => e.children[2].textContent)")
    exact = [float(f"{100 * row[3]:.1f}") for row in wrong[: len(shown)]]
    assert shown == ["over 99 % sure" if chance >= 99.5 else f"{int(chance + 0.5)} % sure" for chance in exact]
    page.select_option("#show", "all")
    page.select_option("#truth", label="Sports")
    page.select_option("#answer", label="World")
    confused = [row for row in truth["knn"] if row[1:3] == ("Sports", "World")]
    assert listed(page) == [row[0] for row in sorted(confused, key=lambda row: -sure[row[0]])]
    page.click("#clear")
    assert page.inner_text("#count").split()[0] == f"{len(everyone):,}"


def test_search_reads_the_excerpts_and_ids(compared, visit, truth):
    page = visit(compared / "report.html")
    texts = {
        row["id"]: row["text"] for row in map(json.loads, (compared / "data" / "test.jsonl").read_text().splitlines())
    }
    page.select_option("#show", "all")
    some = truth["linear"][17][0]
    page.fill("#search", some)
    assert some in listed(page)
    first, second = texts[some].lower().split()[:2]
    page.fill("#search", f"{second} {first}")
    found = listed(page)
    assert some in found
    assert all(first in texts[id].lower() and second in texts[id].lower() for id in found)
    shown = page.inner_text(f'#rows > li[data-id="{found[0]}"] .row-text')
    assert texts[found[0]].startswith(shown.removesuffix("…"))


def test_the_url_holds_the_view(compared, visit, truth):
    page = visit(compared / "report.html")
    assert "#" not in page.url
    choose(page, "linear")
    page.select_option("#show", "wrong")
    page.select_option("#truth", label="Sports")
    ids = listed(page)
    page.click(f'#rows > li[data-id="{ids[3]}"] > button')
    shared = page.url.split("#")[1]
    again = visit(compared / "report.html", f"#{shared}")
    assert listed(again) == ids
    assert again.input_value("#truth") == page.input_value("#truth")
    opened = again.query_selector_all('#rows [aria-expanded="true"]')
    assert len(opened) == 1
    lines = again.eval_on_selector_all(
        ".row-more tr", "(all) => all.map((e) => e.innerText.split('\\t').map((s) => s.trim()))"
    )
    said = {method: next(row for row in rows if row[0] == ids[3]) for method, rows in truth.items()}
    assert {line[0] for line in lines} == set(said)
    for method, answer, *_ in lines:
        _, target, label, _ = said[method]
        assert answer.startswith("✓" if target == label else "✗")
        assert (label or "no usable answer") in answer
    other = visit(compared / "report.html", "#method=nobody&truth=99&row=%3Cb%3E&show=constructor")
    assert other.said == []
    assert other.is_visible("#rows > li")


def test_every_control_by_keyboard(compared, visit):
    page = visit(compared / "report.html")
    page.select_option("#show", "alike")
    page.evaluate("""() => {
      const controls = document.querySelectorAll("a[href], button, input, select, summary, [tabindex]");
      controls.forEach((e, i) => { e.dataset.n = i; });
      window.scrollTo(0, 0); document.activeElement.blur();
    }""")
    wanted = set(page.evaluate("""() => {
      const all = [...document.querySelectorAll("[data-n]")].filter((e) => e.checkVisibility());
      const radios = all.filter((e) => e.type === "radio" && !e.checked); // reached by arrows, within the group
      return all.filter((e) => !radios.includes(e)).map((e) => e.dataset.n);
    }"""))  # fmt: skip
    reached = set()
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.n"))
    assert wanted - reached == set()
    page.focus("#cost-size")
    assert page.is_visible("#plot-size")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#plot-latency")
    assert not page.is_visible("#plot-size")
    page.focus("#matrix button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.get_attribute("#matrix button:focus", "aria-pressed") == "true"
    page.focus("#rows button")
    page.keyboard.press("Enter")
    assert page.is_visible(".row-more")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(compared, visit, axe, scheme):
    page = visit(compared / "report.html", scheme=scheme)
    page.click("#rows button")
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    page.evaluate(axe)
    faults = page.evaluate("axe.run().then((found) => found.violations)")
    told = [(f["id"], f["impact"], [node["html"][:120] for node in f["nodes"]][:3]) for f in faults]
    assert [fault for fault in told if fault[1] in ("serious", "critical")] == []


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_sticks_out(compared, visit, width):
    page = visit(compared / "report.html", width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert not page.is_visible("#filters")
    assert page.is_visible("h1")
