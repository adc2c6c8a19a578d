"""A disk that refuses a model is told in a sentence of ours, whichever method it is and whichever library writes."""

import resource
from contextlib import contextmanager
from importlib.util import find_spec

import pytest

from conftest import make_dataset
from slmfit.data.recipe import TextRecipe
from slmfit.errors import SlmfitError
from slmfit.methods import create
from slmfit.methods.base import Context
from slmfit.methods.saved import save_model

CASES = [("majority", "text-classification"), ("linear", "text-classification"), ("knn", "text-classification")]
CASES += [("linear", "token-classification")] if find_spec("pycrfsuite") else []


@contextmanager
def no_file_larger_than(size):
    """The system refuses every write beyond, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("size", [0, 300])
def test_a_disk_that_refuses_a_model_is_told(name, task, size, tmp_path):
    data = make_dataset(task)
    method = create(name, {})
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
    with no_file_larger_than(size):
        if name == "majority" and size:
            return save_model(tmp_path, data.task, TextRecipe(), name, method)
        with pytest.raises(SlmfitError, match=r"could not be written: .*(File too large|os error 27)[^\0]*fix: "):
            save_model(tmp_path, data.task, TextRecipe(), name, method)
    return None
