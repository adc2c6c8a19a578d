"""A fine-tuned SmolLM2 as GGUF on llama.cpp's own server, beside `predict`: the same answers, and what q8_0 loses.

    SLMFIT_DATA=../shared/data python benchmarks/llama_cpp.py f16 RUN [--rows 280]     # RUN: of smollm.py emails
    SLMFIT_DATA=../shared/data python benchmarks/llama_cpp.py q8_0 RUN

Both ask in the run's own form under the grammar of each text, on the e-mails of smollm.py: of its three splits test
comes first, then validation, then train. Answers to the first two are those that the run recorded when it was scored. A
row is the same where entities and intent are. What weights of eight bits lose is told in rows wholly right, in pairs
with `predict` on the same rows: 95 % intervals.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emails import write_splits

import slmfit
from slmfit.data.dataset import Dataset
from slmfit.evidence import statistic
from slmfit.exporting import gguf
from slmfit.records import Example, Prediction


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("kind", choices=["f16", "q8_0"])
    options.add_argument("run", type=Path)
    options.add_argument("--rows", type=int, default=280)
    given = options.parse_args()
    print(f"load before: {os.getloadavg()[0]:.2f}")
    run = slmfit.load(given.run)
    method: Any = run.method
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_splits(Path(os.environ["SLMFIT_DATA"]) / "email_seed", folder / "emails")
        data = slmfit.load_data(folder / "emails")
        rows, own = answered(run, data, given.rows)
        gguf.write_model(run, folder / gguf.MODEL, given.kind)
        print(f"{(folder / gguf.MODEL).stat().st_size / 1e6:.0f} MB, {len(rows)} rows", flush=True)
        theirs = []
        for begin in range(0, len(rows), 20):
            part = [e.input for e in rows[begin : begin + 20]]
            theirs += gguf.answers(method.head, folder / gguf.MODEL, part, method.max_length)
            same = sum(a.target == b.target for a, b in zip(own, theirs, strict=False))
            print(f"  the same for {same} of {len(theirs)}", flush=True)
        told(rows, own, theirs, len(data.test) + len(data.validation))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print("of a processor: {:.0f} s here, {:.0f} s llama.cpp".format(*(one.ru_utime + one.ru_stime for one in used)))


def answered(run: slmfit.Run, data: Dataset, count: int) -> tuple[list[Example], list[Prediction]]:
    """Rows and what `predict` says to them."""
    known = [(row, said) for split, part in (("test", data.test), ("validation", data.validation))
             for row, said in zip(part, run.answers(split, part), strict=True)][:count]  # fmt: skip
    more = list(data.train[: count - len(known)])
    rows, own = [row for row, _ in known], [said for _, said in known]
    return rows + more, own + run.predict([e.input for e in more])


def told(rows: Sequence[Example], own: Sequence[Prediction], theirs: Sequence[Prediction], held: int) -> None:
    for row, a, b in zip(rows, own, theirs, strict=True):
        if a.target != b.target:
            print(f"    {row.input!r}\n      predict:   {a.target}\n      llama.cpp: {b.target}")
    for name, part in (("test and validation", slice(0, held)), ("all", slice(None))):
        right = [[p.target == e.target for p, e in zip(said[part], rows[part], strict=True)] for said in (own, theirs)]
        gap, count = statistic.paired_accuracy(*right), len(right[0])
        print(
            f"{name}, {count} rows: wholly right {100 * sum(right[0]) / count:.1f} % by predict, "
            f"{100 * sum(right[1]) / count:.1f} % by llama.cpp; less by {100 * gap.value:.1f} "
            f"({100 * gap.low:.1f} to {100 * gap.high:.1f}) points"
        )


if __name__ == "__main__":
    main()
