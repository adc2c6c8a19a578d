"""A page asked in a real browser, as whoever opens it would: without a network, from the file.

    answered(Path("linear-html/linear.html"), ["my card was charged twice"])          # predictions

The browser is a Chromium: the one that SLMFIT_CHROMIUM names, one that is installed, or playwright's own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from slmfit.environment import missing
from slmfit.errors import MissingPart, SlmfitError
from slmfit.records import Input, Pair, Prediction

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = ("--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-dev-shm-usage")
AT_ONCE = 500  # texts in one message to the browser
FIX = "pip install playwright, and install chromium; or --accept writes the page unchecked, and says so in it"
PATIENCE = 120_000  # milliseconds for one message


def found() -> str | None:
    """The path of an installed Chromium."""
    return os.environ.get("SLMFIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def answered(path: Path, inputs: Sequence[Input]) -> list[Prediction]:
    """What the page answers to these texts, in order.

    Raises MissingPart without playwright or a browser, and SlmfitError where the page fails or asks for anything.
    """
    if missing("playwright"):
        raise MissingPart("a page is checked in a browser, which needs the package playwright", fix=FIX)
    with ThreadPoolExecutor(1) as pool:  # a notebook has a loop in its own thread, and playwright wants none there
        return pool.submit(_answered, path, inputs).result()


def _answered(path: Path, inputs: Sequence[Input]) -> list[Prediction]:
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        try:
            sandbox = hasattr(os, "geteuid") and os.geteuid() != 0  # as root, Chromium starts without one only
            browser = driver.chromium.launch(executable_path=found(), args=FLAGS, chromium_sandbox=sandbox)
        except sync_api.Error as error:
            raise MissingPart(f"a page is checked in a browser, and none starts ({_said(error)})", fix=FIX) from None
        try:
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            return _asked(page, path, inputs)
        except sync_api.Error as error:
            raise SlmfitError(f"the page fails in a browser ({_said(error)})", where=str(path)) from None
        finally:
            browser.close()


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


def _asked(page: Any, path: Path, inputs: Sequence[Input]) -> list[Prediction]:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.resolve().as_uri())
    labels = page.evaluate("() => ready.then(() => model.labels)")
    found: list[tuple[int, list[float]]] = []
    for begin in range(0, len(inputs), AT_ONCE):
        texts = [_texts(one) for one in inputs[begin : begin + AT_ONCE]]
        found += page.evaluate("texts => answers(texts)", texts)
    if len(requests) > 1:
        raise SlmfitError(f"the page asks for {requests[1]}", where=str(path))
    return [Prediction(labels[k], probabilities=dict(zip(labels, shares, strict=True))) for k, shares in found]


def _texts(given: Input) -> list[str]:
    return [given.first, given.second] if isinstance(given, Pair) else [str(given)]
