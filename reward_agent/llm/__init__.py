"""Providers of language models, one file each. `connect("openai:gpt-6.1-sol")` gives one by name.

A provider is a module with `EXAMPLE` (a name to show), `missing() -> str | None` and
`connect(model: str, options: Options) -> LLM`; its file's name is its prefix. A user's own is an entry point of group
`reward_agent.providers`.
"""

from __future__ import annotations

from reward_agent.llm.base import LLM, LLMError, Options
from reward_agent.llm.budget import Budget, BudgetError, Metered, Spent, require_price
from reward_agent.llm.many import ask_many
from reward_agent.llm.redaction import redact
from reward_agent.llm.registry import connect, default_llm, providers

__all__ = [
    "LLM",
    "Budget",
    "BudgetError",
    "LLMError",
    "Metered",
    "Options",
    "Spent",
    "ask_many",
    "connect",
    "default_llm",
    "providers",
    "redact",
    "require_price",
]
