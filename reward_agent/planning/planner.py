"""Receding horizon: plan from where the world is, begin the plan, and plan again from where that led."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from reward_agent.checked import Count, Positive, Range, Share
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.optimise.presets import Settings
from reward_agent.planning.imagination import Imagination
from reward_agent.planning.samplers import KEPT, Spread, find_sampler
from reward_agent.planning.splines import Order, weights
from reward_agent.schema import Array
from reward_agent.sources import RewardSource
from reward_agent.task import Ints, Task


@dataclass(frozen=True)
class PlannerSettings(Settings):
    """How to plan."""

    sampler: Literal["predictive", "cem", "mppi"] = "cem"
    samples: Annotated[int, Range(len(KEPT) + 1, 10_000)] = 36
    """Variations of the plan that are imagined in one iteration; the first of them only keep and idle."""
    iterations: Count = 3
    """Of improving one plan before it is acted on."""
    seconds: Positive = 0.5
    """That a plan looks ahead."""
    knots: Count = 4
    order: Order = "cubic"
    """Of the splines through the knots: zero, linear or cubic."""
    noise: Positive = 0.2
    """Deviation of the first knot's noise, in shares of half the action's range."""
    late_noise: Positive = 0.3
    """Of the last knot's; in between it changes evenly."""
    decay: Share = 1.0
    """What each further iteration multiplies the noise by."""
    finest: Share = 0.3
    """Variations go from the whole noise down to this share of it."""
    partial: Share = 0.3
    """Share of the variations that change a few of the actions alone."""
    every: Positive = 0.04
    """Seconds that are acted on before the next plan; at least one step."""
    rows: Count = 1
    """Episodes that are scored side by side."""
    threads: Count = 2
    """For the imagined physics. It changes no result."""


class Planner:
    """Actions for R running episodes, by planning on a reward source.

    How an episode is acted in depends on the planner's seed and its own alone, not on what is played beside it.
    """

    def __init__(
        self, task: Task, source: RewardSource, settings: PlannerSettings, seed: int, *, rows: int = 1
    ) -> None:
        self.settings = settings
        self.plans = 0
        action = task_schema(task).action
        low, high = np.array(action.low, np.float64), np.array(action.high, np.float64)
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        self._horizon = max(1, round(settings.seconds / task.world.dt))
        self.imagination = Imagination(task, source, rows, settings.samples, threads=settings.threads)
        spread = Spread(settings.noise, settings.late_noise, settings.decay, settings.finest, settings.partial)
        kind = find_sampler(settings.sampler)
        self._samplers = [kind(settings.knots, action.width, settings.samples, spread) for _ in range(rows)]
        self._seed, self._generators = seed, [np.random.default_rng(seed) for _ in range(rows)]
        last = max(self._horizon - 1, 1)
        self._actions = weights(np.arange(self._horizon) / last, settings.knots, settings.order)
        self._replan = max(1, round(settings.every / task.world.dt))
        later = np.linspace(0, 1, settings.knots) + self._replan / last
        self._shift = weights(later, settings.knots, settings.order)
        self._since = np.full(rows, self._replan)
        """Steps since each one's last plan."""

    def act(self, episodes: Episodes) -> Array:
        """The next action of every row, `(R, A)`; call it once a step.

        Raises:
            SourceFaultError: the program behind the source failed for good.
        """
        for row in np.flatnonzero(episodes.elapsed == 0):
            self._samplers[row].begin()
            self._generators[row] = np.random.default_rng((self._seed, int(episodes.seeds[row])))
            self._since[row] = self._replan
        due = np.flatnonzero(self._since >= self._replan)
        if len(due):
            self._plan(episodes, due)
            self._since[due] = 0
        at = self._actions[np.minimum(self._since, self._horizon - 1)]
        action = np.einsum("rp,rpa->ra", at, np.array([sampler.mean for sampler in self._samplers]))
        self._since += 1
        for row in np.flatnonzero(self._since == self._replan):
            self._samplers[row].advance(self._shift)
        return self._scaled(action)

    def close(self) -> None:
        self.imagination.close()

    def _plan(self, episodes: Episodes, due: Ints) -> None:
        """Anew for the rows that are due; copies of the others idle meanwhile."""
        shape = len(self._samplers), self.settings.samples, self.settings.knots, self._half.size
        for iteration in range(self.settings.iterations):
            knots = np.zeros(shape)
            for row in due:
                knots[row] = self._samplers[row].propose(self._generators[row], iteration)
            actions = np.einsum("hp,rspa->rsha", self._actions, knots)
            returns = self.imagination.returns(episodes, self._scaled(actions))
            for row in due:
                self._samplers[row].update(knots[row], returns[row])
        self.plans += 1

    def _scaled(self, actions: Array) -> Array:
        scaled: Array = self._middle + self._half * np.clip(actions, -1.0, 1.0)
        return scaled
