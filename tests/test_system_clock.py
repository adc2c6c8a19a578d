"""The system's clock is set, forward or back by days, while we work: no budget ends early, and none is prolonged.

What takes time is measured by clocks that nobody sets; the system's own only writes dates into records.
"""

import ast
import datetime
import time
from itertools import count
from pathlib import Path

import pytest

from conftest import make_dataset
from slmfit import environment
from slmfit.comparison.compare import compare, train
from slmfit.errors import BudgetReached
from slmfit.generating import generate, read_recipe
from slmfit.generating.asking import LlmWriter
from slmfit.llm import Limits, Server
from slmfit.testing import Script, scripted

SOURCE = Path(__file__).parent.parent / "src" / "slmfit"
DAY = 86400.0
DATES = {  # who reads the system's clock, and what for
    "environment.py": "when a record was made",
    "llm/faults.py": "a server names the date until which to wait, and never for longer than our patience",
    "llm/prices.py": "prices have their day",
    "serving/chat.py": "OpenAI's replies say when they were made",
    "testing/faults.py": "a server that names such a date",
    "ui/jobs.py": "a job is called by its date; whether its file is only some seconds old",
    "ui/uploads.py": "how many days old the pieces of a file are that never came whole",
}
READS = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.clock_gettime",
         "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}  # fmt: skip


@pytest.fixture(params=[DAY, -DAY], ids=["forward", "back"])
def set_again_and_again(request, monkeypatch):
    """Whenever the system's clock is read, somebody has set it by another day."""
    ticks, real = count(1), time.time

    class Jumping(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(time.time(), tz)

    monkeypatch.setattr(time, "time", lambda: real() + request.param * next(ticks))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))
    monkeypatch.setattr(environment, "datetime", Jumping)


def test_nothing_but_dates_comes_from_the_system_s_clock():
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in READS:
                found.add(path.relative_to(SOURCE).as_posix())
            assert not (isinstance(node, ast.ImportFrom) and node.module == "time"), f"{path}: import it whole"
    assert found == set(DATES)


def test_a_comparison_keeps_to_its_budget(set_again_and_again, tmp_path):
    made = compare(make_dataset(sizes=(40, 12, 12)), "majority,linear", out=tmp_path / "o", budget_seconds=120.0)
    assert [row.status for row in made.record.methods] == ["ok", "ok"]
    for row in made.record.methods:
        assert 0 <= row.fit_seconds < 60 and 0 <= row.search_seconds < 60 and row.latency_ms["p50"] >= 0


def test_a_large_model_keeps_to_its_minutes(set_again_and_again, tmp_path):
    data = make_dataset(sizes=(40, 12, 60))
    with scripted(Script(latency=0.3)) as server:
        settings = {"llm": {"base_url": server.url}}
        begin = time.perf_counter()
        with pytest.raises(BudgetReached, match="time limit"):
            train(data, "llm=m", settings=settings, out=tmp_path / "o", limits=Limits(seconds=0.6))
        assert 0.3 < time.perf_counter() - begin < 100
        server.script.latency = 0.0
        made = train(data, "llm=m", settings=settings, out=tmp_path / "o", limits=Limits(seconds=120.0))
    assert made.row.outcomes == {"ok": 60}


def test_generate_keeps_to_its_minutes(set_again_and_again, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = read_recipe("emails")
    with scripted(Script(latency=0.1)) as server:
        writer = LlmWriter(recipe, Server(server.url, "m"), limits=Limits(seconds=0.05))
        begin = time.perf_counter()
        with pytest.raises(BudgetReached, match="time limit"):
            generate(recipe, n=40, writer=writer)
        assert time.perf_counter() - begin < 100
        made = generate(recipe, n=3, output="t.jsonl")
    assert made.about["rows"] == 3 and 0 <= made.about["made"]["seconds"] < 60
