"""The same plan with other seeds: other weights, one line; a model that is used as it is has no seed."""

import tiny
from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.methods.specs import parse_specs


def test_two_seeds_of_an_encoder(tmp_path):
    base, data = tiny.encoder(tmp_path / "base"), make_dataset(sizes=(120, 40, 60))
    settings = {"encoder": {"epochs": 2, "learning_rate": 5e-3}}
    both = train(data, f"encoder={base}", settings=settings, seeds=2, out=tmp_path / "out")
    assert [one.run for one in both.row.seeds] == ["runs/encoder-base", "runs/encoder-base~seed1"]
    first, second = (
        (tmp_path / "out" / one.run / "model" / "model.safetensors").read_bytes() for one in both.row.seeds
    )
    assert first != second
    validation = [one.scores["validation"]["accuracy"].value for one in both.row.seeds]
    assert both.folder == tmp_path / "out" / both.row.seeds[validation.index(max(validation))].run
    tuned, untuned = parse_specs(
        f"encoder={base},encoder@as-it-is={both.folder / 'model'}", {"encoder@as-it-is": {"epochs": 0}}
    )
    assert tuned.seeded and not untuned.seeded
