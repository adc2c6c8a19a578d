"""The table of methods, specs and settings: what is asked for is checked before anything is fitted."""

from dataclasses import dataclass

import pytest

from slmfit import methods
from slmfit.errors import UsageError
from slmfit.methods.base import parse_settings, setting
from slmfit.methods.specs import parse_specs


@dataclass(frozen=True)
class Settings:
    k: int | None = setting(None, "How many.", low=1)
    rate: float = setting(0.5, "How fast.", low=0)
    kind: str = setting("a", "Which.", choices=("a", "b"))
    deep: bool = setting(False, "Whether.")


def test_settings_are_converted():
    parsed = parse_settings("m", Settings, {"k": "3", "rate": "1e-3", "kind": "b", "deep": "true"})
    assert parsed == Settings(3, 0.001, "b", True)
    assert parse_settings("m", Settings, {"k": "auto"}).k is None
    assert parse_settings("m", Settings, {"k": 4, "rate": 2}) == Settings(4, 2.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kk": "3"}, "did you mean 'k'"),
        ({"k": "0"}, "at least 1"),
        ({"k": "3.5"}, "a whole number"),
        ({"rate": "nan"}, "a number"),
        ({"rate": "inf"}, "a number"),
        ({"rate": None}, "a number"),
        ({"kind": "c"}, "one of a, b"),
        ({"deep": "perhaps"}, "true or false"),
        ({"k": True}, "a whole number"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, says):
    with pytest.raises(UsageError, match=says):
        parse_settings("m", Settings, given)


def test_every_setting_is_documented():
    import dataclasses

    for name, row in methods.TABLE.items():
        if row.place and not methods.unavailable(name):
            for field in dataclasses.fields(methods.method_class(name).Settings):
                assert field.metadata.get("doc"), f"{name}.{field.name}"


def test_specs_name_their_runs():
    specs = parse_specs("linear, knn,knn=../models/potion base", {"knn": {"k": "3"}})
    assert [s.id for s in specs] == ["linear", "knn", "knn-potion-base"]
    assert specs[1].settings.k == specs[2].settings.k == 3
    assert specs[2].base_model == "../models/potion base"


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        ("", None, "no method"),
        ("liner", None, "did you mean 'linear'"),
        ("linear,linear", None, "named twice"),
        ("linear@a,linear@A", None, "'linear@a' is named twice"),
        ("linear@", None, "the name after @ cannot be ''"),
        ("linear@a+b", None, "up to 40 of A-Z"),
        ("linear@../x", None, "for example linear@small"),
        ("linear@x.", None, "cannot be 'x.'"),
        ("linear@1a2b3c4d", None, "an older slmfit set aside"),
        ("linear@small", {"linear@smal": {}}, "did you mean 'linear@small'"),
        ("linear@small", {"linear@small": {"CC": 1}}, "did you mean 'C'"),
        ("liner@small", None, "did you mean 'linear'"),
        ("linear", {"knn": {}}, "not one of the methods"),
    ],
)
def test_specs_that_cannot_be_are_refused(words, given, says):
    with pytest.raises(UsageError, match=says):
        parse_specs(words, given)


def test_a_base_model_for_a_method_without_one():
    with pytest.raises(UsageError, match="takes no base model"):
        methods.create("majority", base_model="x")


@pytest.mark.parametrize("name", ["../../etc", "a/..", "con:x", "ü" * 300, "..", "-"])
def test_run_ids_are_safe_folder_names(name):
    (spec,) = parse_specs(f"knn={name}")
    id = spec.id
    assert id.isascii() and "/" not in id and ".." not in id.strip(".") and len(id) < 80
