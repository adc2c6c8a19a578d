"""Words that a run was fitted on: of validation they are counted before it is fitted on validation, too."""

from dataclasses import replace

import slmfit
from conftest import make_dataset
from slmfit.methods.majority import Majority
from slmfit.runs.known_words import Words

QUICK = {"linear": {"features": "words", "C": 1.0, "power": 1.0}}


def test_validation_is_counted_before_it_is_learnt(tmp_path):
    data = make_dataset(sizes=(60, 20, 20))
    marked = [replace(row, input=f"{row.input} qwert{n}") for n, row in enumerate(data.validation)]
    data = replace(data, splits={**data.splits, "validation": tuple(marked)})
    run = slmfit.train(data, "linear", settings=QUICK, out=tmp_path)
    words = Words.of(run.method)
    assert words.count("qwert0 qwert99 qwert98")[0] == 3
    seen = run.record.details["validation"]["unseen_words"]
    assert seen["unseen"] >= len(marked) and seen["words"] > seen["unseen"]
    if not data.validation_given:  # it has been fitted once more, with these rows
        assert words.counts(row.input for row in marked)["unseen"] == 0


def test_a_method_that_counts_none():
    assert Words.of(Majority()) is None
