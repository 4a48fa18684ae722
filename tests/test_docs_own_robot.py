"""The pages on robots of one's own and on policies that plan, followed: the file, its calls, a planned episode."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_docs import fences

from reward_agent.cli.conforming import examine
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.optimise.policy import load_policy
from reward_agent.parameters import Parameterised
from reward_agent.parameters.calls import read_calls
from reward_agent.parameters.compiling import compile_plan
from reward_agent.parameters.plan import gather
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.program import Program
from reward_agent.scoring import no_op, roll_out
from reward_agent.task import Task
from reward_agent.vet import vet

CALLS = "set_load(place=0.5, speed_limit=2)\nexecute_plan(plan_duration=3)\nset_load(speed_limit=None)"


@pytest.fixture
def task(repository: Path) -> Task:
    return find_task(str(repository / "examples/own_robot.py"))


def compiled(task: Task) -> Program:
    assert isinstance(task.world, Parameterised)
    api = task.world.reward_api()
    calls = read_calls(f"```python\n{CALLS}\n```", api)
    assert isinstance(calls, tuple), calls
    program = compile_plan(gather(calls, api), api)
    assert isinstance(program, Program), program
    return program


def run(folder: Path, repository: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(repository)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, input=said
    )


def test_the_page_holds_the_whole_file(repository: Path) -> None:
    blocks = fences((repository / "docs/own_robot.md").read_text(), "python")
    assert "\n\n".join(blocks) == (repository / "examples/own_robot.py").read_text()


def test_the_robot_conforms(repository: Path) -> None:
    found = examine(str(repository / "examples/own_robot.py"), every=False)
    assert found.exit_code == 0, found.text


def test_calls_become_a_program_that_is_fit_and_planned_on(task: Task) -> None:
    program = compiled(task)
    verdict = vet(program, task)
    assert verdict.ok, verdict.faults
    assert verdict.term_names == ("place", "speed_limit", "calm", "effort")
    policy = PlannedPolicy(program, PlannerSettings(samples=16, noise=1.0, late_noise=1.0, knots=8, threads=1), seed=0)
    (planned,) = roll_out(task, policy, [0])["delivered"]
    (idle,) = roll_out(task, no_op(task), [0])["delivered"]
    assert planned > 0.5 > idle


def test_a_conversation_leads_to_a_planned_look(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "own_robot.py").write_bytes((repository / "examples/own_robot.py").read_bytes())
    chat = ("-m", "reward_agent", "chat", "own_robot.py", "--method", "l2r", "--llm", "manual:asked")
    done = run(tmp_path, repository, *chat, "--set", "samples=8", "--set", "iterations=1", said="/go\n")
    for known, answer in {
        "{CHOICE: be anywhere; hang at a place}": "1. The load should hang at a place; 0.5 m along the rail.",
        "def set_load(place=None, speed_limit=None)": f"```python\n{CALLS}\n```",
    }.items():
        ((prompt, reply),) = re.findall(r"give (\S+) to a model .* answer as (\S+), then", done.stderr)
        assert known in Path(prompt).read_text()
        Path(reply).write_text(answer)
        done = run(tmp_path, repository, "-m", "reward_agent", "chat", "--resume", "last")
    assert done.returncode == 0, done.stderr
    assert "delivered" in done.stdout and "speed_limit" in done.stdout


def test_a_policy_that_plans_says_how_it_is_played(tmp_path: Path) -> None:
    PlannedPolicy(Program("def compute_reward(state, action, next_state): ..."), PlannerSettings(), 0).save(tmp_path)
    policy = load_policy(tmp_path)
    with pytest.raises(UsageError, match=r"copies of the running episodes.*scoring\.roll_out\(task, policy, seeds\)"):
        policy.act(np.zeros((1, 3)))


def test_the_pages_example_plays_a_planned_policy(repository: Path, tmp_path: Path) -> None:
    (block,) = [
        found
        for found in fences((repository / "docs/language_to_rewards.md").read_text(), "python")
        if found.startswith("# play_planned.py\n")
    ]
    asked = "episodes=1, "
    assert block.count(asked) == 1
    quicker = asked + 'budget=500, settings={"samples": 4, "iterations": 1, "seconds": 0.1}, '
    (tmp_path / "play_planned.py").write_text(block.replace(asked, quicker))
    done = run(tmp_path, repository, "play_planned.py")
    assert done.returncode == 0, done.stderr
    scores, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert re.match(r"\{'success': array\(\[.+, .+\]\)", scores), done.stdout
    assert last.startswith("0 (300, 12) ["), done.stdout
