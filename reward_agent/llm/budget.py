"""What a run spends on a model, and the budget that stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Self

from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.llm.base import LLM, Heard, LLMError
from reward_agent.llm.streaming import stream_reply
from reward_agent.messages import Key, Message, Reply, Usage


class BudgetError(RewardAgentError):
    """The budget is used up. Everything so far is saved; the run can be resumed with a larger one."""


@dataclass(frozen=True)
class Budget:
    """Limits over all requests of a run; None is no limit."""

    tokens: int | None = None
    """Input and output together."""
    usd: float | None = None

    def __post_init__(self) -> None:
        for amount in (self.tokens, self.usd):
            if amount is not None and not amount >= 0:
                raise UsageError(f"A budget must be 0 or more, not {amount}.")


@dataclass(frozen=True)
class Spent:
    """What replies cost."""

    replies: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    """Requests whose tokens have no known price; `usd` leaves them out."""

    @classmethod
    def on(cls, answers: Iterable[Reply | Usage]) -> Self:
        """What these cost, to go on counting from at a resume; a usage is that of a request without a reply."""
        spent = cls()
        for answer in answers:
            spent = spent.plus(answer)
        return spent

    def plus(self, answer: Reply | Usage) -> Self:
        """This and one request more; what was replayed is a reply that cost nothing."""
        usage = answer.usage if isinstance(answer, Reply) else answer
        if isinstance(answer, Reply) and answer.replayed:
            usage = Usage()
        return type(self)(
            self.replies + isinstance(answer, Reply),
            self.input_tokens + usage.input_tokens,
            self.output_tokens + usage.output_tokens,
            self.usd + (usage.cost_usd or 0.0),
            self.unpriced + (usage.cost_usd is None and usage.input_tokens + usage.output_tokens > 0),
        )

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


def require_price(llm: LLM, budget: Budget) -> None:
    """Raises `UsageError` where the budget is in money and the model is known to have no known price."""
    if budget.usd is not None and not getattr(llm, "priced", True):
        raise UsageError(
            f"No price is known for {llm.name}, so a budget in money cannot be kept. Give its prices in US$ per "
            "million input and output tokens (`--prices IN OUT`), or limit its tokens instead (`--token-budget N`; a "
            "resumed run drops a budget in money with `--money-budget none`)."
        )


@dataclass
class _Ledger:
    """What the models that are paid for out of one budget have cost."""

    spent: Spent
    lock: Lock = field(default_factory=Lock)


class Metered:
    """A model whose replies are counted, and which is not asked again once the budget is used up.

    Requests under way when it is used up still end and count, so that side by side a few may go over it.
    """

    def __init__(self, llm: LLM, budget: Budget | None = None, spent: Spent | None = None) -> None:
        """`spent` is what earlier parts of the run have cost."""
        self.llm, self.budget = llm, budget or Budget()
        self._ledger = _Ledger(spent or Spent())

    def beside(self, llm: LLM) -> Metered:
        """Another model that is paid for out of the same budget."""
        other = Metered(llm, self.budget)
        other._ledger = self._ledger
        return other

    @property
    def name(self) -> str:
        """The model's."""
        return self.llm.name

    @property
    def by_person(self) -> bool:
        """A person gives the replies."""
        return bool(getattr(self.llm, "by_person", False))

    @property
    def spent(self) -> Spent:
        """So far."""
        with self._ledger.lock:
            return self._ledger.spent

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """The model's reply.

        Raises:
            BudgetError: nothing is left of the budget, or it is in money and a reply so far has no known price; no
                request was made.
            LLMError, WaitingForPersonError: as the model raises them.
        """
        return self._counted(lambda: self.llm.complete(messages, key))

    def stream(self, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
        """The model's reply, heard as it comes where the model can; what Ctrl-C breaks off is not counted.

        Raises:
            BudgetError, LLMError, WaitingForPersonError: as `complete` does.
        """
        return self._counted(lambda: stream_reply(self.llm, messages, key, heard))

    def _counted(self, ask: Callable[[], Reply]) -> Reply:
        self._check()
        try:
            reply = ask()
        except LLMError as error:
            if error.usage:
                self._add(error.usage)
            raise
        self._add(reply)
        return reply

    def _add(self, answer: Reply | Usage) -> None:
        with self._ledger.lock:
            self._ledger.spent = self._ledger.spent.plus(answer)

    def _check(self) -> None:
        spent, budget = self.spent, self.budget
        if budget.usd is not None and spent.unpriced:
            raise BudgetError(
                f"No price is known for {spent.unpriced} replies so far ({spent.tokens:,} tokens in all), so a "
                "budget in money cannot be kept. `reward-agent resume RUN --prices IN OUT` (US$ per million tokens) "
                "counts those of the model that writes; `--money-budget none --token-budget N` limits tokens instead, "
                "also a judge's, which no option prices."
            )
        if budget.tokens is not None and spent.tokens >= budget.tokens:
            raise BudgetError(self._used_up(f"{spent.tokens:,} of {budget.tokens:,} tokens"))
        if budget.usd is not None and spent.usd >= budget.usd:
            raise BudgetError(self._used_up(f"${spent.usd:.4f} of ${budget.usd:.4f}"))

    def _used_up(self, amount: str) -> str:
        return (
            f"The budget for {self.name} is used up: {amount} went on {self.spent.replies} replies. What there is, is "
            "saved; `reward-agent resume RUN` with a larger budget goes on from here."
        )
