"""PPO with a memory: it learns what must be remembered, its policy is sb3-contrib's, and it goes on bit for bit."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recall

from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.optimise import Measuring, Optimised, find_optimiser
from reward_agent.optimise.choice import choose_training
from reward_agent.optimise.policy import ARCHITECTURE, load_policy
from reward_agent.optimise.recurrent_policy import RecurrentPolicy
from reward_agent.program import Program
from reward_agent.scoring import roll_out
from reward_agent.sources.cell import CellSource

pytestmark = [pytest.mark.needs("recurrent"), pytest.mark.needs("bubblewrap")]
SMALL = {"num_envs": 16, "rollout": 32, "batch_size": 128, "epochs": 4, "learning_rate": 3e-3, "discount": 0.99}
SMALL |= {"hidden": (16,), "memory": 16}
SEEDS = range(1000, 1040)


def train(budget: int, name: str = "recurrent_ppo", **options: Any) -> Optimised:
    settings = {key: value for key, value in SMALL.items() if name != "ppo" or key != "memory"}
    source = CellSource(Program(recall.PROGRAM), recall.task)
    try:
        return find_optimiser(name)(recall.task, source, budget, 0, settings=settings, **options)
    finally:
        source.close()


@pytest.fixture(scope="module")
def trained() -> Optimised:
    return train(24_000)


def right(policy: Any) -> float:
    return float(roll_out(recall.task, policy, SEEDS)["success"].mean())


def test_it_learns_what_must_be_remembered_and_ppo_cannot(trained: Optimised) -> None:
    assert right(trained.policy) == 1.0
    assert 0.2 < right(train(24_000, "ppo").policy) < 0.8, "without a memory it is a guess"


def test_a_saved_policy_acts_as_the_trained_one(trained: Optimised, tmp_path: Path) -> None:
    policy = trained.policy
    assert isinstance(policy, RecurrentPolicy)
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    assert isinstance(again, RecurrentPolicy) and right(again) == 1.0
    rng, memory, other = np.random.default_rng(0), policy.begin(5), again.begin(5)
    for step in range(20):
        observations, begins = rng.normal(size=(5, 2)), rng.random(5) < (1.0 if step == 0 else 0.2)
        actions, memory = policy.step(memory, observations, begins)
        same, other = again.step(other, observations, begins)
        np.testing.assert_array_equal(actions, same)
    with pytest.raises(UsageError, match="remembers"):
        policy.act(np.zeros((5, 2)))
    with pytest.raises(UsageError, match="another task"):
        policy.step(memory, np.zeros((5, 3)), np.zeros(5, bool))
    (tmp_path / ARCHITECTURE).write_text((tmp_path / ARCHITECTURE).read_text().replace('"clip"', '"clop"'))
    with pytest.raises(UsageError, match="clip"):
        load_policy(tmp_path)


def test_its_policy_is_that_of_sb3_contrib() -> None:
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.recurrent_ppo import Learner, RecurrentPPOSettings
    from reward_agent.optimise.sb3 import TaskVecEnv

    source = CellSource(Program(recall.PROGRAM), recall.task)
    env = Normalise(TaskVecEnv(recall.task, source, 16, seed=0))
    learner = Learner(env, RecurrentPPOSettings(**SMALL), 0)  # type: ignore[arg-type]
    learner.model.learn(1024, log_interval=None)
    policy = learner.policy(env, observe_time=False)
    rng, memory, states = np.random.default_rng(1), policy.begin(7), None
    for step in range(50):
        observations, begins = rng.normal(size=(7, 2)), rng.random(7) < (1.0 if step == 0 else 0.1)
        ours, memory = policy.step(memory, observations, begins)
        scaled = env.normalize_obs(observations).astype(np.float32)
        theirs, states = learner.model.predict(scaled, states, begins, deterministic=True)
        np.testing.assert_array_equal(ours[:, 0], theirs)
        np.testing.assert_allclose(memory.hidden, states[0][0], atol=1e-5)
    env.close()
    source.close()


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    points = (1024, 2048, 3072)
    measuring = Measuring(points, lambda policy: {"right": right(policy)})
    whole = train(3_072, measuring=measuring)
    stops: Iterator[bool] = iter([False, False, True])
    part = train(3_072, checkpoint=tmp_path, stop=lambda: next(stops), measuring=measuring)
    assert part.steps < whole.steps
    rest = train(3_072, checkpoint=tmp_path, measuring=measuring)
    assert rest.measured == whole.measured and rest.measured_at == whole.measured_at
    one, other = whole.policy, rest.policy
    assert isinstance(one, RecurrentPolicy) and isinstance(other, RecurrentPolicy)
    for name in ("input_weight", "state_weight", "bias", "mean"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for ours, theirs in zip(one.head.weights, other.head.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(whole.curves.episode_return, rest.curves.episode_return)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sb3_contrib" else known(name))
    with pytest.raises(MissingComponentError, match=r"pip install 'reward-agent\[recurrent\]'"):
        choose_training(recall.task, "recurrent_ppo")
    with pytest.raises(MissingComponentError, match="recurrent_ppo needs"):
        train(1_000)
