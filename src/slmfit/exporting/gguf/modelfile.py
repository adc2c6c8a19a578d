"""The Modelfile beside a GGUF file: how Ollama is to ask this model, which is how it was asked when it was trained.

modelfile(ask, "model.gguf", end="<|im_end|>", context=512)
"""

from __future__ import annotations

from collections.abc import Callable

from slmfit.errors import UsageError

PROMPT = "{{ .Prompt }}"
TEXTS = ("x", " two  words ", 'a "b" {c}\\n\td', "é\n\nend\n")


def template(ask: Callable[[str], str], where: str) -> str:
    """What stands around a text, byte by byte. Raises UsageError for what a Modelfile cannot hold."""
    before, mark, after = ask("\x00").partition("\x00")
    if any(ask(text) != before + text + after for text in TEXTS) or not mark:
        raise UsageError("what is asked with is no text with a place for yours", where=where, fix="set `form` to lines")
    if '"""' in before + after or "{{" in before + after:
        raise UsageError("what is asked with holds signs of Ollama's own", where=where, fix="rename labels that do")
    return before + PROMPT + after


def modelfile(template: str, model: str, end: str, context: int) -> str:
    """The file. context: tokens of a text and its answer."""
    return (
        f'FROM ./{model}\nTEMPLATE """{template}"""\nPARAMETER temperature 0\nPARAMETER stop "{end}"\n'
        f"PARAMETER num_ctx {context}\n"
    )
