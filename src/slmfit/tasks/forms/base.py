"""What every form has, and the words that a model is told a task in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, ClassVar

from slmfit.records import Input, Prediction, Target

if TYPE_CHECKING:
    from jinja2 import Template

HERE = Path(__file__).parent / "prompts"
ASKED = "\n\nAnswer:\n"
INVALID = Prediction(None, "invalid")

Described = Callable[[str], str]  # a label's name -> what is said of it after its name, "" for nothing


@dataclass(frozen=True)
class Offer:
    """An input for a model that chooses and does not write. options: answer -> how it would go on from the prompt."""

    prompt: str
    options: Mapping[str, str]

    def answered(self, answer: str) -> str:
        """As an example before another."""
        return f"{self.prompt}{self.options[answer]}\n\n"


def undescribed(name: str) -> str:
    """Labels that speak for themselves."""
    return ""


class Form:
    """One way to ask for answers, to write and to read them.

    `read` gives back what `write` wrote. It takes a text, or the JSON object that a server made of one already, and
    gives the target, or an outcome: nothing it cannot read is ever mistaken for a label.
    """

    name: ClassVar[str]
    prompt: ClassVar[str]  # the file in prompts/
    kind: ClassVar[str] = "text"  # what an input is called where it stands between tags
    cue: ClassVar[str] = "Answer:"  # what an offer's prompt ends with; alone, nothing was asked

    def words(self, input: Input) -> str:
        """All that an input says."""
        return str(input)

    def ask(self, input: Input) -> str:
        """What a model that was trained for the form reads: it only needs to see where the text ends."""
        return f"{self.words(input)}{ASKED}"

    def offer(self, input: Input) -> Offer:
        """The input, to be answered with the text of a candidate; what there is to choose from is not said."""
        options = {name: f" {name}" for name in self.candidates(input) or ()}
        return Offer(f"{self.words(input)}\n\n{self.cue}", options)

    def lettered(self, input: Input) -> Offer | None:
        """The input with its candidates after letters, to be answered with a letter; None where there are too many."""
        names = self.candidates(input) or ()
        if len(names) > len(ascii_uppercase):
            return None
        lines = "".join(f"{letter}. {name}\n" for letter, name in zip(ascii_uppercase, names, strict=False))
        options = {name: f" {letter}" for letter, name in zip(ascii_uppercase, names, strict=False)}
        return Offer(f"{self.words(input)}\n\n{lines}{self.cue}", options)

    def opening(self, described: Described = undescribed) -> str:
        """What any other model is told of all rows. It comes first, so that a server can keep it in its cache."""
        return self._block("opening", form=self, described=described)

    def turn(self, input: Input) -> str:
        """One row for such a model, between two tags that it cannot write itself."""
        return self._block("turn", form=self, input=input, tag=self._tag(input))

    def write(self, target: Target, input: Input) -> str:
        """An answer. The input is needed where a target holds places in it."""
        raise NotImplementedError

    def read(self, said: str | Mapping[str, Any], input: Input) -> Prediction:
        """The target that a reply states; `invalid` for one that states none."""
        raise NotImplementedError

    def candidates(self, input: Input) -> tuple[str, ...] | None:
        """All that may be answered to an input, where that is one of some words; `read` takes each of them."""
        return None

    def schema(self, input: Input) -> dict[str, Any]:
        """JSON schema of an answer to an input."""
        raise NotImplementedError

    def cut(self, target: Target, length: int) -> Target:
        """What there is to answer where the text is cut to `length` characters."""
        return target

    def _tag(self, input: Input) -> str:
        """A name for the tags around a row that the row cannot write: it would have to hold its own hash."""
        words = self.words(input)
        if not re.search(rf"<[^\w<]*{self.kind}", words, re.IGNORECASE):
            return self.kind
        return f"{self.kind}-{hashlib.sha256(words.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}"

    def _block(self, name: str, **names: Any) -> str:
        """One block of the words, filled in."""
        template = self._template
        return "".join(template.blocks[name](template.new_context(names))).strip("\n")

    @cached_property
    def _template(self) -> Template:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        environment = Environment(
            loader=FileSystemLoader(HERE),
            autoescape=False,  # a model reads it, not a browser
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return environment.get_template(self.prompt)
