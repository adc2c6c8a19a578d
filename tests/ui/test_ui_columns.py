"""A file whose columns go by other names: they are offered where they are asked for."""

import json
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
        page.wait_for_selector("#known-columns option", state="attached")
        offered = "list => [...list.options].map((option) => option.value)"
        assert page.locator("#known-columns").evaluate(offered) == ["message", "mood"]
        assert page.locator("#label").evaluate("input => input.list.id") == "known-columns"
        refused = page.locator("#found .refusal").text_content()
        assert "in the field “Column of the label”" in refused and "--" not in refused
        page.locator("#label").fill("mood")
        page.get_by_role("button", name="Look again with these").click()
        page.wait_for_selector("#found h2")
        assert page.locator("#found .refusal").count() == 0
        # what came by another name beside it, and was asked for as answers or only estimated
        (tmp_path / "data" / "a.csv").write_text("id,prediction\n1,ok\n")
        for id, about in (
            ("0a0b0c", {"file": "data/messages.csv", "asked": {"answers": "data/a.csv", "label": "mood"}}),
            ("0a0b0d", {"file": "data/messages.csv", "estimate": True}),
        ):
            job = tmp_path / ".slmfit" / "jobs" / f"20990101-000000-compare-{id}"
            job.mkdir()
            (job / "job.json").write_text(json.dumps({"words": ["compare"], "about": about, "made": "2099"}))
            (job / "exit.json").write_text('{"code": 0, "ended": "2099"}')
        page.click("nav >> text=Compare")
        page.wait_for_selector("#label", state="attached")
        assert page.input_value("#file") == "data/messages.csv" and page.input_value("#label") == "mood"
        page.goto(serving.url)
        page.wait_for_selector("text=What was done here")
        assert page.locator("td a:text-is('compare')").count() == 1  # the estimate is no comparison
