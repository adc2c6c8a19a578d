"""The entry point, `slmfit` and `python -m slmfit`: streams, signals, and one message and exit code for every error."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import typer
from typer.exceptions import TyperException

from slmfit.cli.screen import warn
from slmfit.cli.verbs import app
from slmfit.errors import MissingPart, SlmfitError, UsageError


def main() -> None:
    """Run the command line; every error becomes one message and an exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    _prepare_streams()
    sys.excepthook = _traced
    raise SystemExit(_in_words(_as_one_of_several if _several() else _command))


def _several() -> bool:
    """Whether this process is one of several that torchrun or `accelerate launch` started together.

    A cluster's job may leave such variables behind, so what is waited for is said.
    """
    names = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    found = {name: os.environ.get(name) for name in names}
    if found["WORLD_SIZE"] in (None, "", "1"):
        return False
    if not all(found.values()):
        lacking = ", ".join(name for name in names if not found[name])
        _say(f"WORLD_SIZE is {found['WORLD_SIZE']} but {lacking} is not set: this process runs alone")
        return False
    return True


def _as_one_of_several() -> int:
    """The first process runs the command; the others help with what it trains."""
    try:
        from slmfit.finetune import processes
    except ImportError as error:
        from slmfit.environment import install

        fix = f"{install('train')}, or unset WORLD_SIZE to run alone"
        raise MissingPart(f"processes that were started together need a package: {error}", fix=fix) from None
    team = processes.join()
    if isinstance(team, processes.First):
        return team.lead(lambda: _in_words(_command))
    from slmfit.methods.finetuned.helping import prepare

    code = team.help(prepare)
    sys.stderr.flush()
    # It has nothing to close, and gloo's threads now and then end an ordinary exit with SIGABRT.
    os._exit(code)


def _command() -> int:
    # Invoked here, not by `app()`, which would make of a closed pipe an exit code of its own.
    command = typer.main.get_command(app)
    with command.make_context("slmfit", sys.argv[1:]) as context:
        command.invoke(context)
    sys.stdout.flush()  # a full disk is told here, not after the last line
    return 0


def _in_words(work: Callable[[], int]) -> int:
    """The exit code of `work`; of an error its own, after its message."""
    debug = "--debug" in sys.argv[1:]
    code = 0
    try:
        code = work()
    except SlmfitError as error:
        if debug:
            raise
        _say(str(error))
        code = error.exit_code
    except typer.Exit as exit:
        code = exit.exit_code
    except TyperException as error:
        _say(f"{_what(error)}\n  fix: `slmfit {_verb()}--help` shows the options")
        code = UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted; the same command goes on from here")
        code = 130
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        if debug:
            raise
        if not error.filename:
            _drop_output()
        fix = "check the path, its permissions and the space left on its disk"
        _say(f"{error.filename or 'the output'}: {error.strerror or error}\n  fix: {fix}")
        code = 1
    except MemoryError:
        if debug:
            raise
        fix = "give fewer rows, or let it run where there is more"
        _say(f"there is not enough memory for this\n  fix: {fix}")
        code = 1
    except Exception as error:
        if debug:
            raise
        _say(f"unexpected {type(error).__name__}: {error}\n  fix: run `slmfit --debug …` and report it")
        code = 1
    return code or 0


def _what(error: TyperException) -> str:
    """Typer's message; of what is no number ours, for its own are words of the library beneath it."""
    known = {"int_parsing": "a whole number", "int_from_float": "a whole number", "float_parsing": "a number"}
    found: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    option = getattr(getattr(error, "param", None), "opts", None)
    if not (found and option and found[0]["type"] in known):
        return error.format_message()
    return f"{option[0]} cannot be {found[0]['input']!r:.60}: give {known[found[0]['type']]}"


def _say(text: str) -> None:
    """A message of ours on stderr, without the key that an address in it may hold."""
    warn(f"slmfit: {text}")


def _traced(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What --debug shows, likewise."""
    warn("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))


def _prepare_streams() -> None:
    """Streams that are there and take any text, whatever the caller closed and whatever its locale.

    What goes to a file or a pipe is UTF-8. Half a character, of a file name that is no UTF-8 say, is written as
    \\udce9, which is also how JSON spells it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed: its number is taken, or the next file opened would be written to
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def _drop_output() -> None:
    """Send what is still to be flushed nowhere: whoever read stdout is gone, or its disk is full."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminated(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _verb() -> str:
    verb = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
    names = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    return f"{verb} " if verb in names else ""


if __name__ == "__main__":
    main()
