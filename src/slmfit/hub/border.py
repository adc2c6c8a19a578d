"""The border to transformers, tokenizers and safetensors: what they raise becomes one sentence of ours.

with in_words("models/minilm"):
    AutoConfig.from_pretrained(...)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from slmfit.errors import MissingPart, SlmfitError, UsageError


@contextlib.contextmanager
def in_words(
    where: str | None, what: str = "cannot be loaded", fix: str = "give a whole checkpoint folder"
) -> Iterator[None]:
    """Errors of these libraries as ours, a panic of their Rust included. what: what went wrong then."""
    from safetensors import SafetensorError

    try:
        yield
    except (SlmfitError, MemoryError):
        raise
    except SafetensorError as error:
        raise SlmfitError(f"its weights are damaged: {error}", where=where, fix="download it again") from None
    except ImportError as error:
        raise MissingPart(f"needs a package: {str(error).strip().splitlines()[0]}", where=where) from None
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        said = str(error)
        if "trust_remote_code" in said:
            fix = "use a model whose code is part of transformers"
            raise UsageError("brings code of its own, which is never run here", where=where, fix=fix) from None
        first = next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)
        raise UsageError(f"{what}: {first[:200]}", where=where, fix=fix) from error


def is_panic(error: BaseException) -> bool:
    """Whether it is how Rust ends: no Exception, and of a class that cannot be imported."""
    return type(error).__name__ == "PanicException"


def encoded(backend: Any, texts: Sequence[str], *, special: bool = True, places: bool = False) -> list[Any]:
    """What a tokenizer of the library tokenizers makes of texts. special: with the tokens around a text.

    places: whether it is needed where tokens stand. Raises UsageError where the tokenizer fails on a text.
    """
    work = backend.encode_batch if places else backend.encode_batch_fast
    fix = "its tokenizer.json is damaged: fetch the model again"
    with in_words(None, "the tokenizer of the base model fails on a text", fix):
        return list(work(list(texts), add_special_tokens=special))
