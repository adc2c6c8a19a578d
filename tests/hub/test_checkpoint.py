"""Base models that a stranger made: refused in a sentence, in bounded time and memory, before anything is loaded."""

import json
import resource
import shutil
import time

import pytest

import tiny
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.finetune import pretrained
from slmfit.hub import checkpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "model"
    tiny.encoder(folder)
    return folder


@pytest.fixture
def model(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


def started(folder):
    """What a fine-tuning does first."""
    base = pretrained.fetched(str(folder), lambda config: pretrained.check_kind(config, str(folder), "encoder"))
    config = pretrained.read_config(base)
    tokenizer = pretrained.load_tokenizer(base, config)
    pretrained.load_with_head(base, config, "ForSequenceClassification", ["a", "b"], 0)
    return tokenizer


def changed(name, **values):
    def change(folder):
        about = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**about, **values}))

    return change


def indexed(name):
    def change(folder):
        (folder.parent / "outside.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
        (folder / "weights.bin").write_bytes(b"PK\3\4")
        (folder / checkpoint.INDEX).write_text(json.dumps({"weight_map": {"bert.x": name}}))

    return change


def linked(name, to):
    def change(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(to)

    return change


def written(name, data):
    return lambda folder: (folder / name).write_bytes(data)


REPLACE = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}
HOSTILE = {
    "an index that names a pickle": (indexed("weights.bin"), UnsafeError, "only *.safetensors"),
    "an index that leads outside": (indexed("../outside.safetensors"), UnsafeError, "only *.safetensors"),
    "an index that is none": (written(checkpoint.INDEX, b"[]"), UnsafeError, "no JSON object"),
    "a pickle called safetensors": (written("model.safetensors", b"PK\3\4" + b"x" * 99), UnsafeError, "is a pickle"),
    "a bare pickle": (written("model.safetensors", b"\x80\x04K\x01."), UnsafeError, "is a pickle"),
    "a vocabulary that is a link": (linked("vocab.txt", "/etc/passwd"), UnsafeError, "leads out of its folder"),
    "weights that are a link": (linked("model.safetensors", "/dev/zero"), UnsafeError, "leads out of its folder"),
    "an adapter": (written("adapter_config.json", b'{"base_model_name_or_path": ".."}'), UnsafeError, "adapter"),
    "weights by name": (changed("config.json", transformers_weights="x.bin"), UnsafeError, "weights of its own"),
    "a vocabulary by name": (changed("tokenizer_config.json", vocab_file="/etc/passwd"), UnsafeError, "vocab_file"),
    "a million layers": (changed("config.json", num_hidden_layers=10**6), UnsafeError, "num_hidden_layers"),
    "more layers than tensors": (changed("config.json", num_hidden_layers=9_999), UnsafeError, "9,999 layers"),
    "a terabyte": (changed("config.json", intermediate_size=10**8, hidden_size=2048), UnsafeError, "parameters"),
    "labels without end": (changed("config.json", num_labels=10**9), UnsafeError, "num_labels"),
    "a vocabulary without end": (changed("config.json", vocab_size=10**9), UnsafeError, "parameters"),
    "a normaliser that grows": (
        changed("tokenizer.json", normalizer={"type": "Sequence", "normalizers": [REPLACE, REPLACE]}), UnsafeError,
        "1,000,000 characters of one",
    ),
    "padding without end": (
        changed("tokenizer.json", padding={"strategy": {"Fixed": 10**9}, "pad_id": 0}), UnsafeError, "fills every text",
    ),
    "a tokenizer that is none": (changed("tokenizer.json", model={"type": "Nothing"}), SlmfitError, "cannot be loaded"),
    "a configuration of the wrong kinds": (changed("config.json", hidden_size="x"), SlmfitError, "cannot be loaded"),
    "heads that do not divide": (changed("config.json", num_attention_heads=7), SlmfitError, "cannot be loaded"),
    "a configuration that is none": (written("config.json", b"[" * 100_000), UnsafeError, "no JSON"),
    "cut weights": (written("model.safetensors", b"\x00\x10\0\0\0\0\0\0{"), SlmfitError, "damaged"),
    "no header": (written("model.safetensors", bytes(8) + b"{}"), SlmfitError, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_refused_in_a_sentence(case, model):
    change, kind, says = HOSTILE[case]
    change(model)
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(kind) as caught:
        started(model)
    assert says in str(caught.value) and "fix: " in str(caught.value)
    assert time.process_time() - begin < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_a_panic_is_a_sentence_too():
    panic = type("PanicException", (BaseException,), {})
    with pytest.raises(SlmfitError, match="cannot be loaded: index out of range"), pretrained._in_words("here"):
        raise panic("index out of range")
    with pytest.raises(KeyboardInterrupt), pretrained._in_words("here"):
        raise KeyboardInterrupt


def test_whole_models_pass(model):
    assert started(model)
    (model / checkpoint.INDEX).write_text(json.dumps({"weight_map": {"bert.x": "model.safetensors"}}))
    checkpoint.check_folder(model)


def test_links_of_the_hubs_cache_lead_to_its_own(whole, tmp_path):
    repo = tmp_path / "models--acme--tiny"
    shutil.copytree(whole, repo / "blobs")
    folder = repo / "snapshots" / "c0ffee"
    folder.mkdir(parents=True)
    for path in (repo / "blobs").iterdir():
        (folder / path.name).symlink_to(f"../../blobs/{path.name}")
    checkpoint.check_folder(folder)
    (folder / "vocab.txt").symlink_to("../../../elsewhere.txt")
    with pytest.raises(UnsafeError, match=r"vocab\.txt"):
        checkpoint.check_folder(folder)
