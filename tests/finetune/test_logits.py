"""What logits mean is read without torch: an exported model is served where there is none."""

import json
import subprocess
import sys

import numpy as np

from slmfit.finetune.logits import labelled, marked, tag_names
from slmfit.records import Entities, Span

CODE = """
import json, sys
sys.modules["torch"] = sys.modules["transformers"] = None  # importing either fails
import numpy as np
from slmfit.finetune.logits import labelled, marked, tag_names
logits, tags, intents = map(np.array, json.load(sys.stdin))
print(labelled(logits, ["a", "b", "c"]))
print(marked(tags, intents, tag_names(["X", "Y"]), ["buy", "sell"], [[(0, 2), (3, 5)], [(0, 4)]]))
"""


def given():
    rng = np.random.default_rng(0)
    tags = np.log(rng.dirichlet(np.ones(5), 3))
    return rng.normal(size=(4, 3)), tags, rng.normal(size=(2, 2))


def test_the_same_answers_without_torch():
    logits, tags, intents = given()
    here = [labelled(logits, ["a", "b", "c"])]
    here += [marked(tags, intents, tag_names(["X", "Y"]), ["buy", "sell"], [[(0, 2), (3, 5)], [(0, 4)]])]
    asked = json.dumps([one.tolist() for one in (logits, tags, intents)])
    done = subprocess.run([sys.executable, "-c", CODE], input=asked, capture_output=True, text=True)
    assert done.stdout.splitlines() == [str(one) for one in here], done.stderr


def test_what_they_mean():
    first, second = labelled(np.array([[0.0, np.log(3)], [1.0, 1.0]]), ["a", "b"])
    assert first.target == "b" and first.probabilities == {"a": 0.25, "b": 0.75}
    assert second.target == "a" and second.probabilities == {"a": 0.5, "b": 0.5}
    # An I-X that follows nothing is no sequence, so the next best is taken: B-X.
    tags = np.log([[0.1, 0.3, 0.6], [0.05, 0.05, 0.9], [0.8, 0.1, 0.1]])
    (answer,) = marked(tags, np.zeros((1, 0)), tag_names(["X"]), [], [[(0, 2), (3, 5), (6, 8)]])
    assert answer.target == Entities((Span(0, 5, "X"),)) and answer.span_probabilities == [0.27]
    assert answer.probabilities is None
