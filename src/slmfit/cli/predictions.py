"""Answers shown: JSON lines, or for a person on a terminal a line each, with the entities marked in their text.

marked(row, Palette())       # 'confirm                       see you on [10 May DATE]', in colour
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from rich.text import Text

from slmfit.cli.console import new_console
from slmfit.cli.screen import print_line
from slmfit.tasks.answers import Row
from slmfit.text.figures import percent
from slmfit.text.visible import excerpt, visible

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green", "bright_blue")


class Palette:
    """A colour for each type, in the order in which they are met."""

    def __init__(self) -> None:
        self._colours: dict[str, str] = {}

    def __getitem__(self, label: str) -> str:
        return self._colours.setdefault(label, COLOURS[len(self._colours) % len(COLOURS)])


def marked(row: Mapping[str, Any], palette: Palette) -> Text:
    """A row of `entity_columns` and `text` on one line: the intent, then the text with its entities in brackets."""
    line = Text(end="")
    if row["intent"] is not None:
        chance = percent(row["intent_probability"]) if "intent_probability" in row else ""
        line.append(f"{visible(row['intent']):20} {chance:>7}  ")
    text, spans = row["text"], row["spans"] or []
    edges = [0, *(edge for span in spans for edge in (span["start"], span["end"])), len(text)]
    for i, (start, end) in enumerate(pairwise(edges)):
        words = visible(text[start:end])
        line.append(words) if i % 2 == 0 else line.append_text(_entity(words, spans[i // 2], palette))
    for one in row.get("unplaced", ()):
        line.append("  not in the text: ", style="dim").append(visible(one["text"]), style="strike")
        line.append(f" {visible(one['label'])}", style=palette[one["label"]])
    if "outcome" in row:
        line.append(f"  no answer: {row['outcome']}", style="dim")
    return line


def _entity(words: str, span: Mapping[str, Any], palette: Palette) -> Text:
    colour = palette[span["label"]]
    chance = f" {100 * span['probability']:.0f} %" if "probability" in span else ""
    name = f" {visible(span['label'])}{chance}"
    return Text.assemble(("[", colour), (words, f"bold {colour}"), (name, colour), ("]", colour))


def show(rows: Iterable[Row], *, as_json: bool) -> None:
    """Rows for a person on a terminal, JSON lines otherwise."""
    if as_json or not sys.stdout.isatty():
        for row in rows:
            print_line(row)
        return
    palette, console = Palette(), new_console(soft_wrap=True)
    for row in rows:
        line = marked(row, palette) if "spans" in row else Text(_line(row))
        console.print(line.plain if console.no_color else line, markup=False)


def _line(row: Row) -> str:
    answer = row["prediction"]
    words = answer if isinstance(answer, str) else f"no answer: {row.get('outcome')}"
    share = percent(row["probability"]) if "probability" in row else ""
    return f"{visible(words):20} {share:>7}  {excerpt(row['text'], 80)}"
