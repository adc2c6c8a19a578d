"""Any server that speaks OpenAI's chat completions: asked politely, paid once, never lost.

    server = Server.from_environment("http://localhost:11434/v1", "gemma3:12b")
    client = Client(server, folder / "ledger.jsonl", Limits(seconds=600))
    for answer in client.answers(asks):
        print(answer.id, answer.outcome, answer.value)

From nouns to acts: server (and its key), prices, ask, limits; wire (bytes), choices, schemas and modes (how an
answer is bound and read), faults (what a reply means); ledger (what is kept); channel (one call), pace,
purse and exchange (when and at what price), probing (what the server takes); engine (the loop), client, quote.
"""

from slmfit.llm.ask import Answer, Ask
from slmfit.llm.client import Client
from slmfit.llm.limits import Limits
from slmfit.llm.modes import Found
from slmfit.llm.pace import Patience
from slmfit.llm.prices import Prices
from slmfit.llm.quote import Quote, quote
from slmfit.llm.server import Secret, Server

__all__ = ["Answer", "Ask", "Client", "Found", "Limits", "Patience", "Prices", "Quote", "Secret", "Server", "quote"]
