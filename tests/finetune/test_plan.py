import json
from dataclasses import replace

import numpy as np
import pytest

from slmfit.errors import BudgetReached
from slmfit.finetune.costs import Costs, within
from slmfit.finetune.plan import Asked, Facts, Plan, derive, kept_tokens

LENGTHS = np.random.default_rng(0).geometric(0.02, 20_000).clip(5, 400)
FACTS = Facts(lengths=LENGTHS, limit=512, hidden=384, lora=False, device="cpu", validation_rows=2000)
COSTS = Costs(np.array([20.0, 50, 100]), np.full(3, 1e-3), np.full(3, 2.5e-4))


def test_nothing_needs_to_be_set_and_all_is_explained():
    plan = derive(Asked(), FACTS)
    assert plan.learning_rate == pytest.approx(1e-4)
    assert plan.epochs == 3
    assert plan.rows == 60_000
    assert (plan.max_length >= LENGTHS).mean() >= 0.98
    assert set(plan.why) == {"epochs", "learning_rate", "batch_tokens", "max_length"}
    assert plan.why["learning_rate"].startswith("5e-5 at a width of 768")


def test_what_is_set_holds():
    plan = derive(Asked(epochs=1, learning_rate=3e-5, batch_tokens=512, max_length=64), FACTS)
    assert (plan.epochs, plan.learning_rate, plan.batch_tokens, plan.max_length) == (1, 3e-5, 512, 64)
    assert set(plan.why.values()) == {"asked for"}


def test_a_plan_survives_being_written():
    plan = derive(Asked(), FACTS).revised(10, 500).revised(20, 400)
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert [again.rows_at(step) for step in (0, 9, 10, 19, 20, 99)] == [60_000, 60_000, 500, 500, 400, 400]


def test_the_rate_rises_and_falls():
    plan = derive(Asked(warmup=0.1, learning_rate=1.0), FACTS)
    rates = [plan.rate_at(seen, 1000) for seen in range(0, 1001, 10)]
    assert max(rates) == pytest.approx(1.0)
    assert np.argmax(rates) == 10
    assert rates[0] > 0
    assert rates[-1] == 0
    assert derive(Asked(warmup=0.0, learning_rate=1.0), FACTS).rate_at(0, 100) == 1.0


def predicted(plan, rows):
    cut = np.minimum(LENGTHS, plan.max_length)
    scoring = COSTS.to_predict(cut) / len(cut) * (rows + plan.evaluations * plan.epochs * 2000)
    return COSTS.to_train(cut) / len(cut) * plan.rows + scoring


@pytest.mark.parametrize("seconds", [300, 600, 1500, 2500, 4000, 20_000])
def test_a_budget_is_used_and_kept(seconds):
    whole = derive(Asked(), FACTS)
    plan = within(whole, COSTS, LENGTHS, seconds=seconds, validation_rows=2000, predicted_rows=7000)
    assert predicted(plan, 7000) <= seconds * 1.001
    assert plan.most_epochs == (whole.epochs if plan.epochs == 1 else None)
    if seconds < 1000:
        assert plan.rows < 20_000
        assert predicted(plan, 7000) > 0.98 * seconds
        assert plan.max_length < whole.max_length
        assert kept_tokens(LENGTHS, plan.max_length) >= 0.8
        assert "in the shares of their labels" in plan.why["epochs"]
    if seconds == 2500:
        assert plan.epochs == 2
    if seconds == 20_000:
        assert (plan.epochs, plan.rows, plan.max_length) == (3, 60_000, whole.max_length)


def test_no_time_at_all():
    with pytest.raises(BudgetReached, match=r"2 seconds leave no time to train\n  fix: give a budget with \dm or more"):
        within(derive(Asked(), FACTS), COSTS, LENGTHS, seconds=2, validation_rows=2000, predicted_rows=7000)


def test_scoring_leaves_time_to_train():
    plan = within(derive(Asked(), FACTS), COSTS, LENGTHS, seconds=60, validation_rows=2000, predicted_rows=7000)
    assert plan.later_seconds == pytest.approx(
        0.4 * plan.seconds
    )  # scoring all would take more; a part of the rows is scored then
    assert 64 < plan.rows < 20_000 and plan.evaluations == 0


def test_a_large_model_has_its_batches_cut_so_that_memory_stays_small():
    small, large = replace(FACTS, layers=6), replace(FACTS, layers=30, hidden=576, lora=True)
    assert derive(Asked(), small).split == 1
    plan = derive(Asked(batch_tokens=1024), large)
    assert plan.split == 16 and plan.batch_tokens / plan.split * 30 * 576 * 170 <= 200e6
    assert derive(Asked(batch_tokens=1024), replace(large, lora=False)).split == 5
    assert derive(Asked(batch_tokens=2**24), large).split == 64
    assert derive(Asked(batch_tokens=1024), replace(large, device="cuda")).split == 1
