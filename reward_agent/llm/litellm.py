"""Any other provider through litellm, as `litellm:gemini/gemini-pro-latest` or `litellm:ollama/llama3`."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.llm.base import LLM, Options
from reward_agent.llm.chat import Answer, Chat, RequestError, pricing
from reward_agent.llm.openai import read_completion
from reward_agent.llm.prices import price_list
from reward_agent.messages import Message

EXAMPLE = "litellm:gemini/gemini-pro-latest"

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
_LONGEST_WAIT_ASKED_FOR = 120.0


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

    def send(messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        return _with_retries(litellm, model, messages, settings, options, keyless=bool(variables))

    return Chat(
        f"litellm:{model}",
        send,
        options,
        server=options.base_url or provider,
        key_variable=variables[0] if variables else f"{provider.upper()}_API_KEY",
        price=pricing(options, {} if options.base_url else price_list(provider), model.removeprefix(f"{provider}/")),
        base_url=options.base_url,
    )


def _with_retries(
    litellm: Any,
    model: str,
    messages: Sequence[Message],
    settings: Mapping[str, Any],
    options: Options,
    *,
    keyless: bool,
) -> Answer:
    import openai

    # litellm's own retries differ from one provider behind it to the next, and need a package it does not bring
    for attempt in range(options.retries + 1):
        try:
            completion = litellm.completion(
                model=model,
                messages=[{"role": message.role, "content": message.text} for message in messages],
                api_base=options.base_url,
                api_key="none" if keyless else None,
                timeout=options.timeout,
                max_retries=0,
                num_retries=0,
                **settings,
            )
        except openai.OpenAIError as error:
            failure, retry_after = _failure_of(error)
            wait = _wait(failure, retry_after, attempt)
            if wait is None or attempt == options.retries:
                raise failure from None
            time.sleep(wait)
        except json.JSONDecodeError as error:
            raise RequestError("nonsense", error.doc) from None
        else:
            return read_completion(completion)
    raise AssertionError("the last attempt returns or raises")


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


def _wait(failure: RequestError, retry_after: str, attempt: int) -> float | None:
    """Seconds before the next attempt; None where there should be none."""
    status = failure.status
    if failure.kind == "nonsense" or (status is not None and status not in (408, 409, 429) and status < 500):
        return None
    try:
        asked = float(retry_after)
    except ValueError:
        # a date, or nothing
        asked = 0.0
    if asked > _LONGEST_WAIT_ASKED_FOR:
        return None
    backoff = min(_FIRST_WAIT * 2.0**attempt, _LONGEST_WAIT)
    return asked if asked > 0 else backoff * random.uniform(0.75, 1.0)
