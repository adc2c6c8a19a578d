"""Many rows answered on a Ray cluster: a part is a task, whose file comes back as bytes and is written here.

    predict_files(run, "new/*.csv", Path("answered"), elsewhere=partial(answer_on, "10.0.0.1:6379"))

The run travels to every node, so no file system is shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slmfit import storage
from slmfit.cluster.fitting import files_of
from slmfit.cluster.nodes import joined
from slmfit.cluster.tasks import cause_of, check_code, said_by, task
from slmfit.environment import code_version
from slmfit.errors import SlmfitError
from slmfit.runs.part_worker import Asked, Packed, answer_part
from slmfit.runs.run import Run, load

_opened: dict[str, tuple[TemporaryDirectory[str], Run]] = {}  # key -> the run that a node's process was handed


def answer_on(address: str, run: Run, asked: Asked, parts: Iterable[Packed]) -> Iterator[int]:
    """The rows of each part as its file is written; no more of them are held than keep every core at work.

    Raises what `joined` and `predict_files` raise, and SlmfitError where Ray gave a part up.
    """
    with joined(address) as ray:
        # In a list, so that each process fetches them once. Ray counts a task's own arguments against the memory of its
        # node, and never stops if the command is killed: past a third of that memory no task would begin.
        files, waiting = [ray.put(files_of(run.folder))], dict[object, str]()
        most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        answer = task(ray, answer_here)

        def written(count: int) -> Iterator[int]:
            """Write what is done, until no more than this many are under way."""
            while len(waiting) > count:
                done, _ = ray.wait(list(waiting))
                for reference in done:
                    name = waiting.pop(reference)
                    try:
                        rows, content = ray.get(reference)
                    except Exception as error:
                        if isinstance(cause := cause_of(error), SlmfitError):
                            raise cause from None
                        said = f"the cluster could not answer a part: {said_by(error)}"
                        raise SlmfitError(said, where=name, fix="the same command goes on with it") from error
                    with storage.output(asked.folder / name) as file:
                        file.write(content)
                    yield rows

        try:
            for part in parts:
                waiting[answer.remote(files, run.record.key, code_version(), asked, part.line)] = part.name
                yield from written(most)
            yield from written(0)
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)


def answer_here(files: Sequence[Any], key: str, code: str, asked: Asked, line: bytes) -> tuple[int, bytes]:
    """On a node: answer one part; returns how many rows, and its file.

    files: Ray's reference to those of the run, in a list. code: as in `fit_here`.
    """
    check_code(code)
    if key not in _opened:
        import ray

        open_here(ray.get(files[0]), key, asked.method)
    with TemporaryDirectory(prefix="slmfit-") as place:
        rows = answer_part(_opened[key][1], replace(asked, folder=Path(place)), line)
        (path,) = Path(place).iterdir()
        return rows, path.read_bytes()


def open_here(files: Mapping[str, bytes], key: str, method: str | None) -> None:
    """Load a run in this process, in place of one that it was handed before."""
    forget()
    folder = TemporaryDirectory(prefix="slmfit-")
    for name, content in files.items():
        path = Path(folder.name) / name
        storage.make_folder(path.parent)
        path.write_bytes(content)
    if method is not None:
        from slmfit.methods import method_class

        method_class(method)
    _opened[key] = folder, load(folder.name)


def forget() -> None:
    """Remove the run that this process was handed."""
    while _opened:
        _opened.popitem()[1][0].cleanup()
