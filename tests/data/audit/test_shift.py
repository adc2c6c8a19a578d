"""Test rows that are not like train rows: what differs is named, the rest stays unsaid, and clusters count as one."""

import csv
import time

import numpy as np
import pytest

from slmfit.comparison.compare import compare
from slmfit.data.audit.shift import looked_at, shift
from slmfit.data.load import load_data
from slmfit.evidence import shift as tests
from slmfit.evidence.clusters import clusters_of

LABELS = ["billing", "delivery", "account", "other"]
COMMON = [f"word{k}" for k in range(300)]
SHARES = 1 / np.arange(1, 301) ** 0.8
SHARES /= SHARES.sum()
FIXED = {"linear": {"features": "words", "power": 1.0, "C": 1.0}}


def texts(rng, labels, topic=0.0, register=False):
    """Ten words each, two of them the label's; `topic`: the share of rows that are about something else."""
    found = []
    for label in labels:
        words = [COMMON[k] for k in rng.choice(300, 8, p=SHARES)]
        own = [f"{label}{rng.integers(6)}" for _ in range(2)]
        if rng.random() < topic:
            words, own = [f"strange{rng.integers(40)}" for _ in range(9)], []
        text = " ".join([*words, *own])
        found.append(text.upper() + "!" if register else text.capitalize() + ".")
    return found


def write(path, labels, said, **more):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", *more])
        writer.writerows(zip(said, labels, *more.values(), strict=True))
    return path


def made(tmp_path, n=1000, weights=(0.4, 0.3, 0.2, 0.1), of_test=None, **test):
    rng = np.random.default_rng(n)
    train = rng.choice(LABELS, 2 * n, p=weights)
    labels = rng.choice(LABELS, n, p=of_test or weights)
    files = (
        write(tmp_path / "train.csv", train, texts(rng, train)),
        write(tmp_path / "test.csv", labels, texts(rng, labels, **test)),
    )
    return load_data(files[0], test=files[1])


def said(data):
    return " ".join(found["message"] for found in shift(data))


def test_rows_that_are_alike_are_not_spoken_of(tmp_path):
    assert shift(made(tmp_path)) == []


@pytest.mark.parametrize("planted, words", [
    ({"of_test": (0.3, 0.3, 0.2, 0.2)}, "the label 'other' is that of 9"),
    ({"topic": 0.2}, "the word 'strange"),
    ({"register": True}, "an exclamation mark stands in 0.0 % of train and 100.0 % of test"),
])  # fmt: skip
def test_what_was_planted_is_named(tmp_path, planted, words):
    message = said(made(tmp_path, **planted))
    assert message.startswith("Your test rows are not like your train rows: ") and words in message


def test_test_rows_that_were_drawn_by_chance_are_left_alone(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.choice(LABELS, 600)
    days = [f"2026-{1 + k // 50:02}-01" for k in range(600)]
    path = write(tmp_path / "all.csv", labels, texts(rng, labels), day=days)
    assert not looked_at(load_data(path)) and looked_at(load_data(path, time="day"))


def test_groups_that_stand_on_one_side_count_as_one_each(tmp_path):
    """Users who each have their own words and label: other users differ from these, by chance alone."""

    def users(first, count, rng):
        label = {u: rng.choice(LABELS, p=(0.4, 0.3, 0.2, 0.1)) for u in range(first, first + count)}
        user = np.repeat(np.arange(first, first + count), 20)
        labels = [label[u] for u in user]
        return labels, [f"{t} own{u} my{u}" for u, t in zip(user, texts(rng, labels), strict=True)], user

    alarms = {"user": 0, "": 0}
    for seed in range(2):
        rng = np.random.default_rng(seed)
        for column in alarms:
            more = [{column: part[2]} if column else {} for part in (users(0, 80, rng), users(100, 40, rng))]
            rng = np.random.default_rng(seed)
            train, test = users(0, 80, rng), users(100, 40, rng)
            files = [write(tmp_path / f"{name}.csv", part[0], part[1], **m)
                     for name, part, m in zip(("train", "test"), (train, test), more, strict=True)]  # fmt: skip
            alarms[column] += bool(shift(load_data(files[0], test=files[1])))
    assert alarms["user"] == 0 and alarms[""] == 2


def test_a_text_that_is_repeated_tells_once():
    number = np.concatenate([np.arange(1000), np.repeat(1000, 60), np.arange(1001, 1501)])
    in_test = np.arange(len(number)) >= 1000
    feature = np.where(number == 1000, 1, 0)
    row = np.arange(len(number))
    plain = tests.Held(row, feature, 2, in_test)
    assert tests.unlike(plain)
    assert tests.unlike(tests.Held(row, feature, 2, in_test, clusters_of(number.tolist()))) == []


def test_no_part_alarms_more_often_than_it_may():
    rng = np.random.default_rng(2)
    row = np.repeat(np.arange(1500), 8)
    feature = rng.choice(300, len(row), p=SHARES)
    row, feature = np.divmod(np.unique(row * 300 + feature), 300)
    alarms = 0
    for _ in range(150):
        in_test = np.zeros(1500, bool)
        in_test[rng.permutation(1500)[:500]] = True
        held = tests.Held(row, feature, 300, in_test)
        apart = tests.told_apart(held)
        alarms += bool(tests.unlike(held)) or apart.p_value < tests.EACH
    assert alarms <= 4  # 1 % and the luck of 150 splits; benchmarks/statistics_check.py has 1,000 a cell


def test_the_gap_from_validation_to_test():
    right = np.arange(1000) % 10 < 8
    assert tests.gap(right, right).p_value == 1.0
    assert tests.gap(right, np.arange(1000) % 10 < 7).p_value < tests.EACH
    assert tests.gap(right[:100], np.arange(100) % 10 < 7).p_value > tests.EACH  # 80 % and 70 % of 100 rows each
    once = clusters_of(np.arange(1000) % 100)
    assert tests.gap(right, np.arange(1000) % 10 < 7, once, once).p_value > tests.EACH


def test_it_is_quick(tmp_path):
    data = made(tmp_path, n=3000)
    shift(data)
    took = []
    for _ in range(3):  # the least disturbed one counts
        begin = time.process_time()
        shift(data)
        took.append(time.process_time() - begin)
    assert min(took) < 2.0  # 0.3 s on a quiet machine


def test_the_verdict_says_it_beside_the_headline(tmp_path):
    data = made(tmp_path, n=300, topic=0.5)
    found = compare(data, "majority,linear", settings=FIXED, out=tmp_path / "out").record
    first = found.verdict.caveats[0]
    assert first.startswith("Your test rows are not like your train rows: ") and "linear is right on" in first
    assert any(one.startswith("Your test rows are not like") for one in found.warnings)
