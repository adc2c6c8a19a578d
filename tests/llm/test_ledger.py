"""The ledger: what is in it is whole, found again, counted once; whatever cut the file short."""

import errno
import hashlib
import json
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slmfit.errors import SlmfitError, UsageError
from slmfit.llm.ledger import Index, Ledger, charged
from slmfit.llm.limits import Cost

TEXTS = st.text(max_size=30)


def key_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


KEYS = [key_of(number) for number in range(60)]


def answer(key, value="x"):
    return {"answer": key, "id": key[:3], "value": value, "charged": charged(Cost(10, 1000))}


def written(path, records):
    ledger = Ledger(path)
    for record in records:
        ledger.append(record)
    ledger.close()


def test_what_is_appended_is_found(tmp_path):
    path, told = tmp_path / "deep" / "ledger.jsonl", []
    ledger = Ledger(path)
    ledger.append(answer(KEYS[0], "é \ud800"), lambda: told.append(ledger.find(KEYS[0])["value"]))
    ledger.close()
    assert told == ["é \ud800"]  # and not before it could be found
    again = Ledger(path)
    assert again.find(KEYS[0])["value"] == "é \ud800"
    assert again.find(KEYS[1]) is None
    assert (again.answers, again.damaged, again.spent) == (1, 0, Cost(10, 1000))
    again.close()


def test_opening_and_closing_writes_nothing(tmp_path):
    path = tmp_path / "ledger.jsonl"
    written(path, [answer(KEYS[0])])
    before = path.read_bytes()
    written(path, [])
    assert path.read_bytes() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data(), texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_cut_at_any_byte_the_whole_lines_are_kept(tmp_path, data, texts):
    path = tmp_path / "ledger.jsonl"
    path.unlink(missing_ok=True)
    written(path, [answer(KEYS[i], text) for i, text in enumerate(texts)])
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    kept = whole[:cut].count(b"\n") - 1  # without the first line, which says the format
    ledger = Ledger(path)
    assert [ledger.find(KEYS[i]) is not None for i in range(len(texts))] == [i < kept for i in range(len(texts))]
    assert ledger.damaged == 0
    ledger.append(answer(KEYS[-1], "after"))
    ledger.close()
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line["value"] for line in lines if "answer" in line] == [*texts[: max(kept, 0)], "after"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_line_costs_no_other(tmp_path, data):
    path = tmp_path / "ledger.jsonl"
    path.unlink(missing_ok=True)
    written(path, [answer(KEYS[i]) for i in range(5)])
    lines = path.read_bytes().splitlines(keepends=True)
    hit = data.draw(st.integers(1, 5))
    at = data.draw(st.integers(0, len(lines[hit]) - 2))
    junk = data.draw(st.binary(min_size=1, max_size=4).filter(lambda b: b"\n" not in b))
    lines[hit] = lines[hit][:at] + junk + b"\x00" + lines[hit][at + len(junk) :].rstrip(b"\n") + b"\n"
    path.write_bytes(b"".join(lines))
    ledger = Ledger(path)
    assert ledger.damaged == 1
    assert [i for i in range(5) if ledger.find(KEYS[i]) is None] == [hit - 1]
    ledger.close()


def test_what_was_reserved_and_never_answered_counts_as_spent(tmp_path):
    path = tmp_path / "ledger.jsonl"
    held = {"reserved": KEYS[0], **charged(Cost(400, 5000))}
    written(path, [held, {"reserved": KEYS[1], **charged(Cost(400, 5000))}, answer(KEYS[1])])
    assert _spent(path) == Cost(410, 6000)
    written(path, [held, answer(KEYS[0])])  # the next run asked again: the first may have been charged all the same
    assert _spent(path) == Cost(420, 7000)


def test_what_was_given_back_does_not_count(tmp_path):
    path = tmp_path / "ledger.jsonl"
    back = {"reserved": KEYS[0], **charged(Cost(-400, -5000))}
    written(path, [{"reserved": KEYS[0], **charged(Cost(400, 5000))}, back])
    assert _spent(path) == Cost()


def test_what_was_found_out_is_kept(tmp_path):
    path = tmp_path / "ledger.jsonl"
    found = {"found": {"form": "json"}, "model": "m", "server": "http://a/v1", "charged": charged(Cost(7, 70))}
    written(path, [found, found | {"found": {"form": "none"}}])
    ledger = Ledger(path)
    assert ledger.found("m", "http://a/v1") == {"form": "none"}
    assert ledger.found("m", "http://b/v1") is None
    assert ledger.spent == Cost(14, 140)
    ledger.close()


def _spent(path):
    ledger = Ledger(path)
    ledger.close()
    return ledger.spent


def test_two_at_once_are_refused(tmp_path):
    first = Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(UsageError, match="another slmfit is writing here"):
        Ledger(tmp_path / "ledger.jsonl")
    first.close()
    Ledger(tmp_path / "ledger.jsonl").close()


def test_a_ledger_of_a_later_format_is_refused(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"format": "slmfit.ledger/9"}\n')
    with pytest.raises(SlmfitError, match=r"format 'slmfit.ledger/9'"):
        Ledger(path)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch, after):
    path, told = tmp_path / "ledger.jsonl", []
    ledger = Ledger(path)
    real, calls = os.fsync, []

    def fsync(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for i in range(4):
        done = threading.Event()
        ledger.on_group = ledger.on_error = done.set
        ledger.append(answer(KEYS[i]), lambda i=i: told.append(i))
        assert ledger.error or done.wait(60)
    with pytest.raises(SlmfitError, match="No space left"):
        ledger.close()
    monkeypatch.undo()
    again = Ledger(path)
    assert [i for i in range(4) if again.find(KEYS[i])] == told == list(range(after))
    assert again.damaged == 0
    again.close()


@settings(deadline=None)
@given(st.lists(st.integers(0, 5000), unique=True, max_size=40), st.integers(0, 9000))
def test_the_index_finds_what_was_added_and_nothing_else(numbers, extra):
    index = Index()
    for number in range(extra):
        index.add(key_of(10_000 + number), number)
    for number in numbers:
        index.add(key_of(number), number)
    assert all(index.find(key_of(number)) == number for number in numbers)
    assert index.find(key_of(5001)) is None
    assert extra == 0 or index.find(key_of(10_000)) == 0
