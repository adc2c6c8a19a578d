"""All written forms: what is written is read back, and a grammar lets through what can be read, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.errors import UsageError
from slmfit.records import Entities, Prediction, Span
from slmfit.tasks.forms.entities import FORMS, Lines
from slmfit.tasks.grammar import BYTES, NEVER, Grammar, Pieces, Words, Writing
from slmfit.tasks.splitting import GRAINS, split_by
from slmfit.tasks.tagging import TokenClassification

TASK = TokenClassification(("CITY", "DAY", "DAYS", 'o"d\\d'), ("book", "book it", "cancel"))
ALPHABET = 'ab1 \t\r\n.:"\\{}😀é\u0301مرحبا漢字\u200f\u00a0B-|'
TEXTS = st.text(st.sampled_from(ALPHABET), max_size=40)


def random_target(text, grain, rng, task=TASK):
    """Entities that begin and end where words of that grain do."""
    words, spans, at = split_by(text, grain), [], 0
    while at < len(words):
        end = min(len(words), at + rng.randint(1, 3)) - 1
        if rng.random() < 0.5:
            spans.append(Span(words[at][0], words[end][1], rng.choice(task.labels)))
        at = end + 1
    return Entities(tuple(spans), rng.choice(task.intents) if task.intents else None)


def accepts(writing, answer, pieces=BYTES):
    """Byte by byte."""
    state = writing.start
    for byte in answer:
        moves = writing.moves(state)
        if byte not in moves or bytes((byte,)) not in pieces.whole:
            return False
        rest = writing.rest(state)
        state = moves[byte]
        if writing.rest(state) == NEVER:
            return False
        assert writing.rest(state) >= rest - 1
    return writing.ends(state)


def without(characters):
    """Single bytes, but for those of some characters."""
    lacking = {byte for character in characters for byte in character.encode()}
    return Pieces.of({bytes((byte,)) for byte in range(256) if byte not in lacking})


@pytest.mark.parametrize("name", list(FORMS))
@settings(deadline=None)
@given(text=TEXTS, grain=st.sampled_from(list(GRAINS)), rng=st.randoms(use_true_random=False))
def test_what_is_written_is_read_back_and_may_be_written(name, text, grain, rng):
    form = TASK.form(name, grain)
    target = random_target(text, grain, rng)
    answer = form.write(target, text)
    read = form.read(answer, text).target
    assert read.intent == target.intent and not read.unplaced
    flat = text.translate(getattr(form, "flat", Lines.flat))
    words = [(flat[s.start : s.end], s.label) for s in read.spans]
    assert words == [(flat[s.start : s.end], s.label) for s in target.spans]
    if all(flat.find(w) == flat.rfind(w) for w, _ in words):
        assert read == target
    assert accepts(Writing(form.grammar, form.copied(text)), answer.encode())
    assert len(list(form.parts(answer))) == len(target.spans)


@pytest.mark.parametrize("name", list(FORMS))
@settings(deadline=None)
@given(text=TEXTS, grain=st.sampled_from(list(GRAINS)), rng=st.randoms(use_true_random=False))
def test_whatever_the_grammar_lets_through_is_an_answer(name, text, grain, rng):
    """At random, and never further from the end than there is room for; some characters cannot be written."""
    pieces = without(set(rng.sample(ALPHABET, 5)) - set('"\\{}:.ab -B\n|'))
    form = TASK.form(name, grain)
    writing = Writing(form.grammar.written_in(pieces), form.copied(text, pieces))
    state, written = writing.start, b""
    room = form.grammar.least + rng.randint(0, 100)
    while True:
        moves = [(byte, later) for byte, later in writing.moves(state).items() if writing.rest(later) < room]
        if writing.ends(state) and (not moves or rng.random() < 0.2):
            break
        byte, state = rng.choice(moves)
        written += bytes((byte,))
        room -= 1
    answer = form.read(written.decode(), text).target
    assert isinstance(answer, Entities), written
    assert answer.unplaced == () and answer.intent in TASK.intents
    ends = [0, *(s.end for s in answer.spans)]
    assert all(s.start >= end for s, end in zip(answer.spans, ends, strict=False))
    assert len(list(form.parts(written.decode()))) == len(answer.spans)


@settings(deadline=None)
@given(text=TEXTS, rng=st.randoms(use_true_random=False))
def test_entities_begin_and_end_where_words_do(text, rng):
    """And only those whose every character can be written are let through."""
    form = TASK.form("lines", "words")
    ends = {end for _, end in split_by(text, "words")}
    starts = {start for start, _ in split_by(text, "words")}
    lacking = set(rng.sample(ALPHABET, 5)) - set("abB- :\n")
    pieces = without(lacking)
    writing = Writing(form.grammar, form.copied(text, pieces))
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            words = text[start:end].translate(Lines.flat)
            fits = any(
                text[a : a + len(words)].translate(Lines.flat) == words and a + len(words) in ends for a in starts
            )
            answer = f"intent: cancel\nB-CITY: {words}\n".encode()
            writable = all(bytes((byte,)) in pieces.whole for byte in words.encode())
            assert accepts(writing, answer, pieces) == (fits and writable)


def test_words_are_copied_in_the_order_of_the_text():
    form = TASK.form("lines", "words")
    writing = Writing(form.grammar, form.copied("Rome and Oslo and Rome"))

    def lets(*words):
        return accepts(writing, "".join(["intent: book\n", *(f"B-CITY: {w}\n" for w in words)]).encode())

    assert lets() and lets("Rome", "Oslo", "Rome") and lets("Rome", "Rome") and lets("Oslo", "and Rome")
    assert not lets("Oslo", "Rome and") and not lets("Rome", "Oslo", "Rome", "Rome") and not lets("Rom")


def test_a_text_without_words_and_a_task_without_types_or_intents():
    form = TokenClassification(("CITY",)).form("lines")
    assert accepts(Writing(form.grammar, form.copied(" \n")), b"")
    assert Writing(form.grammar, form.copied(" \n")).moves(Writing(form.grammar, Words([], [], [])).start) == {}
    assert form.read("", "Rome") == Prediction(Entities())
    bare = TokenClassification((), ("book",))
    for name in FORMS:
        form = bare.form(name)
        answer = form.write(Entities((), "book"), "Rome")
        assert accepts(Writing(form.grammar, form.copied("Rome")), answer.encode())


def test_lines_that_cannot_be_read():
    form = TASK.form("lines")
    for text in ("intent: book", "book\n", "B-CITY: Rome\nintent: book\n", "B-TOWN: Rome\n", "intent: fly\n", "\n"):
        assert form.read(text, "to Rome") == Prediction(None, "invalid")
    assert form.read("intent: book\nB-CITY: Oslo\n", "to Rome").target.unplaced == (("Oslo", "CITY"),)


def test_bars_take_no_characters_that_t5_lacks():
    form, text = TASK.form("bars"), "to A|B\r\nand Rome"
    target = Entities((Span(3, 8, "CITY"), Span(12, 16, "CITY")), "book")
    assert form.write(target, text) == "intent: book| B-CITY: A/B  | B-CITY: Rome|"
    assert form.read(form.write(target, text), text).target == target
    for said in ("intent: book|B-CITY: Rome|", "|", "intent: book", "intent: book| ", " intent: book|"):
        assert form.read(said, text) == Prediction(None, "invalid")
    with pytest.raises(UsageError, match="cannot be written on a line"):
        TokenClassification(("a|b",)).form("bars")


def test_names_that_do_not_fit_on_a_line_are_refused():
    for task in (TokenClassification(("a: b",)), TokenClassification(("a",), ("b\nc",))):
        with pytest.raises(UsageError, match="cannot be written on a line"):
            task.form("lines")
        task.form("json")


def test_an_entity_over_a_line_break():
    text = "on 10\r\nMay"
    target = Entities((Span(3, 10, "DAY"),), "book")
    form = TASK.form("lines")
    assert form.write(target, text) == "intent: book\nB-DAY: 10  May\n"
    assert form.read(form.write(target, text), text).target == target


def test_a_target_is_cut_with_its_text():
    target = Entities((Span(0, 4, "CITY"), Span(9, 13, "CITY")), "book")
    assert TASK.form("json").cut(target, 12) == Entities((Span(0, 4, "CITY"),), "book")


def test_answers_of_fixed_strings_alone():
    """As a task with labels would have them."""
    writing = Writing(Grammar({b"A": False, b"AB": False}, {}), Words([], [], []))
    assert accepts(writing, b"A") and accepts(writing, b"AB") and not accepts(writing, b"B")
    assert writing.rest(writing.start) == 1
