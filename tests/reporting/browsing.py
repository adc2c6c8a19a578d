"""A browser for the report: Debian's chromium, driven by playwright, without a network to speak of.

A test module that visits pages says `pytest_plugins = ["browsing"]`.
"""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = os.environ.get("SLMFIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = """
--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync
--disable-default-apps --no-first-run --no-default-browser-check --disable-dev-shm-usage
""".split()
PATIENCE = 120_000  # milliseconds that anything may take to appear
NODE_MODULES = Path(__file__).parents[2] / "node_modules"


@contextlib.contextmanager
def chromium(sync_api):
    """A running browser. sync_api: playwright's module."""
    with sync_api.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        made = running.new_context

        def new_context(**how):
            context = made(**how)
            context.set_default_timeout(PATIENCE)
            return context

        running.new_context = new_context
        yield running
        running.close()


def visited(context, path, fragment=""):
    """The page in a context of the browser, once its rows are unpacked, and what it asked for and said.

    `page.asked` holds the addresses of its requests, `page.said` its console messages and errors.
    """
    page = context.new_page()
    page.asked, page.said = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(path.as_uri() + fragment)
    page.wait_for_function("() => !(document.getElementById('count')?.textContent ?? '').startsWith('Unpacking')")
    return page


@pytest.fixture(scope="module")
def browser():
    """One chromium for the tests of a file: the loop it runs on may not go on while other tests start theirs."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs `pip install playwright`")
    if CHROMIUM is None:
        pytest.skip("needs chromium (Debian: apt-get install chromium), or SLMFIT_CHROMIUM=PATH")
    with chromium(playwright) as running:
        yield running


@pytest.fixture
def visit(browser):
    """visit(path, fragment, width=…, scheme=…): the page, as `visited` has it."""
    contexts = []

    def visit(path, fragment="", width=1280, scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        return visited(contexts[-1], path, fragment)

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    named = os.environ.get("SLMFIT_AXE")
    path = Path(named) if named else NODE_MODULES / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("needs axe-core: npm install axe-core beside pyproject.toml, or SLMFIT_AXE=PATH of axe.min.js")
    return path.read_text(encoding="utf-8")
