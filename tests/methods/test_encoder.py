import json
import os
import resource
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from finetuned import fit_classes, logits, texts
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

import tiny
from conftest import make_dataset
from slmfit.errors import BudgetReached, MissingPart, SlmfitError, UsageError
from slmfit.finetune import pretrained
from slmfit.methods.base import Context
from slmfit.methods.encoder import Encoder, Settings

QUICK = {"epochs": 4, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.encoder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def data():
    return make_dataset(sizes=(240, 60, 60))


@pytest.fixture(scope="module")
def fitted(base, data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("fitted"), base_model=base, **QUICK)


def fit(data, folder=None, context=None, **given):
    return fit_classes(Encoder(Settings(**given)), data, folder, context)


def by_transformers(folder, texts, **options):
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    batch = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    batch.pop("token_type_ids", None)
    with torch.inference_mode():
        return model(**batch).logits.numpy()


def accuracy(method, data):
    answers = method.predict(texts(data))
    return np.mean([a.target == e.target for a, e in zip(answers, data.test, strict=True)])


def test_it_learns_and_says_what_it_did(fitted, data):
    assert accuracy(fitted, data) > 0.6
    assert fitted.chosen["epochs"] == 4
    assert fitted.chosen["why"]["max_length"] == "100.0% of the texts fit whole"
    assert fitted.rows_used == {"fitted": "train", "best epoch": "validation"}
    json.dumps(fitted.chosen, allow_nan=False)


def test_the_folder_is_a_plain_transformers_model(fitted, data):
    assert np.abs(by_transformers(fitted.folder, texts(data)) - fitted.base_logits).max() < 1e-5
    config = AutoConfig.from_pretrained(fitted.folder)
    assert config.id2label == dict(enumerate(data.task.labels))
    assert config.label2id == {label: i for i, label in enumerate(data.task.labels)}
    assert {p.suffix for p in fitted.folder.iterdir()} <= {".json", ".safetensors", ".md"}
    assert "- billing" in (fitted.folder / "README.md").read_text()


def test_loaded_it_answers_the_same(fitted, data):
    again = Encoder.load(fitted.folder, data.task, fitted.settings)
    assert again.predict(texts(data)) == fitted.predict(texts(data))
    alone = [again.predict([text])[0] for text in texts(data)[:8]]
    for one, many in zip(alone, fitted.predict(texts(data)), strict=False):
        assert one.probabilities == pytest.approx(many.probabilities, abs=2e-6)  # rounded to six digits
    assert again.predict([]) == []


def test_odd_texts_are_answered(fitted):
    answers = fitted.predict(["", "x" * 5000, "\ud83d", "invoice " * 3000, "😀"])
    for answer in answers:
        assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's own call
def test_lora(base, data, tmp_path):
    from peft import PeftModel

    method = fit(data, tmp_path, base_model=base, lora=True, lora_rank=4, keep="whole", epochs=1, learning_rate=3e-3)
    assert np.abs(logits(method, texts(data)) - method.base_logits).max() < 1e-4  # now merged
    assert np.abs(by_transformers(tmp_path, texts(data)) - method.base_logits).max() < 1e-4
    config = AutoConfig.from_pretrained(base, num_labels=3)
    with pretrained.quiet():
        plain = AutoModelForSequenceClassification.from_pretrained(base, config=config)
    method.model = PeftModel.from_pretrained(plain, tmp_path / "adapter")
    assert np.abs(logits(method, texts(data)) - method.base_logits).max() < 1e-5


def test_untuned_with_a_fitting_head(fitted, data):
    settings = Settings(base_model=str(fitted.folder), epochs=0)
    untuned = Encoder(settings)
    untuned.fit(data.task, data.train, data.validation, Context())
    assert np.abs(logits(untuned, texts(data)) - fitted.base_logits).max() < 1e-5
    assert untuned.rows_used == {"fitted": "none: the base model is used as it is"}


def test_a_fitting_head_in_another_order_is_kept_when_tuned_on(fitted, data):
    other = make_dataset(sizes=(30, 10, 10))
    with pretrained.quiet():
        config = pretrained.read_config(str(fitted.folder))
        config.id2label = dict(enumerate(["DELIVERY", "Billing", "account"]))
        assert pretrained.own_labels(config, other.task.labels) == ["delivery", "billing", "account"]
        config.id2label = dict(enumerate(["delivery", "billing", "other"]))
        assert pretrained.own_labels(config, other.task.labels) is None


def test_untuned_without_one_is_refused(base, data):
    with pytest.raises(UsageError, match=r"has no head for the labels account, billing, delivery"):
        fit(data, base_model=base, epochs=0)


def test_wrong_bases_are_refused_by_their_configuration(tmp_path, base, data):
    """No folder here has weights, so nothing can have been loaded."""
    config = AutoConfig.from_pretrained(base)
    cases = {"tagger": AutoModelForTokenClassification.from_config(config).config, "t5": transformers.T5Config()}
    cases["bart"] = transformers.BartConfig()
    cases["llama"] = transformers.LlamaConfig(architectures=["LlamaForCausalLM"])
    cases["tagger"].architectures = ["BertForTokenClassification"]
    words = {"tagger": "is a BertForTokenClassification, made for another task", "llama": "use causal="}
    words |= {"t5": "use seq2seq=", "bart": "'bart'"}
    for name, made in cases.items():
        made.save_pretrained(tmp_path / name)
        with pytest.raises(UsageError) as caught:
            fit(data, base_model=str(tmp_path / name))
        assert words[name] in str(caught.value)
        assert "encoder=distilbert-base-uncased" in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no config\.json"):
        fit(data, base_model=str(tmp_path / "empty"))


def test_own_code_is_never_run(tmp_path, base, data):
    config = json.loads((AutoConfig.from_pretrained(base)).to_json_string())
    config |= {"model_type": "strange", "auto_map": {"AutoConfig": "strange.StrangeConfig"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "strange.py").write_text("raise SystemExit('was run')")
    with pytest.raises(UsageError, match="never run here"):
        fit(data, base_model=str(tmp_path))


def test_out_of_reach(monkeypatch, data):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MissingPart, match="not in the cache, and HF_HUB_OFFLINE forbids downloads"):
        fit(data, base_model="nobody/nothing-of-that-name")


def test_damaged_weights(tmp_path, data):
    base = tiny.encoder(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(SlmfitError, match="damaged"):
        fit(data, base_model=base)


@pytest.mark.parametrize(("missing", "says"), [
    ("model.safetensors", "has no safetensors weights"), ("tokenizer.json", r"has no tokenizer\.json"),
])  # fmt: skip
def test_a_folder_that_is_not_whole(missing, says, tmp_path, data):
    base = tiny.encoder(tmp_path)
    (tmp_path / missing).unlink()
    (tmp_path / "tokenizer_config.json").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UsageError, match=says):
        fit(data, base_model=base)


def test_too_long(base, data):
    with pytest.raises(UsageError, match=r"max_length cannot be 100\n  fix: it reads at most 64 tokens"):
        fit(data, base_model=base, max_length=100)


def test_class_weights_change_what_is_learnt(base):
    data = make_dataset(sizes=(60, 20, 20))
    rare = [e for e in data.train if e.target != "billing"][:6]
    train = [*[e for e in data.train if e.target == "billing"], *rare]
    found = {}
    for balanced in (False, True):
        method = Encoder(Settings(base_model=base, epochs=8, learning_rate=3e-3, class_weights=balanced))
        method.fit(data.task, train, data.validation, Context())
        found[balanced] = logits(method, texts(data))
    billing = data.task.labels.index("billing")
    assert (found[False] - found[True])[:, billing].mean() > 0.01


def test_a_budget_is_planned_once(base, data, tmp_path):
    events = []
    context = Context(
        work=tmp_path,
        budget_seconds=1000.0,
        rows_to_predict=300,
        event=lambda kind, **fields: events.append(kind),
    )
    fit(data, base_model=base, context=context, **QUICK)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["seconds"] < 1000
    assert plan["rows"] == 4 * 240
    assert events.count("plan") == 1
    fit(data, base_model=base, context=context, **QUICK)
    assert events.count("plan") == 1


def test_a_budget_that_ends_it_while_it_still_improves_is_recorded(base, data, monkeypatch):
    def within(plan, *_, **__):
        return replace(plan, epochs=1, rows=len(data.train), evaluations=0, seconds=1000.0)

    monkeypatch.setattr("slmfit.finetune.costs.within", within)
    context = Context(budget_seconds=1000.0, rows_to_predict=300)
    cut = fit(data, base_model=base, context=context, **QUICK, max_length=16).chosen
    assert cut["cut_short"] is True and 0 <= cut.get("texts_cut", 0.0) <= 1
    whole = fit(data, base_model=base, context=context, **{**QUICK, "epochs": 1}).chosen
    assert "cut_short" not in whole and "texts_cut" not in whole


def test_a_budget_that_is_too_small(base, data):
    with pytest.raises(BudgetReached, match="leave no time to train"):
        fit(data, base_model=base, context=Context(budget_seconds=0.0, rows_to_predict=300))


def test_a_full_disk_when_saving(fitted, tmp_path):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
            fitted.save(tmp_path)
        except SlmfitError as error:
            code = 0 if "the model could not be written" in str(error) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
FAMILIES = {
    "DistilBert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "Roberta": {**SMALL, "type_vocab_size": 1, "max_position_embeddings": 66, "pad_token_id": 0},
    "ModernBert": {
        **SMALL,
        "pad_token_id": 0,
        "cls_token_id": 2,
        "sep_token_id": 3,
        "bos_token_id": 2,
        "eos_token_id": 3,
    },
    "Electra": {**SMALL, "embedding_size": 16},
    "DebertaV2": {**SMALL, "relative_attention": True, "position_biased_input": False, "pos_att_type": ["c2p", "p2c"]},
}


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("family", list(FAMILIES))
def test_other_families(family, lora, data, tmp_path):
    tokenizer = tiny.word_tokenizer()
    config = getattr(transformers, f"{family}Config")(vocab_size=len(tokenizer), **FAMILIES[family])
    with pretrained.quiet():
        getattr(transformers, f"{family}ForMaskedLM")(config).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    small = make_dataset(sizes=(60, 20, 20))
    (tmp_path / "out").mkdir()
    method = fit(
        small, tmp_path / "out", base_model=str(tmp_path / "base"), lora=lora, lora_rank=4, keep="whole", epochs=1
    )
    assert np.abs(by_transformers(tmp_path / "out", texts(small)) - method.base_logits).max() < 1e-4
