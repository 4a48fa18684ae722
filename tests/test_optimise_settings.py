"""Settings that published trainings need: a limit on how far an update goes, observations left alone, rarer updates."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from optimisation import NearSource
from pointmass import pointmass_task

from reward_agent.optimise import Optimised, Policy, find_optimiser
from reward_agent.optimise.policy import load_policy
from reward_agent.optimise.presets import TASK_CLASSES

PPO = {"num_envs": 8, "rollout": 64, "batch_size": 128, "hidden": (16, 16)}
SAC = {"num_envs": 4, "hidden": (16, 16), "batch_size": 32, "learning_starts": 200, "boundary": 300}
PUBLISHED: dict[str, dict[str, Any]] = {
    "ppo": PPO | {"target_kl": 0.001, "normalise_observation": False, "normalise_reward": False},
    "sac": SAC | {"train_freq": 8, "gradient_steps": 4, "target_update_interval": 3, "normalise_observation": False},
}
TEXT2REWARD = [("ppo", "text2reward-maniskill"), ("sac", "text2reward-metaworld"), ("sac", "text2reward-maniskill")]
NEW = {"target_kl", "normalise_observation", "train_freq", "target_update_interval"}
BUDGET = {"ppo": 4_000, "sac": 1_200}


def train(name: str, settings: dict[str, Any], **options: Any) -> Optimised:
    return find_optimiser(name)(pointmass_task(), NearSource(), BUDGET[name], 0, settings=settings, **options)


def weights(policy: Policy) -> np.ndarray:
    return np.concatenate([a.ravel() for a in (*policy.weights, *policy.biases, policy.mean, policy.variance)])


@pytest.mark.parametrize("threads", [1, 2])
def test_an_update_ends_where_that_of_stable_baselines3_does(threads: int) -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.ppo import PPOSettings, make
    from reward_agent.optimise.sb3 import TaskVecEnv

    settings = PPOSettings(
        num_envs=16, rollout=64, batch_size=128, epochs=10, learning_rate=3e-3, target_kl=0.0005, threads=threads
    )
    model = make(Normalise(TaskVecEnv(pointmass_task(), NearSource(), 16, seed=0)), settings, seed=0)
    model.learn(16 * 64, log_interval=None)
    model.set_logger(Logger(None, []))
    before, moments = copy.deepcopy((model.policy.state_dict(), model.policy.optimizer.state_dict()))
    ended, counts = [], []
    for update, limit in ((BatchedPPO.train, 0.0005), (BatchedPPO.train, None), (PPO.train, 0.0005)):
        model.target_kl, model._n_updates = limit, 0
        model.policy.load_state_dict(before)
        model.policy.optimizer.load_state_dict(copy.deepcopy(moments))
        np.random.seed(1)
        update(model)
        ended.append(torch.cat([p.detach().ravel() for p in model.policy.parameters()]).numpy())
        counts.append(model._n_updates)
    np.testing.assert_allclose(ended[0], ended[2], atol=1e-6)
    assert counts[0] == counts[2] < counts[1] == 10
    assert np.abs(ended[0] - ended[1]).max() > 1e-3, "without the limit it goes further"


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_a_stopped_training_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    undisturbed = train(name, PUBLISHED[name])
    answers = iter((False, True, True))
    for _ in "12":
        train(name, PUBLISHED[name], checkpoint=tmp_path, stop=lambda: next(answers))
    last = train(name, PUBLISHED[name], checkpoint=tmp_path)
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))
    for new in NEW & PUBLISHED[name].keys():
        plain = train(name, {key: value for key, value in PUBLISHED[name].items() if key != new})
        assert not np.array_equal(weights(plain.policy), weights(last.policy)), f"{new} changes nothing"


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_a_policy_on_plain_observations_acts_as_the_model_predicts(name: str, tmp_path: Path) -> None:
    from reward_agent.optimise import ppo, sac
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.sb3 import TaskVecEnv

    env = Normalise(TaskVecEnv(pointmass_task(), NearSource(), 8, seed=0), norm_obs=False)
    if name == "ppo":
        model = ppo.make(env, ppo.PPOSettings(num_envs=8, rollout=64, batch_size=128), seed=0)
        learner: Any = ppo.PPOLearner(model)
    else:
        model = sac.make(env, sac.SACSettings(learning_starts=100, batch_size=64), seed=0, budget=1_000)
        learner = sac.SACLearner(model)
    model.learn(600, log_interval=None)
    learner.policy(env, False).save(tmp_path)
    # far beyond what scaled observations are clipped to
    observations = np.random.default_rng(1).normal(scale=30.0, size=(500, 3))
    predicted, _ = model.predict(observations.astype(np.float32), deterministic=True)
    np.testing.assert_allclose(load_policy(tmp_path).act(observations), predicted, atol=1e-5)
    assert np.ptp(predicted) > 0.01


def test_sac_updates_after_so_many_steps_of_all_environments() -> None:
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.sac import SACSettings, make
    from reward_agent.optimise.sb3 import TaskVecEnv

    for train_freq, gradient_steps in ((1, 2), (8, 4)):
        settings = SACSettings(
            num_envs=4, learning_starts=100, batch_size=16, train_freq=train_freq, gradient_steps=gradient_steps
        )
        env = Normalise(TaskVecEnv(pointmass_task(), NearSource(), 4, seed=0), norm_obs=False, norm_reward=False)
        model = make(env, settings, seed=0, budget=640)
        model.learn(640, log_interval=None)
        rounds = [steps for steps in range(4 * train_freq, 641, 4 * train_freq) if steps > 100]
        assert model._n_updates == gradient_steps * len(rounds)


@pytest.mark.parametrize(("name", "preset"), TEXT2REWARD)
def test_published_settings_are_the_published_ones_and_else_stable_baselines3s(name: str, preset: str) -> None:
    from stable_baselines3 import PPO, SAC

    from reward_agent.optimise import ppo, sac

    published: dict[tuple[str, str], dict[str, Any]] = {
        TEXT2REWARD[0]: {"n_steps": 3200 // 8, "batch_size": 400, "n_epochs": 15, "gamma": 0.85, "target_kl": 0.05},
        TEXT2REWARD[1]: {
            "batch_size": 512,
            "gamma": 0.99,
            "target_update_interval": 2,
            "learning_rate": 0.0003,
            "tau": 0.005,
            "learning_starts": 4000,
            "ent_coef": "auto_0.1",
        },
        TEXT2REWARD[2]: {
            "batch_size": 1024,
            "gamma": 0.95,
            "learning_starts": 4000,
            "ent_coef": "auto_0.2",
            "train_freq": 8,
            "gradient_steps": 4,
        },
    }
    layers = {TEXT2REWARD[0]: [256, 256], TEXT2REWARD[1]: [256, 256, 256], TEXT2REWARD[2]: [256, 256]}[name, preset]
    module: Any = {"ppo": ppo, "sac": sac}[name]
    settings = module.PRESETS[preset].settings
    given = module.arguments(settings, 0)
    defaults = {key: p.default for key, p in inspect.signature({"ppo": PPO, "sac": SAC}[name]).parameters.items()}
    expected = {key: defaults[key] for key in given} | published[name, preset]
    network = given.pop("policy_kwargs")
    own = {"policy": "MlpPolicy", "device": "cpu", "seed": 0}
    assert given == {key: value for key, value in (expected | own).items() if key != "policy_kwargs"}
    assert network["net_arch"] == (layers if name == "sac" else {"pi": layers, "vf": layers})
    assert network["activation_fn"].__name__ == {"ppo": "Tanh", "sac": "ReLU"}[name]
    assert network.get("log_std_init", 0.0) == 0.0
    assert (settings.num_envs, settings.normalise_observation, settings.normalise_reward) == (8, False, False)
    assert "as published" in module.PRESETS[preset].origin and preset not in TASK_CLASSES
