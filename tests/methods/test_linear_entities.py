"""linear on entities: CRFsuite's answers to the last tie, exact places, and rows that lack what others have."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_dataset
from slmfit import environment, methods
from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.methods.base import Context
from slmfit.methods.linear import Linear, Settings, crfsuite, tagging
from slmfit.methods.linear.crf import Chances, Crf
from slmfit.methods.linear.spans import Spans
from slmfit.methods.linear.wording import Wording
from slmfit.methods.linear.words import FAR, NEAR, attributes, shape
from slmfit.records import Entities, Example, Span, Tokens
from slmfit.tasks.spans import join_tokens, spans_from_tags
from slmfit.tasks.splitting import GRAINS, grain_for, split_by, tags_of
from slmfit.tasks.tagging import TokenClassification
from static_model import model2vec_folder

pycrfsuite = pytest.importorskip("pycrfsuite")


def row(text, *marked, intent=None, id="1"):
    """An example with spans over the marked words, given as (words, label) in reading order."""
    spans, at = [], 0
    for words, label in marked:
        start = text.index(words, at)
        at = start + len(words)
        spans.append(Span(start, at, label))
    return Example(id, text, Entities(tuple(spans), intent))


def fit(train, validation=(), metric="entity_f1", **given):
    task = TokenClassification().with_labels(e.target for e in [*train, *validation])
    method = Linear(Settings(**given))
    method.fit(task, train, validation, Context(metric=metric))
    return method, task


def found(method, text):
    """(words, label) of every span found."""
    return [(text[s.start : s.end], s.label) for s in method.predict([text])[0].target.spans]


FLIGHTS = [
    row(f"fly from {a} to {b} on {day}", (a, "FROM"), (b, "TO"), (day, "DAY"))
    for a, b in itertools.permutations(["Rome", "Oslo", "New York", "Lima"], 2)
    for day in ("Monday", "Friday")
]


# --- the same answers as CRFsuite ---

ATTRIBUTES = st.sampled_from("abcdefgh")
SEQUENCES = st.lists(st.tuples(st.lists(ATTRIBUTES, max_size=4), st.sampled_from("OBIX")), min_size=1, max_size=6)
PENALTIES = st.sampled_from([0.0, 0.01, 0.3, 3.0])


def both(sequences, c1, c2, folder):
    """The same CRF, taken over and in CRFsuite's own tagger."""
    texts = [[word for word, _ in sequence] for sequence in sequences]
    tags = [[tag for _, tag in sequence] for sequence in sequences]
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.select("lbfgs")
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": 15})
    for text, answers in zip(texts, tags, strict=True):
        trainer.append(text, answers)
    trainer.train(str(folder / "model"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(folder / "model"))
    return crfsuite.train(texts, tags, c1=c1, c2=c2, iterations=15), tagger


@settings(max_examples=60, deadline=None)
@given(
    st.lists(SEQUENCES, min_size=1, max_size=6),
    st.lists(st.lists(st.lists(st.sampled_from("abcdefghyz"), max_size=5), min_size=1, max_size=7), max_size=4),
    PENALTIES,
    PENALTIES,
)
def test_the_decoder_answers_as_crfsuite_does(tmp_path_factory, sequences, texts, c1, c2):
    crf, tagger = both(sequences, c1, c2, tmp_path_factory.mktemp("crf"))
    texts = [[word for word, _ in sequence] for sequence in sequences] + texts
    together = crf.scores(texts)
    for text, scores in zip(texts, together, strict=True):
        assert np.array_equal(scores, crf.scores([text])[0])
        path = crf.best(scores)
        assert [crf.tags[tag] for tag in path] == tagger.tag(text)
        chances = Chances(scores, crf.transitions)
        tagger.set(text)
        assert chances.of(path, 0, len(path)) == pytest.approx(tagger.probability(tagger.tag(text)), abs=1e-9)
        for t, (k, tag) in itertools.product(range(len(text)), enumerate(crf.tags)):
            assert chances.of([k] * len(text), t, t + 1) == pytest.approx(tagger.marginal(tag, t), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([0.1, 3.0, 60.0]))
def test_the_best_tags_and_their_chances_are_those_of_counting_all(length, tags, seed, scale):
    rng = np.random.default_rng(seed)
    scores, transitions = rng.normal(0, scale, (length, tags)), rng.normal(0, scale, (tags, tags))
    none = np.zeros(0, np.int32)
    crf = Crf(tuple("ABCD"[:tags]), (), np.zeros(1, np.int32), none, none.astype(float), transitions)
    paths = list(itertools.product(range(tags), repeat=length))
    weights = np.array([
        sum(scores[t, y] for t, y in enumerate(path)) + sum(transitions[a, b] for a, b in itertools.pairwise(path))
        for path in paths
    ])  # fmt: skip
    best = paths[int(weights.argmax())]
    shares = np.exp(weights - weights.max())
    shares /= shares.sum()
    assert tuple(crf.best(scores)) == best
    chances = Chances(scores, transitions)
    for begin, end, barred in itertools.product(range(length), range(1, length + 1), [(), (0,), tuple(range(tags))]):
        if begin < end:
            wanted = sum(
                share
                for path, share in zip(paths, shares, strict=True)
                if path[begin:end] == best[begin:end] and not (end < length and path[end] in barred)
            )
            assert chances.of(best, begin, end, barred) == pytest.approx(wanted, abs=1e-9)


def test_equally_good_tags_are_told_apart_as_crfsuite_does(tmp_path):
    crf, tagger = both([[(["a"], "X"), (["b"], "O")], [(["a"], "O"), (["b"], "X")]], 0.0, 1.0, tmp_path)
    for text in ([["a"]], [["b"], ["a"]], [[], [], []], [["unknown"]]):
        assert [crf.tags[tag] for tag in crf.best(crf.scores([text])[0])] == tagger.tag(text)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_an_error_and_no_crash():
    code = """
    import resource
    from slmfit.errors import SlmfitError
    from slmfit.methods.linear import crfsuite
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    words = [[str(n)] for n in range(500)]
    try:
        crfsuite.train([words], [["B-X", "O"] * 250], c1=0.0, c2=0.1, iterations=2)
    except SlmfitError as error:
        print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "could not be written whole" in done.stdout and "fix: free some space" in done.stdout


@pytest.mark.parametrize("kept", [0, 3, 47, 48, 200, -1])
def test_a_model_file_that_is_cut_is_not_read(kept, monkeypatch):
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: whole(path)[:kept])
    with pytest.raises(SlmfitError, match="could not be written whole"):
        crfsuite.train([[["a"], ["b"]]], [["O", "B"]], c1=0.0, c2=0.1, iterations=2)


def test_attributes_and_tags_may_be_any_text():
    odd = ["", "a:b", "nul\0in", "\ud83d half", "tab\t", "\\", "東京", "🙂"]
    crf = crfsuite.train([[[a] for a in odd]] * 3, [odd] * 3, c1=0.0, c2=0.01, iterations=30)
    assert [crf.tags[tag] for tag in crf.best(crf.scores([[[a] for a in odd]])[0])] == odd


def test_a_model_whose_weights_are_all_zero():
    crf = crfsuite.train([[["a"], ["b"]]], [["O", "B"]], c1=1000.0, c2=0.0, iterations=10)
    assert crf.best(crf.scores([[["a"], ["b"], []]])[0]).tolist() == [0, 0, 0]


def test_scores_of_many_texts_are_added_up_in_parts(monkeypatch):
    texts = [attributes(text.split(), NEAR) for text in ("fly to Rome", "", "a", "to Oslo on Monday at noon")] * 3
    spans = Spans.learn(FLIGHTS, Wording("words"), 0.1, 0.01)
    whole = spans.crf.scores(texts)
    monkeypatch.setattr("slmfit.methods.linear.crf.AT_ONCE", 20)
    assert all(np.array_equal(a, b) for a, b in zip(whole, spans.crf.scores(texts), strict=True))


# --- words ---

TEXTS = st.text(st.sampled_from("ab cZ9_.,'-\u00a0\t\n\u0301\u200d🙂\ufe0fאבعر東京हिन्दी\ud800\0"), max_size=30)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(list(GRAINS)))
def test_words_hold_every_character_but_space_once_and_in_order(text, grain):
    places = split_by(text, grain)
    covered = [i for start, end in places for i in range(start, end)]
    assert covered == [i for i, character in enumerate(text) if not character.isspace()]


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.data())
def test_spans_that_end_with_words_come_back_and_others_take_whole_words(text, data):
    points = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(lambda p: sorted(set(p))))
    spans = [Span(a, b, "X") for a, b in itertools.pairwise(points)][::2]
    words = split_by(text, "words")
    tags = tags_of(spans, words)
    for span in spans:
        touched = [i for i, (start, end) in enumerate(words) if start < span.end and end > span.start]
        assert all(tags[i] != "O" for i in touched)


@pytest.mark.parametrize(
    ("examples", "grain"),
    [
        ([row("See St. Ives, (Rome's) at 5pm-6pm.", ("St. Ives", "X"), ("5pm-6pm", "X"))], "words"),
        ([row("See Rome's sights at 5pm-6pm.", ("Rome", "X"), ("5pm", "X"), ("6pm", "X"))], "pieces"),
        ([row("at 5pm", ("5", "HOUR"), ("pm", "HALF"))], "pieces"),
        ([row("明日は東京都に行く", ("東京都", "X"))], "characters"),
        ([row("no entity at all")], "words"),
        ([row("in Rome", ("Rome", "X"))] * 100 + [row("in Romeville", ("Rome", "X"))], "words"),
    ],
)
def test_words_are_as_coarse_as_the_spans_allow(examples, grain):
    assert grain_for(examples) == grain


def test_what_is_told_of_a_word():
    told = attributes(["Fly", "Rome"], NEAR)
    assert {"0 rome", "< r", "< rom", "> me", "= Xx", "-1 fly", "-2 ", "+1 ", "-1 fly rome"} <= set(told[1])
    assert "+1 fly rome" in told[0] and attributes([], FAR) == []
    assert [shape(word) for word in ("McDonald's", "US-2024", "東京", "🙂", "\n\n")] == [
        "XxXx'x",
        "X-9",
        "x",
        "🙂",
        "\n",
    ]


def test_far_is_told_which_words_came_before():
    words = [f"W{i}" for i in range(20)]
    near, far = (attributes(words, reach) for reach in (NEAR, FAR))
    assert [told[: len(near[i])] for i, told in enumerate(far)] == near
    added = [told[len(near[i]) :] for i, told in enumerate(far)]
    assert added[:5] == [[], [], [], ["<< w0"], ["<< w0", "<< w1"]]
    assert added[19] == [f"<< w{i}" for i in range(7, 17)]
    assert attributes("A a b b b".split(), FAR)[4][-1:] == ["<< a"]


# --- spans and intent ---


def test_what_stands_far_before_a_word_is_learnt_from_where_it_helps():
    """Each town is left or reached by turns, and only the verb at the beginning tells which."""
    filler = "early in the morning by the first train of all to"
    rows = [row(f"{verb} {filler} {town}", (town, label)) for verb, label in (("leave", "FROM"), ("reach", "TO"))
            for town in ("Rome", "Oslo", "Paris", "Kyiv")]  # fmt: skip
    method, _ = fit(rows * 3, rows, metric="entity_f1")
    assert [tried["reach"] for tried in method.search] == ["near"] * len(tagging.PAIRS) + ["far"]
    assert method.chosen["reach"] == "far" and method.search[-1]["entity_f1"] == 1 > method.search[0]["entity_f1"]


def test_it_learns_spans_and_intent():
    data = make_dataset("token-classification")
    method, task = fit(data.train, data.validation)
    answers = method.predict([e.input for e in data.test])
    assert task.components("entity_f1", [e.target for e in data.test], answers).value == 1
    assert {"grain", "reach", "c1", "c2", "features", "power", "C", "ratios"} == set(method.chosen)
    assert {tried["of"] for tried in method.search} == {"spans", "intent"}
    assert len([tried for tried in method.search if tried["of"] == "spans"]) == len(tagging.PAIRS) + 1
    assert method.rows_used["settings_chosen"] == "validation" and method.fit_seconds > 0
    assert json.loads(json.dumps([method.chosen, method.search])) == [method.chosen, method.search]
    assert method.explain("fly to Rome on Friday", "book")


def test_the_pair_that_validation_prefers_is_kept(monkeypatch):
    monkeypatch.setattr(tagging, "PAIRS", ((1000.0, 0.0), (0.1, 0.01)))
    method, _ = fit(FLIGHTS, FLIGHTS[:5], metric="exact_match")
    assert [tried["entity_f1"] for tried in method.search] == [0, 1, 1]
    assert method.chosen["reach"] == NEAR and (method.chosen["c1"], method.chosen["c2"]) == (0.1, 0.01)
    monkeypatch.setattr(tagging, "MOST_SEARCHED", 1)  # one row, whatever it costs
    assert len(fit(FLIGHTS, FLIGHTS[:5], metric="intent_accuracy")[0].search) == 3


def test_given_settings_are_kept():
    method, _ = fit(FLIGHTS, FLIGHTS[:5], reach=FAR, c1=0.2, c2=0.0)
    assert (
        method.search == []
        and method.chosen["reach"] == FAR
        and (method.chosen["c1"], method.chosen["c2"]) == (0.2, 0.0)
    )
    method, _ = fit(FLIGHTS, FLIGHTS[:5], c1=0.2)
    assert {tried["c1"] for tried in method.search} == {0.2} and len(method.search) > 1


def test_settings_without_a_meaning_are_refused():
    with pytest.raises(UsageError, match=r"linear\.C is for the intent, and no row has one"):
        fit(FLIGHTS, C=1.0)
    with pytest.raises(UsageError, match=r"linear\.power is for the intent, and no row has one"):
        fit(FLIGHTS, power=1.0)
    data = make_dataset(sizes=(20, 5, 5))
    with pytest.raises(UsageError, match=r"linear\.c2 says nothing in text-classification"):
        Linear(Settings(c2=1.0)).fit(data.task, data.train, data.validation, Context())


def test_probabilities_say_how_sure_a_span_is():
    rows = [row("call May now", ("May", "NAME"))] * 3 + [row("call May now", ("May", "DAY"))] * 1
    method, _ = fit(rows, c1=0.0, c2=0.1)
    answer = method.predict(["call May now"])[0]
    assert found(method, "call May now") == [("May", "NAME")]
    assert answer.span_probabilities == [pytest.approx(0.75, abs=0.1)]
    assert answer.probabilities is None and answer.target.intent is None


def test_one_text_and_many_give_the_same_bits():
    data = make_dataset("token-classification")
    method, _ = fit(data.train, data.validation)
    texts = [e.input for e in data.test] + ["", " \n", "unheard words only", "\ud800 to \0", "fly " * 500 + "to Rome"]
    assert method.predict(texts) == [method.predict([text])[0] for text in texts]


def test_saved_and_loaded_without_python_crfsuite(tmp_path):
    data = make_dataset("token-classification")
    method, task = fit(data.train, data.validation)
    method.save(tmp_path)
    texts = [e.input for e in data.test]
    assert Linear.load(tmp_path, task, method.settings).predict(texts) == method.predict(texts)
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.iterdir()} == {
        "spans.json", "crf.json", "crf.safetensors", "intent",
    }  # fmt: skip
    code = (
        "import sys, pathlib; sys.modules['pycrfsuite'] = None\n"
        "from slmfit.methods.linear import Linear, Settings\n"
        "from slmfit.tasks.tagging import TokenClassification as T\n"
        f"m = Linear.load(pathlib.Path({str(tmp_path)!r}), T({task.labels!r}, {task.intents!r}), Settings())\n"
        "a = m.predict(['fly to Oslo on Friday'])\n"
        "assert not {'sklearn', 'scipy', 'polars'} & set(sys.modules), 'one text needs numpy alone'\n"
        "print([(s.start, s.end, s.label) for s in a[0].target.spans], a[0].target.intent)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[(7, 11, 'CITY'), (15, 21, 'DAY')] ")


def test_the_extra_is_asked_for_where_it_is_needed(monkeypatch):
    real = environment.find_spec
    monkeypatch.setattr(environment, "find_spec", lambda name: None if name == "pycrfsuite" else real(name))
    assert methods.unavailable("linear") is None
    assert methods.unavailable("linear", "text-classification") is None
    assert methods.unavailable("linear", "token-classification") == "pip install 'slmfit[entities]'"
    with pytest.raises(MissingPart, match=r"pip install 'slmfit\[entities\]'"):
        fit(FLIGHTS)
    assert fit([row("no span", intent="a"), row("none here", intent="b")])[0].predict(["none"])[0].target.spans == ()


# --- rows that lack what others have ---


def test_no_spans_at_all(tmp_path):
    rows = [row("good film", intent="praise"), row("bad film", intent="blame")] * 3
    method, task = fit(rows, rows)
    assert method.predict(["good"])[0].target == Entities((), "praise")
    assert method.predict(["good"])[0].span_probabilities == []
    method.save(tmp_path)
    assert Linear.load(tmp_path, task, method.settings).predict(["", "bad"]) == method.predict(["", "bad"])


def test_no_intents_and_an_intent_in_some_rows_only():
    assert fit(FLIGHTS)[0].predict(["to Rome"])[0].target.intent is None
    some = [*FLIGHTS, row("fly to Rome", ("Rome", "TO"), intent="book"), row("never mind", intent="cancel")]
    method, task = fit(some, [row("to Oslo")])
    assert method.predict(["never mind"])[0].target.intent == "cancel"
    method.refit(task, some, Context())
    assert method.predict(["never mind"])[0].target.intent == "cancel"


def test_intents_in_validation_only():
    method, _ = fit(FLIGHTS, [row("fly to Rome", ("Rome", "TO"), intent="book")])
    assert method.predict(["fly to Rome"])[0].target.intent is None


def test_one_type_one_row_and_no_words():
    method, _ = fit([row("in Rome", ("Rome", "CITY"))])
    assert found(method, "in Rome") == [("Rome", "CITY")]
    method, task = fit([row(""), row(" "), row("Rome", ("Rome", "CITY"))], [row("")])
    assert method.predict([""])[0].target == Entities()
    assert method.predict([]) == []
    method.refit(task, [row("")], Context())
    assert method.predict(["Rome"])[0].target == Entities()


def test_a_type_in_validation_only_is_never_found_and_refit_learns_it():
    new = row("pay 5 euro", ("5 euro", "MONEY"))
    method, task = fit(FLIGHTS, [new])
    assert "MONEY" in task.labels and "MONEY" not in {label for _, label in found(method, "pay 5 euro")}
    method.refit(task, [*FLIGHTS, *[new] * 5], Context())
    assert found(method, "pay 5 euro") == [("5 euro", "MONEY")]


def test_unknown_words_are_placed_by_their_neighbours():
    method, _ = fit(FLIGHTS)
    assert found(method, "fly from Xanadu to Quito on Friday") == [
        ("Xanadu", "FROM"), ("Quito", "TO"), ("Friday", "DAY"),
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["🙂🙂", "👩‍👩‍👧", "תל אביב", "القاهرة", "हिन्दी", "Z\u0301u\u0308rich", "St. Ives"])
def test_places_are_exact_in_any_script(place):
    rows = [row(f"🛫 to {x}!\u00a0(now)", (x, "CITY")) for x in (place, "Rome", "Oslo")]
    method, _ = fit(rows)
    assert found(method, f"🛫 to {place}!\u00a0(now)") == [(place, "CITY")]


def test_spans_side_by_side_and_spans_that_cut_words():
    rows = [row("call Ann Bob now", ("Ann", "NAME"), ("Bob", "NAME"))] * 4
    assert found(fit(rows)[0], "call Ann Bob now") == [("Ann", "NAME"), ("Bob", "NAME")]
    cut = [row("in Romeville now", ("Rome", "CITY")), *[row("in Oslo now", ("Oslo", "CITY"))] * 10]
    assert found(fit(cut)[0], "in Romeville now") == [("Romeville", "CITY")]


def test_scripts_that_do_not_space_their_words():
    rows = [row(f"明日は{x}に行く", (x, "CITY")) for x in ("東京", "大阪", "名古屋", "京都")]
    method, _ = fit(rows)
    assert method.chosen["grain"] == "characters"
    assert found(method, "明日は大阪に行く") == [("大阪", "CITY")]


def test_same_rows_same_bytes(tmp_path):
    saved = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        fit(FLIGHTS, FLIGHTS[:5])[0].save(folder)
        saved.append({p.name: p.read_bytes() for p in Path(folder).iterdir()})
    assert saved[0] == saved[1]


# --- rows that came as tokens ---


def came(*pairs, id="1", intent=None):
    """An example that came as tokens with tags, given as words of (token, tag)."""
    text = Tokens(*join_tokens([token for token, _ in pairs]))
    return Example(id, text, Entities(tuple(spans_from_tags([tag for _, tag in pairs], text.offsets)[0]), intent))


CODES = [
    came(("see", "O"), (one, "B-ROOM"), ("-", "O"), (two, "B-SEAT"), ("...", "O"), ("@user", "O"))
    for one in ("red", "blue", "green", "grey")
    for two in ("ant", "bee", "cow")
]


def test_rows_that_came_as_tokens_are_tagged_by_them_and_as_people_write(tmp_path):
    method, task = fit(CODES, CODES[:3])
    assert method.chosen["grain"] == "tokens"
    wording = method.part.spans.wording
    assert [tuple(wording.places(e.input)) for e in CODES] == [e.input.offsets for e in CODES]
    asked = [CODES[0].input, str(CODES[0].input), "see red-ant... @user", "see pink-hen..."]
    answers = method.predict(asked)
    assert answers[0] == answers[1] and answers[0].target == CODES[0].target
    assert found(method, asked[2]) == [("red", "ROOM"), ("ant", "SEAT")]
    assert found(method, asked[3]) == [("pink", "ROOM"), ("hen", "SEAT")]
    method.save(tmp_path)
    assert Linear.load(tmp_path, task, method.settings).predict(asked) == answers


def test_few_rows_with_tokens_do_not_make_the_grain():
    method, _ = fit([*FLIGHTS, *CODES[:3]])
    assert method.chosen["grain"] == "words"
    assert found(method, "fly from Rome to Oslo on Monday")[0] == ("Rome", "FROM")


def test_a_model_saved_before_there_were_tokens(tmp_path):
    """As version 0 wrote it: no reach, no cuts, no clusters."""
    method, task = fit(FLIGHTS, reach="near")
    asked = ["fly from Rome to New York on Friday", Tokens("fly to Oslo", [(0, 3), (4, 6), (7, 11)])]
    answers = method.predict(asked)
    method.save(tmp_path)
    (tmp_path / "spans.json").write_text(json.dumps({"grain": "words", "any": True}))
    assert {path.name for path in tmp_path.iterdir()} == {"spans.json", "crf.json", "crf.safetensors"}
    assert Linear.load(tmp_path, task, method.settings).predict(asked) == answers


# --- clusters of static vectors ---

TABLE = np.array([[0, 0], [1, 0], [1, 0.1], [1, 0.05], [0, 1], [0.1, 1], [0.05, 1]], np.float32)


def test_clusters_tell_of_words_that_train_has_not(tmp_path, monkeypatch):
    """invoice, refund and parcel are alike in the table, and so are courier, late and a."""
    monkeypatch.setattr("slmfit.methods.linear.clusters.MEMBERS", 2)
    folder = model2vec_folder(tmp_path / "table", table=TABLE)
    rows = [row(f"the {word} x", *([(word, "THING")] * thing)) for word, thing in
            (("invoice", 1), ("refund", 1), ("courier", 0), ("late", 0))] * 4  # fmt: skip
    validation = [row("the parcel x", ("parcel", "THING")), row("the a x")]
    method, task = fit(rows, validation, embeddings=str(folder))
    assert method.chosen["clusters"] and method.chosen["embeddings"] == str(folder)
    assert [tried["clusters"] for tried in method.search] == [True] * len(tagging.PAIRS) + [True, False]
    assert found(method, "the parcel x") == [("parcel", "THING")] and found(method, "the a x") == []
    saved = tmp_path / "saved"
    saved.mkdir()
    method.save(saved)
    again = Linear.load(saved, task, method.settings)
    texts = ["the parcel x", "the a x", "", "unknown \ud800 words"]
    assert again.predict(texts) == method.predict(texts) == [method.predict([text])[0] for text in texts]


def test_vectors_that_help_nothing_are_not_kept(tmp_path):
    """Of the words of the rows the table knows none."""
    folder = model2vec_folder(tmp_path / "table", table=TABLE)
    method, task = fit(FLIGHTS, FLIGHTS[:4], embeddings=str(folder), reach="near")
    assert [tried["clusters"] for tried in method.search] == [True] * len(tagging.PAIRS) + [False]
    assert {tried["entity_f1"] for tried in method.search} == {1.0}
    assert method.chosen["clusters"] is False and method.chosen["embeddings"] is None
    saved = tmp_path / "saved"
    saved.mkdir()
    method.save(saved)
    assert not (saved / "word_vectors").exists()
    assert Linear.load(saved, task, method.settings).predict(["fly to Oslo"]) == method.predict(["fly to Oslo"])
