"""The page that a server of runs shows on /."""

import sys
from pathlib import Path

import pytest

import slmfit
from asking_over_http import ask
from conftest import make_dataset

sys.path.insert(0, str(Path(__file__).parents[1] / "reporting"))  # one browser for all pages
pytest_plugins = ["browsing"]

server = pytest.importorskip("slmfit.serving.server", reason="pip install 'slmfit[serve]'")


def test_the_page_and_its_files(tmp_path):
    run = slmfit.train(make_dataset(), "linear", settings={"linear": {"features": "words", "C": 1.0}}, out=tmp_path)
    with server.running({"tickets": str(run.folder)}) as served:
        page = ask(f"{served.url}/")
        assert page.status == 200 and "default-src 'self'" in page.headers["content-security-policy"]
        for name in ("tried.js", "dom.js", "answer.js", "giving.js", "style.css", "desk.css", "icon.svg"):
            assert ask(f"{served.url}/static/{name}").status == 200
        for name in ("tried.html", "..%2fapp.py", "../app.py", "ui.css"):
            assert ask(f"{served.url}/static/{name}").status == 404
        asked = {"input": "invoice charged twice", "words": 2}
        (answer,) = ask(f"{served.url}/v1/classify", asked).json["data"]
        found = slmfit.load(run.folder).method.explain("invoice charged twice", answer["label"], 2)
        assert [one["word"] for one in answer["words"]] == [word for word, _ in found]
        assert answer["words"][0]["weight"] == pytest.approx(found[0][1], rel=1e-3)
        for words in (0, -1, 101, "x", True, 1.5):
            assert ask(f"{served.url}/v1/classify", {"input": "a", "words": words}).status == 400


def test_with_a_token_the_page_asks_for_it(tmp_path, browser):
    run = slmfit.train(make_dataset(), "majority", out=tmp_path)
    page = browser.new_page()
    with server.running({"tickets": str(run.folder)}, token="open-sesame") as served:
        page.goto(served.url)
        page.fill("#token", "wrong")
        page.press("#token", "Enter")
        page.wait_for_selector("text=That is not this server's token")
        page.fill("#token", "open-sesame")
        page.press("#token", "Enter")
        page.fill("textarea", "invoice charged twice")
        page.click("text=Answer")
        assert page.text_content(".reply .answer") == run.predict(["a"])[0].target
        assert "open-sesame" not in page.url and page.context.cookies() == []
        page.reload()
        page.wait_for_selector("#token")  # it is forgotten
    page.context.close()
