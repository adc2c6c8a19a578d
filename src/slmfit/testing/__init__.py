"""A server for your own tests: it answers OpenAI's chat completions from a script, and fails as real servers do.

    def model(body):
        return "billing" if "invoice" in row_in(body) else "delivery"

    with scripted(answer=model, prices=(1.0, 4.0)) as server:
        run = slmfit.train(data, f"llm={server.model}", settings={"llm": {"base_url": server.url}}, out=folder)
        run.predict(["my invoice is wrong"])[0].target       # "billing"
        server.calls["my invoice is wrong"]                  # 1
        server.billed                                        # USD, all calls together

Needs no model, no key and no network, and what asks it is the real thing: HTTP, retries, budgets, the ledger.

- A prompt: `server.requests[-1]["messages"]` is what the model was sent.
- A task of your own: a label, or the object that the answer is, comes from `answer`; the server words it as the prompt
  asks for it. Without an `answer` it says the first thing that it may.
- What no label says: `Said("I would say sports")`, `Said(None, refusal="No.")`, `Said('{"lab', finish="length")`.
- Failure: `scripted(faults=1.0, kinds=("500", status(401)))`; `list(KINDS)` are the ways there are. `rows` says whose
  calls may fail, `server.script.faults = 0.0` ends it, and `server.calls` tells how often each row was tried.
- Another process: `python -m slmfit.testing --latency 0.05 --faults 0.3` prints its URL.

Nothing else in slmfit imports this package. From nouns to acts: wire (HTTP), model (what it says), script (what a test
sets, and a call), faults, threads, server.
"""

from slmfit.testing.faults import CHARGED, FINAL, KINDS, REFUSED, status
from slmfit.testing.model import Said, first_choice, row_in, schema_of
from slmfit.testing.script import PRICES, Call, Script
from slmfit.testing.server import Scripted, scripted

__all__ = [
    "CHARGED", "FINAL", "KINDS", "PRICES", "REFUSED", "Call", "Said", "Script", "Scripted", "first_choice", "row_in",
    "schema_of", "scripted", "status",
]  # fmt: skip
