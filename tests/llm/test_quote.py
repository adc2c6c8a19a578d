"""What a run would take, before anything is sent."""

from asking import PRICES, ask, client

from slmfit.llm import Ask, Server, quote
from slmfit.testing import scripted


def test_the_quote_holds():
    with scripted() as server:
        asking = client(server)
        told = quote((ask(n) for n in range(100)), asking.server)
        answers = list(asking.answers(ask(n) for n in range(100)))
        tokens = sum(a.usage.input_tokens for a in answers)
        usd = sum(a.usage.usd for a in answers)
    assert told.texts == 100
    assert told.input_tokens[0] <= told.input_tokens[1] <= told.input_tokens[2]
    assert tokens <= told.input_tokens[2]
    assert usd <= told.usd[2]
    assert (told.price_date, told.price_source) == ("2026-11-22", "test")


def test_who_gets_the_texts():
    away = quote([ask(1)], Server("https://api.openai.com/v1", "m", prices=PRICES))
    assert (away.host, away.leaves_machine) == ("api.openai.com", True)
    for url in ("http://localhost:11434/v1", "http://127.0.0.1/v1", "http://[::1]:8/v1", "http://0.0.0.0:1/v1"):
        assert not quote([ask(1)], Server(url, "m")).leaves_machine
    assert quote([ask(1)], Server("http://192.168.1.5/v1", "m")).leaves_machine


def test_an_unknown_price_is_not_nothing():
    assert quote([ask(1)], Server("https://h/v1", "m")).usd is None


def test_long_texts_are_half_the_longest():
    told = quote([Ask("1", ({"role": "user", "content": "write"},), max_tokens=1000)], Server("https://h/v1", "m"))
    assert told.output_tokens == (100, 500, 1000)
