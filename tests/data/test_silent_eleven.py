"""What an eleventh reader found that nothing said: copies of short texts, codes by their beginning, escaped markup."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from slmfit.comparison.compare import compare
from slmfit.data import load_data
from slmfit.data.added import add_rows
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.clean import without_html
from slmfit.errors import DataError, UsageError
from slmfit.records import Entities, Prediction, Span

COMMON = [a + b for a in "ba de fi go ku la".split() for b in "ck ll mp nd rn st na ve il os".split()]  # 60 words


def text(k: int, words: int = 7) -> str:
    return " ".join(random.Random(k).sample(COMMON, words))


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [{"text": text(k), "label": "ab"[random.Random(-k).randrange(2)]} for k in range(first, first + count)]


def findings(data: Any) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in audit_dataset(data)["findings"]}


@pytest.mark.parametrize("around", ["{} \U0001f600", "please {}", "{} thank you"])
def test_short_rows_with_a_word_more_are_copies_however_common_their_words(tmp_path: Path, around: str) -> None:
    train, test = rows(0, 120), rows(500, 60)
    data = load_data(train, test=test)
    copied = [row | {"text": around.format(row["text"])} for row in test]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(map(str, copied)).replace("'", '"'))
    with pytest.raises(DataError, match="every row is a twin"):
        add_rows(data, path)
    assert findings(load_data([*train, *copied], test=test))["copies"]["count"] > 40
    assert "copies" not in findings(load_data(train, test=test))


@pytest.mark.parametrize("code", ["req-{}{:05x}", "ORD-{}{:04d}", "{}{:05x}", "#{}{:06d}"])
def test_codes_that_tell_the_label_by_how_they_begin_are_told_of(code: str) -> None:
    def made(telling: bool) -> list[dict[str, Any]]:
        draw = random.Random(1)
        found = []
        for row in rows(0, 300):
            sign = {"a": "b4", "b": "d9"}[row["label"]][code.startswith(("ORD", "#"))]
            sign = sign if telling else draw.choice("1b4d9c")
            found.append(row | {"text": f"{row['text']} {code.format(sign, draw.randrange(1000, 9999))}"})
        return found

    assert "how a code begins" in findings(load_data(made(True)))["label_in_text"]["message"]
    assert "label_in_text" not in findings(load_data(made(False)))


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("<p>use <code>&lt;div&gt;</code> here</p>", " use  <div>  here "),
        ("&lt;p&gt;use a &lt;b&gt;div&lt;/b&gt;", " use a  div "),  # a page that was escaped as a whole
        ("a &lt; b &amp; c", "a < b & c"),
        ("<b>a</b> AT amp;T", " a  AT&T"),
    ],
)
def test_escaped_markup_beside_tags_is_what_a_page_shows(given: str, plain: str) -> None:
    assert without_html(given) == plain


def test_answers_from_python_that_are_no_labels_are_invalid_as_in_a_file(tmp_path: Path) -> None:
    data = load_data(rows(0, 60))
    said = [Prediction(str(row.target).upper()) for row in data.test]
    found = compare(data, "majority", given={"gpt": said}, out=tmp_path / "out").record
    (gpt,) = (row for row in found.methods if row.id == "predictions-gpt")
    assert gpt.outcomes == {"invalid": len(said)}
    assert any("between" in caveat and "stands only case" in caveat for caveat in found.verdict.caveats)


def test_entities_from_python_that_cut_words_are_told_of_as_those_of_a_file_are(tmp_path: Path) -> None:
    marked = [{"text": f"to {text(k)}", "spans": [{"start": 3, "end": 7, "label": "X"}]} for k in range(60)]
    data = load_data([row | {"spans": [{**row["spans"][0], "end": row["text"].index(" ", 3)}]} for row in marked])
    short = [
        Prediction(Entities((Span(3, e.target.spans[0].end - 1, "X"),)))
        for e in data.test
    ]  # fmt: skip
    found = compare(data, "majority", given={"gpt": short}, out=tmp_path / "out").record.warnings
    assert any(warning.startswith("gpt: ") and "inside a word" in warning for warning in found)


def test_names_of_answers_that_would_share_a_folder_are_refused(tmp_path: Path) -> None:
    data = load_data(rows(0, 60))
    said = [Prediction(str(row.target)) for row in data.test]
    with pytest.raises(UsageError, match="would be kept in one folder"):
        compare(data, "majority", given={"gpt 4o (mini)": said, "gpt-4o-mini": said}, out=tmp_path / "out")


def marked_of(field: str, place: str, *, kind: str = "labels") -> dict[str, Any]:
    """A result of Label Studio on one of two texts."""
    value = {"start": 8, "end": 12, "text": place, "labels": ["CITY"]} if kind == "labels" else {"choices": [place]}
    return {"from_name": "tag", "to_name": field, "type": kind, "value": value}


def studio(path: Path, *fields: str, kind: str = "labels") -> Path:
    tasks = []
    for k in range(20):
        places = {"title": "Rome", "body": "Oslo"}
        result = [marked_of(field, places[field] if kind == "labels" else "ab"[k % 2], kind=kind) for field in fields]
        texts = {field: f"went to {place} on day {k}" for field, place in places.items()}
        tasks.append({"id": k, "data": texts, "annotations": [{"was_cancelled": False, "result": result}]})
    path.write_text(json.dumps(tasks))
    return path


@pytest.mark.parametrize("kind", ["labels", "choices"])
def test_of_several_texts_the_annotated_one_is_read_or_named(tmp_path: Path, kind: str) -> None:
    one = studio(tmp_path / "a.json", "title", kind=kind)
    with pytest.raises(DataError, match=r"only 'title' is annotated.*\n.*--column text=title"):
        load_data(one)
    with pytest.raises(DataError, match="only 'title' is annotated"):  # to name another column says nothing of the text
        load_data(one, columns={"label": "label"} if kind == "choices" else {"spans": "spans"})
    data = load_data(one, columns={"text": "title"})
    assert "Rome" in str(data.train[0].input) and "annotated_texts" not in str(data.source["columns"])
    both = studio(tmp_path / "b.json", "title", "body", kind=kind)
    if kind == "labels":
        with pytest.raises(DataError, match="line 1, id 0: several texts of a task are annotated: 'body', 'title'"):
            load_data(both, columns={"text": "title"})
    body = studio(tmp_path / "c.json", "body", kind=kind)
    if kind == "choices":
        assert "Oslo" in str(load_data(body).train[0].input)  # which is the one that is read anyway


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_roles_and_groups_of_entities_are_told_of(tmp_path: Path, form: str) -> None:
    spans = [{"start": 3, "end": 7, "entity": "city", "value": "Rome", "role": "to"}]
    made = [{"text": f"to Rome {text(k)}", "intent": "go", "entities": spans if k < 15 else []} for k in range(20)]
    whole = {"rasa_nlu_data": {"common_examples": made}}
    path = tmp_path / f"a.{form}"
    path.write_text("\n".join(map(json.dumps, made)) if form == "jsonl" else json.dumps(whole))
    said = "15 entities have a role or a group, such as 'to', which is not read"
    assert sum(said in note for note in load_data(path).notes) == 1


@pytest.mark.parametrize("odd", [5, {}, ["title"], None])
def test_what_is_no_name_of_a_text_says_nothing_of_it(tmp_path: Path, odd: Any) -> None:
    path = studio(tmp_path / "a.json", "title", kind="choices")
    path.write_text(path.read_text().replace('"to_name": "title"', f'"to_name": {json.dumps(odd)}'))
    assert len(load_data(path, columns={"text": "title"}).train) == 12


@pytest.mark.parametrize("odd", [5, {"a": 1}, "x"])
def test_a_cell_that_is_no_list_of_spans_is_refused_and_no_fall(tmp_path: Path, odd: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": text(k), "spans": odd if k == 3 else []}) for k in range(20)))
    with pytest.raises(DataError):
        load_data(path)
