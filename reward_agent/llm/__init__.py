"""Providers of language models, one file each. `connect("openai:gpt-6.1-sol")` gives one by name.

A provider is a module with `EXAMPLE` (a name to show), `missing() -> str | None` and
`connect(model: str, options: Options) -> LLM`; its file's name is its prefix. A user's own is an entry point of group
`reward_agent.providers`.
"""

from __future__ import annotations

from reward_agent.llm.base import LLM, Heard, LLMError, Options, Streaming
from reward_agent.llm.budget import Budget, BudgetError, Metered, Spent, require_price
from reward_agent.llm.many import ask_many
from reward_agent.llm.redaction import redact
from reward_agent.llm.registry import connect, default_llm, providers
from reward_agent.llm.streaming import stream_reply

__all__ = [
    "LLM",
    "Budget",
    "BudgetError",
    "Heard",
    "LLMError",
    "Metered",
    "Options",
    "Spent",
    "Streaming",
    "ask_many",
    "connect",
    "default_llm",
    "providers",
    "redact",
    "require_price",
    "stream_reply",
]
