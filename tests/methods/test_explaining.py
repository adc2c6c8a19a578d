"""What every setting is: from the settings' own words, on a terminal, for a run, and in docs/settings.md."""

from dataclasses import replace
from pathlib import Path

import pytest

from slmfit import methods
from slmfit.comparison.compare import train
from slmfit.errors import UsageError
from slmfit.methods import explaining
from slmfit.methods.explaining import as_text, explain

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HERE = [name for name, row in methods.TABLE.items() if row.place and not methods.unavailable(name)]


@pytest.mark.parametrize("method", HERE)
def test_the_page_is_up_to_date(method):
    assert explaining.section(method) in PAGE.read_text(), "python -m slmfit.methods.explaining > docs/settings.md"


def test_the_whole_page_is_up_to_date():
    if any(row.place and name not in HERE for name, row in methods.TABLE.items()):
        pytest.skip("needs every extra")
    assert PAGE.read_text() == explaining.as_markdown()


def names(explanation):
    return [setting.full_name for setting in explanation.settings]


def test_one_setting_of_a_method_or_all_of_it_or_all_there_are():
    assert names(explain("knn.k")) == names(explain("k")) == ["knn.k"]
    assert names(explain("knn")) == ["knn.embeddings", "knn.k", "knn.weighting", "knn.dimension"]
    assert set(names(explain("knn"))) < set(names(explain()))
    assert explain("majority").settings == []
    text = as_text(explain("knn.weighting"))
    assert text.startswith("knn.weighting\n    What a vote weighs.")
    assert "Takes one of uniform," in text and "default none" in text
    assert max(map(len, text.splitlines())) <= explaining.WIDTH


def test_a_name_that_is_none():
    with pytest.raises(UsageError, match=r"did you mean 'knn\.weighting'"):
        explain("knn.wieghting")
    with pytest.raises(UsageError, match="did you mean 'weighting'"):
        explain("wieghting")


def test_a_run_says_what_was_and_why(data, tmp_path):
    run = train(data, "knn", settings={"knn": {"weighting": "uniform"}}, out=tmp_path)
    said = {setting.name: (setting.value, setting.why) for setting in explain(run=run.record).settings}
    assert said["weighting"] == ("uniform", "asked for")
    assert said["dimension"] == (384, "the default") and said["embeddings"] == (None, "the default")
    k, why = said["k"]
    assert k == run.record.chosen["k"] and why == "the best of 100 tried on validation, by accuracy"
    assert f"knn.k = {k}\n    Why: the best of 100" in as_text(explain("k", run.record))
    with pytest.raises(UsageError, match="no setting 'epochs'"):
        explain("epochs", run.record)
    given = replace(run.record, method="predictions")
    with pytest.raises(UsageError, match="given answers"):
        explain(run=given)


def test_a_reason_given_by_the_method_is_shown(data, tmp_path):
    run = train(data, "knn", out=tmp_path)
    chosen = {**run.record.chosen, "dimension": 16, "why": {"dimension": "few rows"}}
    shown = explain("dimension", replace(run.record, chosen=chosen))
    assert (shown.settings[0].value, shown.settings[0].why) == (16, "few rows")


def test_when_to_change_it_and_what_that_did():
    one = replace(explain("knn.k").settings[0], when="votes | ties matter.", measured="10: 90.9 %.")
    text = as_text(explaining.Explanation([one, replace(one, method="other")]))
    assert text.startswith("knn.k, other.k\n")
    assert "Change it when votes | ties matter." in text and "Measured: 10: 90.9 %." in text
    assert "votes \\| ties" in explaining._row(one)


def test_what_is_missing_is_named(monkeypatch):
    real = methods.unavailable
    monkeypatch.setattr(methods, "unavailable", lambda name: "pip install 'x'" if name == "knn" else real(name))
    assert "knn has more, once it is here: pip install 'x'" in as_text(explain())
