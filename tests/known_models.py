"""Models that know every row and err in a known way, for tests of `llm` and benchmarks/llm_method.py.

with scripted(Script(answer=speaker(data))) as server: ...
said("small", example.input, example.target, labels)       # what that model says: a label, or a refusal
"""

import hashlib

from slmfit.testing import Said, row_in

ERRORS = {"small": 0.3, "large": 0.1}
REFUSED = 0.02
RATES = {"small": (1.0, 4.0), "large": (10.0, 40.0)}  # USD per million tokens


def luck(*words):
    """A number from 0 to 1 that is the same in every process."""
    return int(hashlib.sha256("/".join(words).encode()).hexdigest()[:8], 16) / 2**32


def said(model, text, target, labels):
    """What a model says to a row: refused, wrong or right, each for a known share of rows."""
    draw = luck(model, text)
    if draw < REFUSED:
        return Said(None, refusal="I cannot help with that")
    if draw < REFUSED + ERRORS[model]:
        return labels[(labels.index(target) + 1) % len(labels)]
    return target


def speaker(data):
    """A server's two models, which know every row."""
    truth = {e.input: e.target for part in data.splits.values() for e in part}

    def answer(body):
        text = row_in(body)
        return said(body["model"], text, truth[text], data.task.labels) if text in truth else None

    return answer


def prices_file(folder):
    lines = [f'[models."{name}"]\ninput = {i}\noutput = {o}\n' for name, (i, o) in RATES.items()]
    (folder / "prices.toml").write_text("date = 2026-11-01\n" + "".join(lines))
    return folder / "prices.toml"
