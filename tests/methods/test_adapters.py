"""A run of LoRA keeps adapters and the name and hash of its base model; what does not fit together is refused."""

import json
import shutil
from dataclasses import replace

import pytest
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForSequenceClassification

import tiny
import tiny_gguf
from conftest import make_dataset
from slmfit import methods, storage
from slmfit.errors import MissingPart, SlmfitError, UnsafeError, UsageError
from slmfit.hub import bases
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, predict_with, save_model
from slmfit.methods.shots import PerClass

DATA = make_dataset(sizes=(48, 12, 12))
TEXTS = [e.input for e in DATA.test]
TINY = {"lora": True, "lora_rank": 2, "epochs": 1, "max_length": 16}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("made"))


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """The model's folder, and its base model's, which is known by its name alone."""
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path / "cache"))
    base = shutil.copytree(made[1], tmp_path / "base")
    folder = shutil.copytree(made[0], tmp_path / "run")
    change(folder / "base.json", name=str(base))
    return folder, base


def saved(place, kind="causal", base=None, **settings):
    base = base or getattr(tiny, kind)(place / "base")
    method = methods.create(kind, TINY | settings, str(base))
    method.fit(DATA.task, DATA.train, DATA.validation, Context())
    (place / "run").mkdir()
    save_model(place / "run", DATA.task, DATA.recipe, kind, method)
    return place / "run", base, method


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def answers(folder):
    return predict_with(load_model(folder), TEXTS)


def reshaped(folder, alter):
    path = folder / "adapter" / "adapter_model.safetensors"
    save_file(alter(load_file(path)), path)


@pytest.mark.parametrize(("kind", "family"), [("causal", None), ("causal", "GPT2"), ("encoder", None)])
def test_loaded_it_answers_as_it_was_fitted_and_as_the_whole(kind, family, tmp_path):
    """GPT-2 keeps its weights turned."""
    base = tiny.of_family(tmp_path / "base", family) if family else None
    folder, _, method = saved(tmp_path, kind, base)
    task, recipe, loaded = load_model(folder)
    assert predict_with((task, recipe, loaded), TEXTS) == method.predict(TEXTS)
    assert not list(folder.glob("*.safetensors"))
    weights = (tmp_path / "base" / "model.safetensors").stat().st_size
    assert loaded.bytes_elsewhere == method.bytes_elsewhere == weights
    again = tmp_path / "again"
    again.mkdir()
    save_model(again, task, recipe, kind, loaded)
    assert answers(again) == method.predict(TEXTS)
    whole = tmp_path / "whole"
    whole.mkdir()
    loaded.save_whole(whole)
    assert AutoModelForSequenceClassification.from_pretrained(whole).config.id2label
    assert not (whole / "base.json").exists() and not (whole / "adapter").exists()


def test_a_base_model_is_found_by_what_it_holds_wherever_the_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.causal(tmp_path / "base")
    folder, _, method = saved(tmp_path, base="base")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert answers(folder) == method.predict(TEXTS)


def test_of_a_gguf_the_weights_that_were_made_once_are_enough(tmp_path):
    file = tiny_gguf.write(tmp_path / "tiny.gguf")
    folder, _, method = saved(tmp_path, base=file)
    assert json.loads((folder / "base.json").read_text())["files"] == {"tiny.gguf": storage.hash_file(file)}
    assert f"the GGUF file tiny.gguf, sha256 {storage.hash_file(file)}" in (folder / "README.md").read_text()
    file.unlink()
    assert answers(folder) == method.predict(TEXTS)


def test_gone_or_another_by_now(run):
    folder, base = run
    assert answers(folder)
    weights = base / "model.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:-4] + b"\0\0\0\1")
    with pytest.raises(UnsafeError, match="is another one by now"):
        load_model(folder)
    base.rename(base.with_name("moved"))
    with pytest.raises(MissingPart, match="is not here") as caught:
        load_model(folder)
    assert "put it back there" in str(caught.value) and "keep=whole" in str(caught.value)
    change(folder / "base.json", name="acme/tiny")
    with pytest.raises(MissingPart, match="slmfit models pull acme/tiny --to DIR"):
        load_model(folder)
    base.with_name("moved").joinpath("model.safetensors").write_bytes(good)
    bases.remember(bases.read(folder), base.with_name("moved"))  # as `models pull` does
    assert answers(folder)


def test_whole_if_asked_and_from_before(made, tmp_path):
    folder, _, method = saved(tmp_path, base=made[1], keep="whole")
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert (folder / "model.safetensors").is_file() and not (folder / "base.json").exists()
    plain = json.loads((folder / "slmfit.json").read_text())
    del plain["settings"]["keep"]  # as an older slmfit wrote it
    (folder / "slmfit.json").write_text(json.dumps(plain))
    assert answers(folder) == method.predict(TEXTS)
    assert load_model(folder)[2].bytes_elsewhere == 0


def rank(tensors):
    return {name: value[:1] if "lora_A" in name else value for name, value in tensors.items()}


def lone(tensors):
    return {name: value for name, value in tensors.items() if "lora_B" not in name}


def no_head(tensors):
    return {name: value for name, value in tensors.items() if "score" not in name}


def renamed(tensors):
    return {name.replace("q_proj", "no_proj"): value for name, value in tensors.items()}


def poisoned(tensors):
    return {name: value * float("nan") for name, value in tensors.items()}


def whole_numbers(tensors):
    return {name: value.astype("int64") for name, value in tensors.items()}


def rename_all(tensors):
    return {name.removeprefix("base_model."): value for name, value in tensors.items()}


@pytest.mark.parametrize("alter", [rank, lone, no_head, renamed, poisoned, whole_numbers, rename_all])
def test_adapters_that_do_not_fit(run, alter):
    folder, _ = run
    reshaped(folder, alter)
    with pytest.raises(UnsafeError):
        load_model(folder)


ABOUT = {
    "code to import": {"megatron_config": {"x": 1}, "megatron_core": "antigravity"},
    "another model": {"base_model_name_or_path": "acme/evil", "auto_mapping": {"parent_library": "os"}},
}
REFUSED = [{"peft_type": "LOHA"}, {"use_rslora": False}, {"r": 0}, {"r": 10**9}, {"r": "64"}, {"lora_alpha": "nan"},
           {"lora_alpha": True}, {"use_dora": True}, {"rank_pattern": {"x": 3}}, {"bias": "all"}]  # fmt: skip


@pytest.mark.parametrize("values", REFUSED, ids=str)
def test_adapters_of_another_kind_are_refused(run, values):
    folder, _ = run
    change(folder / "adapter" / "adapter_config.json", **values)
    with pytest.raises(UnsafeError, match="no adapters that slmfit writes"):
        load_model(folder)


@pytest.mark.parametrize("values", ABOUT.values(), ids=ABOUT)
def test_what_a_configuration_of_adapters_names_is_not_obeyed(run, values, monkeypatch):
    folder, _ = run
    expected = answers(folder)
    change(folder / "adapter" / "adapter_config.json", **values)
    monkeypatch.setattr("peft.PeftModel.from_pretrained", None)
    assert answers(folder) == expected


HOSTILE = [
    {"name": ""}, {"name": "x" * 2000}, {"name": 7}, {"name": "//elsewhere/share"}, {"name": "\\\\elsewhere\\share"},
    {"files": {}}, {"files": {"../model.safetensors": "0" * 64}}, {"files": {"/etc/passwd": "0" * 64}},
    {"files": {"model.bin": "0" * 64}}, {"files": {"model.safetensors": "0"}}, {"files": ["model.safetensors"]},
    {"files": {"a.gguf": "0" * 64, "b.safetensors": "0" * 64}}, {"bytes": -1}, {"bytes": 2**60}, {"bytes": "1"},
    {"format": "slmfit.base/2"}, {"name": "a\0b"}, {"name": "/dev/zero", "files": {"zero.gguf": "0" * 64}},
]  # fmt: skip


@pytest.mark.parametrize("values", HOSTILE, ids=lambda values: str(values)[:40])
def test_a_base_model_that_no_run_of_ours_names(run, values):
    folder, _ = run
    change(folder / "base.json", **values)
    with pytest.raises(SlmfitError) as caught:
        load_model(folder)
    assert "fix: " in str(caught.value)


def test_a_run_makes_us_fetch_nothing(run, monkeypatch):
    folder, _ = run
    asked = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **about: asked.append(about) or 1 / 0)
    change(folder / "base.json", name="acme/huge")
    with pytest.raises(MissingPart):
        load_model(folder)
    assert [about["local_files_only"] for about in asked] == [True]


def test_a_base_model_is_checked_as_any_other(run):
    """Whoever made the run may have made the base model, so that its hashes fit."""
    folder, base = run
    change(base / "config.json", auto_map={"AutoModel": "evil.Model"}, _attn_implementation="acme/evil:kernel")
    with pytest.raises(UnsafeError, match="fetched and run"):
        load_model(folder)


def entities(tmp_path):
    from slmfit.data import load_data

    rows = [{"text": f"Ann Lee comes on day {n}", "spans": [[0, 7, "NAME"]]} for n in range(9)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_data(str(tmp_path / "rows.jsonl"), task="token-classification")


def untuned(data, base, **settings):
    method = methods.create("causal", {"epochs": 0} | settings, str(base))
    method.fit(data.task, data.train, data.validation, replace(Context(), metric="entity_f1"))
    return method


def test_untuned_nothing_but_the_name_is_kept(made, tmp_path):
    data = entities(tmp_path)
    method = untuned(data, made[1], max_length=96)
    (tmp_path / "run").mkdir()
    save_model(tmp_path / "run", data.task, data.recipe, "causal", method)
    assert not (tmp_path / "run" / "adapter").exists() and not list((tmp_path / "run").rglob("*.safetensors"))
    assert len(predict_with(load_model(tmp_path / "run"), ["Ann Lee comes on day 1"])) == 1


def test_examples_stand_before_the_text(tmp_path):
    """They are those of train that `llm` draws, as a model that was tuned would have seen and answered them."""
    data, base = entities(tmp_path), tiny.causal(tmp_path / "base", max_position_embeddings=512)
    method = untuned(data, base, shots=2)
    head = method.head
    shown = PerClass.of(data.task, data.train, 2, 0).examples
    expected = "".join(f"{e.input}\n\nAnswer:\nB-NAME: Ann Lee\n\n" for e in shown) + "New text\n\nAnswer:\n"
    assert head.backbone.tokenizer.decode(head._prompts(["New text"])[0]) == expected
    assert method.rows_used["shown as examples"] == "train"
    (tmp_path / "run").mkdir()
    save_model(tmp_path / "run", data.task, data.recipe, "causal", method)
    again = load_model(tmp_path / "run")
    assert again[2].head._prompts(["New text"]) == head._prompts(["New text"])
    assert predict_with(again, ["Ann Lee comes"]) == method.predict(["Ann Lee comes"])


@pytest.mark.parametrize(("epochs", "answers"), [(1, "written"), (0, "head")])
def test_examples_are_for_what_is_not_tuned_and_has_no_head(made, tmp_path, epochs, answers):
    data = entities(tmp_path) if answers == "written" else DATA
    with pytest.raises(UsageError, match=r"causal\.shots shows examples to"):
        untuned(data, made[1], shots=2, epochs=epochs, answers=answers)
