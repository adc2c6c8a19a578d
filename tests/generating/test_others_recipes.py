"""Recipes that a stranger wrote: bombs of a few lines, paths, figures that are none. Refused at once, in a sentence."""

import time

import pytest

from slmfit.errors import DataError
from slmfit.generating import generate
from slmfit.generating.checks import Draft
from slmfit.generating.marked import Marked
from slmfit.generating.recipe import read_recipe
from slmfit.generating.sizes import MOST_CHARACTERS, MOST_PARTS, _Sizes


def recipe(slots='a = ["x"]', template="{a} {own}", name="r", head="", labels=2, share="1.0"):
    kinds = "".join(f'[labels.l{i}]\nshare = {share}\nown = ["word{i}"]\n' for i in range(labels))
    return f'name = "{name}"\n{head}\n[slots]\n{slots}\n{kinds}\n[forms.plain]\ntemplates = ["{template}"]\n'


def doubled(times, leaf):
    lines = [f's{i} = ["{{s{i + 1}}}{{s{i + 1}}}"]' for i in range(times)]
    return recipe("\n".join([*lines, f's{times} = ["{leaf}"]']), "{s0}")


def tagged(template, slots, types=12):
    kinds = "".join(f"[entities.E{i}]\nshare = 0.5\n" for i in range(types))
    task = 'name = "r"\ntask = "token-classification"\n'
    return f'{task}{kinds}[slots]\nall = ["{slots}"]\n[forms.plain]\ntemplates = ["{template}"]\n'


OPTIONAL = "".join(f"(|[E{i}|w{i}]) " for i in range(12))
BOMBS = {
    "doubled": doubled(40, "x"),
    "doubled nothing": doubled(40, ""),
    "doubled long": doubled(12, "y" * 100_000),
    "long": recipe(f'a = ["{"y" * 300_000}"]'),
    "line ends": recipe('a = ["x' + " \\n" * 100_000 + 'y"]', head="length = {least = 1, most = 1000000}"),
    "other labels": recipe('a = ["x"]', "{other.own}" * (MOST_PARTS + 1)),
    "too many bytes": recipe() + "#" * 5_000_000,
    "labels": recipe(labels=5000),
    "dots": 'name = "r"\n' + ".".join(["a"] * 20_000) + " = 1\n",
    "dots in a table": "[" + ".".join(["a"] * 20_000) + "]\n",
    "brackets": recipe(f'a = ["{"(" * 3000}x|y{")" * 3000}"]'),
    "arrays": 'name = "r"\na = ' + "[" * 100_000,
    "sets": tagged("{all} " * 40, OPTIONAL),
    "path": recipe(name="../../evil"),
    "long name": recipe(name="n" * 3000),
    "endless shares": recipe(share="1e308"),
    "tiny shares": recipe(share="1e-320"),
    "no shares": recipe(share="nan"),
    "not UTF-8": b"name = '\xff'",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_once(bomb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = BOMBS[bomb]
    (tmp_path / "r.toml").write_bytes(source if isinstance(source, bytes) else source.encode())
    begin = time.process_time()
    with pytest.raises(DataError):
        generate(tmp_path / "r.toml", n=20)
    assert time.process_time() - begin < 5
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["r.toml"]


@pytest.mark.parametrize("name", ["emails", "tickets"])
def test_our_own_are_far_from_the_limits(name):
    read = read_recipe(name)
    sizes = _Sizes(read)
    for label in read.labels:
        for template in (t for form in read.forms.values() for t in form.templates):
            size = sizes.of(template, label)
            assert size.parts * 10 < MOST_PARTS and size.characters * 10 < MOST_CHARACTERS


def test_a_size_is_the_most_that_is_written(tmp_path):
    (tmp_path / "r.toml").write_text(recipe('a = ["x{own}", "(abc|d{other.own}e)"]', "{a}-{a}"))
    read = read_recipe(tmp_path / "r.toml")
    [template] = read.forms["plain"].templates
    assert _Sizes(read).of(template, "l0").characters == len("dword1e-dword1e")


def test_dots_in_texts_are_no_keys(tmp_path):
    dots = "." * 100
    (tmp_path / "r.toml").write_text(f"# {dots}\n" + recipe(f'a = ["wait {dots} \\"{dots}"]'))
    assert read_recipe(tmp_path / "r.toml").name == "r"


def test_of_what_was_rejected_the_beginning_is_kept():
    draft = Draft("a", Marked("y" * 100_000), "plain")
    assert len(draft.to_json()["text"]) < 5000
