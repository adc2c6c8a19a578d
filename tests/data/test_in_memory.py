"""Rows that a program holds are data as those of a file are."""

import json

import polars as pl
import pytest

from conftest import make_dataset
from slmfit.comparison.compare import train
from slmfit.data.load import load_data
from slmfit.errors import DataError, UsageError


@pytest.fixture(scope="module")
def rows():
    return [{"id": e.id, "text": e.input, "label": e.target} for e in make_dataset(sizes=(90, 0, 0)).train]


def as_pandas(rows):
    return pytest.importorskip("pandas").DataFrame(rows)


FORMS = {
    "rows": list,
    "a tuple": tuple,
    "columns": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    "polars": pl.DataFrame,
    "pandas": as_pandas,
}


@pytest.mark.parametrize("form", FORMS)
def test_they_are_read_as_a_file_is(tmp_path, rows, form):
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data, wanted = load_data(FORMS[form](rows)), load_data(path)
    assert data.fingerprint == wanted.fingerprint and data.task == wanted.task and data.name == "data"
    assert [e.id for e in data.test] == [e.id for e in wanted.test]
    both = load_data(FORMS[form](rows[:60]), test=FORMS[form](rows[60:]))
    assert [e.input for e in both.test] == [row["text"] for row in rows[60:]]


def test_what_pandas_calls_missing_is_missing(rows):
    frame = as_pandas([*rows, {"id": "x", "text": "no label", "label": None}])
    with pytest.raises(DataError, match=r"data, line 91, column 'label': the label is empty"):
        load_data(frame)


def test_a_run_of_them(tmp_path, rows):
    assert train(load_data(rows), "majority", out=tmp_path).record.dataset["name"] == "data"


def test_what_is_no_table(rows):
    for source, says in (
        ([], "holds no rows"),
        ({}, "holds no rows"),
        (["a text"], "line 1: a row is str"),
        ({"text": ["a", "b"], "label": ["x"]}, "columns differ in length: 'text' 2, 'label' 1"),
        ({"text": "a", "label": "x"}, "the column 'text' is str"),
    ):
        with pytest.raises(DataError, match=says):
            load_data(source)
    with pytest.raises(UsageError, match="the data holds test rows already"):
        load_data([{**row, "split": ("train", "test")[i % 2]} for i, row in enumerate(rows)], test=rows)


def test_what_cannot_be_read_is_refused():
    for source in (({"text": "a"} for _ in range(3)), 5, object()):
        with pytest.raises(UsageError, match="which cannot be read"):
            load_data(source)


def test_two_columns_of_one_name_are_refused():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame([["a thing", "x", "y"]] * 30, columns=["text", "label", "label"])
    with pytest.raises(DataError, match="two columns are called 'label'"):
        load_data(frame)


def test_numbers_of_numpy_are_numbers():
    np = pytest.importorskip("numpy")
    data = load_data([{"text": f"words number {i}", "label": np.int64(i % 2)} for i in range(60)])
    assert data.task.labels == ("0", "1")


def test_a_column_without_order_is_refused():
    with pytest.raises(DataError, match="the column 'text' is set, which has no order"):
        load_data({"text": {"one", "two"}, "label": ["a", "b"]})
