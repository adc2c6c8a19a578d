"""What persons made of the test rows, where `slmfit check` asked some: the verdict on truth, in words.

said = read_checked(Path("left/tickets"), record)
said.sentence, said.caveats                    # "Leave in part: …", ["It rests on 31 checked rows …"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.errors import SlmfitError
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
    try:
        return _checked(storage.read_json(verdict, "sentence", "kind"), verdict)
    except SlmfitError as error:
        fix = f"judge again with the same answers, which are kept: slmfit check {folder}"
        raise SlmfitError(error.what, where=str(verdict), fix=fix) from None


def _checked(found: dict[str, Any], verdict: Path) -> Checked:
    """Raises SlmfitError for a verdict that is damaged, or contradicts itself."""
    with storage.undamaged(verdict):
        part, method, kind = found.get("part"), found.get("method"), found["kind"]
        leaves, in_part = kind in ("leave", "leave-in-part"), kind == "leave-in-part"
        if leaves != (method is not None) or in_part != (part is not None):
            raise ValueError(f"it says {kind!r}, and not what that takes")
        threshold: float | None = None
        if part is not None:
            threshold = float(part["threshold"])
            if part["method"] != method or not 0 <= threshold <= 1:
                raise ValueError("its part is not one of its method")
        return Checked(
            str(found["sentence"]),
            [str(one) for one in found.get("caveats", ())],
            str(kind),
            None if method is None else str(method),
            threshold,
            {str(one["id"]): str(one["key"]) for one in found.get("methods", ()) if "key" in one},
        )
