"""Kinds of files that gave a figure without a word though it was of something else than meant."""

from __future__ import annotations

import csv
import datetime
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.comparison.compare import compare
from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.given import read_answers
from slmfit.data.layout import read_file
from slmfit.data.load import load_examples
from slmfit.data.readers.rows import read_rows
from slmfit.data.time_doubts import doubtful_times
from slmfit.data.times import moments_of
from slmfit.errors import DataError, Where
from slmfit.records import Entities, Prediction, Span
from slmfit.runs.evaluation import evaluate
from slmfit.tasks.common import label_among
from slmfit.tasks.relabelled import relabelled
from slmfit.text.garbled import mended, unescaped

WORDS = "amber azure beige black brown coral cream green ivory khaki lilac mauve ochre olive pearl rouge".split()
FIRST = datetime.datetime(2024, 11, 3, 9, 5, tzinfo=datetime.UTC)


def text(i: int) -> str:
    return f"{WORDS[i % 16]} {WORDS[i // 16 % 16]} number {i} {WORDS[i * 7 % 16]}"


def rows(count: int = 60, **columns: Any) -> list[dict[str, Any]]:
    return [{"text": text(i), "label": "ab"[i % 2], **{c: cells[i // 2 % len(cells)] for c, cells in columns.items()}}
            for i in range(count)]  # fmt: skip


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def found(data: Any) -> dict[str, str]:
    return {one["kind"]: one["message"] for one in audit_dataset(data)["findings"]}


# --- columns ---


@pytest.mark.parametrize("column", ["label_2", "category", "gold", "Label", "annotator 2", "true_label", "classes"])
def test_another_column_of_labels_is_told_of_unless_it_says_the_same(tmp_path: Path, column: str) -> None:
    said = f"'{column}' may hold labels, too, and is not used: --label"
    made = rows(**{column: "xy"})
    data = load_data(jsonl(tmp_path / "a.jsonl", made))
    assert sum(said in note for note in data.notes) == 1
    part, notes, asked = read_file(tmp_path / "a.jsonl", []), list[str](), list[str]()
    load_examples(part, data.task, data.origin, {}, notes, split="test")
    assert sum(said in note for note in notes) == 1
    load_examples(part, data.task, data.origin, {"label": "label"}, asked, split="test")
    assert not any("may hold labels" in note for note in [*asked, *load_data(made, columns={"label": "label"}).notes])
    same = [row | {column: {"a": "no", "b": "yes"}[row["label"]]} for row in made]
    free = [row | {column: f"{row['text']}."} for row in made]
    assert not any("may hold labels" in note for part in (same, free) for note in load_data(part).notes)


def test_weights_are_said_not_to_be_used() -> None:
    assert any("'weight' is not used: every row counts once" in note for note in load_data(rows(weight=[1, 5])).notes)
    assert not any("'weight'" in note for note in load_data(rows(weight=[1])).notes)


@pytest.mark.parametrize("names", [("start", "end"), ("start_offset", "end_offset"), ("begin", "end")])
def test_spans_in_rows_of_their_own_are_no_texts_in_silence(names: tuple[str, str]) -> None:
    notes = load_data(rows(**{names[0]: [0], names[1]: [5]})).notes
    assert any(f"{names[0]!r} and {names[1]!r} beside a label may be those of an entity" in note for note in notes)


def test_a_second_column_of_tags_is_told_of(tmp_path: Path) -> None:
    def notes_of(second: str) -> list[str]:
        notes: list[str] = []
        path = tmp_path / "a.conll"
        path.write_text("".join(f"{text(i).split()[0]} {second} B-NP\nsaid {second} O\n\n" for i in range(3)))
        assert len(list(read_rows(path, notes))) == 3
        return notes

    assert notes_of("B-PER")[0].endswith(
        "their tags the last (column 2 holds tags, too: --column tags=tags_2 reads those)."
    )
    assert notes_of("NN")[0].endswith("their tags the last.")


# --- rows that are none ---


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "held"])
def test_names_of_columns_between_rows_are_no_row(tmp_path: Path, form: str) -> None:
    made = rows()
    made[20:20] = [{"text": "Text", "label": " LABEL"}] * 2
    source: Any = made
    if form != "held":
        source = tmp_path / f"a.{form}"
        if form == "jsonl":
            jsonl(source, made)
        else:
            with source.open("w", newline="") as file:
                writer = csv.DictWriter(file, ["text", "label"], delimiter="\t" if form == "tsv" else ",")
                writer.writeheader()
                writer.writerows(made)
    data = load_data(source)
    assert data.task.labels == ("a", "b") and sum(map(len, data.splits.values())) == 60
    assert any("repeat the " in note and note.endswith("are left out.") for note in data.notes)
    with pytest.raises(DataError, match="holds no rows"):
        load_data([{"text": "text", "label": "label"}])


def test_sums_below_a_table_are_told_of() -> None:
    made = rows()
    made[19::20] = [{"text": "Subtotal:", "label": "a"}] * 3
    assert found(load_data(made))["sum_row"].startswith("3 of 60 texts (5.0 %) read as a table's sums are called")


# --- texts and labels that were harmed ---


def test_texts_cut_at_the_length_of_a_field_are_told_of() -> None:
    def lengths(*sizes: int) -> dict[str, str]:
        made, drawn = rows(), random.Random(0)
        for row, size in zip(made, sizes, strict=False):
            row["text"] = " ".join([row["text"], *(str(drawn.randrange(99991)) for _ in range(size))])[:size]
        return found(load_data(made))

    assert lengths(255, 255, 255)["cut_text"] == "3 of 60 texts (5.0 %) have exactly 255 characters, and none has more."
    assert "as many as a cell of Excel holds" in lengths(32_767)["cut_text"]
    assert "cut_text" not in lengths(255, 255, 255, 300) and "cut_text" not in lengths(255, 255)


@given(st.text(st.sampled_from("äöüßéèñçÅøœŠžаяЯпривет€“”’…–😀🎉 abz"), max_size=30))
def test_what_was_read_in_another_encoding_is_known(meant: str) -> None:
    read = "".join(bytes([b]).decode("cp1252", "replace").replace("\ufffd", chr(b)) for b in meant.encode())
    assert mended(read) == meant
    if "Å" not in meant:
        assert mended(meant) == meant


def test_garbled_labels_and_texts_are_told_of() -> None:
    assert mended("SÃO PAULO, NOËL, Größe, „Spaß“") == "SÃO PAULO, NOËL, Größe, „Spaß“"
    assert unescaped("R&amp;D AT&T &x; &#39;") == "R&D AT&T &x; '"
    made = [row | {"label": ("caf\u00c3\u00a9", "café", "R&amp;D")[i % 3]} for i, row in enumerate(rows())]
    assert "'R&amp;D' for 'R&D', 'cafÃ©' for 'café'" in found(load_data(made))["garbled_label"]
    made = [row | {"text": f"{row['text']} cafÃ©" if i % 2 else row["text"]} for i, row in enumerate(rows())]
    assert found(load_data(made))["garbled_text"].startswith("30 of 60 texts (50.0 %) hold letters of UTF-8")
    made = [row | {"label": f"{row['label']}\0"} if i % 3 == 0 else row for i, row in enumerate(rows())]
    assert r"'a\x00'" in found(load_data(made))["unseen_character"]


# --- times ---


def ordered(cells: list[Any]) -> bool:
    """Whether times that grow are read as growing, or refused."""
    try:
        moments = moments_of(cells, [Where("f", n, "when") for n in range(len(cells))])
    except DataError:
        return True
    return moments == sorted(moments)


def week(day: datetime.datetime) -> tuple[int, int]:
    return day.isocalendar()[:2]


FORMS = {
    "year and week without zero": lambda d: "{}{}".format(*week(d)),
    "the same as a number": lambda d: int("{}{}".format(*week(d))),
    "year and month without zero": lambda d: f"{d.year}{d.month}",
    "date without zeros": lambda d: f"{d.year}{d.month}{d.day}",
    "year.month as a number": lambda d: float(f"{d.year}.{d.month}"),
    "thousands": lambda d: (
        (n := d.toordinal() - FIRST.toordinal()) and (f"{n // 1000}.{n % 1000:03}" if n > 999 else n)
    ),
    "two and four digits": lambda d: d.year if d.day % 2 else d.year % 100,
    "ISO week": lambda d: "{}-W{:02}".format(*week(d)),
    "quarter": lambda d: f"{d.year}-Q{(d.month + 2) // 3}",
    "year and quarter": lambda d: f"{d.year}{(d.month + 2) // 3}",
    "microseconds": lambda d: int(d.timestamp() * 1e6),
}


@pytest.mark.parametrize("form", FORMS)
@given(st.integers(0, 4000), st.sampled_from([3, 5, 7, 11, 31]))
def test_times_that_grow_are_read_as_growing_or_refused(form: str, start: int, step: int) -> None:
    days = [FIRST + datetime.timedelta(days=start + step * i) for i in range(150)]
    assert ordered([str(cell) if form == "thousands" else cell for cell in map(FORMS[form], days)])


def test_a_time_of_day_without_its_day_is_refused_and_numbers_are_not() -> None:
    clock = [(FIRST + datetime.timedelta(minutes=37 * i)).strftime("%H%M") for i in range(60)]
    places = [Where("f", n) for n in range(60)]
    with pytest.raises(DataError, match="'0905' is a time of day without its day"):
        moments_of(clock, places)
    for cells in ([f"{n:04}" for n in range(60)], [f"{n:04}" for n in range(0, 600, 10)], list(range(1990, 2050))):
        assert moments_of(cells, places) == sorted(map(float, cells))
    thousands = ["950", "1.000", "1.050", "999"]
    with pytest.raises(DataError, match=r"line 1: '1.000' is a number with a point for its thousands"):
        moments_of(thousands, places[:4])
    assert moments_of(["0.125", "1.500", "13.250"], places[:3]) == [0.125, 1.5, 13.25]


def test_times_whose_order_is_doubtful_are_told_of() -> None:
    def hours(form: str) -> list[str]:
        return [(FIRST + datetime.timedelta(hours=i)).strftime(form) for i in range(60)]

    assert not [*doubtful_times("when", hours("%Y-%m-%dT%H:%M"))]
    assert "where am and pm were lost" in next(doubtful_times("when", hours("%Y-%m-%d %I:%M")))
    assert "begins anew" in next(doubtful_times("order_month", [1, 12, "3"]))
    assert not [*doubtful_times("month", ["2025-01", "2025-02"])] and not [*doubtful_times("week", [1, 54])]
    assert "larger for what is earlier" in next(doubtful_times("days_ago", [1, 2]))
    for never in ("9999-12-31", "1970-01-01", "1900-01-01T00:00:00", 9999999999):
        real = [1730000000, 1730500000] if isinstance(never, int) else ["2025-01-01", "2025-02-01"]
        assert f"1 row has a time that programs write where there is none: '{never}'" in next(
            doubtful_times("when", [*real, never])
        )
    assert not [*doubtful_times("when", ["1970-01-01"] * 3)]
    data = load_data([row | {"month": i % 12} for i, row in enumerate(rows())], time="month")
    assert any("begins anew" in note for note in data.notes)


# --- labels that are called otherwise ---


@given(st.permutations("abcd"), st.integers(0, 3))
def test_labels_under_each_others_names_are_known(order: list[str], wrong: int) -> None:
    truth = list("abcd" * 10)
    other = dict(zip("abcd", order, strict=True))
    answers = [Prediction(other[true]) for true in truth]
    answers[:wrong] = [Prediction("a")] * wrong
    told = relabelled(truth, answers)
    moved = sum(one != two for one, two in other.items())
    assert bool(told) == (moved > 1)
    assert all(f"{one!r} where it is {two!r}" in told for one, two in other.items() if one != two)
    assert relabelled(truth, [Prediction(None, "invalid")] * 40) == relabelled(truth, [Prediction("a")] * 40) == ""


def test_a_test_file_with_its_labels_exchanged_is_told_of_by_every_verb(tmp_path: Path) -> None:
    def marked(numbers: range, labels: str) -> list[dict[str, str]]:
        return [{"text": f"{('bad', 'good')[i % 2]} {text(i)}", "label": labels[i % 2]} for i in numbers]

    data = load_data(marked(range(90), "01"), test=marked(range(500, 560), "10"))
    counted = [{"text": e.input, "prediction": {"0": "1", "1": "0"}[str(e.target)]} for e in data.test]
    answers = read_answers(jsonl(tmp_path / "gpt.jsonl", counted), data)
    result = compare(data, "majority,linear", given={"gpt": answers}, out=tmp_path / "o")
    said = "'1' where it is '0', '0' where it is '1'; read so, 60 of 60 would be right in place of 0"
    told = [one for one in result.record.verdict.caveats if said in one]
    assert [one.partition(":")[0] for one in told] == ["linear", "predictions-gpt"]
    run = result.runs["linear"]
    notes = evaluate(run, marked(range(600, 640), "10")).details["notes"]
    assert any("'0' where it is '1'" in note for note in notes)
    assert not any("where it is" in note for note in evaluate(run, marked(range(600, 640), "01")).details["notes"])


def test_true_and_false_are_1_and_0_where_there_are_no_others() -> None:
    for word, labels, meant in (("True", ("0", "1"), "1"), ("false", ("0", "1"), "0"), ("1", ("False", "True"), "True"),
                                ("0.0", ("false", "true"), "false"), ("true", ("0", "1", "2"), None),
                                ("yes", ("0", "1"), None)):  # fmt: skip
        assert label_among(word, labels) == meant


# --- answers ---


def test_other_columns_of_answers_are_told_of(tmp_path: Path) -> None:
    data = load_data(rows())
    made = [{"text": e.input, "pred": "a", "pred_v2": e.target, "label": e.target, "why": "b or so"} for e in data.test]
    notes: list[str] = []
    read_answers(jsonl(tmp_path / "a.jsonl", made), data, notes=notes)
    assert "a.jsonl: 'pred_v2' holds answers, too; --column prediction=pred_v2 reads them." in notes
    read_answers(tmp_path / "a.jsonl", data, notes=(asked := []), columns={"prediction": "pred"})
    assert not any("holds answers" in note for note in asked)


def test_answers_that_were_sorted_before_they_were_counted_are_told_of(tmp_path: Path) -> None:
    data = load_data(rows(90), test=rows(30))
    for answers, told in (
        (sorted(str(e.target) for e in data.test), True),
        ([str(e.target) for e in data.test], False),
    ):
        made = [{"id": n, "prediction": answer} for n, answer in enumerate(answers, 1)]
        notes: list[str] = []
        read_answers(jsonl(tmp_path / "a.jsonl", made), data, notes=notes)
        assert any("the answers stand sorted" in note for note in notes) == told


# --- and what their readers found beside ---


def test_a_file_of_test_rows_keeps_to_its_own_column_of_splits() -> None:
    cells = ["test", "validation", "train"]
    later = [{"text": text(i + 500), "label": "ab"[i % 2], "split": cells[i % 3]} for i in range(45)]
    data = load_data(rows(), test=later)
    assert len(data.test) == 15 and "test: 30 rows are not test by the column 'split', and left out." in data.notes


@pytest.mark.parametrize(("one", "two"), [("subject", "body"), ("title", "text"), ("Headline", "content")])
def test_texts_beside_the_one_that_is_read_are_told_of(one: str, two: str) -> None:
    made = [{one: text(i + 90), two: text(i), "label": "ab"[i % 2]} for i in range(60)]
    said = f"the texts in {one!r} are not used: --column text={one} --column text_pair={two} reads both."
    assert any(note.endswith(said) for note in load_data(made).notes)
    both = load_data(made, columns={"text": one, "text_pair": two})
    assert not any("are not used" in note for note in both.notes) and "\n" in str(both.train[0].input)
    assert not any("are not used" in note for note in load_data([row | {one: "a title"} for row in made]).notes)


@pytest.mark.parametrize(("change", "kind"), [
    (lambda words: f"{words} caf\ufffd", "lost_letter"), (lambda words: f"{words} caf\\u00e9", "escaped_text"),
    (lambda words: f"b'{words}'", "escaped_text"), (lambda words: "[removed]", "no_text"),
])  # fmt: skip
def test_texts_that_programs_changed_are_told_of(change: Any, kind: str) -> None:
    assert kind in found(load_data([row | {"text": change(row["text"])} if n % 3 else row
                                    for n, row in enumerate(rows())]))  # fmt: skip


@pytest.mark.parametrize("change", [lambda words: f'"{words}"', lambda words: f"{words} ", lambda words: f"> {words}"])
def test_a_sign_at_an_edge_of_texts_that_tells_the_label_is_told_of(change: Any) -> None:
    made = [row | {"text": change(row["text"])} if row["label"] == "b" else row for row in rows(90)]
    assert "tells the label" in found(load_data(made))["label_in_text"]
    made = [row | {"text": change(row["text"])} if n % 3 else row for n, row in enumerate(rows(90))]
    assert "label_in_text" not in found(load_data(made))


@pytest.mark.parametrize(("labels", "kind"), [
    (("1-5", "05-Jan"), "spreadsheet_label"), (("100000", "1E+05"), "spreadsheet_label"),
    (("b", "b\ufffd"), "garbled_label"), (("Größe", "Groesse"), "label_twins"),
])  # fmt: skip
def test_labels_that_a_spreadsheet_or_an_encoding_changed_are_told_of(labels: tuple[str, str], kind: str) -> None:
    assert repr(labels[1]) in found(load_data([row | {"label": labels[n % 2]} for n, row in enumerate(rows())]))[kind]


def test_entity_types_under_each_others_names_are_known() -> None:
    truth = [Entities((Span(0, 2, "PER"), Span(3, 5, "LOC")))] * 20
    exchanged = [Prediction(Entities((Span(0, 2, "LOC"), Span(3, 5, "PER"))))] * 20
    assert "'LOC' where it is 'PER'; read so, 40 of 40 would be right" in relabelled(truth, exchanged)
    assert relabelled(truth, [Prediction(entities) for entities in truth]) == ""
    assert relabelled(truth, [Prediction(Entities((Span(0, 3, "LOC"),)))] * 20) == ""


# --- questions and groups ---


def asked(i: int, **more: Any) -> dict[str, Any]:
    return {"question": text(i), "options": [f"{colour} {i}" for colour in WORDS[:5]], **more}


@pytest.mark.parametrize(("count", "first"), [(15, 1), (15, 0), (4, 1)])
def test_positions_of_which_none_is_0_are_doubted(count: int, first: int) -> None:
    data = load_data([asked(i, answer=i % 5) for i in range(60)],
                     test=[asked(i, answer=first + i % 4) for i in range(500, 500 + count)])  # fmt: skip
    [note] = [note for note in data.notes if note.startswith("test: answers that are numbers")]
    assert (f"none of {count} is 0, so if they count from 1, say --column answer_number=NAME" in note) == (
        first == 1 and count > 5
    )


def test_a_label_that_is_another_option_than_the_answer_is_told_of() -> None:
    def notes(**more: Any) -> list[str]:
        made = [asked(i, answer="ABCDE"[i % 5], **{name: cell(i) for name, cell in more.items()}) for i in range(60)]
        return [note for note in load_data(made).notes if "another option" in note]

    [note] = notes(label=lambda i: (i + 1) % 5)
    assert "60 of 60 questions (100.0 %) name another option in 'label' than in 'answer', which is read" in note
    assert not notes(label=lambda i: i % 5) and not notes(label=lambda i: ["easy", 1][i % 2])


def test_an_answer_in_a_list_is_that_one_and_several_are_refused() -> None:
    data = load_data([asked(i, answer=["ABCDE"[i % 5]]) for i in range(60)])
    assert data.task.labels == tuple("ABCDE")
    with pytest.raises(DataError, match=r"\['A', 'B'\] is several answers"):
        load_data([asked(i, answer=["A", "B"]) for i in range(60)])


def test_groups_of_one_row_each_keep_nothing_together_and_nan_is_none() -> None:
    how = load_data([row | {"user": f"u{n}"} for n, row in enumerate(rows())], group="user").source["split"]
    assert how.endswith("rows of the same 'user' in the same split, but no two rows have the same 'user'.")
    with pytest.raises(DataError, match="line 8, column 'user': this row has no group"):
        load_data([row | {"user": float("nan") if n % 9 == 7 else n % 9} for n, row in enumerate(rows())], group="user")
