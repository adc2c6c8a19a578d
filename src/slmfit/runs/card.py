"""A model's card: README.md of its folder, with Hugging Face's metadata block.

model_card(run.record)
"""

from __future__ import annotations

import json

from slmfit.hub.snapshots import name_on_hub
from slmfit.records import RunRecord
from slmfit.runs.brief import escaped, score_sentence
from slmfit.text.figures import (
    by_unit,
    interval,
)
from slmfit.text.visible import visible


def model_card(record: RunRecord) -> str:
    """README.md for the run's model: Hugging Face's metadata block, then what it is, how good and how to use it.

    The block follows https://huggingface.co/docs/hub/model-cards; every value in it is quoted as JSON, which is YAML.
    """
    task, metric = record.task["name"], record.metric
    scores = record.scores["test"]
    named = {kind: record.task.get(kind.lower(), ()) for kind in ("Labels", "Intents", "Texts")}
    names = {kind: ", ".join(f"`{visible(name).replace('`', '’')}`" for name in of[:100]) for kind, of in named.items()}
    rows = {split: f"{about.rows:,}" for split, about in record.split.items()}
    scored = f"{score_sentence(record)} on {rows['test']} test rows, which were scored once."
    used = record.rows_used.get("fitted", "train")
    made = f"{escaped(record.method)}, fitted for {task} by slmfit: {scored}"
    sizes = f"train: {rows['train']} rows, validation: {rows['validation']}"
    how = f"Fitted on {used}, settings chosen by {metric} on validation ({sizes})"
    if record.remote:
        made = f"{escaped(str(record.base_model))}, asked for {task} by slmfit: {scored}"
        how = "Nothing was trained: this folder holds what is asked, and a server answers"
    if record.cascade:
        made = f"A cascade for {task} by slmfit: {scored}"
        how = " ".join(map(escaped, record.cascade["said"]))
        how += (
            f" Made of the runs {escaped(record.cascade['small']['id'])} and {escaped(record.cascade['large']['id'])}"
        )
    if base := record.chosen.get("base"):
        kind = "a GGUF file read into plain weights, " if base["gguf"] else ""
        how += f", from {escaped(str(base['gguf'] or base['name']))} ({kind}sha256 {base['sha256']})"
    how += f"; seed {record.seed}, slmfit {record.environment['slmfit']}, {record.created[:10]}."
    table = ["| test score | value | 95 % interval |", "|:--|--:|--:|"]
    table += [f"| {name} | {by_unit(name, s.value)} | {interval(name, s)} |" for name, s in scores.items()]
    given = '("…", "…")' if named["Texts"] else '"…"'
    call = f'slmfit.load("RUN").predict([{given}])  # RUN: the folder above this one'
    use = f"```python\nimport slmfit\n\n{call}\n```"
    title = f"# {escaped(record.id)} for {escaped(record.dataset['name'])}"
    head = "\n".join(["---", *_metadata(record), "---"])
    parts = [head, title, made, "\n".join(table), *(f"{kind}: {of}" for kind, of in names.items() if of), use, how]
    return "\n\n".join(part for part in parts if part) + "\n"


def _metadata(record: RunRecord) -> list[str]:
    task, dataset, named = record.task["name"], record.dataset["name"], name_on_hub(record.base_model)
    results = [{"type": n, "name": n.replace("_", " "), "value": s.value} for n, s in record.scores["test"].items()]
    index = {
        "name": record.id,
        "results": [
            {
                "task": {"type": task, "name": task.replace("-", " ")},
                "dataset": {"name": visible(dataset), "type": visible(dataset), "split": "test"},
                "metrics": results,
            }
        ],
    }
    known = {
        "library_name": "slmfit",
        "pipeline_tag": task,
        "tags": ["slmfit", record.method],
        "metrics": list(record.scores["test"]),
        **({"base_model": named} if named and not record.remote else {}),
        "model-index": [index],
    }
    return [f"{key}: {json.dumps(value)}" for key, value in known.items()]
