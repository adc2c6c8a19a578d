"""How long a plan takes here, and what fits into a budget.

    costs = measure(model, job, device, plan)
    plan = within(plan, costs, lengths, seconds=240.0, validation_rows=500, predicted_rows=8000)

The first steps are timed at three lengths (their updates leave the weights as they are); the time of a row is then
read off its length. The loop corrects what this estimate misses while it goes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from slmfit.errors import BudgetReached
from slmfit.finetune.batches import padded_lengths
from slmfit.finetune.device import Device
from slmfit.finetune.plan import Plan, kept_tokens
from slmfit.finetune.state import Job, optimizer

QUANTILES = (0.5, 0.2, 0.9)
TIMING = 0.01  # of the time that is left, for the first of 18 steps
KEPT = 0.8  # texts are cut for a budget's sake as long as this share of the tokens stays
LEAST_ROWS = 64  # fewer are no training
SCORING = 0.4  # of the time is kept for scoring at most; where that is too short, fewer rows are scored


@dataclass(frozen=True)
class Costs:
    """Seconds per token at some lengths.

    lengths, training, predicting: float [probes]. training is a whole update, predicting all that an answer takes.
    """

    lengths: np.ndarray
    training: np.ndarray
    predicting: np.ndarray

    def to_train(self, lengths: np.ndarray) -> float:
        """Seconds for one update on each row."""
        return float((np.interp(lengths, self.lengths, self.training) * lengths).sum())

    def to_predict(self, lengths: np.ndarray) -> float:
        """Seconds for one answer to each row."""
        return float((np.interp(lengths, self.lengths, self.predicting) * lengths).sum())


def measure(model: torch.nn.Module, job: Job, device: Device, plan: Plan, seconds: float = math.inf) -> Costs:
    """Time updates and answers on batches of short, middling and long rows; the weights stay as they are.

    seconds: of the budget; where timing takes more than a part of them, middling rows are timed alone, and once.
    """
    weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
    throwaway = optimizer(weights, 0.0)  # its learning rate is 0
    order = np.argsort(job.lengths, kind="stable")
    found = []
    began, quick = time.perf_counter(), False
    devices = [torch.cuda.current_device()] if device.name == "cuda" else []
    with torch.random.fork_rng(devices):
        for quantile in QUANTILES:
            if quick:
                break
            batch = _around(order, job.lengths, quantile, plan.batch_tokens)

            def update(batch: np.ndarray = batch) -> None:
                for piece in np.array_split(batch, min(plan.split, len(batch))):
                    with device.autocast():
                        loss = job.loss(model, piece)
                    loss.backward()
                torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
                throwaway.step()
                throwaway.zero_grad()

            def predict(batch: np.ndarray = batch) -> None:
                with torch.inference_mode(), device.exact().autocast():
                    job.rehearse(model, batch)

            longest = int(padded_lengths(job.lengths[batch], device.length_step).max())
            tokens = longest * len(batch)
            model.train()
            update()  # to warm up
            quick = time.perf_counter() - began > TIMING * seconds
            training = _seconds(update, device, quick) / tokens
            model.eval()
            found.append((longest, training, _seconds(predict, device, quick) / tokens))
    rates = np.array(sorted({length: (length, *rest) for length, *rest in found}.values()), dtype=float)
    return Costs(rates[:, 0], rates[:, 1], rates[:, 2])


def within(
    plan: Plan,
    costs: Costs,
    lengths: np.ndarray,
    *,
    seconds: float,
    validation_rows: int,
    predicted_rows: int,
    cuts: bool = True,
) -> Plan:
    """The plan that ends, scoring included, in `seconds` from now; scoring everything takes `SCORING` of them at most.

    First fewer epochs, then texts cut shorter, then a part of the rows, each in their shares of the labels. One epoch
    or less may become more when the steps turn out quicker than they were timed: nothing is validated in between, which
    would take time of its own.
    lengths: of every training text, uncut. predicted_rows: rows to be predicted once trained.
    cuts: whether texts may be cut shorter.
    Raises BudgetReached when there is no time for any training.
    """
    count = len(lengths)

    def times(cut: np.ndarray) -> dict[str, float]:
        each = costs.to_predict(cut) / count
        return {
            "seconds": seconds,
            "row_seconds": costs.to_train(cut) / count,
            "validation_seconds": each * validation_rows,
            "later_seconds": min(each * predicted_rows, SCORING * seconds),
        }

    whole = np.minimum(lengths, plan.max_length)
    for epochs in range(plan.epochs, 0, -1):
        evaluations = min(plan.evaluations, 1) if epochs > 1 else 0
        took = times(whole)
        time_left = seconds - took["later_seconds"] - took["validation_seconds"] * evaluations * epochs
        if costs.to_train(whole) * epochs <= time_left:
            if epochs == plan.epochs:
                return replace(plan, **took, evaluations=evaluations)  # type: ignore[arg-type]
            why = {"epochs": f"as many of {plan.epochs} as fit into the budget"}
            most = plan.epochs if epochs == 1 else None
            changed = {"epochs": epochs, "rows": epochs * count, "most_epochs": most}
            return _because(plan, why, **changed, **took, evaluations=evaluations)
    max_length = _shorter(lengths, plan.max_length) if cuts else plan.max_length
    cut = np.minimum(lengths, max_length)
    took = times(cut)
    rows = min(count, int((seconds - took["later_seconds"]) / max(1e-9, took["row_seconds"])))
    if rows < min(LEAST_ROWS, count):
        needed = costs.to_train(cut) * LEAST_ROWS / count / (1 - SCORING)
        fix = f"give a budget with {-(-needed // 60):.0f}m or more for this method"
        raise BudgetReached(f"{max(0.0, seconds):.0f} seconds leave no time to train", fix=fix)
    why = {"epochs": f"as many of {count:,} rows as fit into the budget, in the shares of their labels"}
    if cuts:
        why |= {"max_length": f"cut for the budget: {kept_tokens(lengths, max_length):.0%} of all tokens stay"}
    changed = {"epochs": 1, "rows": rows, "max_length": max_length, "most_epochs": plan.epochs}
    return _because(plan, why, **changed, **took, evaluations=0)


def _because(plan: Plan, why: dict[str, str], **changed: object) -> Plan:
    return replace(plan, why={**plan.why, **why}, **changed)  # type: ignore[arg-type]


def _shorter(lengths: np.ndarray, longest: int) -> int:
    """The shortest length that keeps enough of the tokens."""
    for length in range(16, longest, 8):
        if kept_tokens(lengths, length) >= KEPT:
            return length
    return longest


def _around(order: np.ndarray, lengths: np.ndarray, quantile: float, tokens: int) -> np.ndarray:
    """A batch of rows whose lengths are at this quantile."""
    middle = int(quantile * (len(order) - 1))
    count = max(1, min(len(order), int(tokens // max(1, lengths[order[middle]]))))
    begin = min(max(0, middle - count // 2), len(order) - count)
    return order[begin : begin + count]


def _seconds(work: Callable[[], None], device: Device, quick: bool) -> float:
    """The quicker of two; or what one takes."""
    times = []
    for _ in range(1 if quick else 2):
        device.wait()
        begin = time.perf_counter()
        work()
        device.wait()
        times.append(time.perf_counter() - begin)
    return min(times)
