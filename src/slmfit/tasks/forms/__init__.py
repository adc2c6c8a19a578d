"""Forms: how a task is put to a model that reads and writes text.

    form = task.form("json")
    form.ask("fly to Rome")                    # what a model that was trained for it reads before it answers
    form.opening(), form.turn("fly to Rome")   # what any other is told: what holds for all rows, and one row
    form.offer("fly to Rome")                  # what a model reads that finds one of the candidates the likeliest
    form.write(target, "fly to Rome")          # an answer
    form.read(reply, "fly to Rome")            # a Prediction: the target, or the outcome that says why there is none

A method that reads and writes text needs nothing else of a task: `labels.py` has the form of classes, `letters.py` that
of options, `entities.py` those of entities and an intent. What models are told is in `prompts/`.
"""

from slmfit.tasks.forms.base import Form, Offer

__all__ = ["Form", "Offer"]
