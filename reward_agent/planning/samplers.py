"""Samplers: how the knots of a plan are varied, and what is made of the returns.

All three keep the mean plan of one episode and give S variations of it, of which the first is the mean itself. They
differ in what they make of the returns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from reward_agent.errors import unknown_name
from reward_agent.schema import Array

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
    """The plan for one episode: P knots of A actions each, between -1 and 1."""

    name: ClassVar[str]

    def __init__(self, knots: int, actions: int, samples: int, spread: Spread) -> None:
        self.mean: Array = np.zeros((knots, actions))
        self.samples, self.spread = samples, spread

    def begin(self) -> None:
        """Forget the plan: an episode begins."""
        self.mean = np.zeros_like(self.mean)

    def advance(self, shift: Array) -> None:
        """Time went on: `shift` `(P, P)` gives each knot the value that the plan has there now (a warm start)."""
        self.mean = shift @ self.mean

    def propose(self, generator: np.random.Generator, iteration: int) -> Array:
        """Variations `(S, P, A)`: first the mean, then half of it and none of it."""
        knots, actions = self.mean.shape
        noise = generator.standard_normal((self.samples, knots, actions)) * self.deviation(iteration)
        noise *= generator.permutation(np.linspace(1.0, self.spread.finest, self.samples))[:, None, None]
        few = generator.random((self.samples, 1, actions)) < FEW
        few |= np.arange(self.samples)[:, None, None] >= self.spread.partial * self.samples
        noise *= few
        noise[: len(KEPT)] = 0.0
        kept = np.ones(self.samples)
        kept[: len(KEPT)] = KEPT
        return np.clip(kept[:, None, None] * self.mean + noise, -1.0, 1.0)

    def deviation(self, iteration: int) -> Array:
        """Of the noise, broadcast to `(P, A)`."""
        return self.spread.at(len(self.mean), iteration)

    @abstractmethod
    def update(self, proposed: Array, returns: Array) -> None:
        """Take the returns `(S,)` of `proposed` `(S, P, A)` into account."""


class PredictiveSampling(Sampler):
    """The best variation becomes the plan (Howell et al., 2022)."""

    name: ClassVar[str] = "predictive"

    def update(self, proposed: Array, returns: Array) -> None:
        self.mean = proposed[returns.argmax()]


class CrossEntropy(Sampler):
    """The mean and the deviation of the best share become those of the next variations (CEM).

    The best ones stay in the running (Pinneri et al., 2020): among those of the next iteration with the returns that
    they had, and shifted in time among the first variations of the next plan.
    """

    name: ClassVar[str] = "cem"
    ELITES: ClassVar[float] = 0.15
    CARRIED: ClassVar[int] = 3
    """Of the best, into the next plan."""
    LEAST: ClassVar[float] = 0.3
    """Share of the noise below which the deviation never falls."""

    def __init__(self, knots: int, actions: int, samples: int, spread: Spread) -> None:
        super().__init__(knots, actions, samples, spread)
        self._elites: Array = np.zeros((0, knots, actions))
        self._returns: Array = np.zeros(0)

    def begin(self) -> None:
        super().begin()
        self._elites, self._returns = self._elites[:0], self._returns[:0]

    def advance(self, shift: Array) -> None:
        super().advance(shift)
        self._elites = np.einsum("pq,eqa->epa", shift, self._elites[: self.CARRIED])

    def propose(self, generator: np.random.Generator, iteration: int) -> Array:
        proposed = super().propose(generator, iteration)
        if iteration == 0:
            self._returns = self._returns[:0]
            carried = self._elites[: (self.samples - len(KEPT)) // 4]  # the others explore
            proposed[len(KEPT) : len(KEPT) + len(carried)] = carried
            self._elites = self._elites[:0]
        return proposed

    def deviation(self, iteration: int) -> Array:
        noise = super().deviation(iteration)
        if iteration == 0:
            return noise
        deviation: Array = np.maximum(self._elites.std(axis=0), self.LEAST * noise)
        return deviation

    def update(self, proposed: Array, returns: Array) -> None:
        proposed, returns = np.concatenate([self._elites, proposed]), np.concatenate([self._returns, returns])
        best = np.argsort(-returns, kind="stable")[: max(2, round(self.ELITES * self.samples))]
        self._elites, self._returns = proposed[best], returns[best]
        self.mean = self._elites.mean(axis=0)


class PathIntegral(Sampler):
    """The mean of all variations, weighted by the exponent of their returns (MPPI, Williams et al., 2017).

    Returns are scaled by their own deviation among the variations, so that the temperature means the same for every
    reward.
    """

    name: ClassVar[str] = "mppi"
    TEMPERATURE: ClassVar[float] = 0.3

    def update(self, proposed: Array, returns: Array) -> None:
        scaled = (returns - returns.max()) / (returns.std() + 1e-9)
        weight = np.exp(scaled / self.TEMPERATURE)
        self.mean = np.einsum("s,spa->pa", weight / weight.sum(), proposed)


SAMPLERS: dict[str, type[Sampler]] = {kind.name: kind for kind in (PredictiveSampling, CrossEntropy, PathIntegral)}


def find_sampler(name: str) -> type[Sampler]:
    """Raises `UsageError`: there is none of that name."""
    if name not in SAMPLERS:
        raise unknown_name("sampler", name, SAMPLERS)
    return SAMPLERS[name]
