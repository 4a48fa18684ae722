"""OpenAI's models through its SDK, and any server that speaks the same protocol (Ollama, vLLM, ...) by its base URL."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from reward_agent.errors import MissingComponentError
from reward_agent.llm.base import LLM, Options
from reward_agent.llm.chat import Answer, Chat, RequestError, pricing
from reward_agent.llm.prices import price_list
from reward_agent.llm.redaction import read_key
from reward_agent.messages import Message

EXAMPLE = "openai:gpt-6.1-sol"
KEY = "OPENAI_API_KEY"


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
    return Chat(
        f"openai:{model}",
        _Sender(client, model, "max_completion_tokens" if base_url is None else "max_tokens"),
        options,
        server=base_url or "OpenAI",
        key_variable=KEY,
        price=pricing(options, {} if base_url else price_list("openai"), model),
        base_url=base_url,
    )


class _Sender:
    """Sends chat completions. Remembers which name for the limit of tokens the server knows."""

    def __init__(self, client: Any, model: str, limit: str) -> None:
        self._client, self._model, self._limit = client, model, limit

    def __call__(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        try:
            return self._request(messages, settings)
        except RequestError as failure:
            # a gateway to OpenAI's reasoning models knows only the new name, older servers only the old one
            if failure.status != 400 or self._limit not in str(failure.said):
                raise
            self._limit = "max_tokens" if self._limit != "max_tokens" else "max_completion_tokens"
        return self._request(messages, settings)

    def _request(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
        import openai

        rest = {name: value for name, value in settings.items() if name != "max_tokens"}
        try:
            completion = self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": message.role, "content": message.text} for message in messages],
                **{self._limit: settings["max_tokens"]},
                **rest,
            )
        except openai.OpenAIError as error:
            raise _failure_of(error) from None
        except json.JSONDecodeError as error:
            raise RequestError("nonsense", error.doc) from None
        return read_completion(completion)


def _failure_of(error: Exception) -> RequestError:
    """What an error of the SDK's means."""
    import openai

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
        usage = completion.usage
        return Answer(
            text=str(text),
            model=str(completion.model or ""),
            input_tokens=int(usage.prompt_tokens or 0) if usage else 0,
            output_tokens=int(usage.completion_tokens or 0) if usage else 0,
            stop=str(choice.finish_reason or ""),
        )
    except (AttributeError, IndexError, TypeError, ValueError):
        said = completion.model_dump(exclude_none=True) if hasattr(completion, "model_dump") else completion
        raise RequestError("nonsense", said) from None
