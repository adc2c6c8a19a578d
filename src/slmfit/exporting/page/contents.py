"""What of a run's method goes into a page: all that its answers depend on, whole.

head, sections = contents(run)
packed(head, sections)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slmfit.embeddings import Embedding
from slmfit.embeddings.static import Static
from slmfit.errors import UsageError
from slmfit.exporting.instead import instead
from slmfit.exporting.page.packing import Section, Sections
from slmfit.exporting.page.spelling import cleaning, cutting
from slmfit.exporting.page.tokenizing import tokenizing
from slmfit.methods.base import Method
from slmfit.methods.knn.settings import WEIGHTINGS
from slmfit.methods.knn.voting import Voter
from slmfit.methods.linear.classification import Classifier
from slmfit.methods.linear.embedded import Beside, Embedded
from slmfit.runs.run import Run
from slmfit.text.tfidf import Tfidf

Head = dict[str, Any]
_AS_IT_IS = "`slmfit predict` uses this run as it is"
_TAKES = "a page takes linear and knn on static embeddings, and classifies texts"


def contents(run: Run) -> tuple[Head, Sections]:
    """The head of a page's model and what it speaks of. Raises UsageError for a method that no page can be."""
    part = getattr(run.method, "part", run.method)
    pack = next((pack for kind, pack in _PACKS.items() if isinstance(part, kind)), None)
    if pack is None:
        what = f"a run of {run.record.method} for {run.task.name} cannot be a page"
        raise UsageError(what, where=str(run.folder), fix=f"{_TAKES}; {instead(run, _AS_IT_IS)}")
    sections = Sections()
    head = {
        "method": run.record.method,
        "labels": list(run.task.labels),
        "texts": list(getattr(run.task, "texts", ())),
        "recipe": cleaning(run.recipe.strip),
        **pack(part, sections, str(run.folder)),
    }
    return head, sections


def _linear(part: Any, sections: Sections, where: str) -> Head:
    features = part.features
    counted = features.counted if isinstance(features, Beside) else features
    vectors = features.vectors if isinstance(features, Beside) else features
    return {
        "counted": _counted(counted, sections) if isinstance(counted, Tfidf) else None,
        "vectors": _vectors(vectors.embedding, sections, where) if isinstance(vectors, Embedded) else None,
        "weights": sections.float16(part.weights),
        "intercepts": part.intercepts.tolist(),
        "curve": {"slope": part.curve.slope, "offset": part.curve.offset},
    }


def _counted(features: Tfidf, sections: Sections) -> Head:
    counter = features.counter
    idf = {}
    for block, values in features.idf.items():
        distinct, places = np.unique(values, return_inverse=True)  # terms of as many texts have the same
        idf[block] = {"values": sections.float32(distinct), "places": sections.planes(places)}
    return {
        "cut": cutting(counter.cut),
        "blocks": list(counter.blocks),
        "shares": dict(features.shares),
        "idf": idf,
        "words": sections.strings(counter.words),
        "pairs": sections.rising(counter.pairs),
        "alphabet": counter.alphabet,
        "grams": sections.rising(counter.grams),
    }


def _knn(part: Any, sections: Sections, where: str) -> Head:
    chosen = part.chosen
    return {
        "vectors": _vectors(part.embedding, sections, where),
        "rows": sections.int8(part.index.rows.reshape(-1)),
        "codes": sections.planes(part.codes),
        "k": min(chosen["k"], len(part.codes)),
        "temperature": WEIGHTINGS[chosen["weighting"]],
        "doubt": chosen["doubt"],
        "sharpness": chosen["sharpness"],
    }


def _vectors(embedding: Embedding, sections: Sections, where: str) -> Head:
    if not isinstance(embedding, Static):
        what = f"its vectors are those of {type(embedding).__name__}"
        raise UsageError(what, where=where, fix=f"{_TAKES}; fit it with a folder in model2vec's format, or without any")
    tokens = len(embedding.mapping)
    own_row, alike = np.array_equal(embedding.mapping, np.arange(tokens)), bool((embedding.weights == 1).all())
    return {
        "table": _shortest(embedding.table, sections),
        "dimension": embedding.dimension,
        "mapping": None if own_row else sections.planes(embedding.mapping),
        "weights": None if alike else sections.float32(embedding.weights),
        **tokenizing(embedding, sections, where),
    }


def _shortest(table: NDArray[np.float32], sections: Sections) -> Section:
    """The table in the fewest bits that hold it exactly."""
    if np.array_equal(table, table.astype(np.int8)):
        return sections.int8(table.astype(np.int8))
    with np.errstate(over="ignore"):
        short = table.astype(np.float16)
    return sections.float16(short) if np.array_equal(table, short) else sections.float32(table.reshape(-1))


_PACKS: dict[type[Method], Callable[[Any, Sections, str], Head]] = {Classifier: _linear, Voter: _knn}
