"""A training, described by the first of several processes and made again by those that help it.

    with current().training(*described(method, task, job, plan, seed)) as team:     # in the first
    prepare(helper, about, arrays)                                                  # in the others

What goes over is JSON and arrays: settings, plan, tokens, and for each row the place of its label. Each process loads
the base model itself; the weights that are trained are handed out at every step.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from slmfit import tasks
from slmfit.errors import UsageError
from slmfit.finetune.classify import Classify
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Plan
from slmfit.finetune.processes import Helper, current
from slmfit.finetune.tokens import Tokens
from slmfit.methods import create
from slmfit.tasks.base import Task

if TYPE_CHECKING:
    from slmfit.methods.finetuned import FineTunedClassifier

Description = tuple[dict[str, Any], dict[str, np.ndarray]]


def described(method: FineTunedClassifier, task: Task, job: Classify, plan: Plan, seed: int) -> Description:
    """What `prepare` makes the training of. Raises UsageError on a device that processes cannot share work on."""
    on, tokens = method.device, job.rows.tokens
    if current().size > 1 and on.name not in ("cpu", "cuda"):
        fix = f"set {method.kind}.device to cpu, or start one process"
        raise UsageError(f"several processes cannot train on {on.name}", fix=fix)
    settings = asdict(method.settings) | {"device": on.name, "precision": on.precision}
    about = {"method": method.kind, "settings": settings, "task": tasks.to_plain(task), "seed": seed}
    about |= {"plan": plan.to_json(), "tail": tokens.tail, "limit": tokens.limit}
    return about, {"ids": tokens.ids, "starts": tokens.starts, "targets": job.targets}


def prepare(helper: Helper, about: dict[str, Any], arrays: dict[str, np.ndarray]) -> Training:
    """The training that was described. Raises what loading its base model raises."""
    method = cast("FineTunedClassifier", create(about["method"], about["settings"]))
    tokens = Tokens(arrays["ids"], arrays["starts"], about["tail"], about["limit"])
    plan = Plan.from_json(about["plan"])
    return method.assisting(helper, tasks.from_plain(about["task"]), tokens, arrays["targets"], plan, about["seed"])
