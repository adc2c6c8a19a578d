"""Runs and comparisons as a stranger mails them: one thing altered, with hashes that fit, and asked everything.

    what = altered(folder, seed=7)                        # 'model/linear.json: curve.slope = NaN'
    ask("predict", folder, rows_file)                     # raises SlmfitError, or the answers are proper

`altered` changes a copy in place: a value of a JSON file (removed, of another kind, NaN, huge, negative, nested, a
path), a tensor, a line of predictions.jsonl, or a whole file. What must hold of every one: our error in a sentence or
proper answers, within 10 seconds and 2 GB.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from slmfit import storage
from slmfit.records import Entities
from stranger import sealed

DEEP = "@DEEP@"  # put into JSON afterwards, since no writer goes so deep
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 3, 10**12, -(10**12), 10**400, 0.5, -0.5, 1e300, float("nan"), float("inf"), "", "x" * 50,
    "x" * 10**6, "\u202e\x1b[31m<b>&", "../../../etc/passwd", "/dev/zero", "\ud800", [], {}, [["x"]],
    {"x": {"x": None}}, [None], [1e300, float("nan")], {"": ""}, {"test": 7}, DEEP,
)  # fmt: skip
TEXTS = ("my invoice was charged twice", "", "parcel late", "fly to Rome on Monday", "a " * 3000, "\ud800 \x00 中")


def altered(folder: Path, seed: int) -> str:
    """Alter one thing in a run's or a comparison's folder, and let the hashes fit; says what."""
    rng = random.Random(seed)
    runs = sorted(path.parent for path in folder.rglob("run.json"))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    json_files = [path for path in files if path.suffix == ".json"]
    records = [path for path in json_files if path.name in ("run.json", "comparison.json")]
    tensors = [path for path in files if path.suffix == ".safetensors"]
    lines = [path for path in files if path.suffix == ".jsonl"]
    kind = rng.choices(["record", "json", "tensor", "line", "file"], [4, 3, 2, 1, 1])[0]
    if kind == "tensor" and tensors:
        path = rng.choice(tensors)
        what = change_tensor(rng, path)
    elif kind == "line" and lines:
        path = rng.choice(lines)
        what = change_line(rng, path)
    elif kind == "file":
        path = rng.choice(files)
        what = change_file(rng, path)
    else:
        path = rng.choice(records if kind == "record" else json_files)
        what = change_json(rng, path)
    for run in runs:
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):  # it was the record itself
            sealed(run)
    return f"{path.relative_to(folder)}: {what}"


def change_json(rng: random.Random, path: Path) -> str:
    """Remove, replace or rename one value in a JSON file."""
    value = json.loads(path.read_text(encoding="utf-8"))
    depths: dict[int, list[tuple]] = {}
    for way in places(value):
        depths.setdefault(len(way), []).append(way)
    *way, last = rng.choice(depths[rng.choice(sorted(depths))])  # what is deep is many, and no more worth
    holder = value
    for key in way:
        holder = holder[key]
    name = ".".join(map(str, [*way, last]))
    luck = rng.random()
    if luck < 0.2:
        del holder[last]
        what = f"{name} removed"
    elif luck < 0.25 and isinstance(holder, dict):
        holder["x" * 300] = holder.pop(last)
        what = f"{name} renamed"
    else:
        holder[last] = rng.choice(VALUES)
        what = f"{name} = {str(holder[last])[:30]}"
    text = json.dumps(value).replace(f'"{DEEP}"', "[" * 50_000 + "]" * 50_000)
    path.write_text(text, encoding="utf-8")
    return what


def put(path: Path, way: str, value: Any) -> None:
    """Give one value of a JSON file: `put(run / "run.json", "split.test.rows", -3)`."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    *names, last = way.split(".")
    holder = plain
    for name in names:
        holder = holder[name]
    holder[last] = value
    path.write_text(json.dumps(plain), encoding="utf-8")


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The way to every value in JSON."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:5]) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def change_tensor(rng: random.Random, path: Path) -> str:
    """Remove, cut, reshape or poison one tensor, or give it another kind of numbers."""
    tensors = load_file(path)
    if not tensors:
        return change_file(rng, path)
    name = rng.choice(sorted(tensors))
    tensor = tensors[name].copy()
    kind = rng.choice(["gone", "cut", "flat", "kind", "wild", "low", "empty", "great"])
    if kind == "gone":
        del tensors[name]
    elif kind in ("wild", "low") and tensor.size:
        extreme = np.iinfo(tensor.dtype) if tensor.dtype.kind in "iu" else None
        if kind == "wild":
            tensor.reshape(-1)[0] = np.nan if extreme is None else extreme.max
        else:
            tensor.reshape(-1)[-1] = -np.inf if extreme is None else extreme.min
        tensors[name] = tensor
    else:
        with np.errstate(all="ignore"):
            made = {"cut": tensor[:-1], "flat": tensor.reshape(-1, 1), "kind": tensor.astype(np.float64),
                    "empty": tensor[:0], "great": (tensor * 1e30).astype(tensor.dtype)}  # fmt: skip
        tensors[name] = np.ascontiguousarray(made.get(kind, tensor))
    save_file(tensors, path, {"format": "pt"})
    return f"{name} {kind}"


def change_line(rng: random.Random, path: Path) -> str:
    """Alter one line of a JSONL file."""
    lines = path.read_text(encoding="utf-8", errors="surrogatepass").splitlines()
    if not lines:
        return change_file(rng, path)
    number = rng.randrange(len(lines))
    kind = rng.choice(["gone", "twice", "cut", "value", "value", "value"])
    if kind == "gone":
        del lines[number]
    elif kind == "twice":
        lines.insert(number, lines[number])
    elif kind == "cut":
        lines[number] = lines[number][: len(lines[number]) // 2]
    else:
        row = json.loads(lines[number])
        key = rng.choice(sorted(row))
        row[key] = rng.choice([value for value in VALUES if value != DEEP])
        kind = f"{key} = {str(row[key])[:30]}"
        lines[number] = json.dumps(row if rng.random() < 0.9 else rng.choice([7, [], "x", None]))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogatepass")
    return f"line {number + 1} {kind}"


def change_file(rng: random.Random, path: Path) -> str:
    """Cut, empty, spoil or remove a whole file, or put something else in its place."""
    data = path.read_bytes()
    kind = rng.choice(["gone", "empty", "cut", "spoilt", "marked", "pipe", "folder", "link", "deep", "grown"])
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind != "gone":
        at = rng.randrange(len(data) + 1)
        spoilt = data[:at] + bytes(rng.randrange(256) for _ in range(8)) + data[at + 8 :]
        made = {"empty": b"", "cut": data[:at], "spoilt": spoilt, "marked": b"\xef\xbb\xbf" + data,
                "deep": b"[" * 200_000, "grown": data + b" " * 10**6 + b"7"}  # fmt: skip
        path.write_bytes(made[kind])
    return kind


# --- what is asked of it ---


def proper(answers: Any, task: Any) -> None:
    """Fail unless the answers are known labels, with finite probabilities that sum to 1."""
    for answer in answers:
        target = answer.target
        if isinstance(target, Entities):
            assert target.intent is None or target.intent in task.intents, target
            assert all(isinstance(span.label, str) and 0 <= span.start < span.end for span in target.spans), target
        else:
            assert target is None or target in task.labels, target
        shares = [*(answer.probabilities or {}).values(), *(answer.span_probabilities or ())]
        assert all(math.isfinite(share) and 0 <= share <= 1 for share in shares), shares
        assert not answer.probabilities or abs(sum(answer.probabilities.values()) - 1) < 0.01, answer.probabilities


VERBS = ("predict", "evaluate", "report", "markdown", "runs", "runs --json", "explain", "notebook")


def ask(verb: str, folder: Path, rows: Path, texts: tuple = TEXTS) -> None:
    """One verb on a folder that was altered. Raises SlmfitError where it is refused, and whatever else it raises.

    rows: labelled rows for `evaluate`.
    """
    import slmfit
    from slmfit import reporting
    from slmfit.cli import display
    from slmfit.comparison.compare import Comparison
    from slmfit.methods import explaining
    from slmfit.runs.evaluation import evaluate
    from slmfit.runs.run import list_runs

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        if verb == "predict":
            run = slmfit.load(folder)
            proper(run.predict(list(texts)), run.task)
        elif verb == "evaluate":
            scores = evaluate(slmfit.load(folder), rows)
            storage.to_json({name: score.value for name, score in scores.values.items()})
        elif verb == "report":
            reporting.html([folder])
        elif verb == "markdown":
            reporting.markdown([folder])
        elif verb.startswith("runs"):
            display.show_runs(list_runs(folder), as_json=verb.endswith("json"))
        elif verb == "explain":
            explaining.as_text(explaining.explain(None, slmfit.load(folder).record))
        elif verb == "notebook":
            whole = (folder / "comparison.json").is_file()
            (Comparison(folder) if whole else slmfit.load(folder))._repr_html_()
