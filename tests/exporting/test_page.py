"""`slmfit export --format html`: the page answers as the run does, number by number, and asks nobody."""

import json
import random
import sys
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import slmfit
from conftest import WORDS, make_dataset
from slmfit.__main__ import main
from slmfit.data.clean import clean
from slmfit.data.dataset import Dataset
from slmfit.data.recipe import TextRecipe
from slmfit.errors import MissingPart, UsageError
from slmfit.exporting.gate import GateRefused
from slmfit.exporting.page.packing import Sections
from slmfit.exporting.record import read_export
from slmfit.records import Example
from slmfit.tasks import by_name
from slmfit.text.cutting import CUTS, words_of
from static_model import wordpiece_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

ODD = """
ΟΔΥΣΣΕΥΣ ΣΑΣ. Σ|İstanbul'da KAFKASSE ẞ ŉ ǅ|包裹在哪里？丟失了|ลูกค้าไม่พอใจ|ＦＵＬＬ！！ １２３|🤷🏽\u200d♀️ 👍🏽 🇩🇪🇫🇷 ❤️
:-) :-((( ;) (: =D ://|-5 --3 x-1 a-b-c --- !-7|e\u0301te\u0301 हिन्दी किताब|\x1c\x85\u2028 a\u200bb \ufeffc|\ud800 half
   |Ǆ ꟋA Ა 각 é́
[UNK] [PAD] [CLS] it|refund &amp;amp; &#39; #39; amp; <b>x</b> &notit; &#0; &#x80; &#xfffe; &lt;i&gt;
C++ C# !!?? ***wow***
he wrote:\r> old\rnew
"""
ODD = ["", "a" * 300, *(text.replace("\r", "\n") for line in ODD.split("\n")[1:-1] for text in line.split("|"))]
LABELS = sorted(WORDS)
CASES = {
    "words": ("linear", {"features": "words"}, ()),
    "stripped": ("linear", {"features": "words+pairs+characters", "ratios": 0.3}, ("quotes", "html")),
    "vectors": ("linear=STATIC", {"features": "embeddings"}, ()),
    "both": ("linear=STATIC", {"features": "words+embeddings"}, ()),
    "knn": ("knn=STATIC", {}, ()),
}


def texts(count, seed):
    """Texts of the usual words, each with something odd in it, and their labels."""
    rng = random.Random(seed)
    for _ in range(count):
        label = rng.choice(LABELS)
        yield " ".join([*rng.choices(WORDS[label], k=4), rng.choice(ODD), *rng.choices(WORDS[label], k=3)]), label


def dataset(strip=()):
    recipe = TextRecipe(strip)
    splits = {
        split: tuple(Example(f"{split}{i}", recipe(text), label) for i, (text, label) in enumerate(texts(count, count)))
        for split, count in {"train": 160, "validation": 40, "test": 41}.items()
    }
    return Dataset("odd tickets", by_name("text-classification").with_labels(LABELS), splits, recipe=recipe)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("pages")
    wordpiece_folder(place / "static", [word for words in WORDS.values() for word in words])
    return place


@pytest.fixture(scope="module")
def trained(place):
    """trained(case): its run and data."""
    made = {}

    def trained(case):
        if case not in made:
            method, settings, strip = CASES[case]
            data, kind = dataset(strip), method.partition("=")[0]
            method = method.replace("STATIC", str(place / "static"))
            made[case] = slmfit.train(data, method, settings={kind: settings}, out=place / case), data
        return made[case]

    return trained


@pytest.fixture(scope="module")
def written(trained, place):
    """written(case): its run and page, not checked."""

    def written(case):
        run, data = trained(case)
        folder = place / f"{case} page"
        if not folder.exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("slmfit.exporting.page.replay.missing", lambda name: True)
                slmfit.export(run, "html", folder, data=data, accept=True)
        return run, folder / read_export(folder).about["page"]

    return written


@pytest.mark.parametrize("case", CASES)
def test_answers_as_the_run_does(case, written, visit):
    run, path = written(case)
    given = [*ODD, *(text for text, _ in texts(60, 9))]
    page = visit(path)
    found = page.evaluate("texts => answers(texts)", [[text] for text in given])
    for text, answer, (label, shares) in zip(given, run.predict(given), found, strict=True):
        assert run.task.labels[label] == answer.target, text
        assert shares == pytest.approx(list(answer.probabilities.values()), abs=1e-12), text
    assert page.asked == [path.as_uri()] and page.said == []


@pytest.mark.parametrize("cut", CUTS)
def test_words_of_every_character(cut, written, visit):
    from slmfit.exporting.page.spelling import cutting

    assigned = [chr(point) for point in range(0x20000) if unicodedata.category(chr(point)) not in ("Cn", "Co", "Cs")]
    drawn = random.Random(cut).sample(assigned, 3000)
    given = [f"{a}{b} x{b}{a}y -{a}1{b} {b}{b}{b} Σ{a}Σ" for a, b in pairwise(drawn)]
    page = visit(written("words")[1])
    found = page.evaluate("([about, texts]) => texts.map(cutter(about))", [cutting(cut), given])
    assert found == [words_of(text, shortest=1, cut=cut) for text in given]


def test_cleaning(written, visit):
    page = visit(written("stripped")[1])
    parts = [
        *"ab;&#<> /x1\r\n",
        "amp",
        "lt",
        "#39",
        "notin",
        "#x1F",
        "#128",
        "\n\n",
        "From: ",
        "--\n",
        "\r\n",
        "wrote:",
        *("<script>", "</SCRIPT>", "<!--", "-->", "<b>", "<int>", "<a x=1>", "<K y='", "\u212a>", "<\u017f>"),
    ]
    given = ["".join(random.Random(seed).choices([*parts, *ODD], k=12)) for seed in range(200)]
    for strip in (["html"], ["headers", "footers", "quotes"]):
        about = {"strip": strip}
        found = page.evaluate("([about, texts]) => texts.map(cleaner({ ...model.recipe, ...about }))", [about, given])
        assert found == [clean(text, strip) for text in given]


def test_tokens(written, trained, visit):
    page, embedding = visit(written("knn")[1]), trained("knn")[0].method.part.embedding
    drawn = random.Random(0).sample(range(0xD800), 3000)
    given = [*ODD, *("".join(f"{chr(a)}a" for a in drawn[i : i + 9]) for i in range(0, 3000, 9))]
    given = [text for text in given if "\ud800" not in text]
    found = page.evaluate("texts => texts.map(tokenizer(model.vectors))", given)
    assert found == [e.ids for e in embedding.tokenizer.encode_batch(given, add_special_tokens=False)]
    vectors = page.evaluate("texts => texts.map((text) => [...embedder(model.vectors)(text)])", given)
    assert np.array_equal(np.array(vectors, np.float32), embedding.embed(given))


def test_large_keys(written, visit):
    """Runs of four characters of a large alphabet are numbers beyond 2 ** 53, or hashes."""
    from slmfit.text.ngrams import _gram_keys

    page = visit(written("words")[1])
    for size in (500, 20_000, 60_000):
        run = [1, size - 1, size // 2, 7]
        (key,) = _gram_keys([np.array([one], np.int32) for one in run], size)
        among = "new Float64Array()" if size**4 < 2**53 else "new BigInt64Array()"
        assert page.evaluate(f"String(keyed({size})({run}, {among}))") == str(key)
    numbers = np.unique(np.random.default_rng(0).integers(0, 2**62, 100))
    for some in (numbers, numbers >> 12):
        sections = Sections()
        section = sections.rising(some)
        code = "([bytes, wide]) => [...rising(Uint8Array.from(bytes), wide)].map(String)"
        assert page.evaluate(code, [list(sections.parts[0]), section["wide"]]) == list(map(str, some.tolist()))


def test_the_gate(trained, tmp_path, browser, monkeypatch):
    run, data = trained("words")
    folder = slmfit.export(run, "html", tmp_path / "page", data=data)
    record = read_export(folder)
    assert record.gate.agreement == 1 and record.gate.probability_gap < 1e-12 and record.gate.rows == 40
    assert record.files.keys() == {"linear.html"}
    assert "answers each of 40 validation rows as the run does" in (folder / "linear.html").read_text()
    exact = Sections.float16
    monkeypatch.setattr(Sections, "float16", lambda self, numbers: exact(self, np.rint(numbers * 2) / np.float16(2)))
    with pytest.raises(GateRefused, match="the page is refused"):
        slmfit.export(run, "html", tmp_path / "coarse", data=data)
    assert not (tmp_path / "coarse").exists()
    accepted = slmfit.export(run, "html", tmp_path / "coarse", data=data, accept=True)
    assert read_export(accepted).gate.accepted and "accepted though" in (accepted / "linear.html").read_text()


def test_without_a_browser(trained, tmp_path, monkeypatch):
    run, data = trained("words")
    monkeypatch.setattr("slmfit.exporting.page.replay.missing", lambda name: True)
    with pytest.raises(MissingPart, match="needs the package playwright") as caught:
        slmfit.export(run, "html", tmp_path / "page", data=data)
    assert "--accept" in str(caught.value)
    asked = [str(run.folder), "--format", "html", "--accept", "--output", str(tmp_path / "page")]
    monkeypatch.setattr(sys, "argv", ["slmfit", "export", *asked])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    record = read_export(tmp_path / "page")
    assert record.gate is None and record.about["unchecked"].startswith("Not checked")
    assert "Not checked in a browser" in (tmp_path / "page" / "linear.html").read_text()


def test_no_page(trained, tmp_path):
    for method, data, instead in (
        ("majority", make_dataset(), "a run of majority holds no model"),
        ("knn", make_dataset(), "its vectors are those of LSA"),
        ("linear", make_dataset("multiple-choice"), "`slmfit predict`"),
    ):
        run = slmfit.train(data, method, out=tmp_path / data.task.name / method)
        with pytest.raises(UsageError) as caught:
            slmfit.export(run, "html", tmp_path / "page", data=data)
        assert instead in str(caught.value)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_work(scheme, written, visit):
    page = visit(written("words")[1], scheme=scheme, width=390)
    page.get_by_placeholder("Type or paste a text").fill("my parcel and the courier are late")
    assert page.locator("#answer h2").inner_text() == "It is delivery"
    assert page.locator("#bars li").count() == 3 and "%" in page.locator("#bars .first .num").inner_text()
    assert "courier" in page.locator("#words").inner_text()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    page.locator("#lines").fill('refund "now"\n\n=1+1 parcel\n<img src=x onerror=alert(1)>')
    page.locator("#table tbody tr").nth(2).wait_for()
    assert page.locator("#counted").inner_text() == "3 texts" and page.locator("#table img").count() == 0
    assert page.locator("#table td:first-child").all_inner_texts() == ["1", "3", "4"], "lines as they were pasted"
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "text,prediction,probability" and lines[1].startswith('"refund ""now""",billing,0.')
    assert lines[2].startswith("'=1+1 parcel,delivery,")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.asked == [page.url], "not even for the CSV"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(scheme, written, browser, axe):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(written("words")[1].as_uri())
    page.locator("#text-1").fill("my parcel is late")
    page.evaluate(axe)
    for mode in ("one", "each"):
        page.evaluate("mode => document.getElementById(mode).click()", mode)
        page.locator("#lines").fill("my parcel is late") if mode == "each" else None
        found = page.evaluate("() => axe.run()")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    context.close()


def test_two_texts(tmp_path, visit):
    every = [(a, b, i) for a in WORDS for b in WORDS for i in range(9)]
    rows = [{"premise": f"the {a} {'so' * i}", "hypothesis": f"no {b}", "label": str(a == b)} for a, b, i in every]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = slmfit.load_data(path)
    run = slmfit.train(data, "linear", settings={"linear": {"features": "words+pairs"}}, out=tmp_path / "out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slmfit.exporting.page.replay.missing", lambda name: True)
        folder = slmfit.export(run, "html", tmp_path / "page", accept=True)
    page = visit(folder / "linear.html")
    given = [example.input for example in data.test]
    found = page.evaluate("texts => answers(texts)", [[one.first, one.second] for one in given])
    assert [run.task.labels[label] for label, _ in found] == [answer.target for answer in run.predict(given)]
    page.get_by_label(data.task.texts[0]).fill("the parcel is here")
    assert page.locator("#bars li").count() == 2
