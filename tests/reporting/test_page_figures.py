"""Every figure in the page is the one on disk: the page is read, and so is the disk, and they are compared."""

import json
import re

import fakes
import pytest

from slmfit import reporting
from slmfit.evidence.verdict import SAME_ROWS
from slmfit.text.figures import by_unit, bytes_words, number_words, percent, points_words, seconds_words, speed_words

READ_TABLE = """(table) => [...table.querySelectorAll("tbody tr")].map((row) =>
  [...row.cells].map((cell) => [...cell.childNodes].map((n) => n.textContent.trim()).filter(Boolean)))"""


pytest_plugins = ["browsing"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "out"
    data = fakes.news(900, labels=fakes.TICKETS)
    events = {"encoder-minilm": list(fakes.training())}
    fakes.write_comparison(folder, data, search=fakes.searches(), diagnostics=fakes.diagnosed(data), events=events)
    reporting.report(folder)
    return folder


@pytest.fixture
def page(compared, visit):
    page = visit(compared / "report.html")
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    return page


@pytest.fixture
def record(compared):
    return json.loads((compared / "comparison.json").read_text())


@pytest.fixture
def runs(compared, record):
    ids = [row["id"] for row in record["methods"] if row["run"]]
    return {id: json.loads((compared / "runs" / id / "run.json").read_text()) for id in ids}


def span(score, metric="accuracy"):
    return "–".join(by_unit(metric, score[end]).removesuffix(" %") for end in ("low", "high"))


def test_verdict(page, record):
    verdict = record["verdict"]
    assert page.inner_text(".sentence").replace("\u00a0", " ") == verdict["sentence"]
    shown = page.eval_on_selector_all(".caveat", "(all) => all.map((e) => e.textContent)")
    said = [caveat.replace("`", "") for caveat in verdict["caveats"]]
    assert shown == [caveat for caveat in said if SAME_ROWS not in caveat]
    assert all(caveat in page.inner_text("#repeat") for caveat in said if SAME_ROWS in caveat)
    row = next(row for row in record["methods"] if row["id"] == (verdict["method"] or verdict["best"]))
    shown = {
        e.get_attribute("data-key"): e.inner_text().split("\n") for e in page.query_selector_all(".figures [data-key]")
    }
    score = row["scores"]["test"]["accuracy"]
    assert f"{percent(score['value'])} right" in page.inner_text("h1 + .lead").replace("\u00a0", " ")
    assert shown["wrong"] == [f"{1000 * (1 - score['value']):.0f}", "of 1,000 texts"]
    assert shown["score"] == [percent(score["value"]), f"95 % interval {span(score)}"]
    assert shown["size_bytes"][0] == bytes_words(row["size_bytes"])
    assert number(shown["latency_p50"][0]) == pytest.approx(row["latency_ms"]["p50"], rel=0.05)


def test_ladder(page, record):
    for row in record["methods"]:
        line = page.query_selector(f'.ladder tr[data-method="{row["id"]}"]')
        if row["status"] != "ok":
            assert row["status"] in line.inner_text()
            assert re.sub(r"\s+", " ", row["reason"]) in re.sub(r"\s+", " ", line.inner_text())
            continue
        cells = {c.get_attribute("data-key"): c.inner_text().split("\n") for c in line.query_selector_all("td")}
        scores = {split: scores["accuracy"] for split, scores in row["scores"].items()}
        assert cells["score"] == [percent(scores["test"]["value"]), span(scores["test"])]
        assert cells["fitting"] == [
            percent(scores["validation"]["value"]),
            f"train {percent(scores['train']['value'])}",
        ]
        assert cells["size"] == [bytes_words(row["size_bytes"]) or "–"]
        assert cells["memory"] == [bytes_words(row["peak_memory_bytes"]) or "–"]
        assert cells["fit"] == ([seconds_words(row["fit_seconds"]), f"search {seconds_words(row['search_seconds'])}"]
                                if row["fit_seconds"] else ["–"])  # fmt: skip
        speed, latency = row["rows_per_second"], row["latency_ms"]
        assert cells["speed"] == [speed_words(speed) or "–"]
        if latency and latency["p50"] < 0.01:
            assert cells["latency"] == ["<0.01 ms", "<0.01 ms"]
        elif latency:
            assert [number(words) for words in cells["latency"]] == pytest.approx(list(latency.values()), rel=0.06)
        if row["usd_per_1000_rows"] is not None:
            assert number(cells["money"][0]) == pytest.approx(row["usd_per_1000_rows"], rel=0.05)
        else:
            assert cells["money"] == ["–"]
        paired = record["paired"].get(row["id"])
        if paired:
            value, low, high = (paired["difference"][part] for part in ("value", "low", "high"))
            told = [cells["below"][0], *cells["below"][1].split(" to ")]
            assert [number(t) for t in told] == pytest.approx([100 * v for v in (value, low, high)], abs=0.051)
    tied = {record["verdict"]["best"], *record["verdict"]["tied"]}
    assert {e.get_attribute("data-method") for e in page.query_selector_all(".ladder .tied tr[data-method]")} == tied


def test_every_score(page, runs):
    names = page.eval_on_selector_all(
        ".all-scores td[data-key]", "(cells) => [...new Set(cells.map((c) => c.dataset.key))]"
    )
    for id, run in runs.items():
        assert set(names) >= set(run["scores"]["test"])
        for split, scores in run["scores"].items():
            line = f'.all-scores tr[data-method="{id}"][data-split="{split}"]'
            shown = page.eval_on_selector_all(
                f"{line} td[data-key]", "(c) => c.map((e) => [e.dataset.key, e.innerText])"
            )
            for name, words in shown:
                score = scores.get(name)
                assert words.split("\n") == ([by_unit(name, score["value"]), span(score, name)] if score else ["–"])


def test_bars(page, runs):
    for id, run in runs.items():
        score = run["scores"]["test"]["accuracy"]
        bar = page.query_selector(f'.bar-line[data-method="{id}"]')
        assert bar.query_selector(".num").inner_text().split() == [*percent(score["value"]).split(), span(score)]
        assert bar.query_selector("rect").get_attribute("width") == f"{100 * score['value']:.2f}%"
        ends = bar.query_selector("line.interval")
        assert ends.get_attribute("x1") == f"{100 * score['low']:.2f}%"
        assert ends.get_attribute("x2") == f"{100 * score['high']:.2f}%"
    majority = runs["majority"]["scores"]["test"]["accuracy"]["value"]
    assert page.text_content('[data-key="least"]') == percent(majority)
    order = page.eval_on_selector_all(".bar-line[data-method]", "(all) => all.map((e) => e.dataset.method)")
    assert order == page.eval_on_selector_all(
        ".ladder td[data-key=score]", "(a) => a.map((e) => e.parentNode.dataset.method)"
    )


def test_confusions_and_classes(page, runs):
    for at, (id, run) in enumerate(runs.items()):
        page.select_option("#method", str(at))
        details = run["details"]["test"]
        cells = page.eval_on_selector_all(
            "#matrix button", "(all) => all.map((b) => [+b.dataset.truth, +b.dataset.answer, b.innerText])"
        )
        shown = {(truth, answer): n for truth, answer, n in cells}
        assert shown == {(t, a): f"{n:,}" for t, row in enumerate(details["confusion"]) for a, n in enumerate(row) if n}
        if id == "majority":
            continue  # what answers without reading has no column, and no picture of its sureness
        column = page.eval_on_selector_all(
            ".classes thead th", "(all) => all.map((e) => e.innerText.split('\\n')[0])"
        ).index(id)
        for line, each in zip(page.eval_on_selector(".classes", READ_TABLE), details["per_class"], strict=True):
            small = f"{100 * each['precision']:.1f} · {100 * each['recall']:.1f}"
            assert line[0] == [each["label"]]
            assert line[1] == [f"{each['support']:,}"]
            assert line[column] == [f"{100 * each['f1']:.1f}", small]
        if "reliability" in details:
            name = "expected_calibration_error"
            told = page.query_selector(f'.multiples [data-method="{id}"] [data-key="{name}"]')
            assert told.text_content() == points_words(run["scores"]["test"][name]["value"])


def test_curves(page, runs, compared):
    diagnosed = json.loads((compared / "data" / "diagnostics.json").read_text())
    points = diagnosed["learning_curve"]["points"]
    shown = page.eval_on_selector(".learning", READ_TABLE)
    told = sorted((p["method"], f"{p['rows']:,}", percent(p["score"]["value"]), span(p["score"])) for p in points)
    assert sorted((a[0], b[0], c[0], c[1]) for a, b, c in shown) == told
    shown = page.eval_on_selector(".coverage", READ_TABLE)
    told = [
        (id, percent(p["coverage"]), percent(p["threshold"]), percent(p["accuracy"]), span(p))
        for id, run in runs.items()
        for p in run["details"]["test"].get("coverage", ())
        if run["method"] != "majority" and round(20 * p["coverage"]) % 2 == 0
    ]
    assert sorted((a[0], b[0], c[0], d[0], d[1]) for a, b, c, d in shown) == sorted(told) and told
    shown = page.eval_on_selector_all(
        ".suspects > li", "(all) => all.map((e) => [e.dataset.id, e.querySelector('.num').textContent])"
    )
    assert shown == [[row["id"], percent(row["probability"])] for row in diagnosed["suspects"]["rows"]]
    for id in ("knn", "linear"):
        best = max(one["accuracy"] for one in runs[id]["search"])
        assert f"{100 * best:.1f} %" in page.text_content("#settings")
        for key, value in runs[id]["chosen"].items():
            assert f"{key} {number_words(value)}" in page.text_content("#settings")


def test_dots_stand_where_their_figures_say(page, record):
    """Across and down are read off the picture, through its own ticks, and compared with size and score."""
    shown = page.evaluate("""() => {
      const svg = document.querySelector("#plot-size svg"), at = (e, name) => parseFloat(e.getAttribute(name));
      const ticks = [...svg.querySelectorAll(".tick")].map((t) => [t.textContent, t.getAttribute("x"), at(t, "y") - 4]);
      return {ticks, dots: [...svg.querySelectorAll(".dot")].map((d) => [at(d, "cx"), at(d, "cy")])};
    }""")
    units = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
    across = [(number(w) * units[w.split()[-1]], float(x[:-1])) for w, x, _ in shown["ticks"] if not w.endswith("%")]
    down = [(number(w) / 100, y) for w, _, y in shown["ticks"] if w.endswith("%")]
    per_decade = (across[-1][1] - across[0][1]) / (len10(across[-1][0]) - len10(across[0][0]))
    per_point = (down[-1][1] - down[0][1]) / (down[-1][0] - down[0][0])
    rows = [row for row in record["methods"] if row["size_bytes"] and row["name"] != "majority"]
    assert len(shown["dots"]) == len(rows)
    for (x, y), row in zip(shown["dots"], rows, strict=True):
        assert x == pytest.approx(across[0][1] + per_decade * (len10(row["size_bytes"]) - len10(across[0][0])), abs=0.1)
        value = row["scores"]["test"]["accuracy"]["value"]
        assert y == pytest.approx(down[0][1] + per_point * (value - down[0][0]), abs=0.6)


def test_what_the_data_looks_like(page, compared, record):
    audit = json.loads((compared / "data" / "audit.json").read_text())
    texts = page.eval_on_selector_all("#data .findings > li > p", "(all) => all.map((e) => e.textContent)")
    shown = [" ".join(text.split()) for text in texts]
    assert shown == [f"{found['severity']} {found['message']} {found['fix']}" for found in audit["findings"]]
    counts = page.eval_on_selector_all("#data .figures b", "(all) => all.map((e) => e.textContent)")
    labels = len(record["dataset"]["task"]["labels"])
    assert counts == [f"{n:,}" for n in (*(split["rows"] for split in record["split"].values()), labels)]


def test_training_curves_stand_where_their_events_say(page, compared):
    """The evaluated losses and scores are dots; their heights are read off the picture's own ticks."""
    lines = (compared / "runs" / "encoder-minilm" / "events.jsonl").read_text().splitlines()
    events = [event for event in map(json.loads, lines) if event.get("measured") == "evaluated"]
    pictures = page.evaluate("""() => {
      const title = [...document.querySelectorAll("#settings h3")].find((e) => e.textContent.includes("training"));
      const at = (e, name) => parseFloat(e.getAttribute(name)), found = [];
      for (let e = title.nextElementSibling; e && e.tagName === "FIGURE"; e = e.nextElementSibling) {
        const svg = e.querySelector("svg");
        const ticks = [...svg.querySelectorAll(".tick")];
        const told = ticks.map((t) => [t.textContent, t.getAttribute("x"), at(t, "y") - 4]);
        found.push({ticks: told, heights: [...svg.querySelectorAll(".dot")].map((d) => at(d, "cy"))});
      }
      return found;
    }""")
    for what, picture in zip(("loss", "accuracy"), pictures, strict=True):
        down = [(number(w) / (100 if "%" in w else 1), y) for w, x, y in picture["ticks"] if not x.endswith("%")]
        per_unit = (down[-1][1] - down[0][1]) / (down[-1][0] - down[0][0])
        told = [e[what] for split in ("train", "validation") for e in events if e["split"] == split and what in e]
        heights = [down[0][1] + per_unit * (value - down[0][0]) for value in told]
        assert picture["heights"] == pytest.approx(heights, abs=0.6)


def test_how_to_repeat_it(page, record, runs):
    told = page.text_content("#repeat")
    assert record["command"] in told
    for split in record["split"].values():
        assert split["hash"] in told
    for run in runs.values():
        assert run["key"] in told
    for name, version in record["environment"]["packages"].items():
        assert f"{name}{version}" in re.sub(r"\s", "", told)


def number(words):
    return float(re.search(r"-?[\d,.]+", words.replace("−", "-"))[0].replace(",", ""))


def len10(value):
    import math

    return math.log10(value)
