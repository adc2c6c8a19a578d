"""GGUF files: read into the same weights, kept, and refused where they are damaged or ask for too much."""

import shutil
import struct
import time

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny_gguf
from slmfit import environment
from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.finetune import converted, pretrained
from slmfit.hub import gguf


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def file(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "cache"))
    return shutil.copy(whole, tmp_path / "tiny.gguf")


def fetched(base):
    return pretrained.fetched(str(base), lambda config: pretrained.check_kind(config, str(base), "causal"))


def kept(tmp_path):
    """The folders in the cache."""
    return sorted(path.name for path in (tmp_path / "cache").glob("converted/*") if path.name != ".lock")


def text(string):
    return struct.pack("<Q", len(string)) + string.encode()


def made(*values, tensors=b"", count=0, keys=None, version=3):
    """A file of these keys, each (name, type, bytes)."""
    head = b"GGUF" + struct.pack("<IQQ", version, count, len(values) if keys is None else keys)
    return head + b"".join(text(name) + struct.pack("<I", kind) + data for name, kind, data in values) + tensors


LLAMA = ("general.architecture", 8, text("llama"))
TOKENS = ("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 1) + text("a"))
SOUND = (LLAMA, TOKENS, ("tokenizer.ggml.model", 8, text("gpt2")))


def tensor(name="output_norm.weight", shape=(32,), kind=0, begin=0):
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, begin)


def one(**about):
    return made(*SOUND, count=1, tensors=tensor(**about)) + bytes(4096)


DAMAGED = {
    "nothing": (b"", "too short"),
    "a page": (b"<!doctype html>" + bytes(40), "no GGUF file"),
    "a pickle": (b"PK\x03\x04" + bytes(40), "never loaded"),
    "version 1": (made(version=1), "version 1"),
    "the other byte order": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "other byte order"),
    "a billion tensors": (made(count=10**9), "1,000,000,000 tensors"),
    "more keys than bytes": (made(keys=9999), "cut off"),
    "a name without end": (made() [:-8] + struct.pack("<QQ", 1, 2**60), "a name or text of"),
    "a list without end": (made(("x", 9, struct.pack("<IQ", 4, 2**40))), "lists of 1,099,511,627,776 items"),
    "many lists": (made(*[(f"x{i}", 9, struct.pack("<IQ", 0, 3_000_000) + bytes(3_000_000)) for i in range(2)]),
                   "lists of 6,000,000 items"),
    "a list in a list": (made(("x", 9, struct.pack("<IQ", 9, 1))), "lists in a list"),
    "endless tokens": (made(("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 1) + text("a" * 40_000))),
                       "endless texts"),
    "a type of its own": (made(("x", 77, b"")), "unknown type 77"),
    "a key twice": (made(LLAMA, LLAMA), "a key twice"),
    "no architecture": (made(), "which architecture"),
    "an architecture that is a path": (made(("general.architecture", 8, text("../x"))), "which architecture"),
    "no tokenizer": (made(LLAMA), "no tokenizer"),
    "a billion layers": (made(*SOUND, ("llama.block_count", 4, struct.pack("<I", 10**9))), "llama.block_count"),
    "no layers": (made(*SOUND, ("llama.block_count", 4, struct.pack("<I", 0))), "llama.block_count"),
    "a width that is none": (made(*SOUND, ("llama.rope.freq_base", 6, struct.pack("<f", float("nan")))), "freq_base"),
    "an odd alignment": (made(*SOUND, ("general.alignment", 4, struct.pack("<I", 33))), "aligned to 33"),
    "no tensors": (made(*SOUND), "no tensors"),
    "a tensor of no axes": (one(shape=()), "0 axes"),
    "a tensor of no size": (one(shape=(0,)), "no such shape"),
    "a tensor of a trillion": (one(shape=(2**40,)), "its tensors need"),
    "a product beyond 64 bits": (one(shape=(2**40, 2**40)), "its tensors need"),
    "a tensor of another type": (one(kind=33), "unknown type 33"),
    "blocks that are not full": (one(shape=(33,), kind=2), "no such shape"),
    "a tensor outside": (one(begin=2**50), "its tensors need"),
    "tensors over each other": (made(*SOUND, count=2, tensors=tensor() + tensor("x")) + bytes(4096), "over each other"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_refused_in_a_sentence(name, tmp_path):
    data, says = DAMAGED[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    begin = time.process_time()
    with pytest.raises(SlmfitError) as caught:
        gguf.read(path)
    assert says in str(caught.value) and "fix: " in str(caught.value)
    assert time.process_time() - begin < 2


def test_cut_anywhere_it_is_refused(whole, tmp_path):
    data, path = whole.read_bytes(), tmp_path / "cut.gguf"
    for length in [*range(0, len(data), 997), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(SlmfitError):
            gguf.read(path)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, 8000), with_=st.binary(min_size=1, max_size=9))
def test_any_damage_is_read_or_refused(whole, tmp_path, at, with_):
    data, path = whole.read_bytes(), tmp_path / "changed.gguf"
    path.write_bytes(data[:at] + with_ + data[at + len(with_) :])
    try:
        assert gguf.read(path).tensors
    except SlmfitError as error:
        assert "fix: " in str(error)


def test_the_same_weights_and_tokens(file, whole, tmp_path):
    ours, theirs = fetched(file), whole.with_suffix(".folder")
    models = [AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (theirs, ours)]
    assert models[0].keys() == models[1].keys()
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    said = [AutoTokenizer.from_pretrained(folder)("my card was charged twice").input_ids for folder in (theirs, ours)]
    assert said[0] == said[1]
    assert converted.made_of(tmp_path / "cache" / "converted" / kept(tmp_path)[0])["name"] == "tiny.gguf"


def test_packed_weights_are_those_that_were_packed(tmp_path, whole, monkeypatch):
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "cache"))
    file = tiny_gguf.write(tmp_path / "packed.gguf", whole.with_suffix(".folder"), "Q8_0")
    exact = AutoModelForCausalLM.from_pretrained(whole.with_suffix(".folder")).state_dict()
    found = AutoModelForCausalLM.from_pretrained(fetched(file)).state_dict()
    off = {name: float((exact[name] - found[name]).abs().max()) for name in exact}
    assert 0 < max(off.values()) < 1e-3


def test_it_is_made_once_by_what_it_holds(file, tmp_path, monkeypatch):
    first = fetched(file)
    monkeypatch.setattr(converted, "_convert", None)
    other = shutil.copy(file, tmp_path / "other name.GGUF")
    assert fetched(other) == first
    folder = tmp_path / "folder"
    folder.mkdir()
    shutil.copy(file, folder / "inside.gguf")
    assert fetched(folder) == first


def test_what_was_damaged_in_the_cache_is_made_anew(file, tmp_path):
    fetched(file)
    (path,) = (tmp_path / "cache").rglob("model.safetensors")
    good = path.read_bytes()
    path.write_bytes(good[:-4] + b"\0\0\0\1")
    fetched(file)
    assert path.read_bytes() == good


def test_nothing_half_made_stays(file, tmp_path, monkeypatch):
    monkeypatch.setattr(converted, "_save", lambda model, folder: 1 / 0)
    with pytest.raises(SlmfitError):
        fetched(file)
    assert kept(tmp_path) == [] and not list((tmp_path / "cache").rglob("*.partial"))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"block_count": 3}, "lack model.layers.2"),
        ({"block_count": 9000}, "a model of 9,000 layers"),
        ({"embedding_length": 10**8}, "it describes a model of"),
        ({"vocab_size": 10**8}, "it describes a model of"),
    ],
)
def test_another_model_than_its_head_describes(whole, tmp_path, monkeypatch, values, says):
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "cache"))
    file = tiny_gguf.write(tmp_path / "odd.gguf", whole.with_suffix(".folder"), **values)
    begin = time.process_time()
    with pytest.raises(SlmfitError, match=says):
        fetched(file)
    assert time.process_time() - begin < 5
    assert kept(tmp_path) == []


def test_a_kind_that_does_not_fit_is_told_before_weights_are_read(file, monkeypatch):
    monkeypatch.setattr(converted, "_save", None)
    with pytest.raises(UsageError, match="a causal model"):
        pretrained.fetched(str(file), lambda config: pretrained.check_kind(config, str(file), "encoder"))


def test_which_file_is_meant(file, tmp_path):
    shutil.copy(file, tmp_path / "second.gguf")
    with pytest.raises(UsageError, match="holds 2 GGUF files"):
        gguf.source_of(str(tmp_path))
    (tmp_path / "weights.bin").write_bytes(b"x")
    with pytest.raises(UsageError, match="is a file, and no GGUF"):
        gguf.source_of(str(tmp_path / "weights.bin"))
    part = shutil.copy(file, tmp_path / "big-00001-of-00002.gguf")
    with pytest.raises(UsageError, match="several parts"):
        gguf.read(tmp_path / part)


def test_without_its_package_the_line_that_brings_it_is_told(file, monkeypatch):
    monkeypatch.setattr(converted, "missing", lambda *names: list(names))
    with pytest.raises(MissingPart, match=r"slmfit\[gguf\]"):
        fetched(file)
    assert "gguf" in environment.EXTRAS
