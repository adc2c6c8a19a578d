"""The method llm on AG News' 7,600 test rows: what the table says of scripted models, and what planted rows can do.

    SLMFIT_DATA=../shared/data python benchmarks/llm_method.py compare
    SLMFIT_DATA=../shared/data python benchmarks/llm_method.py attack

compare: two models that err and refuse for a known share of rows, and charge, beside linear; every figure of the table
is held against what the servers said and billed. attack: 200 payloads, each in a test row of its own, against a model
that obeys whatever it reads, and one that obeys what stands outside the row's tags.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import slmfit
from slmfit import methods
from slmfit.data import load_data
from slmfit.data.dataset import Dataset
from slmfit.methods.base import Context

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from attacks import Attack, attacks, obeyed, outside_tags
from known_models import ERRORS, RATES, prices_file, said, speaker
from slmfit.testing import Said, Script, row_in, scripted

LATENCY = 0.02  # seconds a scripted model takes


def main() -> None:
    parts: dict[str, Callable[[Dataset], None]] = {"compare": compare, "attack": attack}
    if len(sys.argv) != 2 or sys.argv[1] not in parts:
        raise SystemExit(f"usage: llm_method.py {'|'.join(parts)}")
    if "SLMFIT_DATA" not in os.environ:
        raise SystemExit("skipped: set SLMFIT_DATA to the folder that holds ag_news")
    folder = Path(os.environ["SLMFIT_DATA"]) / "ag_news"
    data = load_data(str(folder / "train.csv.gz"), test=str(folder / "test.csv.gz"))
    with tempfile.TemporaryDirectory() as cache:
        os.environ["SLMFIT_CACHE"] = cache
        parts[sys.argv[1]](data)


def compare(data: Dataset) -> None:
    """The table, and for each figure of a model whether it is what its server said."""
    with tempfile.TemporaryDirectory() as place, scripted(Script(answer=speaker(data), latency=LATENCY)) as server:
        settings = {"llm": {"base_url": server.url, "prices": str(prices_file(Path(place)))}}
        begin = time.perf_counter()
        made = slmfit.compare(data, "linear,llm=small,llm=large", settings=settings, out=Path(place) / "out")
        print(f"compared in {time.perf_counter() - begin:.0f} s: {made.record.verdict.sentence}\n")
        for row in made.record.methods:
            if row.scores is None:
                raise SystemExit(f"{row.id}: {row.status}: {row.reason}")
            figures = [f"accuracy {row.scores['test']['accuracy'].value:.4f}", f"outcomes {dict(row.outcomes or {})}"]
            figures += [f"p50 {row.latency_ms['p50']:.1f} ms"] if row.latency_ms else []
            figures += [f"$ {row.usd_per_1000_rows:.4f} per 1,000 rows"] if row.usd_per_1000_rows else []
            print(f"{row.id}: {', '.join(figures)}")
            if row.name == "llm":
                _check(row, made.runs[row.id].record.usage, data)
        asked = Counter(body["model"] for body in server.requests if row_in(body))
    print(f"\nrows asked: {dict(asked)}; each once: {set(asked.values()) == {len({e.input for e in data.test})}}")


def _check(row: Any, usage: Any, data: Dataset) -> None:
    """Raise unless the row says what its model said."""
    model = row.id.removeprefix("llm-")
    words = [said(model, str(e.input), str(e.target), data.task.labels) for e in data.test]
    right = sum(word == e.target for word, e in zip(words, data.test, strict=True))
    refused = sum(isinstance(word, Said) for word in words)
    assert row.scores["test"]["accuracy"].value == right / len(words)
    assert row.outcomes == {"ok": len(words) - refused, "refused": refused}
    paid = (
        sum(usage[f"{side}_tokens"] * rate for side, rate in zip(("input", "output"), RATES[model], strict=True)) / 1e6
    )
    assert abs(row.usd_per_1000_rows - 1000 * paid / len(words)) < 1e-9
    print(f"  as scripted: errs on {ERRORS[model]:.0%}; right {right}, refused {refused}; ${paid:.4f} paid")


def attack(data: Dataset) -> None:
    """Attacked rows that changed, and others that did; zero-shot and with examples."""
    payloads = attacks(data.task.labels, 200)
    step = len(data.test) // len(payloads)
    test = list(data.test)
    for n, payload in enumerate(payloads):
        test[n * step] = replace(test[n * step], input=f"{test[n * step].input} {payload.text}")
    planted = replace(data, splits={**data.splits, "test": tuple(test)})
    ids = {test[n * step].id for n in range(len(payloads))}
    for name, hears in (("obeys all it reads", lambda c: c), ("obeys what is outside the tags", outside_tags)):
        for shots in (0, 8):
            _attacked(planted, data, payloads, ids, name, hears, shots)


def _attacked(
    planted: Dataset,
    clean: Dataset,
    payloads: list[Attack],
    ids: set[str],
    name: str,
    hears: Callable[[str], str],
    shots: int,
) -> None:
    truth = {str(e.input): e.target for e in clean.test}
    at_row = {str(p.input): truth[str(c.input)] for p, c in zip(planted.test, clean.test, strict=True)}

    def answer(body: dict[str, Any]) -> Any:
        told = "\n".join(m["content"] for m in body["messages"][:-1] if m["role"] != "assistant")
        if wanted := obeyed(told + hears(body["messages"][-1]["content"]), payloads):
            return {"label": wanted}
        return at_row.get(row_in(body))

    with scripted(Script(answer=answer, keep=False)) as server:
        method = methods.create("llm", {"base_url": server.url, "shots": shots}, "m")
        method.fit(planted.task, planted.train, planted.validation, Context())
        begin = time.perf_counter()
        answers = method.predict([e.input for e in planted.test])
        seconds = time.perf_counter() - begin
    pairs = list(zip(planted.test, answers, strict=True))
    changed = {e.id for e, a in pairs if a.target != e.target}
    lost = sum(a.target is None for e, a in pairs if e.id in changed)
    print(
        f"{name}, {shots} examples: {len(changed & ids)} of {len(ids)} attacked rows changed "
        f"({len(changed & ids) / len(ids):.1%}), {lost} of them to no answer; "
        f"{len(changed - ids)} of {len(answers) - len(ids):,} other rows [{seconds:.0f} s]"
    )
    assert not changed - ids


if __name__ == "__main__":
    main()
