"""The verbs of the command line: parse, one API call, print. Results go to stdout, progress to stderr.

Nothing heavy is imported at the top; each command imports what it calls, inside it. Annotations are no strings here or
in `options`: at every start typer would evaluate each of them twice.
"""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from slmfit.cli.exporting import export
from slmfit.cli.generating import generate
from slmfit.cli.hosts import AllowHost, opened
from slmfit.cli.options import (
    ANSWERS,
    Columns,
    DataOptions,
    FitOptions,
    Json,
    Out,
    given_columns,
    option,
    reads_data,
)
from slmfit.cli.screen import say, say_written
from slmfit.errors import BudgetReached, UsageError
from slmfit.text.visible import without_keys

app = typer.Typer(
    name="slmfit",
    help="Find the smallest language model that does your job.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a comparison's for its pick.")]
Theirs = Annotated[
    str | None, option("--method", "The run's method, where it is a class of your own: it is imported.", "MODULE:CLASS")
]
NoTexts = Annotated[bool, typer.Option("--no-texts", help="Leave the texts of your rows out of what is written.")]


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


@app.command()
def demo(
    out: Out = None, seed: Annotated[int, option("--seed", "For everything random.")] = 0, json: Json = False
) -> None:
    """Compare the base methods on 3,000 generated support tickets."""
    from slmfit.cli import display
    from slmfit.cli.demo import run_demo

    with display.progress() as listen:
        comparison = run_demo(out or Path("slmfit-demo"), seed=seed, command=_command(), listen=listen)
    display.show_comparison(comparison, as_json=json)


@app.command()
@reads_data
def compare(
    source: DataOptions,
    fit: FitOptions,
    methods: Annotated[
        str,
        option(
            "--methods",
            "Which methods, by comma; NAME=BASE_MODEL for another base model, NAME@OWN for a name of its own, "
            "MODULE:CLASS for a method of yours.",
            "A,B",
        ),
    ] = "majority,linear,knn",
    predictions: Annotated[
        list[str] | None, option("--predictions", "Answers you already have, scored as one more row.", "FILE")
    ] = None,
    augment: Annotated[
        str | None, option("--augment", "Rows added to train alone: each method with and without them.", "FILE")
    ] = None,
    margin: Annotated[float, option("--margin", "How much worse is still not worse; 0.02 is 2 points.")] = 0.02,
    prefer: Annotated[str, option("--prefer", "What smallest means: size, latency, memory or cost.", "WHAT")] = "size",
    no_texts: NoTexts = False,
    json: Json = False,
) -> None:
    """Fit methods on one split and say which is the smallest that is not worse."""
    from slmfit.cli import display
    from slmfit.comparison import compare as comparing
    from slmfit.data.given import read_answers

    data = source.load()
    if fit.dry_run:
        steps = comparing.plan(data, methods, seed=source.seed, augment=augment, **fit.arguments())
        return display.show_plan(steps, as_json=json)
    asked = {role: name for role, name in given_columns(source.column).items() if role == ANSWERS}
    notes: list[str] = []
    given = {Path(p).stem: read_answers(Path(p), data, columns=asked, notes=notes) for p in predictions or ()}
    for note in notes:
        say(note, err=True)
    with display.progress() as listen:
        result = comparing.compare(
            data,
            methods,
            **fit.arguments(),
            limits=fit.limits,
            given=given,
            augment=augment,
            margin=margin,
            prefer=prefer,
            seed=source.seed,
            texts=not no_texts,
            command=_command(),
            listen=listen,
        )
    display.show_comparison(result, as_json=json)
    if any(row.reason and row.status not in ("skipped", "stopped") for row in result.record.methods):
        raise typer.Exit(1)
    if any(row.status == "stopped" for row in result.record.methods):
        raise typer.Exit(BudgetReached.exit_code)
    if all(row.reason for row in result.record.methods):
        raise typer.Exit(1)
    return None


@app.command()
@reads_data
def train(
    source: DataOptions,
    fit: FitOptions,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A method, as in --methods of compare.")],
    json: Json = False,
) -> None:
    """Fit one method and score it."""
    from slmfit.cli import display
    from slmfit.comparison import compare as comparing

    data = source.load()
    if fit.dry_run:
        return display.show_plan(comparing.plan(data, method, seed=source.seed, **fit.arguments()), as_json=json)
    with display.progress() as listen:
        run = comparing.train(data, method, **fit.arguments(), limits=fit.limits, seed=source.seed, listen=listen)
    return display.show_run(run, as_json=json)


@app.command()
def evaluate(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Labelled rows, in one file.")],
    text: Annotated[str | None, option("--text", "The column that holds the text.", "COL")] = None,
    label: Annotated[str | None, option("--label", "The column that holds the label.", "COL")] = None,
    column: Columns = None,
    method: Theirs = None,
    allow_host: AllowHost = None,
    json: Json = False,
) -> None:
    """Score a run on other labelled rows."""
    from slmfit.cli import display
    from slmfit.runs.evaluation import evaluate as score

    _named(method)
    scores = score(opened(run, allow_host), data, columns=given_columns(column, text=text, label=label))
    for note in scores.details["notes"]:
        say(note, err=True)
    display.show_scores(scores.values, as_json=json)
    display.show_unseen(scores.details["unseen"])


@app.command()
def predict(
    run: RunFolder,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts; none, or - = one a line on stdin.")
    ] = None,
    input: Annotated[Path | None, option("--input", "A file of rows; all its columns are kept.", "FILE")] = None,
    output: Annotated[
        Path | None, option("--output", "Where the rows go; it appears when all are done.", "FILE")
    ] = None,
    text: Annotated[str | None, option("--text", "The column of --input that holds the text.", "COL")] = None,
    column: Columns = None,
    method: Theirs = None,
    allow_host: AllowHost = None,
    json: Json = False,
) -> None:
    """Predict texts, lines of stdin, or the rows of a file."""
    from slmfit.cli.predictions import show
    from slmfit.data.readers.rows import ending
    from slmfit.runs import predicting
    from slmfit.text.figures import number_of

    lines = texts == ["-"]
    texts = [] if lines else texts
    if (texts or lines) and input:
        raise UsageError("texts and --input were both given", fix="give one of them")
    if not input and (output or text or column):
        raise UsageError("--output, --text and --column go with --input", fix="add --input FILE")
    if not texts and not input and not lines and sys.stdin.isatty():
        raise UsageError("there is nothing to predict", fix="give texts, or --input FILE, or pipe lines in")
    named = (text for text in texts or () if len(text) < 256 and "\0" not in text and ending(Path(text)))
    if files := [text for text in named if Path(text).is_file()]:
        raise UsageError(f"the text {files[0]!r} is a file", fix=f"answer its rows: --input {shlex.quote(files[0])}")
    _named(method)
    loaded = opened(run, allow_host)
    if input:
        notes: list[str] = []
        count = predicting.predict_file(loaded, input, output, columns=given_columns(column, text=text), notes=notes)
        for note in notes:
            say(note, err=True)
        if output:
            say(f"{number_of(count, 'row')} answered in {output}", err=True)
    elif texts:
        show(predicting.predict_texts(loaded, texts), as_json=json)
    else:
        show(predicting.predict_lines(loaded, sys.stdin.buffer), as_json=json)


@app.command()
@reads_data
def explore(
    source: DataOptions,
    output: Annotated[Path, option("--output", "Where the page goes.", "FILE")] = Path("explore.html"),
    json: Json = False,
) -> None:
    """Look at a dataset before anything is fitted: classes, lengths, words, twins, doubtful labels."""
    from slmfit import exploring
    from slmfit.cli import display

    findings = exploring.explore(source.load())
    if json:
        display.print_json(findings)
    else:
        exploring.write_page(findings, output)
        display.show_warnings([f["message"] for f in findings["audit"]["findings"] if f["severity"] == "warning"])
        say_written(output)


app.command()(generate)
app.command()(export)


@app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A comparison's folder, or runs on one split.")
    ],
    output: Annotated[Path | None, option("--output", "Where it goes; none = report.html in RUN.", "FILE")] = None,
    no_texts: NoTexts = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table for a pull request instead.")] = False,
) -> None:
    """Draw a comparison, or runs on the same split, as one HTML file."""
    from slmfit import reporting as drawing

    if markdown:
        say(drawing.markdown(folders))
    else:
        say_written(drawing.report(folders, output, texts=not no_texts))


@app.command("runs")
def runs_(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to look.")] = Path(),
    json: Json = False,
) -> None:
    """List the runs in a folder and below."""
    from slmfit.cli import display
    from slmfit.runs.run import list_runs

    display.show_runs(list_runs(folder), as_json=json)


@app.command("methods")
def methods_(json: Json = False) -> None:
    """List the methods, and what each needs."""
    from slmfit.cli import display

    display.show_methods(as_json=json)


@app.command()
def explain(
    setting: Annotated[str | None, typer.Argument(metavar="[SETTING]", help="A setting, or METHOD.SETTING.")] = None,
    run: Annotated[str | None, option("--run", "Also what it was in this run, and why.", "RUN")] = None,
) -> None:
    """Say what each setting is, and what it was in a run."""
    from slmfit.methods import explaining
    from slmfit.runs.run import load

    say(explaining.as_text(explaining.explain(setting, load(run).record if run else None)))


models = typer.Typer(rich_markup_mode=None)
app.add_typer(models, name="models", help="Base models: list some that fit, or pull one for a machine that is offline.")


@models.callback(invoke_without_command=True)
def _models(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        from slmfit.hub.models import as_text, list_models

        say(as_text(list_models()))


@models.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model's name on the hub.")],
    to: Annotated[Path, option("--to", "The folder it goes to.", "DIR")],
) -> None:
    """Fetch a base model into a folder, whole or not at all."""
    from slmfit.hub.models import pull_model as fetch

    say(fetch(name, to).folder)


@app.command()
def doctor(json: Json = False) -> None:
    """Say what this machine can do: extras, GPU, hub, keys (by name, never by value)."""
    from slmfit.cli import display
    from slmfit.cli.doctor import examine

    display.show_doctor(examine(), as_json=json)


def _named(method: str | None) -> None:
    """Import a method that the user names, so that a run of it can be loaded."""
    if method is not None:
        from slmfit.methods import method_class

        method_class(method)


def _command() -> str:
    """The command as it was typed, to be repeated; without the key that an address may hold."""
    return shlex.join(["slmfit", *map(without_keys, sys.argv[1:])])
