"""Finds providers by folder (and a user's by entry point), connects a model by name, picks one where none is named."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from reward_agent.errors import UsageError, unknown_name
from reward_agent.llm.base import LLM, Options
from reward_agent.plugins import NOBODY, PROVIDERS

DEFAULTS: Mapping[str, str] = {
    "OPENAI_API_KEY": "openai:gpt-6.1-sol",
    "ANTHROPIC_API_KEY": "anthropic:claude-sonnet-5-5",
    "GEMINI_API_KEY": "litellm:gemini/gemini-pro-latest",
    "MISTRAL_API_KEY": "litellm:mistral/mistral-large-latest",
    "DEEPSEEK_API_KEY": "litellm:deepseek/deepseek-v4-pro",
    "GROQ_API_KEY": "litellm:groq/openai/gpt-oss-120b",
}
"""The model asked where only its key is set, the first that applies."""

NAMELESS = frozenset({"manual", NOBODY})
"""Providers that need no model's name."""

_NAMES_ALONE = {"gpt": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude": "anthropic"}


def providers() -> dict[str, ModuleType]:
    """Provider modules by name, in name order. No SDK is imported."""
    found = {name: import_module(f"{PROVIDERS.package}.{name}") for name in PROVIDERS.shipped()}
    found |= {point.name: import_module(point.value) for point in entry_points(group=PROVIDERS.group)}
    return dict(sorted(found.items()))


def connect(name: str, options: Options | None = None) -> LLM:
    """The model named `provider:model`; `manual` and `manual:NAME`, `replay:FILE`, `none` likewise.

    Raises:
        UsageError: the name is none, with what it could be.
        MissingComponentError: a key or package is missing, with the command that mends it.
    """
    provider, _, model = name.partition(":")
    known = providers()
    if provider not in known:
        raise _unknown(name, provider, known)
    module = known[provider]
    if not model and provider not in NAMELESS:
        raise UsageError(f"{name!r} names no model. Name one after the colon, as `{module.EXAMPLE}`.")
    llm: LLM = module.connect(model, options or Options())
    return llm


def default_llm() -> str | None:
    """The model to ask where none is named, by which key the environment has; None where it has none."""
    return next((model for key, model in DEFAULTS.items() if os.environ.get(key, "").strip()), None)


def _unknown(name: str, provider: str, known: Mapping[str, ModuleType]) -> UsageError:
    if ":" not in name:
        owner = next((owner for start, owner in _NAMES_ALONE.items() if name.startswith(start)), None)
        owner = owner or ("litellm" if "/" in name else None)
        if owner is not None:
            return UsageError(f"{name!r} lacks its provider: models are named PROVIDER:MODEL, here `{owner}:{name}`.")
    examples = ", ".join(f"`{module.EXAMPLE}`" for module in known.values())
    return unknown_name("provider of models", provider, known, hint=f"Models are named PROVIDER:MODEL, as {examples}.")
