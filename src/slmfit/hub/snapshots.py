"""Hugging Face's hub: a model's folder by its name, and the errors of the hub's own library in our words.

    folder = model_folder("BAAI/bge-small-en-v1.5", check)
    with in_words("fancyzhx/ag_news", "data set"):
        HfApi().dataset_info("fancyzhx/ag_news")

The library (huggingface_hub, which `slmfit[train]` and `slmfit[hub]` bring) does the work, so its variables hold:
HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE, and HF_TOKEN, which it sends to the endpoint alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from slmfit.environment import install, missing
from slmfit.errors import MissingPart, SlmfitError, UsageError
from slmfit.hub.checkpoint import check_files

# What says how a model turns texts into vectors, and what it does that with; of the weights, safetensors alone.
DESCRIBING = (
    "config.json",
    "modules.json",
    "sentence_*_config.json",
    "config_sentence_transformers.json",
    "*_Pooling/config.json",
)
WORKING = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "*.model",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "README.md",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")


def model_folder(base: str, check: Callable[[Path], None], *, whole: bool = True) -> Path:
    """Where a model's files are: `base` itself if it is a folder, else the hub's snapshot, fetched where needed.

    check: called when the files in `DESCRIBING` are there; it raises for a model that does not fit, and then nothing
        else is fetched.
    whole: whether it matters which of these files a model does not have, so that out of the hub's reach a snapshot
        that another tool made will not do; else it does where it has weights.
    Raises UsageError when there is no such folder and no such model, MissingPart when the hub is out of reach.
    """
    if folder := local_folder(base):
        check_files(folder)
        check(folder)
        return folder
    if missing("huggingface_hub"):
        fix = f"check the path; for a model on the hub: {install('train')}"
        raise UsageError("there is no such folder", where=base, fix=fix)
    with in_words(base, "model"), quiet_unless_watched():
        folder = _snapshot(base, None, DESCRIBING, whole)
        check(folder)
        return _snapshot(base, folder.name, (*DESCRIBING, *WORKING), whole)


def _snapshot(name: str, commit: str | None, files: tuple[str, ...], whole: bool) -> Path:
    """The cache's folder for a model, with those of its files; its name is the commit."""
    from huggingface_hub import errors, get_cached_repo_tree, snapshot_download

    folder = Path(snapshot_download(name, revision=commit, allow_patterns=list(files)))
    try:
        get_cached_repo_tree(name, revision=folder.name)
    except errors.CachedRepoTreeNotFoundError:  # another tool fetched some of its files, and we cannot tell which
        if whole or not any(folder.glob("*.safetensors")):
            fix = "run this once where the hub is in reach"
            raise MissingPart("only some files of this model are in the cache", where=name, fix=fix) from None
    return folder


def cached_folder(name: str) -> Path | None:
    """The newest snapshot of a model that is in the library's cache; asks nothing of the network."""
    if missing("huggingface_hub"):
        return None
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[*DESCRIBING, *WORKING], local_files_only=True))
    except Exception:  # of a dozen kinds: it is not there
        return None


def local_folder(base: str) -> Path | None:
    """The folder that a base model is in; None for a name on the hub. Raises UsageError for what is neither."""
    if Path(base).is_dir():
        return Path(base)
    if not is_name(base):
        raise UsageError("there is no such folder", where=base, fix="give a folder, or a model's name on the hub")
    return None


def is_name(base: str) -> bool:
    """Whether it can be a name on the hub, NAME or OWNER/NAME, and not only a path."""
    return bool(_NAME.fullmatch(base)) and ".." not in base


def name_on_hub(base: str | None) -> str | None:
    """What others find it by; None for a folder or file of this machine."""
    return base if base and is_name(base) and not Path(base).exists() else None


def endpoint() -> str:
    """Where the hub is, as its library was told."""
    from huggingface_hub import constants

    return constants.ENDPOINT


@contextlib.contextmanager
def quiet_unless_watched() -> Iterator[None]:
    """Without the library's progress bars and advice where nobody watches a terminal."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    level, bars = logging.get_verbosity(), not are_progress_bars_disabled()
    if not sys.stderr.isatty():
        logging.set_verbosity_error()
        disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            enable_progress_bars()


@contextlib.contextmanager
def in_words(name: str, kind: str) -> Iterator[None]:
    """The border: what the hub's library raises inside becomes an error of ours about the `kind` ("model") `name`."""
    try:
        yield
    except SlmfitError:
        raise
    except Exception as error:
        known = translated(error, name, kind)
        if known is None:
            raise
        raise known from None


def translated(error: BaseException, name: str, kind: str) -> SlmfitError | None:
    """The error of ours for one that began in the hub's library, however wrapped; None for any other."""
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import httpx

    chain = list(_chain(error))

    def first(*types: type[BaseException]) -> Any:
        return next((link for link in chain if isinstance(link, types)), None)

    if first(errors.OfflineModeIsEnabled) or (constants.HF_HUB_OFFLINE and first(errors.LocalEntryNotFoundError)):
        fix = "unset HF_HUB_OFFLINE, or on a machine with network "
        fix += (
            "run `slmfit models pull NAME --to DIR` and copy DIR"
            if kind == "model"
            else "fetch its files and copy them"
        )
        what = f"this {kind} is not in the cache, and HF_HUB_OFFLINE forbids downloads"
        return MissingPart(what, where=name, fix=f"{fix} here")
    if invalid := first(errors.HFValidationError):
        return UsageError(f"is no name on the hub: {_line(invalid)}", where=name, fix="write OWNER/NAME")
    if answered := first(errors.HfHubHTTPError):
        return _answered(answered, name, kind)
    if link := first(httpx.TransportError, errors.LocalEntryNotFoundError, ConnectionError):
        slow = first(httpx.TimeoutException, TimeoutError)
        what = "did not answer in time" if slow else "is out of reach"
        fix = "try again, check the network and HF_ENDPOINT, or give a local folder"
        said = "" if slow else f" ({_line(link)})"
        return MissingPart(
            f"this {kind} is not in the cache, and the hub at {endpoint()} {what}{said}", where=name, fix=fix
        )
    if full := next((link for link in chain if isinstance(link, OSError) and link.strerror), None):
        return SlmfitError(f"could not be kept: {full.strerror}", where=name, fix="free some space, or set HF_HOME")
    return None


def out_of_reach(error: BaseException) -> bool:
    """Whether the hub could not be asked, or failed to answer, so that what is in the cache should serve."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    unheard = (errors.OfflineModeIsEnabled, httpx.TransportError)
    failed = isinstance(error, errors.HfHubHTTPError) and error.response.status_code >= 500
    return failed or any(isinstance(link, unheard) for link in _chain(error))


def _answered(error: Any, name: str, kind: str) -> SlmfitError:
    """The hub answered, but not with what was asked for."""
    from huggingface_hub import errors

    status = error.response.status_code
    place = f"{endpoint()}/{'datasets/' if kind == 'data set' else ''}{name}"
    token = "HF_TOKEN" if os.environ.get("HF_TOKEN") else None
    if isinstance(error, errors.GatedRepoError):
        fix = f"agree to its terms at {place}, then set HF_TOKEN" + (" to a token of that account" if token else "")
        return MissingPart(f"this {kind} is gated: its owner wants to know who uses it", where=name, fix=fix)
    if isinstance(error, errors.RevisionNotFoundError):
        return UsageError(f"this {kind} has no such revision", where=name, fix=f"the revisions are listed at {place}")
    if isinstance(error, errors.RepositoryNotFoundError):
        fix = "check the name; if it is private, set HF_TOKEN" + (" to a token that may read it" if token else "")
        return UsageError(f"the hub has no {kind} of that name, or it is private", where=name, fix=fix)
    if isinstance(error, errors.RemoteEntryNotFoundError):
        asked = error.response.request.url.path.rpartition("/")[2]
        return UsageError(f"this {kind} has no {asked} on the hub", where=name, fix=f"see what it holds: {place}")
    if status in (401, 403):
        fix = "renew the token in HF_TOKEN, or unset it" if status == 401 else "use a token that may read it"
        return MissingPart(f"the hub refuses the token ({status})", where=name, fix=fix)
    if status == 404:
        return UsageError(f"the hub at {endpoint()} knows no such {kind}", where=name, fix="check the name")
    later = "wait a while" if status == 429 else "try again later"
    return MissingPart(f"the hub at {endpoint()} answers with an error ({status})", where=name, fix=later)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that …"""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    """The first line of what an error says."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:160]
