"""Any other provider through litellm, as `litellm:gemini/gemini-pro-latest` or `litellm:ollama/llama3`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.llm.asking import Answer, RequestError
from reward_agent.llm.base import LLM, Options
from reward_agent.llm.chat import Chat, pricing
from reward_agent.llm.openai import STREAMED, content_of, read_chunks, read_completion
from reward_agent.llm.prices import price_list
from reward_agent.llm.retries import pause
from reward_agent.llm.sdk_streams import ended_early, told_in_stream
from reward_agent.llm.streaming import Pieces
from reward_agent.messages import Message

EXAMPLE = "litellm:gemini/gemini-pro-latest"


def missing() -> str | None:
    """Nothing in general: each provider behind it has a key of its own, asked for by `connect`."""
    return None


def connect(model: str, options: Options) -> LLM:
    """A model by litellm's name for it, `provider/model`.

    Raises:
        UsageError: litellm knows no such provider.
        MissingComponentError: the provider's key is not set.
    """
    # before the import: litellm would fetch a price list from the network and read keys from a `.env` nearby
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.suppress_debug_info = True
    try:
        _, provider, _, _ = litellm.get_llm_provider(model, api_base=options.base_url)
    except litellm.BadRequestError:
        raise UsageError(f"litellm knows no provider for {model!r}. Name it as provider/model, as {EXAMPLE}.") from None
    variables = litellm.validate_environment(model, api_base=options.base_url)["missing_keys"]
    if variables and options.base_url is None:
        raise MissingComponentError(
            f"litellm:{model} needs {' and '.join(variables)}: `export {variables[0]}=...` sets it. Without: "
            "`--llm manual` to answer prompts by hand, `--llm replay:NAME` to play a recording."
        )

    def arguments(messages: Sequence[Message], settings: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "model": model,
            "messages": [{"role": message.role, "content": content_of(message)} for message in messages],
            "api_base": options.base_url,
            "api_key": "none" if variables else None,
            "timeout": options.timeout,
            # litellm's own retries differ from one provider behind it to the next, and need a package it does not bring
            "max_retries": 0,
            "num_retries": 0,
            **settings,
        }

    def send(messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        def once() -> Answer:
            return read_completion(litellm.completion(**arguments(messages, settings)))

        return _with_retries(once, options.retries)

    def stream(messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer:
        def once() -> Answer:
            pieces.void()
            chunks = litellm.completion(**arguments(messages, settings), **STREAMED)
            try:
                answer = read_chunks(chunks, pieces.add)
            finally:
                _close(chunks)
            if not _finished(chunks):
                raise ended_early(None if answer.text else "")
            return answer

        return _with_retries(once, options.retries)

    return Chat(
        f"litellm:{model}",
        send,
        options,
        send_stream=stream,
        server=options.base_url or provider,
        key_variable=variables[0] if variables else f"{provider.upper()}_API_KEY",
        price=pricing(options, {} if options.base_url else price_list(provider), model.removeprefix(f"{provider}/")),
        base_url=options.base_url,
    )


def _with_retries(request: Callable[[], Answer], retries: int) -> Answer:
    import openai

    for attempt in range(retries + 1):
        try:
            return request()
        except openai.OpenAIError as error:
            failure, retry_after = _failure_of(error)
        except RequestError as error:
            failure, retry_after = error, ""
        except json.JSONDecodeError as error:
            failure, retry_after = RequestError("nonsense", error.doc), ""
        wait = pause(failure, retry_after, attempt)
        if wait is None or attempt == retries:
            raise failure from None
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def _close(chunks: Any) -> None:
    """End the connection of a stream, read to its end or not: litellm can only do that for asynchronous ones.

    Left to the garbage collector, it may be closed while the next request holds the lock of the connections, and both
    wait for ever.
    """
    stream = getattr(chunks, "completion_stream", None)
    # which of them has the connection differs from one provider to the next
    for part in (stream, getattr(stream, "streaming_response", None)):
        close = getattr(part, "close", None)
        if close is not None:
            close()


def _finished(chunks: Any) -> bool:
    """Whether the server said why it stopped: litellm makes a reason up where it did not."""
    received = getattr(chunks, "received_finish_reason", "not kept by this release")
    return bool(received or getattr(chunks, "intermittent_finish_reason", None))


def _failure_of(error: BaseException) -> tuple[RequestError, str]:
    """What an error of litellm's means, and the `retry-after` that came with it.

    litellm files broken connections and unreadable bodies under HTTP 500, so what it was raised from is asked first.
    """
    import httpx
    import openai

    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, httpx.HTTPStatusError):
            response = cause.response
            return RequestError("status", _body(response, error), response.status_code), str(
                response.headers.get("retry-after", "")
            )
        if isinstance(cause, httpx.TimeoutException | openai.APITimeoutError):
            return RequestError("timeout"), ""
        if isinstance(cause, httpx.TransportError):
            return RequestError("connection", cause), ""
    if any(isinstance(cause, ValueError | KeyError | TypeError) for cause in chain):
        return RequestError("nonsense", error), ""
    if type(error).__name__ == "MidStreamFallbackError":
        cause = chain[-1]
        said = {"status": getattr(cause, "status_code", None), "message": str(cause)}
        return told_in_stream(getattr(cause, "body", None) or said), ""
    status = getattr(error, "status_code", None)
    if isinstance(error, openai.APIConnectionError) or not isinstance(status, int):
        return RequestError("connection", error), ""
    # a body that is JSON but no reply is litellm's own APIError, told from a server's by what it was raised from
    return RequestError("nonsense" if status >= 500 else "status", error, status), ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _body(response: Any, error: BaseException) -> object:
    """What the server said: JSON where it is, else litellm's account of it."""
    try:
        return json.loads(response.text)
    except (ValueError, RuntimeError):
        # no JSON, or a stream that nobody read
        return error
