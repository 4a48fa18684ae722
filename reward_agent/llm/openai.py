"""OpenAI's models through its SDK, and any server that speaks the same protocol (Ollama, vLLM, ...) by its base URL."""

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

EXAMPLE = "openai:gpt-6.1-sol"
KEY = "OPENAI_API_KEY"
STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""What a request for a chat completion in pieces has more than one for a whole."""


def missing() -> str | None:
    """What this machine lacks to use it; None when it can."""
    if read_key(KEY) or os.environ.get("OPENAI_BASE_URL"):
        return None
    return f"needs a key: `export {KEY}=...` (a server of your own with `--base-url` needs none)"


def connect(model: str, options: Options) -> LLM:
    """A model of OpenAI's, or of the server at `options.base_url`.

    Raises:
        MissingComponentError: there is no key, and no base URL that could do without.
    """
    from openai import OpenAI

    key = read_key(KEY)
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    if key is None and base_url is None:
        raise MissingComponentError(
            f"openai:{model} needs a key: `export {KEY}=...` sets it. Without one: `--base-url URL` for a server of "
            "your own, `--llm manual` to answer prompts by hand, `--llm replay:NAME` to play a recording, or "
            "`--llm anthropic:MODEL` or `--llm litellm:PROVIDER/MODEL`."
        )
    client = OpenAI(
        # servers of one's own take any key, but the SDK wants one
        api_key=key or "none",
        base_url=base_url,
        timeout=options.timeout,
        max_retries=options.retries,
    )
    sender = _Sender(client, model, "max_completion_tokens" if base_url is None else "max_tokens")
    return Chat(
        f"openai:{model}",
        sender.send,
        options,
        send_stream=sender.stream,
        server=base_url or "OpenAI",
        key_variable=KEY,
        price=pricing(options, {} if base_url else price_list("openai"), model),
        base_url=base_url,
    )


class _Sender:
    """Sends chat completions. Remembers which name for the limit of tokens the server knows."""

    def __init__(self, client: Any, model: str, limit: str) -> None:
        self._client, self._model, self._limit = client, model, limit

    def send(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        return self._limited(lambda: self._send(messages, settings))

    def stream(self, messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer:
        return self._limited(lambda: self._stream(messages, settings, pieces))

    def _limited(self, request: Callable[[], Answer]) -> Answer:
        try:
            return request()
        except RequestError as failure:
            # a gateway to OpenAI's reasoning models knows only the new name, older servers only the old one
            if failure.status != 400 or self._limit not in str(failure.said):
                raise
            self._limit = "max_tokens" if self._limit != "max_tokens" else "max_completion_tokens"
        return request()

    def _send(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        try:
            completion = self._client.chat.completions.create(**self._arguments(messages, settings))
        except Exception as error:
            failure = _failure_of(error)
            if failure is None:
                raise
            raise failure from None
        return read_completion(completion)

    def _stream(self, messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer:
        from openai.types.chat import ChatCompletion

        arguments = self._arguments(messages, settings) | STREAMED

        def request(retries: int) -> Any:
            client = self._client.with_options(max_retries=retries)
            return client.chat.completions.with_streaming_response.create(**arguments)

        return read_streams(
            request,
            lambda chunks: read_chunks(chunks, pieces.add),
            lambda said: read_completion(ChatCompletion.construct(**said)),
            _failure_of,
            pieces,
            self._client.max_retries,
        )

    def _arguments(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [{"role": message.role, "content": content_of(message)} for message in messages],
            self._limit: settings["max_tokens"],
            **{name: value for name, value in settings.items() if name != "max_tokens"},
        }


def content_of(message: Message) -> str | list[dict[str, Any]]:
    """A message's content: its text, or parts of text and images where it has images."""
    if not message.images:
        return message.text
    return [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.base64}"}}
        for part in message.parts
    ]


def _failure_of(error: Exception) -> RequestError | None:
    """What an error of the SDK's means; None for another's."""
    import openai

    if isinstance(error, json.JSONDecodeError):
        return RequestError("nonsense", error.doc)
    if not isinstance(error, openai.OpenAIError):
        return None
    if isinstance(error, openai.APITimeoutError):
        return RequestError("timeout")
    if isinstance(error, openai.APIConnectionError):
        return RequestError("connection", error.__cause__ or "")
    if isinstance(error, openai.APIStatusError):
        return RequestError("status", error.body or error.message, error.status_code)
    return RequestError("nonsense", error)


def read_completion(completion: Any) -> Answer:
    """The answer in a chat completion, whose shape no SDK checks.

    Raises:
        RequestError: it holds none.
    """
    try:
        choice = completion.choices[0]
        # content is None where the model refused or only thought
        text = choice.message.content or getattr(choice.message, "refusal", None) or ""
        model, stop = str(completion.model or ""), str(choice.finish_reason or "")
        return Answer(str(text), model, *_tokens(completion.usage), stop)
    except (AttributeError, IndexError, TypeError):
        raise RequestError("nonsense", dump(completion)) from None


def read_chunks(chunks: Iterable[Any], heard: Callable[[str], None]) -> Answer:
    """The answer in the chunks of a chat completion; `heard` gets its text as it comes.

    Raises:
        RequestError: they hold none, or end before it does.
    """
    text, refusal, model, stop, usage, odd = "", "", "", "", None, None
    for chunk in chunks:
        try:
            model = model or str(chunk.model or "")
            usage = getattr(chunk, "usage", None) or usage
            # servers tell of other things in between, without a choice; the last chunk has only the usage
            odd = chunk if chunk.choices is None else odd
            delta, piece = None, ""
            for choice in (chunk.choices or [])[:1]:
                delta, stop = choice.delta, str(choice.finish_reason or stop)
            if delta is not None:
                piece = str(delta.content or "")
                refusal += str(getattr(delta, "refusal", None) or "")
        except (AttributeError, TypeError):
            raise RequestError("nonsense", dump(chunk)) from None
        if piece:
            text += piece
            heard(piece)
    if not stop and usage is None:
        raise ended_early(odd if not text else None)
    return Answer(text or refusal, model, *_tokens(usage), stop)


def _tokens(usage: Any) -> tuple[int, int]:
    """Input and output."""
    try:
        return (int(usage.prompt_tokens or 0), int(usage.completion_tokens or 0)) if usage else (0, 0)
    except (AttributeError, TypeError, ValueError):
        raise RequestError("nonsense", dump(usage)) from None
