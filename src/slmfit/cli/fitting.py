"""The verbs that fit: demo, compare, merge, train, tune.

slmfit compare tickets.csv --methods majority,linear,knn --out compared
"""

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slmfit.cli.options import (
    ANSWERS,
    DataOptions,
    FitOptions,
    Json,
    NoTexts,
    Out,
    TrainOptions,
    given_columns,
    option,
    reads_data,
)
from slmfit.cli.screen import print_json, say
from slmfit.errors import BudgetReached, UsageError
from slmfit.text.visible import without_keys

if TYPE_CHECKING:
    from slmfit.comparison.asked import Asked
    from slmfit.comparison.parts import Part
    from slmfit.comparison.planning import Step


def demo(
    out: Out = None, seed: Annotated[int, option("--seed", "For everything random.")] = 0, json: Json = False
) -> None:
    """Compare the base methods on 3,000 generated support tickets."""
    from slmfit.cli import display
    from slmfit.cli.demo import run_demo

    with display.progress() as listen:
        comparison = run_demo(out or Path("slmfit-demo"), seed=seed, command=typed(), listen=listen)
    display.show_comparison(comparison, as_json=json)


@reads_data
def compare(
    source: DataOptions,
    fit: FitOptions,
    methods: Annotated[
        str,
        option(
            "--methods",
            "Methods, separated by commas; NAME=BASE_MODEL for another base model, NAME@OWN for a name of its own, "
            "MODULE:CLASS for a method of yours.",
            "A,B",
        ),
    ] = "majority,linear,knn",
    predictions: Annotated[
        list[str] | None,
        option("--predictions", "Answers you already have, scored as one more row, called NAME.", "[NAME=]FILE"),
    ] = None,
    augment: Annotated[
        str | None, option("--augment", "Extra training rows; each method is fitted with and without them.", "FILE")
    ] = None,
    margin: Annotated[float, option("--margin", "How much worse is still not worse; 0.02 is 2 points.")] = 0.02,
    name: Annotated[
        str | None, option("--name", "Dataset name in the report; default: the file or folder name.", "NAME")
    ] = None,
    prefer: Annotated[str, option("--prefer", "What smallest means: size, latency, memory or cost.", "WHAT")] = "size",
    stress: Annotated[
        bool,
        typer.Option(
            "--stress",
            help="Also score every method on altered test rows: case, spaces, punctuation, typos, option order.",
        ),
    ] = False,
    list_runs: Annotated[
        bool, typer.Option("--list", help="Print the runs there are to fit, one a line, and fit none.")
    ] = False,
    part: Annotated[
        str | None, option("--part", "Fit every n-th run only, for a queue; `slmfit merge` joins the parts.", "K/N")
    ] = None,
    cluster: Annotated[
        str | None,
        option("--cluster", "Fit the runs on this Ray cluster; auto: one of this machine's own cores.", "HOST:PORT"),
    ] = None,
    no_texts: NoTexts = False,
    json: Json = False,
) -> None:
    """Fit several methods on one split and name the smallest that is no worse than the best."""
    from slmfit.cli import display
    from slmfit.comparison import compare as comparing
    from slmfit.comparison.asked import Asked
    from slmfit.comparison.judging import checked_margin, checked_preference
    from slmfit.comparison.parts import Part
    from slmfit.data.given import read_answers
    from slmfit.stressing import stress_methods

    if stress and fit.budget is not None:
        fix = "leave --stress out; then `slmfit stress RUN` asks the methods that matter"
        raise UsageError("--stress takes its own time, and has no part in a budget", fix=fix)
    if cluster is not None and part is not None:
        raise UsageError("--part and --cluster were both given", fix="give one of them")
    budget = fit.begun()
    data = source.load(name)
    if fit.dry_run:
        steps = comparing.plan(
            data,
            methods,
            **fit.arguments(),
            limits=fit.limits,
            augment=augment,
            margin=margin,
            prefer=prefer,
            seed=source.seed,
        )
        return _show_plan(steps, as_json=json, budget=budget.seconds)
    if list_runs or part is not None or cluster is not None:
        whole = Asked.of(data, methods, seed=source.seed, augment=augment, limits=fit.limits, **fit.arguments())
    if list_runs or part is not None:
        return (
            _show_runs(whole, as_json=json)
            if list_runs
            else _fit_part(whole, Part.of(str(part)), not no_texts, as_json=json)
        )
    asked = {role: name for role, name in given_columns(source.column).items() if role == ANSWERS}
    notes: list[str] = []
    given = {name: read_answers(path, data, columns=asked, notes=notes) for name, path in _named(predictions or ())}
    for note in notes:
        say(note, err=True)
    with display.progress() as listen:
        if cluster is not None:
            from slmfit.cluster.fitting import fit_on

            checked_margin(margin)
            checked_preference(prefer)
            came = fit_on(cluster, whole.told_to(listen), not no_texts)
            if came and all(spec.quick for spec in whole.specs):
                say("These methods take seconds: quicker without --cluster, unless rows are many.", err=True)
        result = comparing.compare(
            data,
            methods,
            **fit.arguments(),
            budget=budget,
            limits=fit.limits,
            given=given,
            augment=augment,
            margin=margin,
            prefer=prefer,
            seed=source.seed,
            texts=not no_texts,
            command=typed(),
            listen=listen,
        )
        stressed = stress_methods(result, data, texts=not no_texts, listen=listen) if stress else None
    display.show_comparison(result, as_json=json, stressed=stressed)
    if any(row.reason and row.status not in ("skipped", "stopped") for row in result.record.methods):
        raise typer.Exit(1)
    if any(row.status == "stopped" for row in result.record.methods):
        raise typer.Exit(BudgetReached.exit_code)
    if all(row.reason for row in result.record.methods):
        raise typer.Exit(1)
    return None


def _named(words: Sequence[str]) -> list[tuple[str, Path]]:
    """Whose answers each file holds: NAME=FILE; a file alone goes by its own name. Raises UsageError for one twice."""
    from slmfit.methods.specs import OWN_NAME

    found: dict[str, Path] = {}
    for word in words:
        name, _, file = word.partition("=")
        if not (file and OWN_NAME.fullmatch(name)) or Path(word).exists():
            name, file = Path(word).stem, word
        if name in found:
            fix = f"give each a name: --predictions NAME={found[name]} --predictions NAME={file}"
            raise UsageError(f"two files of answers go by the name {name!r}", fix=fix)
        found[name] = Path(file)
    return list(found.items())


@reads_data
def train(
    source: DataOptions,
    fit: FitOptions,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A method, as in --methods of compare.")],
    cluster: Annotated[
        str | None,
        option("--cluster", "Fit on this Ray cluster; auto: one of this machine's own cores.", "HOST:PORT"),
    ] = None,
    json: Json = False,
) -> None:
    """Fit one method and score it."""
    from slmfit.cli import display
    from slmfit.comparison import compare as comparing

    budget = fit.begun()
    data = source.load()
    if fit.dry_run:
        steps = comparing.plan(data, method, seed=source.seed, limits=fit.limits, **fit.arguments())
        return _show_plan(steps, as_json=json, budget=budget.seconds)
    with display.progress() as listen:
        given = {**fit.arguments(), "budget": budget, "limits": fit.limits}
        if cluster is not None:
            from slmfit.cluster.fitting import fit_on

            given["elsewhere"] = partial(fit_on, cluster)
        run = comparing.train(data, method, **given, seed=source.seed, listen=listen)
    return display.show_run(run, as_json=json)


@reads_data
def tune(
    source: DataOptions,
    options: TrainOptions,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="A method, as in --methods of compare.")],
    trials: Annotated[int | None, option("--trials", "Try no more than this, the defaults among them.", "N")] = None,
    sampler: Annotated[
        str, option("--sampler", "What is tried next: tpe learns from the trials before, random does not.", "NAME")
    ] = "tpe",
    cluster: Annotated[
        str | None,
        option("--cluster", "Try them on this Ray cluster; auto: one of this machine's own cores.", "HOST:PORT"),
    ] = None,
    json: Json = False,
) -> None:
    """Try other settings of one method, and keep them only where the gain is more than luck."""
    from slmfit.cli import display
    from slmfit.cli.tuned import show_tuned
    from slmfit.tuning import tune as tuning

    elsewhere = None
    if cluster is not None:
        from slmfit.cluster.tuning import try_on

        elsewhere = partial(try_on, cluster)
    data = source.load()
    with display.progress() as listen:
        given = {**options.arguments(), "elsewhere": elsewhere}
        tuned = tuning(data, method, trials=trials, sampler=sampler, **given, seed=source.seed, listen=listen)
    return show_tuned(tuned, source.words(), as_json=json)


def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The comparison's folder, as --out of compare.")],
    parts: Annotated[
        list[Path] | None, typer.Argument(metavar="PART...", help="Folders of parts; default: those in OUT/parts.")
    ] = None,
    json: Json = False,
) -> None:
    """Join the parts of a comparison; the same command without --part then judges."""
    from slmfit.comparison.parts import merge as merging

    found = merging(out, parts or ())
    if json:
        print_json({"out": str(out), "runs": found})
        return
    came = f"{len(found)} run{'s' if len(found) > 1 else ''} came into {out}: {', '.join(found)}"
    say(came if found else f"every run of these parts is in {out} already")
    say("next: the same command without --part; it measures them again on this machine, and judges")


def _show_runs(asked: "Asked", *, as_json: bool) -> None:
    """The runs there are to fit, for a queue to count."""
    from slmfit.comparison.parts import runs_of

    if as_json:
        print_json({"runs": runs_of(asked)})
        return
    for run in runs_of(asked):
        say(run)


def _fit_part(asked: "Asked", part: "Part", texts: bool, *, as_json: bool) -> None:
    """Fit a part, and say where its runs are."""
    from slmfit.cli import display
    from slmfit.comparison.parts import fit_part

    with display.progress() as listen:
        done = fit_part(asked.told_to(listen), part, texts)
    if as_json:
        print_json({"runs": [{"folder": str(run.folder), "reused": run.reused} for run in done]})
        return
    for run in done:
        say(f"{run.folder}{' (was there already)' if run.reused else ''}")
    say(f"next, when all parts are there: slmfit merge {shlex.quote(str(asked.experiment.folder))}")


def _show_plan(steps: "Sequence[Step]", *, as_json: bool, budget: float | None) -> None:
    """What would be done, and the command that does it."""
    from slmfit.cli import display
    from slmfit.cli.nexts import say_next

    display.show_plan(steps, as_json=as_json, budget=budget)
    if not as_json:
        say_next(*(word for word in sys.argv[1:] if word != "--dry-run"))


def typed() -> str:
    """The command as it was typed, to be repeated; without the key that an address may hold."""
    return shlex.join(["slmfit", *map(without_keys, sys.argv[1:])])
