"""The test rows as the page reads them: who answered what, how sure, and as much of the texts as fits.

    table = gather(source, texts=True)
    fitted(table, budget=600_000)          # base64 for the page, and how long the excerpts are

Columns, not rows: labels as numbers, one deflated block, so that 7,600 rows of six methods and their texts stay
under a megabyte.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slmfit.records import OUTCOMES, Entities
from slmfit.reporting.disk import Source, read_lines
from slmfit.reporting.entities import EntityRows, columns, intents, is_tagged, placed, types
from slmfit.reporting.page import packed
from slmfit.tasks.answers import entities_of, target_from_json
from slmfit.tasks.entity_scores import all_right
from slmfit.text.visible import excerpt, visible

CAP = 10_000  # rows in the page; beyond, a random sample
SUREST = 100  # the most confident mistakes of each method are always among them
RIGHT, WRONG = "right", "wrong"
EXCERPTS = [round(40 * 1.05**i) for i in range(120)]  # characters of a text, at most: 40 to 13,000


@dataclass(frozen=True)
class Answer:
    """What a method said to one row: `said` is the answer in words, or None, and then `outcome` says why.

    Entities are RIGHT or WRONG as a whole, with what they are beside it.
    """

    said: str | None
    outcome: str
    confidence: float | None
    entities: Entities | None = None


@dataclass(frozen=True)
class Table:
    """The rows to show. truths and answers are in the order of ids; texts is None where none may or can be shown.

    total: test rows in all. surest: method id -> positions in ids of its most confident mistakes, most confident first.
    """

    total: int
    ids: list[str]
    truths: list[str]
    answers: dict[str, list[Answer]]
    surest: dict[str, list[int]]
    texts: list[str] | None
    labels: list[str]
    entities: dict[str, Any] | None = None  # `entities.columns`, and texts are cut as they are then


def gather(source: Source, *, texts: bool) -> Table | None:
    """The test rows of all runs; None where there is no run."""
    said: dict[str, dict[str, Answer]] = {}
    truths: dict[str, Any] = {}
    words, tagged = _words(source) if texts else {}, is_tagged(source)
    for id, folder in source.folders.items():
        answers = said[id] = {}
        for row in read_lines(folder / "predictions.jsonl"):
            if row["split"] == "test":
                truth = truths.setdefault(row["id"], target_from_json(row["target"]))
                answers[row["id"]] = _answer(row, truth, tagged)
    if any("test" in record.scored for record in source.records.values()):  # by a budget: those that all have
        shared = set.intersection(*map(set, said.values()))
        truths = {id: truth for id, truth in truths.items() if id in shared}
        said = {id: {row: one for row, one in answers.items() if row in shared} for id, answers in said.items()}
    if not truths:
        return None
    surest = {id: _surest(answers, truths) for id, answers in said.items()}
    ids = _sample(list(truths), surest.values())
    place = {row: i for i, row in enumerate(ids)}
    table = Table(
        total=len(truths),
        ids=ids,
        truths=[RIGHT if tagged else truths[row] or "" for row in ids],
        answers={id: [answers.get(row, Answer(None, "error", None)) for row in ids] for id, answers in said.items()},
        surest={id: [place[row] for row in rows] for id, rows in surest.items()},
        texts=[words.get(row, "") for row in ids] if words else None,
        labels=labels(source),
    )
    return _with_entities(table, source, [truths[row] for row in ids]) if tagged else table


def _with_entities(table: Table, source: Source, truth: list[Entities]) -> Table:
    found = {id: [answer.entities for answer in answers] for id, answers in table.answers.items()}
    rows = EntityRows(types(source), intents(source), truth, found)
    if table.texts is None:
        return replace(table, entities=columns(rows, None))
    shown = [placed(text, rows.edges(i)) for i, text in enumerate(table.texts)]
    return replace(table, texts=[text for text, _ in shown], entities=columns(rows, [places for _, places in shown]))


def fitted(table: Table, budget: int) -> tuple[str, int | None]:
    """The packed rows, with the longest excerpts that keep them under `budget` characters, and that length (None where
    no text was cut, or there are none)."""
    plain = _columns(table)
    if table.texts is None:
        return packed(plain), None
    lengths = [len(text) for text in table.texts]
    limits = [limit for limit in EXCERPTS if limit < max(lengths)] + [max(*lengths, EXCERPTS[0])]
    # no text deflates to less than a quarter, so that longer ones need not be tried
    limits = [n for n in limits if n == limits[0] or sum(min(n, length) for length in lengths) < 4 * budget]

    def size(limit: int) -> int:
        return len(packed(plain | {"texts": [cut(text, limit) for text in texts]}, level=6))

    texts, cut = table.texts, _cut if table.entities else excerpt
    limit = limits[max(bisect_right(limits, budget, key=size) - 1, 0)]
    block = packed(plain | {"texts": [cut(text, limit) for text in texts]})
    return block, limit if limit < max(lengths) else None


def _cut(text: str, limit: int) -> str:
    """At most `limit` characters, each where it was."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def labels(source: Source) -> list[str]:
    """The task's labels, as the confusion counts number them; entity types, where there are any."""
    if is_tagged(source):
        return types(source)
    return list(next(iter(source.records.values())).task.get("labels", ())) if source.records else []


def _columns(table: Table) -> dict[str, Any]:
    """JSON for script.js. An answer is a number in `words`; below zero, minus the number of its outcome."""
    words = {label: i for i, label in enumerate(() if table.entities else table.labels)}

    def number(word: str) -> int:
        return words.setdefault(word, len(words))

    truths = [number(truth) for truth in table.truths]
    said, sure = [], []
    for answers in table.answers.values():
        said.append([number(a.said) if a.said is not None else -OUTCOMES.index(a.outcome) for a in answers])
        sure.append([-1 if a.confidence is None else round(10 * float(f"{100 * a.confidence:.1f}")) for a in answers])
    return {
        "ids": [visible(id) for id in table.ids],
        "truths": truths,
        "said": said,
        "sure": sure if any(c >= 0 for column in sure for c in column) else None,
        "surest": list(table.surest.values()),
        "words": [visible(word)[:300] for word in words],
        **({"entities": table.entities} if table.entities else {}),
    }


def _answer(row: Mapping[str, Any], truth: Any, tagged: bool) -> Answer:
    target, outcome = target_from_json(row["prediction"]), row["outcome"]
    if outcome not in OUTCOMES or outcome != "ok" or target is None:
        return Answer(None, outcome if outcome in OUTCOMES[1:] else "invalid", None)
    if tagged:
        found = entities_of(target)
        return Answer(RIGHT if all_right(truth, found) else WRONG, "ok", None, found)
    return Answer(str(target), "ok", (row.get("probabilities") or {}).get(target))


def _surest(answers: Mapping[str, Answer], truths: Mapping[str, str]) -> list[str]:
    """Ids of the most confident mistakes, most confident first."""
    wrong = [(a.confidence, id) for id, a in answers.items() if a.confidence is not None and a.said != truths[id]]
    return [id for _, id in sorted(wrong, key=lambda pair: -pair[0])[:SUREST]]


def _sample(ids: list[str], always: Iterable[list[str]]) -> list[str]:
    """The ids in their order, at most CAP by lot and those that are always shown."""
    if len(ids) <= CAP:
        return ids
    kept = {id for some in always for id in some} | set(random.Random(0).sample(ids, CAP))
    return [id for id in ids if id in kept]


def _words(source: Source) -> dict[str, str]:
    """Row id -> its text, from the comparison's copy of the test rows."""
    path: Path | None = source.data / "test.jsonl" if source.data else None
    return {str(row.get("id")): _text(row) for row in read_lines(path)} if path else {}


def _text(row: Mapping[str, Any]) -> str:
    if "question" in row:
        options = [f"{letter}: {text}" for letter, text in row["options"].items()]
        return " — ".join([*filter(None, [row.get("context")]), row["question"], *options])
    return " — ".join(str(row[name]) for name in ("text", "text_pair") if row.get(name))
