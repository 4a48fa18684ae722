"""Numbered actions below training: in schema and states, in the battery, in scoring, in an exported file."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cartpole
import gymnasium
import numpy as np
import pytest
from pointmass import NUMBERED, NumberedPointMass, NumberedPointMassBatch, numbered_task, pointmass_task

from reward_agent.api import as_vec_env, check
from reward_agent.envs.actions import Actions
from reward_agent.envs.episodes import Episodes, prompt_schema, task_schema
from reward_agent.errors import UsageError
from reward_agent.export import export_reward
from reward_agent.probe import record_battery
from reward_agent.program import Program
from reward_agent.schema import ActionSpec, Array, StateSchema
from reward_agent.scoring import SeedPlan, no_op, play, random_policy, roll_out
from reward_agent.task import Episode, Task

KEEPS = """
import numpy as np

def compute_reward(state, action, next_state):
    same = (action == state.episode.previous_action) * 1.0
    first = (state.episode.previous_action < 0) * 10.0
    number = action * 100.0
    return same + first + number, {"same": same, "first": first, "number": number}
"""


def to_goal(observations: Array) -> Array:
    """A controller by hand: numbers `(N,)`, as a person would write them."""
    wanted = 3.0 * (observations[:, 2] - observations[:, 0]) - 2.0 * observations[:, 1]
    return 1.0 + np.sign(wanted) * (np.abs(wanted) > 0.1)


def test_the_schema_tells_of_numbers() -> None:
    shown = prompt_schema(numbered_task()).render()
    assert "action: int array (N,)  # 0 = left, 1 = rest, 2 = right" in shown
    assert "previous_action: int array (N,)  # number of the action applied a step before, -1 at first" in shown
    assert task_schema(pointmass_task()).by_path["episode.previous_action"].shape == (1,)


def test_a_step_applies_numbers_and_the_state_keeps_the_last() -> None:
    episodes = Episodes(numbered_task(), 3, ["episode.previous_action", "point.velocity"])
    episodes.reset(np.ones(3, bool), np.arange(3))
    previous = episodes.schema.columns["episode.previous_action"]
    assert episodes.states[:, previous].ravel().tolist() == [-1, -1, -1]
    step = episodes.step(np.array([0, 1, 2]))
    assert step.states[:, previous].ravel().tolist() == [0, 1, 2]
    assert np.sign(episodes.schema.view(step.states).point.velocity).tolist() == [-1, 0, 1]
    assert episodes.step(np.array([[-4.0], [1.4], [9.0]])).states[:, previous].ravel().tolist() == [0, 1, 2]
    episodes.reset(np.array([True, False, False]), np.arange(3))
    assert episodes.states[:, previous].ravel().tolist() == [-1, 1, 2]


def test_numbers_are_drawn_evenly_and_none_is_the_idle_one() -> None:
    actions = Actions.of(numbered_task().world.schema().action)
    drawn = actions.draw(np.random.default_rng(0), 9_000)
    assert drawn.shape == (9_000, 1) and drawn.dtype == np.float64
    assert all(2_800 < (drawn == number).sum() < 3_200 for number in (0, 1, 2))
    assert actions.idle(4).tolist() == [[1.0]] * 4
    assert Actions.of(replace(numbered_task().world.schema().action, idle=2)).idle(1).tolist() == [[2.0]]


def test_a_battery_has_numbers_random_held_and_idle() -> None:
    battery = record_battery(numbered_task())
    numbers = battery.action.reshape(-1, 16)
    assert all(set(column) == {0, 1, 2} for column in numbers[:, :8].T)
    assert (numbers[:, 8:12] == numbers[0, 8:12]).all() and (numbers[:, 12:] == 1).all()
    before, after = battery.schema.view(battery.state), battery.schema.view(battery.next_state)
    np.testing.assert_allclose(after.point.velocity, 0.9 * before.point.velocity + 0.2 * (battery.action[:, 0] - 1))


def test_the_check_passes_a_reward_of_numbers_and_says_what_is_wrong_with_columns() -> None:
    assert check(Program(NUMBERED), numbered_task()).ok
    (fault,) = check(Program(NUMBERED.replace("(action != 1)", "action[:, 0]")), numbered_task()).faults
    assert "leave out `[:, i]`" in fault.message and fault.line == 7


def test_a_program_sees_whole_numbers() -> None:
    env = as_vec_env(numbered_task(), Program(KEEPS), num_envs=4)
    try:
        assert isinstance(env.action_space, gymnasium.spaces.Discrete)
        env.reset()
        given = np.random.default_rng(0).integers(3, size=(9, 4))
        rewards = np.array([env.step(numbers)[1] for numbers in given])
    finally:
        env.close()
    np.testing.assert_allclose(rewards[0], 100 * given[0] + 10)
    np.testing.assert_allclose(rewards[1:], 100 * given[1:] + (given[1:] == given[:-1]))


def test_scoring_takes_numbers_and_its_floors_give_them() -> None:
    task, seeds = numbered_task(), SeedPlan.report_seeds(0, 30)
    assert roll_out(task, to_goal, seeds)["success"].mean() == 1.0
    assert roll_out(task, random_policy(task, 0), seeds)["success"].mean() < 0.3
    episodes: list[Episode] = []
    play(task, no_op(task), [5], set(), lambda _, episode: episodes.append(episode))
    assert episodes[0].action.shape == (60, 1) and (episodes[0].action == 1).all()


@dataclass(frozen=True)
class Odd(NumberedPointMass):
    """Its batch has another action space than its schema says."""

    space: Any = None

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> NumberedPointMassBatch:
        batch = super().make(num_envs, fields)
        batch.action_space = self.space
        return batch  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("space", "told"),
    [
        (gymnasium.spaces.MultiDiscrete([2, 3]), r"actions are MultiDiscrete.*wrap the environment"),
        (gymnasium.spaces.Discrete(3, start=1), "3 numbered actions from 1 on, but its schema names 3 numbered"),
        (gymnasium.spaces.Discrete(4), "4 numbered actions"),
        (gymnasium.spaces.Box(-1, 1, (3,)), r"continuous actions of shape \(3,\)"),
    ],
)
def test_a_space_that_is_not_the_schemas_is_refused(space: gymnasium.Space[Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Episodes(replace(numbered_task(), world=Odd(space=space)), 2, ())


def test_cartpole_steps_the_same_in_workers_and_when_restored() -> None:
    def actions(steps: int) -> np.ndarray:
        return np.random.default_rng(1).integers(2, size=(steps, 5, 1)).astype(float)

    here, there = (cartpole.CartPole().make(5, cartpole.SCHEMA, threads=threads) for threads in (1, 2))
    try:
        for batch in (here, there):
            batch.reset(np.ones(5, bool), np.arange(5))
        for given in actions(5):
            np.testing.assert_array_equal(here.step(given).states, there.step(given).states)
        there.restore(here.save())
        for given in actions(3):
            np.testing.assert_array_equal(here.step(given).states, there.step(given).states)
    finally:
        here.close()
        there.close()


class CartReader:
    """Reads the exported file's fields out of the plain environment."""

    def __init__(self, env: Any) -> None:
        self.env = env

    def begin(self) -> dict[str, float]:
        return {field.path: self.env.unwrapped.state[i] for i, field in enumerate(cartpole.SCHEMA.fields)}

    advance = begin


@pytest.mark.parametrize("as_policy", [True, False])
def test_an_exported_reward_gives_the_same_on_the_plain_environment(as_policy: bool, tmp_path: Path) -> None:
    task: Task = cartpole.task
    program = Program(KEEPS.replace("number = action", "number = next_state.pole.angle + action"))
    (tmp_path / "exported.py").write_text(export_reward(task, program))
    spec = importlib.util.spec_from_file_location("exported", tmp_path / "exported.py")
    assert spec and spec.loader
    exported = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(exported)
    plain = gymnasium.make("CartPole-v1")
    env = exported.RewardWrapper(
        plain, exported.compute_reward, exported.FIELDS, CartReader(plain), task.world.dt, exported.HORIZON
    )
    ours = as_vec_env(task, program, num_envs=1, seed=3)
    try:
        ours.reset()
        # the same episode: its own seed is the first that the training's generator gives
        env.reset(seed=int(np.random.default_rng(3).integers(1 << 61, size=1)[0]))
        for number in (0, 1, 1, 0, 1, 0):
            _, expected, _, _ = ours.step(np.array([number]))
            _, reward, _, _, info = env.step(np.array([float(number)]) if as_policy else number)
            assert reward == pytest.approx(float(expected[0]), rel=1e-6) and info["native_reward"] == 1.0
    finally:
        ours.close()
        env.close()


def test_a_spec_without_idle_number_means_the_first() -> None:
    assert ActionSpec(names=("left", "right"), discrete=True).idle == 0
    assert cartpole.task.world.schema().to_json()["action"]["idle"] == 0
