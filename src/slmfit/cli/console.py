"""Rich's tables and colours behind the same door as screen.py: only rich itself moves the cursor and sets colours.

new_console().print(table)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from slmfit.text.visible import shown

WIDE = 240  # columns where the output is no terminal: enough for our tables, so that nothing is cut


class Screen(Console):
    """A console on which only rich itself moves the cursor and sets colours."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(shown(text), **options)  # before it is measured, or it would not fit its column

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(shown(segment.text), segment.style)


def new_console(*, err: bool = False, **options: Any) -> Screen:
    """The console for stdout or stderr."""
    made = Screen(stderr=err, highlight=False, **options)
    return made if err or made.is_terminal else Screen(highlight=False, width=WIDE, **options)
