"""Metrics of ManiSkill's tasks: episodes that must pass, ones that must not, and a hand that does the task."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reward_agent.envs.episodes import Episodes
from reward_agent.envs.maniskill import tasks
from reward_agent.envs.maniskill.card import with_options
from reward_agent.envs.maniskill.metrics import angle_between, lifted
from reward_agent.schema import Array
from reward_agent.scoring import roll_out
from reward_agent.task import Episode, Metric, Task

CARDS = tasks()


def episode(constants: dict[str, Any] | None = None, **entities: dict[str, Any]) -> Episode:
    state = SimpleNamespace(**{name: SimpleNamespace(**fields) for name, fields in entities.items()})
    length = len(next(iter(vars(next(iter(vars(state).values()))).values())))
    return Episode(state, np.zeros((length - 1, 8)), False, SimpleNamespace(**(constants or {})), 0.05)


def metric(task: str, name: str) -> Metric:
    (found,) = [metric for metric in CARDS[f"maniskill/{task}"].metrics if metric.name == name]
    return found


def line(begin: Any, end: Any, states: int = 21) -> Array:
    share = np.minimum(np.linspace(0, 1.5, states), 1.0)[:, None]
    result: Array = np.asarray(begin, float) * (1 - share) + np.asarray(end, float) * share
    return result


@pytest.mark.parametrize(
    ("verdicts", "once", "at_end"),
    [([0, 0, 1, 0], 1.0, 0.0), ([0, 0, 0, 1], 1.0, 1.0), ([1, 0, 0, 0], 0.0, 0.0), ([0, 0, 0, 0], 0.0, 0.0)],
)
def test_success_is_after_an_action_and_at_the_end_is_at_the_end(
    verdicts: list[int], once: float, at_end: float
) -> None:
    seen = episode(evaluation={"success": np.array(verdicts, bool)})
    assert metric("pick-cube", "success").score(seen) == once
    assert metric("pick-cube", "success_at_end").score(seen) == at_end


def test_lifting_wants_the_height_and_an_arm_at_rest_at_one_instant() -> None:
    once, at_end = lifted(0.2, 0.2)
    constants = {"cube_half_size": (0.02, 0.02, 0.02), "table_top": 0.0}

    def scores(heights: list[float], speeds: list[float]) -> tuple[float, float]:
        position = np.stack([np.zeros(len(heights)), np.zeros(len(heights)), heights], axis=1)
        velocities = np.stack([np.zeros(len(speeds)), -np.asarray(speeds)], axis=1)
        seen = episode(constants, cube={"position": position}, joints={"velocities": velocities})
        return once.score(seen), at_end.score(seen)

    assert scores([0.02, 0.1, 0.221], [0, 1, 0.19]) == (1.0, 1.0)
    assert scores([0.02, 0.221, 0.1], [0, 0.1, 0.1]) == (1.0, 0.0)
    assert scores([0.02, 0.221, 0.221], [0, 0.3, 0.21]) == (0.0, 0.0)
    assert scores([0.02, 0.219, 0.219], [0, 0, 0]) == (0.0, 0.0)
    assert scores([0.3, 0.1, 0.02], [0, 0, 0]) == (0.0, 0.0), "what it begins with is no merit"


def test_progress_is_what_of_the_way_is_gone() -> None:
    progress = metric("pick-cube", "progress")
    goal, cube, away = (0.0, 0.0, 0.3), (0.0, 0.0, 0.02), (0.0, 0.2, 0.02)

    def score(hand: Array, thing: Array) -> float:
        seen = episode(
            gripper={"position": hand}, cube={"position": thing}, goal={"position": np.tile(goal, (len(hand), 1))}
        )
        return progress.score(seen)

    stays, still = np.tile(cube, (21, 1)), np.tile(away, (21, 1))
    assert score(still, stays) == 0.0
    assert score(line(away, cube), stays) == pytest.approx(0.25)
    assert score(np.concatenate([line(away, cube), line(cube, away)]), np.tile(cube, (42, 1))) == pytest.approx(0.25)
    half = line(cube, (0.0, 0.0, 0.16))
    assert score(line(away, half[-1]), half) == pytest.approx(0.25 + 0.75 * 0.5, abs=1e-9)
    assert score(line(away, goal), line(cube, goal)) == pytest.approx(1.0)
    dropped = np.concatenate([line(cube, goal), stays])
    assert score(np.tile(away, (42, 1)), dropped) < 0.2, "where it ends counts, not where it was"
    assert score(still, line(cube, (0.0, 0.0, -0.5))) == 0.0, "further off is not less than nothing"


def test_other_distances_are_the_tasks_own() -> None:
    far, at = np.tile((0.0, 0.0, 1.0), (20, 1)), np.zeros((20, 3))
    slides = {
        "cube": {"position": line((0, 0, 0.02), (0.2, 0, 0.5), 20)},
        "goal": {"position": at + np.array([0.2, 0, 0])},
    }
    assert metric("push-cube", "progress").score(episode(gripper={"position": far}, **slides)) > 0.74, (
        "height is not in it"
    )
    upright = line((1, 0, 0, 0), (0.5**0.5, 0, -(0.5**0.5), 0), 20)
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    peg = {"position": at, "orientation": upright}
    assert metric("lift-peg-upright", "progress").score(episode(gripper={"position": far}, peg=peg)) > 0.74
    rolled = {"position": at, "orientation": np.tile((0.5**0.5, 0.5**0.5, 0, 0), (20, 1))}
    assert metric("lift-peg-upright", "progress").score(episode(gripper={"position": far}, peg=rolled)) == 0.0
    quarter = angle_between(np.array([1.0, 0, 0, 0]), np.array([0.5**0.5, 0, 0, -(0.5**0.5)]))
    assert float(quarter) == pytest.approx(np.pi / 2)
    assert float(angle_between(np.array([1.0, 0, 0, 0]), np.array([-1.0, 0, 0, 0]))) == 0.0
    covered = episode(evaluation={"coverage": np.array([1.0, 1.0, 0.1, 0.2, 0.3, 0.4, 0.5])})
    assert metric("push-t", "coverage").score(covered) == pytest.approx(0.3)


def by_hand(task: Task, seed: int, lift: bool) -> tuple[list[Array], Task]:
    """Actions that pick the cube up and carry it to the goal, or straight up, found in a run beside."""
    moved = with_options(task, control_mode="pd_ee_delta_pos", horizon=60)
    wanted = ("gripper.position", "cube.position", "gripper.grasps_cube", *(() if lift else ("goal.position",)))
    episodes, played = Episodes(moved, 1, wanted), []
    episodes.reset(np.ones(1, bool), np.array([seed]))
    while len(played) < moved.horizon:
        now = episodes.schema.view(episodes.states)
        hand, cube = now.gripper.position[0], now.cube.position[0]
        target, fingers = cube, 1.0
        if np.linalg.norm((hand - cube)[:2]) > 0.01 and not now.gripper.grasps_cube[0]:
            target = cube + np.array([0, 0, 0.06])
        elif np.linalg.norm(hand - cube) < 0.01 or now.gripper.grasps_cube[0]:
            fingers = -1.0
        if now.gripper.grasps_cube[0]:
            place = np.array([cube[0], cube[1], 0.235]) if lift else now.goal.position[0]
            target = hand + place - cube
        step = np.clip((target - hand) / 0.1, -1, 1)
        played.append(np.array([*step, fingers]))
        episodes.step(played[-1][None])
    episodes.close()
    return played, moved


@pytest.mark.needs("vulkan")
@pytest.mark.parametrize("name", ["pick-cube", "lift-cube"])
def test_a_hand_that_does_the_task_succeeds_and_one_that_does_nothing_does_not(name: str) -> None:
    played, task = by_hand(CARDS[f"maniskill/{name}"], 1, lift=name == "lift-cube")
    waiting = iter(played)
    scores = roll_out(task, lambda seen: next(waiting)[None], [1])
    assert scores["success"].tolist() == scores["success_at_end"].tolist() == [1.0]
    assert scores["progress"][0] > 0.9
    idle = roll_out(task, lambda seen: np.zeros((len(seen), 4)), [1])
    assert idle["success"].tolist() == [0.0] and idle["progress"][0] < 0.3


@pytest.mark.needs("vulkan")
def test_maniskill_itself_says_that_the_hand_succeeds() -> None:
    played, task = by_hand(CARDS["maniskill/pick-cube"], 1, lift=False)
    witness = task.world.witness()  # type: ignore[attr-defined]
    witness.reset(1)
    told = []
    for action in played:
        values = witness.step(action)
        told.append(witness.secrets()["success"])
    assert told[-1] == 1.0 and values["gripper.grasps_cube"] == 1.0
    assert witness.secrets()["native_reward"] == 5.0
    witness.close()
