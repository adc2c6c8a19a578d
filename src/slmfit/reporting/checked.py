"""What persons made of the test rows, where `slmfit check` asked some: the verdict on truth, in words.

said = read_checked(Path("left/tickets"), record)
said.sentence, said.caveats                    # "Leave in part: …", ["It rests on 31 checked rows …"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slmfit import storage
from slmfit.records import ComparisonRecord

FOLDER = "checked"


@dataclass(frozen=True)
class Checked:
    """See docs/format.md. threshold: from which confidence on the method answers; None = all.

    keys: of the runs that were judged, by method.
    """

    sentence: str
    caveats: Sequence[str]
    kind: str
    method: str | None
    threshold: float | None
    keys: Mapping[str, str]


def read_checked(folder: Path, record: ComparisonRecord) -> Checked | None:
    """The verdict in a comparison's folder; None where there is none, or one on other rows.

    Raises UnsafeError where a link leads to it.
    """
    verdict, drawn = (storage.inside(folder, f"{FOLDER}/{name}.json") for name in ("verdict", "drawn"))
    if not verdict.is_file() or not drawn.is_file():
        return None
    if storage.read_json(drawn, "test")["test"] != record.split["test"].hash:
        return None
    found = storage.read_json(verdict, "sentence", "kind")
    with storage.undamaged(verdict):
        part = found.get("part")
        return Checked(
            str(found["sentence"]),
            [str(one) for one in found.get("caveats", ())],
            str(found["kind"]),
            found.get("method"),
            None if part is None else float(part["threshold"]),
            {str(one["id"]): str(one.get("key")) for one in found.get("methods", ())},
        )
