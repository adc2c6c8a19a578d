"""Columns beside those that are used, by whose names a file says more than is read of it.

list(unused(part, task, {"text": "text", "label": "label"}, {}))
# ["a.csv: the column 'label_2' may hold labels, too, and is not used: --label label_2 reads it."]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from shlex import quote

from slmfit.data.columns import columns_of
from slmfit.data.label_cells import is_number
from slmfit.data.readers.rows import Part
from slmfit.data.unannotated import OF_STUDIO
from slmfit.tasks.base import Task
from slmfit.text.figures import listed

_LABEL = re.compile(
    r"(gold|true|truth|final|majority|annotators?|annotation|rater|coder|human|manual|expert|reviewed|corrected|original"
    r"|weak|noisy|clean|silver|llm|gpt|model|predicted)?[ _-]?"
    r"(label|class|category|intent|topic|sentiment|stance|polarity|emotion|target|annotation|classe|categorie)s?"
    r"([ _-]?[a-z0-9])?"
    r"|(gold|truth|annotator|rater|coder)([ _-]?\d+)?",
    re.IGNORECASE,
)
_WEIGHT = {"weight", "weights", "sample_weight", "freq", "frequency", "count", "counts", "occurrences", "n_times"}
_TITLES = {"title", "subject", "headline", "heading", "summary", "description", "short_description", "abstract", "body"}
# Texts that one is read beside, often one for several; and what in a text a label may be about.
_BESIDE = {"context", "history", "previous", "previous_text", "parent", "parent_text", "parent_comment", "conversation",
           "dialogue", "passage", "paragraph", "evidence", "quoted_text", "reply_to", "claim", "query", "prompt",
           "hypothesis", "premise", "text2", "sentence2"}  # fmt: skip
_ABOUT = {"aspect", "aspect_term", "aspect_category", "term", "entity", "event", "target", "opinion_target", "keyword"}
_TWO_VALUED = {"0", "1", "true", "false", "yes", "no", "y", "n", "t", "f"}  # of any property, not of the label alone
_SENTENCE = 4  # words of letters only, on average: fewer are names and times
MOST_SHARE = 0.5  # different values to a row: with more, no column of labels


def unused(part: Part, task: Task, roles: Mapping[str, str], asked: Mapping[str, str]) -> Iterator[str]:
    """A sentence on each kind. asked: role -> column, as the user says; what is named there is meant."""
    lifted = {column.rpartition(".")[2] for column in roles.values()}  # `body`, which is `data.body` by another name
    columns = [column for column in columns_of(part) if column not in roles.values() and column not in lifted]
    if task.classifies and "label" not in asked:
        label = roles["label"]
        used = {str(cells.get(label)) for _, cells in part.rows}
        named = [c for c in columns if _LABEL.fullmatch(c) or _says_the_same(part, c, used)]
        if others := [c for c in named if _are_labels(part, c, label)]:
            verb, them = ("is", "it") if len(others) == 1 else ("are", "one of them")
            yield (
                f"{part.file}: {listed(others)} may hold labels, too, and {verb} not used: --label {quote(others[0])} "
                f"reads {them}, in place of {label!r}."
            )
    if task.marks and "spans" in roles:
        yield from _more_of_spans(part, roles["spans"])
    if task.marks and "intent" not in roles:
        named = [c for c in columns if _LABEL.fullmatch(c) and c not in OF_STUDIO and _are_labels(part, c, "")]
        if named:
            yield (
                f"{part.file}: the column {named[0]!r} may say what each text is about, and is not used: --column "
                f"intent={quote(named[0])} reads it beside the entities, --task text-classification without them."
            )
    one_text = task.classifies and not task.texts and "text" not in asked
    if titles := [c for c in columns if one_text and _are_texts_beside(part, c)]:
        yield (
            f"{part.file}: the texts in {titles[0]!r} are not used: --column text={quote(titles[0])} "
            f"--column text_pair={quote(roles['text'])} reads both."
        )
    if about := [c for c in columns if one_text and not titles and c.lower() in _ABOUT and _differ(part, c)]:
        yield (
            f"{part.file}: the column {about[0]!r} is not used: if labels are about it, --column "
            f"text={quote(about[0])} --column text_pair={quote(roles['text'])} reads both."
        )
    if weights := [c for c in columns if c.lower() in _WEIGHT and _differ(part, c)]:
        yield f"{part.file}: the column {weights[0]!r} is not used: every row counts once."


def _more_of_spans(part: Part, column: str) -> Iterator[str]:
    """That entities have a role or a group beside their label, as Rasa has it."""
    lists = (cell for _, cells in part.rows if isinstance(cell := cells.get(column), list))
    spans = (item for cell in lists for item in cell if isinstance(item, Mapping))
    kinds = [{key: item[key] for key in ("role", "group") if item.get(key)} for item in spans]
    if more := [kind for kind in kinds if kind]:
        names = list(dict.fromkeys(str(value) for kind in more for value in kind.values()))
        said = "1 entity has" if len(more) == 1 else f"{len(more):,} entities have"
        yield (
            f"{part.file}: {said} a role or a group, such as {listed(names, 2)}, which is not read: write it into the "
            "label (city:from) where it matters."
        )


def _are_labels(part: Part, column: str, label: str) -> bool:
    """Whether cells are names of several rows, and not those of the labels that are used, one for one."""
    pairs = {(str(cells.get(label)), str(cells[column])) for _, cells in part.rows if cells.get(column) is not None}
    names, used = {name for _, name in pairs}, {known for known, _ in pairs}
    return 1 < len(names) <= MOST_SHARE * len(part.rows) and not len(pairs) == len(names) == len(used)


def _says_the_same(part: Part, column: str, labels: Set[str]) -> bool:
    """Whether all cells are labels, and these no answers to any question."""
    cells = {str(cell) for _, row in part.rows if (cell := row.get(column)) not in (None, "")}
    return cells <= labels and not {cell.lower() for cell in cells} <= _TWO_VALUED and not any(map(is_number, cells))


def _are_texts_beside(part: Part, column: str) -> bool:
    """Whether most cells are texts of several words, and hardly one is as another, but where the name says so."""
    cells = [cell for _, row in part.rows if isinstance(cell := row.get(column), str) and " " in cell.strip()]
    if column.lower() in _BESIDE:
        return len(cells) > MOST_SHARE * len(part.rows) and len(set(cells)) > 1
    enough = len(set(cells)) > MOST_SHARE * len(part.rows)
    return enough and (column.lower() in _TITLES or sum(map(_words, cells)) >= _SENTENCE * len(cells))


def _words(cell: str) -> int:
    return sum(map(str.isalpha, cell.split()))


def _differ(part: Part, column: str) -> bool:
    return len({str(cells.get(column)) for _, cells in part.rows}) > 1
