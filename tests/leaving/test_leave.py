"""From a log that the official client made to prompts, rows, comparisons and costs."""

import json
import random
import subprocess
import sys

import pytest

from slmfit.cli.leaving import show_left
from slmfit.data.load import load_data
from slmfit.errors import UsageError
from slmfit.leaving import leave
from slmfit.leaving.found import prompts_of
from slmfit.leaving.logs import read_log
from slmfit.records import Entities
from traffic import logged, made

pytest.importorskip("openai")
PRICES = """
date = 2026-11-01
models.gpt-5-mini = {input = 0.25, output = 2.0}
models.gpt-5 = {input = 1.25, output = 10.0}
"""


@pytest.fixture(scope="module")
def traffic():
    return made(500)


@pytest.fixture(scope="module")
def log(traffic, tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "calls.jsonl"
    return path, logged(traffic, path)


def test_tasks_texts_and_answers_are_what_was_sent(traffic, log):
    path, counts = log
    read = read_log(path)
    assert len(read.calls) == counts["sent"] and not read.others
    by_kind = {"topic": [], "entities": [], "chat": []}
    for one in traffic:
        by_kind[one.kind].append(one)
    named = {prompt.name: prompt for prompt in prompts_of(read)}
    assert named.keys() == {"ticket-topic", "entities", "free-text"}
    found = {row.text: row.target for row in named["ticket-topic"].rows}
    assert found == {one.text: one.target for one in by_kind["topic"]}
    found = {row.text: row.target for row in named["entities"].rows}
    assert found.keys() == {one.text for one in by_kind["entities"]}
    for one in by_kind["entities"]:
        target = found[one.text]
        assert isinstance(target, Entities)
        assert [(s.start, s.end, s.label) for s in target.spans] == one.target
    assert named["free-text"].why == "answers in free text"
    assert sum(prompt.duplicates for prompt in named.values()) == counts["again"]
    assert sum(prompt.ended["failed"] for prompt in named.values()) == counts["failed"]
    assert sum(prompt.retries for prompt in named.values()) == counts["failed"] > 0
    assert len(named["free-text"].calls) >= len(by_kind["chat"])


@pytest.fixture(scope="module")
def left(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("left")
    (folder / "prices.toml").write_text(PRICES)
    return leave(log[0], "majority,linear", prices=folder / "prices.toml", out=folder / "out")


def test_every_task_is_a_dataset_and_a_comparison(left):
    assert left.comparisons.keys() == {"ticket-topic", "entities"}
    for name, comparison in left.comparisons.items():
        data = load_data(left.folder / f"{name}.jsonl")
        assert data.hashes["test"] == comparison.record.split["test"].hash
        assert {row.id for row in comparison.record.methods if row.run} == {"majority", "linear"}
        times = [json.loads(line) for line in (left.folder / f"{name}.jsonl").read_text().splitlines()]
        latest = {split: max(row["time"] for row in times if row["split"] == split) for split in ("train", "test")}
        assert latest["train"] < min(row["time"] for row in times if row["split"] == "test")
    assert left.record.teacher == "gpt-5-mini and gpt-5"


def test_what_it_cost_is_the_tokens_at_their_prices(left, log):
    topics = next(prompt for prompt in left.record.prompts if prompt.name == "ticket-topic")
    cost = topics.cost
    assert cost.usd == pytest.approx((cost.input_tokens * 0.25 + cost.output_tokens * 2.0) / 1e6)
    assert "prices.toml, 2026-11-01" in cost.source
    told = [json.loads(line)["response"]["body"].get("usage") for line in log[0].read_text().splitlines()]
    assert left.record.cost.input_tokens == sum(usage["prompt_tokens"] for usage in told if usage)


def test_the_same_call_uses_it_again_and_another_log_is_refused(left, log, traffic, tmp_path):
    again = leave(log[0], "majority,linear", prices=left.folder.parent / "prices.toml", out=left.folder)
    assert all(row.reused for comparison in again.comparisons.values() for row in comparison.record.methods)
    lines = log[0].read_text().splitlines(keepends=True)
    (tmp_path / "less.jsonl").write_text("".join(lines[:400]))
    with pytest.raises(UsageError, match="another log"):
        leave(tmp_path / "less.jsonl", out=left.folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds other files \(mine.txt\)"):
        leave(log[0], out=tmp_path / "other")


def test_the_terminal_names_every_model_and_shows_what_the_report_warns_of(tmp_path, capsys):
    draw = random.Random(0)
    lines = []
    for i in range(120):
        label = draw.choice(["billing", "delivery"])
        text = (
            f"{i} "
            + " ".join(draw.sample("my card parcel late order again please how can the box".split(), 6))
            + f" {label[:4]}"
        )
        if label == "billing" and i >= 90:
            label = "payments"  # as it is called from then on
        request = {"model": ["gpt-5-mini", "gpt-5"][i % 2], "messages": [
            {"role": "system", "content": "Sort the ticket of a customer into one topic."},
            {"role": "user", "content": f"Ticket: {text}"}]}  # fmt: skip
        response = {"choices": [{"message": {"role": "assistant", "content": label}, "finish_reason": "stop"}]}
        lines.append(json.dumps({"timestamp": 1_780_000_000 + 60 * i, "request": request, "response": response}) + "\n")
    (tmp_path / "log.jsonl").write_text("".join(lines))
    show_left(leave(tmp_path / "log.jsonl", "majority", out=tmp_path / "left"), as_json=False)
    said = capsys.readouterr().out
    assert "2 models answered (gpt-5-mini 60, gpt-5 60); agreement is with the one that answered each text." in said
    assert "Agreement with gpt-5-mini and gpt-5 on" in said
    assert "warning: " in said and "'payments'" in said


def test_few_texts_are_not_compared_on(log, tmp_path):
    lines = log[0].read_text().splitlines(keepends=True)
    (tmp_path / "less.jsonl").write_text("".join(lines[:80]))
    record = leave(tmp_path / "less.jsonl", "majority", out=tmp_path / "out").record
    assert not record.tasks
    assert all("too few" in str(prompt.why) for prompt in record.prompts if prompt.kind != "free-text")


def test_the_command_says_it_and_reads_without_torch(log, left, tmp_path):
    code = "import sys; from slmfit.leaving.logs import read_log; from slmfit.leaving.found import prompts_of; "
    code += f"prompts_of(read_log({str(log[0])!r})); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    command = [
        sys.executable,
        "-m",
        "slmfit",
        "leave",
        str(log[0]),
        "--methods",
        "majority,linear",
        "--out",
        str(left.folder),
    ]
    done = subprocess.run(
        [*command, "--prices", str(left.folder.parent / "prices.toml")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "ticket-topic: " in done.stdout and "not a task that slmfit can do: answers in free text" in done.stdout
    assert "  3 labels: " in done.stdout and "  2 types: " in done.stdout
    assert "per 1,000 calls" in done.stdout and "agrees" in done.stdout
    assert f"next: slmfit serve {left.folder} --as-openai" in done.stderr
    plain = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(plain.stdout)["teacher"] == "gpt-5-mini and gpt-5"
