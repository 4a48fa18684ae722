"""Metrics of Isaac Gym's nine tasks: states that must score and states that must not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from reward_agent.envs.isaac import metrics, tasks
from reward_agent.optimise.presets import TASK_CLASSES
from reward_agent.task import Episode

DT = 0.02


def episode(states: dict[str, Any], *, terminated: bool = False) -> Episode:
    """An episode of these states, `{path: (T+1, …)}`."""
    root = SimpleNamespace()
    for path, value in states.items():
        *parents, name = path.split(".")
        node = root
        for parent in parents:
            if not hasattr(node, parent):
                setattr(node, parent, SimpleNamespace())
            node = getattr(node, parent)
        setattr(node, name, np.asarray(value, float))
    length = len(next(iter(states.values()))) - 1
    return Episode(root, np.zeros((length, 1)), terminated, SimpleNamespace(), DT)


def wxyz(rotation: Rotation) -> np.ndarray[Any, Any]:
    return np.asarray(rotation.as_quat(scalar_first=True))


def test_vectors_are_seen_from_a_frame() -> None:
    rng = np.random.default_rng(0)
    turns = Rotation.random(50, rng=rng)
    vectors = rng.normal(size=(50, 3))
    np.testing.assert_allclose(metrics.to_own_frame(wxyz(turns), vectors), turns.inv().apply(vectors), atol=1e-12)


def test_angles_between_orientations() -> None:
    rng = np.random.default_rng(1)
    one, other = Rotation.random(50, rng=rng), Rotation.random(50, rng=rng)
    expected = (one.inv() * other).magnitude()
    np.testing.assert_allclose(metrics.angle_between(wxyz(one), -wxyz(other)), expected, atol=1e-7)


def test_time_alive_counts_steps_before_the_end() -> None:
    (alive,) = tasks()["isaac/cartpole"].metrics
    path = np.zeros((11, 1))
    assert alive.score(episode({"x.y": path})) == pytest.approx(10 * DT)
    assert alive.score(episode({"x.y": path}, terminated=True)) == pytest.approx(9 * DT)


def test_distance_is_along_x_and_counts_no_detour() -> None:
    (distance,) = tasks()["isaac/ant"].metrics
    there = np.stack([np.linspace(1, 4, 9), np.linspace(0, 50, 9), np.zeros(9)], 1)
    assert distance.score(episode({"ant.position": there})) == pytest.approx(3.0)
    assert distance.score(episode({"ant.position": np.concatenate([there, there[::-1]])})) == 0.0
    assert distance.score(episode({"ant.position": -there})) == pytest.approx(-3.0)


def test_hovering_counts_where_it_ends() -> None:
    (near,) = tasks()["isaac/quadcopter"].metrics
    hover = np.tile([0.0, 0.0, 1.0], (101, 1))
    assert near.score(episode({"quadcopter.position": hover})) == 0.0
    late = hover.copy()
    late[:50] += 2.0  # far at first: the last 50 states count
    assert near.score(episode({"quadcopter.position": late})) == 0.0
    passing = np.tile([3.0, 0.0, 1.0], (101, 1))
    passing[60] = 0.0, 0.0, 1.0
    assert near.score(episode({"quadcopter.position": passing})) == pytest.approx(-3.0 * 49 / 50)
    on_the_ground = np.zeros((101, 3))
    assert near.score(episode({"quadcopter.position": on_the_ground})) == pytest.approx(-1.0)


def test_a_drawer_is_open_where_it_ends() -> None:
    success, opening = tasks()["isaac/franka-cabinet"].metrics
    path = "joints.drawer_top_joint.position"
    pulled = episode({path: [0.0, 0.2, 0.391]}, terminated=True)
    assert (success.score(pulled), opening.score(pulled)) == (1.0, pytest.approx(0.391))
    fell_back = episode({path: [0.0, 0.4, 0.2]})
    assert (success.score(fell_back), opening.score(fell_back)) == (0.0, pytest.approx(0.2))
    assert success.score(episode({path: [0.0, 0.39]})) == 0.0


def test_tracking_is_in_the_robots_own_frame() -> None:
    (tracking,) = tasks()["isaac/anymal"].metrics
    turned = Rotation.from_euler("z", 90, degrees=True)
    states = {
        "anymal.orientation": np.tile(wxyz(turned), (6, 1)),
        "anymal.linear_velocity": np.tile([0.0, 1.5, 0.3], (6, 1)),  # its own forward is the world's +y
        "anymal.angular_velocity": np.tile([0.4, 0.0, -0.5], (6, 1)),
        "command.velocity": np.tile([1.5, 0.0, -0.5], (6, 1)),
    }
    assert tracking.score(episode(states)) == pytest.approx(0.0, abs=1e-12)
    sideways = states | {"anymal.linear_velocity": np.tile([1.5, 0.0, 0.0], (6, 1))}
    assert tracking.score(episode(sideways)) == pytest.approx(-1.5 * np.sqrt(2))
    spinning = states | {"anymal.angular_velocity": np.tile([0.0, 0.0, 0.5], (6, 1))}
    assert tracking.score(episode(spinning)) == pytest.approx(-1.0)


def test_each_goal_that_is_reached_counts_once() -> None:
    (goals,) = tasks()["isaac/shadow-hand"].metrics
    degrees = np.array([[0], [20], [40], [60], [78], [90.0]])
    goal = np.array([[0], [45], [45], [80], [80], [120.0]])  # a new one after each that is reached
    states = {
        "object.orientation": wxyz(Rotation.from_euler("x", degrees, degrees=True)),
        "goal_object.orientation": wxyz(Rotation.from_euler("x", goal, degrees=True)),
    }
    # 40 of 45 degrees is 0.087 rad; the state at reset counts for nothing
    assert goals.score(episode(states)) == 2.0
    away = states | {"goal_object.orientation": wxyz(Rotation.from_euler("x", goal + 180, degrees=True))}
    assert goals.score(episode(away)) == 0.0


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_a_task_is_complete(task: Any) -> None:
    assert task.preset in TASK_CLASSES and task.instruction and task.control
    assert task.benchmark == f"IsaacGymEnvs {task.world.task}"
    assert len({metric.name for metric in task.metrics}) == len(task.metrics)
    fields = {path for metric in task.metrics for path in metric.fields}
    groups = {"joints" if path.startswith("joints.") else "actors" for path in fields}
    own = {tensor.field.path for tensor in task.world.tensors}
    assert all(group in task.world.state for group in groups - ({"actors"} if fields <= own else set()))
