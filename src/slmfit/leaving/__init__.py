"""Leave the API: what a log of calls asks of a large model, and how much of it something small answers as that does.

    left = leave("logs/", out="left")
    left.record.tasks[0].name, left.comparisons["topic"].record.verdict.sentence

    calls.py       one record of a log, in the forms that are known; logs.py: files of them
    prompts.py     what is the same in many requests, and what varies
    shapes.py      how answers are written: labels, entities, or nothing of ours; labels.py: which labels they state
    found.py       both together: prompts with their rows
    splitting.py   apart by time, near-duplicates on one side
    costs.py       what the calls cost

The model that wrote the log is the teacher: its answers are the targets, right or wrong, so every score here is
agreement with it. Nothing leaves the machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.comparison.compare import DEFAULT_METHODS, Comparison, compare
from slmfit.comparison.left import RECORD, TEACHERS, LeaveRecord, PromptRecord, read_left, schema_hash, write_left
from slmfit.data.load import load_data
from slmfit.data.titles import title
from slmfit.environment import now
from slmfit.errors import DataError, UsageError
from slmfit.events import Listener, named
from slmfit.leaving.costs import PriceList, cost_of
from slmfit.leaving.found import AnsweredText, Found, prompts_of
from slmfit.leaving.logs import read_log
from slmfit.leaving.splitting import by_time
from slmfit.reporting import report
from slmfit.runs.run import write_comparison
from slmfit.text.figures import joined, listed
from slmfit.text.places import Placeless

FEWEST_ROWS = 50  # texts of a prompt, for methods to be compared on a fifth of them


class Left:
    """What `leave` found, on disk. `record` is what leave.json says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = read_left(folder)

    def __repr__(self) -> str:
        return f"<slmfit leave at {self.folder}: {len(self.record.tasks)} tasks in {self.record.calls:,} calls>"

    @property
    def comparisons(self) -> dict[str, Comparison]:
        """Prompt -> its comparison, whose test rows are the teacher's answers."""
        places = {prompt.name: str(prompt.comparison) for prompt in self.record.tasks}
        return {name: Comparison(storage.inside(self.folder, place)) for name, place in places.items()}


def leave(
    logs: str | Path,
    asked: str | Sequence[str] = DEFAULT_METHODS,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    prices: str | Path | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    command: str = "",
    listen: Listener | None = None,
) -> Left:
    """Find the prompts of a log, and compare methods on the teacher's answers to each that is a task.

    logs: a file or a folder, .jsonl or .json, also .gz: OpenAI's chat completions as request and response, the input
    and output of batches, files of `messages`, Anthropic's messages, LiteLLM's logs. prices: a TOML file; None = the
    package genai-prices. out: None = `slmfit-out/NAME-left`; every task has a file of rows and a comparison there. The
    others as `compare`.

    Raises DataError for a log that is in no known form, UsageError for a folder of something else or of another log.
    """
    if seeds < 1:
        raise UsageError(f"--seeds cannot be {seeds}", fix="give 1 or more")
    log = read_log(logs)
    if listen:
        listen("log", {"calls": len(log.calls), "files": len(log.files)})
    found = prompts_of(log)
    folder = Path("slmfit-out") / f"{title(logs)}-left" if out is None else Path(out)
    rows = {prompt.name: _Rows.of(prompt) for prompt in found if prompt.shape is not None}
    _claim(folder, rows)
    price_list = PriceList(None if prices is None else Path(prices))
    with storage.locked(folder):
        _claim(folder, rows)
        records = []
        for prompt in found:
            record = _record(prompt, price_list)
            if prompt.name in rows:
                given: dict[str, Any] = {"settings": settings, "seed": seed, "seeds": seeds}
                given |= {"command": command, "listen": named(listen, prompt.name) if listen else None}
                record = _compared(record, rows[prompt.name], folder, asked, given)
            records.append(record)
        models = Counter(call.model for call in log.calls if call.model is not None)
        teacher = joined([model for model, _ in models.most_common(TEACHERS)]) if models else None
        placeless = Placeless([str(Path(logs)), *log.files])
        whole = LeaveRecord(
            teacher=teacher,
            calls=len(log.calls),
            files=len(log.files),
            prompts=records,
            cost=cost_of(log.calls, price_list),
            others={what: count for what, count in log.others.items() if count},
            notes=[placeless(note) for note in dict.fromkeys(log.notes)][:20],
            created=now(),
        )
        write_left(folder, whole)
    return Left(folder)


class _Rows:
    """A prompt's rows as the lines of a file of data. rare: those left out, as their labels cannot be learnt."""

    def __init__(self, lines: list[str], split: str, rare: int) -> None:
        self.text, self.split, self.rare, self.count = "".join(lines), split, rare, len(lines)

    @classmethod
    def of(cls, prompt: Found) -> _Rows:
        chosen, said = by_time(prompt.rows) if len(prompt.rows) >= FEWEST_ROWS else (None, "")
        kept = _learnable(prompt.rows, chosen)
        lines = [_line(prompt.rows[at], None if chosen is None else chosen[at]) for at in kept]
        return cls(lines, said, len(prompt.rows) - len(kept))


def _learnable(rows: Sequence[AnsweredText], chosen: Sequence[str] | None) -> list[int]:
    """The rows without those of train whose label no other has."""
    train = [at for at in range(len(rows)) if chosen is None or chosen[at] == "train"]
    counts = Counter(rows[at].target for at in train if isinstance(rows[at].target, str))
    rare = {at for at in train if counts.get(rows[at].target) == 1}
    return [at for at in range(len(rows)) if at not in rare]


def _line(row: AnsweredText, split: str | None) -> str:
    """A row as JSON."""
    plain: dict[str, Any] = {"id": row.id, "text": row.text}
    if isinstance(row.target, str):
        plain["label"] = row.target
    else:
        plain["spans"] = [{"start": s.start, "end": s.end, "label": s.label} for s in row.target.spans]
        plain |= {} if row.target.intent is None else {"intent": row.target.intent}
    plain |= {} if row.time is None else {"time": row.time.isoformat()}
    return json.dumps(plain | ({} if split is None else {"split": split}), ensure_ascii=False) + "\n"


def _claim(folder: Path, rows: Mapping[str, _Rows]) -> None:
    """Refuse a folder of something else, or with rows of another log. Nothing is written."""
    if not folder.is_dir():
        return
    ours = {RECORD, *rows, *(f"{name}.jsonl" for name in rows)}
    there = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if strange := [path.name for path in there if path.name not in ours or path.is_symlink()]:
        fix = "choose another folder with --out, or an empty one"
        raise UsageError(f"holds other files ({listed(strange, 3, quoted=False)})", where=str(folder), fix=fix)
    for name, own in rows.items():
        path = folder / f"{name}.jsonl"
        if path.is_file() and path.read_bytes() != own.text.encode("utf-8", "backslashreplace"):
            fix = "choose another folder with --out, or delete this one"
            raise UsageError("holds what was made of another log", where=str(folder), fix=fix)


def _record(prompt: Found, prices: PriceList) -> PromptRecord:
    times = [call.time for call in prompt.calls if call.time is not None]
    return PromptRecord(
        name=prompt.name,
        kind=prompt.kind,
        why=prompt.why,
        asks=prompt.asks,
        calls=len(prompt.calls),
        rows=len(prompt.rows),
        ended=dict(prompt.ended),
        retries=prompt.retries,
        duplicates=prompt.duplicates,
        repeated=prompt.repeated,
        differing=prompt.differing,
        unread=prompt.unread,
        unplaced=prompt.unplaced,
        labels=_labels(prompt.rows),
        reworded=prompt.reworded,
        notes=prompt.notes,
        models=dict(prompt.models.most_common()),
        first=min(times).isoformat() if times else None,
        last=max(times).isoformat() if times else None,
        cost=cost_of(prompt.calls, prices),
        frames=prompt.frames,
        schema=schema_hash(prompt.calls[0].schema),
        shape=prompt.shape,
    )


def _labels(rows: Sequence[AnsweredText]) -> dict[str, int]:
    """Label, or type of entity -> how many there are, most first."""
    of_rows = [[row.target] if isinstance(row.target, str) else [s.label for s in row.target.spans] for row in rows]
    return dict(Counter(label for labels in of_rows for label in labels).most_common())


def _compared(
    record: PromptRecord, rows: _Rows, folder: Path, asked: str | Sequence[str], given: Mapping[str, Any]
) -> PromptRecord:
    """The record with its comparison, or with why there is none."""
    record = replace(record, rare=rows.rare, split=rows.split or None)
    if record.rows < FEWEST_ROWS:
        return replace(record, why=f"{record.rows} texts are too few to compare on: {FEWEST_ROWS} are needed")
    path = folder / f"{record.name}.jsonl"
    storage.write_text(path, rows.text)
    try:
        data = load_data(
            path, task=record.kind, name=f"{record.name}, as {record.teacher} answered", seed=given["seed"]
        )
    except DataError as error:
        return replace(record, why=f"its rows cannot be compared on: {error.what}")
    made = compare(data, asked, out=folder / record.name, **given)
    said = f"The labels are what {record.teacher} answered, so what is called right here is agreement with it."
    write_comparison(made.folder, replace(made.record, warnings=[said, *record.notes, *made.record.warnings]))
    report(made.folder)
    return replace(record, comparison=record.name)
