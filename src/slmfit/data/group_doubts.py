"""Groups that a split is asked to go by, of which it is doubtful that each is one.

list(doubtful_groups("user", rows))
# ["12 values of 'user' join others, such as 'u1;u2': rows that share one of them may stand on both sides …"]
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from slmfit.data.audit.odd_labels import READ_AS_NONE
from slmfit.data.examples import Row
from slmfit.data.groupings import group_name
from slmfit.data.label_cells import parsed
from slmfit.errors import DataError
from slmfit.text.figures import listed, number_of, verb_of
from slmfit.text.visible import written

_NOBODY = READ_AS_NONE | {"none", "unknown", "anonymous", "anon", "guest", "[deleted]", "deleted"}
_JOINED = re.compile(r"[;|]")


def doubtful_groups(column: str, rows: Sequence[Row]) -> Iterator[str]:
    """A sentence on each doubt. Raises DataError for a cell that lists several groups: its row belongs to each."""
    spelled: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    for row in rows:
        cell = row.cells.get(column)
        several = parsed(cell) if isinstance(cell, str) and cell.lstrip()[:1] in ("[", "(", "{") else cell
        if isinstance(several, list | tuple | set) and len(several) > 1:
            fix = "give each row one group: where rows share a part of theirs, that of all of them"
            raise DataError(f"{written(cell, 60)} is several groups", where=row.where.at(column), fix=fix)
        if cell is not None:
            name = group_name(cell)
            sizes[name] += 1
            spelled.setdefault(name, str(cell))
    parts = {name: {part.strip() for part in _JOINED.split(name)} - {""} for name in sizes}
    of = Counter(part for own in parts.values() for part in own)
    if joint := [name for name, own in parts.items() if len(own) > 1 and any(of[part] > 1 for part in own)]:
        say = f"{number_of(len(joint), 'value')} of {column!r} {verb_of(len(joint), 'join')} others"
        yield f"{say}, such as {listed([spelled[joint[0]]])}: rows that share one of them may stand on both sides."
    for name in sorted(_NOBODY.intersection(sizes)):
        if sizes[name] > 1:
            said = f"{number_of(sizes[name], 'row')} of {column!r} {verb_of(sizes[name], 'are')} {spelled[name]!r}"
            yield f"{said}, which is kept together as one group: if it means none, drop these rows, or name them apart."
