"""Chats of `slmfit serve` held to JSON schemas: does every answer that the official client gets fit its schema?

    python benchmarks/chat_schemas.py [--schemas 1000]                              # a tiny model of random weights
    python benchmarks/chat_schemas.py --model SmolLM2.gguf --schemas 20

The schemas are bounded and made at random, temperature 1, a seed each; the model is served untuned. What ends for want
of tokens is counted for itself: such a text fits nothing. Needs openai, slmfit[serve,train].
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import openai

import slmfit
from slmfit.llm.schemas import misfit
from slmfit.serving import server

TESTS = Path(__file__).resolve().parent.parent / "tests"
ASKED = [{"role": "user", "content": "Answer with some JSON about a trip to Rome."}]
LONGEST = 400  # tokens


def served(place: Path, model: str | None) -> str:
    """The folder of an untuned run."""
    import tiny
    from conftest import make_dataset

    base = model or tiny.causal(place / "base", max_position_embeddings=2048)
    data = make_dataset("token-classification", sizes=(4, 2, 2))
    settings = {"causal": {"epochs": 0, "max_length": 128}}
    return str(slmfit.train(data, f"causal={base}", settings=settings, out=place / "out").folder)


def asked(url: str, many: int) -> Counter[str]:
    """What became of so many schemas."""
    from schemas_at_random import any_schema

    rng, ends, tokens = random.Random(0), Counter[str](), 0
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=3600) as client:
        for seed in range(many):
            schema = any_schema(rng)
            form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
            usual = {"model": "m", "messages": ASKED, "max_tokens": LONGEST, "temperature": 1, "seed": seed}
            reply = client.chat.completions.create(**usual, response_format=form)
            choice, tokens = reply.choices[0], tokens + reply.usage.completion_tokens
            if choice.finish_reason != "stop":
                ends[f"ended by {choice.finish_reason}"] += 1
            else:
                wrong = misfit(json.loads(choice.message.content), schema)
                ends["fits" if wrong is None else f"DOES NOT FIT: {schema}"] += 1
            if (seed + 1) % max(1, many // 20) == 0:
                print(f"  {seed + 1:,}: {dict(ends)}, {tokens:,} tokens", flush=True)
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--schemas", type=int, default=1000)
    given = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("SLMFIT_CACHE", f"{folder}/cache")
        run, begin = served(Path(folder), given.model), time.perf_counter()
        with server.running({"m": run}) as serving:
            ends = asked(serving.url, given.schemas)
    print(f"{given.schemas:,} schemas: {dict(ends)}, {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
