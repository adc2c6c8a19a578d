"""`--seeds 3`: three runs, one line, and what it says is what an independent count of the predictions on disk says."""

import csv
import json
import statistics

import pytest

from conftest import make_dataset
from extended import install, slmfit
from slmfit.comparison.compare import compare, train
from slmfit.errors import UsageError
from slmfit.records import comparison_from_plain
from slmfit.runs.run import Run, load

FILE = '''
"""Counts words by label in a few train rows that the seed draws."""

import json
import random
from dataclasses import dataclass

from slmfit.errors import SlmfitError
from slmfit.methods.base import Method, setting
from slmfit.records import Prediction


@dataclass(frozen=True)
class Settings:
    rows: int = setting(15, "How many train rows are seen; 0 = none.", low=0)
    fails: int | None = setting(None, "The seed whose training fails.")


class Dice(Method):
    """Counts a few words."""

    Settings = Settings
    trained = True

    @property
    def seeded(self):
        return self.settings.rows > 0

    def fit(self, task, train, validation, context):
        if context.seed == self.settings.fails:
            raise SlmfitError("the loss is no number", fix="lower the learning rate")
        context.event("share", seconds=context.budget_seconds)
        self.counts = {label: {} for label in task.labels}
        for example in random.Random(context.seed).sample(list(train), self.settings.rows):
            for word in example.input.split():
                words = self.counts[example.target]
                words[word] = words.get(word, 0) + 1

    def predict(self, inputs):
        answers = []
        for text in inputs:
            votes = {label: sum(words.get(w, 0) for w in text.split()) for label, words in self.counts.items()}
            answers.append(Prediction(max(votes, key=votes.get)))
        return answers

    def save(self, folder):
        (folder / "counts.json").write_text(json.dumps(self.counts))

    @classmethod
    def load(cls, folder, task, settings):
        method = cls(settings)
        method.counts = json.loads((folder / "counts.json").read_text())
        return method
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data, and an installed method that is trained, and quick."""
    folder = tmp_path_factory.mktemp("seeds")
    install(folder / "src", "dice", FILE, {"dice": "dice:Dice"})
    rows = [e for split in make_dataset(sizes=(120, 60, 200)).splits.values() for e in split]
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows((f"{e.input} {n}", e.target) for n, e in enumerate(rows))
    return folder


def run(place, *words, out, check=True):
    words = [*words, "--out", str(out), "--json"]
    return slmfit(*words, cwd=place, source=place / "src", check=check)


@pytest.fixture(scope="module")
def compared(place):
    out = place / "compared"
    done = run(place, "compare", "data.csv", "--methods", "majority,dice", "--seeds", "3", out=out)
    return json.loads(done.stdout), out


def right(out, run, split="test"):
    """Id -> whether the answer was right."""
    lines = (out / "runs" / run / "predictions.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["id"]: row["prediction"] == row["target"] for row in rows if row["split"] == split}


def share(answers):
    return sum(answers.values()) / len(answers)


IDS = ["dice", "dice~seed1", "dice~seed2"]


def test_one_line_holds_the_mean_and_the_spread(compared):
    record, out = compared
    row = next(row for row in record["methods"] if row["id"] == "dice")
    shares = [share(right(out, id)) for id in IDS]
    assert len(set(shares)) > 1
    assert [one["seed"] for one in row["seeds"]] == [0, 1, 2]
    assert [one["run"] for one in row["seeds"]] == [str(out / "runs" / id) for id in IDS]
    assert [one["scores"]["test"]["accuracy"]["value"] for one in row["seeds"]] == pytest.approx(shares)
    score = row["scores"]["test"]["accuracy"]
    assert score["value"] == pytest.approx(statistics.mean(shares))
    of_seeds = statistics.stdev(shares) / 3**0.5
    every = [hit for id in IDS for hit in right(out, id).values()]
    of_rows = statistics.stdev(every) / len(every) ** 0.5  # were all answers to rows of their own: the least there is
    assert score["high"] - score["low"] > 3.9 * (of_seeds**2 + of_rows**2) ** 0.5
    assert all(row["seeds"] == [] for row in record["methods"] if row["id"] != "dice")
    assert {f.name for f in (out / "runs").iterdir() if f.is_dir()} == {"majority", *IDS}


def test_the_run_that_predicts_is_chosen_on_validation(compared):
    record, out = compared
    row = next(row for row in record["methods"] if row["id"] == "dice")
    by_validation = {id: share(right(out, id, "validation")) for id in IDS}
    best = max(by_validation.values())
    assert row["run"] == str(out / "runs" / next(id for id in IDS if by_validation[id] == best))
    chosen = Run(out / "runs" / row["run"].rsplit("/", 1)[-1]).record
    assert row["size_bytes"] == chosen.size_bytes and row["fit_seconds"] == chosen.fit_seconds


def test_the_difference_is_that_of_the_means_and_wider_than_of_rows(compared):
    record, out = compared
    assert record["verdict"]["best"] == "dice"
    pair = record["paired"]["majority"]
    other, means = right(out, "majority"), [right(out, id) for id in IDS]
    gaps = [statistics.mean(answers[id] for answers in means) - other[id] for id in other]
    assert pair["difference"]["value"] == pytest.approx(statistics.mean(gaps))
    of_seeds = statistics.stdev(share(answers) for answers in means) / 3**0.5
    of_rows = statistics.stdev(gaps) / len(gaps) ** 0.5
    half = (pair["difference"]["high"] - pair["difference"]["low"]) / 2
    assert (
        half > 2.2 * (of_rows**2 + of_seeds**2) ** 0.5
    )  # the quantile of two comparisons is 2.24, of Student's t more


def test_the_verdict_says_what_it_rests_on(compared, place):
    record, out = compared
    assert any(
        caveat.startswith("dice: scores are means over training seeds") for caveat in record["verdict"]["caveats"]
    )
    again = json.loads(run(place, "compare", "data.csv", "--methods", "majority,dice", out=out).stdout)
    row = next(row for row in again["methods"] if row["id"] == "dice")
    assert row["reused"] and row["run"] == str(out / "runs" / "dice") and len(row["seeds"]) == 1
    assert row["scores"] == row["seeds"][0]["scores"]
    expected = "dice: one training seed; another may score differently; `--seeds 3` says by how much."
    assert expected in again["verdict"]["caveats"]


def test_everywhere_it_is_shown(compared, place):
    record, out = compared
    row = next(row for row in record["methods"] if row["id"] == "dice")
    shares = sorted(100 * one["scores"]["test"]["accuracy"]["value"] for one in row["seeds"])
    words = f"3 seeds, {shares[0]:.1f}–{shares[-1]:.1f}"
    command = ["compare", "data.csv", "--methods", "majority,dice", "--seeds", "3", "--out", str(out)]
    shown = slmfit(*command, cwd=place, source=place / "src")
    assert words in shown.stdout
    assert shown.stderr.count("already fitted, used again") == 4
    assert words in slmfit("report", str(out), "--markdown", cwd=place, source=place / "src").stdout
    page = (out / "report.html").read_text()
    assert words in page and "its rows, classes and curves are of the training with seed" in page
    assert "fitted again since" not in page


def test_trained_alone_and_asked(place):
    out = place / "trained"
    found = json.loads(run(place, "train", "dice", "data.csv", "--seeds", "3", out=out).stdout)
    shares = [share(right(out, id)) for id in IDS]
    assert found["mean_scores"]["test"]["accuracy"]["value"] == pytest.approx(statistics.mean(shares))
    best = max(IDS, key=lambda id: share(right(out, id, "validation")))
    assert found["run"] == str(out / "runs" / best)
    assert load(out).record.id == best
    (out / "runs" / "dice").rename(out / "runs" / "dice,12345678")
    with pytest.raises(UsageError, match="neither a run nor a comparison"):
        load(out)


def test_all_trainings_share_the_budget_alike(place):
    out = place / "other"
    run(place, "compare", "data.csv", "--methods", "dice", "--seeds", "2", "--budget", "10m", out=out)
    parts = []
    for id in IDS[:2]:
        lines = (out / "runs" / id / "events.jsonl").read_text().splitlines()
        parts += [event["seconds"] for event in map(json.loads, lines) if event["event"] == "share"]
    assert parts[0] == pytest.approx(parts[1], rel=0.05)
    assert 100 < parts[0] <= 300 - 10


def test_a_training_that_fails_leaves_the_others_and_says_so(place):
    out = place / "other"
    words = ["compare", "data.csv", "--methods", "majority,dice", "--seeds", "3", "--set"]
    done = run(place, *words, "dice.fails=2", out=out, check=False)
    assert done.returncode == 1
    record = json.loads(done.stdout)
    row = next(row for row in record["methods"] if row["id"] == "dice")
    assert row["status"] == "ok" and len(row["seeds"]) == 2
    assert row["reason"].startswith("2 of 3 trainings; seed 2 failed: the loss is no number")
    assert "dice: 2 of 3 trainings; seed 2 failed: the loss is no number" in record["verdict"]["caveats"]


def test_a_method_that_is_used_as_it_is_has_no_seeds(place):
    words = ["compare", "data.csv", "--methods", "majority,dice", "--set", "dice.rows=0", "--seeds", "3"]
    refused = run(place, *words, out=place / "other", check=False)
    assert refused.returncode == 2 and "nothing here is trained" in refused.stderr


@pytest.mark.parametrize(("seeds", "what"), [(0, "--seeds cannot be 0"), (2, "nothing here is trained")])
def test_wrong_numbers_are_refused_before_anything_is_written(tmp_path, data, seeds, what):
    for act in (compare, train):
        with pytest.raises(UsageError, match=what):
            act(data, "linear", seeds=seeds, out=tmp_path / "o")
    with pytest.raises(UsageError, match="the seed cannot be"):
        compare(data, "encoder", seed=2**32 - 2, seeds=3, out=tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_a_file_of_before_is_read(compared):
    _, out = compared
    plain = json.loads((out / "comparison.json").read_text())
    for row in plain["methods"]:
        del row["seeds"]
    assert not any(row.seeds for row in comparison_from_plain(plain).methods)
