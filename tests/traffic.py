"""Logs of a made-up service that asks a large model: the official client's own traffic with a scripted server.

    traffic = made(400, seed=0)                                # what is asked, and what the model means
    logged(traffic, tmp_path / "calls.jsonl")                  # asked one after another; every request and response

Three prompts take turns: one that sorts, one that finds entities, and chats in free text.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from slmfit.testing import Said, scripted, status

SORTS = "Sort the ticket of a customer into one topic. Today is {day}."
FINDS = "Find every city and weekday in the message. Answer with JSON and nothing else."
CHATS = "You are a helpful assistant."
TOPICS = {
    "billing": "invoice refund card charged payment twice".split(),
    "delivery": "parcel courier late tracking door driver".split(),
    "account": "password login email locked profile reset".split(),
}
CITIES, DAYS = "Rome Oslo Lima Paris Quito".split(), "Monday Tuesday Friday Sunday".split()
OPENINGS = "hello please my our again today still why can where what since".split()
TALK = "about gardens music rivers history planets cooking trains winter coffee maps".split()
SCHEMA = {
    "type": "object",
    "properties": {"topic": {"type": "string", "enum": sorted(TOPICS)}, "reason": {"type": "string"}},
    "required": ["topic", "reason"],
    "additionalProperties": False,
}
BEGIN = datetime(2026, 9, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """kind: topic, entities or chat. target: what the model means, a topic or spans."""

    kind: str
    text: str
    target: Any
    request: dict[str, Any]
    said: str


def made(count: int, seed: int = 0) -> list[Asked]:
    """So many requests, every text different."""
    rng = random.Random(seed)
    makers = (_topic, _topic, _entities, _entities, _chat)
    return [makers[i % len(makers)](rng, i) for i in range(count)]


def _topic(rng, i):
    topic = rng.choice(list(TOPICS))
    words = [*rng.choices(OPENINGS, k=4), *rng.choices(TOPICS[topic], k=3), f"number {1000 + i}"]
    rng.shuffle(words)
    text = " ".join(words)
    day = (BEGIN + timedelta(minutes=i)).date().isoformat()
    request = {
        "model": "gpt-5-mini",
        "temperature": 0,
        "messages": [
            {"role": "system", "content": SORTS.format(day=day)},
            {"role": "user", "content": f'Ticket:\n"""\n{text}\n"""'},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "ticket_topic", "strict": True, "schema": SCHEMA},
        },
    }
    return Asked("topic", text, topic, request, json.dumps({"topic": topic, "reason": "it says so"}))


def _entities(rng, i):
    city, day = rng.choice(CITIES), rng.choice(DAYS)
    parts = [*rng.choices(OPENINGS, k=3), f"number {1000 + i}", city, day]
    rng.shuffle(parts)
    text = " ".join(parts)
    found = sorted((text.index(words), words, label) for words, label in ((city, "CITY"), (day, "DAY")))
    spans = [(start, start + len(words), label) for start, words, label in found]
    said = json.dumps({"entities": [{"type": label, "value": words} for _, words, label in found]})
    request = {
        "model": "gpt-5-mini",
        "messages": [{"role": "system", "content": FINDS}, {"role": "user", "content": f"Message: {text}"}],
    }
    return Asked("entities", text, spans, request, f"```json\n{said}\n```")


def _chat(rng, i):
    text = f"tell me {' '.join(rng.choices(TALK, k=5))} and of {1000 + i}"
    said = " ".join(rng.choices(TALK, k=30)) + "."
    request = {
        "model": "gpt-5",
        "messages": [{"role": "system", "content": CHATS}, {"role": "user", "content": text}],
    }
    return Asked("chat", text, None, request, said)


def key_of(body) -> str:
    return body["messages"][-1]["content"]


def answering(traffic):
    """What the scripted model says to each of these requests."""
    said = {key_of(one.request): one.said for one in traffic}
    return lambda body: Said(said[key_of(body)])


def logged(traffic, path, *, faults=0.05, again=0.02, seed=0):
    """Ask all of it by the official client, which tries again where the server fails; some are asked a second time.

    Returns how many requests were sent, how many failed and how many were asked again after an answer.
    """
    import httpx2
    import openai

    rng = random.Random(seed)
    counts = {"sent": 0, "failed": 0, "again": 0}
    with path.open("w", encoding="utf-8") as file:

        def write(response):
            response.read()
            counts["sent"] += 1
            counts["failed"] += response.status_code != 200
            at = BEGIN + timedelta(minutes=counts["sent"])
            line = {
                "timestamp": at.isoformat(),
                "request": json.loads(response.request.content),
                "response": {"status_code": response.status_code, "body": response.json()},
            }
            file.write(json.dumps(line) + "\n")

        with (
            scripted(
                answer=answering(traffic),
                faults=faults,
                kinds=(status(503, "retry-after-ms: 1"),),
                seed=seed,
                keep=False,
            ) as server,
            httpx2.Client(event_hooks={"response": [write]}) as http,
            openai.OpenAI(base_url=server.url, api_key="sk-test", http_client=http, max_retries=9) as client,
        ):
            for one in traffic:
                times = 1 + (rng.random() < again)
                counts["again"] += times - 1
                for _ in range(times):
                    client.chat.completions.create(**one.request)
    return counts
