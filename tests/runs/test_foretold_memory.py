"""What fitting would hold: known of a model whose steps are tried, and of no other."""

import pytest

from conftest import TORCH, make_dataset
from slmfit.cli import display
from slmfit.comparison.planning import step
from slmfit.methods.specs import parse_specs
from slmfit.runs.fitting import Terms


@pytest.mark.skipif(not TORCH, reason="torch is not installed")
def test_memory_is_foretold_of_what_is_tuned(tmp_path, capsys):
    import tiny

    data = make_dataset("multiple-choice", sizes=(24, 8, 8))
    specs = parse_specs(f"majority,seq2seq={tiny.seq2seq(tmp_path)}", {"seq2seq": {"epochs": 1}}, data.task)
    floor, tuned = (step(spec, data, Terms(0, "accuracy"), missing=1) for spec in specs)
    assert floor.forecast.fit_peak_memory_bytes is None
    assert tuned.forecast.seconds > 0 and tuned.forecast.fit_peak_memory_bytes > 100_000_000  # torch itself
    display.show_plan([floor, tuned], as_json=False)
    assert "GB of memory" in (out := capsys.readouterr().out) or "MB of memory" in out
