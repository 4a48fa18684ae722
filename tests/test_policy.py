"""A saved policy is the trained one, and a file that is not one is refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optimisation import NearSource
from pointmass import pointmass_task
from safetensors.numpy import load, save

from reward_agent.errors import UsageError
from reward_agent.optimise import Policy
from reward_agent.optimise.policy import load_policy


def small(**changes: Any) -> Policy:
    generator = np.random.default_rng(0)
    policy = Policy(
        weights=tuple(generator.normal(size=shape).astype(np.float32) for shape in ((6, 4), (2, 6))),
        biases=tuple(generator.normal(size=size).astype(np.float32) for size in (6, 2)),
        activation="tanh",
        squash=False,
        low=np.array([-1.0, -2.0]),
        high=np.array([1.0, 0.5]),
        mean=generator.normal(size=4),
        variance=generator.uniform(0.1, 2.0, 4),
    )
    return replace(policy, **changes)


@pytest.mark.parametrize("name", ["ppo", "sac"])
def test_actions_are_those_stable_baselines3_predicts(name: str) -> None:
    from stable_baselines3.common.vec_env import VecNormalize

    from reward_agent.optimise import ppo, sac
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.sb3 import TaskVecEnv

    env = Normalise(TaskVecEnv(pointmass_task(), NearSource(timed=True), 8, seed=0))
    if name == "ppo":
        model = ppo.make(env, ppo.PPOSettings(num_envs=8, rollout=64, batch_size=128, log_std_init=0.5), seed=0)
    else:
        model = sac.make(env, sac.SACSettings(learning_starts=100, batch_size=64), seed=0, budget=1_000)
    model.learn(600, log_interval=None)
    learner = {"ppo": ppo.PPOLearner, "sac": sac.SACLearner}[name](model)
    policy = learner.policy(env, True)
    observations = np.random.default_rng(1).normal(scale=[1, 1, 1, 0.5], size=(500, 4))
    predicted, _ = model.predict(VecNormalize.normalize_obs(env, observations), deterministic=True)
    np.testing.assert_allclose(policy.act(observations), predicted, atol=1e-5)
    assert policy.observe_time and np.ptp(predicted) > 0.01


def test_an_action_by_hand() -> None:
    policy = Policy(
        weights=(np.array([[1.0]], np.float32), np.array([[2.0]], np.float32)),
        biases=(np.array([0.0], np.float32), np.array([0.5], np.float32)),
        activation="relu",
        squash=False,
        low=np.array([-1.0]),
        high=np.array([4.0]),
        mean=np.array([3.0]),
        variance=np.array([4.0]),
        clip=2.0,
        epsilon=0.0,
    )
    # (5-3)/2 = 1 -> 2.5; (0-3)/2 < 0 -> 0.5; far above: clipped to 2 -> 4.5, beyond the bound of 4
    np.testing.assert_allclose(policy.act(np.array([[5.0], [0.0], [99.0]])), [[2.5], [0.5], [4.0]])
    squashed = replace(policy, squash=True)
    np.testing.assert_allclose(squashed(np.array([[0.0]])), -1 + 2.5 * (np.tanh([[0.5]]) + 1), rtol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"activation": "relu", "squash": True, "observe_time": True, "clip": 5.0}])
def test_what_is_saved_is_what_is_loaded(changes: dict[str, Any], tmp_path: Path) -> None:
    policy = small(**changes)
    policy.save(tmp_path / "new" / "folder")
    loaded = load_policy(tmp_path / "new" / "folder")
    for field in fields(Policy):
        is_layers = field.name in ("weights", "biases")
        values = [getattr(p, field.name) if is_layers else (getattr(p, field.name),) for p in (loaded, policy)]
        for one, other in zip(*values, strict=True):
            np.testing.assert_array_equal(one, other)
    observations = np.random.default_rng(2).normal(size=(9, 4))
    np.testing.assert_array_equal(loaded(observations), policy(observations))
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "policy.json",
        "policy.safetensors",
    ]


def damage_tensors(folder: Path, **changes: Any) -> None:
    tensors = load((folder / "policy.safetensors").read_bytes()) | changes
    kept = {name: value for name, value in tensors.items() if value is not None}
    (folder / "policy.safetensors").write_bytes(save(kept))


def damage_json(folder: Path, **changes: Any) -> None:
    data = json.loads((folder / "policy.json").read_text()) | changes
    (folder / "policy.json").write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"layers.0.bias": None}, "layers.0.bias"),
        ({"layers.7.bias": np.zeros(3, np.float32)}, "layers.7.bias"),
        ({"layers.1.weight": np.zeros((6, 2), np.float32)}, r"layers.1.weight is \(6, 2\)"),
        ({"layers.0.bias": np.full(6, np.nan, np.float32)}, "not finite"),
        ({"action.low": np.zeros(2, np.int64)}, "not finite floats"),
        ({"observation.variance": -np.ones(4)}, "negative"),
    ],
)
def test_wrong_tensors_are_refused(tensors: dict[str, Any], message: str, tmp_path: Path) -> None:
    small().save(tmp_path)
    damage_tensors(tmp_path, **tensors)
    with pytest.raises(UsageError, match=message):
        load_policy(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 5}, "no version up to 4"),
        ({"version": 4}, "missing or malformed"),
        ({"version": 3}, "missing or malformed"),
        ({"version": 2}, r"action.low is \(2,\)"),
        ({"activation": "sigmoid"}, "sigmoid"),
        ({"sizes": [4]}, "no network"),
        ({"sizes": "four"}, "malformed"),
        ({"squash": "yes"}, "squash"),
        ({"clip": None}, "clip"),
        ({"sizes": [4, 5, 2]}, "where the architecture wants"),
    ],
)
def test_a_wrong_architecture_is_refused(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    small().save(tmp_path)
    damage_json(tmp_path, **changes)
    with pytest.raises(UsageError, match=message):
        load_policy(tmp_path)


def test_files_that_are_no_policy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"policy\.json is missing"):
        load_policy(tmp_path)
    small().save(tmp_path)
    (tmp_path / "policy.safetensors").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(UsageError, match="not a safetensors file"):
        load_policy(tmp_path)
    (tmp_path / "policy.json").write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        load_policy(tmp_path)


def test_observations_of_another_size_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\(N, 4\)"):
        small().act(np.zeros((3, 5)))
