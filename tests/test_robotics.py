"""Gymnasium-robotics: cards true to it; its criteria and dense rewards beside its own environments."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.envs.registration import find_highest_version

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.gymnasium.making import name_of
from reward_agent.envs.robotics import tasks
from reward_agent.envs.robotics.goals import REACHED
from reward_agent.envs.robotics.scenes import SCENES
from reward_agent.envs.robotics.world import VERSION, RoboticsWorld, robotics_world
from reward_agent.errors import UsageError
from reward_agent.optimise.presets import TASK_CLASSES
from reward_agent.program import Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.schema import Array
from reward_agent.scoring import no_op, play, roll_out
from reward_agent.static_check import check
from reward_agent.task import Episode, Task

pytestmark = pytest.mark.needs("robotics")

CARDS = tasks()
every_card = pytest.mark.parametrize("task", CARDS.values(), ids=lambda task: task.id.removeprefix("robotics/"))


def world_of(task: Task) -> RoboticsWorld:
    assert isinstance(task.world, RoboticsWorld)
    return task.world


def id_of(task: Task) -> str:
    return name_of(world_of(task).factory).partition(":")[2]


@cache
def native(name: str, *, dense: bool = False) -> Any:
    """Gymnasium-robotics' own environment without wrappers. Adroit's rewards are dense as they are."""
    family, _, version = name.rpartition("-")
    its = f"{family}Dense-{version}" if dense and not name.startswith("Adroit") else name
    return gymnasium.make(f"gymnasium_robotics:{its}", disable_env_checker=True).unwrapped


def trusted(task: Task) -> Any:
    """The expert's entry point, in process: it is ours."""
    assert task.expert is not None
    space: dict[str, Any] = {**HELPERS, "constants": task.world.schema().constants_view()}
    exec(task.expert.read_text(encoding="utf-8"), space)
    return space["compute_reward"]


def test_the_twelve_environments_have_one_card_each() -> None:
    assert sorted(map(id_of, CARDS.values())) == sorted(SCENES) and len(CARDS) == 12
    assert {task.benchmark for task in CARDS.values()} == {f"Gymnasium-Robotics {name}" for name in SCENES}
    assert {task.family for task in CARDS.values()} == {"", "fetch", "hand-rotate"}
    with pytest.raises(UsageError, match="Did you mean 'FetchPush-v4'"):
        robotics_world("FetchPush-v3")


@pytest.mark.parametrize("name", SCENES)
def test_there_is_no_newer_environment(name: str) -> None:
    family, _, version = name.rpartition("-v")
    importlib.import_module("gymnasium_robotics")
    assert find_highest_version(None, family) == int(version)


def test_the_package_is_left_as_it_is_and_what_it_says_is_shown() -> None:
    used = (
        "import copy, farama_notifications as f; before = copy.deepcopy(f.notifications); import numpy as np; "
        "from reward_agent.envs.robotics.world import robotics_world; world = robotics_world('AdroitHandDoor-v1'); "
        "batch = world.make(2, world.schema()); batch.reset(np.ones(2, bool), np.arange(2)); batch.close(); "
        "assert f.notifications == before and before['gymnasium_robotics']"
    )
    ours, theirs = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        for code in (used, "import gymnasium_robotics")
    )
    assert (ours.returncode, ours.stderr) == (0, theirs.stderr) and "AdroitHandDoor" in theirs.stderr


def test_the_exported_state_is_of_an_environment_made_by_its_id() -> None:
    text = world_of(CARDS["robotics/fetch-reach"]).standalone(["gripper.position"])
    assert "gymnasium.make('gymnasium_robotics:FetchReach-v4', max_episode_steps=HORIZON, **options)" in text
    assert "reward_agent" not in text


@every_card
def test_a_card_is_complete(task: Task) -> None:
    schema = task_schema(task)
    assert task.expert is not None and task.expert.stem == task.id.removeprefix("robotics/").replace("-", "_")
    assert task.preset in TASK_CLASSES and task.instruction and task.control
    assert task.horizon == world_of(task).limit
    assert [metric.kind for metric in task.metrics] == ["success", "fitness", "success"]
    for metric in task.metrics:
        assert metric.doc and set(metric.fields) <= schema.by_path.keys()
    assert [field.path for field in schema.fields if field.hidden] == [REACHED, f"start.{REACHED}"]
    assert "reached" not in task.world.schema().render()


@every_card
def test_an_expert_is_a_portable_program(task: Task) -> None:
    assert task.expert is not None
    source = task.expert.read_text(encoding="utf-8")
    report = check(Program(source), task_schema(task).visible())
    assert report.faults == () and report.portable, report
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert all(ast.get_docstring(function) for function in functions)


@every_card
def test_the_batch_is_its_own_environment_and_says_when_the_goal_is_there(task: Task) -> None:
    env, schema = native(id_of(task)), task.world.schema()
    episodes = Episodes(task, 1, schema.by_path)
    rng, seed = np.random.default_rng(3), 2**62 + 7
    seen, (theirs, _) = episodes.reset(np.ones(1, bool), np.array([seed])), env.reset(seed=seed)
    flags = []
    for _ in range(25):
        assert np.array_equal(seen[0], gymnasium.spaces.flatten(env.observation_space, theirs))
        action = rng.uniform(-1, 1, (1, schema.action.width))
        step, (theirs, _, _, _, info) = episodes.step(action), env.step(action[0].astype(np.float32))
        seen = step.observations
        flags.append(bool(info.get("is_success", info.get("success"))))
        assert bool(step.states[0, episodes.schema.columns[REACHED]][0]) == flags[-1]
    episodes.close()


# where the criterion holds: parts of the scene are put there
THERE: dict[str, Any] = {
    "AdroitHandDoor-v1": {"door_hinge": 1.45, "latch": 1.5},
    "AdroitHandHammer-v1": {"nail_dir": 0.09},
    "AdroitHandPen-v1": {},
    "AdroitHandRelocate-v1": {},
}


def put_there(env: Any, name: str) -> None:
    """Set a native environment so that its goal is met."""
    for joint, value in THERE[name].items():
        env.data.joint(joint).qpos = value
    if name == "AdroitHandPen-v1":
        env.model.body_quat[env.target_obj_body_id] = env.model.body_quat[env.obj_body_id]
    if name == "AdroitHandRelocate-v1":
        env.model.site_pos[env.target_obj_site_id] = env.data.xpos[env.obj_body_id] + [0.0, 0.0, 0.02]
    mujoco.mj_forward(env.model, env.data)


@pytest.mark.parametrize("name", THERE)
def test_adroits_criteria_hold_where_its_own_do(name: str) -> None:
    env, read = native(name), SCENES[name].reached
    env.reset(seed=1)
    put_there(env, name)
    told = []
    for _ in range(12):
        _, _, _, _, info = env.step(np.zeros(env.action_space.shape, np.float32))
        told.append(bool(info["success"]))
        assert read(env, None) == {REACHED: told[-1]}
    assert any(told)


def up_to_date(env: Any) -> Any:
    """Have the environment read kinematics of the state it is in; left alone they are a physics step old."""
    if hasattr(env, "do_simulation"):
        simulate = type(env).do_simulation

        def do_simulation(ctrl: Any, frames: int) -> None:
            simulate(env, ctrl, frames)
            mujoco.mj_kinematics(env.model, env.data)

        env.do_simulation = do_simulation
        return env
    called = type(env)._step_callback

    def step_callback(*given: Any) -> None:
        called(env, *given)
        mujoco.mj_kinematics(env.model, env.data)

    env._step_callback = step_callback
    return env


def transitions(task: Task, steps: int) -> Iterator[tuple[Array, float]]:
    """Our packed state after a step of the native environment, and its reward; from all over the state space."""
    env, schema = up_to_date(native(id_of(task), dense=True)), task.world.schema()
    read, rng = world_of(task).surveyed.source.bind(env, None), np.random.default_rng(0)
    for episode in range(4):
        observation, _ = env.reset(seed=episode)
        if episode >= 2:
            scatter(env, id_of(task), rng, met=episode == 3)
        for _ in range(steps):
            action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
            observation, reward, *_ = env.step(action)
            values = read(observation)
            yield np.concatenate([np.ravel(values[field.path]) for field in schema.fields]).astype(float), float(reward)


def scatter(env: Any, name: str, rng: Any, *, met: bool) -> None:
    """Things where random actions bring them seldom: in the air, half open, at their goal."""
    if name.startswith("Adroit"):
        if met:
            put_there(env, name)
        if not met and "Relocate" in name:
            env.model.site_pos[env.target_obj_site_id] = env.data.xpos[env.obj_body_id] + [0.07, 0.0, 0.0]
        for joint, value in {"OBJTz": 0.2, "door_hinge": 1.1, "nail_dir": 0.076}.items():
            if not met and mujoco.mj_name2id(env.model, mujoco.mjtObj.mjOBJ_JOINT, joint) >= 0:
                env.data.joint(joint).qpos = value
    elif name.startswith(("Fetch", "HandManipulate")) and name != "FetchReach-v4":
        joint = env.data.joint("object0:joint" if name.startswith("Fetch") else "object:joint")
        joint.qpos[2] += 0.1
        quaternion = rng.normal(size=4)
        joint.qpos[3:] = quaternion / np.linalg.norm(quaternion)
    mujoco.mj_forward(env.model, env.data)


@every_card
def test_an_expert_is_the_environments_own_dense_reward(task: Task) -> None:
    assert task.reward_version == f"Gymnasium-Robotics {VERSION}"
    schema = task.world.schema()
    states, rewards = (np.array(column) for column in zip(*transitions(task, 40), strict=True))
    program = trusted(task)
    view = schema.view(states)
    total, terms = program(view, np.zeros((len(states), schema.action.width)), view)
    np.testing.assert_allclose(total, rewards, rtol=1e-6, atol=1e-6)
    if "steps" in terms:  # bonuses of every height were met
        assert len(np.unique(terms["steps"])) >= 3


def test_the_version_that_cards_name_is_the_one_that_is_pinned_and_installed(repository: Path) -> None:
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras["robotics"] == [f"gymnasium-robotics=={VERSION}"] and version("gymnasium-robotics") == VERSION


@pytest.mark.parametrize("name", ["fetch-pick-and-place", "adroit-pen", "adroit-relocate"])
def test_left_alone_it_rewards_a_state_a_physics_step_old(name: str) -> None:
    task = CARDS[f"robotics/{name}"]
    env, schema = native.__wrapped__(id_of(task), dense=True), task.world.schema()
    read, rng = world_of(task).surveyed.source.bind(env, None), np.random.default_rng(0)
    env.reset(seed=0)
    program, apart = trusted(task), []
    for _ in range(30):
        observation, reward, *_ = env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))
        values = read(observation)
        view = schema.view(np.concatenate([np.ravel(values[f.path]) for f in schema.fields]).astype(float)[None])
        apart.append(abs(float(program(view, None, view)[0][0]) - float(reward)))
    env.close()
    assert 0 < max(apart) < 0.02


@pytest.mark.parametrize("name", ["fetch-pick-and-place", "hand-rotate-egg", "adroit-hammer"])
def test_the_witness_agrees_and_keeps_the_secrets(name: str) -> None:
    world = world_of(CARDS[f"robotics/{name}"])
    schema, witness, rng = world.schema(), world.witness(), np.random.default_rng(1)
    batch = world.make(1, schema)
    _, states = batch.reset(np.ones(1, bool), np.array([5]))
    told = witness.reset(5)
    assert told.keys() == schema.by_path.keys()
    for _ in range(15):
        for path, value in told.items():
            np.testing.assert_allclose(states[0, schema.columns[path]], np.ravel(value).astype(float), atol=1e-9)
        action = rng.uniform(-1, 1, schema.action.width)
        states, told = batch.step(action[None]).states, witness.step(action)
    flag = "info success" if name.startswith("adroit") else "info is_success"
    assert witness.secrets().keys() == {"native_reward", flag}
    witness.close()
    batch.close()


@pytest.mark.needs("rendering")
def test_a_film_can_be_made() -> None:
    world = world_of(CARDS["robotics/fetch-push"])
    batch, plain = world.make(1, world.schema()), world.make(1, world.schema())
    for each in (batch, plain):
        each.reset(np.ones(1, bool), np.array([5]))
        each.step(np.ones((1, 4)))
    image = batch.render(0)
    assert image.shape == (480, 480, 3) and len(np.unique(image.reshape(-1, 3), axis=0)) > 50
    after, theirs = batch.step(np.ones((1, 4))), plain.step(np.ones((1, 4)))
    np.testing.assert_allclose(after.states, theirs.states, atol=1e-9)
    batch.close()
    plain.close()


@pytest.mark.parametrize("name", ["fetch-push", "hand-reach", "hand-rotate-pen", "adroit-door"])
def test_doing_nothing_is_judged_and_does_not_succeed(name: str) -> None:
    task = CARDS[f"robotics/{name}"]
    scores = roll_out(task, no_op(task), range(3))
    assert all(np.isfinite(values).all() for values in scores.values())
    assert scores["success"].sum() <= 1 and (scores["success"] <= scores["success_once"]).all()


def test_metrics_say_what_they_say() -> None:
    task = CARDS["robotics/fetch-push"]
    kept: list[Any] = []
    fields = {path for metric in task.metrics for path in metric.fields}
    play(task, no_op(task), [4], fields, lambda _, episode: kept.append(episode))
    (episode,) = kept
    last = episode.state.object.position[-1] - episode.state.goal.position[-1]
    by_name = {metric.name: metric for metric in task.metrics}
    assert by_name["final_distance"].score(episode) == pytest.approx(-np.sqrt((last**2).sum()))
    held = CARDS["robotics/adroit-pen"].metrics[0]
    episode.state.goal.reached[:] = False
    episode.state.goal.reached[5:25] = True
    assert by_name["success"].score(episode) == 0.0 and by_name["success_once"].score(episode) == 1.0
    assert held.score(episode) == 0.0
    episode.state.goal.reached[25] = True
    assert held.score(episode) == 1.0
    episode.state.goal.reached[-1] = True
    assert by_name["success"].score(episode) == 1.0


def test_angles_left_are_those_of_the_environment() -> None:
    for name in ("hand-rotate-block", "hand-rotate-pen"):
        task = CARDS[f"robotics/{name}"]
        env = native(id_of(task))
        observation, _ = env.reset(seed=3)
        metric, schema = task.metrics[1], task.world.schema()
        values = world_of(task).surveyed.source.bind(env, None)(observation)
        state = schema.view(np.concatenate([np.ravel(values[f.path]) for f in schema.fields]).astype(float)[None])
        _, theirs = env._goal_distance(observation["achieved_goal"], observation["desired_goal"])
        ours = -metric.score(_episode(state))
        # theirs counts on past pi; for the pen it is the angle of the axes but for a second order
        assert ours == pytest.approx(min(theirs, 2 * np.pi - theirs), abs=0.35 if "pen" in name else 1e-9)


def _episode(state: Any) -> Any:
    return Episode(state, np.zeros((1, 1)), False, None, 0.04)  # type: ignore[arg-type]


def test_what_is_missing_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reward_agent.envs.robotics.world.PACKAGE", "no_such_simulator")
    task = CARDS["robotics/fetch-reach"]
    assert task.world.missing() == "gymnasium-robotics not installed: pip install gymnasium-robotics==1.4.2"


def test_cards_are_read_without_the_simulator(repository: Path) -> None:
    code = (
        "import sys; from reward_agent.envs.robotics import tasks; assert len(tasks()) == 12; "
        "heavy = {'mujoco', 'gymnasium_robotics', 'torch'} & sys.modules.keys(); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=repository)
    assert done.returncode == 0, done.stderr
