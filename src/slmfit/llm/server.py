"""Which server, which model, and the key that goes to that server alone.

    server = Server.from_environment("http://localhost:11434/v1", "gemma3:12b")
    server.base_url, server.local        # ("http://localhost:11434/v1", True)

What stands secret in a URL, `user:password@` or `?key=…`, is taken out of it at once: `base_url` may be shown.
A key shows itself to nobody but the server it is for:

    print(server.key)                    # ********
    server.key.reveal()
    server.key.hidden_in(reply)          # the reply, with every spelling of the key replaced
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit, urlunsplit

from slmfit.errors import MissingPart, UnsafeError, UsageError
from slmfit.llm.prices import Prices

# Whose key is whose: a vendor's host is never sent another vendor's key.
KEY_OF_HOST = {
    "api.openai.com": "OPENAI_API_KEY",
    "api.anthropic.com": "ANTHROPIC_API_KEY",
    "generativelanguage.googleapis.com": "GEMINI_API_KEY",
    "openrouter.ai": "OPENROUTER_API_KEY",
    "api.groq.com": "GROQ_API_KEY",
    "api.mistral.ai": "MISTRAL_API_KEY",
    "api.deepseek.com": "DEEPSEEK_API_KEY",
    "api.together.xyz": "TOGETHER_API_KEY",
    "api.fireworks.ai": "FIREWORKS_API_KEY",
}
DEFAULT_KEY = "OPENAI_API_KEY"
HIDDEN = "********"
_SHORTEST = 4  # a shorter "key" such as `x` stands in every text, and local servers take any
_LOCAL = ("localhost", "host.docker.internal")


class Secret:
    """A text that `repr`, `str`, JSON and pickle do not give away; `reveal` does."""

    __slots__ = ("_spellings", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        coded = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
        spellings = {value, json.dumps(value)[1:-1], quote(value, safe=""), quote_plus(value), coded}
        self._spellings = sorted((s for s in spellings if len(s) >= _SHORTEST), key=len, reverse=True)

    def reveal(self) -> str:
        return self._value

    def hidden_in(self, value: Any) -> Any:
        """A text, or JSON that holds texts, without the key: a server may repeat what it was sent."""
        if isinstance(value, str):
            for spelling in self._spellings:
                if spelling in value:
                    value = value.replace(spelling, HIDDEN)
            return value
        if isinstance(value, dict):
            return {self.hidden_in(name): self.hidden_in(inner) for name, inner in value.items()}
        return [self.hidden_in(inner) for inner in value] if isinstance(value, list) else value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a key is not to be stored")


@dataclass(frozen=True)
class Server:
    """One model on one server that speaks OpenAI's chat completions. Raises UsageError for what is no URL.

    base_url: up to and with `/v1`; kept without what is secret in it.
    model: its name on that server.
    key: sent as a bearer token, to `base_url`'s own host alone, and never by plain http to another machine; None = no
        key is sent.
    prices: of this model; None = unknown.
    key_name: the variable that the key came from or would come from, for messages.
    """

    base_url: str
    model: str
    key: Secret | str | None = field(default=None, repr=False)
    prices: Prices | None = None
    key_name: str = DEFAULT_KEY
    secrets: tuple[Secret, ...] = field(default=(), init=False, repr=False, compare=False)
    _userinfo: Secret | None = field(default=None, init=False, repr=False)
    _query: Secret | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        url, userinfo, query, parts = _taken_apart(self.base_url)
        key = Secret(self.key.strip()) if isinstance(self.key, str) and self.key.strip() else self.key or None
        if isinstance(key, Secret) and not (key.reveal().isascii() and key.reveal().isprintable()):
            raise UsageError(f"the key in {self.key_name} holds what no key holds", fix="copy it again")
        secrets = tuple(s for s in (key, userinfo, query, *parts) if isinstance(s, Secret))
        values = {"base_url": url, "key": key, "secrets": secrets, "_userinfo": userinfo, "_query": query}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_environment(cls, base_url: str, model: str, prices: Prices | None = None) -> Server:
        """The key from the environment or from `.env` in the current folder; the environment wins.

        The variable is the vendor's own where the host is a known vendor's, else OPENAI_API_KEY.
        """
        name = KEY_OF_HOST.get(cls(base_url, model).host, DEFAULT_KEY)
        key = os.environ.get(name) or _from_dotenv(name)
        return cls(base_url, model, key=key or None, prices=prices, key_name=name)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, so that texts do not leave it and calls cost time, not money."""
        if self.host in _LOCAL or self.host.endswith(".localhost"):
            return True
        return _is_loopback(self.host)

    @property
    def loopback(self) -> bool:
        """Whether what is sent there stays on this machine for certain, whatever a name server says."""
        return self.host == "localhost" or _is_loopback(self.host)

    @property
    def of_vendor(self) -> bool:
        """Whether it is a known vendor's own host, and its certificate says so."""
        return self.host in KEY_OF_HOST and self.base_url.startswith("https:")

    @property
    def confidential(self) -> bool:
        """Whether nobody on the way can read what is sent: no key goes where somebody can."""
        return self.base_url.startswith("https:") or self.loopback

    def check_key(self) -> None:
        """Nothing is sent to a vendor who is sure to refuse it, and no key in an address that all can read.

        Raises MissingPart without a key for a vendor, UnsafeError for the other.
        """
        if not self.confidential and (self._userinfo or self._query):
            what = "this address holds a key, and plain http shows it to everyone on the way"
            raise UnsafeError(what, where=self.base_url, fix="use https://, or leave the key out")
        if self.host in KEY_OF_HOST and not self.secrets:
            fix = f"set {self.key_name} in the environment or in .env, or name another server with --base-url"
            raise MissingPart(f"{self.host} wants a key", fix=fix)

    @property
    def endpoint(self) -> str:
        """Where asks are sent; may hold a secret query, so it is never shown."""
        query = f"?{self._query.reveal()}" if self._query else ""
        return f"{self.base_url}/chat/completions{query}"

    @property
    def props(self) -> str:
        """Where llama.cpp's server says what it is; may hold a secret query, so it is never shown."""
        query = f"?{self._query.reveal()}" if self._query else ""
        return f"{self.base_url.removesuffix('/v1')}/props{query}"

    def headers(self) -> dict[str, str]:
        """What is sent with each ask; holds the key, unless plain http would show it to others."""
        headers = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
        if not self.confidential:
            return headers
        if isinstance(self.key, Secret):
            headers["authorization"] = f"Bearer {self.key.reveal()}"
        elif self._userinfo:
            headers["authorization"] = f"Basic {base64.b64encode(self._userinfo.reveal().encode()).decode()}"
        return headers

    def hidden(self, value: Any) -> Any:
        """A text, or JSON that holds texts, without any of this server's secrets."""
        for secret in self.secrets:
            value = secret.hidden_in(value)
        return value


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _taken_apart(base_url: str) -> tuple[str, Secret | None, Secret | None, list[Secret]]:
    """(the URL to show, user:password, query, the secret parts of both)."""
    fix = "give one such as http://localhost:11434/v1 or https://api.openai.com/v1"
    try:
        url = urlsplit(base_url.strip())
        host, port = url.hostname, url.port
        host = host.encode("idna").decode() if host and not host.isascii() else host  # no letters that look alike
    except ValueError:
        raise UsageError("the base URL cannot be read", fix=fix) from None
    if url.scheme not in ("http", "https") or not host:
        raise UsageError("the base URL needs http:// or https:// and a host", fix=fix)
    place = f"[{host}]" if ":" in host else host
    path = url.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    shown = urlunsplit((url.scheme, place + (f":{port}" if port else ""), path, "", ""))
    userinfo = unquote(url.netloc.rpartition("@")[0])
    parts = [Secret(part) for part in (userinfo.partition(":")[2], *_values(url.query)) if part]
    return shown, Secret(userinfo) if userinfo else None, Secret(url.query) if url.query else None, parts


def _values(query: str) -> list[str]:
    return [unquote(pair.partition("=")[2]) for pair in query.split("&")]


def _from_dotenv(name: str) -> str | None:
    path = Path(".env")
    if not path.is_file():
        return None
    from dotenv import dotenv_values

    try:
        return dotenv_values(path, interpolate=False).get(name)
    except (OSError, UnicodeDecodeError):
        raise UsageError("cannot be read", where=".env", fix=f"make it UTF-8 text, or set {name} instead") from None
