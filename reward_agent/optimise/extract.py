"""The deterministic policy of a trained stable-baselines3 model, as plain arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from reward_agent.errors import UsageError
from reward_agent.optimise.policy import Activation, Policy
from reward_agent.optimise.sb3 import Normalise

ACTIVATIONS: dict[type[nn.Module], Activation] = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def ppo_policy(model: Any, normalise: Normalise, observe_time: bool) -> Policy:
    """Of a PPO model: the Gaussian's mean."""
    return _policy(
        model, [model.policy.mlp_extractor.policy_net, model.policy.action_net], False, normalise, observe_time
    )


def sac_policy(model: Any, normalise: Normalise, observe_time: bool) -> Policy:
    """Of a SAC model: the tanh of the Gaussian's mean, scaled to the bounds."""
    return _policy(model, [model.actor.latent_pi, model.actor.mu], True, normalise, observe_time)


def _policy(model: Any, parts: list[nn.Module], squash: bool, normalise: Normalise, observe_time: bool) -> Policy:
    modules = [module for part in parts for module in part.modules() if not list(module.children())]
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    between = [module for module in modules if not isinstance(module, nn.Linear)]
    activation = next((a for kind, a in ACTIVATIONS.items() if all(isinstance(m, kind) for m in between)), None)
    if activation is None:
        raise UsageError(f"A policy is saved with one activation of {sorted(ACTIVATIONS.values())} between its layers.")
    statistics = normalise.obs_rms
    return Policy(
        weights=tuple(layer.weight.detach().numpy().copy() for layer in linear),
        biases=tuple(layer.bias.detach().numpy().copy() for layer in linear),
        activation=activation,
        squash=squash,
        low=model.action_space.low.astype(np.float64),
        high=model.action_space.high.astype(np.float64),
        mean=np.array(statistics.mean, np.float64),
        variance=np.array(statistics.var, np.float64),
        clip=float(normalise.clip_obs),
        epsilon=float(normalise.epsilon),
        observe_time=observe_time,
    )
