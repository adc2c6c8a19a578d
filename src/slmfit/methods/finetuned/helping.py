"""A training, described by the first of several processes and made again by those that help it.

    with current().training(*method._described(task, job, plan, seed)) as team:     # in the first, in `FineTuned.fit`
    prepare(helper, about, arrays)                                                  # in the others

What goes over is JSON and arrays: settings, plan, and what the head packs of its rows. Each process loads the base
model itself; the weights that are trained are handed out at every step.
"""

from __future__ import annotations

from typing import Any, cast

from slmfit import tasks
from slmfit.finetune.loop import Training
from slmfit.finetune.plan import Plan
from slmfit.finetune.processes import Helper
from slmfit.methods import create
from slmfit.methods.finetuned.base import FineTuned
from slmfit.methods.finetuned.head import Arrays


def prepare(helper: Helper, about: dict[str, Any], arrays: Arrays) -> Training:
    """The training that was described. Raises what loading its base model raises."""
    method = cast(FineTuned, create(about["method"], about["settings"]))
    plan, task = Plan.from_json(about["plan"]), tasks.from_plain(about["task"])
    return method.assisting(helper, task, about["packed"], arrays, plan, about["seed"])
