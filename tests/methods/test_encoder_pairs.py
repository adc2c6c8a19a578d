"""Data of two texts a row: the encoder reads them as a pair, and every verb hands it the same."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import tiny
from conftest import FILLER, WORDS
from slmfit import SlmClassifier
from slmfit.comparison.compare import compare, train
from slmfit.data.load import load_data
from slmfit.errors import DataError, UsageError
from slmfit.finetune.device import choose
from slmfit.methods.encoder import Settings
from slmfit.methods.finetuned.classes import Classes
from slmfit.methods.finetuned.head import Backbone
from slmfit.methods.saved import load_model
from slmfit.runs.evaluation import evaluate
from slmfit.runs.predicting import predict_file, predict_texts

NEEDS = "two texts are needed, 'premise' and 'hypothesis'"
LACKS = rf"{NEEDS}|there is no column 'hypothesis'"


def rows(n, seed=0):
    """Which of the two texts is of an invoice, and which of a parcel: joined, they are the same words."""
    rng = random.Random(seed)

    def text(kind):
        words = [rng.choice(WORDS[kind][:5]), *rng.choices(FILLER, k=rng.randrange(3))]
        rng.shuffle(words)
        return " ".join(words)

    sides = [rng.sample(["billing", "delivery"], 2) for _ in range(n)]
    return [{"premise": text(a), "hypothesis": text(b), "label": f"{a} first"} for a, b in sides]


def written(path, made):
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pairs")


@pytest.fixture(scope="module")
def data(folder):
    return load_data(written(folder / "data.jsonl", rows(400)))


@pytest.fixture(scope="module")
def run(folder, data):
    base = tiny.encoder(folder / "base", num_hidden_layers=1, initializer_range=0.1)
    quick = {"encoder": {"epochs": 5, "learning_rate": 2e-2, "device": "cpu"}}
    return train(data, f"encoder={base}", settings=quick, out=folder / "out")


def accuracy(run):
    return run.record.scores["test"]["accuracy"]


def test_it_learns_which_text_is_which_and_says_that_it_reads_pairs(run, data):
    texts, labels = zip(*((e.input, e.target) for e in data.train), strict=True)
    joined = SlmClassifier("linear").fit([str(text) for text in texts], labels)
    assert joined.score([str(e.input) for e in data.test], [e.target for e in data.test]) < 0.7
    assert accuracy(run).value > 0.9
    assert any("'premise' and then 'hypothesis': an encoder reads them as a pair" in note for note in data.notes)
    assert "Texts: `premise`, `hypothesis`" in (run.folder / "model" / "README.md").read_text()
    assert "`premise` and `hypothesis` as a pair, 16 tokens in all" in run.method.head.card(16)[0]


def test_the_folder_answers_the_same_to_pairs_of_the_tokenizer(run, data):
    model = AutoModelForSequenceClassification.from_pretrained(run.folder / "model")
    tokenizer = AutoTokenizer.from_pretrained(run.folder / "model")
    pairs = [(e.input.first, e.input.second) for e in data.test] + [("invoice " * 90, "my parcel " * 70)]
    batch = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, truncation=True, return_tensors="pt")
    assert batch["token_type_ids"].any()
    with torch.inference_mode():
        theirs = model(**batch).logits.softmax(-1).numpy()
    ours = run.predict(pairs)
    labels = model.config.id2label
    assert [[a.probabilities[labels[i]] for i in range(2)] for a in ours] == pytest.approx(theirs, abs=1e-5)


def test_every_verb_gives_the_answers_of_the_fit(run, data, folder):
    inputs = [e.input for e in data.test]
    scored = [p.target for p in run.answers("test", data.test)]
    assert [p.target for p in run.predict(inputs)] == scored
    assert [p.target for p in run.predict([(i.first, i.second) for i in inputs])] == scored
    test = written(folder / "test.jsonl", [data.task.unparse(e) for e in data.test])
    named = {"text": "premise", "text_pair": "hypothesis"}
    renamed = [{named.get(k, k): v for k, v in data.task.unparse(e).items()} for e in data.test]
    for source in (test, written(folder / "named.jsonl", renamed)):
        assert evaluate(run, source).values["accuracy"] == accuracy(run)
        predict_file(run, source, folder / "answers.jsonl")
        answered = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
        assert [row["prediction"] for row in answered] == scored
    other = written(
        folder / "other.jsonl", [{"a": e.input.first, "b": e.input.second, "label": e.target} for e in data.test]
    )
    assert evaluate(run, other, columns={"text": "a", "text_pair": "b"}).values["accuracy"] == accuracy(run)
    assert predict_texts(run, inputs)[0]["prediction"] == scored[0]


def test_one_text_is_refused_with_what_is_needed(run, folder):
    for texts in (["my invoice"], [("my invoice",)], [("my invoice", None)]):
        with pytest.raises(UsageError, match=NEEDS) as raised:
            run.predict(texts)
        assert "--input FILE" in str(raised.value.fix)
    half = written(folder / "half.jsonl", [{"premise": "my invoice", "text": "x", "label": "billing first"}] * 3)
    for verb in (evaluate, predict_file):
        with pytest.raises(DataError, match=LACKS):
            verb(run, half)
    with pytest.raises(DataError, match=LACKS):
        compare(load_data(folder / "data.jsonl"), ["majority"], augment=half, out=folder / "augmented")
    with pytest.raises(UsageError, match=NEEDS):
        load_model(run.folder / "model")[2].predict(["my invoice"])


def test_the_estimator_takes_pairs(run, data):
    pairs = [(e.input.first, e.input.second) for e in data.test]
    labels = [e.target for e in data.test]
    model = SlmClassifier("encoder", {"base_model": str(run.folder / "model"), "epochs": 0}).fit(pairs, labels)
    answers = [p.target for p in run.predict(pairs)]
    frame = pandas.DataFrame(pairs)
    for same in (pairs, frame.to_numpy(), [list(pair) for pair in pairs]):
        assert model.predict(same).tolist() == answers
    with pytest.raises(UsageError, match="two texts are needed"):
        model.predict(["my invoice"])
    with pytest.raises(DataError, match="others are pairs"):
        model.predict([("a", "b"), "c"])


def head(kind, tokenizer, task, **known):
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    made = Classes(Backbone(kind, Settings(), tokenizer, choose("cpu", "fp32"), 64), task)
    made._set_frame(SimpleNamespace(**known))
    return made


def test_processes_that_help_are_given_pairs(data):
    made = head("encoder", tiny.word_tokenizer(), data.task, type_vocab_size=2)
    job = made.job(*2 * [made.material(data.train[:20], None)], max_length=9, metric="accuracy")
    about, arrays = made.packed(job)
    again = made.unpacked(json.loads(json.dumps(about)), arrays)
    for name, batch in job.rows.batch(np.arange(20)).items():
        assert (again.rows.batch(np.arange(20))[name] == batch).all()
    assert job.rows.batch(np.arange(20))["token_type_ids"].any()


def test_a_causal_model_reads_a_line_break_between(data):
    tokenizer = tiny.byte_tokenizer()
    made = head("causal", tokenizer, data.task)
    inputs = [e.input for e in data.test[:5]]
    rows = made._tokens(inputs, None)
    assert rows.seam.types is None
    parts = np.split(rows.ids, rows.starts[1:-1])
    assert [tokenizer.decode(part) for part in parts] == [str(text) for text in inputs]
    assert "with a line break between" in made.card(64)[0]
