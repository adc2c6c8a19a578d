"""How a tuned model is written: whole, as a folder of transformers; or as adapters and the name of their base model.

save_adapted(folder, body, base, None, rest)        # adapter/, base.json, configuration and what `rest` writes
body = save_whole(folder, body, rest)               # model.safetensors, adapters added in, and adapter/ for peft
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from slmfit.errors import SlmfitError
from slmfit.finetune import lora, pretrained
from slmfit.hub import bases

ADAPTERS = "adapter"
Rest = Callable[[Path], None]


def save_adapted(folder: Path, body: Any, base: bases.Base, known: Path | None, rest: Rest) -> None:
    """Adapters, the base model they belong to, and the rest. known: where the adapters of a loaded model are.

    Raises SlmfitError when it cannot be written.
    """
    with _writing(folder):
        if known is not None:
            shutil.copytree(known, folder / ADAPTERS)
        elif _has_adapters(body):
            lora.save_adapters(body, folder / ADAPTERS)
        pretrained.save_config(body, folder)
        bases.write(base, folder)
        rest(folder)


def save_whole(folder: Path, body: Any, rest: Rest, *, adapters: bool = True) -> Any:
    """The whole model and the rest; returns the model, adapters added in. adapters: whether to keep them too, for peft.

    Raises SlmfitError when it cannot be written.
    """
    with _writing(folder):
        if _has_adapters(body):
            if adapters:
                lora.save_adapters(body, folder / ADAPTERS)
            body = lora.merged(body)
        body.save_pretrained(folder)
        rest(folder)
    return body


def _has_adapters(body: Any) -> bool:
    return hasattr(body, "merge_and_unload")


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        with pretrained.quiet():
            yield
    except (OSError, SafetensorError) as error:
        what = getattr(error, "strerror", None) or str(error).splitlines()[0]
        fix = "free some space and run the same command again; the training is not lost"
        raise SlmfitError(f"the model could not be written: {what}", where=str(folder), fix=fix) from None
