"""The verdict on truth: each kind, its words, and the order in which methods are tried."""

import pytest

from slmfit.evidence.in_part import Part
from slmfit.evidence.truth import Rival, caveats, more_checks, sentence, told
from slmfit.records import Score

TEACHER = Score(0.924, 0.896, 0.946)


def rival(id, low, value, high, agrees=0.9, size=1.0):
    return Rival(id, agrees, Score(0.9, 0.87, 0.93), Score(value, low, high), size)


def test_leave_names_the_smallest_of_those_that_are_within_the_margin():
    methods = [rival("large", -0.02, 0.0, 0.02, 0.95, 9), rival("small", -0.01, 0.01, 0.029, 0.9, 1)]
    found = told(methods, TEACHER, checks=150)
    assert (found.kind, found.method) == ("leave", "small")
    assert sentence(found) == (
        "Leave: small is right in 90.0 % of the rows (87.0–93.0), 1 point below the teacher (−1.0 to 2.9), within the "
        "margin of 3 points."
    )


def test_the_first_that_fails_ends_the_trying():
    methods = [rival("closest", -0.01, 0.02, 0.05, 0.95), rival("small", -0.03, 0.0, 0.02, 0.9)]
    found = told(methods, TEACHER, checks=150)
    assert (found.kind, found.method, found.undecided) == ("too-little-checked", None, "closest")
    assert "about 1,200 more rows would tell" in sentence(found)


def test_a_method_of_unknown_size_is_the_largest():
    methods = [rival("server", -0.02, 0.0, 0.02, 0.95, None), rival("small", -0.01, 0.0, 0.02, 0.9, 5)]
    assert told(methods, TEACHER, checks=9).method == "small"


def test_stay_where_every_method_is_beyond_the_margin():
    methods = [rival("a", 0.04, 0.06, 0.08, 0.9), rival("b", 0.05, 0.1, 0.15, 0.95)]
    found = told(methods, TEACHER, checks=400, called="the teacher (m)")
    assert found.kind == "stay"
    assert sentence(found) == (
        "Stay: the teacher (m) is right in 92.4 % of the rows (89.6–94.6); a is the nearest, and it is 6 points below "
        "the teacher (m) (4.0 to 8.0), beyond the margin of 3 points."
    )
    methods = [rival("a", 0.04, 0.06, 0.08), rival("b", -0.01, 0.02, 0.05)]
    assert told(methods, TEACHER, checks=400).kind == "too-little-checked"


def test_a_teacher_that_is_often_wrong_is_said_first_or_beside():
    wrong, open = Score(0.8, 0.75, 0.85), rival("a", -0.02, 0.02, 0.06)
    found = told([open], wrong, checks=150)
    assert found.kind == "teacher-wrong"
    assert sentence(found).startswith("Wrong more often than you may think: the teacher is right in 80.0 % of the rows")
    better = told([rival("a", -0.09, -0.05, -0.01)], wrong, checks=150)
    assert better.kind == "leave"
    assert "5 points above the teacher (1.0 to 9.0)" in sentence(better)
    assert caveats(better) == (
        "Wrong more often than you may think: the teacher is right in 80.0 % of the rows (75.0–85.0).",
        "a: right more often than the teacher, beyond chance.",
    )
    assert caveats(told([open], Score(0.95, 0.93, 0.97), checks=150)) == ()


def test_how_many_more_checks():
    assert more_checks(Score(0.0, -0.04, 0.06), 150) == 450  # half the width is four times the rows
    assert more_checks(Score(0.05, 0.01, 0.09), 100) == 300
    assert more_checks(Score(0.03, 0.01, 0.05), 100) is None
    assert more_checks(Score(0.029999, 0.01, 0.05), 100) is None
    assert more_checks(Score(0.01, -0.01, 0.03), 100) == 10


def test_leave_in_part():
    part = Part("small", 0.831, 0.62, Score(0.004, -0.002, 0.021), 31)
    open = rival("small", 0.0, 0.02, 0.05)
    found = told([open], TEACHER, checks=150, part=part)
    assert (found.kind, found.method, found.undecided) == ("leave-in-part", "small", "small")
    assert sentence(found) == (
        "Leave in part: where small is at least 83.1 % sure, it answers, 62.0 % of the rows, and the rest stays; both "
        "together are 0.4 points below the teacher (−0.2 to 2.1), within the margin of 3 points."
    )
    assert caveats(found) == (
        "It rests on 31 checked rows that small answers otherwise than the teacher there.",
        "Whether small may answer everything is open; about 1,200 more rows would tell.",
    )
    worse = told([rival("small", 0.04, 0.06, 0.08)], Score(0.8, 0.75, 0.85), checks=150, part=part)
    assert (worse.kind, worse.undecided, worse.more) == ("leave-in-part", None, None)
    assert "Wrong more often than you may think" in caveats(worse)[1]
    assert told([rival("small", -0.02, 0.0, 0.02)], TEACHER, checks=150, part=part).kind == "leave"


def test_no_method_is_no_verdict():
    with pytest.raises(ValueError):
        told([], TEACHER, checks=9)
