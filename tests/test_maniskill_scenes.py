"""ManiSkill's sub-scenes as one batch: on a CPU, where there is one, the very code that packs thousands on a GPU."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from maniskill_stages import bring

from reward_agent.envs.maniskill.row import ManiSkillRow
from reward_agent.envs.maniskill.scenes import SceneBatch, reset_rows, together
from reward_agent.envs.maniskill.world import ManiSkill
from reward_agent.schema import Array, StateSchema

vulkan = pytest.mark.needs("vulkan")
EVERYONE = np.ones(1, bool)


@vulkan
@pytest.mark.parametrize("env", ["PickCube-v1", "RollBall-v1"])
def test_one_scene_is_a_row(env: str) -> None:
    world = ManiSkill(env)
    schema = world.schema()
    batch, row = SceneBatch(world, 1, schema), ManiSkillRow(world, schema)
    rng = np.random.default_rng(0)
    for seed in (4, 2**61 + 9):
        observations, states = batch.reset(EVERYONE, np.array([seed]))
        assert np.array_equal(observations[0], row.reset(seed))
        assert np.array_equal(states[0], row.state())
        for action in rng.uniform(-1, 1, (15, 8)):
            step, alone = batch.step(action[None]), row.step(action)
            assert np.array_equal(step.observations[0], alone.observation)
            assert np.array_equal(step.states[0], row.state())
            assert bool(step.terminated[0]) == alone.terminated and not step.truncated.any()
    batch.close()
    row.close()


@vulkan
def test_rows_that_are_not_reset_go_on_and_what_was_handed_out_stays() -> None:
    world = ManiSkill("PushCube-v1")
    batch = SceneBatch(world, 1, world.schema())
    _, begun = batch.reset(EVERYONE, np.array([1]))
    kept = begun.copy()
    after = batch.step(np.full((1, 8), 0.5))
    observations, states = batch.reset(np.zeros(1, bool), np.array([2]))
    assert np.array_equal(states, after.states) and np.array_equal(observations, after.observations)
    assert np.array_equal(begun, kept) and not np.array_equal(begun, states)
    batch.close()


@vulkan
@pytest.mark.parametrize(
    ("env", "mode"), [("PlugCharger-v1", "pd_ee_target_delta_pose"), ("RollBall-v1", "pd_joint_target_delta_pos")]
)
def test_what_was_saved_is_what_is_restored(env: str, mode: str) -> None:
    world = ManiSkill(env, control_mode=mode)
    schema = world.schema()
    # PhysX tells of no contacts, to which forces belong, and works out links' velocities anew
    poses = schema.select(path for path in schema.by_path if "force" not in path and "grasps" not in path)
    batch, elsewhere = SceneBatch(world, 1, poses), SceneBatch(world, 1, poses)
    rng = np.random.default_rng(0)
    chosen = rng.uniform(-0.3, 0.3, (20, 1, batch.action_space.shape[0]))
    batch.reset(EVERYONE, np.array([5]))
    elsewhere.reset(EVERYONE, np.array([6]))
    for action in chosen[:10]:
        reached = batch.step(action)
        elsewhere.step(-action)
    saved = batch.save()
    assert all(isinstance(value, np.ndarray) and value.dtype != object for value in saved.values())
    elsewhere.restore(saved)
    _, states = elsewhere.reset(np.zeros(1, bool), np.array([0]))
    hand = [n for path in poses.by_path if "gripper" in path and "velocity" in path for n in columns(poses, path)]
    others = np.setdiff1d(np.arange(poses.width), hand)
    np.testing.assert_allclose(states[:, others], reached.states[:, others], atol=2e-6)
    np.testing.assert_allclose(states[:, hand], reached.states[:, hand], atol=0.01)
    placed = [n for path in poses.by_path if path.endswith(("position", "angles")) for n in columns(poses, path)]
    for action in chosen[10:15]:
        one, two = batch.step(action), elsewhere.step(action)
        # nearly as it went: the arm has the same targets
        np.testing.assert_allclose(one.states[:, placed], two.states[:, placed], atol=5e-3)
    batch.close()
    elsewhere.close()


@vulkan
@pytest.mark.parametrize("env", ["PushT-v1", "RollBall-v1", "StackCube-v1", "PullCubeTool-v1"])
def test_what_is_restored_is_judged_as_it_was(env: str) -> None:
    world = ManiSkill(env)
    schema = world.schema()
    told = schema.select(path for path in schema.by_path if path.startswith(("evaluation", "goal", "ball", "cube")))
    batch, elsewhere = SceneBatch(world, 1, told), SceneBatch(world, 1, told)
    rng = np.random.default_rng(0)
    width = batch.action_space.shape[0]
    batch.reset(EVERYONE, np.array([5]))
    for _ in range(6):
        reached = batch.step(rng.uniform(-1, 1, (1, width)))
    saved = batch.save()
    for _ in range(6):
        batch.step(rng.uniform(-1, 1, (1, width)))
    elsewhere.reset(EVERYONE, np.array([6]))
    for restored in (batch, elsewhere):
        restored.restore(saved)
        _, states = restored.reset(np.zeros(1, bool), np.array([0]))
        np.testing.assert_allclose(states, reached.states, atol=2e-6)
    batch.close()
    elsewhere.close()


@vulkan
def test_all_that_an_episode_changes_is_saved_whatever_its_shape() -> None:
    import torch

    world = ManiSkill("RollBall-v1")
    batch = SceneBatch(world, 1, world.schema().select([]))
    batch.reset(EVERYONE, np.array([5]))
    env = batch._env
    env.seven = torch.arange(7.0)  # as a task may hold that keeps more than one value for all sub-scenes
    saved = batch.save()
    held = {name: value.clone() for name, value in batch._kept().items()}
    env.seven += 1
    bring(env, world.env, 1, np.random.default_rng(0))  # the ball to the hand, which is a latch of this task's
    batch.step(np.zeros((1, batch.action_space.shape[0])))
    changed = {name for name, value in batch._kept().items() if not torch.equal(value, held[name])}
    assert {"seven", "reached_status"} <= changed
    batch.restore(saved)
    for name, value in batch._kept().items():
        assert torch.equal(value, held[name]), name
    batch.close()


@vulkan
@pytest.mark.parametrize("env", ["PickCube-v1", "PushT-v1", "RollBall-v1"])
def test_only_a_reset_draws_from_generators(env: str) -> None:
    """So that it does no harm to rows going on that a reset of others makes their generators anew."""
    import torch

    world = ManiSkill(env)
    batch = SceneBatch(world, 1, world.schema().select([]))
    batch.reset(EVERYONE, np.array([5]))

    def generators() -> tuple[bytes, bytes]:
        return pickle.dumps(batch._env._batched_episode_rng[0].get_state()), torch.get_rng_state().numpy().tobytes()

    before = generators()
    for _ in range(3):
        batch.step(np.zeros((1, batch.action_space.shape[0])))
    assert generators() == before
    batch.close()


class Forgetful:
    """N arms that follow targets, an environment and its agent in one. Any reset has all of them forget, in place.

    ManiSkill's controllers do so (`sapien_env.reset` makes its mask one of all rows before it resets them), but on a
    CPU it has one row, and there is none that goes on.
    """

    device = "cpu"

    def __init__(self, num_envs: int) -> None:
        import torch

        self.agent = self
        self.targets, self.places = torch.zeros(num_envs, 2), torch.zeros(num_envs, 2)

    def follow(self, targets: Array) -> None:
        import torch

        self.targets[:] = torch.as_tensor(targets)

    def reset(self, *, seed: list[int], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        import torch

        rows = options["env_idx"]
        self.places[rows] = torch.tensor(seed, dtype=torch.float32)[rows, None].repeat(1, 2)
        self.targets[:] = self.places
        return self.places.clone(), {"reset": rows.tolist()}

    def get_controller_state(self) -> dict[str, Any]:
        return {"arm": {"target_qpos": self.targets}, "gripper": {}}

    def set_controller_state(self, state: dict[str, Any]) -> None:
        self.targets = state["arm"]["target_qpos"]


def test_rows_that_go_on_keep_their_targets() -> None:
    env = Forgetful(4)
    env.follow(np.array([[1, 2], [3, 4], [5, 6], [7, 8]]))
    observations, info = reset_rows(env, np.array([1, 3]), [10, 20, 30, 40])
    assert info == {"reset": [1, 3]} and observations.tolist() == [[0, 0], [20, 20], [0, 0], [40, 40]]
    assert env.targets.tolist() == [[1, 2], [20, 20], [5, 6], [40, 40]]


def columns(schema: StateSchema, path: str) -> range:
    return range(schema.columns[path].start, schema.columns[path].stop)


def test_rows_reset_together_begin_from_all_their_seeds() -> None:
    rows, seeds = np.array([0, 3, 5]), np.array([10, 11, 12])
    first = together(rows, seeds)
    assert 0 <= first < 2**32 and first == together(rows.copy(), seeds.copy())
    others = [
        together(rows, np.array([10, 11, 13])),
        together(np.array([0, 3, 6]), seeds),
        together(rows[:2], seeds[:2]),
    ]
    assert len({first, *others}) == 4


@pytest.mark.gpu
@vulkan
def test_many_scenes_on_a_gpu() -> None:
    world = ManiSkill("PickCube-v1", sim="physx_cuda")
    assert world.missing() is None
    schema = world.schema()
    batch = world.make(64, schema)
    everyone, seeds = np.ones(64, bool), np.arange(64)
    _, begun = batch.reset(everyone, seeds)
    cubes = begun[:, schema.columns["cube.position"]]
    assert len({cube.tobytes() for cube in cubes}) == 64
    _, again = batch.reset(everyone, seeds)
    np.testing.assert_allclose(begun, again, atol=1e-5)
    rng = np.random.default_rng(0)
    for _ in range(10):
        step = batch.step(rng.uniform(-1, 1, (64, 8)))
    half = np.arange(64) < 32
    _, states = batch.reset(half, seeds + 100)
    np.testing.assert_allclose(states[~half], step.states[~half], atol=1e-5)
    assert np.abs(states[half] - step.states[half]).max() > 0.01
    saved = batch.save()
    reached = states.copy()
    batch.step(rng.uniform(-1, 1, (64, 8)))
    batch.restore(saved)
    _, states = batch.reset(np.zeros(64, bool), seeds)
    placed = [n for path in schema.by_path if path.endswith(("position", "angles")) for n in columns(schema, path)]
    np.testing.assert_allclose(states[:, placed], reached[:, placed], atol=1e-4)
    assert batch.render(3).shape == (240, 320, 3)
    batch.close()
