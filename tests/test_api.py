"""The package from Python: names, checking, evaluating and training on a reward without any model; the examples run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs

import reward_agent
from reward_agent import Program, as_vec_env, check, evaluate, find_task, load_policy, resume, synthesize
from reward_agent.cli import main
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.events import Evaluated, Event
from reward_agent.export import export_run
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault
from reward_agent.scoring import SeedPlan

FAST = {"settings": runs.SETTINGS, "budget": 2_048}
EXPERT = Program(pointmass.EXPERT)


def test_names_are_found_lazily_and_only_public_ones() -> None:
    code = (
        "import pkgutil, sys, reward_agent\n"
        "assert 'numpy' not in sys.modules and 'reward_agent.api' not in sys.modules\n"
        "modules = {module.name for module in pkgutil.iter_modules(reward_agent.__path__)}\n"
        "print(sorted(modules & set(reward_agent.__all__)))\n"
        "assert all(getattr(reward_agent, name) is not None for name in reward_agent.__all__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr or "a name is a function and a module"
    assert set(reward_agent.__all__) <= set(dir(reward_agent))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reward_agent.nothing
    assert find_task("mujoco/hopper-forward").id == "mujoco/hopper-forward"


def test_the_list_of_names_is_that_of_the_api() -> None:
    from reward_agent import api

    assert sorted(reward_agent.__all__) == sorted(api.__all__)


def test_check_tells_stage_and_line(tmp_path: Path) -> None:
    assert check(EXPERT, runs.TASK).ok
    path = tmp_path / "reward.py"
    path.write_text(runs.BROKEN)
    verdict = check(path, pointmass.task)
    assert not verdict.ok and (verdict.faults[0].stage, verdict.faults[0].line) == ("check", 2)
    path.write_text(f"As asked:\n```python\n{runs.GOOD}\n```\n")
    assert check(path, runs.TASK).ok, "a model's answer will do"
    with pytest.raises(UsageError, match="cannot be read"):
        check(tmp_path / "none.py", runs.TASK)


def test_evaluate_trains_and_scores(tmp_path: Path) -> None:
    told: list[Event] = []
    found = evaluate(EXPERT, runs.TASK, seeds=2, episodes=10, folder=tmp_path, events=told.append, **FAST)
    assert found.ok and len(found.outcomes) == len(found.policies) == len(set(found.seeds)) == 2
    closeness = found.metrics["closeness"]
    assert (
        found.floors["no-op"]["closeness"].mean < closeness.mean and closeness.low <= closeness.mean <= closeness.high
    )
    assert load_policy(found.policies[0]).action_size == 1
    assert sum(isinstance(event, Evaluated) for event in told) == 2 and found.real_time_factors == ()
    facts = json.loads((found.policies[0] / "eval.json").read_text())
    assert facts["training_seed"] == found.seeds[0] != SeedPlan.final_seed(0, 0)
    assert not set(facts["report_seeds"]) & set(SeedPlan.report_seeds(0, 50).tolist()), "tuned on what a run quotes"
    assert evaluate(EXPERT, runs.TASK, seeds=2, episodes=10, folder=tmp_path, **FAST).metrics == found.metrics


def test_another_evaluation_of_the_same_reward_leaves_the_first_alone(tmp_path: Path) -> None:
    task = tmp_path / "farther.py"
    task.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})\nfrom dataclasses import replace\n"
        "from pointmass import pointmass_task\ntask = replace(pointmass_task(), id='pointmass/farther')\n"
    )
    given = {"episodes": 2, "folder": tmp_path / "kept", "settings": runs.SETTINGS}

    def folder(name: str, budget: int, **more: int) -> Path:
        (kept,) = evaluate(EXPERT, name, budget=budget, **given, **more).policies
        return kept

    first = folder(runs.TASK, 512)
    before = (first / "eval.json").read_bytes()
    others = {folder(runs.TASK, 1_024), folder(f"{task}:task", 512), folder(runs.TASK, 512, seed=1)}
    assert len(others | {first}) == 4
    assert (first / "eval.json").read_bytes() == before
    assert first.parent.name.startswith(f"pointmass-512-{EXPERT.id[:12]}-")
    assert folder(runs.TASK, 512) == first and (first / "eval.json").read_bytes() == before


def test_a_task_that_is_an_object_will_do() -> None:
    # its parts are at a module's top level, so that other processes can import them
    found = evaluate(EXPERT, pointmass.pointmass_task(), episodes=5, settings=runs.SETTINGS, budget=512)
    assert found.ok and found.policies == ()


def test_an_unfit_reward_costs_no_training() -> None:
    found = evaluate(Program(runs.BROKEN), runs.TASK, **FAST)
    assert not found.ok and found.outcomes == () and found.metrics == {}
    assert found.verdict.faults[0].line == 2


def test_a_reward_that_fails_while_training_is_told() -> None:
    # later in an episode than the probe looks
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    found = evaluate(Program(late), runs.TASK, **FAST)
    (outcome,) = found.outcomes
    assert isinstance(outcome, Fault) and outcome.stage == "optimise" and not found.ok


def test_a_vec_env_for_ones_own_trainer() -> None:
    env = as_vec_env(runs.TASK, EXPERT, num_envs=4, seed=3)
    assert env.reset().shape == (4, 3)
    position = env.reset()[:, 0]
    observations, rewards, dones, _ = env.step(np.ones((4, 1)))
    expected = np.exp(-2 * np.abs(observations[:, 0] - observations[:, 2])) - 0.01
    np.testing.assert_allclose(rewards, expected, rtol=1e-5)
    assert (observations[:, 0] > position).all() and not dones.any()
    env.close()
    with pytest.raises(RewardAgentError, match=r"line 2.*nearness"):
        as_vec_env(runs.TASK, Program(runs.BROKEN))


class Model:
    """Any object with a name and `complete` is a model."""

    name = "mine"

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        return Reply(f"```python\n{runs.GOOD}\n```", model="mine")


def test_synthesize_and_resume_in_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"iterations": 1, "candidates": 1, "final_seeds": 1, "budget": 512, "settings": runs.SETTINGS}
    more = {"select_episodes": 4, "report_episodes": 4, "video": False, "tensorboard": False}
    result = synthesize(pointmass.pointmass_task(), Model(), root=tmp_path, name="one", **small, **more)
    assert result.program.source.strip() == runs.GOOD and result.reward.exists()
    again = resume("one", root=tmp_path, task=pointmass.pointmass_task(), llm=Model())
    assert again == result
    with pytest.raises(UsageError, match=r"started from Python.*task=task"):
        resume("one", root=tmp_path, llm=Model())
    with pytest.raises(UsageError, match=r"started from Python.*export_run\(run, file, task=task\)"):
        export_run(result.folder, tmp_path / "mine.py")
    assert main(["play", str(result.folder)]) == 2
    assert "started from Python with a task of its own, pointmass/reach" in capsys.readouterr().err
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        synthesize(runs.TASK, Model(), tensorbord=False)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own_task.py --budget 8192", "this reward|return"),
        ("own_trainer.py --steps 4096", "this reward|return"),
        ("own_gymnasium.py --budget 4096", "this reward|return"),
        ("own_robot.py", r"(?s)def compute_reward\(.*\n1\.0 0\.0\n$"),
    ],
)
def test_examples_run(name: str, told: str, repository: Path) -> None:
    file, *arguments = name.split()
    command = [sys.executable, str(repository / "examples" / file), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(told, done.stdout), done.stdout
