"""What a log's answers say of how sure they are: a share is filled by the model here, a scale stays as it is."""

import pytest

from slmfit.leaving import shapes


@pytest.mark.parametrize(
    ("scale", "most"),
    [([0.5, 0.9, 0.7], 1), ([50, 90, 70], 100), ([3, 5, 4], None), ([7, 10, 8], None), ([0, 1, 1], None)],
)
def test_only_a_share_is_taken_for_one(scale, most):
    assert shapes._most(scale, "confidence") == most
    assert shapes._most(scale, "amount") is None
