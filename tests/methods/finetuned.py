"""What tests of fine-tuned methods share: a fit; and where entities and an intent are found, rows and what must hold.

data = telling(sizes=(240, 60, 60))
method = fit(Encoder(Settings(base_model=base)), data, folder)
learns_both(method, data)
"""

import json
from dataclasses import replace

from conftest import make_dataset
from slmfit.methods.base import Context

WORDS = {"book": "please", "cancel": "not"}


def telling(sizes):
    """As made elsewhere, but with an intent that the text tells."""
    made = make_dataset("token-classification", sizes=sizes)

    def tells(e):
        return replace(e, input=f"{e.input} {WORDS[e.target.intent]}")

    return replace(made, splits={name: tuple(map(tells, rows)) for name, rows in made.splits.items()})


def fit(method, data, folder=None):
    """The method, fitted; also saved as `method.folder` where one is given."""
    method.fit(data.task, data.train, data.validation, Context(metric=data.task.metric))
    return _saved(method, folder)


def fit_classes(method, data, folder=None, context=None):
    """As `fit`, of a method with logits: `method.base_logits` are those of the test, with LoRA beside its adapters."""
    method.fit(data.task, data.train, data.validation, context or Context())
    if method.settings.lora:
        method.model.unmerge_adapter()
    method.base_logits = logits(method, texts(data))
    return _saved(method, folder)


def _saved(method, folder):
    if folder:
        method.save(folder)
        method.folder = folder
    return method


def logits(method, texts):
    return method.head.logits(method.model, texts, method.max_length)


def texts(data):
    return [e.input for e in data.test]


def score(method, data, metric):
    return data.task.components(metric, [e.target for e in data.test], method.predict(texts(data))).value


def learns_both(method, data):
    """Assert it; returns the answers."""
    assert score(method, data, "entity_f1") > 0.9
    assert score(method, data, "intent_accuracy") > 0.9
    json.dumps(method.chosen, allow_nan=False)
    answers = method.predict(texts(data))
    for answer in answers:
        assert len(answer.span_probabilities) == len(answer.target.spans)
        assert all(0 <= share <= 1 for share in answer.span_probabilities)
    return answers


def answers_the_same_loaded(method, data):
    again = type(method).load(method.folder, data.task, method.settings)
    answers = method.predict(texts(data))
    assert again.predict(texts(data)) == answers
    assert [again.predict([text])[0].target for text in texts(data)[:8]] == [answer.target for answer in answers[:8]]
    assert again.predict([]) == []
