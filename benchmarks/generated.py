"""Generated data: how fast, how sound, and whether it teaches.

    SLMFIT_DATA=../shared/data python benchmarks/generated.py [--rows 10000] [--train 2000] [--seeds 3]

Writes the recipe `emails`, reads it back with a reader of its own, counts what is off, and trains a plain linear-chain
CRF (python-crfsuite, word-shape features) on some of it. The CRF is tested on the five seed files, per file, as the
words form is read by slmfit. Nothing of a seed file is trained on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

from slmfit.data import load_data
from slmfit.generating import generate

FILES = ("2dae", "e00a", "01a5", "9711", "e4e1")
LOOKED_AT = FILES[:1]  # its first 110 rows, while the recipe was written
TOKEN = re.compile(r"\w+|[^\w\s]")


def read_alone(path: Path) -> tuple[list[dict], int]:
    """The rows, read with nothing but json, and how many entities are not where they say they are.

    A span is misaligned when it is empty, out of the text, out of order, overlaps another, has a space at its edge or
    begins or ends within a word.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    off = 0
    for row in rows:
        text, last = row["text"], 0
        for span in row["spans"]:
            start, end = span["start"], span["end"]
            words = text[start:end]
            inside = start >= last and 0 <= start < end <= len(text)
            begins = text[start - 1 : start].isalnum() and words[:1].isalnum()
            ends = words[-1:].isalnum() and text[end : end + 1].isalnum()
            off += not inside or words != words.strip() or begins or ends
            last = end
    return rows, off


def tokens_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in TOKEN.finditer(text)]


def tags_of(spans: list[tuple[int, int, str]], offsets: list[tuple[int, int]]) -> list[str]:
    tags = []
    for start, end in offsets:
        inside = next((s for s in spans if s[0] < end and start < s[1]), None)
        tags.append("O" if inside is None else ("B-" if start <= inside[0] else "I-") + inside[2])
    return tags


def spans_of(tags: list[str], offsets: list[tuple[int, int]]) -> set[tuple[int, int, str]]:
    spans: list[list] = []
    before = "O"
    for tag, (start, end) in zip(tags, offsets, strict=True):
        if tag != "O" and (tag[0] == "B" or before[2:] != tag[2:]):
            spans.append([start, end, tag[2:]])
        elif tag != "O":
            spans[-1][1] = end
        before = tag
    return {(s[0], s[1], s[2]) for s in spans}


def shape(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1+", re.sub(r"\d", "d", re.sub(r"[a-z]", "x", re.sub(r"[A-Z]", "X", word))))


def features(text: str, offsets: list[tuple[int, int]]) -> list[list[str]]:
    """Word, case, shape, beginning and end of a token, and the same of its two neighbours on either side."""
    words = [text[start:end] for start, end in offsets]
    rows = []
    for i in range(len(words)):
        row = ["bias"]
        for step in (-2, -1, 0, 1, 2):
            if not 0 <= i + step < len(words):
                row.append(f"{step}:edge")
                continue
            word = words[i + step]
            row += [f"{step}:w={word.lower()}", f"{step}:s={shape(word)}"]
            if step == 0:
                glued = i > 0 and offsets[i - 1][1] == offsets[i][0]
                row += [f"p={word[:3].lower()}", f"e={word[-3:].lower()}", f"title={word.istitle()}", f"glued={glued}"]
        rows.append(row)
    return rows


def fit(rows: list[dict], path: str):
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 80, "feature.possible_transitions": True})
    for row in rows:
        offsets = tokens_of(row["text"])
        spans = [(s["start"], s["end"], s["label"]) for s in row["spans"]]
        trainer.append(features(row["text"], offsets), tags_of(spans, offsets))
    trainer.train(path)
    tagger = pycrfsuite.Tagger()
    tagger.open(path)
    return tagger


def f1(pairs: list[tuple[set, set]]) -> float:
    right = sum(len(true & found) for true, found in pairs)
    return 2 * right / max(sum(len(true) + len(found) for true, found in pairs), 1)


def seed_rows(name: str) -> list:
    data = load_data(Path(os.environ["SLMFIT_DATA"]) / "email_seed" / f"dataset_{name}.json")
    return [example for split in ("train", "validation", "test") for example in data.splits[split]]


def answered(tagger, examples) -> list[tuple[set, set]]:
    pairs = []
    for example in examples:
        offsets = tokens_of(example.input)
        tags = tagger.tag(features(example.input, offsets))
        pairs.append(({(s.start, s.end, s.label) for s in example.target.spans}, spans_of(tags, offsets)))
    return pairs


def show_f1(what: str, pairs: list[tuple[set, set]]) -> None:
    types = sorted({span[2] for true, _ in pairs for span in true})
    by_type = {t: f1([({s for s in a if s[2] == t}, {s for s in b if s[2] == t}) for a, b in pairs]) for t in types}
    print(f"  {what:34} F1 {100 * f1(pairs):5.1f}   " + "  ".join(f"{t} {100 * v:.1f}" for t, v in by_type.items()))


def write_and_check(rows: int, folder: Path) -> None:
    """How long it takes, what is rejected, what is misaligned, how far from the quotas, and whether it repeats."""
    began, cpu = time.perf_counter(), time.process_time()
    made = generate("emails", n=rows, output=folder / "emails.jsonl")
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    read, off = read_alone(made.path)
    about = made.about
    print(f"{len(read):,} rows in {wall:.1f} s ({cpu:.1f} s of processor time)")
    print(f"{about['tried']:,} tried, {len(read) / about['tried']:.1%} accepted; rejected {about['rejected']}")
    print(f"entities: {sum(len(row['spans']) for row in read):,}, misaligned: {off}")
    found = Counter(row["intent"] for row in read)
    found += Counter(t for row in read for t in {s["label"] for s in row["spans"]})
    asked = {name: quota["asked"] for quotas in about["quotas"].values() for name, quota in quotas.items()}
    print("rows to quota: " + ", ".join(f"{name} {found[name]}/{n}" for name, n in asked.items()))
    print(f"furthest from its quota: {max(abs(found[name] / n - 1) for name, n in asked.items()):.2%}")
    again = generate("emails", n=rows, output=folder / "again.jsonl")
    print(f"same seed, same bytes: {made.path.read_bytes() == again.path.read_bytes()}")


def teach(rows: int, seed: int, seeds: dict[str, list], folder: Path) -> None:
    """A CRF fitted on generated rows alone, and what it finds in the seed files."""
    made = generate("emails", n=rows, seed=seed, output=folder / f"train{seed}.jsonl")
    tagger = fit(read_alone(made.path)[0], str(folder / "crf"))
    answers = {name: answered(tagger, examples) for name, examples in seeds.items()}
    print(f"CRF on {rows:,} generated rows, seed {seed}:")
    show_f1("all 280 seed e-mails", [pair for pairs in answers.values() for pair in pairs])
    unseen = [pair for name, pairs in answers.items() if name not in LOOKED_AT for pair in pairs]
    show_f1(f"the {len(unseen)} of the files not looked at", unseen)
    for name, pairs in answers.items():
        show_f1(f"dataset_{name} ({len(pairs)})", pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_and_check(given.rows, Path(folder))
        if "SLMFIT_DATA" not in os.environ:
            print("SLMFIT_DATA is not set: the CRF is left out")
            return
        seeds = {name: seed_rows(name) for name in FILES}
        for seed in range(given.seeds):
            teach(given.train, seed, seeds, Path(folder))


if __name__ == "__main__":
    main()
