import random

import pytest
import torch
from safetensors.torch import load_file

from slmfit.finetune.checkpoints import Checkpoints

TENSORS = {"weights/a": torch.arange(12.0).reshape(3, 4), "step/a": torch.tensor(7.0), "empty": torch.zeros(0, 3)}


def written(folder, *steps):
    store = Checkpoints(folder)
    for step in steps:
        store.write(step, {**TENSORS, "n": torch.tensor([step])}, {"progress": {"step": step}})
    return store


def test_what_is_written_is_read(tmp_path):
    state, damaged = written(tmp_path, 5).newest()
    assert damaged == 0
    assert state.about == {"progress": {"step": 5}}
    for name, tensor in TENSORS.items():
        assert torch.equal(state.tensors[name], tensor)
        assert state.tensors[name].dtype == tensor.dtype
    assert torch.equal(load_file(tmp_path / "step-00000005" / "state.safetensors")["weights/a"], TENSORS["weights/a"])


def test_two_are_kept(tmp_path):
    written(tmp_path, 1, 2, 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000002", "step-00000003"]


def test_none(tmp_path):
    assert Checkpoints(tmp_path / "missing").newest() == (None, 0)


def test_every_flipped_byte_is_detected_and_the_one_before_serves(tmp_path):
    store = written(tmp_path, 1, 2)
    rng = random.Random(0)
    files = sorted((tmp_path / "step-00000002").iterdir())
    for _ in range(300):
        path = rng.choice(files)
        whole = path.read_bytes()
        raw = bytearray(whole)
        raw[rng.randrange(len(raw))] ^= rng.randrange(1, 256)
        path.write_bytes(raw)
        state, damaged = store.newest()
        assert (state.about["progress"]["step"], damaged) == (1, 1)
        path.write_bytes(whole)
    for path in files:
        path.write_bytes(path.read_bytes()[:-1])
        assert store.newest()[1] == 1


def test_both_damaged(tmp_path):
    store = written(tmp_path, 1, 2)
    for folder in tmp_path.iterdir():
        (folder / "sha256").unlink()
    assert store.newest() == (None, 2)


def test_nothing_that_json_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        Checkpoints(tmp_path).write(1, TENSORS, {"loss": float("nan")})
