"""Large models in a comparison: two beside a small one, what they cost, a budget, a dry run, a kill, a prediction."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import make_dataset
from known_models import RATES, prices_file, said, speaker
from patience import wait_until
from slmfit import __main__ as cli
from slmfit.comparison.compare import Comparison, plan, train
from slmfit.comparison.judging import PREFERENCES
from slmfit.errors import BudgetReached, MissingPart, UsageError
from slmfit.llm import Limits, Patience
from slmfit.llm.server import KEY_OF_HOST
from slmfit.testing import Said, Script, row_in, scripted


def run(capsys, *words):
    """Exit code, stdout and stderr of a command."""
    before, sys.argv = sys.argv, ["slmfit", *map(str, words)]
    try:
        with pytest.raises(SystemExit) as exit:
            cli.main()
    finally:
        sys.argv = before
    out, err = capsys.readouterr()
    return exit.value.code or 0, out, err


@pytest.fixture
def tickets(tmp_path, monkeypatch):
    """A dataset as files, and the folder they are in."""
    monkeypatch.chdir(tmp_path)
    data = make_dataset(sizes=(150, 30, 200))
    for split in ("train", "validation", "test"):
        with (tmp_path / f"{split}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows([e.input, e.target] for e in data.splits[split])
    return data


FILES = ("train.csv", "--test", "test.csv", "--validation", "validation.csv")
TWO = ("compare", *FILES, "--methods", "linear,llm=small,llm=large", "--out", "o")


def test_two_models_beside_a_small_one(tickets, tmp_path, capsys):
    data = tickets
    prices = prices_file(tmp_path)
    with scripted(Script(answer=speaker(data), latency=0.003)) as server:
        code, out, err = run(capsys, *TWO, "--base-url", server.url, "--set", f"llm.prices={prices}", "--json")
        asked = [body for body in server.requests if row_in(body)]
    assert code == 0, err
    result = json.loads(out)
    rows = {row["id"]: row for row in result["methods"]}
    assert list(rows) == ["linear", "llm-small", "llm-large"]
    for model, (input_price, output_price) in RATES.items():
        row = rows[f"llm-{model}"]
        kinds = [said(model, e.input, e.target, data.task.labels) for e in data.test]
        right = sum(kind == e.target for kind, e in zip(kinds, data.test, strict=True))
        refused = sum(isinstance(kind, Said) for kind in kinds)
        assert row["scores"]["test"]["accuracy"]["value"] == right / 200
        assert row["outcomes"] == {"ok": 200 - refused, "refused": refused} and refused
        assert 2.5 <= row["latency_ms"]["p50"] <= row["latency_ms"]["p95"] < 3000
        assert row["size_bytes"] is None and row["scores"].keys() == {"test"}
        record = json.loads((tmp_path / row["run"] / "run.json").read_text())
        used = record["usage"]
        usd = (used["input_tokens"] * input_price + used["output_tokens"] * output_price) / 1e6
        assert used["usd"] == pytest.approx(usd) and row["usd_per_1000_rows"] == pytest.approx(5 * usd)
        assert record["chosen"]["modes"] == {"schema": 200} and record["chosen"]["prices"]["date"] == "2026-11-01"
    assert rows["linear"]["outcomes"] == {"ok": 200} and rows["linear"]["usd_per_1000_rows"] is None
    cost = {row.id: PREFERENCES["cost"](row) for row in Comparison(tmp_path / "o").record.methods}
    assert cost["linear"] == 0 < cost["llm-small"] < cost["llm-large"]
    card = (tmp_path / rows["llm-small"]["run"] / "model" / "README.md").read_text()
    assert "Nothing was trained" in card and "settings chosen" not in card
    code, out, _ = run(capsys, "report", "o", "--markdown")
    assert "refused; they count as wrong" in out and "per 1,000 rows" in out
    # Each model read each test row once, and no other row.
    texts = {e.input for e in data.test}
    assert sorted((body["model"], row_in(body)) for body in asked) == sorted((m, t) for m in RATES for t in texts)
    code, out, _ = run(capsys, *TWO, "--base-url", server.url, "--set", f"llm.prices={prices}")
    assert code == 0 and "$ / 1,000 rows" in out and f"{rows['llm-small']['outcomes']['refused']} refused" in out
    page = (tmp_path / "o" / "report.html").read_text()
    assert "which a server answers, p50 and p95 are what the answers took" in page
    assert "gave no usable answer" in page and "refused" in page and "Cost<small>per 1,000 rows" in page


def test_a_budget_is_shared_kept_to_and_raised(tickets, tmp_path, capsys):
    prices = prices_file(tmp_path)
    with scripted(Script(answer=speaker(tickets), prices=RATES["small"])) as server:
        words = (*TWO, "--base-url", server.url, "--set", f"llm.prices={prices}", "--json")
        spent = []
        for usd in ("0.02", "0.02", "0.05", "10"):
            code, out, _ = run(capsys, *words, "--max-usd", usd)
            rows = {row["id"]: row for row in json.loads(out)["methods"]}
            assert rows["linear"]["status"] == "ok"
            spent.append(sum(ledger_usd(path) for path in ledgers()))
            assert spent[-1] <= float(usd)
            assert code == (0 if usd == "10" else 5)
            if code:
                stopped = [row for row in rows.values() if row["status"] == "stopped"]
                assert stopped and all("of 200 rows are answered, and kept" in row["reason"] for row in stopped)
        assert spent[0] == spent[1] < spent[2] < spent[3]
        assert rows["llm-small"]["status"] == rows["llm-large"]["status"] == "ok"
        assert len([body for body in server.requests if row_in(body)]) == 400  # nothing was asked twice
        asked = len(server.requests)
        code, out, _ = run(capsys, *words, "--max-usd", "0.001")  # all is there: nothing is left to pay for
        assert code == 0 and len(server.requests) == asked


def ledgers():
    return sorted((Path(os.environ["SLMFIT_CACHE"]) / "answers").glob("*.jsonl"))


def answered():
    """How many answers stand in the ledgers."""
    return sum('"answer"' in line for path in ledgers() for line in path.read_text().splitlines())


def ledger_usd(path):
    """What the lines of a ledger charge, by their own word."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return sum(line["charged"]["usd"] for line in lines if "charged" in line)


def test_what_cannot_be_done_is_said_before_anything_is_fitted(tickets, capsys):
    with scripted(Script(answer=speaker(tickets))) as server:
        code, _, err = run(capsys, *TWO, "--base-url", server.url, "--max-usd", "1")
    assert code == 2 and "a limit in USD cannot be kept" in err and not server.requests
    assert not Path("o").exists()


def test_a_comparison_of_nothing_is_a_failure(tickets, capsys):
    words = ("compare", *FILES, "--methods", "llm=m", "--base-url", "http://127.0.0.1:9/v1", "--out", "o")
    code, out, err = run(capsys, *words)
    assert code == 1 and "nothing to compare" in out and "llm-m: failed: http://127.0.0.1:9/v1: the server does" in err


def test_train_stops_at_a_budget_too(tickets, capsys):
    with scripted(Script(answer=speaker(tickets))) as server:
        words = ("train", "llm=small", *FILES, "--base-url", server.url, "--out", "o")
        code, _, err = run(capsys, *words, "--max-tokens", "5000")
        assert code == 5 and "higher limit" in err
        code, _, err = run(capsys, *words, "--max-minutes", "0.00001")
        assert code == 5 and "time limit" in err
        code, out, err = run(capsys, *words, "--max-tokens", "5000000")
        assert code == 0 and "accuracy" in out and "refused; they count as wrong" in err
        code, _, err = run(capsys, "train", "linear", *FILES, "--out", "p", "--max-usd", "1")
        assert code == 2 and "no method here asks one" in err


def test_a_dry_run_asks_and_writes_nothing(tickets, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    prices = prices_file(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    words = (
        "compare",
        *FILES,
        "--methods",
        "linear,llm=small,cascade=linear+llm",
        "--set",
        f"llm.prices={prices}",
        "--dry-run",
    )
    code, out, _ = run(capsys, *words, "--set", "llm.shots=3")
    assert code == 0 and "fitted on 150 rows" in out and "asked 200 texts at api.openai.com" in out
    assert "by prices of 2026-11-01 from prices.toml" in out and "asked 30 texts of validation at api" in out
    assert "cascade-linear-llm-small: 30 texts of validation would leave this machine" in out
    assert "llm-small: 200 texts of test would leave this machine, to api.openai.com, with texts of train" in out
    with scripted(Script(answer=speaker(tickets))) as server:
        code, out, _ = run(capsys, *words, "--base-url", server.url, "--json")
        steps = {step["id"]: step for step in json.loads(out)}
        quote = steps["llm-small"]["quote"]
        assert quote["texts"] == 200 and not quote["leaves_machine"] and not server.requests
        assert sorted(tmp_path.rglob("*")) == before and not ledgers()
        low, expected, high = quote["usd"]
        run(capsys, *TWO, "--base-url", server.url, "--set", f"llm.prices={prices}", "--max-tokens", "20000")
        code, out, _ = run(capsys, *words, "--out", "o", "--base-url", server.url, "--json")
        steps = {step["id"]: step for step in json.loads(out)}
        assert steps["linear"]["action"] == "reuse"
        assert 0 < steps["llm-small"]["kept"] == 200 - steps["llm-small"]["quote"]["texts"]
        run(capsys, *TWO, "--base-url", server.url, "--set", f"llm.prices={prices}")
        code, out, _ = run(capsys, *words, "--out", "o", "--base-url", server.url)
        assert "No text would leave this machine." in out and "used again as it is" in out
    used = json.loads((tmp_path / "o" / "runs" / "llm-small" / "run.json").read_text())["usage"]["usd"]
    assert 0.9 * low <= used <= high and low <= expected <= high  # the server counts a token per 4 characters


def test_a_run_predicts_and_says_what_it_could_not(tickets, tmp_path, capsys):
    with scripted(Script(answer=speaker(tickets))) as server:
        run(capsys, "train", "llm=large", *FILES, "--base-url", server.url, "--out", "o")
        code, out, _ = run(capsys, "predict", "o", *[e.input for e in tickets.test], "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    kinds = [said("large", e.input, e.target, tickets.task.labels) for e in tickets.test]
    expected = [(None, "refused") if isinstance(kind, Said) else (kind, None) for kind in kinds]
    assert code == 0 and [(row["prediction"], row.get("outcome")) for row in rows] == expected


def test_what_stands_in_the_way_is_a_line_and_the_others_go_on(tickets, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    words = ("compare", *FILES, "--methods", "majority,llm=small", "--json")
    code, out, _ = run(capsys, *words, "--out", "a")
    (row,) = [row for row in json.loads(out)["methods"] if row["id"] == "llm-small"]
    assert (code, row["status"]) == (0, "skipped") and "set OPENAI_API_KEY" in row["reason"]
    code, out, _ = run(capsys, *words, "--out", "b", "--base-url", "http://127.0.0.1:9/v1")
    (row,) = [row for row in json.loads(out)["methods"] if row["id"] == "llm-small"]
    assert (code, row["status"]) == (0, "skipped") and "is it running" in row["reason"]
    with scripted() as server:
        code, out, _ = run(capsys, *words, "--out", "c", "--base-url", server.url.removesuffix("/v1") + "/elsewhere")
    (row,) = [row for row in json.loads(out)["methods"] if row["id"] == "llm-small"]
    assert row["status"] == "ok" or "404" in row["reason"]
    code, _, err = run(capsys, "compare", *FILES, "--methods", "majority,llm")
    assert code == 2 and "llm=gemma3:12b" in err
    code, _, err = run(capsys, "compare", *FILES, "--methods", "majority", "--base-url", "http://localhost/v1")
    assert code == 2 and "is not one of the methods" in err


def test_python_says_the_same(tickets, tmp_path):
    with scripted(Script(answer=speaker(tickets))) as server:
        settings = {"llm": {"base_url": server.url}}
        steps = plan(tickets, "llm=small", settings=settings, out=tmp_path / "o")
        assert steps[0].quote.texts == 200
        with pytest.raises(BudgetReached):
            train(tickets, "llm=small", settings=settings, out=tmp_path / "o", limits=Limits(tokens=3000))
        made = train(tickets, "llm=small", settings=settings, out=tmp_path / "o")
        assert made.row.outcomes["refused"] and made.record.size_bytes is None
    with pytest.raises(UsageError, match="limit"):
        train(tickets, "linear", out=tmp_path / "o", limits=Limits(tokens=1))
    with pytest.raises(MissingPart):
        train(tickets, "llm=x", settings={"llm": {"base_url": "http://127.0.0.1:9/v1"}}, out=tmp_path / "q")


def test_killed_and_resumed_nothing_is_asked_twice(tickets, capsys):
    """Kill -9 while the model is asked: the same command asks what was on its way again, and nothing else."""
    known = speaker(tickets)

    def answer(body):
        if len(server.requests) >= 60:
            server.script.latency = 1000.0  # whoever asks from now on waits until the kill
        return known(body)

    with scripted(Script(answer=answer, latency=0.05)) as server:
        words = ("train", "llm=small", *FILES, "--base-url", server.url, "--out", "o")
        child = subprocess.Popen([sys.executable, "-m", "slmfit", *words], stderr=subprocess.DEVNULL)
        wait_until(lambda: child.poll() is not None or (server.script.latency > 1 and answered()))
        child.kill()
        assert child.wait() == -signal.SIGKILL
        wait_until(lambda: not server._open)  # all that it had sent has been read
        kept = answered()
        before = len([body for body in server.requests if row_in(body)])
        server.script.latency, server.script.answer = 0.0, known
        assert run(capsys, *words)[0] == 0
        again = len([body for body in server.requests if row_in(body)]) - before
    assert 0 < kept < 200 and again == 200 - kept and before - kept <= Patience().in_flight


def test_doctor_names_every_key_that_is_read_and_no_value(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROQ_API_KEY", "value-of-groq")
    (tmp_path / ".env").write_text("MISTRAL_API_KEY=value-of-mistral\n")
    _, out, _ = run(capsys, "doctor", "--json")
    keys = json.loads(out)["keys"]
    assert set(KEY_OF_HOST.values()) < set(keys) and "value-of" not in out
    assert (keys["GROQ_API_KEY"], keys["MISTRAL_API_KEY"]) == ("set in the environment", "set in .env")
