"""Which parts a run's script is made of, what of them the run has, and its own values.

    contents(run)       # Contents(["ejecting/parts/run", …], {"counted", "pairs"}, {"C": 0.3, …})

What a run is, its record and the files of its model say; the model itself is not loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slmfit import embeddings, storage
from slmfit.embeddings.sentence import read_recipe
from slmfit.errors import UsageError
from slmfit.hub import bases, snapshots
from slmfit.methods.knn.settings import WEIGHTINGS
from slmfit.runs.run import Run
from slmfit.text.cutting import NEWEST
from slmfit.text.tfidf import LENGTHS, SHARES

PARTS = "ejecting/parts"
_TAKES = "it takes runs of linear, knn, encoder and causal that classify texts or find entities, one text a row"
_INSTEAD = {
    "cascade": "eject the runs that it is made of, each by itself",
    "onnx": "eject the run that it was made of",
}


@dataclass
class Contents:
    """What `composed` takes."""

    parts: list[str]
    has: set[str] = field(default_factory=set)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, *parts: str) -> None:
        """Parts behind those that are there, each once."""
        named = [part if "/" in part else f"{PARTS}/{part}" for part in parts]
        self.parts += [part for part in named if part not in self.parts]


def contents(run: Run) -> Contents:
    """Raises UsageError for a run that no script can be, UnsafeError where its files are not those of its record."""
    record, folder = run.record, run.folder / "model"
    make = _MAKERS.get((record.method, record.task["name"]))
    if make is None or record.task.get("texts"):
        what = f"a run of {record.method} for {record.task['name']} has no script"
        if make is not None:
            what = "a run that reads two texts in a row has no script"
        raise UsageError(what, where=str(run.folder), fix=_INSTEAD.get(record.method, _TAKES))
    storage.verify_files(folder, record.files)
    found = Contents([f"{PARTS}/run"], {"shares"}, {"SEED": record.seed})
    if strip := storage.read_json(folder / "slmfit.json", "strip")["strip"]:
        found.add("data/clean")
        found.has.add("strip")
        found.values["STRIP"] = tuple(strip)
    make(run, folder, found)
    found.add("entities" if run.task.marks else "labels")
    return found


def _linear(run: Run, folder: Path, found: Contents) -> None:
    about = storage.read_json(folder / "linear.json", "chosen")["chosen"]
    blocks = str(about["features"]).split("+")
    counted = [block for block in SHARES if block in blocks]
    found.values |= {"C": about["C"]}
    if counted:
        known = storage.read_json(folder / "vocabulary.json", "cut", "shares", "alphabet")
        _check_words(known["cut"], len(known["alphabet"]), folder)
        found.has |= {"counted", *counted}
        found.values |= {"POWER": about["power"], "SHARES": known["shares"], "RATIOS": about.get("ratios", 0.0)}
        if about.get("ratios"):
            found.has.add("ratios")
        found.add("words", "tfidf")
    if "embeddings" in blocks:
        found.has.add("vectors")
        _embedding(folder / "embedding", found)
    found.add("linear")


def _knn(run: Run, folder: Path, found: Contents) -> None:
    chosen = storage.read_json(folder / "knn.json", "k", "weighting")
    found.values |= {"K": chosen["k"], "TEMPERATURE": WEIGHTINGS[chosen["weighting"]]}
    found.values |= {"DIMENSION": run.record.settings["dimension"]}
    _embedding(folder / "embedding", found)
    found.add("knn")


def _spans(run: Run, folder: Path, found: Contents) -> None:
    about, chosen = storage.read_json(folder / "spans.json", "grain", "any"), run.record.chosen
    if not about["any"]:
        raise UsageError("its rows had no entity to learn", where=str(run.folder), fix="fit it on rows that have some")
    if about["grain"] == "tokens":
        found.add("tasks/splitting", "cutting")
    else:
        found.add("tasks/splitting", "spelled")
        found.values["GRAIN"] = about["grain"]
    found.values |= {"REACH": about["reach"], "C1": chosen["c1"], "C2": chosen["c2"]}
    clusters = (folder / "clusters.safetensors").is_file()
    if (folder / "intent").is_dir():
        found.has.add("intents")
        _linear(run, folder / "intent", found)
    found.has.add("clusters" if clusters else "plain")
    if clusters:
        found.add("static", "clusters")
    found.add("methods/linear/words", "bio", "crf")


def _embedding(folder: Path, found: Contents) -> None:
    """What makes vectors of texts, in a folder."""
    if (folder / embeddings.LSA.FILE).is_file():
        found.add("words", "lsa")
    elif not embeddings.is_transformer(folder):
        found.add("static")
    else:
        from slmfit.finetune import pretrained

        recipe, config = read_recipe(folder, str(folder)), pretrained.read_config(str(folder))
        limit = pretrained.longest(config, pretrained.load_tokenizer(str(folder), config))
        found.values |= {"POOLING": recipe.pooling, "LONGEST": min(recipe.max_length or limit, limit)}
        found.values |= {"PROMPT": recipe.prompt, "LOWER": recipe.lower}
        found.add("sentence")


def _check_words(cut: int, alphabet: int, folder: Path) -> None:
    """Raise UsageError for words or keys of them that the parts do not know."""
    if cut != NEWEST or (alphabet + 2) ** max(LENGTHS) >= 2**63:
        what = "its words are cut as before" if cut != NEWEST else f"its words have {alphabet:,} different characters"
        raise UsageError(f"{what}, which a script cannot read", where=str(folder), fix="fit it again")


def _encoder(run: Run, folder: Path, found: Contents) -> None:
    if run.task.marks:
        about = storage.read_json(folder / "entities.json", "fine", "intents")
        found.values["AT_PUNCTUATION"] = bool(about["fine"])
        if about["intents"]:
            found.has.add("intents")
        _loading(run, folder, found)
        found.add("tasks/splitting", "bio", "tagging")
    else:
        _loading(run, folder, found)
        found.add("sequence")


def _causal(run: Run, folder: Path, found: Contents) -> None:
    entities = run.task.marks
    _loading(run, folder, found)
    if (folder / "examples.jsonl").is_file():
        found.has.add("shots")
    if (folder / "choices.json").is_file():
        found.values["READING"] = storage.read_json(folder / "choices.json", "reading")["reading"]
        found.add("scoring")
    elif (folder / "written.json").is_file():
        about = storage.read_json(folder / "written.json", "grain", "room")
        found.values |= {"ROOM": about["room"], "GRAIN": about["grain"]}
        found.has = found.has - {"shares"} | {"written"}
        found.add("asking", "writing", "teaching")
        if entities:
            form = run.record.settings["form"]
            if run.record.task["intents"]:
                found.has.add("intents")
            if form == "lines":
                found.has.add("lines")
            found.add("tasks/splitting", "spelled", "bio", "tasks/words", f"as_{form}", "written_entities")
        else:
            found.add("written_labels")
    else:
        found.has.add("causal")
        found.add("sequence")


def _loading(run: Run, folder: Path, found: Contents) -> None:
    """How a fine-tuned model is loaded, and was trained."""
    settings, chosen, base = run.record.settings, run.record.chosen, bases.read(folder)
    if settings.get("quantise"):
        fix = "`slmfit predict` uses this run as it is; or fit it without quantise"
        raise UsageError(f"weights of {settings['quantise']} have no script", where=str(run.folder), fix=fix)
    found.add("loading")
    found.has |= {"apart"} if base else {"whole"}
    name = base.name if base else str(settings["base_model"])
    if snapshots.name_on_hub(name) is None:  # a place on this machine, wherever the script will be called from
        name = str(Path(name).resolve())
    found.values["BASE"] = name
    found.has.add("gguf" if base and base.gguf else "folder")
    if base and base.gguf:
        place = Path(name)
        file = name.lower().endswith(".gguf")
        found.values |= {"BASE": str(place.parent) if file else name, "GGUF": place.name if file else base.gguf}
    if (folder / "adapter").is_dir() and base:
        found.has.add("adapters")
    if chosen["epochs"] == 0:
        return
    found.add("tuning")
    found.has.add("trained")
    if settings["lora"]:
        found.has.add("lora")
    if settings["dropout"] is not None:
        found.has.add("dropout")
    about = re.search(r"about (\d+) (?:texts|rows)", str(chosen.get("why", {}).get("batch_tokens")))
    found.values |= {"EPOCHS": chosen["epochs"], "LEARNING_RATE": chosen["learning_rate"]}
    found.values |= {"ROWS": int(about[1]) if about else 32, "DROPOUT": settings["dropout"]}
    found.values |= {"WARMUP": settings["warmup"], "WEIGHT_DECAY": settings["weight_decay"]}
    found.values |= {"RANK": settings["lora_rank"], "ALPHA": settings["lora_alpha"]}
    found.values |= {"LORA_DROPOUT": settings["lora_dropout"]}


_MAKERS: dict[tuple[str, str], Callable[[Run, Path, Contents], None]] = {
    ("linear", "text-classification"): _linear,
    ("linear", "token-classification"): _spans,
    ("knn", "text-classification"): _knn,
    ("encoder", "text-classification"): _encoder,
    ("encoder", "token-classification"): _encoder,
    ("causal", "text-classification"): _causal,
    ("causal", "token-classification"): _causal,
}
