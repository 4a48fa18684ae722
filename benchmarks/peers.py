"""How others train on Gymnasium's MuJoCo environments, as baselines: their settings as facts, their libraries
as they are.

RL-Zoo: the tuned PPO settings of rl-baselines3-zoo (hyperparams/ppo.yml, its `-v3` entries). Prompt2Policy:
its presets (src/p2p/training/hp_presets.py): the same numbers, but the default initial noise and
activation, over `SubprocVecEnv`. SBX: Stable-Baselines Jax, SAC with RL-Zoo's MuJoCo settings (defaults,
learning_starts 10,000).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

ZOO_PPO: dict[str, dict[str, Any]] = {
    "HalfCheetah-v5": {
        "batch_size": 64, "n_steps": 512, "gamma": 0.98, "learning_rate": 2.0633e-05, "ent_coef": 0.000401762,
        "clip_range": 0.1, "n_epochs": 20, "gae_lambda": 0.92, "max_grad_norm": 0.8, "vf_coef": 0.58096,
    },
    "Hopper-v5": {
        "batch_size": 32, "n_steps": 512, "gamma": 0.999, "learning_rate": 9.80828e-05, "ent_coef": 0.00229519,
        "clip_range": 0.2, "n_epochs": 5, "gae_lambda": 0.99, "max_grad_norm": 0.7, "vf_coef": 0.835671,
    },
    "Walker2d-v5": {
        "batch_size": 32, "n_steps": 512, "gamma": 0.99, "learning_rate": 5.05041e-05, "ent_coef": 0.000585045,
        "clip_range": 0.1, "n_epochs": 20, "gae_lambda": 0.95, "max_grad_norm": 1.0, "vf_coef": 0.871923,
    },
}  # fmt: skip


def make_env(env_id: str) -> Callable[[], gymnasium.Env[Any, Any]]:
    """A factory of Gymnasium's own environment, with its own reward and time limit."""
    # contact forces are left out of Ant's and the humanoids' observations everywhere, so that all see the same
    options: dict[str, Any] = {}
    if env_id.startswith(("Ant", "Humanoid")):
        options = {"include_cfrc_ext_in_observation": False}
    return lambda: gymnasium.make(env_id, **options)


def zoo_ppo(env_id: str, seed: int, *, prompt2policy: bool = False) -> Any:
    """stable-baselines3 PPO with RL-Zoo's settings, or as Prompt2Policy ships them."""
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor, VecNormalize

    settings = ZOO_PPO[env_id]
    kind = SubprocVecEnv if prompt2policy else DummyVecEnv
    env = VecNormalize(VecMonitor(kind([make_env(env_id)])), gamma=settings["gamma"])
    net = {"pi": [256, 256], "vf": [256, 256]}
    policy: dict[str, Any] = {"net_arch": net}
    if not prompt2policy:
        policy |= {"log_std_init": -2, "ortho_init": False, "activation_fn": torch.nn.ReLU}
    return PPO("MlpPolicy", env, seed=seed, device="cpu", policy_kwargs=policy, **settings)


def sb3_at_our_settings(env_id: str, seed: int, preset_name: str) -> Any:
    """stable-baselines3 PPO with one of this package's presets, over Gymnasium's environments in a `DummyVecEnv`."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

    from reward_agent.optimise.ppo import PRESETS, arguments

    settings = PRESETS[preset_name].settings
    env = VecMonitor(DummyVecEnv([make_env(env_id)] * settings.num_envs))
    return PPO(env=VecNormalize(env, gamma=settings.discount), **arguments(settings, seed))


def sbx_sac(env_id: str, seed: int) -> Any:
    """SBX SAC with RL-Zoo's MuJoCo settings."""
    from sbx import SAC
    from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

    return SAC("MlpPolicy", VecMonitor(DummyVecEnv([make_env(env_id)])), seed=seed, learning_starts=10_000)


def act_of(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A trained model's deterministic actions for raw observations `(N, O)`."""
    normaliser = model.get_vec_normalize_env()

    def act(observations: np.ndarray) -> np.ndarray:
        seen = normaliser.normalize_obs(observations) if normaliser else observations
        return np.asarray(model.predict(seen, deterministic=True)[0])

    return act


def native_returns(env_id: str, act: Callable[[np.ndarray], np.ndarray], seeds: list[int]) -> list[float]:
    """Undiscounted native returns of whole episodes in Gymnasium's own environment, one a seed."""
    env = make_env(env_id)()
    returns = []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        total, over = 0.0, False
        while not over:
            action = act(observation[None].astype(np.float64))[0]
            observation, reward, terminated, truncated, _ = env.step(
                np.clip(action, env.action_space.low, env.action_space.high)
            )
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
    env.close()
    return returns
