"""The verbs that ask a run: evaluate, predict, stress.

slmfit predict compared "my card was charged twice"
"""

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slmfit.cli.hosts import AllowHost, opened
from slmfit.cli.options import Columns, Json, given_columns, option
from slmfit.cli.screen import say
from slmfit.errors import UsageError

if TYPE_CHECKING:
    from slmfit.runs.part_files import Elsewhere

LIGHT_SECONDS = 300  # of work for one core, which a cluster takes longer for

RunFolder = Annotated[
    str, typer.Argument(metavar="RUN", help="A run folder, or a comparison folder for the method it picked.")
]
Theirs = Annotated[
    str | None, option("--method", "The run's method, where it is a class of your own: it is imported.", "MODULE:CLASS")
]


def evaluate(
    run: RunFolder,
    data: Annotated[str, typer.Argument(metavar="DATA", help="Labelled rows, in one file.")],
    text: Annotated[str | None, option("--text", "The column that holds the text.", "COL")] = None,
    label: Annotated[str | None, option("--label", "The column that holds the label.", "COL")] = None,
    column: Columns = None,
    orders: Annotated[
        int | None,
        option("--orders", "Multiple choice: ask each question with its options in N orders.", "N"),
    ] = None,
    output: Annotated[
        Path | None,
        option("--output", "Multiple choice: write every question with its answer to this JSON Lines file.", "FILE"),
    ] = None,
    method: Theirs = None,
    allow_host: AllowHost = None,
    json: Json = False,
) -> None:
    """Score a run on other labelled rows."""
    from slmfit.cli import display
    from slmfit.cli.nexts import ask, say_next
    from slmfit.runs.evaluation import evaluate as score
    from slmfit.tasks import names_of
    from slmfit.text.figures import number_of

    _named(method)
    loaded = opened(run, allow_host)
    with display.progress() as listen:
        listen("scoring", {})
        asked = given_columns(column, text=text, label=label)
        scores = score(loaded, data, columns=asked, orders=orders, output=output, listen=listen)
    for note in scores.details["notes"]:
        say(note, err=True)
    display.show_evaluation(scores, as_json=json)
    display.show_unseen(scores.details["unseen"], names_of(loaded.task))
    if output:
        say(f"{number_of(scores.details['rows'], 'question')} with their answers in {output}", err=True)
    if not json:
        say_next(*ask(run, loaded.record))


def predict(
    run: RunFolder,
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Texts; without any, or with -, one a line on stdin."),
    ] = None,
    input: Annotated[
        str | None, option("--input", "A file of rows, or several as 'new/*.csv'; all columns are kept.", "FILE")
    ] = None,
    output: Annotated[
        Path | None,
        option(
            "--output", "Where the rows go: a file, or a folder of part files, which the same command resumes.", "FILE"
        ),
    ] = None,
    processes: Annotated[
        int | None, option("--processes", "How many answer at once; --output is then a folder.", "N")
    ] = None,
    cluster: Annotated[
        str | None,
        option("--cluster", "Answer on this Ray cluster; --output is then a folder.", "HOST:PORT"),
    ] = None,
    text: Annotated[str | None, option("--text", "The column of --input that holds the text.", "COL")] = None,
    column: Columns = None,
    method: Theirs = None,
    allow_host: AllowHost = None,
    json: Json = False,
) -> None:
    """Predict texts, lines of stdin, or the rows of a file."""
    from slmfit.cli import display
    from slmfit.cli.nexts import say_next
    from slmfit.cli.predictions import show
    from slmfit.data.readers.rows import ending
    from slmfit.runs import predicting
    from slmfit.runs.part_files import predict_files
    from slmfit.text.figures import number_of, seconds_words

    lines = texts == ["-"]
    texts = [] if lines else texts
    if (texts or lines) and input:
        raise UsageError("texts and --input were both given", fix="give one of them")
    if not input and (output or text or column or processes or cluster):
        raise UsageError(
            "--output, --text, --column, --processes and --cluster go with --input", fix="add --input FILE"
        )
    if processes and cluster:
        raise UsageError("--processes and --cluster were both given", fix="give one of them")
    folder = _folder(input, output, many=bool(processes or cluster)) if input else None
    if not texts and not input and not lines and sys.stdin.isatty():
        raise UsageError("there is nothing to predict", fix="give texts, or --input FILE, or pipe lines in")
    named = (text for text in texts or () if len(text) < 256 and "\0" not in text and ending(Path(text)))
    if files := [text for text in named if Path(text).is_file()]:
        raise UsageError(f"the text {files[0]!r} is a file", fix=f"answer its rows: --input {shlex.quote(files[0])}")
    _named(method)
    loaded = opened(run, allow_host)
    if input:
        notes: list[str] = []
        asked = given_columns(column, text=text)
        with display.progress() as listen:
            if folder is not None:
                done = predict_files(
                    loaded,
                    input,
                    folder,
                    processes=processes or 1,
                    elsewhere=_on(cluster) if cluster else None,
                    columns=asked,
                    method=method,
                    notes=notes,
                    listen=listen,
                )
            else:
                count = predicting.predict_file(loaded, input, output, columns=asked, notes=notes, listen=listen)
        for note in notes:
            say(note, err=True)
        if folder is not None:
            there = f", {done.reused:,} of which were there already" if done.reused else ""
            seconds = done.rows / (loaded.record.rows_per_second or done.rows)
            if cluster and seconds < LIGHT_SECONDS:
                say(f"That is {seconds_words(seconds)} of work for one core: quicker without --cluster.", err=True)
            say(f"{number_of(done.rows, 'row')} answered in {number_of(done.parts, 'file')}{there}: {folder}", err=True)
        elif output:
            say(f"{number_of(count, 'row')} answered in {output}", err=True)
            say_next("explore", str(output))
    elif texts:
        show(predicting.predict_texts(loaded, texts), as_json=json)
        if sys.stdout.isatty() and not json:
            say_next("predict", run, "--input", "new.csv", "--output", "answered.csv")
    else:
        said: list[str] = []
        show(predicting.predict_lines(loaded, sys.stdin.buffer, said), as_json=json)
        for note in said:
            say(note, err=True)


def stress(
    run: RunFolder,
    rows: Annotated[int, option("--rows", "Use at most N test rows, drawn at random.", "N")] = 1000,
    data: Annotated[Path | None, option("--data", "Where the run's data is now, if it has moved.", "FILE")] = None,
    method: Theirs = None,
    json: Json = False,
) -> None:
    """Test a run on altered copies of its test rows: case, spaces, punctuation, typos, option order."""
    from slmfit.cli import display
    from slmfit.cli.nexts import say_next
    from slmfit.records import to_plain
    from slmfit.runs.run import load
    from slmfit.stressing import stress as ask_again

    _named(method)
    opened = load(run)
    with display.progress() as listen:
        found = ask_again(opened, data, rows=rows, listen=listen)
    if json:
        return display.print_json(to_plain(found))
    display.show_stressed({found.run: found})
    return say_next("report", run)


def _folder(input: str, output: Path | None, many: bool) -> Path | None:
    """The output where that is a folder of part files. Raises UsageError where it has to be one, and none is named."""
    from slmfit import streams
    from slmfit.runs.part_files import is_pattern

    many = many or is_pattern(input)
    if many and output is None:
        raise UsageError("several files, or processes, write into a folder", fix="add --output FOLDER")
    if output is None or many or output.is_dir():
        return output
    return None if output.suffix or streams.is_stream(output) else output


def _on(cluster: str) -> "Elsewhere":
    """What answers the parts on a cluster."""
    from slmfit.cluster.predicting import answer_on

    return partial(answer_on, cluster)


def _named(method: str | None) -> None:
    """Import a method that the user names, so that a run of it can be loaded."""
    if method is not None:
        from slmfit.methods import method_class

        method_class(method)
