"""Answers to other rows than those of the test split: refused where ids begin anew in each split, else told of.

    rows = of_test(rows, data, path, notes)                  # by a column `split`, where ids alone do not say it
    notes += beside_the_test(by_key, "id", data, path)       # ["gpt.csv: 80 of 100 answers are to rows of train …"]

With train's ids 0 to 799 and test's 0 to 199, an answer to `7` may be to either row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from pathlib import Path

from slmfit.data.answer_rows import Placed, is_id, names_of_row, texts_of_row, told_by, unmarked
from slmfit.data.dataset import Dataset
from slmfit.data.readers.split_names import SPLIT_NAMES
from slmfit.errors import DataError, Where
from slmfit.records import SPLITS, Prediction
from slmfit.text.figures import listed, number_of, part_of

_FAR, _SURE = 0.2, 2.0  # more answers that fit, as a share; and in standard errors of a difference, at most 1 a row


def of_test(rows: list[Placed], data: Dataset, path: Path, notes: list[str] | None) -> list[Placed]:
    """The rows that a column `split` says are the test's, where ids begin anew in each split and every row says so.

    What is left out is counted in `notes`. Raises DataError where no row is the test's.
    """
    if not _begin_anew(data):
        return rows
    named = [SPLIT_NAMES.get(str(row.get("split")).strip().lower()) for _, row in rows]
    if None in named:
        return rows
    kept = [placed for placed, name in zip(rows, named, strict=True) if name == "test"]
    if not kept:
        where, fix = Where(str(path), rows[0][0].line, "split"), "give the answers to the rows of the test split"
        raise DataError("no answer is to a row of test by its own column 'split'", where=where, fix=fix)
    if notes is not None and (left := len(rows) - len(kept)):
        notes.append(
            f"{path.name}: {number_of(left, 'answer', 'are')} not to test by the column 'split', and left out."
        )
    return kept


def refuse_other_rows(by_key: Mapping[str, Placed], key: str, data: Dataset) -> None:
    """Raise DataError for ids that only rows of other splits have, where the same id may be another row in each."""
    if not is_id(key, data) or not _begin_anew(data) or _has_texts(by_key, data):
        return
    test, others = _own(data, "test"), _bare(data, SPLITS[:2])
    if strange := [word for word in by_key if word in others and word not in test]:
        shared = next((word for word in by_key if word in others and word in test), None)
        if shared is not None:
            what = (
                f"{number_of(len(strange), 'answer', 'are')} to rows that only train or validation has, such as "
                f"{strange[0]!r}, and ids begin anew in each split: {shared!r} may be a row of theirs, too"
            )
            fix = f"give the answers to the test rows alone, or call these test:{shared}, or give the texts beside them"
            raise DataError(what, where=by_key[strange[0]][0].at(key), fix=fix)


def beside_the_test(by_key: Mapping[str, Placed], key: str, data: Dataset, path: Path) -> Iterator[str]:
    """What is said of answers that are to no test row, and of ids that may be another split's."""
    names = names_of_row if is_id(key, data) else lambda example, _: texts_of_row(data, example)
    known = {s: {name for e in data.splits[s] for name in names(e, s)} for s in SPLITS}
    passed = [word for word in by_key if word not in known["test"]]
    of = [split for split in SPLITS[:2] if any(word in known[split] for word in passed)]
    strange = [word for word in passed if not any(word in known[split] for split in of)]
    if other := len(passed) - len(strange):
        some = part_of(other, len(by_key), "answer", "are")
        yield f"{path.name}: {some} to rows of {' and '.join(of)}, and not scored."
    if strange and is_id(key, data):
        some = part_of(len(strange), len(by_key), "answer", "have")
        yield f"{path.name}: {some} an id that no row has, such as {listed(strange[:2])}: are they counted otherwise?"
    elif strange:
        some = part_of(len(strange), len(by_key), "answer", "have")
        yield f"{path.name}: {some} a {key!r} that no row has, and {'is' if len(strange) == 1 else 'are'} not scored."
    if not is_id(key, data) or data.origin.ids != "column" or not _begin_anew(data) or _has_texts(by_key, data):
        return
    own = _bare(data, ("test",))
    if bare := next((word for word, (_, row) in by_key.items() if word in own and "split" not in row), None):
        taken = f"{bare!r} is taken for the row of test; call it test:{bare} to be sure"
        yield f"{path.name}: ids begin anew in each split, and {taken}."


def as_of_another_split(answers: Sequence[Prediction], key: str, data: Dataset, path: Path) -> Iterator[str]:
    """That answers to the test rows fit the rows of another split far better, where these have the same ids."""
    if not is_id(key, data):
        return
    said = {unmarked(e): (e.target, a.target) for e, a in zip(data.test, answers, strict=True)}
    for split in SPLITS[:2]:
        both = [(example.target, *said[id]) for example in data.splits[split] if (id := unmarked(example)) in said]
        theirs, ours = sum(one == answer for one, _, answer in both), sum(own == answer for _, own, answer in both)
        if theirs - ours > max(_FAR * len(both), _SURE * sqrt(len(both))):
            yield (
                f"{path.name}: of {len(both):,} answers {theirs:,} are those of the {split} rows with the same ids, "
                f"and {ours:,} those of the test rows: are they answers to {split}?"
            )


def _begin_anew(data: Dataset) -> bool:
    """Whether rows of two splits have the same id, so that the split was put before it."""
    return not _bare(data, ("test",)).isdisjoint(_bare(data, SPLITS[:2]))


def _bare(data: Dataset, splits: Sequence[str]) -> set[str]:
    """Ids as they stood in the user's files; of rows that bring none of their own, their numbers there."""
    return {unmarked(example) for split in splits for example in data.splits[split]}


def _own(data: Dataset, split: str) -> set[str]:
    return {name for example in data.splits[split] for name in names_of_row(example, split)}


def _has_texts(by_key: Mapping[str, Placed], data: Dataset) -> bool:
    """Whether a cell beside every id is a text or a question of the test rows, so that it says which row is meant."""
    told = {text for example in data.test for text in told_by(example, data)}
    return all(any(isinstance(c, str) and data.recipe(c) in told for c in row.values()) for _, row in by_key.values())
