"""Folders of tables: as people name them, as the hub's clones have them, as `save_to_disk` writes them."""

import polars as pl
import pytest

from slmfit.data import load_data
from slmfit.errors import DataError

ROWS = [
    {"text": f"{'amber azure beige black coral'.split()[i % 5]} number {i}", "label": "ab"[i % 2]} for i in range(30)
]


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(ROWS).write_parquet(folder / name)


@pytest.mark.parametrize("names", [
    ["data/train-00000-of-00002-0123456789abcdef.parquet", "data/train-00001-of-00002-fedcba9876543210.parquet",
     "data/test-00000-of-00001-0123456789abcdef.parquet"],
    ["default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet"],
    ["train/0000.parquet", "train/0001.parquet", "test/0000.parquet"],
])  # fmt: skip
def test_a_clone_s_folders_are_read(tmp_path, names):
    put(tmp_path, *names)
    (tmp_path / "README.md").write_text("a card")
    (tmp_path / "dataset_infos.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    data = load_data(tmp_path)
    assert (len(data.train) + len(data.validation), len(data.test)) == (60, 30)


def test_several_configurations_are_named(tmp_path):
    put(tmp_path, "a/train.parquet", "b/train.parquet")
    with pytest.raises(DataError, match=r"holds several data sets: a, b\n.*/a"):
        load_data(tmp_path)


def test_a_folder_of_other_tables_is_not_passed_by(tmp_path):
    put(tmp_path, "all.parquet", "old/train.parquet")
    with pytest.raises(DataError, match=r"no file here is named train \(found: all.parquet\)"):
        load_data(tmp_path)


def test_a_saved_data_set_is_read(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    whole = datasets.Dataset.from_list(ROWS).cast(features)
    datasets.DatasetDict(train=whole, test=whole.select(range(9))).save_to_disk(tmp_path / "saved")
    data = load_data(tmp_path / "saved")
    assert (data.task.labels, len(data.test)) == (("a", "b"), 9)
    assert load_data(tmp_path / "saved" / "train", test=tmp_path / "saved" / "test").test == data.test
    (tmp_path / "saved" / "train" / "state.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        load_data(tmp_path / "saved")
