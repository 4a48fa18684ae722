"""A task in a file of one's own: everywhere that the command line and trainings take it, and out again by export."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from own_envs import Machine, Nested, float_state

from reward_agent import Program, Task, evaluate
from reward_agent.envs.episodes import Episodes
from reward_agent.envs.registry import find_task
from reward_agent.envs.task_files import pack
from reward_agent.errors import UsageError
from reward_agent.export import export_reward
from reward_agent.sources.cell import CellSource
from reward_agent.trial import TrialSpec, reference
from reward_agent.workers import Job, Pool

HULL = '''
from own_envs import Float


class Hull(Float):
    """A float that knows its name."""
'''
TASK = '''
import numpy as np
from hull import Hull
from reward_agent import Task


def make():
    return Hull(current=0.2)


def state(env, observation):
    return {"hull.position": env.x, "hull.speed": env.v}


def middle(episode) -> float:
    """Minus the mean distance from the middle."""
    return float(-np.abs(episode.state.hull.position).mean())


task = Task.from_gymnasium(make, "stay in the middle", state=state, metric=middle, horizon=20, budget=600)
'''
REWARD = """
def compute_reward(state, action, next_state):
    near = -abs(next_state.hull.position)
    return near, {"near": near}
"""
SMALL = {"num_envs": 4, "rollout": 32, "batch_size": 64, "threads": 2}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A task's file, with the environment in a module beside it."""
    (tmp_path / "hull.py").write_text(HULL)
    (tmp_path / "mine.py").write_text(TASK)
    (tmp_path / "reward.py").write_text(REWARD)
    return tmp_path / "mine.py"


def make_it(task: Task, progress: Any, stop: Any) -> str:
    """A job: whose environments these are, where it runs."""
    episodes = Episodes(task, 4, ("hull.position",), threads=2)
    episodes.reset(np.ones(4, bool), np.arange(4))
    episodes.close()
    return f"{type(task.world.factory()).__name__} {os.getpid()}"  # type: ignore[attr-defined]


def test_a_file_is_checked_and_trained_on_by_the_command_line(file: Path) -> None:
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    program = [sys.executable, "-m", "reward_agent"]
    for command in (["check"], ["eval", "--budget", "300", "--episodes", "4", "--seeds", "1"]):
        done = subprocess.run(
            [*program, *command, "reward.py", "--task", "mine.py:task", "--json"],
            cwd=file.parent,
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["metrics"]) == {"middle"}


def test_what_a_file_defines_reaches_other_processes(file: Path) -> None:
    task = find_task(f"{file}:task")
    assert find_task(f"{file}:task") is task, "the same file is the same module"
    assert reference(task, str(file)) == str(file)
    with Pool[str](1) as pool:
        ((_, told),) = pool.run({"it": Job(make_it, task)})
    name, process = told.split()
    assert name == "Hull" and int(process) != os.getpid()
    file.write_text(TASK.replace("horizon=20", "horizon=7"))
    assert find_task(f"{file}:task").horizon == 7


def test_two_files_of_one_name_are_two(file: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "mine.py"
    other.write_text(TASK.replace("0.2", "0.3"))
    first, second = find_task(str(file)), find_task(str(other))
    assert (first.world.factory().current, second.world.factory().current) == (0.2, 0.3)  # type: ignore[attr-defined]
    assert len({pack(first), pack(second)}) == 2


def test_a_file_that_lacks_a_module_is_told_where_to_put_it(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import nowhere_to_be_found")
    with pytest.raises(UsageError, match="'nowhere_to_be_found', or put it beside the file"):
        find_task(str(tmp_path / "mine.py"))


def test_a_task_given_from_python_is_trained_in_other_processes(file: Path, tmp_path: Path) -> None:
    found = evaluate(
        Program(REWARD), find_task(str(file)), budget=300, episodes=3, settings=SMALL, folder=tmp_path / "kept"
    )
    assert found.ok and found.metrics["middle"].mean > found.floors["random"]["middle"].mean - 2
    assert TrialSpec(find_task(str(file)), Program(REWARD), 1, 0, tmp_path).task.id == "own/make"  # type: ignore[union-attr]


OF_FLOAT = """
def compute_reward(state, action, next_state):
    terms = {
        "near": -abs(next_state.float.motion[:, 0]) - abs(state.start.float.motion[:, 1]),
        "left": 0.1 * next_state.float.left,
        "effort": -(action**2).sum(-1) * constants.dt,
    }
    return sum(terms.values()), terms
"""
OF_MACHINE = """
def compute_reward(state, action, next_state):
    terms = {
        "lift": next_state.sites.tip.linear_velocity[:, 2] + next_state.ball.position[:, 2],
        "touch": 1.0 * next_state.ball.contact,
        "turn": next_state.joints.velocities.sum(-1) + next_state.base.angular_velocity[:, 1],
        "force": next_state.actuators.force.sum(-1),
    }
    return sum(terms.values()), terms
"""
OF_PARTS = """
def compute_reward(state, action, next_state):
    parts = next_state.observation
    terms = {"place": parts.body.place[:, 1, 0] + parts.pair.item_1, "late": -next_state.episode.time}
    return sum(terms.values()), terms
"""
OF_ROD = """
def compute_reward(state, action, next_state):
    terms = {"up": next_state.rod.x, "slow": -0.1 * next_state.rod.rate**2, "time": -next_state.episode.time}
    return sum(terms.values()), terms
"""


def still(episode: Any) -> float:
    return 0.0


def rewards_here(task: Task, program: Program, steps: int) -> list[float]:
    """Of an episode by random actions."""
    source = CellSource(program, task)
    episodes = Episodes(task, 1, source.fields)
    episodes.reset(np.ones(1, bool), np.array([5]))
    rng, before, rewards = np.random.default_rng(1), episodes.states.copy(), []
    for _ in range(steps):
        action = rng.uniform(-1, 1, (1, 1))
        after = episodes.step(action).states
        rewards.append(float(source(before[None], action[None], after[None], np.zeros((1, 1), bool)).total[0, 0]))
        before = after.copy()
    source.close()
    episodes.close()
    return rewards


def rewards_there(text: str, path: Path, given: tuple[Any, ...], steps: int) -> list[float]:
    """The same by the exported file."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    env = module.make_env(*given)
    env.reset(seed=5)
    rng = np.random.default_rng(1)
    return [float(env.step(rng.uniform(-1, 1, (1, 1))[0].astype(np.float32))[1]) for _ in range(steps)]


def test_an_exported_reward_reads_the_state_by_itself_or_by_the_tasks_function(tmp_path: Path) -> None:
    from own_envs import Float

    rod = partial(gymnasium.make, "Pendulum-v1", g=9.0)
    cases: list[tuple[Task, str, tuple[Any, ...]]] = [
        (
            Task.from_gymnasium(Float, "x", state=float_state, metric=still, horizon=30),
            OF_FLOAT,
            (Float(), float_state),
        ),
        (Task.from_gymnasium(Machine, "x", metric=still, horizon=30), OF_MACHINE, (Machine(),)),
        (Task.from_gymnasium(Nested, "x", metric=still, horizon=30), OF_PARTS, (Nested(),)),
        (Task.from_gymnasium(rod, "x", columns=("rod.x", "rod.y", "rod.rate"), metric=still), OF_ROD, ()),
    ]
    for number, (task, source, given) in enumerate(cases):
        program = Program(source)
        text = export_reward(task, program)
        assert "reward_agent" not in text
        there = rewards_there(text, tmp_path / f"exported_{number}.py", given, 25)
        np.testing.assert_allclose(there, rewards_here(task, program, 25), rtol=1e-6, atol=1e-9)
    assert "`state(env, observation)` is the task's own function `float_state`" in export_reward(
        cases[0][0], Program(OF_FLOAT)
    )
