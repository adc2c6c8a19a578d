"""The settings of `linear`, whatever its task; docs/settings.md and `slmfit explain` show what stands here."""

from __future__ import annotations

from dataclasses import dataclass

from slmfit import embeddings
from slmfit.errors import UsageError
from slmfit.methods.base import setting
from slmfit.methods.linear.search import COUNTED, EMBEDDINGS, FEATURES, blocks_of
from slmfit.methods.linear.words import REACHES

OF_TEXTS, OF_SPANS = ("embeddings", "features", "power", "characters", "C", "ratios"), ("reach", "c1", "c2")
OF_QUESTIONS = ("reads",)
READS = ("lengths", "options", "question")  # what a ranker reads, each with all before it


@dataclass(frozen=True)
class Settings:
    """What `--set linear.NAME=VALUE` sets; what is left open is chosen on validation.

    Raises UsageError for settings of which one leaves the other without a meaning.
    """

    features: str | None = setting(
        None,
        "What is counted: words, neighbouring pairs of words, runs of 2 and 4 characters inside words. embeddings: a "
        "vector, beside what is counted or alone. none = chosen on validation: the fewest that do as well as more; "
        "vectors are tried where `embeddings` names some, those of a sentence encoder alone.",
        choices=FEATURES,
        search=COUNTED,
    )
    embeddings: str | None = setting(None, embeddings.CHOICE)
    power: float | None = setting(
        None,
        "Weight of rare words: idf to this power; 1 is plain TF-IDF. none = chosen on validation: 1 or 2.",
        low=0,
        search=(0.5, 2.5),
    )
    characters: float | None = setting(
        None,
        "Weight of runs of characters relative to words, as lengths of their parts of the vector (words = 1). none = "
        "chosen on validation: 1 or 0.5.",
        low=0,
        search=(0.25, 1.5),
    )
    C: float | None = setting(
        None,
        "Inverse regularisation strength, as in scikit-learn: more fits the rows closer. none = chosen on validation: "
        "0.03 to 10.",
        low=1e-6,
        search=(0.01, 30, "log"),
    )
    ratios: float | None = setting(
        None,
        "Weight of the naive Bayes log ratios (how much more often a term is in a label than in the others) relative "
        "to the learnt weights; 1 = equal. none = chosen on validation: 0 to 1.2.",
        low=0,
        search=(0, 1.5),
    )
    reach: str | None = setting(
        None,
        "For entities: what a word is told of the text. near: two words on each side. far: also which words stand "
        "up to twelve before it. none = chosen on validation.",
        choices=REACHES,
        search=tuple(REACHES),
    )
    c1: float | None = setting(
        None,
        "For entities: L1 penalty, which sets weights to 0. none = chosen on validation: with c2, of four pairs.",
        low=0,
        search=(0.003, 1, "log"),
    )
    c2: float | None = setting(
        None,
        "For entities: L2 penalty, which keeps weights small. none = chosen on validation: with c1, of four pairs.",
        low=0,
        search=(0.0003, 0.3, "log"),
    )
    reads: str | None = setting(
        None,
        "For multiple choice: what is read. lengths: how long the options are. options: their words too, never the "
        "question. question: everything. none = chosen on validation.",
        choices=READS,
    )

    def __post_init__(self) -> None:
        if self.features is None:
            return
        blocks = blocks_of(self.features)
        if self.embeddings is not None and EMBEDDINGS not in blocks:
            what = f"linear.features={self.features} counts, and linear.embeddings={self.embeddings} does not"
            raise UsageError(what, fix=f"give one of the two, or features={self.features}+{EMBEDDINGS}")
        if self.power is not None and blocks == (EMBEDDINGS,):
            raise UsageError("linear.power weighs counted words, and embeddings count none", fix="leave power out")
        if self.ratios is not None and blocks == (EMBEDDINGS,):
            raise UsageError("linear.ratios are of counted words, and embeddings count none", fix="leave ratios out")
        if self.characters is not None and "characters" not in blocks:
            what = f"linear.characters weighs runs of characters, and {self.features} have none"
            raise UsageError(what, fix="leave characters out")

    @property
    def embeds(self) -> bool:
        """Whether texts may become vectors."""
        return self.embeddings is not None or EMBEDDINGS in blocks_of(self.features or "")
