"""Labels, texts, ids and names that try to be markup, commands or another reading order stay what they are: strings."""

import pytest
from hostile import STRINGS, obeyed, written

from slmfit import reporting
from slmfit.runs.brief import comparison_html, markdown
from slmfit.runs.card import model_card
from slmfit.runs.run import read_comparison, read_run

pytest_plugins = ["browsing"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("hostile") / "out", STRINGS)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_obeyed(folder, visit, width):
    path = reporting.report(folder)
    assert obeyed(visit(path, width=width), path, width) == {}


def test_no_row_is_lost(folder, visit):
    page = visit(reporting.report(folder))
    page.select_option("#show", "all")
    assert page.inner_text("#count") == "1,600 rows"
    shown = page.inner_text("#rows > li:nth-child(1) .row-text")
    assert shown.endswith("…") or shown.split()[-1] == "400"


def test_notebook_markdown_and_card(folder):
    record = read_comparison(folder)
    shown = comparison_html(record)
    for tag in ("<script", "<img", "<svg", "<iframe", "<a ", "<base", "<meta", "\x1b", "\u202e"):
        assert tag not in shown
    for text in (markdown(record), model_card(read_run(folder / "runs" / "linear"))):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert all(line.count(" | ") == 6 for line in markdown(record).splitlines() if line.startswith("| "))
