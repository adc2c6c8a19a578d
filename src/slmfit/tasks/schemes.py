"""Schemes of tags: which one the tags of a file are of, and IO as BIO. All others are read by `spans.split_tag`.

scheme = Scheme()
scheme.bio(["O", "CITY", "CITY"])     # ["O", "B-CITY", "I-CITY"]
scheme.note                           # "its tags are labels without B- and I- (IO), so …"

BIO       B-X  I-X  I-X    B-X             IO      X  X  X   X, one entity where one follows another
BIOES     B-X  I-X  E-X    S-X             BMES    B-X  M-X  E-X    S-X
BILOU     B-X  I-X  L-X    U-X             BMEWO   B-X  M-X  E-X    W-X
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from slmfit.tasks.spans import OUTSIDE, split_tag

_BARE = re.compile(r"[^\W\d_][\w.&/+:-]{0,99}")
# With its letter elsewhere, a small one, or nothing behind it: it is not guessed which.
_ODD = re.compile(r"[BIESLUMWbieslumw]([-_].*)?|.*[-_][BIESLUMW]", re.DOTALL)


class Scheme:
    """What has been seen of the tags of one file."""

    def __init__(self) -> None:
        self._prefixed, self._others, self._bare = "", "", ""  # a tag of each kind
        self._outside = False
        self._seen: set[str] = set()

    def look(self, tag: str) -> None:
        """Raises ValueError for what is no tag of any scheme, and for one of another scheme than those before it."""
        if tag in self._seen:
            return
        if tag == OUTSIDE:
            self._outside = True
        elif _BARE.fullmatch(tag) and not _ODD.fullmatch(tag) and not self._prefixed:
            self._bare = self._bare or tag
        else:
            split_tag(tag)
            if self._bare:
                raise ValueError(f"{tag!r} has what {self._bare!r} lacks, a letter that says where an entity begins")
            self._prefixed = self._prefixed or tag
            self._others = self._others or ("" if tag[0] in "BI" else tag)
        self._seen.add(tag)

    @property
    def bare(self) -> bool:
        """Whether the tags that were seen are labels alone (IO)."""
        return bool(self._bare)

    @property
    def plausible(self) -> bool:
        """Whether the tags that were seen mark entities: something is, or is said to be, outside of all."""
        return bool(self._prefixed) or (self._outside and bool(self._bare))

    def bio(self, tags: Sequence[str]) -> list[str]:
        """Tags that were looked at, as BIO where they are IO; any other as they are."""
        if not self._bare:
            return list(tags)
        befores = [OUTSIDE, *tags]
        return [
            tag if tag == OUTSIDE else f"{'I' if tag == before else 'B'}-{tag}"
            for before, tag in zip(befores, tags, strict=False)
        ]

    @property
    def note(self) -> str:
        """What was decided, in a sentence; empty for BIO."""
        if self._bare:
            return "its tags are labels without B- and I- (IO), so neighbours of one label are one entity"
        if self._others:
            return f"its tags are of another scheme ({self._others!r}): S-, U-, W- are read as B-, and E-, L-, M- as I-"
        return ""
