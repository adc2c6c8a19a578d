"""A fine-tuned model that was exported as ONNX, served by ONNX Runtime, tokenizers and numpy: torch is not needed.

    slmfit.load("tickets-onnx").predict(["my card was charged twice"])

    session.py   the border to ONNX Runtime
    head.py      what it reads, and what its outputs mean

It is what `exporting` writes, and no method that can be fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from slmfit import storage
from slmfit.errors import UnsafeError
from slmfit.finetune.logits import tag_names
from slmfit.hub.checkpoint import MOST_JSON, read_object
from slmfit.hub.tokenizers import check_tokenizer, set_right
from slmfit.methods.base import Method, must
from slmfit.methods.exported.head import CLASSES, TAGS, Head, answers, cut_off
from slmfit.methods.exported.session import INPUTS, Session
from slmfit.records import Input, Prediction, from_plain, to_plain
from slmfit.tasks.base import Task

MODEL, TOKENIZER, HEAD = "model.onnx", "tokenizer.json", "head.json"
FILES = {MODEL, TOKENIZER, HEAD, "slmfit.json", "README.md"}


@dataclass(frozen=True)
class Settings:
    """quantised: what the weights became, if they did."""

    quantised: str | None = None


class Onnx(Method):
    """See the module."""

    Settings: ClassVar[type] = Settings
    tasks = ("text-classification", "token-classification")

    head: Head
    session: Session
    tokenizer: Any  # of the library tokenizers
    _task: Task

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        return answers(self.head, self.tokenizer, self.session, self._task, inputs) if inputs else []

    def cuts_off(self, inputs: Sequence[Input]) -> list[bool] | None:
        return cut_off(self.head, self.tokenizer, inputs)

    def save(self, folder: Path) -> None:
        """What stands beside the model, which whoever exports it has written."""
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.tokenizer.save(str(folder / TOKENIZER), pretty=False)
        storage.write_json(folder / HEAD, to_plain(self.head))

    @classmethod
    def load(cls, folder: Path, task: Task, settings: Any) -> Self:
        check_files(folder)
        method = cls(settings)
        method._task = task
        method.head = from_plain(Head, storage.read_json(folder / HEAD, "kind"))
        check_tokenizer(read_object(folder / TOKENIZER, MOST_JSON), folder / TOKENIZER, method.head.vocabulary)
        method.session = Session(folder / MODEL)
        method.tokenizer = opened(folder / TOKENIZER, method.head.vocabulary)
        return method

    def check(self, task: Task) -> None:
        head, session = self.head, self.session
        must(head.kind in (CLASSES, TAGS), "a head of a kind that is not known")
        known = tag_names(task.labels) if head.kind == TAGS else task.labels
        must(sorted(head.names) == sorted(known), "its labels are not the task's")
        must(list(head.intents) == list(getattr(task, "intents", ())), "its intents are not the task's")
        must((head.kind == TAGS) == task.marks, "a head for another task")
        must(bool(task.texts) == (head.frame is not None), "a head for pairs, or for none, and the task is otherwise")
        must(session.widths == head.widths, "its outputs are not as wide as it has labels")
        must(set(session.inputs) <= {*INPUTS} and len(session.inputs) >= 2, "it takes other inputs")
        must(0 <= head.pad < head.vocabulary and 4 <= head.max_length <= 1_000_000, "it reads what cannot be")
        must(0.01 <= head.temperature <= 100, "its temperature is out of range")


def opened(path: Path, vocabulary: int) -> Any:
    """The tokenizer of a file that was looked at."""
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ValueError(f"its tokenizer: {error}") from error
    set_right(backend, vocabulary, str(path))
    return backend


def check_files(folder: Path) -> None:
    """Raise UnsafeError unless the folder holds the files of an exported model, and nothing else: no links, no more."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_file() or path.name not in FILES:
            what = "is nothing that an exported model holds"
            fix = "export the run again, or get the folder again from a source that you trust"
            raise UnsafeError(what, where=str(path), fix=fix)
