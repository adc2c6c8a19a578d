"""The hub: names, errors in words, data sets and models, against a stand-in on this machine.

The library reads where the hub is when it is imported, so what needs it runs in a process of its own: forked from one
that has imported everything but that library and what imports it.
"""

import json
import os
import sys
import textwrap

import pytest

from slmfit.data import hub as data_hub
from slmfit.errors import UsageError
from slmfit.hub.snapshots import is_name

pytest.importorskip("huggingface_hub")

from standin_hub import StandinHub
from warm import TORCH, Warm

TOKEN = "hf_not_a_real_one"
IMPORTED = (*TORCH, "pyarrow.parquet", "pyarrow.dataset", "aiohttp", "dill", "multiprocess")


@pytest.fixture(scope="module")
def before_the_hub():
    """What forks processes that have not imported its library."""
    with Warm() as process:
        yield process


@pytest.fixture
def hub(before_the_hub):
    with StandinHub() as served:
        served.process = before_the_hub
        served.answers = {
            "acme/broken": 500,
            "acme/gated": "gated",
            "acme/private": 401,
            "acme/busy": 429,
            "acme/closed": 403,
        }
        yield served


def run(hub, home, code, **environment):
    """What `code` leaves in `out`, run where the stand-in is the hub."""
    prelude = """
        import json, warnings
        warnings.simplefilter("error")
        from slmfit.errors import SlmfitError
        def said(call, *given, **more):
            try:
                return str(call(*given, **more))
            except SlmfitError as error:
                return f"{type(error).__name__}: {error}"
    """
    program = textwrap.dedent(prelude) + textwrap.dedent(code) + "\nprint(json.dumps(out))"
    env = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    env |= hub.environment(home, **environment)
    done = hub.process.run([sys.executable, "-c", program], env=env, text=True, timeout=600, imports=IMPORTED)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


# --- data sets ---


@pytest.fixture
def news(hub, tmp_path):
    """A data set with numbered labels in Parquet, as the hub keeps them."""
    folder = tmp_path / "news"
    texts = [f"{i} {word} {i * 37}" for i, word in enumerate("tide goal vote match".split() * 5)]
    write_split(folder / "data" / "train-00000-of-00001.parquet", texts, [0, 1] * 10)
    write_split(folder / "data" / "test-00000-of-00001.parquet", ["e", "f"], [1, 0])
    hub.datasets["acme/news"] = folder
    return folder


def write_split(path, texts, labels, names=("world", "sports")):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"text": texts, "label": pa.array(labels, pa.int64())}).replace_schema_metadata(about)
    pq.write_table(table, path)


LOAD = """
from slmfit.data import load_data
data = load_data("hub:acme/news")
out = {
    "name": data.name, "labels": data.task.labels, "notes": data.notes, "fingerprint": data.fingerprint,
    "test": [(e.id, e.input, e.target) for e in data.test],
    "rows": {split: len(rows) for split, rows in data.splits.items()},
}
"""


def test_the_library_is_imported_by_each(hub):
    code = (
        "import sys; print([name for name in sys.modules if name in ('huggingface_hub', 'transformers', 'datasets')])"
    )
    assert hub.process.run([sys.executable, "-c", code], text=True, imports=IMPORTED).stdout == "[]\n"


def test_a_data_set_end_to_end(hub, news, tmp_path):
    pytest.importorskip("datasets")
    out = run(hub, tmp_path / "home", LOAD, HF_TOKEN=TOKEN)
    assert out["name"] == "news" and out["labels"] == ["sports", "world"]
    assert out["test"] == [["test:1", "e", "sports"], ["test:2", "f", "world"]]
    assert out["rows"] == {"train": 18, "validation": 2, "test": 2}
    assert f"revision {hub.commit(news)[:10]}: read train, test." in out["notes"][0]
    assert {r.token for r in hub.requests} == {f"Bearer {TOKEN}"}
    hub.requests.clear()
    again = run(hub, tmp_path / "home", LOAD, HF_HUB_OFFLINE="1")
    assert hub.requests == []
    assert again["fingerprint"] == out["fingerprint"]
    assert "from the cache" in again["notes"][0]


def test_the_tags_of_a_data_set_are_read_by_name(hub, tmp_path):
    pytest.importorskip("datasets")
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    label = {"names": ["O", "B-CITY", "I-CITY"], "_type": "ClassLabel"}
    features = {"tokens": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}}
    features["ner_tags"] = {"feature": label, "_type": "List"}
    rows = {"tokens": [["in", "New", f"York{i}"] for i in range(10)], "ner_tags": pa.array([[0, 1, 2]] * 10)}
    folder = hub.datasets["acme/towns"] = tmp_path / "towns"
    folder.mkdir()
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(pa.table(rows).replace_schema_metadata(about), folder / "train.parquet")
    code = """
    from slmfit.data import load_data
    data = load_data("hub:acme/towns")
    out = [data.task.name, [(e.input, [(s.start, s.end, s.label) for s in e.target.spans]) for e in data.train[:1]]]
    """
    [task, [[text, spans]]] = run(hub, tmp_path / "home", code)
    assert task == "token-classification" and text.startswith("in New York")
    assert spans == [[3, len(text), "CITY"]]


def test_a_data_set_that_cannot_be_had(hub, news, tmp_path):
    pytest.importorskip("datasets")
    (news / "README.md").write_text(
        "---\nconfigs:\n- config_name: plain\n  data_files: data/train*\n"
        "- config_name: other\n  data_files: data/test*\n---\n"
    )
    odd = hub.datasets["acme/odd"] = tmp_path / "odd"
    write_split(odd / "test.parquet", ["a", "b"], [0, 1])
    write_split(odd / "validation.parquet", ["a", "b"], [0, 1])
    script = hub.datasets["acme/script"] = tmp_path / "script"
    script.mkdir()
    (script / "script.py").write_text("raise SystemExit('run')")
    torn = hub.datasets["acme/torn"] = tmp_path / "torn"
    torn.mkdir()
    (torn / "train.parquet").write_bytes(b"PAR1 no more")
    code = """
    from slmfit.data.hub import read_hub
    names = "broken gated private busy closed none news news/wrong news@old odd script torn".split()
    out = {name: said(read_hub, "hub:acme/" + name, []) for name in names}
    """
    out = run(hub, tmp_path / "home", code)
    expected = {
        "broken": ("MissingPart", "answers with an error (500)", "again"),
        "gated": ("MissingPart", "gated", f"{hub.url}/datasets/acme/gated, then set HF_TOKEN"),
        "private": ("UsageError", "no data set of that name, or it is private", "check the name"),
        "busy": ("MissingPart", "(429)", "wait"),
        "closed": ("MissingPart", "refuses the token (403)", "may read it"),
        "none": ("UsageError", "no data set of that name", "check the name"),
        "news": ("UsageError", "several configurations: plain, other", "hub:acme/news/plain"),
        "news/wrong": ("UsageError", "no configuration 'wrong'", "plain"),
        "news@old": ("UsageError", "no such revision", "listed at"),
        "odd": ("DataError", "no train split; its splits are: validation, test", "save the split"),
        "script": ("UsageError", "script of its own, which is never run", "Parquet"),
        "torn": ("DataError", "cannot be read", "give their folder"),
    }
    for name, words in expected.items():
        assert all(word in out[name] for word in words), (name, out[name])


def test_what_a_data_set_may_hold(hub, tmp_path):
    """Hidden labels, labels in lists, splits that no one asked for, pictures."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "tokens": datasets.List(datasets.Value("string")),
            "tags": datasets.List(datasets.ClassLabel(names=["O", "B-CITY"])),
            "picture": datasets.Image(),
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "about": {"kind": datasets.ClassLabel(names=["letter", "call"]), "year": datasets.Value("int32")},
        }
    )
    row = {"tokens": ["to", "Rome"], "tags": [0, 1], "picture": None, "about": {"kind": 1, "year": 2024}}
    folder = hub.datasets["acme/odd"] = tmp_path / "odd"
    folder.mkdir()
    for name, label in (("train", 1), ("test", -1), ("extra", 0)):
        rows = datasets.Dataset.from_list([{**row, "label": label}] * 2, features=features)
        (folder / "data").mkdir(exist_ok=True)
        rows.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    code = """
    from slmfit.data.hub import read_hub
    notes = []
    parts = read_hub("hub:acme/odd", notes)
    out = {"notes": notes, **{split: [cells for _, cells in part.rows] for split, part in parts.items()}}
    """
    out = run(hub, tmp_path / "home", code)
    wanted = {"tokens": ["to", "Rome"], "tags": ["O", "B-CITY"], "label": "yes"}
    assert out["train"] == [{**wanted, "about": {"kind": "call", "year": 2024}}] * 2
    assert set(out) == {"notes", "train"}
    notes = " ".join(out["notes"])
    assert "picture hold no text" in notes and "test rows have no labels" in notes and "not used: extra" in notes


@pytest.mark.parametrize(
    ("path", "name", "configuration", "revision", "title"),
    [
        ("hub:fancyzhx/ag_news", "fancyzhx/ag_news", None, None, "ag_news"),
        ("hub:imdb", "imdb", None, None, "imdb"),
        ("hub:nyu-mll/glue/sst2", "nyu-mll/glue", "sst2", None, "glue-sst2"),
        ("hub:a/b/c@refs/convert/parquet", "a/b", "c", "refs/convert/parquet", "b-c"),
    ],
)
def test_names_of_data_sets(path, name, configuration, revision, title):
    place = data_hub.Place.parse(path)
    assert place == data_hub.Place(name, configuration, revision) and place.title == title


@pytest.mark.parametrize("path", ["hub:", "hub:/etc", "hub:a/b/", "hub:../x", "hub:a b", "hub:a/b/c/d/@"])
def test_names_that_are_none(path):
    with pytest.raises(UsageError, match="hub:OWNER/NAME"):
        data_hub.Place.parse(path)


@pytest.mark.parametrize(("base", "is_one"), [
    ("bert-base-uncased", True), ("BAAI/bge-small-en-v1.5", True), ("a/b/c", False), ("../a", False), ("/a/b", False),
    ("a/..", False), ("", False), ("models/", False), ("C:\\x", False),
])  # fmt: skip
def test_names_of_models(base, is_one):
    assert is_name(base) == is_one


# --- models ---


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Model folders as the hub keeps them: a sentence encoder, a causal model, a tagger, one of pickles, none."""
    pytest.importorskip("torch")
    from pathlib import Path

    import tiny

    root = tmp_path_factory.mktemp("made")
    for name in ("encoder", "tagger", "pickled"):
        folder = Path(tiny.encoder(root / name))
        (folder / "pytorch_model.bin").write_bytes(b"pickle")
        (folder / "onnx").mkdir()
        (folder / "onnx" / "model.onnx").write_bytes(b"onnx")
        (folder / "README.md").write_text("# It")
    config = json.loads((root / "tagger" / "config.json").read_text())
    (root / "tagger" / "config.json").write_text(
        json.dumps({**config, "architectures": ["BertForTokenClassification"]})
    )
    (root / "pickled" / "model.safetensors").unlink()
    (root / "encoder" / "1_Pooling").mkdir()
    (root / "encoder" / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    parts = [{"path": path, "type": f"sentence_transformers.models.{kind}"}
             for path, kind in (("", "Transformer"), ("1_Pooling", "Pooling"))]  # fmt: skip
    (root / "encoder" / "modules.json").write_text(json.dumps(parts))
    tiny.causal(root / "causal")
    (root / "bare").mkdir()
    (root / "bare" / "README.md").write_text("# Nothing")
    return root


def serve_models(hub, made):
    hub.models = {f"acme/{name}": made / name for name in ("encoder", "tagger", "pickled", "causal", "bare")}


def test_models_by_name(hub, made, tmp_path):
    """Wrong kinds are refused without a byte of weights; right ones come, and stay for when the hub is away."""
    serve_models(hub, made)
    code = """
    from slmfit import embeddings
    from slmfit.finetune import pretrained
    def prepare(kind, base):
        folder = pretrained.fetched(base, lambda config: pretrained.check_kind(config, base, kind))
        config = pretrained.read_config(folder)
        tokenizer = pretrained.load_tokenizer(folder, config)
        model, fresh = pretrained.load_with_head(folder, config, "ForSequenceClassification", ["no", "yes"], seed=0)
        return model.config.model_type
    vectors = embeddings.pretrained("acme/encoder")
    out = {
        "tagger": said(prepare, "encoder", "acme/tagger"),
        "causal": said(prepare, "encoder", "acme/causal"),
        "vectors of a tagger": said(embeddings.pretrained, "acme/tagger"),
        "vectors of a causal": said(embeddings.pretrained, "acme/causal"),
        "loaded": prepare("encoder", "acme/encoder"),
        "vectors": vectors.embed(["a late parcel"]).shape,
        "pooling": vectors.recipe.pooling,
    }
    """
    out = run(hub, tmp_path / "home", code, HF_TOKEN=TOKEN)
    for name in ("tagger", "causal", "vectors of a tagger", "vectors of a causal"):
        assert out[name].startswith("UsageError"), out[name]
    assert "use causal=acme/causal" in out["causal"]
    assert out["loaded"] == "bert" and out["vectors"] == [1, 32] and out["pooling"] == "cls"
    asked = {r.path for r in hub.requests if r.path.endswith((".safetensors", ".bin", ".onnx"))}
    assert asked and all("acme/encoder/" in path and path.endswith(".safetensors") for path in asked)
    assert {r.token for r in hub.requests} == {f"Bearer {TOKEN}"}
    hub.requests.clear()
    code = """
    from slmfit.hub.snapshots import model_folder
    folder = model_folder("acme/encoder", lambda folder: None)
    out = sorted(path.name for path in folder.iterdir())
    """
    out = run(hub, tmp_path / "home", code, HF_HUB_OFFLINE="1")
    assert hub.requests == []
    assert {"config.json", "modules.json", "1_Pooling", "tokenizer.json", "model.safetensors"} <= set(out)


def test_the_command_line_end_to_end(hub, news, made, tmp_path):
    """Data set and base model by name; then from the cache, without hub and token; then the run alone."""
    pytest.importorskip("datasets")
    serve_models(hub, made)
    home, user = tmp_path / "home", tmp_path / "user"

    def slmfit(*words, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "XDG_"))}
        env |= hub.environment(home, HOME=str(user), SLMFIT_CACHE=str(tmp_path / "cache"), **more)
        command = [sys.executable, "-m", "slmfit", *map(str, words)]
        done = hub.process.run(command, env=env, text=True, timeout=600, imports=IMPORTED)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    asked = ("train", "encoder=acme/encoder", "hub:acme/news", "--set", "encoder.epochs=1", "--json", "--out")
    record = slmfit(*asked, tmp_path / "first", HF_TOKEN=TOKEN)
    assert (record["base_model"], record["dataset"]["name"]) == ("acme/encoder", "news")
    assert {r.token for r in hub.requests} == {f"Bearer {TOKEN}"}
    weights = (made / "encoder" / "model.safetensors").stat().st_size
    assert hub.asked("model.safetensors") == weights and hub.asked(".parquet") > 0
    assert {"models--acme--encoder", "datasets--acme--news"} <= {path.name for path in (home / "hub").iterdir()}
    assert not list(user.rglob("*huggingface*"))

    hub.requests.clear()
    slmfit(*asked, tmp_path / "second", HF_HUB_OFFLINE="1")
    assert hub.requests == []
    first, second = (tmp_path / out / "runs" / "encoder-encoder" for out in ("first", "second"))
    assert (first / "predictions.jsonl").read_bytes() == (second / "predictions.jsonl").read_bytes()
    answer = slmfit("predict", first, "a goal", HF_HOME=str(tmp_path / "empty"), HF_HUB_OFFLINE="1")
    assert answer["prediction"] in ("sports", "world")


def test_models_that_cannot_be_had(hub, made, tmp_path):
    serve_models(hub, made)
    code = """
    from pathlib import Path
    from slmfit import embeddings
    from slmfit.hub import models
    from slmfit.finetune import pretrained
    def fetched(base):
        return pretrained.fetched(base, lambda config: pretrained.check_kind(config, base, "encoder"))
    names = "broken gated private busy closed none pickled".split()
    out = {name: said(models.pull_model, "acme/" + name, Path(HOME) / name) for name in names}
    out["vectors"] = said(embeddings.pretrained, "acme/gated")
    out["same"] = [name for name in names[:-1] if said(fetched, "acme/" + name) == out[name]]
    out |= {"to tune, " + name: said(fetched, "acme/" + name) for name in ("pickled", "bare")}
    """.replace("HOME", repr(str(tmp_path)))
    out = run(hub, tmp_path / "home", code, HF_TOKEN=TOKEN)
    expected = {
        "broken": ("MissingPart", "answers with an error (500)", "again"),
        "gated": ("MissingPart", "gated", f"{hub.url}/acme/gated, then set HF_TOKEN to a token of that account"),
        "private": ("UsageError", "no model of that name, or it is private", "check the name"),
        "busy": ("MissingPart", "(429)", "wait"),
        "closed": ("MissingPart", "refuses the token (403)", "may read it"),
        "none": ("UsageError", "no model of that name", "check the name"),
        "pickled": ("UsageError", "no safetensors weights but only pytorch_model.bin", "slmfit models"),
        "vectors": ("MissingPart", "gated", "HF_TOKEN"),
        "to tune, pickled": ("UsageError: acme/pickled: has no safetensors weights", "slmfit models"),
        "to tune, bare": ("UsageError: acme/bare: is no transformers checkpoint: it has no config.json", "folder"),
    }
    assert out.pop("same") == ["broken", "gated", "private", "busy", "closed", "none"]
    for name, words in expected.items():
        assert all(word in out[name] for word in words), (name, out[name])
    assert not any(TOKEN in said for said in out.values())
    assert not (tmp_path / "pickled").exists() and hub.asked(".bin") == 0

    offline = """
    from pathlib import Path
    from slmfit import embeddings
    from slmfit.hub import models
    from slmfit.finetune import pretrained
    out = [said(models.pull_model, "acme/encoder", Path(HOME) / "offline"), said(embeddings.pretrained, "acme/encoder")]
    out.append(said(pretrained.fetched, "acme/encoder", lambda config: None))
    """.replace("HOME", repr(str(tmp_path)))
    for said in run(hub, tmp_path / "home", offline, HF_HUB_OFFLINE="1"):
        assert "MissingPart" in said and "HF_HUB_OFFLINE" in said and "slmfit models pull" in said
    hub.shutdown()
    hub.server_close()
    for said in run(hub, tmp_path / "home", offline):
        assert "MissingPart" in said and f"the hub at {hub.url} is out of reach" in said


def test_what_transformers_fetched_is_tuned_offline(hub, made, tmp_path):
    """Its cache does not tell which files a model has: enough to tune it, not to know how it makes vectors."""
    serve_models(hub, made)
    code = """
    from transformers import AutoModel, AutoTokenizer
    from slmfit.finetune import pretrained
    with pretrained.quiet():
        out = [type(auto.from_pretrained("acme/encoder")).__name__ for auto in (AutoModel, AutoTokenizer)]
    """
    run(hub, tmp_path / "home", code)
    hub.requests.clear()
    code = """
    from slmfit import embeddings
    from slmfit.finetune import pretrained
    folder = pretrained.fetched("acme/encoder", lambda config: pretrained.check_kind(config, "acme/encoder", "encoder"))
    config = pretrained.read_config(folder)
    out = [len(pretrained.load_tokenizer(folder, config)), said(embeddings.pretrained, "acme/encoder")]
    """
    words, vectors = run(hub, tmp_path / "home", code, HF_HUB_OFFLINE="1")
    assert hub.requests == [] and words > 100
    assert "MissingPart" in vectors and "only some files of this model are in the cache" in vectors


def test_pull(hub, made, tmp_path):
    """Whole or not at all, what a method reads and nothing else, once."""
    serve_models(hub, made)
    target = tmp_path / "models" / "encoder"
    code = """
    from pathlib import Path
    from slmfit.hub import models
    first = models.pull_model("acme/encoder", Path(TARGET))
    out = [first.commit, first.files, first.reused, models.pull_model("acme/encoder", Path(TARGET)).reused]
    out.append(said(models.pull_model, "acme/causal", Path(TARGET)))
    """.replace("TARGET", repr(str(target)))
    commit, files, *reused, other = run(hub, tmp_path / "home", code)
    names = sorted(p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file())
    expected = ["1_Pooling/config.json", "README.md", "config.json", "model.safetensors", "modules.json"]
    assert names == sorted([*expected, "pulled.json", "tokenizer.json", "tokenizer_config.json"])
    assert commit == hub.commit(made / "encoder") and files == len(names) - 1 and reused == [False, True]
    assert "holds other files" in other
    assert (target / "model.safetensors").read_bytes() == (made / "encoder" / "model.safetensors").read_bytes()
    assert [p.name for p in target.parent.iterdir()] == ["encoder"]
    from slmfit import embeddings

    assert embeddings.pretrained(target).dimension == 32


def test_a_damaged_pull_is_said(tmp_path):
    from slmfit import storage
    from slmfit.hub import models

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    files = {"config.json": storage.hash_file(folder / "config.json")}
    storage.write_json(folder / "pulled.json", {"format": models.FORMAT, "name": "a/b", "commit": "c", "files": files})
    assert models.pull_model("a/b", folder).reused
    (folder / "config.json").write_text("{ }")
    with pytest.raises(UsageError, match="damaged"):
        models.pull_model("a/b", folder)


def test_a_hub_that_is_slow_or_a_disk_that_is_full():
    from huggingface_hub.utils import httpx

    from slmfit.hub.snapshots import translated

    def said(error):
        return str(translated(error, "a/b", "model"))

    assert "did not answer in time" in said(httpx.ReadTimeout("slow"))
    assert "is out of reach (no route)" in said(httpx.ConnectError("no route"))
    assert "could not be kept: No space left on device" in said(OSError(28, "No space left on device"))
    assert translated(KeyError("x"), "a/b", "model") is None


def test_the_default_base_models_are_listed():
    from slmfit import methods
    from slmfit.hub import models

    names = {model.name for model in models.list_models()}
    assert {m.name for m in models.list_models("causal")} < names
    for name, row in methods.TABLE.items():
        if row.place and not methods.unavailable(name) and "base_model" in dir(methods.method_class(name).Settings):
            assert methods.method_class(name).Settings().base_model in names
    lines = models.as_text(models.list_models()).splitlines()
    assert len(lines) == len(names) + 1 and max(map(len, lines)) <= 120
