"""Model-predictive control by sampling: no policy is learnt, the reward is planned on at every step (`planning/`).

So a reward is seen at work within seconds. What an episode costs is time to plan, of training there is none: the
budget, in imagined environment steps, is spent on episodes of practice, which give the curves of the terms. Every
episode that is scored is planned as well, which is why fewer are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.errors import UsageError
from reward_agent.optimise import Curves, Measuring, Optimised, Progress
from reward_agent.optimise.choice import Usual
from reward_agent.optimise.presets import DEFAULT, Preset, choose
from reward_agent.planning.imagination import cannot_plan
from reward_agent.planning.performance import Performance, Performing
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.schema import Array
from reward_agent.sources import CountingSource, EpisodicSource, RewardSource
from reward_agent.task import Task

_WIDE = PlannerSettings(noise=1.0, late_noise=1.0, knots=8)
PRESETS: Mapping[str, Preset[PlannerSettings]] = {
    DEFAULT: Preset(PlannerSettings(), "ours: what did best on the quadruped's nine behaviours by hand"),
    "locomotion": Preset(_WIDE, "ours: legs moved by torques want far larger variations than servos"),
    "acrobatics": Preset(
        _WIDE, "ours: as locomotion; the hopper turns most of the way round, which it hardly began to"
    ),
    "dexterity": Preset(
        PlannerSettings(samples=32, seconds=0.64, noise=0.25, late_noise=0.25, finest=0.2, partial=0.5, every=0.08),
        "ours: what lifted the box most often; half of the variations move a few of the 30 joints alone",
    ),
}
USUAL = Usual(trainings=1, select_episodes=5, report_episodes=10, doing="nothing is trained; practising by planning")
"""Nothing is learnt that could come out otherwise another time, and every episode has to be planned."""
STRETCH = 10
"""Steps of an episode between two points of the curves."""

refuses = cannot_plan


def imagined(task: Task, settings: PlannerSettings) -> int:
    """Environment steps that are imagined for one episode to the horizon."""
    dt = task.world.dt
    plans = -(-task.horizon // max(1, round(settings.every / dt)))
    return plans * settings.samples * settings.iterations * max(1, round(settings.seconds / dt))


def optimise(
    task: Task,
    source: RewardSource,
    budget: int,
    seed: int,
    *,
    settings: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None,
    tensorboard: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    measuring: Measuring | None = None,
) -> Optimised:
    """Practise episodes by planning until `budget` environment steps were imagined; see `optimise.Optimiser`.

    The policy plans anew in each episode and is the same all the time: nothing is measured on the way, and a practice
    that was stopped begins anew.

    Raises:
        UsageError: the task cannot be planned on.
        SourceFaultError: the reward program failed for good.
    """
    chosen = choose(PRESETS, task.preset, settings)
    if isinstance(source, EpisodicSource):
        raise UsageError(
            "What this reward pays hangs on what came before in the episode, and a planner imagines futures of none: "
            "choose an optimiser that learns, as `--optimiser ppo`."
        )
    if isinstance(source, CountingSource):
        source.restore(0, 0)
    began, rows, stopped = time.monotonic(), _Rows(source.term_names), False
    with Performing(task, source, chosen, seed) as performing:
        imagination = performing.planner.imagination
        while imagination.steps < budget and not stopped:
            performing.begin(int(np.random.SeedSequence((seed, rows.episodes)).generate_state(1)[0]))
            while not performing.ended and imagination.steps < budget and not stopped:
                stretch = performing.go_on(STRETCH)
                rows.add(imagination.steps, stretch, ended=performing.ended)
                if progress:
                    progress(rows.progress(budget, time.monotonic() - began))
                stopped = stop is not None and stop()
    bad = source.bad_rewards if isinstance(source, CountingSource) else 0
    policy = PlannedPolicy(getattr(source, "program", None), chosen, seed, source=source)
    return Optimised(policy, rows.curves(), imagination.steps, time.monotonic() - began, bad)


class _Rows:
    """The curves as they grow, a row a stretch of an episode."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names, self.episodes = names, 0
        self._rows: list[tuple[int, float, float, Array]] = []
        self._return, self._length = 0.0, 0
        self._last = math.nan, math.nan

    def add(self, steps: int, stretch: Performance, *, ended: bool) -> None:
        self._return += float(stretch.total.sum())
        self._length += len(stretch.total)
        if ended:
            self._last = self._return, float(self._length)
            self._return, self._length, self.episodes = 0.0, 0, self.episodes + 1
        self._rows.append((steps, *self._last, stretch.terms.mean(axis=0)))

    def progress(self, budget: int, seconds: float) -> Progress:
        steps, episode_return, length, terms = self._rows[-1]
        named = {name: float(value) for name, value in zip(self.names, terms, strict=True)}
        return Progress(steps, budget, steps / max(seconds, 1e-9), episode_return, length, named)

    def curves(self) -> Curves:
        table = np.array([row[3] for row in self._rows]).reshape(len(self._rows), len(self.names))
        return Curves(
            steps=np.array([row[0] for row in self._rows], np.int64),
            episode_return=np.array([row[1] for row in self._rows]),
            episode_length=np.array([row[2] for row in self._rows]),
            terms={name: table[:, at] for at, name in enumerate(self.names)},
        )
