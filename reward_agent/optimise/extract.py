"""The deterministic policy of a trained stable-baselines3 model, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from stable_baselines3.common.base_class import BaseAlgorithm
from torch import nn

from reward_agent.errors import UsageError
from reward_agent.optimise.normalise import Normalise
from reward_agent.optimise.policy import Activation, Policy
from reward_agent.optimise.recurrent_policy import RecurrentPolicy

WITHOUT_END = float(np.finfo(np.float32).max)
"""A clip that clips nothing."""
ACTIVATIONS: dict[type[nn.Module], Activation] = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def extract(
    model: BaseAlgorithm, parts: Sequence[nn.Module], normalise: Normalise, observe_time: bool, *, squash: bool
) -> Policy:
    """What `parts` of a trained model, one after another, make of normalised observations.

    Args:
        model: whose action space has the bounds; where it is discrete, the last layer gives logits.
        parts: their linear layers are the policy's, with one activation between all of them.
        normalise: has the observations' statistics, where it scales them.
        observe_time: whether observations have the time appended.
        squash: take the tanh of the last layer and scale it to the bounds; otherwise clip.

    Raises:
        UsageError: another activation than a policy can have.
    """
    modules = [module for part in parts for module in part.modules() if not list(module.children())]
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    between = [module for module in modules if not isinstance(module, nn.Linear)]
    activation = next((a for kind, a in ACTIVATIONS.items() if all(isinstance(m, kind) for m in between)), None)
    if activation is None:
        raise UsageError(f"A policy is saved with one activation of {sorted(ACTIVATIONS.values())} between its layers.")
    space = model.action_space
    discrete = isinstance(space, Discrete)
    low, high = ([0], [space.n - 1]) if discrete else (space.low, space.high)
    return Policy(
        weights=tuple(layer.weight.detach().numpy().copy() for layer in linear),
        biases=tuple(layer.bias.detach().numpy().copy() for layer in linear),
        activation=activation,
        squash=squash,
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
        observe_time=observe_time,
        discrete=discrete,
        **_scaling(normalise),
    )


def extract_recurrent(model: BaseAlgorithm, normalise: Normalise, observe_time: bool) -> RecurrentPolicy:
    """What the actor of a trained sb3-contrib model with one layer of memory makes of observations."""
    policy = model.policy
    lstm = policy.lstm_actor
    scaling = _scaling(normalise)
    parts = [policy.mlp_extractor.policy_net, policy.action_net]
    head = replace(
        extract(model, parts, normalise, observe_time=False, squash=False),
        mean=np.zeros(lstm.hidden_size),
        variance=np.ones(lstm.hidden_size),
        clip=WITHOUT_END,
        epsilon=0.0,
    )
    held = {name: getattr(lstm, name).detach().numpy() for name in ("weight_ih_l0", "weight_hh_l0")}
    bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).detach().numpy()
    weights = (held["weight_ih_l0"].copy(), held["weight_hh_l0"].copy(), bias.copy())
    return RecurrentPolicy(*weights, **scaling, head=head, observe_time=observe_time)


def _scaling(normalise: Normalise) -> dict[str, Any]:
    """What a policy does to observations before its first layer."""
    if not normalise.norm_obs:
        (size,) = normalise.observation_space.shape
        return {"mean": np.zeros(size), "variance": np.ones(size), "clip": WITHOUT_END, "epsilon": 0.0}
    return {
        "mean": np.array(normalise.obs_rms.mean, np.float64),
        "variance": np.array(normalise.obs_rms.var, np.float64),
        "clip": float(normalise.clip_obs),
        "epsilon": float(normalise.epsilon),
    }
