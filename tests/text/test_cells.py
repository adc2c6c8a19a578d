"""What a spreadsheet would run is written so that it does not, and read back as it was."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slmfit.text.cells import guarded, unguarded

FORMULAS = ["=cmd|' /C calc'!A0", "+1+cmd", "-2+3", "@SUM(1)", "\t=1", "\r=1", "＝1", "-", "'=1", "''@x", "=", "-1,x"]
HARMLESS = ["billing", "", "-1", "+5", "-3.5e-7", "1,000", "-12 %".replace(" ", ""), "'quoted'", "a=1", "it's", "’=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_guarded(text):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_and_numbers_stay_as_they_are(text):
    assert guarded(text) == text == unguarded(text)


@given(st.text("'=+-@\t\r1.,%e x", max_size=6) | st.text())
@example("'=1")
def test_whatever_is_written_is_read_back(text):
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in {"=", "@", "\t", "\r"}
