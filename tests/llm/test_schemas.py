"""Whether a value fits its schema."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.llm.schemas import misfit
from slmfit.tasks import by_name
from slmfit.tasks.replies import json_object_schema

LABEL = json_object_schema({"label": {"type": "string", "enum": ["a", "b"]}})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"label": "c"}, "label: 'c' is none of the allowed values"),
        ({}, "lacks 'label'"),
        ({"label": "a", "x": 1}, "has 'x', which nobody asked for"),
        ({"label": 1}, "label: is no string"),
        ([], "is no object"),
        (None, "is no object"),
    ],
)
def test_what_does_not_fit_is_named(value, words):
    assert misfit(value, LABEL) == words


def test_what_fits():
    assert misfit({"label": "a"}, LABEL) is None
    assert misfit({"a": [1, 2]}, {"properties": {"a": {"type": "array", "items": {"minimum": 1}}}}) is None
    assert misfit(None, {"type": ["string", "null"]}) is None


@pytest.mark.parametrize(
    ("value", "schema", "words"),
    [
        (True, {"type": "integer"}, "is no integer"),
        (True, {"enum": [1]}, "True is none of the allowed values"),
        (9, {"minimum": 1, "maximum": 5}, "9 is out of range"),
        ("abc", {"maxLength": 2}, "'abc' is out of range"),
        ([1], {"minItems": 2}, "has 1 items"),
        ({"a": [1, "b"]}, {"properties": {"a": {"items": {"type": "integer"}}}}, "a[1]: is no integer"),
        (1, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "fits none of what is allowed"),
        ("x", {"const": "y"}, "'x' is not 'y'"),
    ],
)
def test_the_other_keywords(value, schema, words):
    assert misfit(value, schema) == words


@settings(deadline=None)
@given(JSON)
def test_any_value_is_judged(value):
    for schema in (LABEL, by_name("token-classification").with_labels([]).form().schema("a text")):
        assert misfit(value, schema) is None or isinstance(misfit(value, schema), str)
