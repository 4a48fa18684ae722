"""Training with numbered actions: PPO is stable-baselines3's, learns, goes on bit for bit; SAC says no."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cartpole
import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
import torch
from optimisation import NearSource
from pointmass import NUMBERED, numbered_task

from reward_agent import agent
from reward_agent.api import evaluate
from reward_agent.cli import main
from reward_agent.errors import UsageError
from reward_agent.optimise import Optimised, find_optimiser
from reward_agent.optimise.policy import Policy, load_policy
from reward_agent.program import Program
from reward_agent.ranking import record_episodes
from reward_agent.schema import Array
from reward_agent.scoring import SeedPlan, random_policy, roll_out
from reward_agent.sources.cell import CellSource

SMALL = {"num_envs": 8, "rollout": 64, "batch_size": 128, "hidden": (16, 16)}
LEARNS = {"num_envs": 16, "rollout": 32, "batch_size": 128, "epochs": 10, "learning_rate": 2e-3}
NUMBERED_TASK = f"{pointmass.__file__}:numbered"


def train(seed: int = 0, **options: Any) -> Optimised:
    return find_optimiser("ppo")(numbered_task(), NearSource(), 4_000, seed, settings=SMALL, **options)


def weights(policy: Policy) -> Array:
    return np.concatenate([a.ravel() for a in (*policy.weights, *policy.biases, policy.mean, policy.variance)])


def answers(*values: bool) -> Callable[[], bool]:
    remaining: Iterator[bool] = iter(values)
    return lambda: next(remaining)


def small_model(entropy_weight: float = 0.0) -> Any:
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.ppo import PPOSettings, make
    from reward_agent.optimise.sb3 import TaskVecEnv

    settings = PPOSettings(num_envs=16, rollout=61, batch_size=256, epochs=3, entropy_weight=entropy_weight)
    return make(Normalise(TaskVecEnv(numbered_task(), NearSource(), 16, seed=0)), settings, seed=0)


def test_an_update_is_that_of_stable_baselines3() -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    from reward_agent.optimise.batched_ppo import BatchedPPO

    model = small_model(entropy_weight=0.05)
    model.learn(2 * 16 * 61, log_interval=None)
    model.set_logger(Logger(None, []))
    before, moments = copy.deepcopy((model.policy.state_dict(), model.policy.optimizer.state_dict()))
    updated = []
    for update in (BatchedPPO.train, PPO.train):
        model.policy.load_state_dict(before)
        model.policy.optimizer.load_state_dict(copy.deepcopy(moments))
        np.random.seed(1)
        update(model)
        updated.append(torch.cat([p.detach().ravel() for p in model.policy.parameters()]).numpy())
    np.testing.assert_allclose(updated[0], updated[1], atol=1e-6)
    start = torch.cat([p.ravel() for p in before.values()]).numpy()
    assert np.abs(updated[0] - start).max() > 1e-3


def test_a_rollout_is_that_of_stable_baselines3(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same draws."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.distributions import CategoricalDistribution

    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.heads import Categorical

    draws = np.random.default_rng(0).gumbel(size=(61, 16, 3)).astype(np.float32)

    def collect(algorithm: type[PPO]) -> Any:
        model, remaining = small_model(), iter(draws)
        _, callback = model._setup_learn(1)

        def sample(categorical: Any) -> torch.Tensor:
            return (categorical.distribution.logits + torch.from_numpy(next(remaining))).argmax(1)

        with monkeypatch.context() as patched:
            patched.setattr(Categorical, "noise", lambda *shape: draws)
            patched.setattr(CategoricalDistribution, "sample", sample)
            algorithm.collect_rollouts(model, model.env, callback, model.rollout_buffer, 61)
        return model.rollout_buffer

    ours, theirs = collect(BatchedPPO), collect(PPO)
    for name in ("observations", "actions", "rewards", "values", "log_probs", "advantages", "returns"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-3, atol=1e-4, err_msg=name)
    assert set(np.unique(theirs.actions)) == {0, 1, 2}


def test_numbers_fall_as_their_softmax_says() -> None:
    from reward_agent.optimise.heads import Categorical

    torch.manual_seed(0)
    head, logits = Categorical(3), np.log(np.array([[0.1, 0.6, 0.3]], np.float32))
    noise = head.noise(10, 2_000)
    chosen = np.concatenate([head.choose(logits, noise[step]) for step in range(10)])
    assert chosen.shape == (20_000, 1)
    np.testing.assert_allclose([(chosen == number).mean() for number in range(3)], [0.1, 0.6, 0.3], atol=0.015)


@pytest.mark.parametrize(
    ("task", "program", "settings", "metric", "least"),
    [
        (numbered_task(), NUMBERED, LEARNS, "success", 0.9),
        (cartpole.task, cartpole.REWARD, SMALL | {"epochs": 10, "learning_rate": 2e-3, "discount": 0.98}, "held", 0.9),
    ],
)
def test_ppo_learns_it(task: Any, program: str, settings: dict[str, Any], metric: str, least: float) -> None:
    source = CellSource(Program(program), task)
    try:
        done = find_optimiser("ppo")(task, source, 20_000, 0, settings=settings | {"threads": 1})
    finally:
        source.close()
    seeds = SeedPlan.select_seeds(0, 20)
    assert roll_out(task, done.policy, seeds)[metric].mean() > least
    assert roll_out(task, random_policy(task, 0), seeds)[metric].mean() < least / 3


def test_one_seed_gives_the_same_weights_and_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    undisturbed, other = train(), train(seed=1)
    first = train(checkpoint=tmp_path, stop=answers(False, True))
    last = train(checkpoint=tmp_path)
    assert first.steps < last.steps == undisturbed.steps
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))
    np.testing.assert_array_equal(last.curves.episode_return, undisturbed.curves.episode_return)
    assert not np.array_equal(weights(undisturbed.policy), weights(other.policy))


def test_a_saved_policy_acts_as_the_model_predicts(tmp_path: Path) -> None:
    from stable_baselines3.common.vec_env import VecNormalize

    from reward_agent.optimise.ppo import PPOLearner

    model = small_model()
    model.learn(3 * 16 * 61, log_interval=None)
    PPOLearner(model).policy(model.env, False).save(tmp_path)
    policy = load_policy(tmp_path)
    observations = np.random.default_rng(1).normal(size=(500, 3))
    predicted, _ = model.predict(VecNormalize.normalize_obs(model.env, observations), deterministic=True)
    acted = policy.act(observations)
    assert acted.shape == (500, 1) and acted.dtype == np.float64 and len(set(predicted)) > 1
    np.testing.assert_array_equal(acted[:, 0], predicted)
    assert policy.discrete and policy.action_size == 1 and policy.high.tolist() == [2.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.json", "policy.safetensors"]


def test_an_evaluation_from_check_to_score(tmp_path: Path) -> None:
    found = evaluate(
        Program(NUMBERED), NUMBERED_TASK, budget=16_000, episodes=20, settings=LEARNS, folder=tmp_path, jobs=1
    )
    assert found.ok and found.verdict.term_names == ("near", "effort")
    assert found.metrics["closeness"].mean > found.floors["random"]["closeness"].mean + 0.3
    (folder,) = found.policies
    (episode,) = record_episodes(numbered_task(), folder, [7])
    assert episode.action.shape == (60, 1) and set(episode.action.ravel()) <= {0.0, 1.0, 2.0}


def test_a_run_on_numbers_is_played_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reward_agent.messages import Key

    monkeypatch.chdir(tmp_path)
    model = runs.recording(tmp_path / "replies.jsonl", {Key(0, 0, 0): NUMBERED})
    small = {"iterations": 1, "candidates": 1, "budget": 1_024, "final_seeds": 1, "jobs": 1}
    result = agent.synthesize(runs.config(model, task=NUMBERED_TASK, **small), name="numbered")
    assert load_policy(result.best).discrete
    assert main(["play", "numbered", "--episodes", "3"]) == 0
    assert main(["export", "numbered", "-o", "reward.py"]) == 0
    assert "RewardWrapper" in (tmp_path / "reward.py").read_text()


def test_sac_says_which_optimiser_to_use_before_anything_is_made(tmp_path: Path) -> None:
    told = r"reach-numbered has 3 numbered actions \(left, rest, right\)\. Train it by `ppo`"
    with pytest.raises(UsageError, match=told):
        find_optimiser("sac")(numbered_task(), NearSource(), 100, 0)
    with pytest.raises(UsageError, match=told):
        evaluate(Program(NUMBERED), numbered_task(), optimiser="sac", folder=tmp_path)
    with pytest.raises(UsageError, match=told):
        agent.prepare(runs.config("manual", task=NUMBERED_TASK, optimiser="sac"), root=tmp_path)
    assert not list(tmp_path.iterdir())
