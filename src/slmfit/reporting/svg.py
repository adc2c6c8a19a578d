"""Parts of pictures: SVG elements whose text is safe to show.

join([tag("rect", x=0, width="50%", class_="bar"), tag("text", "linear", x=4, text_anchor="end")])
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from slmfit.text.visible import visible


def tag(name: str, text: str = "", **attributes: object) -> Markup:
    """An SVG element; `class_` and `text_anchor` are written as SVG writes them."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    inside = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in given.items())
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), inside, escape(visible(text)))


def join(parts: Iterable[Markup]) -> Markup:
    """One after the other."""
    return Markup("").join(parts)
