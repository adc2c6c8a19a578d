"""Killed at random moments under 30 % faults: the quick version of what benchmarks/llm.py does 200 times."""

import pytest

from llm_trial import DONE, OUT_OF_BUDGET, Trial


@pytest.mark.parametrize(("calls", "usd", "code"), [(800, None, DONE), (800, 0.1, OUT_OF_BUDGET)])
def test_nothing_is_lost_doubled_asked_again_or_overspent(tmp_path, calls, usd, code):
    trial = Trial(tmp_path, calls=calls, kills=4, faults=0.3, usd=usd, seed=calls)
    trial.run()
    found = trial.report()
    assert found["code"] == code
    assert found["killed"] > 0
    assert (found["lost"], found["doubled"], found["asked_again"]) == (0, 0, 0)
    assert (found["overspent_usd"], found["untyped"], found["redirects_followed"]) == (0, 0, 0)
    assert found["kinds_of_fault"] >= 25 or code == OUT_OF_BUDGET
