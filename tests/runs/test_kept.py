"""Of many labels few probabilities are written down, and what follows from the file follows still."""

import json
import math

from slmfit.data.load import load_data
from slmfit.methods.specs import parse_specs
from slmfit.records import Entities
from slmfit.runs.fitting import Terms, fit_run
from slmfit.runs.kept import kept
from slmfit.runs.run import Run


def test_few_labels_are_all_kept():
    chances = {f"l{k}": 1 / 20 for k in range(20)}
    assert kept(chances, "l3", "l5") == {"probabilities": chances}


def test_of_many_the_highest_the_truth_and_the_answer_are():
    chances = {f"l{k}": (k + 1) / 5050 for k in range(100)}
    found = kept(chances, "l0", "l50")
    assert set(found["probabilities"]) == {"l0", "l50", *(f"l{k}" for k in range(80, 100))}
    assert all(found["probabilities"][label] == chances[label] for label in found["probabilities"])
    assert math.isclose(sum(found["probabilities"].values()) + found["other_probability"], 1, rel_tol=1e-5)
    assert "l1" in kept(chances, Entities((), "l1"), None)["probabilities"]


def test_a_run_of_many_labels_is_small_and_its_log_loss_follows_from_the_file(tmp_path):
    rows = [f"word{k % 150} w{k},label {k % 150}" for k in range(900)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    data = load_data(tmp_path / "a.csv")
    for name in ("majority", "linear"):
        record = fit_run(parse_specs(name, task=data.task)[0], data, tmp_path / name, Terms(0, "accuracy"))
        run = Run(tmp_path / name)
        tests = [row for row in run.predictions() if row["split"] == "test"]
        assert max(len(json.dumps(row)) for row in tests) < 1200
        losses = [-math.log(max(row["probabilities"][row["target"]], 1.2e-7)) for row in tests]
        assert math.isclose(record.scores["test"]["log_loss"].value, sum(losses) / len(losses), rel_tol=1e-6)
        answers = run.answers("test", data.test)
        value = data.task.components("f1_macro", [e.target for e in data.test], answers).value
        assert math.isclose(value, record.scores["test"]["f1_macro"].value)
