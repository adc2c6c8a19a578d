"""A plan that lies beside a training's checkpoints: ours comes back as it was, any other is none."""

import math

import pytest

from slmfit.finetune.plan import Plan

OURS = Plan(rows=300, epochs=3, max_length=64, batch_tokens=512, learning_rate=2e-5, revisions=((4, 280),), seconds=9.5)


def test_ours_comes_back():
    assert Plan.from_json(OURS.to_json()) == OURS


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 10**30}, {"rows": 0}, {"rows": "7"}, {"rows": True}, {"epochs": 1.5}, {"max_length": -1},
        {"batch_tokens": "x"}, {"learning_rate": "nan"}, {"learning_rate": math.nan}, {"learning_rate": math.inf},
        {"warmup": 1}, {"warmup": -0.1}, {"weight_decay": None}, {"seconds": math.inf}, {"evaluations": 10**15},
        {"split": 0}, {"patience": []}, {"revisions": 7}, {"revisions": [[1]]}, {"revisions": [[1, "x"]]},
        {"most_epochs": 0},
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused(change):
    with pytest.raises((TypeError, ValueError)):
        Plan.from_json({**OURS.to_json(), **change})
