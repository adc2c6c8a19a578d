"""The verb `generate`: its options, the writer they mean, and what is said at the end.

slmfit generate emails -n 200 --output emails.jsonl
slmfit generate emails --writer llm --model gemma3:12b --base-url http://localhost:11434/v1 --dry-run
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slmfit.cli.nexts import say_next
from slmfit.cli.options import DryRun, Json, MaxMinutes, MaxTokens, MaxUsd, option
from slmfit.cli.screen import say
from slmfit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from slmfit.events import Listener
    from slmfit.generating.asking import LlmWriter
    from slmfit.generating.recipe import Recipe
    from slmfit.generating.writing import Made
    from slmfit.llm import Limits, Quote

WRITERS = ("templates", "llm")
OPENAI = "https://api.openai.com/v1"


def generate(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="emails, tickets, or a TOML file of your own.")],
    writer: Annotated[str, option("--writer", "Who writes: templates (offline), or llm.", "WHO")] = "templates",
    n: Annotated[int | None, option("-n", "How many examples; default: as the recipe says.", "N")] = None,
    seed: Annotated[int, option("--seed", "For everything random.")] = 0,
    output: Annotated[
        Path | None, option("--output", "Where they go; default: NAME.jsonl (words: NAME.json).", "FILE")
    ] = None,
    form: Annotated[str, option("--format", "How entities are written: spans, tokens or words.", "FORM")] = "spans",
    avoid: Annotated[
        list[str] | None, option("--avoid", "Data whose rows must not be copied, such as your test rows.", "DATA")
    ] = None,
    model: Annotated[str | None, option("--model", "llm: the model's name on its server.", "NAME")] = None,
    base_url: Annotated[str, option("--base-url", "llm: any server that speaks OpenAI's API.", "URL")] = OPENAI,
    prices: Annotated[Path | None, option("--prices", "llm: a TOML file of prices.", "FILE")] = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    max_minutes: MaxMinutes = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Write labelled examples as a recipe says, each one checked."""
    from slmfit.cli import display
    from slmfit.events import named
    from slmfit.generating import generate as write_examples
    from slmfit.generating import read_recipe
    from slmfit.generating.writing import checked_count
    from slmfit.llm import Limits, Server
    from slmfit.llm.trust import remember

    read = read_recipe(recipe)
    if writer not in WRITERS:
        raise UsageError(f"there is no writer {writer!r}", fix=did_you_mean(writer, WRITERS))
    if writer != "llm":
        _refuse(model=model, base_url=base_url != OPENAI, prices=prices, max_usd=max_usd, max_tokens=max_tokens,
                max_minutes=max_minutes)  # fmt: skip
    limits = Limits(max_usd, max_tokens, None if max_minutes is None else 60 * max_minutes)
    count = checked_count(read, n)

    def asking(listen: Listener | None = None) -> LlmWriter | None:
        return _llm(read, model, base_url, prices, limits, count, seed, listen) if writer == "llm" else None

    if dry_run:
        asks = asking()
        return _show_quote(asks.quote(count) if asks else None, as_json=json)
    with display.progress() as listen:
        heard = named(listen, read.name)
        asks = asking(heard)
        if asks:  # only now: a command that was mistyped trusts no host
            remember(Server(base_url, model or "").base_url)
        made = write_examples(
            read, n=n, seed=seed, output=output, form=form, avoid=avoid or (), writer=asks, listen=heard
        )
    _show(made, as_json=json)
    if made.missing:
        raise typer.Exit(1)
    return None


def _refuse(**options: object) -> None:
    """Raise UsageError for options that only the writer llm has: whoever gives them wants a model to write."""
    given = [name for name, value in options.items() if value is not None and value is not False]
    if given:
        what = f"--{given[0].replace('_', '-')} is for a large model, and templates write here"
        raise UsageError(what, fix="add --writer llm, or leave it out")


def _llm(
    recipe: Recipe,
    model: str | None,
    base_url: str,
    prices: Path | None,
    limits: Limits,
    n: int,
    seed: int,
    listen: Listener | None,
) -> LlmWriter:
    """The writer that asks a model. Its answers are kept in the cache, by what was asked of whom."""
    from slmfit.environment import cache_folder
    from slmfit.generating.asking import LlmWriter
    from slmfit.llm import Server
    from slmfit.llm.prices import looked_up
    from slmfit.storage import hash_json

    if not model:
        raise UsageError("--writer llm needs a model", fix="name one, for example --model gemma3:12b")
    server = Server.from_environment(base_url, model)
    found, _ = looked_up(model, server.base_url, server.local, prices)
    server = Server.from_environment(base_url, model, found)
    kept = hash_json([recipe.source, server.base_url, model, n, seed])[:32]
    ledger = cache_folder() / "answers" / f"generate-{kept}.jsonl"
    return LlmWriter(recipe, server, seed, limits, ledger, listen and (lambda kind, **fields: listen(kind, fields)))


def _show(made: Made, *, as_json: bool) -> None:
    """How many examples there are, of what, and what was rejected."""
    from slmfit.cli.screen import print_json
    from slmfit.streams import is_stdout, is_stream

    about, aside = made.about, is_stdout(made.path)  # there the examples stand, and nothing else
    if as_json:
        return None if aside else print_json({"path": str(made.path), "reused": made.reused, **about})
    there = ", there already" if made.reused else ""
    say(f"{made.path}: {about['rows']:,} of {about['asked']:,} examples{there}", err=aside)
    kinds = {**about["quotas"]["labels"], **about["quotas"]["entities"]}
    say("  with " + ", ".join(f"{name} {count['rows']:,}" for name, count in kinds.items()), err=aside)
    for note in about.get("notes", ()):
        say(f"  {note}", err=aside)
    if about["rejected"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in about["rejected"].items())
        see = "" if is_stream(made.path) else f" (see {made.rejected})"
        say(f"  of {about['tried']:,} tried, rejected: {reasons}{see}", err=aside)
    if about["usage"]:
        say(f"  {_usage_words(about)}", err=aside)
    if made.missing:
        are = "example is" if made.missing == 1 else "examples are"
        say(f"slmfit: {made.missing:,} {are} missing: the writer had nothing more that passed", err=True)
    return None if is_stream(made.path) else say_next("explore", str(made.path))


def _usage_words(about: Mapping[str, Any]) -> str:
    """What asking took; what is unknown is said to be."""
    from slmfit.llm import Server
    from slmfit.text.figures import dollars

    usage = about["usage"]
    inputs, outputs = (
        "unknown" if usage[name] is None else f"{usage[name]:,}" for name in ("input_tokens", "output_tokens")
    )
    unknown = "this machine's time" if Server(about["server"]["base_url"], about["model"]).local else "unknown"
    price = unknown if usage["usd"] is None else dollars(usage["usd"])
    return f"{usage['calls']:,} requests to {about['model']}: tokens in {inputs}, out {outputs}; price: {price}"


def _show_quote(quote: Quote | None, *, as_json: bool) -> None:
    """What it would cost; None = nothing."""
    from slmfit.cli.display import price_words, tokens_words
    from slmfit.cli.screen import print_json

    if as_json:
        return print_json(None if quote is None else asdict(quote))
    if quote is None:
        say("templates cost nothing, and nothing leaves this machine")
        return say_next(*(word for word in sys.argv[1:] if word != "--dry-run"))
    say(
        f"{quote.texts:,} requests to {quote.model} at {quote.host}, if every example is good: {tokens_words(quote)}; "
        f"price: {price_words(quote)}"
    )
    say("  what is sent is the recipe; none of your data")
    return say_next(*(word for word in sys.argv[1:] if word != "--dry-run"))
