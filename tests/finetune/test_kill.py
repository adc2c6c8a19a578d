"""Kill -9, a refusing disk and flipped bytes: the training goes on to the same bits, or says what is wrong."""

import errno

import pytest

from killing import Trial


@pytest.fixture(scope="module", params=["encoder", "causal"])
def trial(request, tmp_path_factory):
    return Trial(request.param, tmp_path_factory.mktemp(request.param))


def test_killed_anywhere_it_resumes_to_the_same_bits(trial):
    assert {"write", "fsync", "rename", "step"} == set(trial.kinds)
    for at in trial.points(20, seed=0):
        assert trial.killed_and_resumed(at) == trial.reference, f"killed at {at} ({trial.kinds[at]})"


def test_a_refusing_disk_leaves_nothing_torn(trial):
    for n, at in enumerate(trial.points(10, seed=1)):
        assert trial.refused(at, (errno.ENOSPC, errno.EIO)[n % 2]) == trial.reference
