"""Anthropic's models through its SDK."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reward_agent.errors import MissingComponentError
from reward_agent.llm.asking import Answer, RequestError, dump
from reward_agent.llm.base import LLM, Options
from reward_agent.llm.chat import Chat, pricing
from reward_agent.llm.prices import price_list
from reward_agent.llm.redaction import read_key
from reward_agent.llm.sdk_streams import ended_early, read_streams
from reward_agent.llm.streaming import Pieces
from reward_agent.messages import Message

EXAMPLE = "anthropic:claude-sonnet-5-5"
KEY, TOKEN = "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"


def missing() -> str | None:
    """What this machine lacks to use it; None when it can."""
    if read_key(KEY) or read_key(TOKEN):
        return None
    return f"needs a key: `export {KEY}=...`"


def connect(model: str, options: Options) -> LLM:
    """A model of Anthropic's, or of the server at `options.base_url`.

    Raises:
        MissingComponentError: there is no key, and no base URL that could do without.
    """
    from anthropic import Anthropic

    key, token = read_key(KEY), read_key(TOKEN)
    base_url = options.base_url or os.environ.get("ANTHROPIC_BASE_URL")
    if not (key or token or base_url):
        raise MissingComponentError(
            f"anthropic:{model} needs a key: `export {KEY}=...` sets it. Without one: `--llm manual` to answer prompts "
            "by hand, `--llm replay:NAME` to play a recording, `--llm openai:MODEL` (or with `--base-url` a server of "
            "your own), or `--llm litellm:PROVIDER/MODEL`."
        )
    client = Anthropic(
        api_key=key or (None if token else "none"),
        auth_token=None if key else token,
        base_url=base_url,
        timeout=options.timeout,
        max_retries=options.retries,
    )

    def send(messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        return _send(client, _arguments(model, messages, settings))

    def stream(messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer:
        return _stream(client, _arguments(model, messages, settings) | {"stream": True}, pieces)

    return Chat(
        f"anthropic:{model}",
        send,
        options,
        send_stream=stream,
        server=base_url or "Anthropic",
        key_variable=KEY,
        price=pricing(options, {} if base_url else price_list("anthropic"), model),
        base_url=base_url,
    )


def _arguments(model: str, messages: Sequence[Message], settings: Mapping[str, Any]) -> dict[str, Any]:
    # the protocol has no system role among its messages
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    return {
        "model": model,
        "messages": [{"role": m.role, "content": _content_of(m)} for m in messages if m.role != "system"],
        **({"system": system} if system else {}),
        "max_tokens": settings["max_tokens"],
        # not as an argument: newer releases of the SDK have none for the temperature, which older models still take
        "extra_body": {name: value for name, value in settings.items() if name != "max_tokens"} or None,
    }


def _content_of(message: Message) -> str | list[dict[str, Any]]:
    """A message's content: its text, or blocks of text and images where it has images."""
    if not message.images:
        return message.text
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.base64}}
        for part in message.parts
    ]


def _send(client: Any, arguments: Mapping[str, Any]) -> Answer:
    try:
        reply = client.messages.create(**arguments)
    except Exception as error:
        failure = _failure_of(error)
        if failure is None:
            raise
        raise failure from None
    return _read(reply)


def _stream(client: Any, arguments: Mapping[str, Any], pieces: Pieces) -> Answer:
    from anthropic.types import Message as Whole

    return read_streams(
        lambda retries: client.with_options(max_retries=retries).messages.with_streaming_response.create(**arguments),
        lambda events: _read_events(events, pieces.add),
        lambda said: _read(Whole.construct(**said)),
        _failure_of,
        pieces,
        client.max_retries,
    )


def _failure_of(error: Exception) -> RequestError | None:
    """What an error of the SDK's means; None for another's."""
    import anthropic

    match error:
        case anthropic.APITimeoutError():
            return RequestError("timeout")
        case anthropic.APIConnectionError():
            return RequestError("connection", error.__cause__ or "")
        case anthropic.APIStatusError():
            return RequestError("status", error.body or error.message, error.status_code)
        case anthropic.AnthropicError():
            return RequestError("nonsense", error)
        case json.JSONDecodeError():
            return RequestError("nonsense", error.doc)
    return None


def _read_events(events: Iterable[Any], heard: Callable[[str], None]) -> Answer:
    """The answer in a message's events; `heard` gets the text of its text blocks as it comes.

    Raises:
        RequestError: they hold none, or end before it does.
    """
    text, model, stop, odd = "", "", "", None
    counted: dict[str, int] = {}
    for event in events:
        try:
            piece = ""
            match event.type:
                case "message_start":
                    model = str(event.message.model or "")
                    counted = _counts(event.message.usage)
                case "content_block_delta" if event.delta.type == "text_delta":
                    piece = str(event.delta.text or "")
                case "message_delta":
                    stop = str(event.delta.stop_reason or stop)
                    # counts so far, not since the last event; servers differ in how many of them it has
                    counted |= {name: max(n, counted.get(name, 0)) for name, n in _counts(event.usage).items()}
                case "content_block_start" | "content_block_delta" | "content_block_stop" | "message_stop":
                    pass
                case _:
                    odd = event
        except (AttributeError, TypeError, ValueError):
            raise RequestError("nonsense", dump(event)) from None
        if piece:
            text += piece
            heard(piece)
    if not stop:
        raise ended_early(odd if not text else None)
    output = counted.pop("output_tokens", 0)
    return Answer(text, model, sum(counted.values()), output, stop)


def _counts(usage: Any) -> dict[str, int]:
    """What a usage counts, by name. What was read from or written to a cache is input too, counted apart here."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    counts = {name: getattr(usage, name, None) for name in names}
    return {name: int(count) for name, count in counts.items() if count is not None}


def _read(reply: Any) -> Answer:
    """The answer in a message: its text blocks, without the thinking.

    Raises:
        RequestError: it holds none.
    """
    try:
        counted = _counts(reply.usage)
        output = counted.pop("output_tokens")
        text = "".join(block.text for block in reply.content if block.type == "text")
        return Answer(text, str(reply.model or ""), sum(counted.values()), output, str(reply.stop_reason or ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RequestError("nonsense", dump(reply)) from None
