"""EPIC: how far two reward functions are apart in what they can teach (Gleave et al., ICLR 2021, arXiv 2006.13900).

Potential shaping (Ng et al., 1999), a positive scale and a constant change no optimal policy. The distance is blind to
them: each reward is brought to a canonical form, in which shaping has gone,

    C(R)(s, a, s') = R(s, a, s') + E[γ R(s', A, S') - R(s, A, S') - γ R(S, A, S')],

with S, S' drawn from one distribution of states and A from one of actions, each apart from the others; then

    distance = sqrt((1 - ρ) / 2)

with Pearson's ρ of the two canonical rewards over a coverage distribution of transitions. It is 0 for rewards that are
the same but for shaping, scale and shift, 1/√2 for unrelated ones and 1 for opposite ones.

Here all three distributions are those of recorded transitions: the coverage is the transitions themselves, S and S' are
their states, A their actions, drawn anew. In (s', A, S') nothing leads from s' to S', so that a reward is asked about
steps that no simulator takes; that is the definition, and its known weakness (Wulfe et al., ICLR 2022).

Transitions come from whole episodes and are alike within one, so an interval draws episodes anew and not transitions (a
cluster bootstrap; Davison and Hinkley 1997, section 3.8), as many from each part of the coverage as it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Ints

Reward = Callable[[Array, Array, Array], Array]
"""Rewards `(n,)` of states `(n, D)`, actions `(n, A)` and next states `(n, D)`."""
ROWS = 1 << 16
"""Asked of a reward at once."""
RESAMPLES = 1000
FLAT = 1e-12
"""Share of its mean square that the variance of a reward drawn anew must exceed to be more than rounding."""


class Distance(NamedTuple):
    """A distance with its 95 % interval, of a bootstrap over episodes; nan where a reward is constant.

    The interval says how far the value moves with the episodes that happened to be played. Of a single episode there is
    none: its ends are nan.
    """

    value: float
    low: float
    high: float


class Origin(NamedTuple):
    """Where each of `n` transitions comes from."""

    episode: Ints
    """`(n,)`, any number that its transitions share and no other episode has."""
    part: Ints
    """`(n,)`, what its episode was drawn among (who played it); of one number for all of an episode."""


@dataclass(frozen=True)
class Draws:
    """What the expectations are taken over, the same for every reward that is compared."""

    state: Array
    """S, `(m, D)`."""
    action: Array
    """A, `(m, A)`."""
    next_state: Array
    """S', `(m, D)`."""

    @classmethod
    def of(cls, states: Array, actions: Array, count: int, generator: np.random.Generator) -> Draws:
        """From recorded states `(n, D)` and actions `(k, A)`, each drawn apart from the others, with replacement."""
        first, second = (states[generator.integers(len(states), size=count)] for _ in range(2))
        return cls(first, actions[generator.integers(len(actions), size=count)], second)


def canonical(reward: Reward, state: Array, action: Array, next_state: Array, draws: Draws, discount: float) -> Array:
    """The canonical reward `(n,)` of transitions `(n, …)`, its expectations being means over the draws."""
    constant = float(reward(draws.state, draws.action, draws.next_state).mean())
    before, after = (_expected(reward, begun, draws) for begun in (state, next_state))
    return reward(state, action, next_state) + discount * after - before - discount * constant


def pearson(first: Array, second: Array, origin: Origin, generator: np.random.Generator) -> Distance:
    """Pearson's distance `sqrt((1 - ρ) / 2)` of two series `(n,)`."""
    if not (_varies(first) and _varies(second)):
        return Distance(np.nan, np.nan, np.nan)
    # before all else, so that rewards of any scale and shift are resampled with the same rounding
    x, y = ((values - values.mean()) / values.std() for values in (first, second))
    sums, drawn = _by_episode(x, y, origin, generator)
    value = float(_distances(sums.sum(0)))
    spread = _distances(drawn @ sums) if len(sums) > 1 else np.array([np.nan])
    known = spread[np.isfinite(spread)]
    low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
    return Distance(value, float(low), float(high))


def _by_episode(x: Array, y: Array, origin: Origin, generator: np.random.Generator) -> tuple[Array, Array]:
    """Sums `(E, 6)` of 1, x, y, xx, yy and xy over each episode, and how often each is drawn `(RESAMPLES, E)`."""
    _, first, episode = np.unique(origin.episode, return_index=True, return_inverse=True)
    each = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    sums: Array = np.column_stack([np.bincount(episode, weights) for weights in each]).astype(float)
    drawn, part = np.zeros((RESAMPLES, len(sums))), origin.part[first]
    for number in np.unique(part):
        members = np.flatnonzero(part == number)
        drawn[:, members] = generator.multinomial(len(members), np.full(len(members), 1 / len(members)), RESAMPLES)
    return sums, drawn


def _distances(sums: Array) -> Array:
    """Pearson's distances `(…)` from sums `(…, 6)` of 1, x, y, xx, yy and xy; nan where one of the two is constant."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    of_x, of_y = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2
    varies = (of_x > FLAT * xx / n) & (of_y > FLAT * yy / n)
    scale = np.sqrt(np.where(varies, of_x * of_y, np.nan))
    correlation = np.clip((xy / n - x * y / n**2) / scale, -1.0, 1.0)
    distances: Array = np.sqrt((1.0 - correlation) / 2.0)
    return distances


def _expected(reward: Reward, states: Array, draws: Draws) -> Array:
    """E[R(s, A, S')] `(n,)` for each of the states `(n, D)`."""
    found, count = np.empty(len(states)), len(draws.action)
    size = max(1, ROWS // count)
    for at in range(0, len(states), size):
        part = states[at : at + size]
        repeated = np.repeat(part, count, axis=0)
        actions, ends = (np.tile(drawn, (len(part), 1)) for drawn in (draws.action, draws.next_state))
        found[at : at + size] = reward(repeated, actions, ends).reshape(len(part), count).mean(1)
    return found


def _varies(values: Array) -> bool:
    """More than by rounding."""
    return bool(np.ptp(values) > 1e-9 * max(1e-300, float(np.abs(values).max())))
