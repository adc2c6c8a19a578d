"""What is done to a text before any method sees it: of a dataset, and of a run that was fitted on it.

TextRecipe(strip=("html",))("<b>where</b> is my parcel")      # "where is my parcel"
"""

from __future__ import annotations

from dataclasses import dataclass

from slmfit.records import Pair

STRIPS = ("headers", "footers", "quotes", "html")


@dataclass(frozen=True)
class TextRecipe:
    """What is done to a text before any method sees it; kept with the run, so that prediction does the same.

    strip: some of `headers`, `footers`, `quotes` (of a Usenet post or e-mail) and `html` (tags and entities).
    """

    strip: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        from slmfit.data.clean import clean

        if isinstance(text, Pair):
            return Pair(self(text.first), self(text.second))
        return clean(text, self.strip) if self.strip else text
