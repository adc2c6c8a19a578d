"""A file whose columns go by other names: they are offered where they are asked for."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

server = pytest.importorskip("slmfit.ui.server", reason="pip install 'slmfit[serve]'")


def test_the_columns_of_the_file_are_offered(tmp_path, browser):
    (tmp_path / "data").mkdir()
    rows = "".join(
        f"my {word} is late {i},{mood}\n" for i in range(40) for word, mood in (("bag", "bad"), ("tea", "ok"))
    )
    (tmp_path / "data" / "messages.csv").write_text(f"message,mood\n{rows}")
    with server.running(tmp_path, token="open-sesame") as serving:
        page = browser.new_context().new_page()
        page.goto(f"{serving.url}/?file=data/messages.csv&token=open-sesame")
        page.get_by_role("button", name="Look at it").click()
        page.wait_for_selector("#known-columns option", state="attached", timeout=60_000)
        offered = "list => [...list.options].map((option) => option.value)"
        assert page.locator("#known-columns").evaluate(offered) == ["message", "mood"]
        assert page.locator("#label").evaluate("input => input.list.id") == "known-columns"
        page.locator("#label").fill("mood")
        page.get_by_role("button", name="Look again with these").click()
        page.wait_for_selector("#found h2", timeout=60_000)
        assert page.locator("#found .refusal").count() == 0
