"""docs/data.md: every sample is read, and has the rows, labels and spans that it says."""

import re
from pathlib import Path

import pytest

from reading import read
from slmfit.errors import DataError

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")
SAMPLE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
SAID = re.compile(
    r"^`([^`\n]+)`(?: with `([^`\n]+)`)?: (\d+) rows?; (labels|entities) (.*?)(?: \((\d+) spans?\))?$", re.MULTILINE
)
SAMPLES = {name: (kind, content) for kind, name, content in SAMPLE.findall(PAGE)}
TASKS = {"labels": "text-classification", "entities": "token-classification"}
FORMS = {
    name: (dict(zip(asked.split()[::2], asked.split()[1::2], strict=True)), int(rows), kind, labels, int(spans or 0))
    for name, asked, rows, kind, labels, spans in SAID.findall(PAGE)
}


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


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_as_the_page_says(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    asked, rows, kind, labels, spans = FORMS[name]
    task, examples, _ = read(written(tmp_path, name), asked)
    assert (task, len(examples)) == (TASKS[kind], rows)
    if kind == "labels":
        assert sorted({example.target for example in examples}) == labels.split(", ")
    else:
        found = [span for example in examples for span in example.target.spans]
        assert (sorted({span.label for span in found}), len(found)) == (labels.split(", "), spans)


def test_every_sample_is_told_of():
    assert SAMPLES.keys() == FORMS.keys()


TOLD = {  # what the notes say of each form that is told by its shape: of all other samples they do not say it
    "what Label Studio marked": ["tasks.json", "choices.json"],
    "chats, each with one answer": ["chats.jsonl", "sharegpt.json"],
    "spaCy's Doc.to_json()": ["doc.jsonl"],
    "spaCy's categories": ["cats.jsonl"],
    "columns inside an object": [],
    "tokens are column": ["columns.conll", "train.txt", "tagged.tsv"],
    "so it is read as CoNLL": ["tagged.tsv"],
    "labels without B- and I- (IO)": ["train.txt"],
    "tags are of another scheme": ["columns.conll", "tagged.tsv"],
    "a token a row": ["words.csv"],
    "spans that count tokens": ["gliner.json", "counted.jsonl"],
    "as fastText has them": ["fasttext.txt"],
    "one object holds a table": ["columns.json", "index.json", "split.json", "lists.json", "intents.json"],
    "the splits are the lists": ["splits.json"],
    "read as JSON lines": [],
}


@pytest.mark.parametrize("name", FORMS)
def test_no_form_is_taken_for_another(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    notes = " ".join(read(written(tmp_path, name), FORMS[name][0])[2])
    assert [said for said in TOLD if said in notes] == [said for said, names in TOLD.items() if name in names]


@pytest.mark.parametrize("ending", ["txt", "csv", "tsv", "json", "jsonl", "conll", "ner"])
@pytest.mark.parametrize("name", [name for name in FORMS if SAMPLES[name][0] != "python"])
def test_under_another_name_a_form_is_read_alike_or_refused(tmp_path, name, ending):
    path = written(tmp_path, name)
    expected = [(e.input, e.target) for e in read(path, FORMS[name][0])[1]]
    other = path.rename(tmp_path / f"d.{ending}")
    try:
        found = [(e.input, e.target) for e in read(other, FORMS[name][0])[1]]
    except DataError as error:
        assert error.fix
    else:
        assert found == expected
