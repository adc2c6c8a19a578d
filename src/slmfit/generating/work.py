"""The work of one command: rounds of drafts, checked and sorted, until there are as many examples as were wanted.

    work = Work(recipe, writer, n, seed, avoid, journal, listen)
    reached = work.run()             # the budget that ran out, if one did
    work.write_files(path, "spans")

Each round asks for what is still missing, and is a line in the journal once its drafts are sorted; so a command that
was killed goes on with the round it was in.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any, Protocol

from slmfit import storage
from slmfit.environment import environment, now
from slmfit.errors import BudgetReached
from slmfit.events import Journal, Listener
from slmfit.generating.checks import REASONS, Draft, flaw, label_of, row_of
from slmfit.generating.odds import Chances
from slmfit.generating.output import ABOUT, beside, write_examples, write_lines
from slmfit.generating.quotas import Order, Quotas
from slmfit.generating.recipe import Recipe
from slmfit.generating.tickets import plant_wrong_labels
from slmfit.generating.twins import Twins
from slmfit.text.figures import percent
from slmfit.timing.work import advance, counted, told_to

_ROUNDED = 0.02  # so much may shares miss of 1 that are written with few digits
ROUND = 5000  # drafts at most, between two lines of the journal
IDLE, IDLE_DRAFTS = 3, 20  # rounds without anything kept, and drafts in them, before nothing more is expected
TRIES = 10  # drafts for each example wanted, at most; and one round more


class Writer(Protocol):
    """Who writes: `templates`, or a language model.

    system_prompt: what a model was told. server: its address and prices. None = nobody was asked.
    """

    name: str
    model: str | None
    system_prompt: str | None
    server: Mapping[str, Any] | None

    def chances(self) -> Mapping[str, Chances] | None:
        """Label -> which sets of entity types it can write and how likely each is; None = it can be asked for any."""
        ...

    def write(self, orders: Sequence[Order], first: int) -> Iterator[Draft]:
        """Drafts, in an order that depends on nothing but the seed. first: how many were handed over before.

        Raises BudgetReached when a budget ran out; what was handed over by then counts.
        """
        ...

    def usage(self) -> Mapping[str, Any] | None:
        """What the last `write` took, what is unknown being None; None for a writer that costs nothing but time."""
        ...


class Work:
    """One command's work: what is kept and rejected so far, taken up from the journal."""

    def __init__(
        self, recipe: Recipe, writer: Writer, n: int, seed: int, avoid: Sequence[str], journal: Journal,
        listen: Listener | None,
    ) -> None:  # fmt: skip
        self.recipe, self.writer, self.seed, self.journal, self.listen = recipe, writer, seed, journal, listen
        self.quotas, self.twins = Quotas(recipe, n), Twins(avoid)
        self.began = time.monotonic()
        self.kept: list[dict[str, Any]] = []
        self.tried = 0
        for entry in journal.done:
            self._take_up(entry)
            self.twins.add([row["text"] for row in entry["kept"]])
            for row in entry["kept"]:
                self.quotas.add(label_of(row), {span["label"] for span in row.get("spans", ())})

    def _take_up(self, entry: Mapping[str, Any]) -> None:
        self.kept += entry["kept"]
        self.tried += len(entry["kept"]) + len(entry["rejected"])

    def run(self) -> BudgetReached | None:
        """Rounds until all is there or nothing more comes. Returns the budget that ran out, if one did."""
        chances = self.writer.chances()
        with counted(told_to(self.listen), "writing", self.quotas.n, unit="examples") as work:
            work.done = len(self.kept)
            while self.quotas.missing and not self._dry():
                rng = Random(f"{self.seed}/plan/{len(self.journal.done)}")
                orders = self.quotas.plan(rng, chances)[:ROUND]
                drafts, reached = self._written(orders)
                if reached is not None and not drafts:
                    return reached
                entry = {**self._sorted(drafts), "usage": self.writer.usage()}
                self.journal.add(entry)
                self._take_up(entry)
                work.done = len(self.kept)  # without the drafts that were rejected
                if self.listen:
                    self.listen("round", self._so_far())
                if reached is not None:
                    return reached
        return None

    def _so_far(self) -> dict[str, Any]:
        """How many are kept and rejected, and why; what it has cost, where it costs money: None is unknown."""
        reasons = Counter(row["reason"] for entry in self.journal.done for row in entry["rejected"])
        far = {"kept": len(self.kept), "wanted": self.quotas.n, "rejected": self.tried - len(self.kept)}
        used = [entry["usage"] for entry in self.journal.done if entry.get("usage")]
        paid = [usage.get("usd") for usage in used]
        cost = {"usd": None if None in paid else sum(paid)} if used else {}
        return {**far, "reasons": dict(reasons.most_common()), **cost}

    def _written(self, orders: Sequence[Order]) -> tuple[list[Draft], BudgetReached | None]:
        drafts = []
        try:
            for draft in self.writer.write(orders, self.tried):
                drafts.append(draft)
                advance(1)
        except BudgetReached as error:
            return drafts, error
        return drafts, None

    def _dry(self) -> bool:
        """Whether the last rounds kept nothing, or far more was tried than was wanted.

        The last rounds may ask for one example each, of which three can fail by chance: so drafts count, too.
        """
        idle = list(takewhile(lambda entry: not entry["kept"], reversed(self.journal.done)))
        drafts = sum(len(entry["rejected"]) for entry in idle)
        return self.tried >= TRIES * self.quotas.n + ROUND or (len(idle) >= IDLE and drafts >= IDLE_DRAFTS)

    def _sorted(self, drafts: Sequence[Draft]) -> dict[str, list[dict[str, Any]]]:
        """A round's drafts: the rows kept, and those rejected with the reason why."""
        reasons = [flaw(draft, self.recipe) for draft in drafts]
        sound = [draft for draft, reason in zip(drafts, reasons, strict=True) if reason is None]
        kept: list[dict[str, Any]] = []

        def keep(position: int) -> str | None:
            draft = sound[position]
            if not self.quotas.takes(draft.label, draft.types):
                return "over quota"
            self.quotas.add(draft.label, draft.types)
            kept.append(row_of(draft, self.recipe, len(self.kept) + len(kept) + 1))
            return None

        found = iter(self.twins.sort_out([draft.text.text for draft in sound], keep))
        rejected = []
        for draft, reason in zip(drafts, reasons, strict=True):
            reason = reason or next(found)
            if reason:
                rejected.append({"reason": reason, **draft.to_json()})
        return {"kept": kept, "rejected": rejected}

    def write_files(self, path: Path, form: str) -> None:
        """What was rejected, the examples, and at last how they came to be."""
        rejected = [row for entry in self.journal.done for row in entry["rejected"]]
        rows = self.kept
        if self.recipe.wrong_label:
            rows = [row | {"true_label": row["label"]} for row in rows]
            plant_wrong_labels(rows, self.recipe.shares, self.recipe.wrong_label, Random(f"{self.seed}/wrong"))
        about = self._about(rejected, form)
        write_lines(beside(path, "rejected.jsonl"), rejected)
        write_examples(path, rows, form, about)
        storage.write_json(beside(path, "about.json"), about | {"file": storage.hash_file(path)})

    def _about(self, rejected: Sequence[Mapping[str, Any]], form: str) -> dict[str, Any]:
        """How the examples came to be. Only what is under `made` differs when the same command runs once more.

        (Where a model was asked, also prices, which have their day.)
        """
        quotas, counts = self.quotas, Counter(row["reason"] for row in rejected)
        labels = {label: {"asked": n, "rows": quotas.by_label[label]} for label, n in quotas.labels.items() if label}
        entities = {name: {"asked": n, "rows": quotas.by_type[name]} for name, n in quotas.types.items()}
        return {
            "format": ABOUT,
            "key": self.journal.key,
            "writer": self.writer.name,
            "model": self.writer.model,
            "server": self.writer.server,
            "system_prompt": self.writer.system_prompt,
            "seed": self.seed,
            "asked": quotas.n,
            "rows": len(self.kept),
            "tried": self.tried,
            "rejected": {reason: counts[reason] for reason in REASONS if counts[reason]},
            "quotas": {"labels": labels, "entities": entities},
            "notes": list(scaled(self.recipe.shares)),
            "form": form,
            "usage": total([entry["usage"] for entry in self.journal.done]),
            "recipe": {"name": self.recipe.name, "source": self.recipe.source},
            "made": {"created": now(), "seconds": round(time.monotonic() - self.began, 3), **environment()},
        }


def scaled(shares: Mapping[str, float]) -> Iterator[str]:
    """That the labels' shares were no shares of all rows, where that is so, and what they became."""
    whole = sum(shares.values())
    if abs(whole - 1) > _ROUNDED:
        became = ", ".join(f"{label} {percent(share / whole)}" for label, share in shares.items())
        yield f"The labels' shares add up to {whole:.3g}, and were scaled to 1: {became}."


def total(usages: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """What several rounds took together; unknown where one of them is, None where nothing was counted."""
    counted = [usage for usage in usages if usage is not None]
    if not counted:
        return None
    columns = {name: [usage[name] for usage in counted] for name in counted[0]}
    return {name: None if None in values else sum(values) for name, values in columns.items()}
