"""Files that were read with a guess that nobody said: what a seventh reader of the project had to look up."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from slmfit.comparison.compare import train
from slmfit.comparison.remarks import remarks
from slmfit.data import load_data
from slmfit.data.audit.audit import audit_dataset
from slmfit.data.time_doubts import doubtful_times
from slmfit.errors import DataError
from slmfit.generating import generate
from slmfit.records import Prediction
from slmfit.runs.evaluation import evaluate
from slmfit.tasks.classification import TextClassification

WORDS = [a + b for a in "ba de fi go ku la me ni po ra".split() for b in "ck ll mp nd rn st".split()]


def text(k: int, words: int = 9) -> str:
    return " ".join(random.Random(k).sample(WORDS, words))


def rows(count: int = 60, **columns: Any) -> list[dict[str, Any]]:
    return [{"text": text(k), "label": "ab"[k % 2], **{c: cells[k % len(cells)] for c, cells in columns.items()}}
            for k in range(count)]  # fmt: skip


def findings(data: Any) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in audit_dataset(data)["findings"]}


# --- labels ---


@pytest.mark.parametrize("cells", [(1, "1", True, 0, False, "0"), ("true", "1", "False", "0"), (True, 0)])
def test_true_and_1_in_one_column_are_one_label(cells: tuple[Any, ...]) -> None:
    data = load_data(rows(label=cells))
    assert data.task.labels == ("0", "1") and "The labels true and false are read as 1 and 0." in data.notes
    assert load_data(rows(label=(True, False))).task.labels == ("false", "true")
    assert load_data(rows(label=(1, True, 2, 0))).task.labels == ("0", "1", "2", "true")


@pytest.mark.parametrize(("answer", "label", "way"), [
    ("110", "0110", "leading zeros"), ("7", "007", "leading zeros"), ("R&amp;D", "R&D", "HTML's entities"),
])  # fmt: skip
def test_what_stands_between_an_answer_and_a_label_is_named(answer: str, label: str, way: str) -> None:
    said = list(remarks("gpt", TextClassification((label, "2200")), [Prediction(None, "invalid", raw=answer)], ["x"]))
    assert said == [f"gpt: 1 answer is invalid, such as '{answer}'; between 1 of them and a label stands only {way}."]


def test_where_two_labels_are_meant_nothing_is_named() -> None:
    [said] = remarks("gpt", TextClassification(("007", "07")), [Prediction(None, "invalid", raw="7")], ["x"])
    assert "leading zeros" not in said


@pytest.mark.parametrize(("labels", "told"), [((-1, 0, 1), True), ((-1, 0), True), ((-1, 1), False), ((0, 1), False)])
def test_a_minus_one_that_may_mean_none_is_told_of(labels: tuple[int, ...], told: bool) -> None:
    notes = load_data(rows(90, label=labels)).notes
    assert any("drop its rows if it means that there is none" in note for note in notes) == told


def test_a_token_a_row_is_told_of() -> None:
    tokens = [{"text": WORDS[k % 60] + str(k), "label": ("O", "O", "PER", "LOC")[k % 4]} for k in range(120)]
    assert "single word, and one label is O: these look like the tags" in findings(load_data(tokens))["tags"]["message"]
    assert "tags" not in findings(load_data([row | {"text": f"so {row['text']}"} for row in tokens]))
    blood = {"O": "zero", "PER": "A", "LOC": "B"}
    assert "tags" not in findings(load_data([row | {"label": blood[row["label"]]} for row in tokens]))


# --- columns beside ---


@pytest.mark.parametrize("column", ["human_label", "Stance", "polarity", "expert", "gpt4"])
def test_another_column_of_labels_is_told_of(column: str) -> None:
    said = f"'{column}' may hold labels, too, and is not used: --label"
    assert any(said in note for note in load_data(rows(**{column: ("a", "b", "b")})).notes)
    assert not any(said in note for note in load_data(rows(**{column: ("a", "b")})).notes)


def test_a_property_is_no_label() -> None:
    made = [row | {"label": str(k % 2)} for k, row in enumerate(rows(is_reply=(0, 0, 1), reviewed=("yes", "no", "no")))]
    assert not any("may hold labels" in note for note in load_data(made).notes)


@pytest.mark.parametrize("column", ["context", "history", "passage"])
def test_a_text_that_is_read_beside_another_is_told_of(column: str) -> None:
    said = f"the texts in {column!r} are not used: --column text={column} --column text_pair=text reads both."
    made = rows(**{column: ("where it is from", "and another one")})
    assert any(said in note for note in load_data(made).notes)
    both = load_data(made, columns={"text": column, "text_pair": "text"})
    assert not any("are not used" in note for note in both.notes)


def test_what_a_label_is_about_is_told_of() -> None:
    said = "the column 'aspect' is not used: if labels are about it, --column text=aspect --column text_pair=text"
    assert any(said in note for note in load_data(rows(aspect=("food", "service", "price"))).notes)
    assert not any("if labels are about it" in note for note in load_data(rows(aspect=("food",))).notes)


# --- what tools write ---


def annotated(k: int, *chosen: str, form: str = "choices") -> dict[str, Any]:
    value = {"choices": lambda one: {"choices": [one]}, "labels": lambda one: {"start": 0, "end": 4, "labels": [one]}}
    given = [{"result": [{"id": f"{k}{n}", "type": form, "value": value[form](one)}]} for n, one in enumerate(chosen)]
    return {"id": k, "data": {"text": text(k)}, "annotations": given}


@pytest.mark.parametrize("form", ["choices", "labels"])
def test_annotations_that_agree_are_one_and_others_are_refused_with_the_reason(form: str) -> None:
    alike = [annotated(k, *["ab"[k % 2]] * (1 + k % 3), form=form) for k in range(60)]
    data = load_data(alike)
    assert sum(map(len, data.splits.values())) == 60 and data.task.labels == ("a", "b")
    with pytest.raises(DataError, match=r"has 2 annotations that differ, and 1 other task has, too\n.*keep one"):
        load_data([*alike, annotated(60, "a", "b", form=form), annotated(61, "b", "a", form=form)])
    skipped = annotated(60, "a", "b", form=form)
    skipped["annotations"][1]["was_cancelled"] = True
    assert sum(map(len, load_data([*alike, skipped]).splits.values())) == 61


def test_shares_that_were_scaled_are_told_of(tmp_path: Path) -> None:
    recipe = """name = "two"
    [labels.a]
    share = {share}
    say = ["I want", "give me"]
    [labels.b]
    share = {share}
    say = ["where is", "do you know"]
    [slots]
    thing = {things}
    [forms.plain]
    templates = ["{{say}} the {{thing}} and the {{thing}} today"]
    """
    said = "The labels' shares add up to 1.8, and were scaled to 1: a 50.0 %, b 50.0 %."
    for share in (0.9, 0.5):
        path = tmp_path / f"{share}.toml"
        path.write_text(recipe.format(share=share, things=json.dumps(WORDS)))
        made = generate(path, n=20, output=tmp_path / f"{share}.jsonl")
        assert made.about["notes"] == ([said] if share == 0.9 else [])


# --- texts ---


def test_rows_that_differ_in_numbers_only_are_told_of() -> None:
    forms = ("disk {} on host{} is {} percent full", "link eth{} down after {} ms", "login for user{} from 10.0.{}.{}")
    rng = random.Random(0)
    made = [{"text": forms[k % 3].format(*(rng.randrange(9999) for _ in range(3))), "label": "xyz"[k % 3]}
            for k in range(120)]  # fmt: skip
    found = findings(load_data(made))["numbers"]
    assert (found["severity"], found["count"]) == ("note", 24) and "repeat a train row except for its numbers" in found[
        "message"
    ]
    assert "numbers" not in findings(load_data([row | {"text": f"{row['text']} {k}"} for k, row in enumerate(rows())]))


def test_a_test_split_that_is_train_with_a_signature_is_told_of() -> None:
    made = rows(100)
    signed = [row | {"text": f"{row['text']} kind regards"} for row in made[:40]]
    found = next(one for one in audit_dataset(load_data(made, test=signed))["findings"] if one["kind"] == "copies")
    assert (found["severity"], found["count"] >= 32) == ("warning", True)


ESCAPED = [row | {"text": row["text"].replace(" ", " &amp; ", 1) if k % 2 else row["text"] + " it&#39;s"}
           for k, row in enumerate(rows(200))]  # fmt: skip


def test_entities_of_html_are_told_of(tmp_path: Path) -> None:
    found = findings(load_data(ESCAPED))["html_entity"]
    assert found["severity"] == "note" and "'it&#39;s' for 'it's'" in found["message"]
    plain = [row | {"text": row["text"].replace("&amp;", "&").replace("&#39;", "'")} for row in ESCAPED]
    assert "html_entity" not in findings(load_data(plain))
    for one, other in ((plain[:120], ESCAPED[120:]), (ESCAPED[:120], plain[120:])):
        assert "an entity of HTML, such as &amp;, stands in" in findings(load_data(one, test=other))["shift"]["message"]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in plain[:120]))
    run = train(load_data(path), "majority", out=tmp_path / "o")
    said = "entities of HTML, such as &amp;, stand in 100.0 % of its texts and in 0.0 % of those that the run learnt"
    assert any(said in note for note in evaluate(run, ESCAPED[120:]).details["notes"])
    assert not any("entities of HTML" in note for note in evaluate(run, plain[120:]).details["notes"])


# --- offsets ---

NAMES = ("北京大学", "上海银行", "王小明", "苹果公司", "长江", "南京路", "小米", "东方航空")
AROUND = ("我们昨天去了{}。", "请问{}在哪里?", "他说{}很好", "明天见{}的人", "关于{}我不知道", "{}今天没有开门")


@pytest.mark.parametrize(("short", "told"), [(1, True), (0, False)])
def test_ends_that_are_the_last_characters_own_are_told_of_without_spaces(short: int, told: bool) -> None:
    made = []
    for k in range(96):
        name, around = NAMES[k % 8], AROUND[k // 8 % 6]
        start = around.index("{")
        made.append({"text": around.format(name) + str(k), "spans": [[start, start + len(name) - short, "X"]]})
    assert ("span_one_short" in findings(load_data(made))) == told


def test_an_end_within_a_thai_letter_is_told_of() -> None:
    made = [{"text": f"ไปที่เชียงใหม่วันนี้ {text(k)}", "spans": [[5, 14 - k % 2, "CITY"]]} for k in range(60)]
    assert "30 of 60 spans begin or end inside a word" in findings(load_data(made))["span_in_word"]["message"]


# --- times and groups ---


def test_dates_whose_day_and_month_may_have_changed_places_are_told_of() -> None:
    cells = [f"2025-{1 + k % 12:02}-{1 + k % 7:02}" for k in range(40)]
    assert any("so day and month may have changed places: 2025-" in said for said in doubtful_times("date", cells))
    for others in (
        [f"2025-{1 + k % 12:02}-01" for k in range(40)],
        [*cells, "2025-03-13"],
        [f"2025-03-{1 + k % 9:02}" for k in range(40)],
        [1735689600 + 86400 * k for k in range(9)],
    ):
        assert not list(doubtful_times("date", others))


def test_times_that_a_spreadsheet_rounded_are_told_of() -> None:
    whole = [f"{1_756_600_000_000 + 7_200_000 * k}" for k in range(40)]
    cells = [cell if k % 2 else f"{float(cell):.4E}" for k, cell in enumerate(whole)]
    [said] = doubtful_times("when", cells)
    assert "20 rows have a time that a spreadsheet rounded, such as 1.7566E+12, so that their order is lost" in said
    for others in (
        whole,
        [f"{float(cell) * 10**6:g}" if k == 0 else repr(float(cell) * 10**6) for k, cell in enumerate(whole)],
        ["1e3", "1.5e4", "2.25E+05"],
    ):
        assert not list(doubtful_times("when", others))


def test_a_group_of_few_values_on_both_sides_is_noted() -> None:
    rng = random.Random(0)
    own = [rng.sample(WORDS, 12) for _ in range(8)]
    made = [{"text": " ".join([*rng.sample(own[k % 8], 6), *rng.sample(WORDS, 3)]), "label": "ab"[k % 8 < 4],
             "speaker": f"s{k % 8}"} for k in range(320)]  # fmt: skip
    found = findings(load_data(made))["group"]
    assert found["severity"] == "note" and "--group speaker" in found["fix"]


def grouped(k: int) -> str:
    """Texts of which eight rows each share half of their words, and the label."""
    rng, own = random.Random(k), random.Random(-1 - k // 8).sample(WORDS, 10)
    return " ".join([*rng.sample(own, 6), *rng.sample(WORDS, 3)])


@pytest.mark.parametrize(("form", "named"), [
    ("doc{}", "--group id"), ("doc{}_{}", "write that part of the ids into a column"), ("d/doc{}.{}.txt", "of the ids"),
])  # fmt: skip
def test_a_group_that_only_the_ids_tell_is_warned_of(form: str, named: str) -> None:
    made = [{"id": form.format(k // 8, k % 8), "text": grouped(k), "label": "ab"[random.Random(k // 8).random() < 0.5]}
            for k in range(400)]  # fmt: skip
    found = findings(load_data(made))["group"]
    assert found["severity"] == "warning" and named in found["fix"]
    assert "group" not in findings(load_data([row | {"id": f"row_{k}"} for k, row in enumerate(made)]))


@pytest.mark.parametrize(("harm", "kind"), [
    (lambda words: f"{words}.\\nAnd more", "escaped_text"), (lambda words: words.replace(" ", "%20"), "escaped_text"),
    (lambda words: f"{words} caf=C3=A9", "escaped_text"),
    (lambda words: f"From: a\nContent-Transfer-Encoding: base64\n\n{words}", "escaped_text"),
    (lambda words: "{\\rtf1 " + words + "}", "escaped_text"),
    (lambda words: words.replace(" ", " ##", 2), "word_pieces"), (lambda words: f"▁{words}", "word_pieces"),
])  # fmt: skip
def test_what_programs_did_to_texts_is_told_of(harm: Any, kind: str) -> None:
    assert kind in findings(load_data([row | {"text": harm(row["text"])} for row in rows()]))
    assert kind not in findings(load_data(rows()))


def test_accents_that_are_signs_of_their_own_on_one_side_are_told_of() -> None:
    made = [row | {"text": f"{row['text']} caf\u00e9"} for row in rows(200)]
    apart = [row | {"text": row["text"].replace("\u00e9", "e\u0301")} for row in made]
    assert "caf\u00e9" in findings(load_data(made[:120], test=apart[120:]))["shift"]["message"]
    assert "shift" not in findings(load_data(made[:120], test=made[120:]))


@pytest.mark.parametrize("column", ["full_text", "translation"])
def test_other_texts_than_the_ones_read_are_told_of(column: str) -> None:
    made = [row | {column: f"{row['text']} and so on"} for row in rows()]
    assert any(f"the texts in {column!r} are not used" in note for note in load_data(made).notes)
    named = [row | {column: f"Anna {row['text'].split()[0]} {k} 2025-01-01"} for k, row in enumerate(rows())]
    assert not any("are not used" in note for note in load_data(named).notes)


@pytest.mark.parametrize(("column", "said"), [
    ("occurrences", "the column 'occurrences' is not used: every row counts once"),
    ("exclude", "the column 'exclude' calls 20 rows 1"),
])  # fmt: skip
def test_columns_that_say_how_rows_count_are_told_of(column: str, said: str) -> None:
    assert any(said in note for note in load_data(rows(**{column: (0, 1, 0)})).notes)


@pytest.mark.parametrize(("beside", "told"), [(".ann", True), ("", True), (None, False)])
def test_files_of_several_kinds_in_a_folder_of_texts_are_told_of(
    tmp_path: Path, beside: str | None, told: bool
) -> None:
    for k in range(40):
        folder = tmp_path / "ab"[k % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{k}.txt").write_text(text(k))
        if beside is not None:
            (folder / f"{k}{beside}").write_text(f"T1 PER 0 4 {text(k + 100)}")
    notes = load_data(tmp_path).notes
    assert (
        any("its files are of several kinds (40" in note and "each is read as a text" in note for note in notes) == told
    )
