"""The precision that is chosen is the one this processor is quick at."""

import pytest
import torch

from slmfit.finetune.device import choose


@pytest.mark.parametrize(
    ("unit", "precision"),
    [("_is_amx_tile_supported", "bf16"), ("_is_avx512_bf16_supported", "bf16"), (None, "fp32")],
)
def test_bf16_only_where_the_processor_multiplies_it(monkeypatch, unit, precision):
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda there=name == unit: there, raising=False)
    on = choose("cpu")
    assert on.precision == precision
    assert on.exact().precision == "fp32"
    assert choose("cpu", "bf16").exact().precision == "bf16"  # asked for


def test_a_torch_that_cannot_tell_stays_exact(monkeypatch):
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert choose("cpu").precision == "fp32"
