"""Our CRF against plain python-crfsuite with the features of its tutorial, on the same tokens and test rows.

    SLMFIT_DATA=../shared/data python benchmarks/entities_crf.py [wnut17 atis snips emails] [--table FOLDER] [--alone]

Both choose on validation: ours as `linear` does, the other one of two usual pairs of c1 and c2. Then the test rows as
people write them: detokenised by our rule, and by a cruder one that models never saw. E-mails came without tokens; the
other's are letters and digits, each sign apart. --table: static embeddings, from which `linear=TABLE` makes clusters.
--alone: ours only. --set: a setting of ours, as validation chose it before, which spares the search.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emails import write_splits
from entities import load

from slmfit.data.dataset import Dataset
from slmfit.data.load import load_data
from slmfit.evidence.statistic import paired_sums
from slmfit.methods.base import Context, parse_settings
from slmfit.methods.linear import Linear, Settings
from slmfit.records import Entities, Example, Prediction, Span, Tokens
from slmfit.tasks.answers import entities_of
from slmfit.tasks.spans import spans_from_tags
from slmfit.tasks.spelling import signs_apart, words_of, written
from slmfit.tasks.splitting import split, tags_of
from slmfit.tasks.tagging import TokenClassification

SETS = ("wnut17", "emails", "atis", "snips")
USUAL = ((0.1, 0.1), (1.0, 1e-3))  # c1 and c2: the documentation of sklearn-crfsuite, the tutorial of python-crfsuite
LEFT, RIGHT = set(".,!?;:)]%'\"’…"), set("([$#@")  # of the cruder rule: what stands to the word before, or behind it


@dataclass(frozen=True)
class Rows:
    """A data set's splits without intents, and its task."""

    task: TokenClassification
    train: list[Example]
    validation: list[Example]
    test: list[Example]

    @classmethod
    def of(cls, data: Dataset) -> Rows:
        splits = {
            name: [replace(e, target=Entities(entities_of(e.target).spans)) for e in rows]
            for name, rows in data.splits.items()
        }
        task = TokenClassification().with_labels(e.target for rows in splits.values() for e in rows if e.target)
        return cls(task, **splits)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("sets", nargs="*", default=[], metavar="SET", help=", ".join(SETS))
    options.add_argument("--table", help="static embeddings in model2vec format")
    options.add_argument("--alone", action="store_true", help="without the other")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of linear")
    given = options.parse_args()
    values = dict(one.split("=", 1) for one in given.set) | ({"embeddings": given.table} if given.table else {})
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit(f"skipped: set SLMFIT_DATA to the folder that holds {', '.join(SETS)}")
    for name in given.sets or SETS:
        rows = Rows.of(emails() if name == "emails" else load(name))
        print(f"{name}: {len(rows.train):,} / {len(rows.validation):,} / {len(rows.test):,} rows", flush=True)
        report(rows, values, alone=given.alone)


def emails() -> Dataset:
    with tempfile.TemporaryDirectory() as made:
        write_splits(Path(os.environ["SLMFIT_DATA"]) / "email_seed", Path(made) / "seed")
        return load_data(Path(made) / "seed")


def report(rows: Rows, settings: dict[str, str], *, alone: bool) -> None:
    """Fit both, print F1 on test and the paired difference, then F1 as people write."""
    begin = time.process_time()
    ours = Linear(parse_settings("linear", Settings, settings))
    ours.fit(rows.task, rows.train, rows.validation, Context(metric="entity_f1"))
    print(f"  linear: {time.process_time() - begin:.0f} s CPU, chosen {ours.chosen}", flush=True)
    answers = ours.predict([e.input for e in rows.test])
    mine = parts(rows, answers)
    print(f"  linear: test F1 {100 * mine.value:.2f}", flush=True)
    apart = signs_apart(words_of(e.input) for e in rows.train if isinstance(e.input, Tokens))
    for name, changed in (("as written", written(rows.test, apart)), ("by a cruder rule", crudely(rows.test))):
        if changed:
            new = {e.id: e for e in changed}
            test = [new.get(e.id, e) for e in rows.test]
            found = ours.predict([str(e.input) for e in test])
            value = rows.task.components("entity_f1", [e.target for e in test], found).value
            print(f"  linear: {name} {100 * value:.2f} ({len(changed):,} rows differ)", flush=True)
    if not alone:
        begin = time.process_time()
        theirs, (c1, c2) = usual_best(rows)
        print(
            f"  usual: {time.process_time() - begin:.0f} s CPU, c1 {c1:g}, c2 {c2:g}, test F1 {100 * theirs.value:.2f}"
        )
        gap = paired_sums(mine.rows, theirs.rows, mine.combine)
        words = f"{100 * gap.value:+.2f} ({100 * gap.low:+.2f} to {100 * gap.high:+.2f}), p = {gap.p_value:.3f}"
        print(f"  linear - usual: {words}", flush=True)


def parts(rows: Rows, answers: Sequence[Prediction]) -> Any:
    return rows.task.components("entity_f1", [e.target for e in rows.test], answers)


def usual_best(rows: Rows) -> tuple[Any, tuple[float, float]]:
    """The test's parts of the better pair on validation."""
    taggers = [usual_tagger(rows.train, *pair) for pair in USUAL]
    scores = []
    for tagger in taggers:
        found = usual_answers(tagger, rows.validation)
        scores.append(rows.task.components("entity_f1", [e.target for e in rows.validation], found).value)
    best = scores.index(max(scores))
    return parts(rows, usual_answers(taggers[best], rows.test)), USUAL[best]


def usual_tagger(train: Sequence[Example], c1: float, c2: float) -> Any:
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": 100, "feature.possible_transitions": True})
    for example in train:
        if places := cut(example):
            trainer.append(usual(example, places), tags_of(entities_of(example.target).spans, places))
    tagger = pycrfsuite.Tagger()
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(str(Path(folder) / "model"))
        tagger.open(str(Path(folder) / "model"))
    return tagger


def usual_answers(tagger: Any, examples: Sequence[Example]) -> list[Prediction]:
    found = []
    for example in examples:
        places = cut(example)
        tags = tagger.tag(usual(example, places)) if places else []
        found.append(Prediction(Entities(tuple(spans_from_tags(tags, places)[0]))))
    return found


def cut(example: Example) -> list[tuple[int, int]]:
    text = example.input
    return list(text.offsets) if isinstance(text, Tokens) else split(str(text), fine=True)


def usual(example: Example, places: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The tutorial's features, without parts of speech."""
    words = [str(example.input)[start:end] for start, end in places]
    found = []
    for i, word in enumerate(words):
        own = ["bias", f"word.lower={word.lower()}", f"word[-3:]={word[-3:]}", f"word[-2:]={word[-2:]}"]
        own += [f"isupper={word.isupper()}", f"istitle={word.istitle()}", f"isdigit={word.isdigit()}"]
        for step, edge in ((-1, "BOS"), (1, "EOS")):
            if 0 <= i + step < len(words):
                other = words[i + step]
                own += [f"{step:+}:word.lower={other.lower()}", f"{step:+}:istitle={other.istitle()}"]
                own.append(f"{step:+}:isupper={other.isupper()}")
            else:
                own.append(edge)
        found.append(own)
    return found


def crudely(examples: Sequence[Example]) -> list[Example]:
    """Rows that came as tokens, without the space before signs that close and behind those that open."""
    found = []
    for example in examples:
        if isinstance(example.input, Tokens):
            text, places, glued = "", list[tuple[int, int]](), True
            for token in words_of(example.input):
                text += "" if glued or token[0] in LEFT or token == "n't" else " "
                places.append((len(text), len(text) + len(token)))
                text, glued = text + token, token[-1] in RIGHT and len(token) == 1
            begins = dict(zip((start for start, _ in example.input.offsets), places, strict=True))
            ends = dict(zip((end for _, end in example.input.offsets), places, strict=True))
            spans = [Span(begins[s.start][0], ends[s.end][1], s.label) for s in entities_of(example.target).spans]
            found.append(Example(example.id, Tokens(text, places), Entities(tuple(spans))))
    return [new for new, old in zip(found, examples, strict=False) if new.input != old.input]


if __name__ == "__main__":
    main()
