"""What tokens cost, from the list that litellm carries; read as a file, since importing litellm takes seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

_FILE = "model_prices_and_context_window_backup.json"


class Price(NamedTuple):
    """US$ per token."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """US$ at list prices: what a provider takes off for cached input is not counted, so this is an upper bound."""
        return input_tokens * self.input + output_tokens * self.output


def price_list(provider: str) -> dict[str, Price]:
    """Prices of a provider's models by the names it gives them; empty where the list cannot be read.

    `provider` is as litellm names it (`openai`, `anthropic`, `gemini`, ...).
    """
    return {
        name.removeprefix(f"{provider}/"): Price(
            float(entry["input_cost_per_token"]), float(entry["output_cost_per_token"])
        )
        for name, entry in _entries().items()
        if entry.get("litellm_provider") == provider
        and isinstance(entry.get("input_cost_per_token"), int | float)
        and isinstance(entry.get("output_cost_per_token"), int | float)
    }


def _entries() -> Mapping[str, dict[str, Any]]:
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).parent / _FILE
    try:
        entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # a release that keeps its list elsewhere: costs are then unknown, which is said wherever they matter
        return {}
    return entries
