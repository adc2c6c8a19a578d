"""What explore says is what is there, by counting anew; and its page shows that, and obeys nothing in it."""

import json
import math
import random
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conftest import WORDS, make_dataset
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError
from slmfit.exploring import explore, write_page
from slmfit.exploring.lengths import text_lengths
from slmfit.exploring.page import draw
from slmfit.exploring.words import telling_words
from slmfit.records import SPLITS, Entities, Example, Span
from slmfit.tasks import by_name
from slmfit.text.cutting import words_of

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

TASKS = ["text-classification", "token-classification", "multiple-choice"]
HOSTILE = [
    "<script>window.hit = 1</script>", "</script><script>window.hit=2</script>", "</style><img src=x onerror=hit()>",
    '" onmouseover="window.hit=3" x="', "' autofocus onfocus='window.hit=4", "<svg onload=window.hit=5>", "{{ 7 * 7 }}",
    "javascript:window.hit=6", "\x1b[31mred\x1b[0m \u202egnp.exe", "=cmd|'/C calc'!A0", "\ud800 lone", "W" * 400,
    "&lt;b&gt;",
    "<!-- ", "]]>", "\x00", "<base href=https://example.com/>", "Z" + "\u0335" * 60, "<a href=//example.com>x</a>",
]  # fmt: skip


def dataset(pairs, test=(), name="made"):
    rows = {"train": pairs, "validation": (), "test": test}
    splits = {
        split: tuple(Example(f"{split}{i}", text, label) for i, (text, label) in enumerate(some))
        for split, some in rows.items()
    }
    task = by_name("text-classification").with_labels(e.target for some in splits.values() for e in some)
    return Dataset(name, task, splits)


# --- counts ---


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_json_twice_the_same_and_drawn(task, tmp_path):
    data = make_dataset(task)
    found = explore(data)
    assert json.loads(json.dumps(found, allow_nan=False)) == found == explore(data)
    assert found["rows"] == {split: len(data.splits[split]) for split in SPLITS}
    assert found["audit"] == audit_dataset(data)
    write_page(found, tmp_path / "new" / "page.html")
    page = (tmp_path / "new" / "page.html").read_text()
    for group in found["classes"]:
        for row in group["rows"]:
            assert row["total"] == row["train"] + row["validation"] + row["test"]
            assert f"<b>{row['total']:,}</b>" in page


def test_classes_are_counted():
    data = make_dataset()
    (group,) = explore(data)["classes"]
    counts = Counter(e.target for split in SPLITS for e in data.splits[split])
    assert {row["name"]: row["total"] for row in group["rows"]} == dict(counts)
    assert [row["total"] for row in group["rows"]] == sorted(counts.values(), reverse=True)
    assert group["imbalance"] == max(counts.values()) / min(counts.values())
    assert sum(row["share"] for row in group["rows"]) == pytest.approx(1)


def test_entities_are_counted_and_the_ambiguous_found():
    texts = [
        ("paris hotel, paris!", [(0, 5, "CITY")]),
        ("Paris hilton in the New York hotel", [(0, 5, "NAME"), (6, 12, "NAME"), (20, 28, "CITY")]),
        ("new  york is in york", [(0, 9, "CITY"), (16, 20, "CITY")]),
        ("oslo", [(0, 4, "CITY")]),
    ]
    examples = tuple(Example(str(i), t, Entities(tuple(Span(*s) for s in spans))) for i, (t, spans) in enumerate(texts))
    task = by_name("token-classification").with_labels(e.target for e in examples)
    found = explore(Dataset("made", task, {"train": examples, "validation": (), "test": ()}))
    assert [(t["type"], t["spans"], t["rows"], t["different"]) for t in found["entities"]["types"]] == [
        ("CITY", 5, 4, 5),
        ("NAME", 2, 1, 2),
    ]
    assert [t["words"] for t in found["entities"]["types"]] == [{"median": 1, "most": 2}, {"median": 1, "most": 1}]
    # "york" inside of "New York" is no york that lacks its mark
    assert found["entities"]["ambiguous"] == [{"text": "paris", "types": {"CITY": 1, "NAME": 1}, "unmarked": 1}]
    assert found["telling_words"]["classes"] == []
    assert "Not always the same thing" in draw(found)


def test_the_test_splits_labels_are_counted_and_otherwise_left_alone():
    train = [(e.input, e.target) for e in make_dataset().train]
    one, other = (
        explore(dataset(train, test=[("my card was charged", label)] * 3)) for label in ("billing", "delivery")
    )
    assert one["telling_words"] == other["telling_words"]
    assert one["suspects"] == other["suspects"]
    assert one["classes"] != other["classes"]


# --- lengths ---


def test_lengths_in_every_unit():
    found = text_lengths(["", "one", "two words", "東京都 へ行く", "a" * 300], ["x", "x", "y", "y", None], None)
    assert found["all"]["characters"] == {"least": 0, "p25": 3, "median": 7, "p75": 9, "p95": 300, "most": 300}
    assert found["all"]["words"]["most"] == 2
    assert [(c["name"], c["words"]["most"]) for c in found["by_class"]] == [("x", 1), ("y", 2)]
    assert found["by_class"][1]["tokens"]["most"] == 2 + 7  # six letters of a script without spaces
    assert sum(b["rows"] for b in found["histogram"]) == 5


def test_what_a_window_cuts():
    texts = ["word " * n for n in (10, 200, 2_000)]
    found = {w["tokens"]: w for w in text_lengths(texts, [None] * 3, None)["windows"]}
    assert [found[size]["rows"] for size in (128, 256, 512)] == [2, 1, 1]
    assert found[512]["lost"] == pytest.approx((2_202 - 512) / (13 + 222 + 2_202))


def test_tokens_are_counted_with_a_tokenizer(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"card": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(3)  # as many published ones have: what would be cut must be counted all the same
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = text_lengths(["card card. card card"], [None], tmp_path)
    assert found["all"]["tokens"]["most"] == 5 and "counted" in found["tokens_are"]
    (tmp_path / "tokenizer.json").write_text("{")
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match="is no tokenizer"):
            explore(make_dataset(), path)


# --- words ---


def straightforward(texts, classes, name):
    """Monroe et al. 2008, equations 16, 20 and 22, word by word."""
    here, other = Counter(), Counter()
    for text, label in zip(texts, classes, strict=True):
        (here if label == name else other).update(set(words_of(text)))
    prior = here + other
    a0, n1, n2 = prior.total(), here.total(), other.total()
    scores = {}
    for word, a in prior.items():
        one = math.log((here[word] + a) / (n1 + a0 - here[word] - a))
        two = math.log((other[word] + a) / (n2 + a0 - other[word] - a))
        scores[word] = (one - two) / math.sqrt(1 / (here[word] + a) + 1 / (other[word] + a))
    return scores


def test_telling_words_are_those_of_a_straightforward_implementation():
    data = make_dataset(sizes=(300, 0, 0))
    texts, classes = [e.input for e in data.train], [e.target for e in data.train]
    found = telling_words(texts, classes)
    assert [c["name"] for c in found["classes"]] == sorted(WORDS)
    for one in found["classes"]:
        scores = straightforward(texts, classes, one["name"])
        best = sorted(((z, w) for w, z in scores.items() if z > 1.96), key=lambda pair: (-pair[0], pair[1]))[:12]
        assert {w["word"]: w["z"] for w in one["words"]} == pytest.approx({w: round(z, 2) for z, w in best})
        assert set(WORDS[one["name"]]) >= {w["word"] for w in one["words"][:8]}
        top = one["words"][0]
        having = [c for t, c in zip(texts, classes, strict=True) if top["word"] in t.split()]
        assert (top["texts"], top["elsewhere"]) == (having.count(one["name"]), len(having) - having.count(one["name"]))


def test_a_text_that_repeats_itself_does_not_make_the_word_of_its_class():
    texts = ["spam " * 500, *["refund money"] * 30, *["late parcel"] * 30]
    found = telling_words(texts, ["billing"] * 31 + ["delivery"] * 30)
    assert "spam" not in {w["word"] for w in found["classes"][0]["words"]}


@pytest.mark.parametrize("texts", [["a", ""], ["", ""], ["one", "one"], ["word", ""]])
def test_hardly_any_words(texts):
    assert all(not c["words"] for c in telling_words(texts, ["x", "y"])["classes"])


# --- odd rows ---


def test_odd_rows_are_found():
    usual = [(f"my card number {i} was charged", "xy"[i % 2]) for i in range(40)]
    found = explore(dataset([*usual, ("", "x"), ("+++ 12345 !!!", "y"), ("long " * 2_000, "x"), ("नमस्ते दुनिया", "y")]))
    odd = {kind["kind"]: kind for kind in found["odd_rows"]}
    assert {name: kind["count"] for name, kind in odd.items()} == {"empty": 1, "very_long": 1, "few_letters": 1}
    assert odd["few_letters"]["examples"] == [
        {"id": "train41", "split": "train", "label": "y", "text": "+++ 12345 !!!", "letters": 0.0}
    ]
    assert odd["very_long"]["examples"][0]["characters"] == 10_000


# --- the page ---


class Reader(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = Counter(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, text):
        self.text.append(text)


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    rng = random.Random(0)
    labels = [f"{attack} {i}" for i, attack in enumerate(HOSTILE)]
    count = len(labels)
    texts = [f"{rng.choice(HOSTILE)} word{i % 7} {rng.choice(HOSTILE)}" for i in range(12 * count)]
    pairs = [(text, labels[i % count]) for i, text in enumerate(texts)]
    pairs += [(" ", labels[0]), ("12:30 " * 3000, labels[1]), ("<>" * 20, labels[2])]
    data = dataset(pairs, test=pairs[:30], name="<script>window.hit=9</script>")
    examples = {s: tuple(Example(f"{e.id}{HOSTILE[3]}", e.input, e.target) for e in data.splits[s]) for s in SPLITS}
    data = Dataset(data.name, data.task, examples, notes=tuple(HOSTILE))
    path = tmp_path_factory.mktemp("hostile") / "page.html"
    write_page(explore(data), path)
    return path


def test_hostile_strings_stay_strings(hostile_page):
    page = hostile_page.read_text(encoding="utf-8")
    read = Reader(page)
    assert not read.tags.keys() & {"img", "iframe", "base", "object", "embed", "form", "foreignobject", "animate"}
    assert read.tags["script"] == read.tags["style"] == 1
    assert not any(name.startswith("on") or name == "style" for name in read.attributes)
    assert "default-src 'none'" in page
    assert "49" not in page.split("<h1>")[1].split("</h1>")[0]
    assert HOSTILE[0] in "".join(read.text)
    assert not any(c in page for c in "\x1b\x00\u202e")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_obeys_nothing_asks_for_nothing_and_holds_the_width(hostile_page, visit, scheme):
    for width in (390, 1280):
        page = visit(hostile_page, width=width, scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.said == [] and page.asked == [hostile_page.as_uri()]
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_no_fault(visit, axe, browser, tmp_path):
    write_page(explore(make_dataset()), tmp_path / "page.html")
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        context.close()
        assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_many_classes_are_cut_and_said_to_be():
    pairs = [(f"text about topic{i % 150} number {i}", f"label {i % 150}") for i in range(600)]
    page = draw(explore(dataset(pairs)))
    assert "and 90 more" in page and len(page) < 400_000


@pytest.mark.parametrize("pairs", [[("", "x"), ("", "y")], [("same", "x"), ("same", "x")], [("a", "x"), ("b", "y")]])
def test_next_to_nothing_is_drawn_too(pairs):
    draw(explore(dataset(pairs)))
