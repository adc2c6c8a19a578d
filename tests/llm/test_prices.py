"""Prices: from the user's file or the package, with their date; exact, and unknown rather than 0."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slmfit.errors import UsageError
from slmfit.llm.limits import Budget, Cost, Limits
from slmfit.llm.prices import PICO, Prices, from_package, from_toml

OPENAI = "https://api.openai.com/v1"


def toml(tmp_path, text):
    (tmp_path / "prices.toml").write_text(text, encoding="utf-8")
    return tmp_path / "prices.toml"


def test_prices_from_a_file(tmp_path):
    path = toml(tmp_path, 'date = 2026-11-01\n[models."gemma3:27b"]\ninput = 0.10\noutput = 0.3\ncached_input = 0.05\n')
    prices = from_toml(path, "gemma3:27b")
    assert prices == Prices(0.1, 0.3, "2026-11-01", "prices.toml", cached_input=0.05)
    assert prices.usd(1_000_000, 0) == 0.1
    assert prices.usd(1_000_000, 1_000_000, cached=500_000) == pytest.approx(0.05 + 0.025 + 0.3)
    assert from_toml(path, "other") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[models.m]\ninput = 1\noutput = 2\n", "needs its date"),
        ("date = 2026-11-01\n[models.m]\ninput = -1\noutput = 2\n", "'input' is missing or no price"),
        ("date = 2026-11-01\n[models.m]\ninput = true\noutput = 2\n", "'input' is missing or no price"),
        ("date = 2026-11-01\n[models.m]\ninput = 1\n", "'output' is missing or no price"),
        ("date = 2026-11-01\n[models.m]\ninput = inf\noutput = 1\n", "'input' is missing or no price"),
        (f"date = 2026-11-01\n[models.m]\ninput = 1\noutput = {10**400}\n", "'output' is missing or no price"),
        ("date = 2026-11-01\nmodels = 3\n", None),
        ("not toml", "is not TOML"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, words):
    path = toml(tmp_path, text)
    if words is None:
        assert from_toml(path, "m") is None
        return
    with pytest.raises(UsageError, match=words):
        from_toml(path, "m")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        from_toml(tmp_path / "none.toml", "m")


def test_prices_from_the_package():
    genai_prices = pytest.importorskip("genai_prices")
    prices = from_package("gpt-4o-mini", OPENAI)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=1234, output_tokens=56), "gpt-4o-mini", provider_id="openai"
    )
    assert prices.usd(1234, 56) == pytest.approx(float(theirs.total_price))
    assert prices.source.startswith("genai-prices ")
    assert len(prices.date) == 10
    assert from_package("no-such-model", OPENAI) is None
    assert from_package("gpt-4o-mini", "http://localhost:11434/v1") is None


@pytest.mark.parametrize("tokens", [1_000, 199_999, 200_001, 900_000])
def test_tiers_are_the_package_s_own(tokens):
    genai_prices = pytest.importorskip("genai_prices")
    url = "https://generativelanguage.googleapis.com/v1beta/openai"
    prices = from_package("gemini-2.5-pro", url)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=tokens, output_tokens=10), "gemini-2.5-pro", provider_api_url=url
    )
    assert prices.above is not None
    assert prices.usd(tokens, 10) == pytest.approx(float(theirs.total_price))


AMOUNTS = st.integers(0, 10**6)


@settings(deadline=None)
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), max_size=50), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_budget_is_never_exceeded(calls, usd_micros, tokens):
    budget, held = Budget(Limits(usd=usd_micros / 1e6, tokens=tokens), Cost()), []
    for input_tokens, output_tokens, share in calls:
        most = Cost(input_tokens + output_tokens, Prices(1.0, 4.0, "", "").pico(input_tokens, output_tokens))
        if budget.reserve(most):
            held.append((most, Cost(most.tokens * share // 10**6, most.pico * share // 10**6)))
        if len(held) > 3:
            budget.settle(*held.pop(0))
        assert budget.spent.tokens + budget.held.tokens <= tokens
        assert budget.spent.pico + budget.held.pico <= usd_micros * 10**6
    for most, cost in held:
        budget.settle(most, cost)
    assert budget.held == Cost()


@settings(deadline=None)
@given(st.floats(0.001, 1000), st.floats(0.001, 1000), AMOUNTS, AMOUNTS)
def test_money_is_kept_to_the_picodollar(price_in, price_out, input_tokens, output_tokens):
    prices = Prices(price_in, price_out, "", "")
    exact = (input_tokens * price_in + output_tokens * price_out) / 1e6
    assert prices.pico(input_tokens, output_tokens) / PICO == pytest.approx(exact, abs=1e-11, rel=1e-9)


@pytest.mark.parametrize("limits", [Limits(usd=-1), Limits(tokens=-1), Limits(seconds=float("nan"))])
def test_a_limit_that_is_none(limits):
    with pytest.raises(UsageError, match="the limit cannot be"):
        limits.check(Prices(1, 1, "", ""), "m", local=False)


@pytest.mark.parametrize(("local", "words"), [(True, "costs time, not money"), (False, "price of 'm' is unknown")])
def test_a_limit_in_usd_needs_a_price(local, words):
    with pytest.raises(UsageError, match=words):
        Limits(usd=1.0).check(None, "m", local=local)
    Limits(tokens=1).check(None, "m", local=local)
