"""Samplers: how the knots of a plan are varied, and what is made of the returns.

All three keep a mean plan for each of R episodes and give S variations of it, of which the first is the mean itself:
no update can lose what is known. They differ in what they make of the returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reward_agent.errors import unknown_name
from reward_agent.schema import Array
from reward_agent.task import Bools

KEPT = (1.0, 0.5, 0.0)
"""What the first variations keep of the mean, without noise: none of it is idling, from where servos stand up again."""
FEW = 0.3
"""Chance of each action to be varied in a variation that changes a few alone."""


@dataclass(frozen=True)
class Spread:
    """How far variations go, in shares of half the action's range."""

    noise: float
    """Standard deviation of the first knot's noise."""
    late_noise: float
    """Of the last knot's; in between it changes evenly, for what is further off is known less."""
    decay: float
    """What each further iteration of one plan multiplies it by."""
    finest: float = 1.0
    """Variations go further or less far, evenly from the whole noise to this share of it: coarse and fine at once."""
    partial: float = 0.0
    """Share of the variations that change a few actions alone, each one with a chance of `FEW`."""

    def at(self, knots: int, iteration: int) -> Array:
        """`(P, 1)`."""
        spread: Array = np.linspace(self.noise, self.late_noise, knots)[:, None] * self.decay**iteration
        return spread


class Sampler(ABC):
    """Plans for R episodes, P knots of A actions each, between -1 and 1."""

    name: ClassVar[str]

    def __init__(self, rows: int, knots: int, actions: int, samples: int, spread: Spread) -> None:
        self.mean: Array = np.zeros((rows, knots, actions))
        self.samples, self.spread = samples, spread

    def begin(self, rows: Bools) -> None:
        """Forget the plans of episodes that begin."""
        self.mean[rows] = 0.0

    def advance(self, shift: Array) -> None:
        """Time went on: `shift` `(P, P)` gives each knot the value that the plan has there now (a warm start)."""
        self.mean = np.einsum("pq,rqa->rpa", shift, self.mean)

    def propose(self, generator: np.random.Generator, iteration: int) -> Array:
        """Variations `(R, S, P, A)`: first the mean, then half of it and none of it."""
        rows, knots, actions = self.mean.shape
        noise = generator.standard_normal((rows, self.samples, knots, actions)) * self.deviation(iteration)
        noise *= generator.permutation(np.linspace(1.0, self.spread.finest, self.samples))[:, None, None]
        few = generator.random((rows, self.samples, 1, actions)) < FEW
        few |= np.arange(self.samples)[:, None, None] >= self.spread.partial * self.samples
        noise *= few
        noise[:, : len(KEPT)] = 0.0
        kept = np.ones(self.samples)
        kept[: len(KEPT)] = KEPT[: self.samples]
        return np.clip(kept[:, None, None] * self.mean[:, None] + noise, -1.0, 1.0)

    def deviation(self, iteration: int) -> Array:
        """Of the noise, broadcast to `(R, S, P, A)`."""
        return self.spread.at(self.mean.shape[1], iteration)

    @abstractmethod
    def update(self, proposed: Array, returns: Array) -> None:
        """Take the returns `(R, S)` of `proposed` `(R, S, P, A)` into account."""


class PredictiveSampling(Sampler):
    """The best variation becomes the plan (Howell et al., 2022)."""

    name: ClassVar[str] = "predictive"

    def update(self, proposed: Array, returns: Array) -> None:
        self.mean = proposed[np.arange(len(proposed)), returns.argmax(axis=1)]


class CrossEntropy(Sampler):
    """The mean and the deviation of the best share become those of the next variations (CEM)."""

    name: ClassVar[str] = "cem"
    ELITES: ClassVar[float] = 0.15
    LEAST: ClassVar[float] = 0.3
    """Share of the first deviation below which it never falls."""

    def __init__(self, rows: int, knots: int, actions: int, samples: int, spread: Spread) -> None:
        super().__init__(rows, knots, actions, samples, spread)
        self._deviation: Array | None = None

    def deviation(self, iteration: int) -> Array:
        first = super().deviation(0)
        if iteration == 0 or self._deviation is None:
            return first
        return np.maximum(self._deviation, self.LEAST * first)[:, None]

    def update(self, proposed: Array, returns: Array) -> None:
        count = max(2, round(self.ELITES * self.samples))
        best = np.argsort(-returns, axis=1, kind="stable")[:, :count]
        elites = np.take_along_axis(proposed, best[:, :, None, None], axis=1)
        self.mean, self._deviation = elites.mean(axis=1), elites.std(axis=1)


class PathIntegral(Sampler):
    """The mean of all variations, weighted by the exponent of their returns (MPPI, Williams et al., 2017).

    Returns are scaled by their own deviation among the variations, so that the temperature means the same for every
    reward.
    """

    name: ClassVar[str] = "mppi"
    TEMPERATURE: ClassVar[float] = 0.3

    def update(self, proposed: Array, returns: Array) -> None:
        scaled = (returns - returns.max(axis=1, keepdims=True)) / (returns.std(axis=1, keepdims=True) + 1e-9)
        weight = np.exp(scaled / self.TEMPERATURE)
        weight /= weight.sum(axis=1, keepdims=True)
        self.mean = np.einsum("rs,rspa->rpa", weight, proposed)


SAMPLERS: dict[str, type[Sampler]] = {kind.name: kind for kind in (PredictiveSampling, CrossEntropy, PathIntegral)}


def find_sampler(name: str) -> type[Sampler]:
    """Raises `UsageError`: there is none of that name."""
    if name not in SAMPLERS:
        raise unknown_name("sampler", name, SAMPLERS)
    return SAMPLERS[name]
