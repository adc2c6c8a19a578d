"""Files of a log to calls of chat models, each with what was asked and what came back. Nothing leaves the machine.

    log = read_log("logs/")
    log.calls[0].messages, log.calls[0].said, log.others

Of what a log may look like `calls.py` tells. A file of which no row is a call is refused, with what was seen in it.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from slmfit.comparison.left import schema_of
from slmfit.data.readers.json_reader import rows_of_json, rows_of_jsonl
from slmfit.data.readers.lines import text_of
from slmfit.data.readers.rows import ending, opened, reading
from slmfit.data.readers.unknown import missing
from slmfit.errors import DataError, Where
from slmfit.leaving.calls import KEPT_OUT, Record, record_of, turns_of
from slmfit.llm.wire import Reply
from slmfit.storage import check_links, named
from slmfit.tasks.framed import Said
from slmfit.text.figures import listed

KINDS = ("jsonl", "ndjson", "json")
FORMS = (
    "known are OpenAI's chat completions and Anthropic's messages as request and response, the input and"
    " output of a batch, files of `messages`, and LiteLLM's logs; one object a line"
)
# A model's excuse in place of an answer: what it cannot do, or what it is. That it is sorry may be said to a customer.
_WILL_NOT = (
    r"i(?: can['’]?t| cannot| can not|['’]m unable to| am unable to|['’]m not able to| am not able to| won['’]t)"
    r" (?:help|assist|answer|classify|categori[sz]e|label|provide|comply|continue|determine|process|respond|do that)\b"
)
_SORRY = r"(?:(?:i['’]m|i am|we['’]re|we are)(?: very| so)? sorry|sorry)[,.:;]?(?: but)?,? "
_EXCUSE = re.compile(rf"(?:{_SORRY})?(?:{_WILL_NOT}|as an ai\b).*", re.IGNORECASE | re.DOTALL)
_LONGEST_EXCUSE = 400  # characters
_ENDS = {"length": "truncated", "content_filter": "filtered"}
_FURTHER = "further answers, as only the first to a call counts"
_TOOLS = "calls that show pictures or call tools"

Ended = Literal["ok", "refused", "filtered", "truncated", "failed"]


@dataclass(frozen=True, slots=True)
class Call:
    """schema: of the answer, where the request has one, and its name. tokens: in, out, and of those in from the cache.

    usd: as the log says. host: the address that was asked. unpaid: nobody was asked, as the answer was known.
    """

    where: Where
    id: str | None
    messages: tuple[Said, ...]
    schema: Mapping[str, Any] | None
    schema_name: str | None
    model: str | None
    time: datetime | None
    ended: Ended
    said: str
    tokens: tuple[int | None, int | None, int]
    usd: float | None = None
    host: str | None = None
    unpaid: bool = False


@dataclass
class Log:
    """calls: in the order of time; of the files, where one has none. others: what else stands there -> how often.

    notes: what readers decided.
    """

    files: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def read_log(path: str | Path) -> Log:
    """A file, or a folder of them: .jsonl, .ndjson or .json, each also .gz.

    Raises DataError for a path that is missing, for a file that cannot be read or of which no row is a call, and for
    the lines of batches of which two have one id.
    """
    root, log = named(path), Log()
    words: dict[str, str] = {}  # prompts are long, and all the same
    asked: dict[str, tuple[Where, Record]] = {}
    answered: list[tuple[Where, Record]] = []
    for file in _files(root, log):
        log.files.append(str(file))
        known, seen = 0, None
        for where, row in _rows(file, log.notes):
            record = record_of(row)
            if record is None:
                seen = seen or (where, row)
                log.others["rows of another form"] += 1
                continue
            known += 1
            if record.other is not None:
                log.others[record.other] += 1
            elif record.batch is None:
                _add(log, where, record, words)
            elif record.request is None:
                answered.append((where, record))
            else:
                before = asked.setdefault(record.batch, (where, record))
                if before[1].request != record.request:
                    what = f"the custom_id {record.batch!r:.60} stands for another request in {before[0]}"
                    raise DataError(what, where=where, fix="give one batch at a time: its input and its output")
        if not known and seen is not None:
            raise _unknown(*seen)
    _join(log, asked, answered, words)
    if all(call.time is not None for call in log.calls):  # an export is as often newest first
        log.calls.sort(key=lambda call: (call.time or datetime.min).timestamp())
    if not log.calls:
        found = ", ".join(f"{count:,} {what}" for what, count in log.others.items()) or "no rows"
        raise DataError(f"holds no answered call of a chat model, but {found}", where=str(root), fix=FORMS)
    return log


def _files(root: Path, log: Log) -> list[Path]:
    with reading(str(root)):
        if not root.exists():
            raise missing(root)
        if not root.is_dir():
            if ending(root) not in KINDS:
                raise DataError(
                    "is not a log that can be read", where=str(root), fix="give .jsonl or .json, or a folder"
                )
            return [root]
        check_links(root, root)
        every = []
        for top, folders, names in os.walk(root):
            ours = {"leave.json", "comparison.json"} & {*names}  # results of ours are no logs
            folders[:] = [] if ours else [name for name in folders if not name.startswith(".")]
            every += [] if ours else [Path(top) / name for name in names if not name.startswith(".")]
    files = sorted(file for file in every if ending(file) in KINDS)
    if others := sorted(file.name for file in every if ending(file) not in KINDS):
        log.notes.append(f"{root}: not read: {listed(others)}.")
    if not files:
        raise DataError("this folder holds no logs", where=str(root), fix="put files there named .jsonl or .json")
    return files


def _rows(path: Path, notes: list[str]) -> Iterator[tuple[Where, dict[str, Any]]]:
    """The objects of a file as they stand; a file may also be one object, a call of its own."""
    file = str(path)
    with opened(path, notes) as (handle, kind):
        if kind == "json":
            text = text_of(handle, file)
            if (one := _one(text)) is not None:
                yield Where(file, 1), one
                return
            rows = rows_of_json(io.BytesIO(text.encode()), file, notes)
        else:
            rows = rows_of_jsonl(handle, file, notes)
        for line, row in rows:
            yield Where(file, line), row


def _one(text: str) -> dict[str, Any] | None:
    """The call that a whole file is; None where it holds several, or none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and record_of(value) is not None else None


def _unknown(where: Where, row: Mapping[str, Any]) -> DataError:
    keys = listed(sorted(map(str, row)), 8)
    return DataError(f"this is not a log format that slmfit knows: its rows have {keys}", where=where, fix=FORMS)


def _add(log: Log, where: Where, record: Record, words: dict[str, str]) -> None:
    call = _call(where, record, words)
    if isinstance(call, str):
        log.others[call] += 1
    else:
        log.calls.append(call)
        log.others += Counter({_FURTHER: record.further})


def _join(
    log: Log,
    asked: Mapping[str, tuple[Where, Record]],
    answered: Sequence[tuple[Where, Record]],
    words: dict[str, str],
) -> None:
    """The two halves of batches put together, in the order of the answers."""
    lost = Counter[str]()
    for where, record in answered:
        if record.batch not in asked:
            lost["answers of a batch whose input is not there"] += 1
            continue
        _, half = asked[str(record.batch)]
        whole = replace(record, request=half.request, id=record.batch)
        _add(log, where, whole, words)
    done = {record.batch for _, record in answered}
    lost["requests of a batch without an answer"] = sum(id not in done for id in asked)
    log.others += lost


def _call(where: Where, record: Record, words: dict[str, str]) -> Call | str:
    """The call, or why it is none of a text."""
    request = record.request or {}
    if not request.get("messages"):
        return KEPT_OUT
    messages = turns_of(request["messages"])
    if messages is None:
        return _TOOLS
    reply = record.reply
    if reply is None and record.error is None:
        return "calls without an answer that is text"
    schema, name = schema_of(request.get("response_format"))
    model = request.get("model")
    return Call(
        where,
        record.id,
        tuple((role, words.setdefault(said, said)) for role, said in messages),
        schema,
        name,
        model if isinstance(model, str) else None,
        record.time,
        _ended(reply),
        "" if reply is None else reply.content,
        (None, None, 0) if reply is None else (reply.input_tokens, reply.output_tokens, reply.cached_tokens),
        record.usd,
        record.host,
        record.cached,
    )


def _ended(reply: Reply | None) -> Ended:
    if reply is None:
        return "failed"
    said = reply.content.strip()
    if reply.refusal is not None or (len(said) <= _LONGEST_EXCUSE and _EXCUSE.fullmatch(said)):
        return "refused"
    ended: Any = _ENDS.get(str(reply.finish), "ok")
    return ended if ended != "ok" or reply.content.strip() else "failed"
