"""Anthropic's models through its SDK."""

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
        return _request(client, model, messages, settings)

    return Chat(
        f"anthropic:{model}",
        send,
        options,
        server=base_url or "Anthropic",
        key_variable=KEY,
        price=pricing(options, {} if base_url else price_list("anthropic"), model),
        base_url=base_url,
    )


def _request(client: Any, model: str, messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
    import anthropic

    # the protocol has no system role among its messages
    system = "\n\n".join(message.text for message in messages if message.role == "system")
    rest = {name: value for name, value in settings.items() if name != "max_tokens"}
    try:
        reply = client.messages.create(
            model=model,
            messages=[{"role": m.role, "content": m.text} for m in messages if m.role != "system"],
            **({"system": system} if system else {}),
            max_tokens=settings["max_tokens"],
            # not as an argument: newer releases of the SDK have none for the temperature, which older models still take
            extra_body=rest or None,
        )
    except anthropic.APITimeoutError:
        raise RequestError("timeout") from None
    except anthropic.APIConnectionError as error:
        raise RequestError("connection", error.__cause__ or "") from None
    except anthropic.APIStatusError as error:
        raise RequestError("status", error.body or error.message, error.status_code) from None
    except anthropic.AnthropicError as error:
        raise RequestError("nonsense", error) from None
    except json.JSONDecodeError as error:
        raise RequestError("nonsense", error.doc) from None
    return _read(reply)


def _read(reply: Any) -> Answer:
    """The answer in a message: its text blocks, without the thinking.

    Raises:
        RequestError: it holds none.
    """
    try:
        usage = reply.usage
        # what was read from or written to a cache is input too, counted apart by this protocol
        cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
        return Answer(
            text="".join(block.text for block in reply.content if block.type == "text"),
            model=str(reply.model or ""),
            input_tokens=int(usage.input_tokens) + int(cached),
            output_tokens=int(usage.output_tokens),
            stop=str(reply.stop_reason or ""),
        )
    except (AttributeError, TypeError, ValueError):
        said = reply.model_dump(exclude_none=True) if hasattr(reply, "model_dump") else reply
        raise RequestError("nonsense", said) from None
