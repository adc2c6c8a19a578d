"""A sitting at the terminal, row by row, and the verdict that comes of it.

Sitting(given, given.asked(150), person).run()
show_truth(judged(given, 150))
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from itertools import product

from rich.columns import Columns
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from slmfit.checking import Given, Judged, Person, Row
from slmfit.checking.given import read
from slmfit.cli.console import new_console
from slmfit.cli.keys import BACK, ESCAPE, keys
from slmfit.cli.predictions import Palette, marked
from slmfit.errors import UsageError
from slmfit.evidence.checked import SOME, at_most
from slmfit.evidence.truth import MARGIN, round_up
from slmfit.records import Prediction
from slmfit.tasks.answers import entity_columns
from slmfit.text.figures import below, bytes_words, interval, number_of, percent, points_words
from slmfit.text.visible import shown

SINGLE = "123456789" + string.ascii_lowercase
NONE, SKIP = "0", " "


def key_of(labels: Sequence[str]) -> dict[str, str]:
    """Label -> what is typed for it: one key, or two letters where there are more labels than keys.

    Raises UsageError for more labels than there are pairs of letters.
    """
    if len(labels) <= len(SINGLE):
        return dict(zip(labels, SINGLE, strict=False))
    pairs = ["".join(pair) for pair in product(string.ascii_lowercase, repeat=2)]
    if len(labels) > len(pairs):
        fix = f"merge labels, to at most {len(pairs)}: slmfit compare --merge"
        raise UsageError(f"{len(labels):,} labels are too many to choose from by key", fix=fix)
    return dict(zip(labels, pairs, strict=False))


class Sitting:
    """A person before the rows. `left`: how many of them have not been shown."""

    def __init__(self, given: Given, asked: Sequence[Row], person: Person) -> None:
        self.given, self.asked, self.person = given, asked, person
        self._keys = key_of(given.labels)
        self.palette = Palette()
        self.console = new_console()
        self.history = [row.id for row in asked if person.has(row.id)]
        self.typed = ""

    @property
    def left(self) -> int:
        return sum(not self.person.has(row.id) for row in self.asked)

    def run(self) -> None:
        """Ask until all rows are done or the person pauses."""
        with keys() as pressed:
            self._begin()
            if next(pressed, ESCAPE) == ESCAPE:
                return
            self._show()
            for key in pressed:
                if key == ESCAPE or not (self.left or key == BACK):
                    break
                self.take(key)
                self._show()
        self.console.clear()

    def take(self, key: str) -> None:
        """What a key does to the row that is shown; keys that mean nothing do nothing."""
        if key == BACK:
            if self.typed:
                self.typed = ""
            elif self.history:
                self.person.undo(self.history.pop())
            return
        row = self._next()
        if row is None:
            return
        typed, self.typed = self.typed + key, ""
        if typed == NONE:
            self.person.answer(row.id, None)
        elif typed == SKIP:
            self.person.skip(row.id)
        elif typed in (label_of := {code: label for label, code in self._typed_for(row).items()}):
            self.person.answer(row.id, label_of[typed])
        else:
            if any(code.startswith(typed) for code in label_of):
                self.typed = typed
            return
        self.history.append(row.id)

    def _typed_for(self, row: Row) -> dict[str, str]:
        """What may be the answer to a row -> what is typed for it."""
        return key_of(row.options) if self.given.marks else self._keys

    def _begin(self) -> None:
        """What is about to happen, and how much so many rows can tell."""
        given, count = self.given, len(self.asked)
        differ = int((given.group[:count] >= SOME).sum())
        where = f"{differ:,} where {given.called} and the methods do not all agree, {count - differ:,} where they do"
        way = "Say what is right. What was answered by anybody, machine or person, is not shown before the end."
        if given.marks:
            way = "Say which marks are exactly right, all of them and no other. Whose they are is not shown."
        lines = [
            f"{number_of(count, 'row')} of {len(given.rows):,}, drawn by lot: {where}.",
            way,
            "",
            *foretold(given, count),
            *([f"\n{number_of(done, 'row')} done so far."] if (done := count - self.left) else []),
            "\nAny key begins; escape leaves.",
        ]
        self.console.clear()
        self.console.print(escape("\n".join(lines)))

    def _next(self) -> Row | None:
        return next((row for row in self.asked if not self.person.has(row.id)), None)

    def _show(self) -> None:
        """The next row; nothing of what anybody answered."""
        row = self._next()
        self.console.clear()
        if row is None:
            self.console.print(f"All {len(self.asked):,} rows are done. Backspace undoes the last; any other key ends.")
            return
        self.console.print(f"row {len(self.asked) - self.left + 1:,} of {len(self.asked):,}\n", style="dim")
        for text in row.texts:
            self.console.print(escape(shown(text)))
            self.console.print()
        codes = {label: code for label, code in self._typed_for(row).items() if code.startswith(self.typed)}
        if self.given.marks:
            for option, code in codes.items():
                self.console.print(Text(f"{code}  ", style="bold").append_text(self._marked(row, option)))
        else:
            cells = [f"[bold]{code}[/] {escape(label)}" for label, code in codes.items()]
            self.console.print(Columns(cells, padding=(0, 3)))
        ways = f"\n{NONE} none of these   space skip   backspace undo   escape pause"
        self.console.print(ways + (f"   typed: {self.typed}" if self.typed else ""), style="dim")

    def _marked(self, row: Row, option: str) -> Text:
        """An answer's entities in their text."""
        (text,), answer = row.texts, read(option)
        columns = {"text": text, **entity_columns(Prediction(answer), text)}
        line = marked(columns, self.palette)
        return line if answer.spans else line.append("  no entity", style="dim")


def foretold(given: Given, count: int) -> list[str]:
    """What so many rows can tell of every method at least, and about how many would do for the margin."""
    lines = []
    for id in given.answers:
        reach = at_most(given.group, ~given.agree(id), range(count))
        line = f"{id}: how far it is behind or ahead will be known to within {points_words(reach)}"
        if reach > MARGIN:
            enough = round_up(count * (reach / MARGIN) ** 2)
            line += f"; {points_words(MARGIN)}, the margin, take up to {enough:,} rows"
            line += f", but there are only {len(given.rows):,}" if enough > len(given.rows) else ""
        lines.append(line)
    return lines


def show_truth(found: Judged) -> None:
    """The table, the verdict, and what is to be known of it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "truly right", "95 % interval", "difference", "95 % interval", "gives that label", "size"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row(escape(found.called), percent(found.accuracy.value), interval("accuracy", found.accuracy))
    for one in found.methods:
        gap, ends = below(one.difference)
        cells = (percent(one.accuracy.value), interval("accuracy", one.accuracy), gap, ends)
        table.add_row(escape(one.id), *cells, percent(one.agrees), bytes_words(one.size_bytes))
    console = new_console()
    console.print(table)
    console.print()
    console.print(escape(found.sentence), style="bold")
    for caveat in found.caveats:
        console.print(escape(caveat), style="dim")
