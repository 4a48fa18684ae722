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
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reward_agent.schema import Array

Reward = Callable[[Array, Array, Array], Array]
"""Rewards `(n,)` of states `(n, D)`, actions `(n, A)` and next states `(n, D)`."""
ROWS = 1 << 16
"""Asked of a reward at once."""
RESAMPLES = 400


class Distance(NamedTuple):
    """A distance with the 95 % interval of a bootstrap over the transitions; nan where a reward is constant."""

    value: float
    low: float
    high: float


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


def pearson(first: Array, second: Array, generator: np.random.Generator) -> Distance:
    """Pearson's distance `sqrt((1 - ρ) / 2)` of two series `(n,)`."""
    if not (_varies(first) and _varies(second)):
        return Distance(np.nan, np.nan, np.nan)
    # before all else, so that rewards of any scale and shift are resampled with the same rounding
    pair = np.stack([(x - x.mean()) / x.std() for x in (first, second)])
    chosen = generator.integers(len(first), size=(RESAMPLES, len(first)))
    spread = [_distance(*pair[:, rows]) for rows in chosen]
    low, high = np.nanquantile(spread, (0.025, 0.975)) if np.isfinite(spread).any() else (np.nan, np.nan)
    return Distance(_distance(*pair), float(low), float(high))


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


def _distance(first: Array, second: Array) -> float:
    if not (_varies(first) and _varies(second)):
        return float("nan")
    correlation = float(np.corrcoef(first, second)[0, 1])
    return float(np.sqrt(max(0.0, 1.0 - correlation) / 2.0))


def _varies(values: Array) -> bool:
    """More than by rounding."""
    return bool(np.ptp(values) > 1e-9 * max(1e-300, float(np.abs(values).max())))
