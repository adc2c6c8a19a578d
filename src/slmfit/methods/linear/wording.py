"""What the words of a text are to a CRF, and what it is told of each: where they are cut, how far each looks, clusters.

    wording = Wording("words")
    places = wording.places("fly to Rome")              # [(0, 3), (4, 6), (7, 11)]
    wording.told("fly to Rome", places)[2]              # ["", "0 rome", "< r", …]

    rows, cuts = both_spellings(train)                  # rows that came as tokens: as they are, and as people write
    Wording(TOKENS, cuts=cuts).places(train[0].input)   # the tokens that it came as

Of rows that came as tokens these are the words (the grain `tokens`); another text is cut as they were, see
`tasks/cuts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from slmfit.methods.linear.clusters import FILE, Clusters
from slmfit.methods.linear.words import NEAR, attributes
from slmfit.records import Example, Tokens
from slmfit.tasks.cuts import Cuts
from slmfit.tasks.spans import Offsets
from slmfit.tasks.spelling import signs_apart, words_of, written
from slmfit.tasks.splitting import grain_for, split_by

TOKENS = "tokens"


@dataclass(frozen=True)
class Wording:
    """grain: TOKENS, or one of `splitting.GRAINS`. reach: what a word is told of others. cuts: those of TOKENS.

    clusters: None where no vectors tell of words.
    """

    grain: str
    reach: str = NEAR
    cuts: Cuts | None = None
    clusters: Clusters | None = None

    def places(self, text: str) -> Offsets:
        """Where the words of a text stand."""
        if self.cuts is None:
            return split_by(text, self.grain)
        return text.offsets if isinstance(text, Tokens) else self.cuts.cut(text)

    def told(self, text: str, places: Offsets) -> list[list[str]]:
        """The attributes of each word."""
        words = [text[start:end] for start, end in places]
        found = attributes(words, self.reach)
        if self.clusters is None:
            return found
        return [[*own, *more] for own, more in zip(found, self.clusters.told(words), strict=True)]

    def plain(self) -> dict[str, Any]:
        """JSON as it stands, of all but the clusters."""
        about: dict[str, Any] = {"grain": self.grain, "reach": self.reach}
        return about if self.cuts is None else {**about, "cuts": self.cuts.plain()}

    def save(self, folder: Path) -> None:
        if self.clusters is not None:
            self.clusters.save(folder)

    @classmethod
    def load(cls, folder: Path, about: Mapping[str, Any]) -> Self:
        """As it was saved. about: what `plain` gave; older models lack `reach`, and all but those of tokens `cuts`."""
        cuts = Cuts.from_plain(about["cuts"]) if about["grain"] == TOKENS else None
        clusters = Clusters.load(folder) if (folder / FILE).is_file() else None
        return cls(about["grain"], about.get("reach", NEAR), cuts, clusters)


def grain_of(examples: Sequence[Example]) -> str:
    """TOKENS where at least half of the rows came so, else what their spans need."""
    came = sum(isinstance(example.input, Tokens) for example in examples)
    return TOKENS if 2 * came >= len(examples) > 0 else grain_for(examples)


def both_spellings(examples: Sequence[Example]) -> tuple[list[Example], Cuts]:
    """The rows, behind them those that as people write them are cut into other words; and how these are cut."""
    given = [example.input for example in examples if isinstance(example.input, Tokens)]
    plain = written(examples, signs_apart(map(words_of, given)))
    cuts = Cuts.learn([*given, *(row.input for row in plain if isinstance(row.input, Tokens))])
    more = []
    for row in plain:
        assert isinstance(row.input, Tokens)
        if tuple(places := cuts.cut(row.input)) != row.input.offsets:
            more.append(Example(row.id, Tokens(str(row.input), places), row.target))
    return [*examples, *more], cuts
