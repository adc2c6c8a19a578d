"""What chat models were told and answered, as rows: OpenAI's `messages`, ShareGPT's `conversations`, files of batches.

    spoken({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "greeting"}]})
    # {"text": "Hi", "label": "greeting"}
    batched({"custom_id": "7", "response": {"body": {"choices": [{"message": {"content": "greeting"}}]}}})
    # {"id": "7", "prediction": "greeting"}

None for any other row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]

SYSTEM = "system_prompt"  # the column of what the system is told: a text only where it differs from row to row
CHATS = ("messages", "conversations")
_ASKS, _ANSWERS, _TELLS = {"user", "human"}, {"assistant", "gpt", "model"}, {"system", "developer"}


def spoken(row: Row) -> Row | None:
    """A chat as text and label: its last turn is the answer where an assistant has it, and what comes before the text.

    Of several answers only one may count: the others have `"weight": 0`, as in OpenAI's files.
    """
    key = next((key for key in CHATS if isinstance(row.get(key), list)), None)
    if key is None or "text" in row or not all(isinstance(turn, Mapping) for turn in row[key]):
        return None
    turns = [(who_of(turn), words_of(turn), turn.get("weight", 1) != 0) for turn in row[key]]
    if not all(who in _ASKS | _ANSWERS | _TELLS and said is not None for who, said, _ in turns):
        return None
    counted = [i for i, (who, _, counts) in enumerate(turns) if who in _ANSWERS and counts]
    if len(counted) > 1 or (counted and counted[0] != len(turns) - 1):
        return None
    said = [(who, str(words)) for i, (who, words, _) in enumerate(turns) if i not in counted]
    asked = [(who, words) for who, words in said if who not in _TELLS]
    if not any(who in _ASKS for who, _ in asked):
        return None
    found = {name: cell for name, cell in row.items() if name != key}
    found["text"] = asked[0][1] if len(asked) == 1 else "\n".join(f"{who}: {words}" for who, words in asked)
    if counted:
        found["label"] = _answer(str(turns[-1][1]).strip())
    if system := "\n".join(words for who, words in said if who in _TELLS):
        found[SYSTEM] = system
    return found


def who_of(turn: Mapping[str, Any]) -> str:
    """The role of a turn, as it is called there."""
    return str(turn.get("role", turn.get("from")))


def words_of(turn: Mapping[str, Any]) -> str | None:
    """What is said in a turn, also in parts; None where it is no text, or calls a tool."""
    said = turn.get("content", turn.get("value"))
    if turn.get("tool_calls") or turn.get("function_call"):
        return None
    if isinstance(said, list) and said and all(isinstance(part, Mapping) for part in said):
        parts = [part.get("text") for part in said]
        return "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None
    return said if isinstance(said, str) else None


def _answer(said: str) -> str:
    """The one thing that an answer written as an object says; any other answer as it is."""
    if said.startswith("{"):
        try:
            match list(json.loads(said).values()):
                case [str(label)] if label.strip():
                    return label
        except (ValueError, AttributeError, RecursionError):
            pass
    return said


def batched(row: Row) -> Row | None:
    """An answer of a batch as OpenAI and Anthropic hand it out: under the id that the user gave, what was said."""
    response, result = row.get("response"), row.get("result")
    if "custom_id" not in row or not isinstance(response if result is None else result, Mapping | None):
        return None
    if "response" not in row and "result" not in row:
        return None
    given = {"id": row["custom_id"]}
    body = (response or {}).get("body") if result is None else result.get("message")
    if not isinstance(body, Mapping) or (result is None and response.get("status_code", 200) != 200):  # type: ignore[union-attr]
        return given | {"prediction": None, "outcome": "error"}
    said, ended = _said(body)
    outcome = _ENDS.get(str(ended), "ok") if said is not None else "error"
    return given | {"prediction": said} | ({} if outcome == "ok" else {"outcome": outcome})


_ENDS = {"length": "truncated", "max_tokens": "truncated", "incomplete": "truncated", "content_filter": "filtered",
         "refusal": "refused"}  # fmt: skip


def _said(body: Mapping[str, Any]) -> tuple[str | None, Any]:
    """The text of a chat completion, a response or a message, and why it ended; None where there is none."""
    match body:
        case {"choices": [{"message": {"refusal": str()}}, *_]}:
            return "", "refusal"
        case {"choices": [{"message": {"content": str(said)}, **choice}, *_]}:
            return said, choice.get("finish_reason")
        case {"output": [*items]}:
            held = [item.get("content") for item in items if isinstance(item, Mapping)]
            parts = [part for content in held if isinstance(content, list) for part in content]
        case {"content": [*parts]}:
            pass
        case _:
            return None, None
    texts = [part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
    return "".join(texts) if texts else None, body.get("stop_reason", body.get("status"))
