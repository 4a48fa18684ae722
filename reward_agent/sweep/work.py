"""What one job does in its process: begins its run or goes on with it, and says how that ended."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from reward_agent.agent import resume, synthesize
from reward_agent.config import RunConfig, connect_llm
from reward_agent.envs.registry import find_task
from reward_agent.errors import InterruptedRunError, NoResultError, RewardAgentError, WaitingForPersonError
from reward_agent.events import Event
from reward_agent.journal import RunBusyError
from reward_agent.llm import LLM, Budget, BudgetError, Spent
from reward_agent.messages import Key, Message, Reply
from reward_agent.result import Result
from reward_agent.scoring import SeedPlan
from reward_agent.search import spent_in
from reward_agent.sittings import config_of
from reward_agent.store import MANIFEST, read_manifest, read_steps
from reward_agent.sweep.jobs import FREE
from reward_agent.sweep.standing import Clock, Follower
from reward_agent.trial import FloorsSpec, Scores, floors

BUSY_SECONDS = 60.0
"""For the processes of a sweep that was killed a moment ago to be gone."""
USED_UP = "The sweep's budget for models is used up"
State = Literal["done", "failed", "waiting", "unpaid", "stopped"]


@dataclass(frozen=True)
class Order:
    """What a job is told."""

    config: RunConfig
    sweep: Path
    """The sweep's folder."""
    folder: str
    """Of the run, in it."""
    budget: Budget
    """For models, over the whole sweep."""
    cores: int


@dataclass(frozen=True)
class End:
    """How a job ended, for now."""

    state: State
    """`waiting` for a person, `unpaid` where the budget ended before a program was trained, `stopped` by the user."""
    message: str = ""
    kind: str = ""
    """Class of the error."""
    scores: Scores = field(default_factory=dict)
    """Of doing nothing, on the report seeds, where the run came to its end and no program could be trained."""
    traceback: str = ""
    """Of what nobody expected."""

    @property
    def told(self) -> str:
        """The message; of one that ends with the output of a process, only the last line of that, which says why."""
        first, *rest = self.message.strip().splitlines() or [""]
        return f"{first} {rest[-1].strip()}" if rest and self.state == "failed" else self.message


def work(order: Order, progress: Callable[[object], None], stop: Callable[[], bool]) -> End:
    """Do the job of `order`, as far as it can be done now.

    Errors come back as values: one job's stop no other.
    """
    clock, follower = Clock(order.sweep / order.folder), Follower(progress)

    def watch(event: Event) -> None:
        clock.tick()
        follower.take(event)
        if stop():
            # the run's own way to be stopped: it saves what is under way
            raise KeyboardInterrupt

    try:
        _patiently(order, watch)
        return End("done")
    except (KeyboardInterrupt, InterruptedRunError):
        return End("stopped")
    except WaitingForPersonError as error:
        return End("waiting", str(error), type(error).__name__)
    except BudgetError as error:
        return End("unpaid", str(error), type(error).__name__)
    except NoResultError as error:
        return End("failed", str(error), type(error).__name__, _doing_nothing(order.config))
    except RewardAgentError as error:
        return End("failed", str(error), type(error).__name__)
    except Exception as error:
        # of a task's own code, or a mistake of ours: the other jobs go on either way
        said = f"{type(error).__name__}: {error}"
        return End("failed", said, type(error).__name__, traceback=traceback.format_exc())
    finally:
        clock.save()


class Capped:
    """A model that is not asked once the sweep's runs together have used up the budget.

    Requests under way when it is used up still end and count, so that side by side a few may go over it.
    """

    def __init__(self, llm: LLM, order: Order) -> None:
        self._llm, self._order = llm, order
        self.name = llm.name

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """The model's reply; raises `BudgetError` instead of asking where nothing is left."""
        budget = self._order.budget
        if budget != Budget():
            spent = spent_so_far(self._order.sweep, self._order.config.prices)
            if (told := exhausted(spent, budget)) is not None:
                raise BudgetError(told)
        return self._llm.complete(messages, key)

    def __getattr__(self, name: str) -> Any:
        # what only some models have, as the recorded words of a replayed person
        return getattr(self._llm, name)


def spent_so_far(sweep: Path, prices: tuple[float, float] | None = None) -> Spent:
    """By every run in the sweep's folder, as their journals have it; `prices` where a run has none of its own."""
    total = Spent()
    for path in sweep.glob(f"*/{MANIFEST}"):
        steps = read_steps(path.parent)
        each = spent_in(steps, config_of(read_manifest(path.parent), steps).prices or prices)
        total = Spent(
            total.replies + each.replies,
            total.input_tokens + each.input_tokens,
            total.output_tokens + each.output_tokens,
            total.usd + each.usd,
            total.unpriced + each.unpriced,
        )
    return total


def exhausted(spent: Spent, budget: Budget) -> str | None:
    """Why no model may be asked any more; None while there is something left."""
    raised = "set it higher in the sweep's file and start again"
    if budget.usd is not None and spent.unpriced:
        return f"{USED_UP}, or may be: {spent.unpriced} replies have no known price. Give `prices` in the sweep's file."
    if budget.tokens is not None and spent.tokens >= budget.tokens:
        return f"{USED_UP}: {spent.tokens:,} of {budget.tokens:,} tokens (`max_tokens`; {raised})."
    if budget.usd is not None and spent.usd >= budget.usd:
        return f"{USED_UP}: ${spent.usd:.4f} of ${budget.usd:.4f} (`max_usd`; {raised})."
    return None


def _patiently(order: Order, watch: Callable[[Event], None]) -> Result:
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return _go_on(order, watch)
        except RunBusyError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.5)


def _go_on(order: Order, watch: Callable[[Event], None]) -> Result:
    folder = order.sweep / order.folder
    config = replace(order.config, jobs=order.cores)
    llm = Capped(connect_llm(config, folder), order)
    if not (folder / MANIFEST).exists():
        return synthesize(config, events=watch, llm=llm, root=order.sweep, name=order.folder)
    # the file may have been changed in what changes no result
    changes: Mapping[str, Any] = {name: getattr(config, name) for name in FREE}
    return resume(folder, changes=changes, events=watch, llm=llm)


def _doing_nothing(config: RunConfig) -> Scores:
    seeds = tuple(int(seed) for seed in SeedPlan.report_seeds(config.seed, config.report_episodes))
    return floors(FloorsSpec(find_task(config.task), seeds, random_seed=config.seed), lambda _: None, lambda: False)[
        "no-op"
    ]
