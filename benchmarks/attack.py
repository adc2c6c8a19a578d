"""What an attack found once, tried again: nothing that a stranger sends may run, leak, freeze, or fall without a word.

    python benchmarks/attack.py                             # all of it: 15 minutes on two cores
    python benchmarks/attack.py files replies --share 0.1   # two sections, a tenth of each
    python benchmarks/attack.py files --only 4711           # one attempt, as a line of the output names it

The exit code is 1 where anything fell. What is thrown, and what must come of it, is the tests' own. A new reader is a
door of tests/fuzzing.py, a new kind of door a section here: how many attempts, and a function that makes one.
Needs the extra `train`, and chromium for `pages`.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limits import KINDS, Attempt, Bounds, Fall, Ground, apart, tried, within

from slmfit.errors import SlmfitError

TESTS = Path(__file__).resolve().parent.parent / "tests"
sys.path[:0] = [
    str(TESTS),
    *(str(TESTS / name) for name in ("llm", "reporting", "runs", "hub", "comparison", "exporting", "ui")),
]


@dataclass(frozen=True)
class Section:
    """prepare: makes what is needed once, and returns the function that makes one attempt. count: of attempts; each:
    what one attempt holds of what is counted."""

    what: str
    count: int
    prepare: Callable[[Ground], Attempt]
    bounds: Bounds = field(default_factory=Bounds)
    each: int = 1


def files(ground: Ground) -> Attempt:
    """Damaged files for every reader."""
    from fuzzing import Doors

    doors = Doors(ground.out / "doors")
    return lambda number: doors.attempt(doors.case(number), ground.out / f"case-{os.getpid()}")


def uploads(ground: Ground) -> Attempt:
    """The same files brought to `slmfit ui`, and looked at in its views; no reply of it is a server error."""
    from guests import Guest

    from fuzzing import Doors
    from slmfit.ui import server

    work = ground.out / "work"
    work.mkdir()
    serving = ground.lent.enter_context(server.running(work, token="brought"))
    return Guest(Doors(ground.out / "doors"), serving, work, "brought").visit


STRINGS = 100  # on a page


def pages(ground: Ground) -> Attempt:
    """Hostile strings as texts, ids, labels and names of a report, in a browser: once wide, once on a phone."""
    from browsing import chromium, visited
    from hostile import STRINGS as ALL
    from hostile import obeyed, written
    from playwright import sync_api

    from slmfit import reporting

    def attempt(number: int) -> None:
        os.environ["HOME"] = str(ground.out / "of the browser")  # it keeps files there itself
        strings = ALL[number::20][:STRINGS]
        path = reporting.report(written(ground.out / f"page-{number}", strings))
        with chromium(sync_api) as browser:
            for width in (390, 1280):
                context = browser.new_context(viewport={"width": width, "height": 900})
                found = obeyed(visited(context, path), path, width)
                assert found == {}, found
                context.close()

    return attempt


def replies(ground: Ground) -> Attempt:
    """What a server and a model may answer: broken on the wire, hostile in words, and all that it was sent."""
    import pytest
    from hostile_replies import REPLIES
    from test_client import test_every_fault_ends_in_a_typed_outcome as fault
    from test_hostile_replies import read_by_every_door

    import test_canary as canary
    from slmfit.testing import KINDS as FAULTS

    def parrot(kind: str) -> None:
        folder = ground.out / f"parrot-{kind}"
        folder.mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            canary.folder.__wrapped__(folder, patch)
            canary.test_whatever_the_server_repeats(kind, folder, patch, Printed(ground))

    attempts = [functools.partial(fault, kind) for kind in FAULTS]
    attempts += [functools.partial(read_by_every_door, words, ground.out / f"ledger-{n}.jsonl")
                 for n, words in enumerate(REPLIES.values())]  # fmt: skip
    attempts += [functools.partial(parrot, kind) for kind in canary.KINDS]
    return lambda number: attempts[number]()


class Printed:
    """What this process printed since it was last asked, as pytest's `capfd` tells it."""

    def __init__(self, ground: Ground) -> None:
        self._path, self._at = ground.said / f"{os.getpid()}.txt", 0

    def readouterr(self) -> tuple[str, str]:
        sys.stdout.flush(), sys.stderr.flush()
        data = self._path.read_bytes()
        said, self._at = data[self._at :], len(data)
        return said.decode("utf-8", "replace"), ""


def models(ground: Ground) -> Attempt:
    """Base models that a stranger made, each at the first door that it may enter by."""
    from test_checkpoint import entered

    import hostile_models

    cases = [(name, entry.doors[0]) for name, entry in hostile_models.HOSTILE.items()]
    wholes: dict[str, Path] = {}

    def make() -> None:
        (ground.out / "whole").mkdir()
        for door in {door for _, door in cases}:
            hostile_models.whole(door, ground.out / "whole" / door)

    apart(make)
    wholes = {door: ground.out / "whole" / door for _, door in cases}

    def attempt(number: int) -> None:
        folder = ground.out / f"model-{number}"
        folder.mkdir()
        entered(wholes, folder, *cases[number % len(cases)])

    return attempt


VERB_SECONDS = 10.0  # and 2 GB, as the whole process
METHODS = {
    "text-classification": "majority,linear,knn,encoder,causal",
    "token-classification": "majority,linear,encoder,causal",
}


def runs(ground: Ground) -> Attempt:
    """A comparison that a stranger altered, and the run that was altered in it; every verb that reads one is asked."""
    import shutil

    import altering
    from conftest import make_dataset
    from slmfit.comparison.compare import compare
    from slmfit.tasks.answers import target_to_json

    rows = ground.out / "rows"

    def make() -> None:
        import tiny

        rows.mkdir()
        quick = {"epochs": 1, "device": "cpu"}
        settings = {
            "encoder": {"base_model": tiny.encoder(ground.out / "of an encoder"), **quick},
            "causal": {"base_model": tiny.causal(ground.out / "a causal one"), **quick},
        }
        for kind, names in METHODS.items():
            data = make_dataset(kind, sizes=(60, 20, 20))
            made = compare(data, names, settings=settings, out=ground.out / kind)
            assert all(row.status == "ok" for row in made.record.methods), [row.reason for row in made.record.methods]
            lines = [json.dumps({"text": e.input, "label": target_to_json(e.target)}) + "\n" for e in data.test[:5]]
            (rows / f"{kind}.jsonl").write_text("".join(lines))

    apart(make)

    def attempt(number: int) -> None:
        import torch
        import transformers  # noqa: F401  # so that no verb's seconds go by while it is imported

        torch.set_num_threads(1)
        kind = list(METHODS)[number % 2]
        sent = shutil.copytree(ground.out / kind, ground.out / f"sent-{number}")
        what = altering.altered(sent, number)
        place = Path(what.partition(": ")[0])
        asked = [(sent, verb) for verb in altering.VERBS]
        if place.parts[0] == "runs":  # the others are as they were
            asked += [(sent / "runs" / place.parts[1], verb) for verb in altering.VERBS]
        for folder, verb in asked:
            try:
                with within(VERB_SECONDS):
                    altering.ask(verb, folder, rows / f"{kind}.jsonl")
            except SlmfitError:
                continue
            except BaseException as error:
                error.args = (f"{verb}, {what}: {error}",)
                raise
        shutil.rmtree(sent)

    return attempt


def exports(ground: Ground) -> Attempt:
    """Exports that a stranger altered: nothing of them is loaded."""
    import shutil

    from by_hand import KINDS, exported, planted

    import slmfit
    from slmfit.errors import UnsafeError

    apart(lambda: exported(ground.out / "of exports"))
    whole = ground.out / "of exports" / "by-hand"

    def attempt(number: int) -> None:
        what = KINDS[number % len(KINDS)]
        sent = shutil.copytree(whole, ground.out / f"export-{number}")
        planted(what, sent, at=7919 * number)
        try:
            slmfit.load(sent).predict(["a parcel"])
        except UnsafeError:
            shutil.rmtree(sent)
            return
        raise AssertionError(f"{what} was let in")

    return attempt


def kills(ground: Ground) -> Attempt:
    """Ended by force: a comparison, two trainings, a client under a server's faults; then the same command again."""
    import time as clock

    import test_resume as resume

    from killing import Trial as Training
    from llm_trial import DONE
    from llm_trial import Trial as Asking

    begin = clock.perf_counter()
    apart(lambda: resume.compare_in(ground.out / "undisturbed"))
    expected = resume.contents(ground.out / "undisturbed"), clock.perf_counter() - begin
    trainings = [Training(kind, ground.out / kind) for kind in ("encoder", "causal")]
    points = [training.points(16, seed=0) for training in trainings]

    def attempt(number: int) -> None:
        folder = ground.out / f"kill-{number}"
        folder.mkdir()
        if number < 12:
            resume.test_killed_and_resumed(number, expected, folder)
        elif number < 36:
            which, at = number % 2, (number - 12) // 2
            training = trainings[which]
            training.folder = folder
            assert training.killed_and_resumed(points[which][at]) == training.reference
        else:
            trial = Asking(folder, calls=300, kills=1, faults=0.3, seed=number)
            trial.run()
            found = trial.report()
            wrong = {name: found[name] for name in ("lost", "doubled", "asked_again", "untyped", "redirects_followed")}
            assert found["code"] == DONE and not any(wrong.values()), wrong

    return attempt


ANY = None  # memory: what holds programs of others
SECTIONS = {
    "files": Section("fuzzed files", 100_000, files),
    "uploads": Section("fuzzed files on the page", 5_000, uploads, Bounds(60)),
    "pages": Section("hostile strings in a browser", 7, pages, Bounds(120, ANY, 1), STRINGS),
    "replies": Section("hostile replies", 91, replies, Bounds(60)),
    "models": Section("hostile base models", 206, models, Bounds(20)),
    "runs": Section("altered runs", 300, runs, Bounds(160)),
    "exports": Section("altered exports", 300, exports, Bounds(20)),
    "kills": Section("kills", 40, kills, Bounds(90, ANY)),
}
COLUMNS = ("tried", *KINDS, "seconds")


def attacked(name: str, numbers: Sequence[int]) -> dict[str, Any]:
    """One section: every fall is printed, and counted by its kind."""
    section, begin, counts = SECTIONS[name], time.perf_counter(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, Ground(Path(folder)) as ground:
        attempt = section.prepare(ground)
        for fall in tried(attempt, numbers, ground, section.bounds):
            counts[fall.kind] += 1
            told(name, fall)
    seconds = round(time.perf_counter() - begin)
    return {"tried": len(numbers) * section.each, **{kind: counts[kind] for kind in KINDS}, "seconds": seconds}


def attacked_apart(name: str, numbers: Sequence[int]) -> dict[str, Any]:
    """The same in a process of its own: threads that one section started would not survive the forks of the next."""
    with tempfile.TemporaryDirectory() as folder:
        row = Path(folder) / "row.json"
        apart(lambda: row.write_text(json.dumps(attacked(name, numbers))))
        found: dict[str, Any] = json.loads(row.read_text())
    return found


def told(name: str, fall: Fall) -> None:
    """One line that names what repeats it."""
    again = f"{name} --only {fall.number}" if fall.number >= 0 else name
    print(f"  {fall.kind}: {fall.said}\n    again: python benchmarks/attack.py {again}", flush=True)


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="all of them where none is named")
    parser.add_argument("--share", type=float, default=1.0, help="of the attempts of each section")
    parser.add_argument("--seed", type=int, default=0, help="of files and runs: other numbers are other ones")
    parser.add_argument("--only", type=int, help="the number of the one attempt to make")
    given = parser.parse_args()
    table = {}
    for name in given.sections or SECTIONS:
        count = max(1, round(SECTIONS[name].count * given.share))
        first = given.seed * 1_000_000 if name in ("files", "uploads", "runs") else 0
        numbers = range(first, first + count) if given.only is None else [given.only]
        print(f"{SECTIONS[name].what} …", flush=True)
        table[name] = attacked_apart(name, numbers)
    print(f"\n{'':30}" + "".join(f"{column:>14}" for column in COLUMNS))
    for name, row in table.items():
        print(f"{SECTIONS[name].what:30}" + "".join(f"{row[column]:>14,}" for column in COLUMNS))
    sys.exit(any(row[kind] for row in table.values() for kind in KINDS))


if __name__ == "__main__":
    main()
