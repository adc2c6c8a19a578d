"""Requests as a log has them, answered in the shape that the log has: whoever asked the large model asks here instead.

    prompts = Prompts(read_left(folder).tasks)
    prompts.meant(fields)                     # (PromptRecord(name="topic", …), "where is my parcel")

A request's prompt is told by what stands around its text, and by its schema; the name of the model is only repeated.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.comparison.left import PromptRecord, read_left, schema_hash, schema_of
from slmfit.errors import SlmfitError, UsageError
from slmfit.records import Entities, Span, Target
from slmfit.runs.run import load
from slmfit.serving.chat_request import messages_of
from slmfit.serving.replies import Refusal
from slmfit.serving.waiting import Asked, Unavailable

# What changes the shape of an answer, and the values at which it does not.
_SHAPES: Mapping[str, Sequence[Any]] = {
    "n": (1,), "tools": ([],), "functions": ([],), "logprobs": (False,), "audio": (), "modalities": (["text"],),
}  # fmt: skip
NO_TOKENS = [0, 0]  # none is read or written as a language model's


class Prompts:
    """See the module."""

    def __init__(self, prompts: Sequence[PromptRecord]) -> None:
        self.prompts = [prompt for prompt in prompts if prompt.shape is not None]

    def meant(self, fields: Mapping[str, Any]) -> tuple[PromptRecord, str]:
        """The prompt that a request is of, and its text. Raises Refusal for a request of none."""
        for name, usual in _SHAPES.items():
            if fields.get(name) is not None and fields[name] not in usual:
                raise Refusal(400, f"{name!r} is not done here: leave it out", name)
        messages = [(message["role"], message["content"]) for message in messages_of(fields)]
        schema = schema_hash(schema_of(fields.get("response_format"))[0])
        for prompt in self.prompts:
            if prompt.schema == schema:
                for frame in prompt.frames:
                    if (text := frame.text_of(messages)) is not None:
                        return prompt, text
        known = ", ".join(prompt.name for prompt in self.prompts)
        raise Refusal(404, f"this request is of no prompt that is answered here; these are: {known}", "messages")


def left(folders: Sequence[str | Path]) -> tuple[dict[str, str], Prompts]:
    """Name -> comparison of the prompts that something here can answer, and these prompts.

    Raises UsageError for what `leave` did not write, and where no verdict picked a method.
    """
    if len(folders) != 1:
        raise UsageError("one folder is served as the API was", fix="name the one that `slmfit leave` wrote")
    folder = Path(folders[0])
    found, kept, refused = {}, [], list[SlmfitError]()
    for prompt in read_left(folder).tasks:
        own = str(storage.inside(folder, str(prompt.comparison)))
        try:
            load(own)
        except UsageError as error:
            refused.append(error)
            continue
        found[prompt.name] = own
        kept.append(prompt)
    if refused and not kept:
        raise refused[0]
    if not kept:
        fix = "`slmfit leave` says why its prompts are no tasks"
        raise UsageError("there is no prompt here that a method answers", where=str(folder), fix=fix)
    return found, Prompts(kept)


async def pieces(asked: Asked, prompt: PromptRecord, text: str) -> AsyncIterator[dict[str, Any]]:
    """The answer as a chat that is written: its words at once, then its end."""
    assert prompt.shape is not None
    try:
        body = json.loads((await asked.done)[0])
    except Unavailable:
        yield {"error": {"status": 503, "message": "the model is not there: try again"}}
        return
    if asked.statuses[0] != 200:
        yield {"error": {"status": asked.statuses[0], "message": body["error"]["message"]}}
        return
    target = _target(body)
    if target is None:
        yield {"error": {"status": 503, "message": f"there is no answer ({body.get('outcome', 'none')})"}}
        return
    yield {"text": prompt.shape.write(target, text), "tokens": []}
    yield {"end": "stop", "usage": NO_TOKENS}


def _target(body: Mapping[str, Any]) -> Target | None:
    """The answer that a line's body holds."""
    if "label" in body:
        label: str | None = body["label"]
        return label
    if body.get("entities") is None:
        return None
    return Entities(tuple(Span(s["start"], s["end"], s["label"]) for s in body["entities"]), body["intent"])
