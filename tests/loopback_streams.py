"""Server-sent events of OpenAI's chat completions and Anthropic's messages, as the loopback server sends them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from loopback import Request

End = Literal["whole", "cut", "short", "hang", "error"]
"""How a stream ends: as it should; its connection breaks; its body ends before the reply does; never; with an error."""


def words(text: str) -> tuple[str, ...]:
    """Pieces of a text, each a word and what separates it from the next."""
    return tuple(re.findall(r"\s*\S+\s*", text)) or ((text,) if text else ())


class Events:
    """The events of one reply in the protocol of its request."""

    def __init__(self, request: Request, model: str) -> None:
        self._anthropic, self._model = request.path.endswith("/messages"), model
        self._usage_wanted = (request.body.get("stream_options") or {}).get("include_usage", False)

    def start(self, tokens: tuple[int, int]) -> str:
        """What comes before the text, a thought included."""
        if not self._anthropic:
            return self._chunk({"role": "assistant", "content": ""})
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": tokens[0], "output_tokens": 1},
        }
        block = {"type": "thinking", "thinking": "", "signature": ""}
        thought = {"type": "thinking_delta", "thinking": "not for the reader"}
        return (
            _named("message_start", message=message)
            + _named("content_block_start", index=0, content_block=block)
            + _named("content_block_delta", index=0, delta=thought)
            + _named("content_block_stop", index=0)
            + _named("ping")
            + _named("content_block_start", index=1, content_block={"type": "text", "text": ""})
        )

    def piece(self, text: str) -> str:
        """A piece of the text."""
        if self._anthropic:
            return _named("content_block_delta", index=1, delta={"type": "text_delta", "text": text})
        return self._chunk({"content": text})

    def end(self, stop: str, tokens: tuple[int, int]) -> str:
        """What comes after the text."""
        if self._anthropic:
            return (
                _named("content_block_stop", index=1)
                + _named(
                    "message_delta",
                    delta={"stop_reason": stop, "stop_sequence": None},
                    usage={"output_tokens": tokens[1]},
                )
                + _named("message_stop")
            )
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
        return (
            self._chunk({}, stop)
            + (self._data(choices=[], usage=usage) if self._usage_wanted else "")
            + "data: [DONE]\n\n"
        )

    def overloaded(self) -> str:
        """An error in the middle."""
        if self._anthropic:
            return _named("error", error={"type": "overloaded_error", "message": "Overloaded"})
        return "data: " + json.dumps({"error": {"message": "Overloaded", "type": "overloaded_error"}}) + "\n\n"

    def _chunk(self, delta: dict[str, Any], stop: str | None = None) -> str:
        return self._data(choices=[{"index": 0, "delta": delta, "finish_reason": stop}])

    def _data(self, **fields: Any) -> str:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self._model}
        return f"data: {json.dumps(head | fields)}\n\n"


def _named(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | fields)}\n\n"
