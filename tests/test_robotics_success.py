"""Gymnasium-robotics' goals and successes beside its own, in episodes that meet the goal, miss it, and pass it by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from reward_agent.envs.episodes import Episodes
from reward_agent.envs.gymnasium.making import name_of
from reward_agent.envs.robotics import tasks
from reward_agent.envs.robotics.goals import REACHED
from reward_agent.envs.robotics.world import RoboticsWorld
from reward_agent.schema import Array
from reward_agent.task import Episode, Task

pytestmark = pytest.mark.needs("robotics")

CARDS = tasks()
KINDS = ("met", "missed", "passed by", "at last")
TIPS = ("first_fingertip", "middle_fingertip", "ring_fingertip", "little_fingertip", "thumb_tip")


def nearness(kind: str, share: float) -> float:
    """From 0 (far) to 1 (there), after a share of the episode; `at last` is there in its last step alone."""
    match kind:
        case "met":
            return min(1.0, 2.0 * share)
        case "passed by":
            return 1.0 if 0.3 <= share < 0.38 else 0.0
        case "at last":
            return 1.0 if share >= 0.995 else 0.0
    return 0.0


def bring(env: Any, name: str, near: float) -> None:
    """Put a native environment as far from its goal as `near` says; the criterion's bound lies between 0 and 1."""
    far = 1.0 - near
    mujoco.mj_kinematics(env.model, env.data)
    if name == "FetchReach-v4":
        return
    if name.startswith("Fetch"):
        joint = env.data.joint("object0:joint")
        joint.qpos[:3], joint.qvel[:] = env.goal + np.array([0.12 * far, 0.0, 0.0]), 0.0
    elif name == "HandReach-v3":
        env.goal = env._get_obs()["achieved_goal"] + 0.03 * far / np.sqrt(15)
    elif name.startswith("Hand"):
        now = env._get_obs()["achieved_goal"]
        env.goal = np.concatenate([env.goal[:3], turned(now[3:], [1.0, 0.0, 0.0], 0.3 * far)])
    elif name == "AdroitHandPen-v1":
        pen = env.model.body_quat[env.obj_body_id]
        env.model.body_quat[env.target_obj_body_id] = turned(pen, [1.0, 0.0, 0.0], far)
        env.data.qpos[-6:], env.data.qvel[-6:] = 0.0, 0.0  # the pen's own, which would drop
    elif name == "AdroitHandRelocate-v1":
        env.model.site_pos[env.target_obj_site_id] = env.data.xpos[env.obj_body_id] + [0.0, 0.0, 0.02 + 0.2 * far]
    else:
        values = {"door_hinge": 1.45 - 0.3 * far, "latch": 1.5} if "Door" in name else {"nail_dir": 0.09 - 0.03 * far}
        for joint, value in values.items():
            env.data.joint(joint).qpos, env.data.joint(joint).qvel = value, 0.0
    mujoco.mj_forward(env.model, env.data)


def turned(quaternion: Any, axis: list[float], angle: float) -> Array:
    """A quaternion wxyz, turned further by an angle [rad] about an axis."""
    found, turn = np.empty(4), np.empty(4)
    mujoco.mju_axisAngle2Quat(turn, np.array(axis), angle)
    mujoco.mju_mulQuat(found, np.array(quaternion, float), turn)
    return found


def action_of(env: Any, name: str, kind: str, share: float) -> Array:
    """None, but for the arm alone: it drives to its goal, away from it, or to it and away again."""
    action = np.zeros(env.action_space.shape)
    if name == "FetchReach-v4":
        seen = env._get_obs()
        away = kind == "missed" or (kind == "passed by" and share > 0.6) or (kind == "at last" and share < 0.3)
        way = seen["desired_goal"] - seen["achieved_goal"]
        action[:3] = np.clip(-10.0 * way if away else 10.0 * way, -1.0, 1.0)
    return action


@dataclass(frozen=True)
class Played:
    """An episode through our world, and what the environment itself said of it."""

    episode: Episode
    desired: Array
    """`(T+1, …)`: `desired_goal`, or for Adroit the place of its target."""
    said: Array
    """`(T,)`: success by `info`."""
    rewarded: Array
    """`(T,)`: success by the sparse reward, of the goal environments by `compute_reward`."""


def play(task: Task, kind: str, seed: int) -> Played:
    """The same seed, actions and interventions in our world and in a native environment beside it."""
    assert isinstance(task.world, RoboticsWorld)
    name = name_of(task.world.factory).partition(":")[2]
    made: list[Any] = []

    def make() -> Any:
        made.append(gymnasium.make(f"gymnasium_robotics:{name}", disable_env_checker=True))
        return made[-1]

    task = replace(task, world=replace(task.world, factory=make))
    episodes = Episodes(task, 1, task.world.schema().by_path)
    family, _, version = name.rpartition("-")
    sparse = f"{family}Sparse-{version}" if name.startswith("Adroit") else name
    theirs = gymnasium.make(f"gymnasium_robotics:{sparse}", disable_env_checker=True).unwrapped
    ours = made[-1].unwrapped
    seen, _ = theirs.reset(seed=seed)
    episodes.reset(np.ones(1, bool), np.array([seed]))
    states, desired = [episodes.states[0].copy()], [goal_of(theirs, name, seen)]
    actions, said, rewarded = [], [], []
    for step in range(task.horizon):
        share = (step + 1) / task.horizon
        for env in (ours, theirs):
            bring(env, name, nearness(kind, share))
        action = action_of(theirs, name, kind, share)
        after = episodes.step(action[None])
        seen, reward, _, _, info = theirs.step(action.astype(np.float32))
        if name.startswith("Adroit"):
            rewarded.append(reward == 10.0)
            said.append(bool(info["success"]))
        else:
            rewarded.append(theirs.compute_reward(seen["achieved_goal"], seen["desired_goal"], info) == 0.0)
            said.append(bool(info["is_success"]))
        states.append(after.states[0].copy())
        desired.append(goal_of(theirs, name, seen))
        actions.append(action)
    schema = episodes.schema
    episodes.close()
    theirs.close()
    episode = Episode(schema.view(np.array(states)), np.array(actions), False, schema.constants_view(), task.world.dt)
    return Played(episode, np.array(desired), np.array(said), np.array(rewarded))


def goal_of(env: Any, name: str, seen: Any) -> Array:
    """The goal as the environment has it, copied."""
    if not name.startswith("Adroit"):
        desired = np.array(seen["desired_goal"])
        return desired[3:] if name.startswith("HandManipulate") else desired
    sites = {"Hammer": "goal_site_id", "Pen": "tar_t_site_id", "Relocate": "target_obj_site_id"}
    for part, site in sites.items():
        if part in name:
            mujoco.mj_kinematics(env.model, env.data)
            return env.data.site_xpos[getattr(env, site)].copy()
    return np.zeros(0)


def goal_fields(name: str, state: Any) -> Array:
    """Ours, `(T+1, …)`."""
    if name == "hand-reach":
        return np.concatenate([getattr(state.goal, tip) for tip in TIPS], axis=1)
    if name.startswith(("fetch", "hand")):
        return state.goal.position if name.startswith("fetch") else state.goal.orientation
    entities = {"adroit-hammer": "nail_goal", "adroit-pen": "target_top", "adroit-relocate": "target"}
    return getattr(state, entities[name]).position if name in entities else np.zeros((len(state.goal.reached), 0))


def episodes_of(task: Task) -> Iterator[tuple[str, Played]]:
    for kind in KINDS:
        yield kind, play(task, kind, seed=7)


@pytest.mark.parametrize("task", CARDS.values(), ids=lambda task: task.id.removeprefix("robotics/"))
def test_goals_and_success_are_its_own_where_they_are_met_and_where_they_are_not(task: Task) -> None:
    name = task.id.removeprefix("robotics/")
    by_name = {metric.name: metric for metric in task.metrics}
    flags, judged = set(), {}
    for kind, played in episodes_of(task):
        reached = played.episode.state.goal.reached[1:].astype(bool)
        np.testing.assert_array_equal(reached, played.said, err_msg=f"{kind}: {REACHED} is not what `info` says")
        np.testing.assert_array_equal(reached, played.rewarded, err_msg=f"{kind}: nor what the sparse reward says")
        np.testing.assert_allclose(goal_fields(name, played.episode.state), played.desired, atol=1e-9, err_msg=kind)
        flags |= set(played.said.tolist())
        at_end = played.said.sum() > (20 if "pen" in name else 25) if "adroit" in name else played.said[-1]
        judged[kind] = by_name["success"].score(played.episode), by_name["success_once"].score(played.episode)
        assert judged[kind] == (float(at_end), float(played.said.any()))
    # a test that never sees a success, or never a failure, says nothing
    assert flags == {True, False}
    last = (0.0, 1.0) if "adroit" in name else (1.0, 1.0)
    assert judged == {"met": (1.0, 1.0), "missed": (0.0, 0.0), "passed by": (0.0, 1.0), "at last": last}
