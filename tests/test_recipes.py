"""docs/recipes.md: its recipe is read, and its commands run as they stand there."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from slmfit import __main__ as cli

PAGE = (Path(__file__).parent.parent / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (recipe,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    Path("orders.toml").write_text(recipe, encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in commands.splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as exit:
            cli.main()
        assert not exit.value.code, capsys.readouterr().err
    about = json.loads(Path("orders.jsonl.about.json").read_text())
    assert about["rows"] == 80 and about["quotas"]["entities"]["DRINK"]["asked"] == 72
    assert json.loads(Path("orders.json").read_text())["about"]["rows"] == 50
    assert "token-classification" in Path("compared/comparison.json").read_text()


def test_every_key_of_a_recipe_is_on_the_page():
    source = (Path(cli.__file__).parent / "generating" / "recipe.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'(?:take|share|part|table)\("(\w+)"', source)) | {"hasty", "typos", "lowercase", "bare"}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", PAGE)] == []
