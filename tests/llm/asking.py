"""What the tests of the client share: asks of numbered rows, a server, prices, and little patience."""

from slmfit.llm import Ask, Client, Patience, Prices, Server
from slmfit.tasks.replies import json_object_schema

LABELS = ("sports", "world", "business")
SCHEMA = json_object_schema({"label": {"type": "string", "enum": list(LABELS)}})
PRICES = Prices(1.0, 4.0, "2026-11-22", "test")
# Little between two tries, and enough for each that a busy machine makes none of them late.
QUICK = Patience(seconds=30.0, attempts=4, base_seconds=0.01, wait_seconds=0.05)


def ask(row, labels=LABELS, schema=SCHEMA, **changes):
    """The ask of one row."""
    messages = ({"role": "system", "content": "Classify."}, {"role": "user", "content": f"[row {row}] a text"})
    return Ask(str(row), messages, schema=schema, choices=labels, **{"max_tokens": 32, **changes})


def labelled(labels):
    """The schema of a label among these."""
    return json_object_schema({"label": {"type": "string", "enum": list(labels)}})


def client(server, ledger=None, limits=None, **changes):
    """A client of a scripted server."""
    at = Server(server.url, server.model, key="sk-test-key", prices=PRICES)
    return Client(at, ledger, limits, **{"patience": QUICK, **changes})
