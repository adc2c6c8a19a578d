"""What data are called: as their file, or as the folder around it where many files are called so."""

import pytest

from slmfit.data.load import load_data
from slmfit.data.titles import title
from slmfit.errors import UsageError


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("shop/tickets.csv", "tickets"),
        ("shop/tickets.csv.gz", "tickets"),
        ("shop/train.csv", "shop"),
        ("shop/Training.jsonl.gz", "shop"),
        ("shop/data/train.csv", "shop"),
        ("shop/data.json", "shop"),
        ("shop", "shop"),
        ("shop/data", "shop"),
        ("shop/v1.2/train.csv", "v1.2"),
    ],
)
def test_a_name_that_says_nothing_gives_way_to_the_folders(tmp_path, path, name):
    for folder in ("shop/data", "shop/v1.2"):
        (tmp_path / folder).mkdir(parents=True)
    assert title(tmp_path / path) == name
    assert title([{"text": "a", "label": "b"}]) == "data" and title("hub:owner/name") == "name"


def test_nobody_is_named_by_their_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "homes" / "me"))
    assert title(tmp_path / "homes" / "me" / "train.csv") == "train"
    assert title(tmp_path / "homes" / "you" / "train.csv") == "train"
    assert title(tmp_path / "homes" / "me" / "shop" / "train.csv") == "shop"
    assert title("/train.csv") == "train" and title("/data/train.csv") == "train"


def test_a_name_may_be_given():
    rows = [{"text": f"{word} {i}", "label": word} for i in range(30) for word in ("red", "blue")]
    assert load_data(rows, name="colours").name == "colours"
    assert load_data(rows, name="colours").fingerprint == load_data(rows).fingerprint
    with pytest.raises(UsageError, match="name of the data is empty"):
        load_data(rows, name=" ")
