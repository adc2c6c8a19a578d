"""`encoder` on questions with options: any number of them in a batch, and a folder that transformers reads the same."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from finetuned import fit, texts
from peft import PeftModel
from transformers import AutoModelForMultipleChoice, AutoTokenizer, ElectraConfig, EsmConfig, RobertaConfig

import tiny
from conftest import FILLER, WORDS
from slmfit.data.dataset import Dataset
from slmfit.errors import UsageError
from slmfit.finetune import pretrained
from slmfit.finetune.device import choose
from slmfit.finetune.rank import cross_entropy
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings
from slmfit.methods.finetuned.head import Backbone
from slmfit.methods.finetuned.options import Options
from slmfit.records import Example, Question
from slmfit.tasks import by_name

# Twice the rate is past the edge: it depends on the processor whether a model that small learns anything then.
QUICK = {"epochs": 10, "learning_rate": 5e-3, "device": "cpu"}


def questions(n, seed=0):
    """The right option is of the kind that the question is of; two to five are offered."""
    rng, found = random.Random(seed), []
    for i in range(n):
        kind, *others = rng.sample(sorted(WORDS), 3)
        wrong = [rng.choice(WORDS[other][:3]) for other in (*others, *others)][: rng.randint(1, 4)]
        shown = [*dict.fromkeys(wrong), rng.choice(WORDS[kind][:3])]
        right = shown[-1]
        rng.shuffle(shown)
        options = dict(zip("ABCDE", shown, strict=False))
        letter = next(one for one, text in options.items() if text == right)
        asked = f"{rng.choice(FILLER)} {rng.choice(WORDS[kind][:3])}"
        found.append(Example(str(i), Question(asked, options, " ".join(FILLER[:3]) if i % 4 == 0 else None), letter))
    return found


@pytest.fixture(scope="module")
def data():
    rows = questions(380)
    splits = {"train": tuple(rows[:260]), "validation": tuple(rows[260:300]), "test": tuple(rows[300:])}
    return Dataset("made", by_name("multiple-choice").with_labels(e.target for e in rows), splits)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.encoder(tmp_path_factory.mktemp("base"), num_hidden_layers=1, initializer_range=0.1)


@pytest.fixture(scope="module")
def method(data, base, tmp_path_factory):
    return fit(Encoder(Settings(base_model=base, **QUICK)), data, tmp_path_factory.mktemp("run"))


def right(method, data):
    return np.mean([a.target == e.target for a, e in zip(method.predict(texts(data)), data.test, strict=True)])


def test_it_learns_a_rule_that_needs_question_and_option(method, data):
    assert right(method, data) > 0.9
    json.dumps(method.chosen, allow_nan=False)
    assert "rows of" in method.chosen["why"]["batch_tokens"]
    for answer, example in zip(method.predict(texts(data)), data.test, strict=True):
        assert list(answer.probabilities) == list(example.input.options)
        assert max(answer.probabilities, key=answer.probabilities.get) == answer.target


def test_alone_as_among_others_and_in_any_order(method, data):
    inputs = texts(data)[:12]
    together = method.predict(inputs)
    assert [method.predict([one])[0].target for one in inputs] == [answer.target for answer in together]
    for one, other in zip(method.predict(inputs[::-1]), together[::-1], strict=True):  # at other places of a batch
        assert one.target == other.target
        assert one.probabilities == pytest.approx(other.probabilities, abs=2e-6)
    turned = [Question(q.question, dict(zip(q.options, reversed(q.options.values()), strict=True)), q.context)
              for q in inputs]  # fmt: skip
    for q, answer, other in zip(inputs, together, method.predict(turned), strict=True):
        shares = list(other.probabilities.values())[::-1]
        assert shares == pytest.approx(list(answer.probabilities.values()), abs=2e-6), q


def test_transformers_class_gives_the_same_numbers(method, data):
    model = AutoModelForMultipleChoice.from_pretrained(method.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(method.folder)
    for example, answer in zip(data.test[:8], method.predict(texts(data)[:8]), strict=True):
        q, options = example.input, list(example.input.options.values())
        first = [q.context or q.question] * len(options)
        second = [f"{q.question} {option}" for option in options] if q.context else options
        pairs = tokenizer(first, second, truncation=True, padding=True, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**{name: rows.unsqueeze(0) for name, rows in pairs.items()}).logits
        assert logits.softmax(-1)[0].tolist() == pytest.approx(list(answer.probabilities.values()), abs=3e-6)
    card = (method.folder / "README.md").read_text()
    assert "pipeline_tag: multiple-choice" in card and "AutoModelForMultipleChoice" in card


def test_a_long_context_is_cut_and_the_option_is_not(method):
    def asked(context):
        return Question("my", {"A": "parcel", "B": "invoice"}, context)

    long, longer = method.predict([asked("parcel " * 80), asked("parcel " * 200)])
    assert long == longer and long.probabilities["A"] != long.probabilities["B"]


def test_odd_questions_are_answered(method):
    odd = [
        Question("", {"A": "", "B": ""}),
        Question("\ud800 ?", {"A": "\ud800", "B": "x" * 5000}),
        Question("What?", dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "same"), "a context " * 900),
    ]
    for answer, question in zip(method.predict(odd), odd, strict=True):
        assert answer.outcome == "ok" and answer.target in question.options
        assert np.isfinite(list(answer.probabilities.values())).all()
    assert method.predict([]) == []


def test_cross_entropy_goes_over_the_options_of_each_question():
    flat = torch.tensor([0.5, -1.0, 2.0, 0.0, 3.0], requires_grad=True)
    loss = cross_entropy(flat, np.array([2, 3]), np.array([1, 0]))
    wanted = -(flat[:2].log_softmax(0)[1] + flat[2:].log_softmax(0)[0])
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-6)
    loss.backward()
    assert flat.grad.isfinite().all()
    assert cross_entropy(torch.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64)).item() == 0


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_adapters_come_back_and_peft_reads_them(data, base, tmp_path):
    few = replace(data, splits={name: rows[:40] for name, rows in data.splits.items()})
    settings = Settings(base_model=base, **QUICK | {"epochs": 1}, lora=True, lora_rank=8)
    method = fit(Encoder(settings), few, tmp_path)
    again = Encoder.load(tmp_path, data.task, settings).predict(texts(few))
    for one, other in zip(method.predict(texts(few)), again, strict=True):
        assert one.target == other.target and one.probabilities == pytest.approx(other.probabilities, abs=2e-6)
    with_adapters = PeftModel.from_pretrained(AutoModelForMultipleChoice.from_pretrained(base), tmp_path / "adapter")
    on = {name: weight for name, weight in with_adapters.named_parameters() if "classifier.modules_to_save" in name}
    assert on  # the head, which the base model has not, is trained whole


def test_another_process_makes_the_same_job_of_what_is_packed(data, base):
    config = pretrained.read_config(base)
    tokenizer = pretrained.load_tokenizer(base, config)
    head = Options(Backbone("encoder", Settings(**QUICK), tokenizer, choose("cpu", "fp32"), 64), data.task)
    model, _ = head.start(base, config, seed=0)
    material = head.material(data.train[:20], None)
    job = head.job(material, material, 32, "accuracy")
    again = head.unpacked(*head.packed(job))
    rows = np.array([3, 0, 7])
    assert job.loss(model, rows).item() == again.loss(model, rows).item()
    assert again.lengths.tolist() == job.lengths.tolist()
    assert head.texts_per_row(material) == np.mean([len(e.input.options) for e in data.train[:20]])
    assert head.texts_per_row(head.material([], None)) == 1


def test_untuned_it_needs_a_head_and_then_uses_it(method, data, base):
    with pytest.raises(UsageError, match="has no head for multiple choice"):
        fit(Encoder(Settings(base_model=base, epochs=0)), data)
    again = fit(Encoder(Settings(base_model=str(method.folder), epochs=0, device="cpu")), data)
    assert [a.target for a in again.predict(texts(data))] == [a.target for a in method.predict(texts(data))]


def test_a_family_without_such_a_class_is_refused_by_name():
    with pytest.raises(UsageError, match="of the type 'esm', for which transformers has no class ForMultipleChoice"):
        pretrained.check_kind(EsmConfig(), "proteins", "encoder", "ForMultipleChoice")
    for config in (RobertaConfig(), ElectraConfig()):
        pretrained.check_kind(config, "base", "encoder", "ForMultipleChoice")


def test_a_forecast_counts_every_option(data, base):
    method = Encoder(Settings(base_model=base, **QUICK))
    assert method.forecast(data.task, data.train, data.validation, Context(rows_to_predict=100)) > 0


def test_a_budget_ends_the_training_in_time(data, base):
    method = Encoder(Settings(base_model=base, device="cpu"))
    context = Context(budget_seconds=4, rows_to_predict=100)
    method.fit(data.task, data.train, data.validation, context)
    assert len(method.predict(texts(data))) == len(data.test)
    assert "budget" in json.dumps(method.chosen["why"]) or method.chosen["epochs"] == 10
