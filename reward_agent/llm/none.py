"""Nobody to ask: for a run of no rounds, which trains on a reward that was given and scores it."""

from __future__ import annotations

from collections.abc import Sequence

from reward_agent.errors import UsageError
from reward_agent.llm.base import LLM, Options
from reward_agent.messages import Key, Message, Reply

EXAMPLE = "none"


def missing() -> str | None:
    """Nothing: it needs no key."""
    return None


def connect(model: str, options: Options) -> LLM:
    return Nobody()


def nobody_to_ask() -> UsageError:
    """What a run of rounds is refused with."""
    return UsageError(
        "This run has rounds, and `--llm none` leaves nobody to ask in them. Name a model with `--llm PROVIDER:MODEL`, "
        "or train on the reward as it is with `--method given --iterations 0`."
    )


class Nobody:
    """Costs nothing, and has no answer."""

    name = EXAMPLE
    priced = True

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """Raises `UsageError`: only a run of no rounds can do without a model."""
        raise nobody_to_ask()
