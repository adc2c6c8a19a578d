"""The verbs that say what slmfit and this machine can do: methods, explain, models, doctor.

slmfit explain linear.C
"""

from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.nexts import say_next
from slmfit.cli.options import Json, option
from slmfit.cli.screen import say
from slmfit.cli.verb import Verb


def methods_(json: Json = False) -> None:
    """List the methods, and what each needs."""
    from slmfit.cli import abilities

    abilities.show_methods(as_json=json)


def explain(
    setting: Annotated[str | None, typer.Argument(metavar="[SETTING]", help="A setting, or METHOD.SETTING.")] = None,
    run: Annotated[str | None, option("--run", "Also what it was in this run, and why.", "RUN")] = None,
) -> None:
    """Say what each setting is, and what it was in a run."""
    from slmfit.methods import explaining
    from slmfit.runs.run import load

    say(explaining.as_text(explaining.explain(setting, load(run).record if run else None)))
    say_next("train", "METHOD", "DATA", "--set", "METHOD.SETTING=VALUE")


models = typer.Typer(rich_markup_mode=None)


@models.callback(invoke_without_command=True)
def _models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from slmfit.hub.models import as_text, list_models

        say(as_text(list_models()))
        say_next("models", "pull", "NAME", "--to", "DIR")


@models.command(cls=Verb)
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name on the hub.")],
    to: Annotated[Path, option("--to", "The folder it goes to.", "DIR")],
) -> None:
    """Fetch a base model into a folder, whole or not at all."""
    from slmfit.hub.models import pull_model as fetch

    folder = fetch(name, to).folder
    say(folder)
    say_next("compare", "DATA", "--methods", f"linear,encoder={folder}")


def doctor(json: Json = False) -> None:
    """Say what this machine can do: extras, GPU, hub, keys (by name, never by value)."""
    from slmfit.cli import abilities
    from slmfit.cli.doctor import examine

    abilities.show_doctor(examine(), as_json=json)
