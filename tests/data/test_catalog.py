"""The catalogue: complete, in slmfit's own words, and true of the real files where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from slmfit.data import catalog, load_data
from slmfit.data.recipe import STRIPS
from slmfit.errors import UsageError
from slmfit.records import SPLITS
from slmfit.tasks import by_name


@pytest.mark.parametrize("name", catalog.names())
def test_every_entry_speaks_slmfits_words(name: str) -> None:
    entry = catalog.lookup(name)
    task = by_name(entry.task)
    assert set(entry.columns) <= set(task.roles)
    assert set(task.required) <= set(entry.columns)
    assert set(entry.rows) <= set(SPLITS)
    assert set(entry.strip) <= set(STRIPS)
    assert entry.licence
    assert entry.about.endswith(".")
    assert isinstance(entry.labels, int) or list(entry.labels) == sorted(entry.labels)
    for score in entry.scores:
        assert score.metric in task.metrics
        assert 0 < score.value < 1
        assert score.source
        assert score.split in SPLITS


def test_an_entry_is_found_by_its_name_here_or_on_the_hub() -> None:
    assert catalog.lookup("fancyzhx/ag_news") is catalog.lookup("ag_news")
    assert {s.method: s.value for s in catalog.lookup("ag_news").scores}["fastText with bigrams"] == 0.925
    with pytest.raises(UsageError, match="did you mean 'ag_news'"):
        catalog.lookup("agnews")


@pytest.mark.real_data
@pytest.mark.skipif("SLMFIT_DATA" not in os.environ, reason="SLMFIT_DATA names no folder of real data")
@pytest.mark.parametrize("name", ["ag_news", "newsgroups20", "snips", "atis", "wnut17", "openbookqa", "arc_easy"])
def test_the_real_files_are_as_the_catalogue_says(name: str) -> None:
    entry, data = catalog.lookup(name), load_data(Path(os.environ["SLMFIT_DATA"]) / name)
    files = {file["used_as"]: file["rows"] for file in data.source["files"]}
    assert data.task.name == entry.task
    for split, rows in files.items():
        if (name, split) != ("ag_news", "train"):  # of which only a part is there
            assert rows == entry.rows[split]
    if entry.task == "text-classification":
        assert len(data.task.labels) == (entry.labels if isinstance(entry.labels, int) else len(entry.labels))
