"""Entities in every form they come in: what each writes, it reads; what does not fit is told with file and line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.data import load_data
from slmfit.data.readers.rows import rows_from
from slmfit.errors import DataError
from slmfit.records import Entities, Example, Span
from slmfit.tasks.spans import join_tokens, spans_from_tags, tags_from_spans
from slmfit.tasks.tagging import TokenClassification
from slmfit.tasks.words import words_from_spans

TASK = TokenClassification()
Row = tuple[str, Entities]

# emoji with a joiner and a skin tone, combining marks, right-to-left, tabs, line ends, no-break space, hashtags
PIECES = [
    "\U0001f469\u200d\U0001f680",
    "\U0001f44d\U0001f3fd",
    "e\u0301",
    "\u0301",
    "שָׁלוֹם",
    "مرحبا",
    "東京",
    "\t",
    "\r\n",
]
PIECES += ["\n", "\xa0", "\u2028", " ", "\ufeff"]
PIECES += ["a", "ab", "1", "10", ".", "-", "#", "#ff", "O", "B-X", "I-X", '"', "\\", "-DOCSTART-"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
LABELS = st.sampled_from(["CITY", "DATE", "creative-work", "B-X", "toloc.city_name", "ville d’été"])
INTENTS = st.none() | st.sampled_from(["book", "atis_flight#atis_airfare", "größer"])
PLAIN = TEXTS.map(lambda text: "".join(c for c in text if c not in " \t\r\n\0"))
TOKENS = st.lists(PLAIN.filter(bool), min_size=1, max_size=8)


@st.composite
def texts(draw: st.DrawFn) -> Row:
    """Any text, with spans anywhere."""
    text = draw(TEXTS)
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return text, Entities(tuple(Span(a, b, draw(LABELS)) for a, b in pairs if a < b), draw(INTENTS))


@st.composite
def joined(draw: st.DrawFn) -> Row:
    """A text that its tokens make up, with single spaces between: all that files of columns can say."""
    text, offsets = join_tokens(draw(TOKENS))
    labels = draw(st.lists(LABELS, min_size=1, max_size=2))
    tags = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BI" for label in labels)])
    chosen = draw(st.lists(tags, min_size=len(offsets), max_size=len(offsets)))
    return text, Entities(tuple(spans_from_tags(chosen, offsets)[0]), draw(INTENTS))


def read(data: str, kind: str, crlf: bool = False) -> list[Row]:
    """What the reader of that ending and the task make of a file."""
    stream = io.BytesIO((data.replace("\n", "\r\n") if crlf else data).encode())
    found = [TASK.parse(row, where, "") for where, row in rows_from(stream, "rows", kind, [])]
    return [(str(e.input), e.target) for e in found if isinstance(e.target, Entities)]


def pieces(text: str, spans: Sequence[Span]) -> tuple[list[str], list[tuple[int, int]]]:
    """The text cut at every edge of a span and around white space: tokens that tile it, with their places."""
    cuts = {0, len(text), *(edge for span in spans for edge in (span.start, span.end))}
    cuts |= {i + k for i, character in enumerate(text) if character.isspace() for k in (0, 1)}
    places = list(zip(sorted(cuts), sorted(cuts)[1:], strict=False))
    return [text[a:b] for a, b in places], places


def lines(rows: Sequence[Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def with_intent(row: dict[str, Any], target: Entities) -> dict[str, Any]:
    return row if target.intent is None else {**row, "intent": target.intent}


# --- forms that hold the text: any text, any span ---


def our_own(rows: Sequence[Row]) -> tuple[str, str]:
    return lines([TASK.unparse(Example("1", text, target)) for text, target in rows]), "jsonl"


def spacy(rows: Sequence[Row]) -> tuple[str, str]:
    known = [(text, [[s.start, s.end, s.label] for s in target.spans], target) for text, target in rows]
    return json.dumps([[text, with_intent({"entities": spans}, target)] for text, spans, target in known]), "json"


def spacy_lines(rows: Sequence[Row]) -> tuple[str, str]:
    return lines(json.loads(spacy(rows)[0])), "jsonl"


def annotations(rows: Sequence[Row]) -> tuple[str, str]:
    return json.dumps({"classes": ["CITY"], "annotations": json.loads(spacy(rows)[0])}, indent=1), "json"


def tokens_and_tags(rows: Sequence[Row]) -> tuple[str, str]:
    written = []
    for text, target in rows:
        tokens, places = pieces(text, target.spans)
        row = {"text": text, "tokens": tokens, "tags": tags_from_spans(target.spans, places)}
        written.append(with_intent(row, target))
    return lines(written), "jsonl"


def numbered_tags(rows: Sequence[Row]) -> tuple[str, str]:
    written = [json.loads(line) for line in tokens_and_tags(rows)[0].split("\n") if line]
    names = sorted({tag for row in written for tag in row["tags"]})
    for row in written:
        row |= {"ner_tags": [names.index(tag) for tag in row.pop("tags")], "tag_names": names}
    return lines(written), "jsonl"


def in_csv(rows: Sequence[Row]) -> tuple[str, str]:
    import csv

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["text", "spans"])
    for text, target in rows:
        writer.writerow([text, json.dumps([[s.start, s.end, s.label] for s in target.spans])])
    return out.getvalue(), "csv"


@pytest.mark.parametrize("write", [our_own, spacy, spacy_lines, annotations, tokens_and_tags, numbered_tags])
@given(rows=st.lists(texts(), min_size=1, max_size=3))
def test_what_is_written_is_read_whatever_the_text(
    write: Callable[[Sequence[Row]], tuple[str, str]], rows: list[Row]
) -> None:
    data, kind = write(rows)
    assert read(data, kind) == rows
    again = read(data, kind)
    for other in (our_own, spacy, tokens_and_tags):  # and from there to every other form
        assert read(*other(again)) == rows


@given(rows=st.lists(texts(), min_size=1, max_size=3))
def test_lists_in_csv_are_written_as_json(rows: list[Row]) -> None:
    rows = [(text.replace("\0", ""), target) for text, target in rows if "\0" not in text and "\r" not in text]
    bare = [(text, Entities(target.spans)) for text, target in rows if text.strip()]
    if bare:
        assert read(*in_csv(bare)) == bare


@given(rows=st.lists(texts(), min_size=1, max_size=3))
def test_words_are_read_as_the_spans_they_tell(rows: list[Row]) -> None:
    told = []
    for text, target in rows:
        try:
            words = words_from_spans(text, target.spans)
        except ValueError:
            continue
        told.append((text, target, [{"word": word, "label": tag} for word, tag in words]))
    written = [with_intent({"text": text, "labels": labels}, target) for text, target, labels in told]
    if written:
        assert read(lines(written), "jsonl") == [(text, target) for text, target, _ in told]


# --- forms of columns: the text is its tokens, single spaces between ---


def conll(rows: Sequence[Row], between: str = "\t") -> str:
    blocks = []
    for text, target in rows:
        tokens = text.split(" ")
        tags = tags_from_spans(target.spans, join_tokens(tokens)[1])
        said = [] if target.intent is None else [f"# intent = {target.intent}"]
        blocks.append("\n".join([*said, *(f"{token}{between}{tag}" for token, tag in zip(tokens, tags, strict=True))]))
    return "\n\n".join(blocks) + "\n"


def _is_mark(token: str) -> bool:
    """What means something else at the start of a line or a file: a new document, a byte order mark."""
    return token.startswith(("-DOCSTART-", "\ufeff"))


def _counts(tokens: list[str]) -> bool:
    return tokens == [str(n) for n in range(1, len(tokens) + 1)]


BETWEEN = st.sampled_from(["\t", " ", "\tNN\t"])


@given(rows=st.lists(joined(), min_size=1, max_size=4), crlf=st.booleans(), between=BETWEEN)
def test_conll_columns_are_read_as_they_are_written(rows: list[Row], crlf: bool, between: str) -> None:
    rows = [(text, target) for text, target in rows if not any(map(_is_mark, text.split(" ")))]
    if between == " ":  # a label with a space in it needs tabs
        rows = [(t, target) for t, target in rows if not any(" " in span.label for span in target.spans)]
    if between == "\tNN\t":  # a first text that counts is taken for a column that does, and that is said
        rows = rows if rows and not _counts(rows[0][0].split(" ")) else []
    if rows:
        assert read(conll(rows, between), "conll", crlf) == rows
        assert read(*our_own(rows)) == rows == read(*tokens_and_tags(rows))


@given(rows=st.lists(joined(), min_size=1, max_size=4), crlf=st.booleans())
def test_three_files_are_read_as_they_are_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], crlf: bool
) -> None:
    rows = [(text, target) for text, target in rows if not any(" " in span.label for span in target.spans)]
    rows = [(text, Entities(target.spans, target.intent or "none")) for text, target in rows if not _is_mark(text)]
    if not rows:
        return
    folder = three_files(tmp_path_factory.mktemp("slots"), rows, "\r\n" if crlf else "\n")
    from slmfit.data.readers.slots_reader import read_slots

    part = read_slots(folder)
    assert [(e.input, e.target) for e in (TASK.parse(row, where, "") for where, row in part.rows)] == rows


def three_files(folder: Path, rows: Sequence[Row], end: str = "\n") -> Path:
    folder.mkdir(exist_ok=True)
    tags = [tags_from_spans(target.spans, join_tokens(text.split(" "))[1]) for text, target in rows]
    columns = {"seq.in": [text for text, _ in rows], "seq.out": map(" ".join, tags)}
    columns["label"] = [str(target.intent) for _, target in rows]
    for name, cells in columns.items():
        (folder / name).write_bytes("".join(cell + end for cell in cells).encode())
    return folder


# --- whole files and folders ---

SOME: list[Row] = [
    (f"fly {i} to {city} on {day}", Entities((Span(len(f"fly {i} to "), len(f"fly {i} to {city}"), "CITY"),), intent))
    for i, (city, day, intent) in enumerate(
        (c, d, n) for c in ("Rome", "Oslo", "Lima", "Kyiv") for d in ("Monday", "Friday") for n in ("book", "cancel")
    )
]


def test_jointberts_folder(tmp_path: Path) -> None:
    for name, rows in {"train": SOME[:10], "dev": SOME[10:12], "test": SOME[12:]}.items():
        three_files(tmp_path / name, rows)
    (tmp_path / "intent_label.txt").write_text("UNK\nbook\n")
    data = load_data(tmp_path)
    assert [(e.input, e.target) for e in data.test] == SOME[12:]
    assert (len(data.train), len(data.validation), data.task.labels) == (10, 2, ("CITY",))
    assert data.notes[0].endswith("read seq.in, seq.out and label of train as train, dev as validation, test as test.")
    assert len({file["sha256"] for file in data.source["files"]}) == 3
    one = load_data(tmp_path / "train", test=None)
    assert len(one.train) + len(one.validation) + len(one.test) == 10


def test_jointberts_folders_without_one_to_train_on(tmp_path: Path) -> None:
    for name in ("dev", "test"):
        three_files(tmp_path / name, SOME)
    with pytest.raises(DataError, match=r"no folder here is named train \(found: dev, test\)"):
        load_data(tmp_path)
    data = load_data(tmp_path / "dev", test=tmp_path / "test")
    assert [(e.input, e.target) for e in data.test] == SOME


def test_rows_with_an_intent_alone_are_told_of(tmp_path: Path) -> None:
    rows = [{"text": f"fly {i} to Rome", "intent": "book", "spans": [[0, 3, "X"]]} for i in range(12)]
    del rows[4]["spans"]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    notes = load_data(tmp_path / "train.jsonl").notes
    assert any("says nothing of entities and counts as having none: line 5 book" in note for note in notes)


def test_a_folder_of_conll_files(tmp_path: Path) -> None:
    for name, rows in {"train.conll": SOME[:10], "dev.iob2": SOME[10:12], "test.bio": SOME[12:]}.items():
        (tmp_path / name).write_text("-DOCSTART- -X- O O\n\n" + conll(rows, " NN I-NP ").replace("= ", "= "))
    data = load_data(tmp_path)
    assert [(e.input, e.target) for e in data.test] == SOME[12:]
    assert any("tokens are column 1 of 4, their tags the last" in note for note in data.notes)


def test_universal_columns_that_count_and_comment(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    blocks = [f"# id = {c}\n# text = {c} in Rome.\n1\t{c}\tO\n2\tin\tO\n3\tRome\tB-CITY\n4\t.\tO\n\n" for c in "abcdef"]
    path.write_text("".join(blocks))
    data = load_data(path)
    assert data.train[0].input.endswith(" in Rome.")  # type: ignore[union-attr]
    assert data.train[0].target == Entities((Span(5, 9, "CITY"),))


def test_class_names_of_lists_in_parquet(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    feature = {"feature": {"names": ["O", "B-CITY", "I-CITY"], "_type": "ClassLabel"}, "_type": "List"}
    told = json.dumps({"info": {"features": {"ner_tags": feature, "tokens": {"_type": "List"}}}})
    rows = {"tokens": [["to", "New", f"York{i}"] for i in range(8)], "ner_tags": [[0, 1, 2]] * 8}
    path = tmp_path / "train.parquet"
    pl.DataFrame(rows).write_parquet(path, metadata={"huggingface": told})
    data = load_data(path)
    assert data.train[0].target.spans[0].label == "CITY"  # type: ignore[union-attr]


# --- what does not fit ---


OVERLAP = '{"text": "abc", "spans": [[0, 2, "X"], [1, 3, "X"]]}'
PAST = '{"text": "a", "spans": []}\n{"text": "a", "spans": [[0, 2, "X"]]}'


@pytest.mark.parametrize(
    ("name", "content", "says", "fix"),
    [
        ("a.conll", "a\tO\nb\n", "line 2: this line has 1 column, but the first line has 2", "as many"),
        ("a.conll", "a\nb\n", "line 1: this line has one column", "a token and its tag"),
        ("a.conll", "\na O\nb X-E\n", "line 3: 'X-E' is no BIO tag", "those of BIOES, BILOU and IO are read"),
        ("a.conll", "a B-X\nb CITY\n", "line 2: 'CITY' is no BIO tag", "an entity starts"),
        ("a.conll", "# only\n# comments\n", "holds no rows", "at least one row"),
        ("a.conll", "# text = a b\nx O\n", "line 1, column 'tokens': token 'x' does not go on the text", "make up"),
        ("a.jsonl", PAST, "line 2, column 'spans': span 1, 0 to 2, is outside of the text", "code points"),
        ("a.jsonl", OVERLAP, "line 1, column 'spans': the spans 0–2 X and 1–3 X overlap", "keep one"),
        ("a.jsonl", '{"tokens": ["a"], "tags": []}', "line 1, column 'tags': there are 0 tags for 1 tokens", "one tag"),
        ("a.json", '[["a", {"entities": [[0, 9, "X"]]}]]', "line 1, column 'entities': span 1, 0 to 9", "code points"),
        (
            "a.jsonl",
            '{"tokens": ["a"], "ner_tags": [1]}',
            "line 1, column 'ner_tags': the tag 1 is a number",
            "tag_names",
        ),
        (
            "a.jsonl",
            '{"tokens": ["a"], "tags": ["O"]}\n' * 9,
            "no row of train has an entity or an intent",
            "mark some",
        ),
    ],
)
def test_bad_rows_are_told_with_file_and_line(tmp_path: Path, name: str, content: str, says: str, fix: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert says in str(caught.value)
    assert fix in str(caught.value.fix)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ({"seq.out": "O O\nO\n"}, "seq.out, line 2: there are 1 tags for 2 words"),
        ({"seq.out": "O O\nO X-S\n"}, "seq.out, line 2, column 'tags': 'X-S' is no BIO tag"),
        ({"label": "x\n"}, "label: has 1 lines, and seq.in has 2"),
        ({"label": "x\n \n"}, "label, line 2: the intent is empty"),
        ({"seq.in": "", "seq.out": "", "label": ""}, "seq.in: holds no rows"),
    ],
)
def test_three_files_that_do_not_go_together(tmp_path: Path, harm: dict[str, str], says: str) -> None:
    files = {"seq.in": "a b\nc d\n", "seq.out": "B-X O\nO O\n", "label": "x\ny\n"} | harm
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=says):
        load_data(tmp_path)


def test_the_command_ends_with_3_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("a\tO\nb\n")
    command = [sys.executable, "-m", "slmfit", "explore", str(tmp_path / "a.conll")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3
    assert "line 2" in done.stderr and "fix:" in done.stderr and "Traceback" not in done.stderr
