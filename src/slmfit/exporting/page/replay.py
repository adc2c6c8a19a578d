"""A page asked in a real browser, as whoever opens it would: without a network, from the file.

    with opened(Path("linear-html/linear.html")) as ask:
        ask(["my card was charged twice"])          # predictions

The browser is a Chromium: the one that SLMFIT_CHROMIUM names, one that is installed, or playwright's own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slmfit.environment import missing
from slmfit.errors import MissingPart, SlmfitError
from slmfit.records import Input, Pair, Prediction

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = ("--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-dev-shm-usage")
AT_ONCE = 500  # texts in one message to the browser
PATIENCE = 120_000  # milliseconds for one message

Ask = Callable[[Sequence[Input]], list[Prediction]]


def found() -> str | None:
    """The path of an installed Chromium."""
    return os.environ.get("SLMFIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened(path: Path) -> Iterator[Ask]:
    """What answers texts as the page does.

    Raises MissingPart without playwright or a browser, and SlmfitError where the page fails or asks for anything.
    """
    fix = "pip install playwright, and install chromium; or --accept writes the page unchecked, and says so in it"
    if missing("playwright"):
        raise MissingPart("a page is checked in a browser, which needs the package playwright", fix=fix)
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        try:
            sandbox = hasattr(os, "geteuid") and os.geteuid() != 0  # as root Chromium starts without one only
            browser = driver.chromium.launch(executable_path=found(), args=FLAGS, chromium_sandbox=sandbox)
        except sync_api.Error as error:
            said = str(error).strip().partition("\n")[0]
            raise MissingPart(f"a page is checked in a browser, and none starts ({said[:120]})", fix=fix) from None
        try:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            yield _asked(page, path)
        except sync_api.Error as error:
            said = str(error).strip().partition("\n")[0]
            raise SlmfitError(f"the page fails in a browser ({said[:200]})", where=str(path)) from None
        finally:
            browser.close()


def _asked(page: Any, path: Path) -> Ask:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.resolve().as_uri())
    labels = page.evaluate("() => ready.then(() => model.labels)")

    def ask(inputs: Sequence[Input]) -> list[Prediction]:
        answers = []
        for begin in range(0, len(inputs), AT_ONCE):
            texts = [_texts(one) for one in inputs[begin : begin + AT_ONCE]]
            answers += page.evaluate("texts => answers(texts)", texts)
        if len(requests) > 1:
            raise SlmfitError(f"the page asks for {requests[1]}", where=str(path))
        return [Prediction(labels[k], probabilities=dict(zip(labels, shares, strict=True))) for k, shares in answers]

    return ask


def _texts(given: Input) -> list[str]:
    return [given.first, given.second] if isinstance(given, Pair) else [str(given)]
