"""Asking a model that is to answer in a form: many prompts side by side, each a second time where its answer cannot be
read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from reward_agent.errors import WaitingForPersonError
from reward_agent.llm import LLM, LLMError, ask_many
from reward_agent.messages import Key, Message
from reward_agent.program import Fault
from reward_agent.templates import Templates

T = TypeVar("T")
MAX_REPLY = 4_000
"""Characters of an answer that is shown again."""
Prompts = Sequence[tuple[str, Sequence[Message]]]
"""Each with the SHA-256 of its content."""


def ask_for(
    llm: LLM,
    prompts: Prompts,
    read: Callable[[str, str], T | Fault],
    got: Callable[[str, str, T | Fault], None],
    *,
    templates: Templates,
    concurrency: int = 8,
) -> None:
    """Ask for replies and say what each came to.

    Whatever could be had is told before anything is raised. A prompt's key is made of its content: a reply that was
    recorded, or put into a file by a person, never answers another prompt.

    Args:
        read: what a reply says, given the prompt's SHA-256 and the reply; a fault of it is told to the model once.
        got: called with the SHA-256, the last reply and what was read, or the fault that is left.

    Raises:
        LLMError: a reply could not be had.
        WaitingForPersonError: some are a person's to give.
        BudgetError: the budget is used up.
    """
    failed: LLMError | None = None
    waiting: WaitingForPersonError | None = None
    asked = dict(prompts)
    for attempt in (0, 1):
        again: dict[str, Sequence[Message]] = {}
        keyed = [(Key(0, 0, attempt, f"credit_{sha256[:20]}"), messages) for sha256, messages in asked.items()]
        named = {key: sha256 for (key, _), sha256 in zip(keyed, asked, strict=True)}
        try:
            for key, reply in ask_many(llm, keyed, concurrency):
                if isinstance(reply, LLMError):
                    failed = failed or reply
                    continue
                sha256 = named[key]
                found = read(sha256, reply.text)
                if isinstance(found, Fault) and attempt == 0:
                    said = templates.render("crediting/repair.jinja", fault=found.message)
                    shown = Message("assistant", reply.text[-MAX_REPLY:] or "(nothing)")
                    again[sha256] = [*asked[sha256], shown, Message("user", said)]
                else:
                    got(sha256, reply.text, found)
        except WaitingForPersonError as error:
            waiting = waiting or error
        asked = again
    if failed is not None:
        raise failed
    if waiting is not None:
        raise waiting
