"""Numbers come back as they were written."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.text.numerals import numeral, to_json

DIGITS = ["1.10", "1E5", "1e400", "-0.0", "0.12345678901234567890123", "1e-400", "12345678901234567890123", "1.5"]
VALUES = st.recursive(
    st.sampled_from(DIGITS) | st.text().map(json.dumps) | st.sampled_from(["null", "true"]),
    lambda inner: (
        st.lists(inner).map(lambda parts: f"[{', '.join(parts)}]")
        | st.dictionaries(st.text().map(json.dumps), inner).map(
            lambda cells: "{" + ", ".join(f"{key}: {cell}" for key, cell in cells.items()) + "}"
        )
    ),
)


@given(VALUES)
def test_a_value_is_written_as_it_was_read(text: str) -> None:
    assert to_json(json.loads(text, parse_float=numeral), ascii=True) == text


@pytest.mark.parametrize("digits", DIGITS)
def test_it_is_a_number_like_another(digits: str) -> None:
    read = json.loads(digits, parse_float=numeral)
    assert read == json.loads(digits) and isinstance(read, int | float) and str(read) == str(json.loads(digits))


def test_what_json_has_not_is_written_as_it_prints() -> None:
    assert (
        to_json({"a": [numeral("1.0"), 2.5], "b": {1}, "c": math.inf}) == '{"a": [1.0, 2.5], "b": "{1}", "c": Infinity}'
    )
