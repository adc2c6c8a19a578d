"""Who may be sent texts, and a key: a run that somebody sent on names a server that nobody here has chosen.

    remember("https://llm.example.org/v1")                  # it was typed: --base-url, or settings in Python
    admit(server, "https://llm.example.org/v1", None)       # says where the texts go; UnsafeError for an unknown host

An address is known when it was typed on this machine; each is remembered in the cache folder by a file of its own. The
hosts of known vendors are known too, over https, and so is what listens on this machine itself. A key goes to vendors
and to what was typed, never to a host that was only allowed: whoever wrote the run may have chosen it.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path

from slmfit import storage
from slmfit.environment import cache_folder
from slmfit.errors import SlmfitError, UnsafeError
from slmfit.llm.server import Server
from slmfit.text.visible import visible

_TYPED: set[str] = set()  # in this process: then nobody needs to be told where texts go
_TOLD: set[str] = set()


def remember(base_url: str) -> None:
    """This address, as `Server.base_url` has it, was typed here."""
    _TYPED.add(base_url)
    if not _remembered(base_url):
        with contextlib.suppress(SlmfitError):  # a cache that cannot be written costs a question later
            storage.make_folder(_place(base_url).parent)
            storage.write_json(_place(base_url), {"base_url": base_url})


def typed(base_url: str) -> bool:
    """Whether this very address was typed on this machine."""
    return base_url in _TYPED or _remembered(base_url)


def known(server: Server) -> bool:
    """Whether texts may go there though only a run names it."""
    return server.loopback or server.of_vendor or typed(server.base_url)


def without_stray_key(server: Server) -> Server:
    """The server of a run that was loaded: with its key if it may have one, else without."""
    if server.of_vendor or typed(server.base_url):
        return server
    return replace(server, key=None)


def admit(server: Server, allowed: str | None) -> None:
    """Say on stderr, once, to whom a loaded run sends texts. allowed: a host that may have them though it is not known.

    Raises UnsafeError for any other host.
    """
    if not known(server) and (allowed or "").lower() != server.host:
        what = f"this run sends your texts to {server.host}, which was never named on this machine"
        fix = f"allow it with --allow-host {server.host} (Python: allow_host={server.host!r}) if you trust it"
        raise UnsafeError(what, where=server.base_url, fix=fix)
    if server.base_url in _TYPED | _TOLD:
        return
    _TOLD.add(server.base_url)
    place = ", on this machine" if server.loopback else ""
    told = f"sends your texts to {server.host}{place} ({server.base_url})"
    print(visible(told), file=sys.stderr, flush=True)


def _remembered(base_url: str) -> bool:
    try:
        return bool(storage.read_json(_place(base_url), "base_url")["base_url"] == base_url)
    except SlmfitError:
        return False


def _place(base_url: str) -> Path:
    return cache_folder() / "addresses" / f"{storage.hash_json(base_url)[:32]}.json"
