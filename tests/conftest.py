"""Small datasets of every task, made on the spot; and what is left out where torch is not installed."""

import os
import random
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

import warm
from slmfit.data.dataset import Dataset
from slmfit.records import Entities, Example, Question, Span
from slmfit.tasks import by_name

if "PYTEST_XDIST_WORKER" in os.environ:  # two processes work already; threads of theirs would stand in each other's way
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")

# Machines are shared, and a first example imports and compiles: a deadline would test the machine.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples each time, so that a run fails by what was changed; `--hypothesis-profile=search` draws new ones.
settings.register_profile("suite", settings.get_profile("search"), derandomize=True)
settings.load_profile("suite")
if loaded := getattr(providers, "_get_local_constants", None):  # of the modules that a worker happens to have loaded
    providers._get_local_constants = lambda: providers._local_constants if settings.default.derandomize else loaded()

TORCH = find_spec("torch") is not None and find_spec("transformers") is not None
NEED_TORCH = [
    "finetune/test_[!l]*.py",  # not test_logits.py
    "finetune/test_loop.py",
    "methods/test_encoder*.py",
    "methods/test_causal*.py",
    "methods/test_quantised.py",
    "methods/test_seq2seq*.py",
    "embeddings/test_sentence.py",
    "ejecting/test_eject_finetuned.py",
    "exporting/test_exporting.py",
    "exporting/test_onnx.py",
    "hub/*",
    "serving/test_chat.py",
]
collect_ignore_glob = [] if TORCH else NEED_TORCH


# Files that take longest: begun last, they would leave the other worker nothing to do at the end.
LONGEST = """
finetune/test_processes.py hub/test_hub.py methods/test_causal_entities.py reporting/test_page_behaviour.py
test_canary.py finetune/test_kill.py reporting/test_entities.py test_faults_anywhere.py test_bad_inputs.py
comparison/test_resume.py test_patterns.py comparison/test_llm_compare.py comparison/test_seeds.py test_isolated.py
methods/test_strangers.py methods/test_extending.py reporting/test_page_figures.py reporting/test_hostile.py
methods/test_contract.py test_layers.py test_readme.py tasks/test_entity_scores.py
""".split()


def pytest_collection_modifyitems(items):
    rank = {Path(__file__).parent / name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))


def pytest_report_header():
    return None if TORCH else "torch is not installed (extra `train`): the tests of fine-tuning are left out"


WORDS = {
    "billing": "invoice charged refund card payment twice fee bill amount receipt".split(),
    "delivery": "parcel courier late tracking shipped door address missing box driver".split(),
    "account": "password login email locked reset profile username access code sign".split(),
}
FILLER = "my the please I was still not again since yesterday can you help with it thanks".split()


def classification_example(rng, i):
    label = rng.choice(list(WORDS))
    words = [rng.choice(WORDS[label]) if rng.random() < 0.5 else rng.choice(FILLER) for _ in range(8)]
    return Example(str(i), " ".join(words), label)


def tagging_example(rng, i):
    city, day = rng.choice(["Rome", "Oslo", "Lima"]), rng.choice(["Monday", "Friday"])
    text = f"fly to {city} on {day}"
    start = text.index(day)
    spans = (Span(7, 7 + len(city), "CITY"), Span(start, start + len(day), "DAY"))
    return Example(str(i), text, Entities(spans, rng.choice(["book", "book", "cancel"])))


def choice_example(rng, i):
    a, b = rng.randrange(20), rng.randrange(20)
    letter = rng.choice("ABB")
    options = {letter_: str(a + b + (0 if letter_ == letter else 3 + n)) for n, letter_ in enumerate("AB")}
    return Example(str(i), Question(f"What is {a} + {b}?", options), letter)


MAKERS = {
    "text-classification": classification_example,
    "token-classification": tagging_example,
    "multiple-choice": choice_example,
}


def make_dataset(task="text-classification", sizes=(120, 40, 60), seed=0, validation_given=False):
    """A dataset with a learnable rule."""
    rng = random.Random(seed)
    examples = [MAKERS[task](rng, i) for i in range(sum(sizes))]
    train, rest = examples[: sizes[0]], examples[sizes[0] :]
    splits = {"train": tuple(train), "validation": tuple(rest[: sizes[1]]), "test": tuple(rest[sizes[1] :])}
    labelled = by_name(task).with_labels(e.target for e in examples)
    return Dataset("made", labelled, splits, validation_given=validation_given)


@pytest.fixture
def data():
    return make_dataset()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """No test reads or fills the user's cache, or plans by how long a model took to load in one before it."""
    monkeypatch.setenv("SLMFIT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("slmfit.runs.measuring.longest", 0.0)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_imports():
    """Whatever starts a command of its own (test_isolated.py, say) has it measured as users have."""
    warm.measure_in_forks()
    yield
    warm.end()
