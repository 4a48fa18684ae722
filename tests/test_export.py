"""An exported reward gives, without this package, the numbers it was trained on."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pointmass
import pytest

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.export import Provenance, export_reward, export_run
from reward_agent.history import Interval
from reward_agent.optimise.normalise import Normalise
from reward_agent.optimise.policy import Policy, load_policy
from reward_agent.optimise.ppo import PPOLearner, PPOSettings, make
from reward_agent.optimise.sb3 import TaskVecEnv
from reward_agent.program import Program, program_in
from reward_agent.sources.cell import CellSource
from reward_agent.task import Task

ALL_KINDS = """
import numpy as np

def compute_reward(state, action, next_state):
    terms = {
        "place": next_state.torso.position[:, 2] - start_height(state),
        "motion": next_state.torso.linear_velocity[:, 0] + 0.1 * next_state.torso.angular_velocity[:, 1],
        "tilt": pitch(next_state.torso.orientation) + norm(next_state.center_of_mass.velocity),
        "foot": FOOT_SUM,
        "joints": next_state.joints.angles.sum(-1) + state.joints.velocities.sum(-1),
        "force": 1e-3 * next_state.actuators.force.sum(-1),
        "smooth": -((action - state.episode.previous_action) ** 2).sum(-1),
        "time": next_state.episode.time * constants.dt,
    }
    return sum(terms.values()), terms

def start_height(state):
    return state.start.torso.position[:, 2]
"""
FIXED = """
def compute_reward(state, action, next_state):
    up = next_state.torso.position[:, 2]
    return up, {"up": up}
"""
FEET = {
    "mujoco/hopper-forward": ("foot",),
    "mujoco/ant-forward": ("front_left_foot", "back_right_foot"),
    "mujoco/humanoid-walk": ("left_foot", "head"),
}

RUN = """
import json, sys
sys.modules["reward_agent"] = None  # importing it would fail
sys.path.insert(0, sys.argv[1])
import exported
import numpy as np
env = exported.make_env()
env.reset(seed=5)
actions = np.random.default_rng(1)
rows = []
for _ in range(40):
    action = actions.uniform(env.action_space.low, env.action_space.high)
    _, reward, terminated, truncated, info = env.step(action)
    rows.append([reward, *info["reward_terms"].values(), terminated])
print(json.dumps(rows))
"""


def program(feet: tuple[str, ...]) -> Program:
    terms = []
    for foot in feet:
        terms.append(f"next_state.{foot}.position[:, 2] + 0.1 * next_state.{foot}.linear_velocity[:, 0]")
        terms.append(f"next_state.{foot}.contact")
        if foot != "head":
            terms.append(f"next_state.{foot}.air_time")
    return Program(ALL_KINDS.replace("FOOT_SUM", " + ".join(terms)))


def ours(task: Task, program: Program, steps: int) -> list[list[float]]:
    """Rewards and terms of the same episode by the package."""
    source = CellSource(program, task)
    schema = task_schema(task)
    columns = np.concatenate([np.arange(c.start, c.stop) for p, c in schema.columns.items() if p in source.fields])
    episodes = Episodes(task, 1, schema.by_path)
    episodes.reset(np.ones(1, bool), np.array([5]))
    actions = np.random.default_rng(1)
    rows, before = [], episodes.states.copy()
    for _ in range(steps):
        action = actions.uniform(episodes.action_space.low, episodes.action_space.high)[None]
        step = episodes.step(action)
        reward = source(before[None, :, columns], action[None], step.states[None, :, columns], np.zeros((1, 1), bool))
        rows.append([float(reward.total[0, 0]), *reward.terms[0, 0].tolist(), bool(step.terminated[0])])
        before = step.states.copy()
    source.close()
    episodes.close()
    return rows


@pytest.mark.parametrize("name", FEET)
def test_the_wrapper_gives_the_same_rewards_without_the_package(name: str, tmp_path: Path) -> None:
    task = replace(find_task(name), terminates="native")
    chosen = program(FEET[name])
    (tmp_path / "exported.py").write_text(export_reward(task, chosen))
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), ours(task, chosen, 40), rtol=1e-6, atol=1e-8)


def test_a_task_that_never_ends_early_does_not_in_the_wrapper(tmp_path: Path) -> None:
    task = replace(find_task("mujoco/hopper-forward"), terminates="never", horizon=30)
    (tmp_path / "exported.py").write_text(export_reward(task, program(("foot",))))
    code = RUN.replace("range(40)", "range(30)").replace("terminated])", "terminated, truncated])")
    rows = json.loads(subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True).stdout)
    assert [row[-2] for row in rows] == [False] * 30
    assert [row[-1] for row in rows] == [False] * 29 + [True]


@pytest.mark.parametrize("reads_time", [True, False])
def test_a_saved_policy_acts_in_the_exported_environment(reads_time: bool, tmp_path: Path) -> None:
    """As it does in the package's own episodes: same observations, same actions, to the horizon."""
    task = replace(find_task("mujoco/hopper-forward"), terminates="never", horizon=30)
    source = program(("foot",)).source if reads_time else FIXED
    (tmp_path / "exported.py").write_text(export_reward(task, Program(source)))
    untrained(task, Program(source)).save(tmp_path / "policy")
    policy = load_policy(tmp_path / "policy")
    assert policy.observe_time == reads_time

    exported = import_file(tmp_path / "exported.py")
    assert ("appends to observations the share of" in " ".join(exported.__doc__.split())) == reads_time
    env = exported.make_env()
    episodes = Episodes(task, 1, (), observe_time=policy.observe_time)
    theirs, mine = env.reset(seed=5)[0], episodes.reset(np.ones(1, bool), np.array([5]))
    for step in range(30):
        assert theirs in env.observation_space and theirs.shape == (policy.observation_size,)
        np.testing.assert_allclose(theirs, mine[0], rtol=1e-6, atol=1e-8)
        assert not reads_time or theirs[-1] == pytest.approx(step / 30)
        action = policy.act(theirs[None])
        theirs, _, terminated, truncated, _ = env.step(action[0])
        mine = episodes.step(action).observations
    assert truncated and not terminated
    np.testing.assert_allclose(theirs, mine[0], rtol=1e-6, atol=1e-8)
    assert not reads_time or theirs[-1] == 1.0
    env.close()
    episodes.close()


def untrained(task: Task, program: Program) -> Policy:
    """The policy that a training on the program begins with."""
    source = CellSource(program, task)
    env = Normalise(TaskVecEnv(task, source, 2, seed=0, owns_source=True))
    model = make(env, PPOSettings(num_envs=2, rollout=8, batch_size=16), seed=0)
    policy = PPOLearner(model).policy(env, env.venv.observe_time)
    env.close()
    return policy


def import_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_renamed_fields_are_read_by_their_own_names(tmp_path: Path) -> None:
    base = find_task("mujoco/hopper-forward")
    renamed = replace(base, rename={"torso": "body"}, hide=("leg",))
    source = (
        "def compute_reward(state, action, next_state):\n"
        "    up = next_state.body.position[:, 2]\n    return up, {'up': up}\n"
    )
    (tmp_path / "exported.py").write_text(export_reward(renamed, Program(source)))
    rows = json.loads(subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], capture_output=True).stdout)
    assert rows[0][0] == pytest.approx(ours(renamed, Program(source), 1)[0][0])


def test_the_header_says_where_it_comes_from() -> None:
    origin = Provenance("run-1", "eureka", 'a "model"', {"success": Interval(0.5, 0.25, 0.75)}, 3, 1, 1000, True)
    task = replace(pointmass.task, instruction='say """ and \\N{nothing}')
    text = export_reward(task, Program(pointmass.EXPERT), origin)
    namespace: dict[str, object] = {}
    exec(compile(text, "exported.py", "exec"), namespace)
    doc = str(namespace["__doc__"])
    assert (
        "run-1" in doc and "0.25 to 0.75" in doc and "3 trainings" in doc and "(1 failed" in doc and "--unsafe" in doc
    )
    assert Program(pointmass.EXPERT).id in doc and "RewardWrapper(env" in doc


def test_only_used_helpers_go_along_and_ones_own_stay() -> None:
    source = (
        "def norm(x):\n    return x * 0\n\n"
        "def compute_reward(state, action, next_state):\n"
        "    near = gaussian(norm(next_state.point.position))\n    return near, {'near': near}\n"
    )
    text = export_reward(pointmass.task, Program(source))
    assert text.count("def norm(") == 1 and "def gaussian(" in text and "def rotate(" not in text


def test_contact_forces_are_the_environments_own(tmp_path: Path) -> None:
    world = MujocoWorld("Ant-v5", contact_forces=True)
    task = replace(find_task("mujoco/ant-forward"), world=world, terminates="native")
    source = (
        "import numpy as np\n\ndef compute_reward(state, action, next_state):\n"
        "    hit = np.abs(next_state.contact_forces.raw).sum((1, 2))\n    return hit, {'hit': hit}\n"
    )
    (tmp_path / "exported.py").write_text(export_reward(task, Program(source)))
    rows = json.loads(subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], capture_output=True).stdout)
    np.testing.assert_allclose(rows, ours(task, Program(source), 40), rtol=1e-6, atol=1e-8)
    assert max(row[0] for row in rows) > 1


def test_a_run_without_a_result_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run"):
        export_run(tmp_path, tmp_path / "reward.py")


def test_an_exported_file_is_read_back_as_the_program_in_it() -> None:
    task = find_task("mujoco/hopper-forward")
    assert task.expert is not None
    program = Program(task.expert.read_text())
    back = program_in(export_reward(task, program))
    assert isinstance(back, Program) and back.source.strip() == program.source.strip()
    assert back.id == program.id
