"""Task cards: complete, true to the state schema, and played by the rules they state."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pointmass import pointmass_task

from reward_agent.config import RunConfig
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.mujoco import tasks
from reward_agent.envs.registry import find_task
from reward_agent.envs.registry import tasks as every_task
from reward_agent.errors import UsageError
from reward_agent.history import History
from reward_agent.methods import Ask
from reward_agent.optimise.presets import TASK_CLASSES
from reward_agent.scoring import roll_out
from reward_agent.task import Task, Termination

CARDS = tasks()
NATIVE_GOALS = {
    "Hopper-v5",
    "HalfCheetah-v5",
    "Walker2d-v5",
    "Ant-v5",
    "Humanoid-v5",
    "HumanoidStandup-v5",
    "Swimmer-v5",
    "Reacher-v5",
    "Pusher-v5",
    "InvertedPendulum-v5",
    "InvertedDoublePendulum-v5",
}
TEXT2REWARD = (
    "hopper-forward",
    "hopper-front-flip",
    "hopper-back-flip",
    "ant-forward",
    "ant-lie-down",
    "ant-wave-leg",
)
MEASURED = {name: task for name, task in CARDS.items() if task.metrics}
COMPARED = [task for task in every_task().values() if not task.metrics]
measured_card = pytest.mark.parametrize("task", MEASURED.values(), ids=lambda task: task.id.removeprefix("mujoco/"))


def env_of(task: Task) -> str:
    return str(vars(task.world)["env"])


def test_all_native_goals_and_text2rewards_behaviours_are_there() -> None:
    assert {f"mujoco/{name}" for name in TEXT2REWARD} <= CARDS.keys()
    native = [env_of(task) for task in MEASURED.values() if task.metrics[0].name == "native_return"]
    assert sorted(native) == sorted(NATIVE_GOALS)
    assert len(MEASURED) == len(NATIVE_GOALS) + 4  # two of the six behaviours are native goals


@pytest.mark.parametrize("task", COMPARED, ids=lambda task: task.id)
def test_a_card_without_a_metric_is_an_instruction_alone(task: Task) -> None:
    assert task.expert is None and task.graded is None and not task.benchmark
    assert len(task.instruction) > 40 and task.control
    assert task.preset in TASK_CLASSES and 100_000 <= task.budget <= 5_000_000
    assert 3.0 <= task.horizon * task.world.dt <= 20.0, "a clip that people look at"
    told = text2reward(task)
    assert task.instruction in told and task.control in told
    if isinstance(task.terminates, Termination):
        assert task.terminates.doc in told
    scores = roll_out(task, lambda seen: pytest.fail("played for no score"), range(2))
    assert scores == {}


def text2reward(task: Task) -> str:
    """The first prompt."""
    action = RunConfig(task.id, method="text2reward").make_method().next(task, History())
    assert isinstance(action, Ask)
    return "\n".join(message.text for message in action.prompts[0].messages)


def test_there_are_behaviours_to_compare_of_many_kinds() -> None:
    assert "mujoco/humanoid-jump" in {task.id for task in COMPARED}
    assert len(COMPARED) == 10 and len({env_of(task) for task in COMPARED if "env" in vars(task.world)}) == 6


def test_a_humanoid_that_falls_ends_its_jump_and_one_that_leaps_does_not() -> None:
    task = find_task("mujoco/humanoid-jump")
    assert isinstance(task.terminates, Termination)
    heights = np.array([[0.0, 0.0, 0.69], [0.0, 0.0, 0.71], [0.0, 0.0, 2.5]])
    state = SimpleNamespace(torso=SimpleNamespace(position=heights))
    assert task.terminates.ends(state).tolist() == [True, False, False]
    episodes = Episodes(task, 2, ("torso.position",))
    episodes.reset(np.ones(2, bool), np.arange(2))
    ended = next(at for at in range(task.horizon) if episodes.step(np.zeros((2, 17))).terminated.any())
    assert 20 < ended < 100
    episodes.close()


def test_what_icpl_was_published_on_has_metrics_to_stand_in_for_people() -> None:
    for name in (
        "mujoco/ant-forward",
        "mujoco/humanoid-walk",
        "mujoco/inverted-pendulum-balance",
        "robotics/hand-rotate-block",
        "isaac/shadow-hand",
    ):
        assert find_task(name).metrics, name


@measured_card
def test_a_card_is_complete(task: Task) -> None:
    schema = task_schema(task)
    assert task.expert is not None and task.expert.is_file()
    assert task.expert.stem == task.id.removeprefix("mujoco/").replace("-", "_")
    assert task.preset in TASK_CLASSES
    assert task.instruction and task.control
    assert 100_000 <= task.budget <= 5_000_000
    for metric in task.metrics:
        assert metric.doc
        assert set(metric.fields) <= schema.by_path.keys()
    if isinstance(task.terminates, Termination):
        assert set(task.terminates.fields) <= schema.by_path.keys()
    assert len({metric.name for metric in task.metrics}) == len(task.metrics)


@measured_card
def test_an_expert_is_a_program_of_documented_functions(task: Task) -> None:
    assert task.expert is not None
    tree = ast.parse(task.expert.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [argument.arg for argument in functions["compute_reward"].args.args] == ["state", "action", "next_state"]
    assert all(ast.get_docstring(function) for function in functions.values())
    assert all(isinstance(node, (ast.Import, ast.FunctionDef)) for node in tree.body)


@pytest.mark.parametrize(
    "name", ["hopper-front-flip", "ant-lie-down", "ant-wave-leg", "reacher-reach", "inverted-pendulum-balance"]
)
def test_a_random_policy_plays_and_does_not_succeed(name: str) -> None:
    task = find_task(f"mujoco/{name}")
    rng = np.random.default_rng(0)
    space = Episodes(task, 1, ()).action_space
    scores = roll_out(task, lambda seen: rng.uniform(space.low, space.high, (len(seen), *space.shape)), range(8))
    assert scores.keys() == {metric.name for metric in task.metrics}
    for metric in task.metrics:
        assert np.isfinite(scores[metric.name]).all()
        if metric.kind == "success":
            assert scores[metric.name].tolist() == [0.0] * 8


def test_doing_nothing_seldom_lies_down_in_time() -> None:
    scores = roll_out(find_task("mujoco/ant-lie-down"), lambda seen: np.zeros((len(seen), 8)), range(32))
    assert scores["success"].mean() <= 0.25


def test_spreading_the_legs_lies_down() -> None:
    task = find_task("mujoco/ant-lie-down")
    names = task_schema(task).action.names
    # front ankles' axes point the one way, back ankles' the other; each is driven to its stop nearest the body's plane
    spread = np.zeros(8)
    constants = task_schema(task).constants_view()
    for i, name in enumerate(names):
        if name.endswith("ankle"):
            spread[i] = -1.0 if constants.joint_low[i] > 0 else 1.0
    scores = roll_out(task, lambda seen: np.tile(spread, (len(seen), 1)), range(16))
    assert scores["success"].tolist() == [1.0] * 16


def test_the_hopper_falls_out_of_a_flip_episode_but_not_for_leaving_the_healthy_range() -> None:
    task = find_task("mujoco/hopper-front-flip")
    episodes = Episodes(task, 1, ("torso.position", "torso.contact", "thigh.contact", "leg.contact"))
    episodes.reset(np.ones(1, bool), np.zeros(1, np.int64))
    low = np.inf
    for _ in range(task.horizon):
        step = episodes.step(np.zeros((1, 3)))
        view = episodes.schema.view(step.states)
        low = min(low, float(view.torso.position[0, 2]))
        if step.terminated[0]:
            break
    assert step.terminated[0] and low < 0.7
    assert view.torso.contact[0] or view.thigh.contact[0] or view.leg.contact[0]


def test_cards_load_without_a_simulator() -> None:
    code = (
        "import sys; from reward_agent.envs.mujoco import tasks; assert len(tasks()) == 22; "
        "heavy = {'mujoco', 'mjbatch', 'torch', 'stable_baselines3'} & sys.modules.keys(); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_wrong_name_is_told_the_closest() -> None:
    with pytest.raises(UsageError, match="mujoco/hopper-back-flip"):
        find_task("mujoco/hopper-backflip")


def test_a_world_is_no_task() -> None:
    for world in ("quadruped", "mujoco"):
        with pytest.raises(
            UsageError, match=f"{world} is a world of .*`reward-agent tasks {world}` lists, as {world}/"
        ):
            find_task(world)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": -4}, "horizon=-4; it must be at least 1"),
        ({"budget": 0}, "budget=0; it must be at least 1"),
        ({"expert": Path("nowhere.py")}, "expert reward nowhere.py, which is no file"),
    ],
)
def test_a_card_that_cannot_be_meant_so_is_refused_at_once(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(pointmass_task(), **changes)


def test_the_part_after_the_world_names_a_task_too() -> None:
    assert find_task("hopper-forward").id == "mujoco/hopper-forward"
