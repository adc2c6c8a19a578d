"""Charts for a notebook: everything inside, names made safe, figures readable as text."""

import re

import pytest

import slmfit
from slmfit import Chart, Score


def html(chart):
    return chart._repr_html_()


def test_nothing_is_fetched_or_run():
    charts = [
        Chart.lines({"train": {1: 0.4, 2: 0.2}}, x="epoch", y="loss"),
        Chart.bars({"linear": Score(0.9, 0.88, 0.92)}, percent=True, guess=0.25),
        Chart.dots({"linear": (2.7, Score(0.9, 0.88, 0.92))}, x="MB", y="accuracy", percent=True, log=True),
        Chart.clouds({"a": [(0, 1), (2, 3)], "b": [(1, 1)]}),
        Chart.grid([[0.5, None]], rows=["it"], columns=["card", "was"]),
    ]
    for chart in charts:
        assert "<script" not in html(chart) and "http" not in html(chart) and "url(" not in html(chart)


def test_names_are_text():
    evil = "</style><script>alert(1)</script>"
    for chart in (
        Chart.bars({evil: 1.0}, title=evil),
        Chart.lines({evil: {1: 1.0, 2: 2.0}}, x=evil, y=evil),
        Chart.dots({evil: (1, 1.0)}, x=evil, y=evil),
        Chart.clouds({evil: [(0, 0), (1, 1)]}),
        Chart.grid([[1.0]], rows=[evil], columns=[evil]),
    ):
        assert "<script" not in html(chart)


def test_the_figures_of_lines_can_be_read():
    shown = html(Chart.lines({"a": {1: 0.25, 3: 0.5}, "b": {3: 0.75}}, x="rows", y="accuracy", percent=True))
    rows = re.findall(r"<tr>(.*?)</tr>", shown)
    assert [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows] == [
        ["rows", "1", "3"], ["a", "25.0 %", "50.0 %"], ["b", "", "75.0 %"],
    ]  # fmt: skip


def test_dots_have_their_interval_and_a_name():
    shown = html(Chart.dots({"a": (1, Score(0.5, 0.4, 0.6)), "b": (100, 0.75)}, x="MB", y="accuracy", log=True))
    assert shown.count("<circle") == 2 and shown.count('class="whisker') == 1
    assert re.findall(r'<text [^>]*class="name rest">(.)</text>', shown) == ["a", "b"]
    assert re.findall(r"<td>(.*?)</td>", shown) == ["1", "0.5", "100", "0.75"]


def test_an_axis_of_whole_percents_has_no_decimals():
    shown = html(Chart.lines({"a": {1: 0.2, 2: 1.0}}, percent=True))
    assert ">100 %</text>" in shown and ">100.0 %</td>" in shown


def test_bars_reach_from_zero_and_say_their_interval():
    shown = html(Chart.bars({"for": 3.0, "against": -1.0}))
    assert re.findall(r'<rect x="([\d.]+)%" y="5" width="([\d.]+)%"', shown) == [("25.00", "75.00"), ("0.00", "25.00")]
    assert "90.0 % (88.0–92.0)" in html(Chart.bars({"linear": Score(0.9, 0.88, 0.92)}, percent=True))


def test_a_cell_that_cannot_have_a_number_is_told_from_zero():
    shown = html(Chart.grid([[0.0, None, 1.0]], rows=["it"], columns=["a", "b", "c"]))
    assert shown.count('class="none"') == 1 and ">1.00</td>" in shown


@pytest.mark.parametrize(
    "draw", [lambda: Chart.lines({}), lambda: Chart.clouds({}), lambda: Chart.lines({"a": {}}), lambda: Chart.dots({})]
)
def test_nothing_to_draw_is_told(draw):
    with pytest.raises(slmfit.UsageError, match="no "):
        draw()


def test_a_log_scale_without_room_for_zero():
    with pytest.raises(slmfit.UsageError, match="log scale"):
        Chart.lines({"a": {0: 1.0, 1: 2.0}}, log=True)
