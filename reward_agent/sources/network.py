"""A small network from transitions to a score a subgoal, fitted to labels in a bounded number of steps.

Two of ONI's three ways (Zheng et al., 2024): by classification, each label a yes or no; and by ranking, where one that
reached a subgoal scores above others, those without a label among them (Bradley and Terry's model of pairs).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reward_agent.schema import Array
from reward_agent.task import Bools

HIDDEN = 64
STEPS = 200
"""Of a fit, whatever the number of labels: a fit takes the same time early and late."""
ROWS = 512
"""Transitions of a step, or half as many pairs."""
RATE = 5e-3


class Network:
    """Says of transitions `(M, F)` which subgoals they reached, `(M, K)`, as its labels say.

    Of a subgoal that none of them, or all of them, reached it says never.

    Args:
        transitions: `(L, F)`.
        reached: `(L, K)`.
        others: `(U, F)`, without a label; only ranking reads them.
        seed: of its first weights, and of the order of labels; the generators of the training are left alone.
    """

    def __init__(
        self,
        how: Literal["classification", "ranking"],
        transitions: Array,
        reached: Bools,
        others: Array,
        seed: int,
    ) -> None:
        self._told = np.flatnonzero(reached.any(0) & ~reached.all(0))
        self._subgoals = reached.shape[1]
        if not len(self._told):
            return
        every = np.nan_to_num(np.concatenate([transitions, others]) if len(others) else transitions)
        self._mean, deviation = every.mean(0), every.std(0)
        self._scale = np.where(deviation > 1e-6, 1.0 / np.maximum(deviation, 1e-6), 0.0)
        targets = reached[:, self._told]
        # no more without a label than with one: most of them reached nothing, but not all
        generator = np.random.default_rng(seed)
        drawn = generator.permutation(len(others))[: len(transitions)]
        inputs = self._scaled(np.concatenate([transitions, others[drawn]]) if len(drawn) else transitions)
        self._weights = _fit(how, inputs.astype(np.float32), targets, generator, seed)
        self._least = _thresholds(self._scores(transitions), targets)

    def __call__(self, transitions: Array) -> Bools:
        said = np.zeros((len(transitions), self._subgoals), bool)
        if len(self._told):
            said[:, self._told] = self._scores(transitions) > self._least
        return said

    def _scores(self, transitions: Array) -> Array:
        values = self._scaled(transitions).astype(np.float32)
        first, first_bias, second, second_bias = self._weights
        return np.asarray(np.tanh(values @ first.T + first_bias) @ second.T + second_bias, np.float64)

    def _scaled(self, transitions: Array) -> Array:
        return np.asarray(np.clip((np.nan_to_num(transitions) - self._mean) * self._scale, -10, 10))


def _fit(
    how: str, inputs: NDArray[np.float32], reached: Bools, generator: np.random.Generator, seed: int
) -> list[NDArray[np.float32]]:
    """Weights and biases of two layers."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = nn.Sequential(nn.Linear(inputs.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, reached.shape[1]))
    optimiser = torch.optim.Adam(layers.parameters(), lr=RATE)
    rows, targets = torch.from_numpy(inputs), torch.from_numpy(reached.astype(np.float32))
    yes = [np.flatnonzero(column) for column in reached.T]
    no = [np.setdiff1d(np.arange(len(inputs)), each) for each in yes]
    any_yes, none = np.flatnonzero(reached.any(1)), np.flatnonzero(~reached.any(1))
    pairs = max(1, ROWS // 2 // len(yes))
    with torch.enable_grad():
        for _ in range(STEPS):
            if how == "ranking":
                better, worse = (np.stack([generator.choice(each, pairs) for each in side]) for side in (yes, no))
                columns = torch.arange(len(yes))[:, None]
                above = layers(rows[better])[columns, torch.arange(pairs), columns]
                below = layers(rows[worse])[columns, torch.arange(pairs), columns]
                loss = nn.functional.softplus(below - above).mean()
            else:
                # what is reached is rare: half of the rows have some of it
                sides = [side for side in (any_yes, none) if len(side)]
                drawn = np.concatenate([generator.choice(side, ROWS // len(sides)) for side in sides])
                loss = nn.functional.binary_cross_entropy_with_logits(layers(rows[drawn]), targets[drawn])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return [values.detach().numpy().copy() for values in layers.parameters()]


def _thresholds(scores: Array, reached: Bools) -> Array:
    """Of each subgoal: where saying yes above it agrees best with the labels, by F1."""
    least = np.empty(scores.shape[1])
    for subgoal, (values, truth) in enumerate(zip(scores.T, reached.T, strict=True)):
        order = np.argsort(-values)
        right = np.cumsum(truth[order])
        f1 = 2 * right / (np.arange(1, len(order) + 1) + truth.sum())
        last = int(np.argmax(f1))
        ranked = values[order]
        least[subgoal] = ranked[last : last + 2].mean() if last + 1 < len(ranked) else ranked[last] - 1.0
    return least
