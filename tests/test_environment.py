"""What an extra brings is written in pyproject.toml for pip, and once in the code: both say the same."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from slmfit.environment import EXTRAS, install, missing

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_extras_bring_what_is_looked_for():
    known = packages_distributions()
    for extra, packages in EXTRAS.items():
        brought = {re.match(r"[\w-]+", line)[0].lower() for line in PROJECT["optional-dependencies"][extra]}
        for package in packages:
            if package in known:
                assert known[package][0].lower() in brought, f"{package} is not in the extra {extra!r}"
        assert len(brought) == len(packages)


def test_all_is_every_extra_for_users():
    (line,) = PROJECT["optional-dependencies"]["all"]
    assert set(re.search(r"\[(.*)\]", line)[1].split(",")) == set(EXTRAS)


def test_what_is_missing_and_how_to_get_it():
    assert missing("json", "no_such_package") == ["no_such_package"]
    assert install("train") == "pip install 'slmfit[train]'"
