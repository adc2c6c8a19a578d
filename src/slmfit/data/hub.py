"""Data sets on Hugging Face's hub, read through its library `datasets` (extra `hub`).

    parts = read_hub("hub:fancyzhx/ag_news", notes)      # {"train": Part(…), "test": Part(…)}

    hub:OWNER/NAME      hub:OWNER/NAME/CONFIGURATION      hub:OWNER/NAME@REVISION

Numbered labels become their names. What was downloaded once is read from the cache where the hub is out of reach.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from slmfit.data.readers.exports import flat
from slmfit.data.readers.rows import LONGEST_TEXT, Part, Placed
from slmfit.data.readers.split_names import SPLIT_NAMES
from slmfit.environment import install, missing
from slmfit.errors import DataError, MissingPart, SlmfitError, UsageError, Where, did_you_mean
from slmfit.hub.snapshots import in_words, out_of_reach, quiet_unless_watched, translated
from slmfit.records import SPLITS
from slmfit.text.figures import listed

PREFIX = "hub:"
ROWS_AT_ONCE = 1000
_PART = "[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(f"({_PART}(?:/{_PART})?)(?:/([^/@]+))?(?:@(.+))?")


@dataclass(frozen=True)
class Place:
    """A data set on the hub. revision: a branch, tag or commit; None = the newest."""

    name: str
    configuration: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, path: str) -> Place:
        """`hub:OWNER/NAME/CONFIGURATION@REVISION`, the last two optional. Raises UsageError for anything else."""
        found = _NAME.fullmatch(path.removeprefix(PREFIX))
        if not found:
            fix = "write hub:OWNER/NAME, hub:OWNER/NAME/CONFIGURATION or hub:OWNER/NAME@REVISION"
            raise UsageError("is no name of a data set on the hub", where=path, fix=fix)
        return cls(*found.groups())

    @property
    def title(self) -> str:
        """Its name without its owner, for people and folders."""
        return "-".join(filter(None, (self.name.rpartition("/")[2], self.configuration)))


def is_hub(path: object) -> bool:
    """Whether a path names a data set on the hub."""
    return str(path).startswith(PREFIX)


def read_hub(path: str, notes: list[str]) -> dict[str, Part]:
    """Split -> its rows, as the data set brings them; `train` alone where it brings one split only.

    What was used, and what was left out, is added to `notes`. A split whose labels are all hidden, as those of a
    contest's test rows are, is left out. Code that comes with a data set is never run.

    Raises UsageError for a data set, configuration or revision that is not there, MissingPart when `datasets` or
    the hub is out of reach, DataError when what is there cannot be read.
    """
    place = Place.parse(path)
    if missing("datasets"):
        fix = install("hub")
        raise MissingPart("data sets on the hub need the package datasets", where=path, fix=fix)
    with _quiet(), in_words(place.name, "data set"):
        commit, loaded = _load(place)
    chosen = _splits(path, list(loaded))
    parts = {split: _part(path, name, loaded[name], notes) for split, name in chosen.items()}
    hidden = [
        split for split, part in parts.items() if split != "train" and _labels_hidden(part, loaded[chosen[split]])
    ]
    for split in hidden:
        del parts[split]
        notes.append(f"{path}: its {split} rows have no labels, so they are not used.")
    unused = [name for name in loaded if name not in chosen.values()]
    at = f" at revision {commit[:10]}" if commit else ", from the cache"
    notes.append(
        f"{path}{at}: read {_used(chosen, parts)}{f'; not used: {listed(unused, quoted=False)}' if unused else ''}."
    )
    return parts


def is_saved(folder: Path) -> bool:
    """Whether a folder is a data set as the library's `save_to_disk` writes it, or one split of one."""
    split = (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    return split or (folder / "dataset_dict.json").is_file()


def read_saved(folder: Path, notes: list[str]) -> dict[str, Part]:
    """The same of such a folder. Raises MissingPart without the library, DataError for what cannot be read."""
    if missing("datasets"):
        splits = (folder / "dataset_dict.json").is_file()
        each = '[p.to_parquet(f"{n}.parquet") for n, p in d.items()]' if splits else 'd.to_parquet("train.parquet")'
        code = f"import datasets; d = datasets.load_from_disk({json.dumps(str(folder))}); {each}"
        fix = f"{install('hub')}; or write it as Parquet: python -c {quote(code)}"
        what = "is a data set as `save_to_disk` of datasets writes it, and is read by the package datasets"
        raise MissingPart(what, where=str(folder), fix=fix)
    import datasets

    with _quiet():
        try:
            loaded = datasets.load_from_disk(str(folder))
        except Exception as error:  # damaged files: whatever pyarrow, json and the library make of them
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise DataError(f"cannot be read: {said[:200]}", where=str(folder), fix="save it again") from None
        if isinstance(loaded, datasets.Dataset):
            return {"train": _part(str(folder), "all of it", loaded, notes)}
        chosen = _splits(str(folder), list(loaded))
        parts = {split: _part(str(folder), name, loaded[name], notes) for split, name in chosen.items()}
    unused = [name for name in loaded if name not in chosen.values()]
    notes.append(
        f"{folder}: read {_used(chosen, parts)}{f'; not used: {listed(unused, quoted=False)}' if unused else ''}."
    )
    return parts


def _used(chosen: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    return ", ".join(chosen[split] if chosen[split] == split else f"{chosen[split]} as {split}" for split in parts)


def _load(place: Place) -> tuple[str | None, Mapping[str, Any]]:
    """The commit that was read, None from the cache, and split -> rows as the library gives them."""
    from huggingface_hub import HfApi

    try:
        commit = HfApi().dataset_info(place.name, revision=place.revision).sha
    except Exception as error:
        if not out_of_reach(error):
            raise
        with _cache_only(), contextlib.suppress(Exception):
            return None, _loaded(place, place.revision)
        raise
    # Asked for a commit, the library asks the hub's endpoint alone, and no service beside it.
    return commit, _loaded(place, commit)


def _loaded(place: Place, revision: str | None) -> Mapping[str, Any]:
    import datasets

    try:
        return datasets.load_dataset(place.name, place.configuration, revision=revision)
    except ValueError as error:
        if names_in := re.search(r"\[([^\[\]]*)\]", str(error)):  # both of its errors about configurations list them
            names = re.findall(r"'([^']*)'", names_in[1])
            if place.configuration is None and names:
                what, fix = "has several configurations", f"name one, as hub:{place.name}/{names[0]}"
                raise UsageError(f"{what}: {', '.join(names[:20])}", where=place.name, fix=fix) from None
            what = f"has no configuration {place.configuration!r}"
            raise UsageError(what, where=place.name, fix=did_you_mean(str(place.configuration), names)) from None
        raise _wrapped(place, error) from None
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise _wrapped(place, error) from None
        fix = "use a copy in Parquet, JSON or CSV, or download the files and give their folder"
        raise UsageError("is made by a script of its own, which is never run", where=place.name, fix=fix) from None
    except datasets.exceptions.DatasetsError as error:
        raise _wrapped(place, error) from None


def _wrapped(place: Place, error: Exception) -> SlmfitError:
    """The library's own errors may wrap those of the hub's library; what does not is about the files."""
    said = str(error).strip().splitlines() or [type(error).__name__]
    fix = "download its files and give their folder"
    unreadable = DataError(f"cannot be read: {said[0][:200]}", where=place.name, fix=fix)
    return translated(error, place.name, "data set") or unreadable


def _splits(path: str, names: list[str]) -> dict[str, str]:
    """Split -> the data set's name for it."""
    found: dict[str, str] = {}
    for name in names:
        split = SPLIT_NAMES.get(name.lower())
        if split and split not in found:
            found[split] = name
    if "train" not in found and len(names) == 1:
        return {"train": names[0]}
    if "train" not in found:
        raise DataError(f"has no train split; its splits are: {', '.join(names)}", where=path,
                        fix="save the split you want as a file and give that")  # fmt: skip
    return {split: found[split] for split in SPLITS if split in found}


def _part(path: str, name: str, rows: Any, notes: list[str]) -> Part:
    """One split's rows, with names for numbered labels."""
    kept = {column: feature for column, feature in rows.features.items() if _readable(feature)}
    if dropped := [column for column in rows.features if column not in kept]:
        notes.append(f"{path}: the columns {', '.join(dropped)} hold no text or numbers and are not read.")
    file = f"{path} ({name})"
    digest = hashlib.sha256()
    placed: list[Placed] = []
    for batch in rows.select_columns(list(kept)).with_format("arrow").iter(ROWS_AT_ONCE):
        for raw in batch.to_pylist():
            cells, _ = flat({column: _named(feature, raw[column]) for column, feature in kept.items()})
            where = Where(file, len(placed) + 1)
            for column, cell in cells.items():
                if isinstance(cell, str) and len(cell) > LONGEST_TEXT:
                    raise DataError(f"this text has {len(cell):,} characters; at most {LONGEST_TEXT:,} are read",
                                    where=where.at(column), fix="use a data set of shorter texts")  # fmt: skip
            digest.update(json.dumps(cells, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass"))
            placed.append((where, cells))
    if not placed:
        raise DataError("holds no rows", where=file, fix="give a data set with at least one row in every split")
    return Part(file, digest.hexdigest(), placed, range(1, len(placed) + 1))


def _labels_hidden(part: Part, rows: Any) -> bool:
    """Whether a column of numbered labels has no label at all, which is how a contest hides its answers."""
    import datasets

    labels = [c for c, f in rows.features.items() if isinstance(f, datasets.ClassLabel)]
    return any(all(cells[column] is None for _, cells in part.rows) for column in labels)


def _readable(feature: Any) -> bool:
    """Text, numbers, times, and lists and groups of them; not images, sound or films."""
    import datasets

    if isinstance(feature, Mapping):
        return all(map(_readable, feature.values()))
    inner = getattr(feature, "feature", None)
    return isinstance(feature, datasets.Value | datasets.ClassLabel) or (inner is not None and _readable(inner))


def _named(feature: Any, value: Any) -> Any:
    """The value, with the name of each numbered label in the place of its number; -1 means that there is none."""
    import datasets

    if value is None:
        return None
    if isinstance(feature, datasets.ClassLabel):
        return feature.int2str(value) if value >= 0 else None
    if isinstance(feature, Mapping):
        return {name: _named(inner, value[name]) for name, inner in feature.items()}
    inner = getattr(feature, "feature", None)
    return value if inner is None else [_named(inner, item) for item in value]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's advice, without its bars where nobody watches, and without its count of downloads."""
    import datasets
    from datasets.utils import logging

    level, bars = logging.get_verbosity(), datasets.are_progress_bars_disabled()
    logging.set_verbosity(logging.CRITICAL)
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # it would tell another server the name of the data set
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        with quiet_unless_watched():
            yield
    finally:
        logging.set_verbosity(level)
        if not bars:
            datasets.enable_progress_bars()


@contextlib.contextmanager
def _cache_only() -> Iterator[None]:
    """The library looks into its cache and does not ask the hub, which it would for half a minute."""
    import datasets

    before, datasets.config.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before
