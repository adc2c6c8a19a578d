"""docs/format.md shows real records: its examples are read by the code, and name every field."""

import json
import re
from dataclasses import fields
from pathlib import Path

from slmfit import records
from slmfit.checking.judging import Judged as Truth
from slmfit.checking.judging import MethodTruth
from slmfit.comparison.left import CostRecord, LeaveRecord, PromptRecord
from slmfit.exporting.gate import Judged
from slmfit.exporting.record import ExportRecord
from slmfit.methods.ranges import Range
from slmfit.runs.stressed import KindRecord, StressRecord
from slmfit.tuning.record import TuningRecord
from slmfit.tuning.trials import Tried

DOC = (Path(__file__).parent.parent / "docs" / "format.md").read_text(encoding="utf-8")


def example(name):
    return json.loads(re.search(rf"```json {name}\n(.*?)```", DOC, re.DOTALL)[1])


def table(heading):
    section = DOC.split(f"## {heading}\n")[1].split("```")[0].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_run_is_read_and_written_back():
    plain = example("run")
    assert plain["format"] == records.RUN_FORMAT
    record = records.run_from_plain(plain)
    assert {"format": records.RUN_FORMAT, **records.to_plain(record)} == plain


def test_the_comparison_is_read_and_written_back():
    plain = example("comparison")
    assert plain["format"] == records.COMPARISON_FORMAT
    record = records.comparison_from_plain(plain)
    assert {"format": records.COMPARISON_FORMAT, **records.to_plain(record)} == plain


def test_every_field_is_explained():
    assert table("run.json") == {f.name for f in fields(records.RunRecord)}
    assert table("comparison.json") == {f.name for f in fields(records.ComparisonRecord)}
    assert table("stress.json") == {f.name for kind in (StressRecord, KindRecord) for f in fields(kind)}
    truth = set(re.findall(r"`(\w+)`", DOC.split("## checked/\n")[1].split("\n## ")[0]))
    assert {f.name for kind in (Truth, MethodTruth) for f in fields(kind)} <= truth
    assert table("tuning.json") == {f.name for f in fields(TuningRecord)}
    tuning = set(re.findall(r"`(\w+)`", DOC.split("## tuning.json\n")[1].split("\n## ")[0]))
    assert {f.name for kind in (Tried, Range) for f in fields(kind)} <= tuning
    assert table("leave.json") == {f.name for f in fields(LeaveRecord)}
    leave = set(re.findall(r"`([\w-]+)`", DOC.split("## leave.json\n")[1].split("\n## ")[0]))
    assert {f.name for kind in (PromptRecord, CostRecord) for f in fields(kind)} <= leave
    assert table("export.json") == {f.name for f in fields(ExportRecord)}
    assert {f.name for f in fields(Judged)} <= set(re.findall(r"`(\w+)`", DOC.split("## export.json\n")[1]))


def test_fields_of_a_later_version_are_left_out():
    record = records.run_from_plain(example("run") | {"carbon_grams": 3})
    assert not hasattr(record, "carbon_grams")
