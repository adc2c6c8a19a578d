"""POST /v1/chat/completions, as OpenAI's clients expect it: whole, or as it is written."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from slmfit.serving.guard import Send
from slmfit.serving.replies import error_body, send_json

STREAM = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]


class Completion:
    """One answer while it comes."""

    def __init__(self, model: str) -> None:
        self.head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model}

    async def whole(self, pieces: AsyncIterator[dict[str, Any]], send: Send, logprobs: bool) -> None:
        text, tokens = "", list[Any]()
        async for piece in pieces:
            if "error" in piece:
                await _failed(piece["error"], send)
                return
            if "end" in piece:
                message = {"role": "assistant", "content": text, "refusal": None}
                choice = {"index": 0, "message": message, "finish_reason": piece["end"]}
                choice["logprobs"] = {"content": tokens, "refusal": None} if logprobs else None
                body = {**self.head, "object": "chat.completion", "choices": [choice], "usage": usage(piece["usage"])}
                await send_json(send, json.dumps(body).encode())
                return
            text += piece["text"]
            tokens += piece["tokens"]

    async def streamed(self, pieces: AsyncIterator[dict[str, Any]], send: Send, logprobs: bool, told: bool) -> None:
        """told: whether the last event says how many tokens were used."""
        begun = False
        async for piece in pieces:
            if "error" in piece:
                if not begun:
                    await _failed(piece["error"], send)
                else:
                    status, message = piece["error"]["status"], piece["error"]["message"]
                    await self._event(send, json.loads(error_body(status, message)))
                    await send({"type": "http.response.body", "body": b""})
                return
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": STREAM})
                await self._chunk(send, {"role": "assistant", "content": ""}, None, None, told)
                begun = True
            if "end" in piece:
                await self._chunk(send, {}, None, piece["end"], told)
                if told:
                    body = {"object": "chat.completion.chunk", "choices": [], "usage": usage(piece["usage"])}
                    await self._event(send, self.head | body)
                await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
                return
            tokens = {"content": piece["tokens"], "refusal": None} if logprobs else None
            await self._chunk(send, {"content": piece["text"]}, tokens, None, told)

    async def _chunk(self, send: Send, delta: Any, logprobs: Any, reason: str | None, told: bool) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        body = {**self.head, "object": "chat.completion.chunk", "choices": [choice]}
        await self._event(send, body | ({"usage": None} if told else {}))

    async def _event(self, send: Send, value: Any) -> None:
        event = b"data: " + json.dumps(value).encode() + b"\n\n"
        await send({"type": "http.response.body", "body": event, "more_body": True})


def usage(counts: list[int]) -> dict[str, int]:
    asked, written = counts
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}


async def _failed(error: dict[str, Any], send: Send) -> None:
    headers = [(b"retry-after", b"1")] if error["status"] == 503 else []
    await send_json(send, error_body(error["status"], error["message"]), error["status"], headers)
