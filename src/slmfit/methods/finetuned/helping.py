"""A training, described by the first of several processes and made again by those that help it.

    with current().training(*described(method, task, job, plan, seed)) as team:     # in the first
    prepare(helper, about, arrays)                                                  # in the others

What goes over is JSON and arrays: settings, plan, and what the head packs of its rows. Each process loads the base
model itself; the weights that are trained are handed out at every step.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from slmfit import tasks
from slmfit.errors import UsageError
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Plan
from slmfit.finetune.processes import Helper, current
from slmfit.finetune.state import Job
from slmfit.methods import create
from slmfit.methods.finetuned.head import Arrays
from slmfit.tasks.base import Task

if TYPE_CHECKING:
    from slmfit.methods.finetuned.base import FineTuned


def described(method: FineTuned, task: Task, job: Job, plan: Plan, seed: int) -> tuple[dict[str, Any], Arrays]:
    """What `prepare` makes the training of. Raises UsageError on a device that processes cannot share work on."""
    on = method.device
    if current().size > 1 and on.name not in ("cpu", "cuda"):
        fix = f"set {method.kind}.device to cpu, or start one process"
        raise UsageError(f"several processes cannot train on {on.name}", fix=fix)
    settings = asdict(method.settings) | {"device": on.name, "precision": on.precision}
    packed, arrays = method.head.packed(job)
    about = {"method": method.kind, "settings": settings, "task": tasks.to_plain(task), "seed": seed}
    return about | {"plan": plan.to_json(), "packed": packed}, arrays


def prepare(helper: Helper, about: dict[str, Any], arrays: Arrays) -> Training:
    """The training that was described. Raises what loading its base model raises."""
    method = cast("FineTuned", create(about["method"], about["settings"]))
    plan, task = Plan.from_json(about["plan"]), tasks.from_plain(about["task"])
    return method.assisting(helper, task, about["packed"], arrays, plan, about["seed"])
