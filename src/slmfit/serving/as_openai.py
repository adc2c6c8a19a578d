"""Requests as a log has them, answered in the shape that the log has: whoever asked the large model asks here instead.

    prompts = Prompts(read_left(folder).tasks)
    prompts.meant(fields)                     # (PromptRecord(name="topic", …), "where is my parcel")

A request's prompt is told by what stands around its text, and by its schema; the name of the model is only repeated.
Where a person's verdict is to leave in part, the answer counts from a confidence on; what is below it goes on to the
large model (`upstream.py`), and so does, where there is one, all that is not answered here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slmfit import storage
from slmfit.comparison.left import PromptRecord, read_left, schema_hash, schema_of
from slmfit.errors import SlmfitError, UsageError
from slmfit.records import ComparisonRecord, Entities, Span, Target
from slmfit.reporting.checked import Checked, read_checked
from slmfit.runs.run import load, read_comparison, read_run
from slmfit.serving.chat_request import messages_of
from slmfit.serving.replies import RETRY, Refusal
from slmfit.serving.upstream import Upstream
from slmfit.serving.waiting import Asked
from slmfit.tasks.reply_shapes import Shape

# What changes the shape of an answer, and the values at which it does not.
_SHAPES: Mapping[str, Sequence[Any]] = {
    "n": (1,), "tools": ([],), "functions": ([],), "logprobs": (False,), "audio": (), "modalities": (["text"],),
}  # fmt: skip
HERE, PASSED_ON, OTHER = "here", "upstream", "other"  # who answers; a request of no prompt
NO_TOKENS = [0, 0]  # none is read or written as a language model's


class Prompts:
    """See the module. thresholds: name -> how sure the one here has to be to answer; of all others it answers all.

    notes: name -> what is to be known of it, when the server begins.
    """

    def __init__(
        self,
        prompts: Sequence[PromptRecord],
        thresholds: Mapping[str, float] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        self.prompts = [prompt for prompt in prompts if prompt.shape is not None]
        self.thresholds, self.notes = thresholds or {}, notes or {}
        self.answered = Counter[tuple[str, str]]()  # (name, HERE or PASSED_ON), of all that were asked

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

    async def said(self, asked: Asked, prompt: PromptRecord, text: str) -> str:
        """The answer as the log has it. Raises Refusal where there is none, Unavailable."""
        assert prompt.shape is not None
        body = json.loads((await asked.done)[0])
        if asked.statuses[0] != 200:
            raise Refusal(asked.statuses[0], body["error"]["message"])
        if (target := _target(body)) is None:
            raise Refusal(503, f"there is no answer ({body.get('outcome', 'none')})", headers=RETRY)
        least, sure = self.thresholds.get(prompt.name), body["confidence"]
        if least is not None and (sure is None or sure < least):
            raise Refusal(503, "the model here is not sure enough, and there is no other", headers=RETRY)
        return prompt.shape.write(target, text, sure)


def left(folders: Sequence[str | Path]) -> tuple[dict[str, str], Prompts]:
    """Name -> run of the prompts that something here can answer, and these prompts.

    A person's verdict says what answers, and from which confidence on; where it says to stay, nothing does. Where there
    is none, or it is of too little, the comparison's does. What is not served is told in the prompts' `notes`.
    Raises UsageError for what `leave` did not write, and where no prompt can be served.
    """
    if len(folders) != 1:
        raise UsageError("one folder is served as the API was", fix="name the one that `slmfit leave` wrote")
    folder = Path(folders[0])
    found, kept, refused = {}, [], list[SlmfitError]()
    thresholds, notes = dict[str, float](), dict[str, str]()
    for prompt in read_left(folder).tasks:
        own = storage.inside(folder, str(prompt.comparison))
        try:
            record = read_comparison(own)
            checked = read_checked(own, record)
            if checked is not None and checked.kind == "stay":
                raise UsageError(checked.sentence, where=str(own), fix=f"slmfit serve {own} serves it all the same")
            if checked is not None and checked.method is not None:
                found[prompt.name] = str(_judged(own, record, checked))
                if checked.threshold is not None:
                    thresholds[prompt.name] = checked.threshold
            else:
                load(own)
                found[prompt.name] = str(own)
        except UsageError as error:
            refused.append(error)
            notes[prompt.name] = f"not answered here: {error}"
            continue
        fix = f"nobody has checked whether that is right: slmfit check {own}"
        notes[prompt.name] = "; ".join([fix if checked is None else checked.sentence, *_always(prompt.shape)])
        kept.append(prompt)
    if refused and not kept:
        raise refused[0]
    if not kept:
        fix = "`slmfit leave` says why its prompts are no tasks"
        raise UsageError("there is no prompt here that a method answers", where=str(folder), fix=fix)
    return found, Prompts(kept, thresholds, notes)


def check_upstream(prompts: Prompts, upstream: Upstream | None) -> None:
    """Raise UsageError where something is to be passed on, and nobody is there to take it."""
    if prompts.thresholds and upstream is None:
        names = ", ".join(prompts.thresholds)
        fix = "name the API that answers the rest: --base-url https://api.openai.com/v1, with its key in OPENAI_API_KEY"
        what = "the small model can answer only part of these requests; the rest need the large model"
        raise UsageError(what, where=names, fix=fix)


def _always(shape: Shape | None) -> list[str]:
    """What stands in every answer, whatever was asked: a client may go by it."""
    rest = {} if shape is None else {name: value for name, value in shape.rest.items() if name != shape.sure}
    said = ", ".join(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in rest.items())
    return [f"always the same here: {said}"] if rest else []


async def pieces(said: str) -> AsyncIterator[dict[str, Any]]:
    """The answer as a chat that is written: its words at once, then its end."""
    yield {"text": said, "tokens": []}
    yield {"end": "stop", "usage": NO_TOKENS}


def _judged(own: Path, record: ComparisonRecord, checked: Checked) -> Path:
    """The run that was checked. Raises UsageError where it is another by now."""
    row = next((row for row in record.methods if row.id == checked.method and row.run), None)
    run = None if row is None or row.run is None else storage.inside(own, row.run)
    key = checked.keys.get(str(checked.method))
    if run is None or read_run(run).key != key:
        what = f"the verdict is about an earlier fit of {checked.method}"
        if key is None:
            what = "the verdict was made by an older slmfit and does not say which fit it is about"
        raise UsageError(what, where=str(own), fix=f"judge again with the same answers: slmfit check {own}")
    return run


def _target(body: Mapping[str, Any]) -> Target | None:
    """The answer that a line's body holds."""
    if "label" in body:
        label: str | None = body["label"]
        return label
    if body.get("entities") is None:
        return None
    return Entities(tuple(Span(s["start"], s["end"], s["label"]) for s in body["entities"]), body["intent"])
