"""Runs that are no longer wanted, and what the cache holds: removed by name, and nothing else.

delete(Path("compared/tickets"))          # bytes that are free then
for kind in cached(): print(kind.name, kind.bytes)
prune("vectors")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slmfit import storage
from slmfit.environment import cache_folder
from slmfit.errors import UnsafeError, UsageError, did_you_mean
from slmfit.runs.run import not_here, read_comparison

# What stands in a folder of ours; one with anything else in it is not removed.
OF_RUN = {"run.json", "predictions.jsonl", "events.jsonl", "stress.json", "model"}
OF_COMPARISON = {"comparison.json", "report.html", "data", "runs"}
KINDS = {
    "vectors": "vectors of texts that were embedded before",
    "tokens": "texts that were cut into tokens before",
    "converted": "base models read out of GGUF files",
    "bases": "where base models of the hub lie, and their hashes",
    "answers": "what large models answered, paid for once",
    "addresses": "the servers that were named on this machine",
}


@dataclass(frozen=True)
class Cached:
    """One kind of thing that the cache holds."""

    name: str
    what: str
    files: int
    bytes: int


def delete(folder: str | Path) -> int:
    """Remove a run, or a comparison with its runs; returns the bytes that were held.

    Raises UsageError for what is neither, for a run that a comparison shows, and where something writes there;
    UnsafeError for a link, and for a folder that holds other things, too.
    """
    place = storage.named(folder)
    if place.is_symlink():
        raise UnsafeError("is a link", where=str(folder), fix="name the folder itself")
    ours = OF_RUN if (place / "run.json").is_file() else OF_COMPARISON if _is_comparison(place) else None
    if ours is None:
        raise not_here(place, "neither a run nor a comparison")
    strange = sorted(path.name for path in place.iterdir() if not path.name.startswith(".") and path.name not in ours)
    if strange:
        what = f"holds other things, too: {', '.join(strange[:3])}"
        raise UnsafeError(what, where=str(folder), fix="move them away, or delete it yourself")
    if ours is OF_RUN:
        _check_shown(place)
    holder = place.parent.parent if ours is OF_RUN and place.parent.name == "runs" else place
    with storage.locked(holder):
        size = storage.size_of(place)
        storage.remove(place)
    if place.exists():
        raise UnsafeError("could not be removed whole", where=str(folder), fix="check its permissions")
    return size


def _is_comparison(place: Path) -> bool:
    return (place / "comparison.json").is_file() or (place / "data" / "split.json").is_file()


def _check_shown(run: Path) -> None:
    """Raise UsageError for a run that its comparison shows: that would be damaged without it."""
    above = run.parent.parent
    if run.parent.name != "runs" or not (above / "comparison.json").is_file():
        return
    shown = f"runs/{run.name}"
    for row in read_comparison(above).methods:
        if shown in (row.run, *(seed.run for seed in row.seeds)):
            raise UsageError("is part of a comparison", where=str(run), fix=f"delete that: {above}")


def cached() -> list[Cached]:
    """What the cache holds, kind by kind."""
    found = []
    for place in sorted(cache_folder().iterdir()) if cache_folder().is_dir() else ():
        if place.is_dir() and not place.is_symlink():
            files = sum(path.is_file() for path in place.rglob("*"))
            found.append(Cached(place.name, KINDS.get(place.name, ""), files, storage.size_of(place)))
    return found


def prune(kind: str) -> Cached:
    """Remove all of one kind from the cache; it is made again where it is needed. Raises UsageError for none of it."""
    there = {one.name: one for one in cached()}
    if kind not in there:
        fix = did_you_mean(kind, there) if there else "it is empty"
        raise UsageError(f"the cache holds nothing called {kind!r}", fix=fix)
    storage.remove(cache_folder() / kind)
    return there[kind]
