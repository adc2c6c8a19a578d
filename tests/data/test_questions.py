"""Questions with options as the world's data sets hold them: small files of each form, read whole."""

import json

import polars
import pytest

from slmfit.data.load import load_data
from slmfit.errors import DataError
from slmfit.records import Question
from slmfit.runs.evaluation import evaluate
from slmfit.runs.predicting import predict_file

COLOURS = {"sky": "blue", "grass": "green", "snow": "white", "coal": "black"}
THINGS = [f"{thing} number {n}" for n in range(10) for thing in COLOURS]


def asked():
    """(question, texts in the order shown, place of the right one), forty times."""
    found = []
    for n, thing in enumerate(THINGS):
        colours = sorted(COLOURS.values())
        turned = colours[n // 4 % 4 :] + colours[: n // 4 % 4]
        found.append((f"{thing} is?", turned, turned.index(COLOURS[thing.split()[0]])))
    return found


def fifth_project(n, question, texts, place):
    letters = dict(zip("ABCD", texts, strict=True))
    output = {"reasoning_steps": ["It says so."], "final_answer": "A"}
    return {"question_id": f"q{n}", "question": question, "options": letters, "answer_gt": "ABCD"[place],
            "model_output": output, "is_correct": place == 0}  # fmt: skip


def medqa(n, question, texts, place):
    options = dict(zip("ABCD", texts, strict=True))
    return {"question": question, "answer": texts[place], "options": options, "meta_info": "step1",
            "answer_idx": "ABCD"[place], "metamap_phrases": ["a phrase"]}  # fmt: skip


def medmcqa(n, question, texts, place):
    return {"id": f"m{n}", "question": question, **dict(zip(("opa", "opb", "opc", "opd"), texts, strict=True)),
            "cop": place, "choice_type": "single", "exp": None, "subject_name": ["Anatomy", "Surgery"][n % 2],
            "topic_name": None}  # fmt: skip


def openbookqa(n, question, texts, place):
    choices = {"text": texts, "label": list("ABCD")}
    return {"id": f"o{n}", "question_stem": question, "choices": choices, "answerKey": "ABCD"[place]}


def arc(n, question, texts, place):
    labels = list("1234") if n % 3 == 0 else list("ABCD")
    return {"id": f"a{n}", "question": question, "choices": {"text": texts, "label": labels},
            "answerKey": labels[place]}  # fmt: skip


def arc_as_published(n, question, texts, place):
    labels = list("1234") if n % 3 == 0 else list("ABCD")
    choices = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    return {"id": f"a{n}", "question": {"stem": question, "choices": choices}, "answerKey": labels[place]}


def commonsenseqa(n, question, texts, place):
    choices = {"label": list("ABCD"), "text": texts}
    return {"id": f"c{n}", "question": question, "question_concept": "colour", "choices": choices,
            "answerKey": "ABCD"[place]}  # fmt: skip


def commonsenseqa_as_published(n, question, texts, place):
    choices = [{"label": label, "text": text} for text, label in zip(texts, "ABCD", strict=True)]
    inner = {"question_concept": "colour", "choices": choices, "stem": question}
    return {"answerKey": "ABCD"[place], "id": f"c{n}", "question": inner}


def position(n, question, texts, place):
    return {"question": question, "choices": texts, "answer": place, "subject": ["physics", "biology"][n % 2]}


FORMS = [fifth_project, medqa, medmcqa, openbookqa, arc, arc_as_published, commonsenseqa, commonsenseqa_as_published,
         position]  # fmt: skip


def read_right(data):
    examples = {e.input.question: e for e in (*data.train, *data.validation, *data.test)}
    assert len(examples) == len(THINGS)
    for question, texts, place in asked():
        found = examples[question]
        assert found.input == Question(question, dict(zip("ABCD", texts, strict=True)))
        assert found.target == "ABCD"[place]
    return examples


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_file_of_each_form_is_recognised_and_read(form, tmp_path):
    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(form(n, *one)) + "\n" for n, one in enumerate(asked())))
    data = load_data(path)
    examples = read_right(data)
    assert data.task.name == "multiple-choice"
    named = {example.input.subject for example in examples.values()}
    assert named == {medmcqa: {"Anatomy", "Surgery"}, position: {"physics", "biology"}}.get(form, {None})


@pytest.mark.parametrize("form", [arc, medmcqa, position, medqa], ids=lambda form: form.__name__)
def test_parquet_reads_the_same(form, tmp_path):
    path = tmp_path / "quiz.parquet"
    polars.DataFrame([form(n, *one) for n, one in enumerate(asked())], infer_schema_length=None).write_parquet(path)
    read_right(load_data(path))


@pytest.mark.parametrize("answer", [lambda t, p: "ABCDE"[p], lambda t, p: t[p], lambda t, p: p])
def test_options_in_columns_a_to_e(answer, tmp_path):
    rows = [
        {"question": question, **dict(zip("ABCD", texts, strict=True)), "E": "loud" if n % 2 else None,
         "answer": answer(texts, place)}
        for n, (question, texts, place) in enumerate(asked())
    ]  # fmt: skip
    path = tmp_path / "quiz.csv"
    polars.DataFrame(rows, infer_schema_length=None).write_csv(path)
    data = load_data(path)
    examples = {e.input.question: e for e in (*data.train, *data.validation, *data.test)}
    for n, (question, texts, place) in enumerate(asked()):
        assert list(examples[question].input.options.values()) == [*texts, *(["loud"] if n % 2 else [])]
        assert examples[question].target == "ABCDE"[place]


BAD = {
    "the question is empty": {"question": {"stem": " ", "choices": [{"text": "x", "label": "A"}]}},
    "is not among the options": {"answerKey": "9"},
    "the number of options is 1": {"question": {"stem": "one?", "choices": [{"text": "x", "label": "A"}]}},
    "the question has no options": {"question": {"stem": "none?"}},
    "two options have the same label": {
        "question": {"stem": "two?", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "A"}]}
    },
    "option 2 is": {"question": {"stem": "?", "choices": [{"text": "x", "label": "A"}, {"text": None, "label": "B"}]}},
    "the answer is missing": {"answerKey": None},
}


@pytest.mark.parametrize("says", BAD)
def test_a_bad_record_is_refused_with_its_row_and_a_remedy(says, tmp_path):
    rows = [arc_as_published(n, *one) for n, one in enumerate(asked())]
    rows[6] |= BAD[says]
    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=says) as refused:
        load_data(path)
    assert "quiz.jsonl, line 7" in str(refused.value) and refused.value.fix


def test_the_same_option_twice_is_left_out_of_train_and_counted(tmp_path):
    rows = [openbookqa(n, *one) for n, one in enumerate(asked())]
    for n in (3, 8):
        rows[n]["choices"]["text"] = ["loud", " LOUD", *rows[n]["choices"]["text"][2:]]
    held = [openbookqa(n, f"Test: {one[0]}", *one[1:]) for n, one in enumerate(asked())]
    held[5]["choices"]["text"] = ["loud", "Loud", *held[5]["choices"]["text"][2:]]
    for name, part in (("train", rows), ("test", held), ("validation", [dict(r, id=f"v{r['id']}") for r in held[6:]])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (38, 40)
    notes = [note for note in data.notes if "same option twice" in note]
    assert len(notes) == 2
    assert "2 of 40 questions (5.0 %) offer the same option twice, the first in line 4; they are left out" in notes[0]
    assert "1 of 40 questions (2.5 %) offers" in notes[1]
    assert "in test they stay" in notes[1]
    for row in rows:
        row["choices"]["text"] = ["same"] * 4
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="every question of train offers the same option twice"):
        load_data(tmp_path)


def test_arc_as_published_is_answered_and_evaluated(tmp_path):
    from slmfit.comparison.compare import train

    path = tmp_path / "quiz.jsonl"
    path.write_text("".join(json.dumps(arc_as_published(n, *one)) + "\n" for n, one in enumerate(asked())))
    run = train(load_data(path), "majority", out=tmp_path / "o")
    assert predict_file(run, path, tmp_path / "answered.jsonl") == 40
    assert evaluate(run, path).details["rows"] == 40


@pytest.mark.parametrize(("read", "other", "forms"), [
    ("answer_idx", "answer", ("letter", "text")), ("answer", "answer_index", ("letter", "index")),
    ("answer", "answer_index", ("text", "index")),
])  # fmt: skip
def test_two_columns_that_name_different_options_are_told_of(tmp_path, read, other, forms):
    def written(place, options, form):
        return {"letter": "ABCD"[place], "text": options[place], "index": place}[form]

    for turned, said in ((1, 60), (0, 0)):
        rows = []
        for i in range(60):
            options, right = [f"{word} {i}" for word in ("red", "blue", "green", "grey")], i * 7 // 3 % 4
            row = {"question": f"which is word{i}", "options": options}
            row |= {read: written(right, options, forms[0]), other: written((right + turned) % 4, options, forms[1])}
            rows.append(json.dumps(row))
        (tmp_path / f"{turned}.jsonl").write_text("\n".join(rows))
        notes = load_data(tmp_path / f"{turned}.jsonl").notes
        found = [note for note in notes if f"another option in '{other}' than in '{read}'" in note]
        assert bool(found) == bool(said) and all("60 of 60 questions" in note for note in found), notes
