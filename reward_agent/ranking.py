"""Whether a reward pays more for episodes that are known to be better: those of earlier candidates of a run.

Only a warning comes of it: a reward may rightly order whole episodes otherwise, as when it pays for the way there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from reward_agent.envs.episodes import task_schema
from reward_agent.optimise.policy import load_policy
from reward_agent.probe import Battery
from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import StateSchema
from reward_agent.scoring import confidence_interval, play
from reward_agent.task import Episode, Task
from reward_agent.trial import Scores

At = tuple[int, int]
"""Iteration and candidate."""
EPISODES = 4
"""Of the better and of the worse policy."""
FEW = 0.75
"""Share of pairs in the right order below which it is said."""


@dataclass(frozen=True)
class Examples:
    """Whole episodes, each in its order."""

    good: tuple[Battery, ...]
    bad: tuple[Battery, ...]


@dataclass(frozen=True)
class Ranking:
    """How the summed total orders episodes whose order is known."""

    good: tuple[float, ...]
    """Return of each good episode."""
    bad: tuple[float, ...]
    share: float
    """Of all pairs of a good and a bad episode, how many are ordered rightly; a tie counts half."""

    def warning(self) -> str | None:
        """What to say of it, if anything."""
        if self.share >= FEW:
            return None
        return (
            f"In {self.share:.0%} of pairs of a good and a bad whole episode, of the best and the worst policy of this "
            "run so far, the reward pays more for the good one: it may lead to the worse behaviour."
        )


def clear_pair(select: Mapping[At, Scores], metric: str) -> tuple[At, At] | None:
    """The best and the worst policy by a metric's scores on the same seeds, where one is clearly better.

    That is, where the 95 % interval of the mean difference over the episodes lies above 0.
    """
    scores = {at: np.array(found[metric]) for at, found in select.items() if np.isfinite(found[metric]).all()}
    if len(scores) < 2:
        return None
    best, worst = max(scores, key=lambda at: scores[at].mean()), min(scores, key=lambda at: scores[at].mean())
    return (best, worst) if confidence_interval(scores[best] - scores[worst]).low > 0 else None


def order(scores: Scores, metric: str) -> list[int]:
    """Indices of the episodes, the worst first."""
    return [int(index) for index in np.argsort(scores[metric], kind="stable")]


def record_episodes(task: Task, policy: Path, seeds: Sequence[int], *, unsafe: bool = False) -> tuple[Battery, ...]:
    """Play the episodes of these seeds again by the policy saved in a folder; `unsafe` as in `load_policy`."""
    schema = task_schema(task).visible()
    found: dict[int, Battery] = {}

    def keep(index: int, episode: Episode) -> None:
        packed = np.empty((len(episode.action) + 1, schema.width))
        for path, columns in schema.columns.items():
            packed[:, columns] = attrgetter(path)(episode.state).reshape(len(packed), -1)
        found[index] = Battery(schema, packed[:-1], episode.action, packed[1:])

    play(task, load_policy(policy, unsafe=unsafe), seeds, set(schema.by_path), keep, num_envs=len(seeds))
    return tuple(found[index] for index in range(len(seeds)))


def ranks(program: Program, schema: StateSchema, examples: Examples, cell: Cell) -> Ranking | Fault:
    """Whether a program's summed total ranks good episodes above bad ones; a reward that is no number counts as 0.

    Args:
        program: what to run.
        schema: the selection of visible fields it reads.
        examples: at least one good and one bad episode.
        cell: one without a program; it has this one afterwards.
    """
    first = examples.good[0].select(schema)
    loaded = cell.load(program, schema, (first[0][:8], first[1][:8], first[2][:8]))
    if isinstance(loaded, Fault):
        return loaded
    returns: list[float] = []
    for episode in (*examples.good, *examples.bad):
        rewards = cell(*episode.select(schema))
        if isinstance(rewards, Fault):
            return rewards
        returns.append(float(np.where(np.isfinite(rewards.total), rewards.total, 0.0).sum()))
    better, worse = np.array(returns[: len(examples.good)]), np.array(returns[len(examples.good) :])
    above = (better[:, None] > worse).mean() + 0.5 * (better[:, None] == worse).mean()
    return Ranking(tuple(better.tolist()), tuple(worse.tolist()), float(above))
