"""`slmfit export --format gguf`: a Llama that writes entities, for llama.cpp, and how Ollama is to ask it."""

import re

import pytest

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("gguf", reason="needs the extra gguf")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import slmfit
import tiny
from conftest import make_dataset
from slmfit.errors import MissingPart, UsageError
from slmfit.exporting.gguf import llama
from slmfit.exporting.gguf.gbnf import gbnf
from slmfit.exporting.gguf.modelfile import PROMPT, template
from slmfit.exporting.record import read_export
from slmfit.records import Entities
from slmfit.tasks.forms.entities import Json, Lines
from slmfit.tasks.grammar import Writing

DATA = make_dataset("token-classification", sizes=(24, 2, 2))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("gguf")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLMFIT_CACHE", str(place / "cache"))
        base = tiny.causal(place / "base")
        settings = {"causal": {"epochs": 0, "max_length": 60}}
        yield slmfit.train(DATA, f"causal={base}", settings=settings, out=place / "out")


@pytest.fixture
def no_server(monkeypatch):
    monkeypatch.delenv("SLMFIT_LLAMA", raising=False)
    monkeypatch.setattr("slmfit.exporting.gguf.server.missing", lambda name: True)


def logits(model, tokenizer, text):
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt")).logits[0]


@pytest.mark.parametrize(("kind", "near"), [(None, 2e-3), ("q8_0", 0.05)])
def test_the_same_model(run, tmp_path, no_server, kind, near):
    folder = slmfit.export(run, "gguf", tmp_path / "out", quantise=kind, accept=True, data=DATA)
    assert {path.name for path in folder.iterdir()} == {"model.gguf", "Modelfile", "export.json"}
    record = read_export(folder)
    assert record.gate is None and "xllamacpp" in record.about["unchecked"]
    whole = slmfit.export(run, output=tmp_path / "whole")
    own, read = (
        (
            AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32, **more),
            AutoTokenizer.from_pretrained(place, **more),
        )
        for place, more in ((whole, {}), (folder, {"gguf_file": "model.gguf"}))
    )
    text = run.method.head.asked(DATA.test[0].input)
    assert own[1](text).input_ids == read[1](text).input_ids
    assert (logits(*own, text) - logits(*read, text)).abs().max() < near


def test_the_modelfile(run, tmp_path, no_server):
    folder = slmfit.export(run, "gguf", tmp_path / "out", accept=True, data=DATA)
    written = (folder / "Modelfile").read_text()
    asked = re.search('TEMPLATE """(.*)"""\n', written, re.DOTALL)[1]
    for text in ("fly to Rome", ' "a"\n\n  {b} é', "x" * 50):
        assert asked.replace(PROMPT, text) == run.method.head.asked(text)
    assert "PARAMETER temperature 0" in written and f'stop "{run.method.backbone.tokenizer.eos_token}"' in written
    with pytest.raises(UsageError, match="Ollama's own"):
        template(lambda text: f"{{{{ {text}", "here")


def test_without_llama_cpp(run, tmp_path, no_server):
    with pytest.raises(MissingPart, match="xllamacpp") as caught:
        slmfit.export(run, "gguf", tmp_path / "out", data=DATA)
    assert "--accept" in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", [Lines, Json])
def test_the_grammar_allows_what_predict_does(form, tmp_path):
    """Read as a regular expression, the rules take every answer that the form's own grammar takes, and no other."""
    text = 'to "x"\nRome'
    made = form(("CITY", "DAY"), ("book",), grain="words")
    pattern = expanded(gbnf(made, text))
    own = Writing(made.grammar, made.copied(text))
    told = [
        made.write(Entities(tuple(slmfit.Span(*span) for span in spans), intent), text)
        for intent in ("book", None)
        for spans in ([], [(0, 2, "CITY")], [(0, 2, "CITY"), (7, 11, "DAY")], [(0, 5, "CITY")], [(7, 11, "DAY")])
    ]
    told += [told[1].replace("CITY", "TOWN"), told[1][:-1], told[2] + "x", told[1].replace("to", "tu")]
    for answer in told:
        assert bool(pattern.fullmatch(answer)) == allowed(own, answer), answer
    assert sum(map(bool, map(pattern.fullmatch, told))) >= 4


def allowed(writing, answer):
    state = writing.start
    for byte in answer.encode():
        state = writing.moves(state).get(byte)
        if state is None:
            return False
    return writing.ends(state)


def expanded(grammar):
    """The rules one in another; none leads back to itself."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.split("\n"))
    known = {}

    def of(name):
        if name not in known:
            ways = re.findall(r'("(?:[^"\\]|\\.)*")|([a-z]+-\d+|root)|(\|)', rules[name])
            known[name] = "(?:" + "".join(string(s) if s else "|" if bar else of(rule) for s, rule, bar in ways) + ")"
        return known[name]

    return re.compile(of("root"))


def string(quoted):
    return re.escape(re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), quoted[1:-1]))


def test_refused(tmp_path):
    base, data = tiny.causal(tmp_path / "a"), make_dataset(sizes=(24, 6, 6))
    settings = {"causal": {"epochs": 1, "lora_rank": 2, "max_length": 16, "answers": "head"}}
    classifier = slmfit.train(data, f"causal={base}", settings=settings, out=tmp_path / "one")
    with pytest.raises(UsageError, match="not written by the model"):
        slmfit.export(classifier, "gguf", tmp_path / "x")
    linear = slmfit.train(data, "majority", out=tmp_path / "two")
    with pytest.raises(UsageError, match="no model that llama"):
        slmfit.export(linear, "gguf", tmp_path / "x")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "a")
    model.config.model_type = "qwen3"
    with pytest.raises(UsageError, match="qwen3") as caught:
        llama.check(model.config, tokenizer, "here")
    assert "convert_hf_to_gguf.py" in str(caught.value)
    with pytest.raises(UsageError, match="not quantised"):
        slmfit.export(linear, "gguf", tmp_path / "x", quantise="int8")
