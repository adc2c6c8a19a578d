"""A page in one file: style, script and data inside, nothing to fetch, and a policy that forbids everything else.

    render(HERE / "page.html", title="ag_news", …)

The browser runs the one script and the one style whose hashes the policy names; markup that came in with a label or a
text is escaped, and would not be obeyed if it were not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from slmfit.text.figures import (
    by_unit,
    bytes_words,
    cell,
    interval,
    number_words,
    percent,
    points_words,
    seconds_words,
    span,
    ticked,
    told,
)
from slmfit.text.visible import visible

HERE = Path(__file__).parent
STYLES = ("style.css", "entities.css", "narrow.css")  # one sheet in the page, in this order
SCRIPTS = ("script.js", "matrix.js", "entities.js")  # and one script
FILTERS = {
    "told": told,
    "interval": lambda score, metric: interval(metric, score),
    "span": span,
    "cell": cell,
    "by_unit": lambda value, metric: by_unit(metric, value),
    "percent": percent,
    "number": number_words,
    "seconds": seconds_words,
    "bytes": bytes_words,
    "ticked": ticked,
    "breakable": lambda name: Markup("_<wbr>").join(escape(visible(part)) for part in name.split("_")),
    "kept": lambda words: words.replace(" %", "\u00a0%"),  # a number and its sign in one line
    "points": points_words,
}


def render(
    template: Path, *, styles: Sequence[str | Path] = STYLES, scripts: Sequence[str | Path] = SCRIPTS, **view: Any
) -> str:
    """The page of a template that extends `frame.html`; every string it shows is escaped and made visible.

    styles, scripts: what becomes its one sheet and its one script, files beside this one or anywhere.
    view: what the template names, and what the frame does: `title`; `style` and `script` are added.
    """
    style, script = _sources(styles, scripts)
    environment = Environment(
        loader=FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    page = environment.get_template(template.name)
    return page.render(style=Markup(style), script=Markup(script), policy=Markup(policy(styles, scripts)), **view)


def policy(styles: Sequence[str | Path] = STYLES, scripts: Sequence[str | Path] = SCRIPTS) -> str:
    """What a page with this sheet and this script may do: show itself."""
    style, script = map(_hash, _sources(styles, scripts))
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _sources(styles: Sequence[str | Path], scripts: Sequence[str | Path]) -> tuple[str, str]:
    style, script = ("\n".join(map(_source, names)) for names in (styles, scripts))
    return style, script


def embedded(value: Any) -> Markup:
    """JSON for a data block of the page: nothing in it can end the block."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def packed(value: Any, level: int = 9) -> str:
    """JSON, deflated, in base64: what `unpack` in script.js reads."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(text, level)).decode("ascii")


def _source(name: str | Path) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode('ascii')}'"


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
