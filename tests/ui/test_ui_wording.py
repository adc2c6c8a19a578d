"""Messages of the command line on the page: an option is told as its field."""

from importlib.resources import files

import pytest

from slmfit.ui.wording import FIELDS, in_fields

SAID = {
    "name the column with --label NAME, or call it 'label'": (
        "name the column in the field “Column of the label”, or call it 'label'"
    ),
    "name another column with --label, or add": "name another column in the field “Column of the label”, or add",
    "name it: --column prediction=NAME": "name it: the field “Column of the answers”",
    "the column with --column text=NAME; the columns": "the column in the field “Column of the text”; the columns",
    "split by it: --group COLUMN. Until": "split by it: the field “Column of groups that stay on one side”. Until",
    "split by it: `--group 'a chat'`": "split by it: the field “Column of groups that stay on one side” ('a chat')",
    "another label (--merge 'x y=LABEL'), or": "another label (the field “Labels that are one” ('x y=LABEL')), or",
    "leave --time out, or give the test rows with --test": (
        "leave the field “Column of times” out, or give the test rows in the field “Test rows of their own”"
    ),
    "differently; `--seeds 3` says": "differently; the field “Trainings of each, with as many seeds” (3) says",
    "too high on average; `slmfit evaluate` scores a method on rows.": "too high on average.",
    "--strip html removes them; --text-pair, --labels": "--strip html removes them; --text-pair, --labels",
}


@pytest.mark.parametrize(("said", "shown"), SAID.items())
def test_an_option_is_told_as_its_field(said, shown):
    assert in_fields(said) == shown


def test_the_fields_are_those_of_the_page():
    static = files("slmfit.ui") / "static"
    page = "".join((static / name).read_text() for name in ("choose.js", "columns.js"))
    assert [words for words in FIELDS.values() if f'"{words}"' not in page] == []
