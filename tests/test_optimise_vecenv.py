"""`TaskVecEnv` and `Normalise`: rewards of the right transitions, real terminal states, statistics of the reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optimisation import NearSource
from pointmass import pointmass_task
from stable_baselines3.common.vec_env import VecNormalize

from reward_agent.optimise.normalise import Normalise
from reward_agent.optimise.sb3 import RESET_SEEDS, Drained, TaskVecEnv
from reward_agent.schema import Array
from reward_agent.sources import Rewards
from reward_agent.task import Bools, Termination

ROWS = 5


def actions(seed: int, steps: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.5, 1.5, (steps, ROWS, 1)).astype(np.float32)


def test_a_source_sees_the_states_around_each_clipped_action() -> None:
    source = NearSource()
    env = TaskVecEnv(pointmass_task(), source, ROWS, seed=1)
    observations = env.reset()
    for given in actions(0, 130):
        following, rewards, _, infos = env.step(given)
        state, action, next_state, _ = (array[0] for array in source.calls[-1])
        np.testing.assert_allclose(state[:, 0], observations[:, 0], rtol=1e-6)
        np.testing.assert_array_equal(action, np.clip(given, -1, 1).astype(np.float64))
        ends = np.array([info.get("terminal_observation", row) for info, row in zip(infos, following, strict=True)])
        np.testing.assert_allclose(next_state[:, 0], ends[:, 0], rtol=1e-6)
        expected = np.exp(-2 * np.abs(next_state[:, 0] - next_state[:, 1])) - 0.01 * action[:, 0] ** 2
        np.testing.assert_allclose(rewards, expected, rtol=1e-6)
        observations = following
    began = np.concatenate([call[3] for call in source.calls])
    assert began[0].all() and began[60].all() and began[120].all()
    assert began.sum() == 3 * ROWS, "rows begin at the first step and after each horizon of 60, at no other time"


def test_ended_rows_begin_anew_and_tell_how_they_ended() -> None:
    env = TaskVecEnv(pointmass_task(), NearSource(), ROWS, seed=2)
    env.reset()
    push = np.zeros((ROWS, 1), np.float32)
    push[0] = 1.0
    ended: list[tuple[int, int, dict[str, object]]] = []
    total, returns = np.zeros(ROWS), list[float]()
    for step in range(60):
        observations, rewards, dones, infos = env.step(push)
        total += rewards
        for row in np.flatnonzero(dones):
            ended.append((step, int(row), infos[row]))
            assert abs(observations[row, 0]) < 0.1, "what comes back is the next episode's first observation"
            info = infos[row]["episode"]
            assert info["l"] == (step + 1 if row or step == 59 else info["l"])
            np.testing.assert_allclose(info["r"], total[row], rtol=1e-5)
            returns.append(total[row])
            total[row] = 0
    assert env.drain().episode_return == pytest.approx(np.mean(returns))
    terminated = [entry for entry in ended if not entry[2]["TimeLimit.truncated"]]
    assert [row for _, row, _ in terminated] == [0], "only the pushed row runs beyond 3 m"
    assert terminated[0][2]["terminal_observation"][0] > 3.0  # type: ignore[index]
    assert {row for step, row, _ in ended if step == 59} == {1, 2, 3, 4}


def test_infos_of_a_step_are_not_those_of_another() -> None:
    env = TaskVecEnv(pointmass_task(), NearSource(), ROWS, seed=2)
    env.reset()
    kept = [env.step(np.zeros((ROWS, 1), np.float32))[3] for _ in range(61)]
    assert all(not any(infos) for infos in kept[:59]) and all(kept[59]) and not any(kept[60])


def test_the_tasks_own_rule_ends_episodes_and_its_fields_stay_from_the_source() -> None:
    rule = Termination("moves", ("point.velocity", "secret.reached"), lambda state: np.abs(state.point.velocity) > 0.5)
    source = NearSource()
    env = TaskVecEnv(replace(pointmass_task(), terminates=rule), source, ROWS, seed=3)
    env.reset()
    for _ in range(3):
        _, _, dones, infos = env.step(np.ones((ROWS, 1), np.float32))
    assert dones.all() and not any(info["TimeLimit.truncated"] for info in infos)
    assert source.calls[-1][0].shape == (1, ROWS, 2)


def test_a_reward_that_reads_no_state_learns_where_the_tasks_own_rule_reads_some() -> None:
    class Idle(NearSource):
        """Goes by the action alone."""

        fields = ()

        def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
            assert state.shape[-1] == next_state.shape[-1] == 0
            nothing = np.zeros((*next_state.shape[:-1], 2))
            return super().__call__(nothing, action, nothing, was_reset)

    rule = Termination("moves", ("point.velocity",), lambda state: np.abs(state.point.velocity) > 0.5)
    env = TaskVecEnv(replace(pointmass_task(), terminates=rule), Idle(), ROWS, seed=3)
    env.reset()
    for _ in range(3):
        _, rewards, dones, _ = env.step(np.ones((ROWS, 1), np.float32))
    assert dones.all() and np.allclose(rewards, 1 - 0.01)


def test_a_reward_that_reads_time_makes_observations_carry_it() -> None:
    env = TaskVecEnv(pointmass_task(), NearSource(timed=True), ROWS, seed=4)
    assert env.reset().shape == (ROWS, 4) == (ROWS, *env.observation_space.shape)
    assert env.step(np.zeros((ROWS, 1), np.float32))[0][:, 3] == pytest.approx(1 / 60)


def test_rewards_of_many_steps_in_one_call_are_those_of_each() -> None:
    given = actions(9, 70)

    def stepped(env: Normalise) -> tuple[np.ndarray, Drained]:
        env.reset()
        return np.array([env.step(action)[1] for action in given]), env.venv.drain()

    def advanced(env: Normalise) -> tuple[np.ndarray, Drained]:
        env.reset()
        for action in given:
            env.step_async(action)
            env.advance()
        return env.rewards().rewards, env.venv.drain()

    sources = NearSource(), NearSource()
    envs = (Normalise(TaskVecEnv(pointmass_task(), source, ROWS, seed=2), gamma=0.9) for source in sources)
    (each, curves), (together, same) = stepped(next(envs)), advanced(next(envs))
    np.testing.assert_array_equal(together, each)
    assert same.episode_return == curves.episode_return and same.episode_length == curves.episode_length
    assert same.terms == pytest.approx(curves.terms)
    assert [len(source.calls) for source in sources] == [70, 1]


def test_terms_are_means_per_step_since_the_last_drain() -> None:
    source = NearSource()
    env = TaskVecEnv(pointmass_task(), source, ROWS, seed=5)
    env.reset()
    for given in actions(6, 7):
        env.step(given)
    assert np.isnan(env.drain().episode_return), "no episode has finished"
    for given in actions(7, 9):
        env.step(given)
    efforts = [-0.01 * (call[1] ** 2).sum(-1) for call in source.calls[7:]]
    assert env.drain().terms["effort"] == pytest.approx(np.mean(efforts))


def test_training_episodes_begin_from_seeds_below_those_of_evaluation() -> None:
    env = TaskVecEnv(pointmass_task(), NearSource(), ROWS, seed=6)
    seen: list[int] = []
    original = env.episodes.reset
    env.episodes.reset = lambda mask, seeds: (seen.extend(seeds[mask]), original(mask, seeds))[1]  # type: ignore[method-assign]
    env.reset()
    for given in actions(8, 70):
        env.step(given)
    assert len(seen) == len(set(seen)) == 2 * ROWS
    assert all(0 <= seed < RESET_SEEDS for seed in seen)


def test_restored_episodes_go_on_bit_for_bit() -> None:
    def run(env: TaskVecEnv, given: np.ndarray) -> list[np.ndarray]:
        steps = [env.step(action) for action in given]
        return [np.concatenate([s[0].ravel(), s[1], s[2]]) for s in steps]

    first = TaskVecEnv(pointmass_task(), NearSource(timed=True), ROWS, seed=7)
    first.reset()
    run(first, actions(9, 77))
    saved = first.save()
    expected = run(first, actions(10, 100))
    second = TaskVecEnv(pointmass_task(), NearSource(timed=True), ROWS, seed=99)
    second.reset()
    run(second, actions(11, 3))
    second.restore(saved)
    np.testing.assert_array_equal(run(second, actions(10, 100)), expected)
    assert first.drain() == second.drain()


def test_normalise_agrees_with_the_reference() -> None:
    ours = Normalise(TaskVecEnv(pointmass_task(), NearSource(), ROWS, seed=8), gamma=0.9)
    reference = VecNormalize(TaskVecEnv(pointmass_task(), NearSource(), ROWS, seed=8), gamma=0.9)
    np.testing.assert_allclose(ours.reset(), reference.reset(), rtol=1e-5)
    for given in actions(12, 130):
        mine, theirs = ours.step(given), reference.step(given)
        np.testing.assert_allclose(mine[0], theirs[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(mine[1], theirs[1], rtol=1e-4, atol=1e-5)
        for info, other in zip(mine[3], theirs[3], strict=True):
            if "terminal_observation" in info:
                np.testing.assert_allclose(
                    info["terminal_observation"], other["terminal_observation"], rtol=1e-4, atol=1e-5
                )
    np.testing.assert_allclose(ours.obs_rms.var, reference.obs_rms.var, rtol=1e-6)
    np.testing.assert_allclose(ours.ret_rms.var, reference.ret_rms.var, rtol=1e-6)
