"""What the network's last outputs mean: the means of a Gaussian, or the logits of numbered actions.

What is random of a whole rollout is drawn at once; a batch's log-probabilities and entropy take as few operations as
they can. The formulas are those of `stable_baselines3.common.distributions`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Likelihood(NamedTuple):
    """Of a batch of actions."""

    log_probs: torch.Tensor
    """`(B,)`."""
    entropy: torch.Tensor
    """Mean over the batch, a scalar."""


class Head(Protocol):
    def noise(self, steps: int, rows: int) -> np.ndarray:
        """All that is random of a rollout, `(steps, rows, outputs)`, by torch's generator."""
        ...

    def choose(self, outputs: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The actions of a step, `(N, A)`."""
        ...

    def likelihood(self, outputs: torch.Tensor, actions: torch.Tensor) -> Likelihood:
        """Of the actions `(B, A)` under outputs `(B, outputs)`."""
        ...


class Gaussian:
    """Actions around their means, with one deviation for all states. `policy` has its logarithm, `log_std`."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy

    def noise(self, steps: int, rows: int) -> np.ndarray:
        """Deviations from the mean action."""
        with torch.inference_mode():
            scale = self.policy.log_std.exp()
            noise: np.ndarray = (torch.randn(steps, rows, len(scale)) * scale).numpy()
            return noise

    def choose(self, outputs: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The sum."""
        actions: np.ndarray = outputs + noise
        return actions

    def likelihood(self, outputs: torch.Tensor, actions: torch.Tensor) -> Likelihood:
        """See `Head`."""
        log_std = self.policy.log_std
        squares = ((actions - outputs) * torch.exp(-log_std)).square().sum(1)
        log_probs = -0.5 * squares - (log_std + HALF_LOG_TAU).sum()
        return Likelihood(log_probs, (log_std + 0.5 + HALF_LOG_TAU).sum())


class Categorical:
    """One of `count` numbered actions, by their logits."""

    def __init__(self, count: int) -> None:
        self.count = count

    def noise(self, steps: int, rows: int) -> np.ndarray:
        """Of Gumbel's distribution: the largest of logits with it added falls as the softmax says (Gumbel 1954)."""
        with torch.inference_mode():
            noise: np.ndarray = -torch.empty(steps, rows, self.count).exponential_().log_().numpy()
            return noise

    def choose(self, outputs: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The number of the largest sum."""
        numbers: np.ndarray = (outputs + noise).argmax(1)[:, None]
        return numbers

    def likelihood(self, outputs: torch.Tensor, actions: torch.Tensor) -> Likelihood:
        """See `Head`."""
        logs = torch.log_softmax(outputs, dim=1)
        entropy = -(logs.exp() * logs).sum(1).mean()
        return Likelihood(logs.gather(1, actions).squeeze(1), entropy)
