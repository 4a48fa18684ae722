"""The Isaac Gym world on a stand-in with the same tensor API, in a process of its own. Isaac Gym itself is not here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import isaac_cartpole
import numpy as np
import pytest
from isaac_cartpole import REWARD, standin
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from reward_agent.api import evaluate
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.isaac import tasks
from reward_agent.envs.isaac.schema import NATIVE, TaskTensor
from reward_agent.envs.isaac.world import VARIABLE, IsaacBatch, IsaacGym
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.optimise import find_optimiser
from reward_agent.program import Program
from reward_agent.schema import Array, Field
from reward_agent.sources.cell import CellSource
from reward_agent.task import Step

N = 4
EVERYONE = np.ones(N, bool)
SEEDS = np.array([11, 22, 33, 44])


def make(world: IsaacGym, num_envs: int = N) -> IsaacBatch:
    return world.make(num_envs, world.schema())


@pytest.fixture
def batch() -> Iterator[IsaacBatch]:
    made = make(standin())
    yield made
    made.close()


def balance(observations: Array) -> Array:
    """A feedback that keeps the pole up for long: states x, x', angle, angle'."""
    gains = np.array([0.05, 0.1, 3.0, 0.6])
    return np.clip(observations[:, :4] @ gains, -1, 1)[:, None]


def push_until_over(batch: IsaacBatch) -> Step:
    for _ in range(100):
        step = batch.step(np.ones((N, 1)))
        if step.terminated.all():
            return step
    pytest.fail("no pole fell under a constant push")


def test_the_schema_is_what_the_simulator_names() -> None:
    schema = standin().schema()
    assert schema.by_path["joints.slider_to_cart.position"].unit == "m"
    assert schema.by_path["joints.cart_to_pole.velocity"].unit == "rad/s"
    assert schema.by_path["cart_pole.orientation"].shape == (4,), "the actor 'cart pole', as an identifier"
    entities = {entity.name: entity for entity in schema.entities}
    assert entities["joints.slider_to_cart"].kind == "Slide" and "-4 to 4 m" in entities["joints.slider_to_cart"].doc
    assert entities["joints.cart_to_pole"].kind == "Hinge" and " to " not in entities["joints.cart_to_pole"].doc
    assert {"links.slider", "links.cart", "links.pole", "links.ball", "beacon", "goal"} <= entities.keys()
    constants = schema.constants_view()
    assert constants.dt == standin().dt == pytest.approx(2 / 60), "two simulations a step"
    assert standin(step_seconds=0.5).dt == standin(step_seconds=0.5).schema().constants_view().dt == 0.5
    assert constants.gravity == pytest.approx(9.81)
    assert schema.action.names == ("push",)
    assert not any(word in schema.render() for word in ("rew", "success", "reset_buf"))


def test_groups_choose_the_fields() -> None:
    plain = standin(state=("joints",), tensors=()).schema()
    assert {field.entity.split(".")[0] for field in plain.fields} == {"joints"}
    with pytest.raises(UsageError, match="Did you mean 'joints'"):
        standin(state=("joint",))


def test_states_are_exact_at_every_step(batch: IsaacBatch) -> None:
    observations, states = batch.reset(EVERYONE, SEEDS)
    places = []
    for number in range(12):
        state = batch.schema.view(states)
        joints = state.joints
        np.testing.assert_array_equal(joints.slider_to_cart.position, observations[:, 0])
        np.testing.assert_array_equal(joints.slider_to_cart.velocity, observations[:, 1])
        np.testing.assert_array_equal(joints.cart_to_pole.angle, observations[:, 2])
        np.testing.assert_array_equal(joints.cart_to_pole.velocity, observations[:, 3])
        np.testing.assert_array_equal(joints.positions, observations[:, [0, 2]])
        np.testing.assert_array_equal(joints.velocities, observations[:, [1, 3]])
        np.testing.assert_array_equal(state.beacon.position[:, :2], state.goal.place)
        places.append(state.goal.place)
        for path in ("position", "orientation", "linear_velocity", "angular_velocity"):
            ball, slider = getattr(state.links.ball, path), getattr(state.links.slider, path)
            np.testing.assert_allclose(ball, getattr(state.beacon, path), atol=1e-6)
            np.testing.assert_allclose(slider, getattr(state.cart_pole, path), atol=1e-6)
        # wxyz: the rail is turned by 30 degrees about +z
        wxyz = np.array([np.cos(np.pi / 12), 0, 0, np.sin(np.pi / 12)])
        np.testing.assert_allclose(state.cart_pole.orientation, np.tile(wxyz, (N, 1)), atol=1e-6)
        if number == 0:  # links are placed from the root: what the reset drew for the joints is not in them
            np.testing.assert_allclose(state.links.cart.position, state.cart_pole.position, atol=0.1)
        else:
            along = state.links.cart.position[:, 0] / np.cos(np.pi / 6)
            np.testing.assert_allclose(along, joints.slider_to_cart.position, atol=1e-6)
            axes = Rotation.from_quat(state.links.pole.orientation, scalar_first=True).apply([0, 0, 1])
            angle = joints.cart_to_pole.angle
            expected = np.stack([np.sin(angle) * np.cos(np.pi / 6), np.sin(angle) / 2, np.cos(angle)], 1)
            np.testing.assert_allclose(axes, expected, atol=1e-6)
        step = batch.step(np.full((N, 1), 0.3))
        observations, states = step.observations, step.states
    assert np.ptp(places[0], axis=0).min() > 0, "rows have beacons of their own"
    np.testing.assert_array_equal(places[0], places[-1])


def test_a_batch_packs_just_what_is_asked() -> None:
    world = standin()
    schema = world.schema()
    some = schema.select(["goal.place", "joints.cart_to_pole.angle", "beacon.orientation"])
    few, whole = world.make(N, some), world.make(N, schema)
    try:
        _, picked = few.reset(EVERYONE, SEEDS)
        _, every = whole.reset(EVERYONE, SEEDS)
        assert picked.shape == (N, 7)
        for field in some.fields:
            np.testing.assert_array_equal(picked[:, some.columns[field.path]], every[:, schema.columns[field.path]])
    finally:
        few.close()
        whole.close()


def test_a_row_starts_from_its_seed_alone(batch: IsaacBatch) -> None:
    first, states = batch.reset(EVERYONE, SEEDS)
    for _ in range(5):
        batch.step(np.random.default_rng(0).uniform(-1, 1, (N, 1)))
    alone = np.array([False, False, True, False])
    before = batch.step(np.zeros((N, 1)))
    again, states_again = batch.reset(alone, np.array([0, 0, 33, 0]))
    np.testing.assert_array_equal(again[2], first[2])
    np.testing.assert_array_equal(states_again[2], states[2])
    np.testing.assert_array_equal(again[~alone], before.observations[~alone])
    np.testing.assert_array_equal(states_again[~alone], before.states[~alone])
    assert len({tuple(row) for row in first}) == N


def test_no_step_resets_and_terminal_states_are_real(batch: IsaacBatch) -> None:
    batch.reset(EVERYONE, SEEDS)
    step = push_until_over(batch)
    angle = step.observations[:, 2]
    assert (np.abs(angle) > np.pi / 2).all() or (np.abs(step.observations[:, 0]) > 3).all()
    following = batch.step(np.zeros((N, 1)))
    moved = following.observations[:, 2] - angle
    rate = following.observations[:, 3]
    np.testing.assert_allclose(moved, rate / 30, atol=0.2)  # it went on falling: a reset would have put it upright
    assert following.terminated.all() and not following.truncated.any()
    assert (np.abs(following.observations[:, 2]) > 1.0).all()


def test_the_tasks_own_horizon_ends_nothing(batch: IsaacBatch) -> None:
    observations, _ = batch.reset(EVERYONE, SEEDS)
    for _ in range(80):  # its own `max_episode_length` is 50
        step = batch.step(balance(observations))
        observations = step.observations
        assert not step.terminated.any()


def test_a_task_that_resets_in_its_step_is_refused() -> None:
    batch = make(standin("ResetsAtOnce"))
    try:
        batch.reset(EVERYONE, SEEDS)
        with pytest.raises(RewardAgentError, match=r"ResetsAtOnce\.step called reset_idx .* terminal states are lost"):
            push_until_over(batch)
    finally:
        batch.close()


def play_on(world: IsaacGym, first_action: float) -> NDArray[np.float64]:
    """What an episode of seeds `SEEDS` shows, after another one played with `first_action`."""
    batch = make(world)
    try:
        batch.reset(EVERYONE, SEEDS + 100)
        for _ in range(5):
            batch.step(np.full((N, 1), first_action))
        seen = [batch.reset(EVERYONE, SEEDS)[0]]
        seen += [batch.step(np.full((N, 1), 0.2)).observations for _ in range(4)]
        return np.array(seen)
    finally:
        batch.close()


def test_rows_of_a_task_that_resets_before_the_physics_keep_nothing_of_the_last_episode() -> None:
    cleared = standin("GoalCart", clears=("actions", "thrust"))
    np.testing.assert_array_equal(play_on(cleared, 1.0), play_on(cleared, -1.0))
    # what `clears` is for: left alone, this task's thrust goes on from the last episode's
    left = standin("GoalCart", clears=("actions",))
    assert np.abs(play_on(left, 1.0)[1:] - play_on(left, -1.0)[1:]).max() > 0.01


def test_a_goal_that_is_reached_is_renewed_within_the_episode() -> None:
    batch = make(standin("GoalCart", clears=("actions", "thrust")))
    try:
        _, states = batch.reset(EVERYONE, SEEDS)
        near = np.abs(batch.schema.view(states).joints.slider_to_cart.position) < 0.05
        first = batch.step(np.zeros((N, 1)))
        second = batch.step(np.zeros((N, 1)))
        before, after = (batch.schema.view(step.states).goal.place for step in (first, second))
        renewed = (before != after).any(1)
        reached = np.abs(batch.schema.view(first.states).joints.slider_to_cart.position) < 0.05
        np.testing.assert_array_equal(renewed, reached)
        assert near.any() and not second.terminated.any()
    finally:
        batch.close()


def test_saved_environments_go_on_bit_for_bit(batch: IsaacBatch) -> None:
    batch.reset(EVERYONE, SEEDS)
    actions = np.random.default_rng(1).uniform(-1, 1, (20, N, 1))
    for action in actions[:8]:
        batch.step(action)
    saved = batch.save()
    expected = [batch.step(action) for action in actions[8:]]
    expected_reset = batch.reset(EVERYONE, SEEDS + 1)
    other = make(standin())
    try:
        for resumed in (batch, other):  # the same worker, and one that has never stepped
            resumed.restore(saved)
            for action, wanted in zip(actions[8:], expected, strict=True):
                for mine, theirs in zip(resumed.step(action), wanted, strict=True):
                    np.testing.assert_array_equal(mine, theirs)
            np.testing.assert_array_equal(resumed.reset(EVERYONE, SEEDS + 1)[0], expected_reset[0])
    finally:
        other.close()


def test_actions_are_clipped_and_arrays_are_the_callers(batch: IsaacBatch) -> None:
    batch.reset(EVERYONE, SEEDS)
    strong = batch.step(np.full((N, 1), 50.0))
    kept = strong.observations.copy()
    batch.reset(EVERYONE, SEEDS)
    np.testing.assert_array_equal(strong.observations, kept)
    full = batch.step(np.ones((N, 1)))
    np.testing.assert_array_equal(full.observations, kept)


@pytest.mark.parametrize("attribute", NATIVE)
def test_what_judges_is_no_field(attribute: str) -> None:
    with pytest.raises(UsageError, match="the task's own judgement"):
        TaskTensor(attribute, Field("task.value", "what a reward may not read"))


def test_a_tensor_of_another_shape_is_told() -> None:
    wrong = TaskTensor("targets", Field("goal.place", "", "m", (3,)))
    with pytest.raises(UsageError, match=r"'targets' has 2 numbers an environment, the field 'goal\.place' 3"):
        standin(tensors=(wrong,)).schema()
    with pytest.raises(UsageError, match="1 actions, and `action_names` has 2"):
        standin(action_names=("left", "right")).schema()


def test_a_witness_reads_joints_and_the_native_reward_by_other_calls(batch: IsaacBatch) -> None:
    witness = standin().witness()
    try:
        _, states = batch.reset(EVERYONE, SEEDS)
        told = witness.reset(int(SEEDS[0]))
        assert not witness.secrets()
        for number in range(10):
            assert {path.split(".")[0] for path in told} == {"joints"} and len(told) == 6
            for path, value in told.items():
                np.testing.assert_array_equal(states[0, batch.schema.columns[path]], np.ravel(value))
            action = np.array([np.cos(number)])
            told, states = witness.step(action), batch.step(np.tile(action, (N, 1))).states
            angle = states[0, batch.schema.columns["joints.cart_to_pole.angle"]].item()
            assert witness.secrets() == {"native_reward": pytest.approx(1 - angle**2, rel=1e-6)}
    finally:
        witness.close()
    with pytest.raises(UsageError, match="device='cpu'"):
        standin(device="cuda:0").witness()


def test_a_tasks_episodes_run_on_it() -> None:
    task = replace(isaac_cartpole.task, horizon=7)
    episodes = Episodes(task, N, ["episode.time", "start.joints.cart_to_pole.angle", "joints.cart_to_pole.angle"])
    try:
        episodes.reset(EVERYONE, SEEDS)
        begun = episodes.states.copy()
        for number in range(1, 8):
            step = episodes.step(np.zeros((N, 1)))
            state = episodes.schema.view(step.states)
            np.testing.assert_allclose(state.episode.time, number / 30)
            began = episodes.schema.view(begun).joints.cart_to_pole.angle
            np.testing.assert_array_equal(state.start.joints.cart_to_pole.angle, began)
        assert step.truncated.all() and not step.terminated.any()
    finally:
        episodes.close()


def test_a_policy_learns_on_it_from_a_program_in_the_cell(tmp_path: Any) -> None:
    task = isaac_cartpole.task
    source = CellSource(Program(REWARD), task)
    try:
        settings = {"num_envs": 32, "rollout": 32, "batch_size": 256, "epochs": 8, "learning_rate": 2e-3}
        made = find_optimiser("ppo")(task, source, 16_384, 0, settings=settings, checkpoint=tmp_path)
    finally:
        source.close()
    assert source.fields == ("joints.slider_to_cart.position", "joints.cart_to_pole.angle")
    lengths = made.curves.episode_length
    assert np.nanmean(lengths[-2:]) > 2 * np.nanmean(lengths[:2]), lengths
    assert made.bad_rewards == 0


def test_a_reward_is_checked_trained_on_and_scored_by_the_command() -> None:
    found = evaluate(
        Program(REWARD),
        f"{isaac_cartpole.__file__}:task",
        budget=4_096,
        episodes=8,
        jobs=1,
        settings={"num_envs": 32, "rollout": 32},
    )
    assert found.verdict.ok, found.verdict.faults
    assert found.metrics["time_alive"].mean > 0.2


def test_the_nine_tasks_say_what_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert len(tasks()) == 9
    for task in tasks().values():
        lacks = task.world.missing()
        assert lacks is not None and f"export {VARIABLE}=" in lacks
        assert all(words in lacks for words in ("yours to install", "Preview 4", "Python 3.8", "not run here"))
    with pytest.raises(MissingComponentError, match=VARIABLE):
        tasks()["isaac/ant"].world.schema()
    with pytest.raises(MissingComponentError, match="isaac/ant cannot run here"):
        evaluate(Program(REWARD), "isaac/ant")
    monkeypatch.setenv(VARIABLE, "/no/such/python3.8")
    assert "/no/such/python3.8 does not run" in str(tasks()["isaac/ant"].world.missing())
    monkeypatch.setenv(VARIABLE, sys.executable)
    assert "finds no isaacgym" in str(tasks()["isaac/ant"].world.missing())


def test_a_stand_in_is_no_shipped_task() -> None:
    assert all(":" not in str(vars(task.world)["task"]) for task in tasks().values())
    assert task_schema(isaac_cartpole.task).action.width == 1
