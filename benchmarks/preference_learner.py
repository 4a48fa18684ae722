"""Learns a reward from comparisons of segments, and a policy on it, with the `imitation` package.

    IMITATION_VENV/bin/python benchmarks/preference_learner.py READS WRITES

Run by `preference_baseline.py` in a virtual environment of its own; nothing of reward_agent is imported here. The
environment is at the other end of two pipes (`preference_bridge.py`). The method is Christiano et al. (2017): an
ensemble of reward networks, fitted to comparisons by the Bradley-Terry model; PPO on the ensemble's mean; comparisons
asked for on the way, of the policy's own latest segments, those first that the ensemble disagrees on. The teacher is
synthetic and without noise: of two segments it prefers the one with the larger sum of true rewards.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from imitation.algorithms import preference_comparisons as comparing
from imitation.data.rollout import flatten_trajectories
from imitation.data.types import TrajectoryWithRew
from imitation.rewards import reward_nets
from imitation.util import logger as logging
from imitation.util import networks
from preference_wire import Channel
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

Pair = tuple[TrajectoryWithRew, TrajectoryWithRew]
FRESH_PAIRS = 256
"""Of the trained policy's segments, on which the learned reward is held against the true one."""


class BridgedVecEnv(VecEnv):
    """The batch at the other end."""

    def __init__(self, channel: Channel, facts: dict[str, Any], low: np.ndarray, high: np.ndarray) -> None:
        self.channel, self.steps = channel, 0
        seen = gymnasium.spaces.Box(-np.inf, np.inf, (facts["observation"],), np.float32)
        super().__init__(facts["rows"], seen, gymnasium.spaces.Box(low, high, dtype=np.float32))
        self._actions = np.zeros((self.num_envs, len(low)), np.float32)

    def reset(self) -> np.ndarray:
        self.channel.send("reset")
        return self.channel.receive().arrays["observations"].copy()

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        self.channel.send("step", actions=np.asarray(self._actions, np.float32))
        found = self.channel.receive().arrays
        self.steps += self.num_envs
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row, last, cut in zip(np.flatnonzero(found["dones"]), found["last"], found["truncated"], strict=True):
            infos[row] = {"terminal_observation": last.copy(), "TimeLimit.truncated": bool(cut)}
        return found["observations"].copy(), found["rewards"].copy(), found["dones"].copy(), infos

    def close(self) -> None:
        pass

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"the environments have no attributes of their own, so none is {attr_name!r}")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise AttributeError(f"the environments have no methods of their own, so none is {method_name!r}")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]


class Player(comparing.AgentTrainer):
    """Plays and trains within one budget of environment steps: what is played only to be compared counts too.

    The package's own trainer plays whole episodes of every environment anew for a sample, beyond the steps it was
    given; here a sample is what was played since the last one, and only the first is played for itself.
    """

    def __init__(self, *given: Any, bridge: BridgedVecEnv, budget: int, trainings: int, first: int, **more: Any):
        super().__init__(*given, venv=bridge, **more)
        self._bridge, self._budget, self._left, self._first = bridge, budget, trainings, first

    def train(self, steps: int, **given: Any) -> None:
        """Train for an even share, in whole rollouts, of what is left."""
        rollout = self.algorithm.n_steps * self.algorithm.n_envs
        share = (self._budget - self._bridge.steps) // self._left // rollout * rollout
        self._left -= 1
        if share:
            super().train(share, **given)

    def sample(self, steps: int) -> Sequence[TrajectoryWithRew]:
        if self.algorithm.num_timesteps == 0:
            env = self.algorithm.get_env()
            observations = env.reset()
            for _ in range(max(math.ceil(steps / env.num_envs), self._first)):
                actions, _ = self.algorithm.predict(observations)
                observations, *_ = env.step(actions)
        trajectories, _ = self.buffering_wrapper.pop_trajectories()
        return trajectories


class Believed(comparing.PreferenceModel):
    """The package's model of a preference, for a whole batch of pairs at once; segments have one length."""

    def forward(self, fragment_pairs: Sequence[Pair]) -> tuple[torch.Tensor, None]:
        played = flatten_trajectories([segment for pair in fragment_pairs for segment in pair])
        returns = self.rewards(played).reshape(len(fragment_pairs), 2, -1).sum(-1)
        ahead = torch.clip(returns[:, 0] - returns[:, 1], -self.threshold, self.threshold)
        return torch.sigmoid(ahead), None


def reward_ensemble(env: VecEnv, members: int) -> reward_nets.RewardEnsemble:
    """Networks of the package's default size, each with normalised inputs and outputs."""

    def member() -> reward_nets.RewardNet:
        net = reward_nets.BasicRewardNet(
            env.observation_space,
            env.action_space,
            use_next_state=True,
            normalize_input_layer=networks.RunningNorm,
        )
        return reward_nets.NormalizedRewardNet(net, networks.RunningNorm)

    return reward_nets.RewardEnsemble(env.observation_space, env.action_space, [member() for _ in range(members)])


def ppo(env: VecEnv, settings: dict[str, Any], seed: int) -> PPO:
    """With the settings that our own training of the task has."""
    hidden = list(settings["hidden"])
    return PPO(
        "MlpPolicy",
        env,
        n_steps=settings["rollout"],
        batch_size=settings["batch_size"],
        n_epochs=settings["epochs"],
        learning_rate=settings["learning_rate"],
        gamma=settings["discount"],
        gae_lambda=settings["gae_lambda"],
        clip_range=settings["clip_range"],
        ent_coef=settings["entropy_weight"],
        vf_coef=settings["value_weight"],
        max_grad_norm=settings["max_gradient"],
        target_kl=settings["target_kl"] or None,
        policy_kwargs={
            "net_arch": {"pi": hidden, "vf": hidden},
            "activation_fn": {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[settings["activation"]],
            "log_std_init": settings["log_std_init"],
        },
        device="cpu",
        seed=seed,
    )


def learn(bridge: BridgedVecEnv, facts: dict[str, Any], folder: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Facts and arrays of what was learned; `folder` is for logs."""
    told, settings = facts["learner"], facts["ppo"]
    generator = np.random.default_rng(facts["seed"])
    logger = logging.configure(folder, ["stdout"])
    model = ppo(bridge, settings, facts["seed"])
    reward = reward_ensemble(bridge, told["ensemble"])
    player = Player(
        model,
        reward,
        rng=generator,
        custom_logger=logger,
        bridge=bridge,
        budget=facts["steps"],
        trainings=told["rounds"] + 1,
        first=told["first_segments"] * told["segment"],
    )
    normalised = VecNormalize(
        player.venv,
        norm_obs=settings["normalise_observation"],
        norm_reward=settings["normalise_reward"],
        gamma=settings["discount"],
    )
    model.set_env(normalised)
    believed = comparing.PreferenceModel(reward)
    believed.member_pref_models = [Believed(member) for member in reward.members]
    at_random = comparing.RandomFragmenter(generator, warning_threshold=0, custom_logger=logger)
    preferences = comparing.PreferenceComparisons(
        player,
        reward,
        num_iterations=told["rounds"],
        fragmenter=comparing.ActiveSelectionFragmenter(believed, at_random, told["pool"], custom_logger=logger),
        preference_gatherer=comparing.SyntheticGatherer(temperature=0, sample=False, custom_logger=logger),
        reward_trainer=comparing.EnsembleTrainer(
            believed,
            comparing.CrossEntropyRewardLoss(),
            generator,
            batch_size=told["batch_size"],
            epochs=told["epochs"],
            lr=told["learning_rate"],
            custom_logger=logger,
        ),
        fragment_length=told["segment"],
        initial_comparison_frac=told["initial_share"],
        initial_epoch_multiplier=told["initial_epochs"],
        allow_variable_horizon=True,
        custom_logger=logger,
    )
    preferences.train(total_timesteps=facts["steps"], total_comparisons=facts["queries"])
    asked = zip(preferences.dataset.fragments1, preferences.dataset.fragments2, strict=True)
    fresh = at_random(player.sample(0), told["segment"], FRESH_PAIRS)  # of the last training; nobody was asked
    found = {
        "queries": len(preferences.dataset),
        "ties": int((preferences.dataset.preferences == 0.5).sum()),
        "agreement": agreement(reward, asked),
        "fresh_agreement": agreement(reward, fresh),
    }
    return found, policy_arrays(model, normalised)


def agreement(reward: reward_nets.RewardNet, pairs: Iterable[Pair]) -> float:
    """Share of pairs that the learned reward puts in the true order."""

    def believed(segment: TrajectoryWithRew) -> float:
        dones = np.zeros(len(segment), bool)
        return float(reward.predict(segment.obs[:-1], segment.acts, segment.obs[1:], dones).sum())

    alike = [(believed(a) > believed(b)) == (a.rews.sum() > b.rews.sum()) for a, b in pairs]
    return float(np.mean(alike))


def policy_arrays(model: PPO, normalised: VecNormalize) -> dict[str, np.ndarray]:
    """The Gaussian's mean as layers, the statistics its observations are scaled by, and a few actions to check with."""
    parts = [model.policy.mlp_extractor.policy_net, model.policy.action_net]
    layers = [module for part in parts for module in part.modules() if isinstance(module, torch.nn.Linear)]
    found = {f"weight.{index}": layer.weight.detach().numpy() for index, layer in enumerate(layers)}
    found |= {f"bias.{index}": layer.bias.detach().numpy() for index, layer in enumerate(layers)}
    if normalised.norm_obs:
        found |= {"mean": normalised.obs_rms.mean, "variance": normalised.obs_rms.var}
    observations = normalised.get_original_obs()
    actions, _ = model.predict(normalised.normalize_obs(observations), deterministic=True)
    return found | {"observations": observations, "actions": actions}


def main() -> None:
    torch.set_num_threads(1)
    channel = Channel(int(sys.argv[1]), int(sys.argv[2]))
    _, facts, bounds = channel.receive()
    bridge = BridgedVecEnv(channel, facts, bounds["low"], bounds["high"])
    with tempfile.TemporaryDirectory() as folder:
        found, arrays = learn(bridge, facts, folder)
    channel.send("learned", found, **arrays)


if __name__ == "__main__":
    main()
