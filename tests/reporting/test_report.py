"""What the report makes of what is on disk, read without a browser: what is in it, what is not, what it refuses."""

import base64
import json
import re
import zlib
from itertools import pairwise

import fakes
import pytest
from markupsafe import escape

from conftest import make_dataset
from slmfit import reporting, storage
from slmfit.comparison.compare import compare
from slmfit.errors import UsageError
from slmfit.records import Prediction
from slmfit.reporting import rows
from slmfit.reporting.charts import NUMBER, Axis
from slmfit.runs.brief import comparison_html, escaped, run_html
from slmfit.runs.card import model_card
from slmfit.runs.run import read_comparison, read_run
from slmfit.text.visible import excerpt, visible


def unpacked(page):
    """The rows as script.js unpacks them."""
    block = re.search(r'<script type="text/plain" id="packed">([^<]*)</script>', page)
    return json.loads(zlib.decompress(base64.b64decode(block[1])))


def named(n, labels, train=60):
    """Texts that can be told apart from everything else in a page."""
    texts = [f"sekrit{i if i % 50 else ' twin'} lorem ipsum dolor sit amet" for i in range(n + train)]
    return fakes.classified(texts, [labels[i % len(labels)] for i in range(n + train)], train)


TWO = {"majority": fakes.SIX["majority"], "linear": fakes.SIX["linear"]}


@pytest.fixture
def small(tmp_path):
    data = named(80, "ab")
    return fakes.write_comparison(
        tmp_path / "out", data, TWO, search=fakes.searches(), diagnostics=fakes.diagnosed(data)
    )


def test_rows_are_those_on_disk(small):
    found = unpacked(reporting.html([small]))
    assert found["words"][:2] == ["a", "b"]
    for at, method in enumerate(TWO):
        told = storage.read_jsonl(small / "runs" / method / "predictions.jsonl")
        for row, i in zip((r for r in told if r["split"] == "test"), range(80), strict=True):
            assert found["ids"][i] == row["id"]
            assert found["words"][found["truths"][i]] == row["target"]
            assert found["words"][found["said"][at][i]] == row["prediction"]
            assert f"{found['sure'][at][i] / 10:.1f}" == f"{100 * row['probabilities'][row['prediction']]:.1f}"


def test_without_texts_nothing_of_them_is_left(tmp_path):
    data = named(80, "ab")
    told = [Prediction(None, "refused", raw=f"I will not say {e.input}") for e in data.test]
    methods = {**TWO, "llm": fakes.Fake("llm", 0.5, probabilities=False)}
    diagnosed = fakes.diagnosed(data)
    folder = fakes.write_comparison(tmp_path / "out", data, methods, found={"llm": told}, diagnostics=diagnosed)
    audit = storage.read_json(folder / "data" / "audit.json")
    assert "sekrit" in json.dumps(audit)  # near-duplicates, with their texts
    full, bare = reporting.html([folder]), reporting.html([folder], texts=False)
    assert "sekrit" in full
    assert "sekrit" in json.dumps(unpacked(full))
    assert "sekrit" not in bare
    assert "texts" not in unpacked(bare)
    assert "sekrit" not in json.dumps(unpacked(bare))
    assert "left out" in bare
    assert reporting.html([folder / "runs" / "linear"], texts=False).count("sekrit") == 0


def test_beyond_the_cap_rows_are_sampled_and_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "CAP", 200)
    monkeypatch.setattr(rows, "SUREST", 10)
    folder = fakes.write_comparison(tmp_path / "out", named(3000, "abc"), TWO)
    page = reporting.html([folder])
    found = unpacked(page)
    assert 200 <= len(found["ids"]) <= 220
    assert f"{len(found['ids']):,} of 3,000 test rows" in page
    rows_ = [r for r in storage.read_jsonl(folder / "runs" / "linear" / "predictions.jsonl") if r["split"] == "test"]
    wrong = [r for r in rows_ if r["prediction"] != r["target"]]
    surest = sorted(wrong, key=lambda r: -r["probabilities"][r["prediction"]])[:10]
    assert [found["ids"][i] for i in found["surest"][1]] == [r["id"] for r in surest]
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', page)[1])
    assert sum(n for *_, n in facts["methods"][1]["confusion"]) == 3000
    assert reporting.html([folder]) == page  # the same rows every time


def test_texts_are_cut_so_that_the_page_stays_small(tmp_path, monkeypatch):
    folder = fakes.write_comparison(tmp_path / "out", fakes.news(600), TWO, skipped=())
    whole = reporting.html([folder])
    assert "texts are cut" not in whole
    assert unpacked(whole)["texts"][0] == json.loads((folder / "data/test.jsonl").read_text().splitlines()[0])["text"]
    monkeypatch.setattr(reporting, "LEAST", 1000)
    monkeypatch.setattr(reporting, "SIZE", len(whole) - 20_000)
    page = reporting.html([folder])
    cut = int(re.search(r"texts are cut after (\d+) characters", page)[1])
    assert len(page) <= len(whole) - 20_000
    assert max(map(len, unpacked(page)["texts"])) == cut


def test_a_single_run_and_several(small, tmp_path):
    page = reporting.html([small / "runs" / "linear"])
    assert "linear on news" in page
    assert 'class="tag">pick' not in page
    assert unpacked(page)["texts"][0].startswith("sekrit")
    both = reporting.html([small / "runs" / "linear", small / "runs" / "majority"])
    assert "2 runs, not compared" in both
    other = fakes.write_comparison(tmp_path / "other", named(70, "ab"), TWO)
    with pytest.raises(UsageError, match="different test rows"):
        reporting.html([small / "runs" / "linear", other / "runs" / "linear"])
    with pytest.raises(UsageError, match="there is no such folder"):
        reporting.html([tmp_path / "nothing"])
    path = reporting.report(small / "runs" / "linear", tmp_path / "new" / "one.html")
    assert path.read_text() == page


@pytest.mark.parametrize("task", ["text-classification", "token-classification", "multiple-choice"])
def test_every_task(task, tmp_path):
    data = make_dataset(task)
    found = compare(data, "majority", out=tmp_path / "out")
    page = reporting.html([found.folder])
    assert str(escape(found.record.verdict.sentence.split(": ")[0].removeprefix("majority "))) in page
    table = unpacked(page)
    assert len(table["ids"]) == len(data.test)
    assert any(character.isdigit() or character.isalpha() for character in table["texts"][0])
    assert json.dumps(table).count("sekrit") == 0


def test_what_is_missing_is_said_or_left_out(small):
    record = storage.read_json(small / "comparison.json")
    (small / "data" / "diagnostics.json").unlink()
    (small / "data" / "audit.json").unlink()
    (small / "data" / "test.jsonl").unlink()
    page = reporting.html([small])
    assert "No audit is stored" in page
    assert "texts" not in unpacked(page)
    run = storage.read_json(small / "runs" / "linear" / "run.json")
    run["scores"]["test"]["accuracy"]["value"] = 0.5
    storage.write_json(small / "runs" / "linear" / "run.json", run)
    assert "linear was fitted again since" in reporting.html([small])
    storage.remove(small / "runs")
    page = reporting.html([small])
    assert "no longer there" in page
    assert "There are no predictions to show" in page
    for row in record["methods"]:
        row |= {"status": "skipped", "reason": "pip install 'slmfit[train]'", "run": None, "scores": None}
    record["verdict"] |= {"kind": "too-little-data", "method": None, "best": None, "tied": [], "caveats": []}
    record |= {"paired": {}}
    storage.write_json(small / "comparison.json", record)
    assert "pip install" in reporting.html([small])


def test_strings_are_made_visible():
    assert visible("a\x1b[31mb\u202ec\x00d\x7fe\x85") == "a␛[31mb⟨U+202E⟩c␀d␡e⟨U+0085⟩"
    assert visible("line\nend\tto") == "line end to"
    assert visible("Z" + "\u0301" * 50) == "Z" + "\u0301" * 4
    for kept in ("naïve", "日本語", "שלום", "👩\u200d👧", "नमस्ते", "مرحبا"):
        assert visible(kept) == kept
    assert excerpt("a  long\ntext", 6) == "a lon…"
    assert excerpt("short", 6) == "short"
    assert len(excerpt("x" * 10_000_000, 100)) == 100


def test_in_a_notebook(small):
    record = read_comparison(small)
    shown = comparison_html(record)
    assert "<script" not in shown
    assert record.verdict.sentence in shown
    assert "pip install &#39;slmfit[train]&#39;" in shown
    assert "linear on news" in run_html(read_run(small / "runs" / "linear"))


def test_markdown_for_a_pull_request(small):
    text = reporting.markdown(small)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in lines if "--" not in line} == {6}
    assert "**" in text.splitlines()[0]
    assert escaped("a|b <i>`x`\n@you [l](u)") == "a\\|b \\<i\\>'x' @\u200byou \\[l\\](u)"
    assert "| linear |" in reporting.markdown([small / "runs" / "linear"])


def test_model_card(small):
    yaml = pytest.importorskip("yaml")
    card = model_card(read_run(small / "runs" / "linear"))
    block = yaml.safe_load(card.split("---\n")[1])
    run = storage.read_json(small / "runs" / "linear" / "run.json")
    assert block["pipeline_tag"] == "text-classification"
    result = block["model-index"][0]["results"][0]
    assert result["dataset"]["split"] == "test"
    assert {m["type"]: m["value"] for m in result["metrics"]} == {
        n: s["value"] for n, s in run["scores"]["test"].items()
    }
    assert "base_model" not in block


@pytest.mark.parametrize("times", [1.0, 1.5, 4.0, 6.0, 9.0, 30.0, 200.0, 1e4, 1e8])
def test_numbers_below_a_log_scale_have_room_on_a_phone(times):
    axis = Axis.of([270e3, 270e3 * times], log=True)
    places = [axis.at(tick) for tick in axis.ticks]
    assert len(places) >= 2
    assert all(two - one >= NUMBER - 1e-9 for one, two in pairwise(places))
