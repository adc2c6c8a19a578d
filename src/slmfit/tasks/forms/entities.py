"""How entities and an intent are written: lines, one line with bars, or JSON.

    form = Lines(("CITY",), ("book",), grain="words")
    form.write(Entities((Span(7, 11, "CITY"),), "book"), "fly to Rome")       # "intent: book\\nB-CITY: Rome\\n"
    Writing(form.grammar, form.copied("fly to Rome"))     # all that may be written, and no more

Either names entities by their words, in reading order; the one aligner of written answers finds them in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from slmfit.errors import UsageError
from slmfit.records import Entities, Input, Prediction, Span, Target
from slmfit.tasks.forms.base import INVALID, Form
from slmfit.tasks.grammar import BYTES, Grammar, Pieces, Words
from slmfit.tasks.replies import json_object, json_object_schema
from slmfit.tasks.splitting import split_by
from slmfit.tasks.words import place, placeable


class EntityForm(Form):
    """grain: what words are, which entities begin and end at; see `splitting.GRAINS`."""

    prompt: ClassVar[str] = "entities.txt"

    def __init__(self, labels: Sequence[str], intents: Sequence[str], grain: str = "words") -> None:
        self.labels, self.intents, self.grain = tuple(labels), tuple(intents), grain

    def cut(self, target: Target, length: int) -> Target:
        assert isinstance(target, Entities)
        return Entities(tuple(span for span in target.spans if span.end <= length), target.intent)

    def example(self) -> str:
        """What an answer looks like."""
        spans = tuple(Span(5 * i, 5 * i + 5, label) for i, label in enumerate(self.labels[:2]))
        intent = self.intents[0] if self.intents else None
        return self.write(Entities(spans, intent), "words" * len(spans)).rstrip("\n")

    def placed(self, pairs: Sequence[tuple[str, str]], intent: str | None, text: str) -> Prediction:
        """The answer that names these (words, type) in the order of the text.

        As many are placed as can be; those that cannot are `unplaced`. `invalid` for a type or an intent that the task
        does not have.
        """
        unknown = self.labels and any(label not in self.labels for _, label in pairs)
        if unknown or (self.intents and intent is not None and intent not in self.intents):
            return INVALID
        kept = placeable(text, [words for words, _ in pairs])
        offsets = place(text, [pairs[i][0] for i in kept])
        spans = tuple(Span(*offset, pairs[i][1]) for i, offset in zip(kept, offsets, strict=True))
        return Prediction(Entities(spans, intent, tuple(pair for i, pair in enumerate(pairs) if i not in set(kept))))

    def schema(self, input: Input) -> dict[str, Any]:
        def one_of(names: Sequence[str]) -> dict[str, Any]:
            return {"type": "string", "enum": list(names)} if names else {"type": "string"}

        entity = json_object_schema({"text": {"type": "string"}, "label": one_of(self.labels)})
        intent = {"intent": one_of(self.intents)} if self.intents else {}
        return json_object_schema(intent | {"entities": {"type": "array", "items": entity}})

    # --- what may be written, piece by piece ---

    @cached_property
    def grammar(self) -> Grammar:
        """What may be written, but for the words of a text."""
        raise NotImplementedError

    def copied(self, input: Input, pieces: Pieces = BYTES) -> Words:
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


class Lines(EntityForm):
    """`intent: book`, then a line for every entity, as IOB2 marks its first word: `B-DATE: 10 May`.

    Line breaks within an entity are written as spaces, which it is also looked for with.
    """

    name = "lines"
    end: ClassVar[str] = "\n"  # of what stands on a line, which nothing copied has
    gap: ClassVar[str] = ""  # between the end of a line and the next one
    flat: ClassVar[Mapping[int, int]] = str.maketrans("\r\n", "  ")

    def __init__(self, labels: Sequence[str], intents: Sequence[str], grain: str = "words") -> None:
        """Raises UsageError for a name that cannot stand on a line."""
        super().__init__(labels, intents, grain)
        unfit = [name for name in (*labels, *intents) if self.end in name or "\n" in name or ": " in name]
        if unfit:
            fix = "rename it, or write JSON: set `form` to json"
            raise UsageError(f"the name {unfit[0]!r} cannot be written on a line", fix=fix)

    def write(self, target: Target, input: Input) -> str:
        assert isinstance(target, Entities)
        text = str(input).translate(self.flat)
        lines = [] if target.intent is None else [f"intent: {target.intent}"]
        lines += [f"B-{span.label}: {text[span.start : span.end]}" for span in target.spans]
        return (self.end + self.gap).join(lines) + (self.end if lines else "")

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        if not isinstance(said, str) or (said and not said.endswith(self.end)):
            return INVALID
        lines = said.removesuffix(self.end).split(self.end + self.gap) if said else []
        intent, pairs = None, []
        for i, line in enumerate(lines):
            name, colon, rest = line.partition(": ")
            if i == 0 and name == "intent" and colon:
                intent = rest
            elif name.startswith("B-") and colon:
                pairs.append((rest, name[2:]))
            else:
                return INVALID
        return self.placed(pairs, intent, str(input).translate(self.flat))

    @cached_property
    def grammar(self) -> Grammar:
        entities = [f"B-{label}: " for label in self.labels]
        first = [f"intent: {intent}{self.end}" for intent in self.intents] or [""]
        begun = dict.fromkeys(first, False)
        begun |= {one + (self.gap if one else "") + entity: True for one in first for entity in entities}
        going_on = {f"{self.end}{self.gap}{entity}": True for entity in entities}
        return Grammar(_encoded(begun), _encoded({self.end: False} | going_on))

    def character(self, character: str) -> bytes:
        return character.translate(self.flat).encode()

    def parts(self, text: str) -> Iterator[tuple[int, int]]:
        at = 0
        for line in text.split(self.end)[:-1]:
            begin = at + (len(self.gap) if at else 0)
            at += len(line) + len(self.end)
            if text.startswith("B-", begin):
                yield begin, at


class Bars(Lines):
    """The same on one line, `intent: book| B-DATE: 10 May|`, for tokenizers without line breaks or braces, as T5's.

    Bars within an entity are written as slashes.
    """

    name = "bars"
    end = "|"
    gap = " "
    flat = str.maketrans("\r\n|", "  /")


class Json(EntityForm):
    """`{"intent": "book", "entities": [{"text": "10 May", "label": "DATE"}]}`.

    The intent first: what stands first is learnt first, as nothing else that was written lies between it and the text.
    """

    name = "json"

    def write(self, target: Target, input: Input) -> str:
        """`read` gives the target back unless a span's words occur, just as whole, between it and the one before
        (10 of the 26,045 rows of SNIPS, ATIS and WNUT-17).
        """
        assert isinstance(target, Entities) and isinstance(input, str)
        intent = {} if target.intent is None else {"intent": target.intent}
        entities = [{"text": input[s.start : s.end], "label": s.label} for s in target.spans]
        return json.dumps(intent | {"entities": entities}, ensure_ascii=False)

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """In whatever order; `invalid` for anything but what the schema says."""
        answer = json_object(said) if isinstance(said, str) else said
        if answer is None or not answer.keys() <= {"entities", "intent"}:
            return INVALID
        entities, intent = answer.get("entities"), answer.get("intent")
        if not isinstance(entities, list) or not (intent is None or isinstance(intent, str)):
            return INVALID
        pairs = [(e["text"], e["label"]) for e in entities if isinstance(e, dict) and e.keys() == {"text", "label"}]
        if len(pairs) < len(entities) or not all(isinstance(part, str) for pair in pairs for part in pair):
            return INVALID
        return self.placed(pairs, intent, str(input))

    @cached_property
    def grammar(self) -> Grammar:
        entity, closed = '{"text": "', [f'", "label": {_quoted(label)}}}' for label in self.labels]
        begun = [f'{{"intent": {_quoted(intent)}, "entities": [' for intent in self.intents] or ['{"entities": [']
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


FORMS: dict[str, type[EntityForm]] = {form.name: form for form in (Lines, Bars, Json)}
