"""Base models that a stranger made: refused in a sentence, or harmless, in bounded time and memory; nothing runs."""

import base64
import json
import resource
import shutil
import time

import pytest

import hostile_models
from hostile_models import HOSTILE
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.hub import checkpoint, patterns, tokenizers
from slmfit.hub.border import in_words

REFUSED = [
    (name, door)
    for name, case in HOSTILE.items()
    if case.says is not None
    for door in dict.fromkeys((case.doors[0], case.doors[-1]))
    if door == case.doors[0] or door == "static"
]
HARMLESS = [
    ("code of its own", "encoder"), ("a tokenizer with code alone", "encoder"), ("tuples for answers", "encoder"),
    ("chunks of a billion", "encoder"), ("all that is within for answers", "causal"),
    ("a chat template that reaches", "causal"), ("a tokenizer of a class", "sentence"),
    ("a padding token that is new", "sentence"), ("an unknown word that is unknown", "static"),
    ("merges that drop out", "causal"), ("a configuration with a mark", "sentence"),
]  # fmt: skip
GOOD = [  # of GPT-2, Llama 3, o200k, DeepSeek, BLOOM, OLMo 2
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'t|'re|'ve|'m)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re)?|\p{N}{1,3}|\s+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|\s*[\r\n]+|\s+",
    r" ?[^(\s|[.,!?…。，、।۔،])]+",
    r"\d{1,3}(?=(?:\d{3})*\b)",
]
BAD = ["(a+)+b", "(a|a)*b", "a*" * 20 + "b", r"(\w+)\1+z", r"(?<x>a\g<x>?a|a)+b", "((a{1,99}){1,99}){1,99}b", "a+a+b",
       "(.*)*x", "([ab]|a)+c", r"\w*\w*\w*;"]  # fmt: skip


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """Door -> a model as it should be."""
    folder = tmp_path_factory.mktemp("wholes")
    return {door: hostile_models.whole(door, folder / door) for door in ("encoder", "causal", "sentence", "static")}


@pytest.fixture
def model(wholes, tmp_path):
    return shutil.copytree(wholes["encoder"], tmp_path / "model")


def entered(wholes, tmp_path, name, door):
    """Within 10 seconds and 500 MB, and nothing is written beside `out`."""
    place = tmp_path / "place"
    folder = shutil.copytree(wholes[door], place / "model")
    HOSTILE[name].change(folder)
    there = {path.name for path in place.iterdir()}
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        hostile_models.enter(door, folder, place / "out")
    finally:
        assert time.process_time() - begin < 10
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB
        assert {path.name for path in place.iterdir()} <= there | {"out"}


@pytest.mark.parametrize(("name", "door"), REFUSED)
def test_refused_in_a_sentence(wholes, tmp_path, name, door):
    with pytest.raises(SlmfitError) as caught:
        entered(wholes, tmp_path, name, door)
    assert HOSTILE[name].says in str(caught.value)
    assert "fix: " in str(caught.value) or "needs a package" in str(caught.value)


@pytest.mark.parametrize(("name", "door"), HARMLESS)
def test_harmless(wholes, tmp_path, name, door):
    try:
        entered(wholes, tmp_path, name, door)
    except SlmfitError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("name", "door", "says"),
    [
        ("an added token twice", "causal", "beyond the model's table"),
        ("added tokens in a file", "causal entities", "beyond the model's table"),
        ("a map that is none", "causal", "map of characters is damaged"),
        ("a map that is none", "static", "map of characters is damaged"),
    ],
)
def test_what_fell_by_another_door(wholes, tmp_path, name, door, says):
    """Words that the library numbers itself, of a tokenizer that has no such word; a map that says it has 4 GB."""
    wholes = {**wholes, "causal entities": wholes["causal"]}
    with pytest.raises(UnsafeError, match=says):
        entered(wholes, tmp_path, name, door)


@pytest.mark.parametrize(("size", "whole"), [(8, True), (12, False), (0, False), (6, False), (2**32 - 1, False)])
def test_maps_of_characters(size, whole):
    data = size.to_bytes(4, "little") + bytes(8)
    assert tokenizers._whole_map(base64.b64encode(data).decode()) == whole
    assert not tokenizers._whole_map("no base64!")


def test_patterns(capfd):
    for pattern in GOOD:
        patterns.check_pattern(pattern)
    for pattern in BAD:
        with pytest.raises(ValueError, match="a pattern"):
            patterns.check_pattern(pattern)
    assert capfd.readouterr() == ("", "")  # a panic that is caught would print a page


def test_a_panic_is_a_sentence_too():
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(SlmfitError, match="cannot be loaded: index out of range"), in_words("here"):
        raise panic("index out of range")
    with pytest.raises(KeyboardInterrupt), in_words("here"):
        raise KeyboardInterrupt


def test_whole_models_pass(model):
    checkpoint.check_folder(model)
    (model / checkpoint.INDEX).write_text(json.dumps({"weight_map": {"bert.x": "model.safetensors"}}))
    checkpoint.check_folder(model)


def test_links_of_the_hubs_cache_lead_to_its_own(wholes, tmp_path):
    repo = tmp_path / "models--acme--tiny"
    shutil.copytree(wholes["encoder"], repo / "blobs")
    folder = repo / "snapshots" / "c0ffee"
    folder.mkdir(parents=True)
    for path in (repo / "blobs").iterdir():
        (folder / path.name).symlink_to(f"../../blobs/{path.name}")
    checkpoint.check_folder(folder)
    (folder / "vocab.txt").symlink_to("../../../elsewhere.txt")
    with pytest.raises(UnsafeError, match=r"vocab\.txt"):
        checkpoint.check_folder(folder)
