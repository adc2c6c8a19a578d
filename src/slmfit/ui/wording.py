"""What the command line says of its options, in the words of the page: its fields.

in_fields("name the column with --label NAME")      # "name the column in the field “Column of the label”"
"""

from __future__ import annotations

import re

# option -> the field's label, as static/choose.js and static/columns.js have it
FIELDS = {
    "text": "Column of the text",
    "label": "Column of the label",
    "prediction": "Column of the answers",
    "group": "Column of groups that stay on one side",
    "time": "Column of times",
    "test": "Test rows of their own",
    "augment": "Rows to learn from beside",
    "merge": "Labels that are one",
    "predictions": "File of answers",
    "budget": "Minutes in all",
    "max-usd": "Dollars for servers",
    "base-url": "Server of llm",
    "prefer": "What smallest means",
    "seeds": "Trainings of each, with as many seeds",
}
_VALUE = r"'[^']*'|(?!out\b|or\b|and\b)[^\s,;`)]*[^\s,;`).]"
_OPTION = re.compile(rf"(with )?`?--(?:column )?({'|'.join(FIELDS)})(?![\w-])(?:[ =]({_VALUE}))?`?")
_PLACEHOLDER = re.compile(r"[A-Z]+(=[A-Z]+)?")
_VERB = re.compile(r"; `slmfit [^`]*`[^;.]*")  # what else the command line could do


def in_fields(text: str) -> str:
    """The text with each option as the field that stands for it, and its value; options without one stay."""
    return _OPTION.sub(_field, _VERB.sub("", text))


def _field(found: re.Match[str]) -> str:
    before, option, value = found.groups()
    words = f"{'in ' if before else ''}the field “{FIELDS[option]}”"
    return words if value is None or _PLACEHOLDER.fullmatch(value) else f"{words} ({value})"
