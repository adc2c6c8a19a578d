"""The site's pages: each is reached, names what exists, and the commands that programs are told to run do run."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import slmfit
from slmfit import __main__ as cli
from test_readme import tickets  # noqa: F401

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
spec = importlib.util.spec_from_file_location("site_parts", DOCS / "site_parts.py")
site_parts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(site_parts)

NOT_PAGES = {"_build", "slmfit-out"}
PAGES = sorted(
    p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md") if not NOT_PAGES & set(p.parts)
)


def text_of(page):
    path = ROOT / site_parts.SHOWN[page] if page in site_parts.SHOWN else DOCS / f"{page}.md"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page):
    assert site_parts.wrong_names(text_of(page)) == []


@pytest.mark.parametrize("block, wrong", [
    ("```sh\nslmfit comapre tickets.csv\n```", "slmfit has no verb 'comapre'"),
    ("```sh\nuvx slmfit compare t.csv --metod linear --out x\n```", "slmfit compare has no option '--metod'"),
    ("```python\nslmfit.load_dat('x')\n```", "slmfit has no public name 'load_dat'"),
    ("```{code-cell} ipython3\nslmfit.compair(data)\n```", "slmfit has no public name 'compair'"),
])  # fmt: skip
def test_what_does_not_exist_is_told(block, wrong):
    assert site_parts.wrong_names(block) == [wrong]


def test_every_page_is_reached():
    trees = re.findall(r"```\{toctree\}\n(.*?)```", text_of("index"), re.DOTALL)
    named = {line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")}
    assert named | {"index"} == set(PAGES)


def test_llms_txt_names_every_page():
    linked = set(re.findall(r"\]\(([^)]+)\.html\)", (DOCS / "llms.txt").read_text(encoding="utf-8")))
    assert linked == {*PAGES} - {"index"}


def test_every_verb_and_every_public_name_has_its_place():
    verbs = site_parts.verbs_as_markdown()
    for name, verb in site_parts._verbs().items():
        assert f"\n## {name}\n" in f"\n{verbs}"
        assert all(flag in verbs for option in verb.params for flag in option.opts if flag.startswith("--"))
    named = re.findall(r"auto(?:function|class|exception):: slmfit\.(\w+)", text_of("api"))
    assert sorted(named) == slmfit.__all__


def test_parameters_become_a_list():
    said = """What it does.

    metric: what the verdict goes by; None = the task's own. margin: in the metric's
    unit. Raises UsageError for an unknown metric: none is taken.

        compare(data)
    """
    lines = [line.removeprefix("    ") for line in said.splitlines()]
    assert site_parts.as_fields(lines, ["data", "metric", "margin"]) == [
        "What it does.", "",
        ":param metric: what the verdict goes by; None = the task's own.", ":param margin: in the metric's unit.", "",
        "Raises UsageError for an unknown metric: none is taken.", "",
        "::", "", "    compare(data)", "",
    ]  # fmt: skip


def test_the_three_calls_and_the_exit_codes(tickets, monkeypatch, capsys):  # noqa: F811
    page = text_of("agents")
    (calls,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    said = []
    for line in [*calls.splitlines(), "slmfit compare lost.csv --json", "slmfit predict lost text --json"]:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as exit:
            cli.main()
        captured = capsys.readouterr()
        said.append((exit.value.code, captured.out, captured.err))
    assert [code for code, _, _ in said] == [0, 0, 0, 3, 2]
    assert all("\n  fix: " in err for _, _, err in said[3:])
    compared, answer, scores = (json.loads(out) for _, out, _ in said[:3])
    for field in re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)[:4]:
        found = compared
        for name in field.split("."):
            found = found[name]
    methods = compared["methods"][0]
    assert {"status", "reason", "size_bytes", "latency_ms", "usd_per_1000_rows"} <= methods.keys()
    assert methods["scores"]["test"]["accuracy"].keys() == scores["accuracy"].keys() == {"value", "low", "high"}
    assert answer.keys() == {"text", "prediction", "probability", "probabilities"}
    for error in (slmfit.UsageError, slmfit.DataError, slmfit.UnsafeError, slmfit.BudgetReached):
        assert re.search(rf"^\| {error.exit_code} \|", page, re.MULTILINE)
    (python,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(python, "AGENTS.md", "exec"), {})
    assert "pick linear" in capsys.readouterr().out


@pytest.mark.site
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("myst_nb", reason="needs the extra `docs`")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", str(DOCS), str(tmp_path / "html")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr
    pages = [page for page in (tmp_path / "html").rglob("*.html") if "_static" not in page.parts]
    fetched = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//')
    assert pages and [page for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []
