"""docs/data.md: every sample is read, and has the rows, labels and spans that it says."""

import re
from pathlib import Path

import pytest

from slmfit.data.annotated import accepted
from slmfit.data.columns import task_and_roles
from slmfit.data.layout import read_parts
from slmfit.data.load import load_rows
from slmfit.records import Source

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
SAMPLE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
SAID = re.compile(r"^`([^`\n]+)`: (\d+) rows?; (labels|entities) (.*?)(?: \((\d+) spans?\))?$", re.MULTILINE)
SAMPLES = {name: (kind, content) for kind, name, content in SAMPLE.findall(PAGE)}
TASKS = {"labels": "text-classification", "entities": "token-classification"}
FORMS = {name: (int(rows), kind, labels, int(spans or 0)) for name, rows, kind, labels, spans in SAID.findall(PAGE)}


def written(folder, name):
    """The sample of that name as the page has it."""
    kind, content = SAMPLES[name]
    if kind == "python":
        if "import datasets" in content:
            pytest.importorskip("datasets")
        exec(content, {"Path": Path})
        return Path(name)
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(content, encoding="utf-8")
    return path


def read(path):
    """The task that its columns tell, its examples, and what was noted."""
    notes = []
    parts = read_parts(path, None, None, notes)
    task, _ = task_and_roles({split: accepted(part, [], []) for split, part in parts.items()}, None, {}, [])
    rows = [row for split, part in parts.items() for row in load_rows(part, task, Source(), {}, notes, split=split)]
    return task.name, [row.example for row in rows], notes


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_as_the_page_says(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    rows, kind, labels, spans = FORMS[name]
    task, examples, _ = read(written(tmp_path, name))
    assert (task, len(examples)) == (TASKS[kind], rows)
    if kind == "labels":
        assert sorted({example.target for example in examples}) == labels.split(", ")
    else:
        found = [span for example in examples for span in example.target.spans]
        assert (sorted({span.label for span in found}), len(found)) == (labels.split(", "), spans)


def test_every_sample_is_told_of():
    assert SAMPLES.keys() == FORMS.keys()
