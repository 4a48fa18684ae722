"""PPO with a memory: it learns what must be remembered, all of it is sb3-contrib's, and it goes on bit for bit."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import corridor
import numpy as np
import pointmass
import pytest
import recall
from optimisation import NearSource
from test_distilled import Witness
from test_shaping import PROGRAM, SUBGOALS

from reward_agent.cli import main
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.judges.course import handed_over
from reward_agent.optimise import Measuring, Optimised, find_optimiser
from reward_agent.optimise.choice import choose_training
from reward_agent.optimise.policy import ARCHITECTURE, load_policy
from reward_agent.optimise.recurrent_policy import RecurrentPolicy
from reward_agent.program import Program
from reward_agent.scoring import roll_out
from reward_agent.sources import RewardSource
from reward_agent.sources.cell import CellSource
from reward_agent.sources.making import source_of
from reward_agent.task import Task, Termination

pytestmark = [pytest.mark.needs("recurrent"), pytest.mark.needs("bubblewrap")]
# episodes have 4 steps, so that they go on over a rollout's end
SMALL = {"num_envs": 16, "rollout": 30, "batch_size": 128, "epochs": 4, "learning_rate": 3e-3, "discount": 0.99}
SMALL |= {"hidden": (16,), "memory": 16}
SEEDS = range(1000, 1040)
TINY = {"num_envs": 8, "rollout": 32, "batch_size": 64, "epochs": 2, "hidden": (8,), "memory": 8}
FAR = Termination("is far", ("point.position",), lambda state: np.abs(state.point.position) > 0.5)


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


def test_who_is_handed_an_episode_has_seen_its_beginning(trained: Optimised) -> None:
    (metric,) = recall.task.metrics
    for share in (0.2, 0.6):
        handed = handed_over(recall.task, trained.policy, trained.policy, SEEDS, metric, share)
        assert handed.mean() == 1.0, "the cue was shown before"


def model_of(task: Task, source: RewardSource, **settings: Any) -> Any:
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.recurrent_ppo import Learner, RecurrentPPOSettings
    from reward_agent.optimise.sb3 import TaskVecEnv

    chosen = RecurrentPPOSettings(**(SMALL | settings))  # type: ignore[arg-type]
    return Learner(Normalise(TaskVecEnv(task, source, 16, seed=0)), chosen, 0)


@pytest.mark.parametrize("task", [recall.task, pointmass.task], ids=["numbers", "continuous"])
def test_its_policy_is_that_of_sb3_contrib(task: Task) -> None:
    program = recall.PROGRAM if task is recall.task else pointmass.EXPERT
    source = CellSource(Program(program), task)
    learner = model_of(task, source)
    env = learner.model.env
    learner.model.learn(1024, log_interval=None)
    policy = learner.policy(env, observe_time=False)
    size = env.observation_space.shape[0]
    rng, memory, states = np.random.default_rng(1), policy.begin(7), None
    for step in range(50):
        observations, begins = 3 * rng.normal(size=(7, size)), rng.random(7) < (1.0 if step == 0 else 0.1)
        ours, memory = policy.step(memory, observations, begins)
        scaled = env.normalize_obs(observations).astype(np.float32)
        theirs, states = learner.model.predict(scaled, states, begins, deterministic=True)
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, atol=1e-5)
        np.testing.assert_allclose(memory.hidden, states[0][0], atol=1e-5)
    env.close()
    source.close()


@pytest.mark.parametrize("numbers", [True, False], ids=["numbers", "continuous"])
def test_rollouts_and_updates_are_those_of_sb3_contrib(numbers: bool) -> None:
    """Over episodes that the task's own rule ends and others that the horizon cuts, in rollouts one after another."""
    from sb3_contrib import RecurrentPPO
    from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
    from stable_baselines3.common.logger import Logger

    task = replace(pointmass.numbered if numbers else pointmass.task, terminates=FAR)
    names = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs", "advantages", "returns")
    names += ("hidden_states_pi", "cell_states_pi", "hidden_states_vf", "cell_states_vf")

    def found(source: NearSource, *, library: bool) -> tuple[list[dict[str, Any]], list[Any]]:
        # the buffer is no multiple of the batch
        model = model_of(task, source, rollout=70, batch_size=256, entropy_weight=0.01, log_std_init=-0.3).model
        algorithm = RecurrentPPO if library else type(model)
        if library:
            model.policy._process_sequence = RecurrentActorCriticPolicy._process_sequence
        _, callback = model._setup_learn(1)
        model.set_logger(Logger(None, []))
        rollouts, buffer = [], model.rollout_buffer
        for _ in range(2):
            algorithm.collect_rollouts(model, model.env, callback, buffer, 70)
            rollouts.append({name: getattr(buffer, name).copy() for name in names})
            algorithm.train(model)
        assert model.num_timesteps == 2 * 16 * 70
        return rollouts, [each.detach().numpy().copy() for each in model.policy.parameters()]

    source, other = NearSource(), NearSource()
    (ours, our_weights), (theirs, their_weights) = found(source, library=False), found(other, library=True)
    assert len(source.calls) == 2 and len(other.calls) == 2 * 70, "one call a rollout"
    _, _, following, began = source.calls[0]
    far = np.abs(following[:-1, :, 0]) > 0.5
    assert far.sum() > 5 and (began[1:] & ~far).sum() > 5, "episodes of both ends"
    for mine, its in zip(ours, theirs, strict=True):
        for name in names:
            np.testing.assert_allclose(mine[name], its[name], rtol=1e-3, atol=1e-4, err_msg=name)
    for mine, its in zip(our_weights, their_weights, strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5)


def test_an_update_takes_no_steps_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy

    from reward_agent.optimise.batched_recurrent_ppo import SequencePolicy

    torch.manual_seed(0)
    memory, states = torch.nn.LSTM(3, 4), (torch.randn(1, 2, 4), torch.randn(1, 2, 4))
    features, starts = torch.randn(10, 3), torch.zeros(10)
    for begins in ((0,), (0, 7), (5,)):  # in the middle of the second sequence of five, too
        starts[:] = 0.0
        starts[list(begins)] = 1.0
        given = (features, states, starts, memory)
        (ours, after), (theirs, wanted) = (
            kind._process_sequence(*given) for kind in (SequencePolicy, RecurrentActorCriticPolicy)
        )
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(after, wanted)
    source = NearSource()
    model = model_of(pointmass.task, source).model
    monkeypatch.delattr(RecurrentActorCriticPolicy, "_process_sequence")
    model.learn(1024, log_interval=None)
    assert model._n_updates > 0


def test_a_source_that_watches_sees_what_happens() -> None:
    witness = Witness()
    done = find_optimiser("recurrent_ppo")(corridor.task, witness, 9 * 256, 0, settings=TINY)
    assert done.steps == 9 * 256 and set(witness.rows) == set(range(8))


def test_subgoals_pay_once_an_episode_and_the_latch_is_in_the_checkpoint(tmp_path: Path) -> None:
    def shaped(folder: Path, stops: Iterator[bool]) -> Optimised:
        source = source_of(Program(PROGRAM, SUBGOALS), pointmass.task, {"weight": 0.5})
        try:
            return find_optimiser("recurrent_ppo")(
                pointmass.task, source, 768, 0, settings=TINY, checkpoint=folder, stop=lambda: next(stops, False)
            )
        finally:
            source.close()

    whole = shaped(tmp_path / "whole", iter(()))
    assert whole.curves.terms["moves"].any() and whole.curves.reached["moves"].any()
    assert shaped(tmp_path / "parts", iter((False, True))).steps == 512
    rest = shaped(tmp_path / "parts", iter(()))
    for name, values in whole.curves.terms.items():
        np.testing.assert_array_equal(rest.curves.terms[name], values)
    for name, values in whole.curves.reached.items():
        np.testing.assert_array_equal(rest.curves.reached[name], values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 1}, "'batch_size' must be at least 2, not 1"),
        ({"num_envs": 5, "rollout": 13, "batch_size": 16}, "leaves one step for the last batch.*a divisor of 65"),
        ({"memory": 0}, "'memory' must be at least 1, not 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_training(recall.task, "recurrent_ppo", changes=settings)


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    points = (1024, 2048, 3072)
    measuring = Measuring(points, lambda policy: {"right": right(policy)})
    whole = train(3_072, measuring=measuring)
    stops: Iterator[bool] = iter([False, False, True])
    part = train(3_072, checkpoint=tmp_path, stop=lambda: next(stops), measuring=measuring)
    assert part.steps == 3 * 480 < whole.steps
    rest = train(3_072, checkpoint=tmp_path, measuring=measuring)
    assert rest.measured == whole.measured and rest.measured_at == whole.measured_at
    one, other = whole.policy, rest.policy
    assert isinstance(one, RecurrentPolicy) and isinstance(other, RecurrentPolicy)
    for name in ("input_weight", "state_weight", "bias", "mean"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for ours, theirs in zip(one.head.weights, other.head.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(whole.curves.episode_return, rest.curves.episode_return)


def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sb3_contrib" else known(name))
    with pytest.raises(MissingComponentError, match=r"pip install 'reward-agent\[recurrent\]'"):
        choose_training(recall.task, "recurrent_ppo")
    with pytest.raises(MissingComponentError, match="recurrent_ppo needs"):
        train(1_000)
    main(["doctor", "--json"])
    (found,) = (each for each in json.loads(capsys.readouterr().out)["findings"] if each["name"] == "recurrent_ppo")
    assert not found["works"] and not found["essential"] and "pip install" in found["detail"]
