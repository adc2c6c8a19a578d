"""How a model that was trained for it writes entities and an intent: lines, or JSON.

    form = FORMS["lines"](task, grain="words")
    form.write(Entities((Span(7, 11, "CITY"),), "book"), "fly to Rome")       # "intent: book\\nB-CITY: Rome\\n"
    Writing(form.grammar, form.words("fly to Rome"))      # all that may be written, and no more

Such a model needs no instruction, only to see where the text ends: `ask`. What a form writes `read` takes back, by the
one aligner of written answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar

from slmfit.errors import UsageError
from slmfit.records import Entities, Input, Outcome, Span, Target
from slmfit.tasks.base import EntityCodec
from slmfit.tasks.grammar import BYTES, Grammar, Pieces, Words
from slmfit.tasks.splitting import split_by

ASKED = "\n\nAnswer:\n"
FLAT = str.maketrans("\r\n", "  ")


class Form:
    """One way to write answers. grain: what words are, which entities begin and end at; see `splitting.GRAINS`."""

    name: ClassVar[str]

    def __init__(self, task: EntityCodec, grain: str) -> None:
        self.task, self.grain = task, grain

    def ask(self, input: Input) -> str:
        """What the answer is written after."""
        return f"{input}{ASKED}"

    def write(self, target: Target, input: Input) -> str:
        raise NotImplementedError

    def read(self, text: str, input: Input) -> Target | Outcome:
        raise NotImplementedError

    def cut(self, target: Target, length: int) -> Target:
        """What there is to answer where the text is cut to `length` characters."""
        assert isinstance(target, Entities)
        return Entities(tuple(span for span in target.spans if span.end <= length), target.intent)

    def example(self) -> str:
        """What an answer looks like."""
        spans = tuple(Span(5 * i, 5 * i + 5, label) for i, label in enumerate(self.task.labels[:2]))
        intent = self.task.intents[0] if self.task.intents else None
        return self.write(Entities(spans, intent), "words" * len(spans)).rstrip("\n")

    @cached_property
    def grammar(self) -> Grammar:
        """What may be written, but for the words of a text."""
        raise NotImplementedError

    def words(self, input: Input, pieces: Pieces = BYTES) -> Words:
        """What may be copied of a text."""
        characters = [self.character(character) for character in str(input)]
        places = split_by(str(input), self.grain)
        return Words(characters, (start for start, _ in places), (end for _, end in places), pieces)

    def character(self, character: str) -> bytes:
        """A character of the text as it stands in an answer."""
        raise NotImplementedError

    def parts(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in an answer its entities stand, in order."""
        raise NotImplementedError


class Lines(Form):
    """`intent: book`, then a line for every entity, as IOB2 marks its first word: `B-DATE: 10 May`.

    Line breaks within an entity are written as spaces, which it is also looked for with.
    """

    name = "lines"

    def __init__(self, task: EntityCodec, grain: str) -> None:
        super().__init__(task, grain)
        unfit = [name for name in (*task.labels, *task.intents) if "\n" in name or ": " in name]
        if unfit:
            fix = "rename it, or write JSON: --set causal.form=json"
            raise UsageError(f"the name {unfit[0]!r} cannot be written on a line", fix=fix)

    def write(self, target: Target, input: Input) -> str:
        assert isinstance(target, Entities)
        text = str(input).translate(FLAT)
        intent = "" if target.intent is None else f"intent: {target.intent}\n"
        return intent + "".join(f"B-{span.label}: {text[span.start : span.end]}\n" for span in target.spans)

    def read(self, text: str, input: Input) -> Target | Outcome:
        *lines, last = text.split("\n")
        intent, pairs = None, []
        for i, line in enumerate(lines):
            name, colon, rest = line.partition(": ")
            if i == 0 and name == "intent" and colon:
                intent = rest
            elif name.startswith("B-") and colon:
                pairs.append((rest, name[2:]))
            else:
                return "invalid"
        return "invalid" if last else self.task.placed(pairs, intent, str(input).translate(FLAT))

    @cached_property
    def grammar(self) -> Grammar:
        entities = [f"B-{label}: " for label in self.task.labels]
        first = [f"intent: {intent}\n" for intent in self.task.intents] or [""]
        begun = dict.fromkeys(first, False) | {one + entity: True for one in first for entity in entities}
        return Grammar(_encoded(begun), _encoded({"\n": False} | {f"\n{entity}": True for entity in entities}))

    def character(self, character: str) -> bytes:
        return character.translate(FLAT).encode()

    def parts(self, text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in re.finditer(r"^B-.*\n", text, re.MULTILINE))


class Json(Form):
    """`{"intent": "book", "entities": [{"text": "10 May", "label": "DATE"}]}`: the task's own JSON, the intent first.

    What stands first is learnt first, as nothing else that was written lies between it and the text.
    """

    name = "json"

    def write(self, target: Target, input: Input) -> str:
        said = json.loads(self.task.write(target, input))
        intent = {"intent": said.pop("intent")} if "intent" in said else {}
        return json.dumps(intent | said, ensure_ascii=False)

    def read(self, text: str, input: Input) -> Target | Outcome:
        return self.task.read(text, input)

    @cached_property
    def grammar(self) -> Grammar:
        entity, closed = '{"text": "', [f'", "label": {_quoted(label)}}}' for label in self.task.labels]
        begun = [f'{{"intent": {_quoted(intent)}, "entities": [' for intent in self.task.intents] or ['{"entities": [']
        first = {f"{one}]}}": False for one in begun} | {one + entity: True for one in begun if closed}
        then = {f"{one}]}}": False for one in closed} | {f"{one}, {entity}": True for one in closed}
        return Grammar(_encoded(first), _encoded(then))

    def character(self, character: str) -> bytes:
        return _quoted(character)[1:-1].encode()

    def parts(self, text: str) -> Iterator[tuple[int, int]]:
        string = r'"(?:[^"\\]|\\.)*"'
        return (m.span() for m in re.finditer(rf'\{{"text": {string}, "label": {string}\}}', text))


def _encoded(strings: Mapping[str, bool]) -> dict[bytes, bool]:
    return {string.encode(): copies for string, copies in strings.items()}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


FORMS: dict[str, type[Form]] = {form.name: form for form in (Lines, Json)}
