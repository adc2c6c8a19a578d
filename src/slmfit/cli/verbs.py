"""The verbs of the command line: parse, one API call, print. Results go to stdout, progress to stderr.

Nothing heavy is imported at the top; each command imports what it calls, inside it. Annotations are no strings in the
files of verbs or in `options`: at every start typer would evaluate each of them twice.
"""

from typing import Annotated

import typer

from slmfit.cli.answering import evaluate, predict, stress
from slmfit.cli.checking import check
from slmfit.cli.exporting import eject, export
from slmfit.cli.fitting import compare, demo, merge, train, tune
from slmfit.cli.generating import generate
from slmfit.cli.knowing import doctor, explain, methods_, models
from slmfit.cli.leaving import leave
from slmfit.cli.looking import explore, report, runs_
from slmfit.cli.screen import say
from slmfit.cli.serving import serve, ui
from slmfit.cli.verb import Verb

app = typer.Typer(
    name="slmfit",
    help="Find the smallest language model that does your job.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if version:
        from slmfit.environment import package_version

        say(f"slmfit {package_version('slmfit')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())


for verb in (
    demo,
    compare,
    merge,
    train,
    tune,
    evaluate,
    predict,
    stress,
    check,
    explore,
    generate,
    export,
    eject,
    serve,
    leave,
    ui,
    report,
):
    app.command(cls=Verb)(verb)
app.command("runs", cls=Verb)(runs_)
app.command("methods", cls=Verb)(methods_)
app.command(cls=Verb)(explain)
app.add_typer(models, name="models", help="Base models: list some that fit, or pull one for a machine that is offline.")
app.command(cls=Verb)(doctor)
