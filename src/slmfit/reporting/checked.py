"""What persons made of the test rows, where `slmfit check` asked some: the verdict on truth, in words.

said = read_checked(Path("left/tickets"), record)
said.sentence, said.caveats                    # "Leave in part: …", ["It rests on 31 checked rows …"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slmfit import storage
from slmfit.records import ComparisonRecord

FOLDER = "checked"


@dataclass(frozen=True)
class Checked:
    """See docs/format.md."""

    sentence: str
    caveats: Sequence[str]


def read_checked(folder: Path, record: ComparisonRecord) -> Checked | None:
    """The verdict in a comparison's folder; None where there is none, or one on other rows.

    Raises UnsafeError where a link leads to it.
    """
    verdict, drawn = (storage.inside(folder, f"{FOLDER}/{name}.json") for name in ("verdict", "drawn"))
    if not verdict.is_file() or not drawn.is_file():
        return None
    if storage.read_json(drawn, "test")["test"] != record.split["test"].hash:
        return None
    found = storage.read_json(verdict, "sentence")
    with storage.undamaged(verdict):
        return Checked(str(found["sentence"]), [str(one) for one in found.get("caveats", ())])
