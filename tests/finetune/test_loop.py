"""The loop with a job of a few numbers, so that every path of it runs in a moment."""

import errno
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from slmfit.errors import SlmfitError
from slmfit.finetune import loop
from slmfit.finetune.checkpoints import Checkpoints
from slmfit.finetune.device import Device
from slmfit.finetune.plan import Plan

ROWS = 120


class Sum:
    """Which of two groups of numbers is greater: learnt by a small net with dropout."""

    def __init__(self, noise=0.0):
        random = np.random.default_rng(0)
        self.x = torch.from_numpy(random.normal(size=(ROWS, 8)).astype(np.float32))
        self.y = (self.x[:, :4].sum(1) > self.x[:, 4:].sum(1)).long()
        self.lengths = random.integers(3, 20, ROWS)
        self.strata = None
        self.before = lambda rows: None
        self.seen = []

    def loss(self, model, rows):
        self.before(rows)
        self.seen += rows.tolist()
        return torch.nn.functional.cross_entropy(model(self.x[rows]), self.y[rows], reduction="sum")

    def validate(self, model, check):
        check()
        with torch.inference_mode():
            logits = model(self.x)
        loss = torch.nn.functional.cross_entropy(logits, self.y)
        return {"loss": float(loss), "accuracy": float((logits.argmax(1) == self.y).float().mean())}


def net():
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(16, 2)
        )


def plan(**changed):
    epochs = changed.pop("epochs", 3)
    given = {"rows": epochs * ROWS, "max_length": 20, "batch_tokens": 100, "learning_rate": 0.03, **changed}
    return Plan(epochs=epochs, **given)


def training(model, job, made, folder=None, **more):
    store = Checkpoints(folder) if folder else None
    return loop.Training(model, job, made, Device("cpu", "fp32"), seed=0, metric="accuracy", store=store, **more)


def bits(model):
    return b"".join(p.detach().numpy().tobytes() for p in model.parameters())


@pytest.fixture
def often(monkeypatch):
    """A checkpoint after every step."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 0)


def test_it_learns_and_sees_every_row_once_an_epoch():
    model, job = net(), Sum()
    progress = training(model, job, plan()).run()
    assert progress.seen == 3 * ROWS
    assert np.bincount(job.seen).tolist() == [3] * ROWS
    assert progress.scores["accuracy"] > 0.9
    assert not model.training


def test_the_same_seed_gives_the_same_bits_and_the_users_randomness_is_untouched():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    models = [net(), net()]
    for model in models:
        training(model, Sum(), plan()).run()
    assert bits(models[0]) == bits(models[1])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("die_at", [1, 2, 9, 20])
def test_an_interrupted_training_goes_on_to_the_same_bits(tmp_path, often, die_at):
    whole = net()
    training(whole, Sum(), plan()).run()
    job, count = Sum(), 0

    def die(rows):
        nonlocal count
        count += 1
        if count == die_at:
            raise RuntimeError("power cut")

    job.before = die
    with pytest.raises(RuntimeError, match="power cut"):
        training(net(), job, plan(), tmp_path).run()
    again = net()
    events = []
    training(again, Sum(), plan(), tmp_path, event=lambda kind, **f: events.append(kind)).run()
    assert bits(again) == bits(whole)
    assert ("resume" in events) == (die_at > 1)


def test_a_finished_training_is_not_trained_again(tmp_path, often):
    first, second = net(), net()
    training(first, Sum(), plan(), tmp_path).run()
    job = Sum()
    training(second, job, plan(), tmp_path).run()
    assert job.seen == []
    assert bits(first) == bits(second)


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_leaves_a_checkpoint(tmp_path, number, raised):
    whole = net()
    training(whole, Sum(), plan()).run()
    job, handlers = Sum(), [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    job.before = lambda rows: len(job.seen) > 200 and os.kill(os.getpid(), number)
    with pytest.raises(raised) as caught:
        training(net(), job, plan(), tmp_path).run()
    if raised is SystemExit:
        assert caught.value.code == 143
    assert len(list(tmp_path.iterdir())) == 1
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == handlers
    again = net()
    training(again, Sum(), plan(), tmp_path).run()
    assert bits(again) == bits(whole)


def test_a_signal_in_validation_or_at_the_very_end_is_not_lost(tmp_path):
    job = Sum()
    validate, calls = job.validate, []

    def signalled(model, check):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return validate(model, lambda: None if len(calls) == 3 else check())

    job.validate = signalled
    with pytest.raises(KeyboardInterrupt):
        training(net(), job, plan(), tmp_path).run()
    assert training(net(), Sum(), plan(), tmp_path).run().finished


def test_outside_the_main_thread():
    model = net()
    thread = threading.Thread(target=training(model, Sum(), plan()).run)
    thread.start()
    thread.join()
    assert not model.training


def test_out_of_memory_halves_the_batch_and_says_so():
    job, events, plans = Sum(), [], []

    def full(rows):
        if len(rows) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")

    job.before = full
    model = net()
    run = training(model, job, plan(), event=lambda kind, **f: events.append((kind, f)), replan=plans.append)
    progress = run.run()
    assert progress.scores["accuracy"] > 0.9
    assert [p.split for p in plans] == [2, 4, 8]
    assert [f["text"] for kind, f in events if kind == "warning"][-1].endswith("in 8 pieces")
    assert np.bincount(job.seen).tolist() == [3] * ROWS


def test_out_of_memory_for_a_single_row_is_an_error():
    job = Sum()

    def full(rows):
        raise torch.OutOfMemoryError("CUDA out of memory")

    job.before = full
    with pytest.raises(torch.OutOfMemoryError):
        training(net(), job, plan()).run()


def test_a_loss_that_is_no_number_stops_before_the_update():
    model, job, events = net(), Sum(), []
    good = {}

    def poison(rows):
        if len(job.seen) > 200:
            good.setdefault("bits", bits(model))
            job.x[:] = float("nan")

    job.before = poison
    run = training(model, job, plan(evaluations=0), event=lambda kind, **f: events.append((kind, f)))
    progress = run.run()
    assert "no longer a finite number" in progress.stopped
    assert bits(model) == good["bits"]
    assert any(kind == "warning" and f["text"] == progress.stopped for kind, f in events)


def test_a_first_loss_that_is_no_number_is_an_error():
    job = Sum()
    job.x[:] = float("inf")
    with pytest.raises(SlmfitError, match="learning rate"):
        training(net(), job, plan()).run()


def test_best_epoch_is_kept_and_training_stops_early():
    job, scores = Sum(), iter([0.5, 0.9, 0.7, 0.9, 0.6, 0.99])
    states = []
    model = net()

    def validate(model, check):
        states.append(bits(model))
        return {"accuracy": next(scores), "loss": 1.0}

    job.validate = validate
    progress = training(model, job, plan(epochs=6)).run()
    assert progress.best == 0.9
    assert len(states) == 5
    assert progress.stopped == "validation did not improve 3 times in a row"
    assert bits(model) == states[1]


def test_evaluations_within_an_epoch():
    job, events = Sum(), []
    training(net(), job, plan(epochs=2, evaluations=2), event=lambda kind, **f: events.append((kind, f))).run()
    epochs = [f["epoch"] for kind, f in events if kind == "loss" and f["split"] == "validation"]
    assert epochs == pytest.approx([0.5, 1, 1.5, 2], abs=0.1)


def test_a_full_disk_is_a_warning(tmp_path, often, monkeypatch):
    def full(*a):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Checkpoints, "write", full)
    whole, model, events = net(), net(), []
    training(whole, Sum(), plan()).run()
    training(model, Sum(), plan(), tmp_path, event=lambda kind, **f: events.append(f.get("text", ""))).run()
    assert bits(model) == bits(whole)
    assert "no checkpoint was written: No space left on device; the one before is kept" in events


def test_a_damaged_checkpoint_falls_back(tmp_path, often):
    whole = net()
    training(whole, Sum(), plan()).run()
    training(net(), Sum(), plan(), tmp_path).run()
    newest = sorted(tmp_path.iterdir())[-1] / "state.safetensors"
    raw = bytearray(newest.read_bytes())
    raw[len(raw) // 2] ^= 1
    newest.write_bytes(raw)
    model, events = net(), []
    training(model, Sum(), plan(), tmp_path, event=lambda kind, **f: events.append(f.get("text", ""))).run()
    assert bits(model) == bits(whole)
    assert "1 checkpoint(s) were damaged, or of another training; the one before is used" in events


def test_the_clock_moves_the_end_and_what_it_decided_holds_on_resume(monkeypatch):
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    made = plan(epochs=500, evaluations=0, seconds=0.15)  # far more than any machine has time for
    plans, whole, again = [made], net(), net()
    progress = training(whole, Sum(), made, replan=plans.append).run()
    assert plans[-1].revisions
    assert progress.seen < 500 * ROWS
    training(again, Sum(), replace(plans[-1], seconds=None)).run()
    assert bits(again) == bits(whole)


def test_time_that_is_left_makes_more_epochs_of_one_but_no_more_than_may_be(monkeypatch):
    monkeypatch.setattr(loop, "REPORT_SECONDS", 0.0)
    grown = training(net(), Sum(), plan(epochs=1, evaluations=0, seconds=60.0, most_epochs=4))
    assert grown.run().seen == 4 * ROWS and grown.plan.epochs == 4
    assert training(net(), Sum(), plan(epochs=1, evaluations=0, seconds=60.0)).run().seen == ROWS
