"""Nothing that a stranger packed leads out of its folder: links in data, runs that a comparison names."""

import json
import shutil

import pytest

import slmfit
from conftest import make_dataset
from slmfit import reporting
from slmfit.comparison.compare import compare
from slmfit.data import load_data
from slmfit.errors import UnsafeError


def test_a_link_in_a_data_folder_that_leads_outside_is_refused(tmp_path):
    data = tmp_path / "data"
    for label in ("a", "b"):
        (data / label).mkdir(parents=True)
        for i in range(12):
            (data / label / f"{i}.txt").write_text(f"text {i} of {label}")
    load_data(data)
    (data / "a" / "again.txt").symlink_to(data / "a" / "1.txt")
    load_data(data)
    (data / "a" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeError, match="passwd: is a link that leads out of its folder"):
        load_data(data)


@pytest.mark.parametrize("name", ["../outside", "/etc", "runs/../../outside"])
def test_a_comparison_that_names_a_run_elsewhere_is_refused(name, tmp_path):
    compare(make_dataset(sizes=(60, 20, 100)), "majority", out=tmp_path / "o")
    shutil.copytree(tmp_path / "o" / "runs" / "majority", tmp_path / "outside")
    record = json.loads((tmp_path / "o" / "comparison.json").read_text())
    record["methods"][0]["run"], record["verdict"]["method"] = name, record["methods"][0]["id"]
    (tmp_path / "o" / "comparison.json").write_text(json.dumps(record))
    readers = (
        slmfit.load,
        lambda folder: reporting.markdown([folder]),
        lambda folder: reporting.markdown([folder] * 2),
    )
    for read in readers:
        with pytest.raises(UnsafeError, match="outside of it"):
            read(tmp_path / "o")
