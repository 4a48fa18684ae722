"""Rewards beside the published one: real programs in real cells on real transitions, of a file and of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs

from reward_agent.agent import synthesize
from reward_agent.cli import main
from reward_agent.comparison import Comparison, Values, compare, compare_run
from reward_agent.coverage import as_disguised, as_known, record_coverage
from reward_agent.envs.disguise import disguise
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.optimise.policy import load_policy
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.program import Fault, Program
from reward_agent.scoring import Act, no_op
from reward_agent.similarity import likeness, shared_numbers
from reward_agent.task import Task

SMALL = {"rows": 256, "draws": 64}
PUBLISHED = pointmass.EXPERT.strip()
RENAMED = """
import numpy as np


def compute_reward(before, act, after):
    # another author's words
    closeness: object = np.exp(-2.0 * np.abs(after.point.position - after.goal.position))
    penalty = -0.01 * (act**2).sum(-1)
    return closeness + penalty, {"closeness": closeness, "penalty": penalty}
"""


@pytest.fixture
def task(tmp_path: Path) -> Task:
    expert = tmp_path / "expert.py"
    expert.write_text(pointmass.EXPERT)
    return pointmass.pointmass_task(expert)


def changed(ending: str) -> Program:
    """The expert with another last line."""
    head, _, _ = PUBLISHED.rpartition("    return")
    return Program(head + ending)


def values(found: Comparison, name: str) -> Values:
    its = found.programs[name].values
    assert isinstance(its, Values), its
    return its


def test_what_is_the_same_and_what_is_not(task: Task) -> None:
    potential = "0.99 * 3.0 * next_state.point.position**2 - 3.0 * state.point.position**2"
    programs = {
        "itself": Program(PUBLISHED),
        "scaled": changed(
            "    near, effort = 50 * near + 7, 50 * effort\n    return near + effort, {'n': near, 'e': effort}"
        ),
        "shaped": changed(
            f"    way = {potential}\n    return near + effort + way, {{'n': near, 'e': effort, 'w': way}}"
        ),
        "opposite": changed("    return -(near + effort), {'n': -near, 'e': -effort}"),
        "unrelated": Program(
            "import numpy as np\n\n\ndef compute_reward(state, action, next_state):\n"
            "    still = np.where(next_state.point.moving, 0.0, 1.0)\n    return still, {'still': still}\n"
        ),
        "constant": changed("    one = 0 * near + 1\n    return one, {'one': one}"),
    }
    found = compare(programs, task, **SMALL)
    for name in ("itself", "scaled", "shaped"):
        assert values(found, name).epic.value < 1e-6
    assert values(found, "scaled").direct.value < 1e-6 < 0.05 < values(found, "shaped").direct.value
    assert values(found, "opposite").epic.value == pytest.approx(1.0)
    assert 0.6 < values(found, "unrelated").epic.value < 0.8
    assert np.isnan(values(found, "constant").epic.value)
    assert found.programs["itself"].text == 1.0 > found.programs["scaled"].text > found.programs["unrelated"].text
    assert compare(programs, task, **SMALL).programs["unrelated"] == found.programs["unrelated"]
    assert compare(programs, task, **SMALL, seed=1).programs["unrelated"] != found.programs["unrelated"]


def test_an_interval_draws_episodes(task: Task) -> None:
    """What is paid by where the goal is differs between episodes alone: as many numbers as there are episodes."""
    placed = "    near = 0 * near + next_state.goal.position\n    return near + effort, {'n': near, 'e': effort}"
    program = changed(placed)
    found = compare({"placed": program}, task, rows=900, draws=64)
    more = compare({"placed": program}, task, rows=300, draws=64)
    assert (found.episodes, found.rows, more.episodes, more.rows) == (16, 900, 16, 300)
    widths = [high - low for _, low, high in (values(each, "placed").direct for each in (found, more))]
    # three times as many transitions of the same episodes say hardly more: transitions apart, the width would be 0.58
    assert widths[0] > 0.75 * widths[1]


def test_faults_and_numbers_that_are_none(task: Task) -> None:
    late = changed(
        "    near = np.where(next_state.point.position > 0.0, near, np.inf)\n    return near, {'near': near}"
    )
    raises = changed("    if len(near) > 100:\n        raise ValueError('many')\n    return near, {'near': near}")
    found = compare({"broken": Program(runs.BROKEN), "late": late, "raises": raises}, task, **SMALL)
    fault = found.programs["broken"].values
    assert isinstance(fault, Fault) and (fault.stage, fault.line) == ("check", 2)
    assert 0 < values(found, "late").not_finite < SMALL["rows"]
    fault = found.programs["raises"].values
    assert isinstance(fault, Fault) and "many" in fault.message
    with pytest.raises(UsageError, match="pointmass/reach has no expert reward"):
        compare({}, pointmass.task)


def test_text_is_compared_whatever_things_are_called() -> None:
    published = Program(PUBLISHED)
    assert likeness(published, Program(RENAMED)) == 1.0
    assert likeness(published, Program(PUBLISHED.replace("np.exp", "np.tanh"))) < 1.0
    assert (
        likeness(published, Program("import numpy as n\n" + PUBLISHED.replace("np.", "n.").partition("\n")[2])) == 1.0
    )
    assert 0.0 < likeness(published, Program(runs.TIMID)) < 0.8
    assert likeness(published, Program("this is no Python")) == 0.0
    assert shared_numbers(published, Program(RENAMED)) == ((0.01,), 1)
    assert shared_numbers(published, Program("x = 0.01\ny = [3, 7][0.02]")).shared == (0.01,)
    assert shared_numbers(Program("x = y[7]"), Program("x = 7")) == ((), 0)
    endless = Program("x = 0x" + "f" * 5_000)
    assert likeness(endless, endless) == 1.0 > likeness(endless, Program("x = 7"))
    assert shared_numbers(Program("x = 7"), endless) == ((), 1)
    for deep in ("x = " + "1 + " * 900 + "1", "x = " + "-" * 900 + "1", "x = y" + ".z" * 900):
        assert likeness(Program(deep), published) < 0.5, "and no error"


def test_the_published_rewards_of_other_tasks_are_what_to_hold_it_against() -> None:
    ant = find_task("mujoco/ant-forward")
    assert ant.expert is not None
    found = compare({"mine": Program(ant.expert.read_text())}, ant, **SMALL)
    assert found.published == "Gymnasium v5"
    assert "mujoco/ant-forward" not in found.others and min(found.others.values()) > 0.2
    assert max(found.others.values()) < found.programs["mine"].text == 1.0


DISGUISED = """
import numpy as np


def compute_reward(state, action, next_state):
    apart = next_state.end_point.position - next_state.mark.position
    near, effort = -norm(apart), -(action**2).sum(-1)
    return near + effort, {"near": near, "effort": effort}
"""


def test_a_program_for_the_task_in_disguise() -> None:
    hidden = find_task("mujoco/reacher-reach@disguise=1")
    wrong = DISGUISED.replace("- next_state.mark", "+ next_state.mark")
    found = compare({"right": Program(DISGUISED), "wrong": Program(wrong)}, hidden, **SMALL)
    assert values(found, "right").epic.value < 1e-6 < 0.1 < values(found, "wrong").epic.value
    assert found.task == "mujoco/reacher-reach@disguise=1"


def test_coverage_spreads_over_episodes_and_policies() -> None:
    task = find_task("mujoco/reacher-reach")
    hidden = disguise(task, 0)
    found = record_coverage(hidden, [(task, no_op(task)), (hidden, no_op(hidden))], rows=200, seed=3)
    again = record_coverage(task, [(task, no_op(task)), (hidden, no_op(hidden))], rows=200, seed=3)
    assert len(found) == 200
    np.testing.assert_array_equal(found.next_state, again.next_state)
    idle = (found.action == 0).all(-1)
    assert not idle[:100].any() and 0.8 < idle[100:].mean() < 1.0
    times = found.state[:, found.schema.columns["episode.time"]]
    assert times.min() < 0.2 and times.max() > 0.8
    # 16 episodes by random actions and 8 by each of the two; what is drawn at reset is one for each
    played = {(int(e), int(p)) for e, p in zip(*found.origin, strict=True)}
    assert sorted(played) == [(e, max(0, e // 8 - 1)) for e in range(32)]
    assert (found.origin.part == np.repeat([0, 1, 2], [100, 50, 50])).all()
    began = found.state[:, found.schema.columns["start.target.position"]]
    same = (began[:, None] == began[None]).all(-1)
    assert np.array_equal(same, found.origin.episode[:, None] == found.origin.episode[None])
    # there and back
    turned = as_disguised(hidden, found)
    assert "mark.position" in turned.schema and not np.array_equal(turned.state, found.state)
    back = as_known(hidden, turned)
    for name in ("state", "action", "next_state"):
        np.testing.assert_array_equal(getattr(back, name), getattr(found, name))


class Scripted(pointmass.PointMass):
    """With a policy by hand, which goes to the goal."""

    def demonstrator(self) -> Act:
        return lambda observations: 2.0 * (observations[:, 2:] - observations[:, :1]) - observations[:, 1:2]


def test_a_worlds_own_policy_goes_where_random_actions_do_not(task: Task) -> None:
    def share_near(of: Task, policies: list[tuple[Task, Act]]) -> float:
        found = record_coverage(of, policies, rows=400, seed=0)
        at = found.schema.columns
        apart = np.abs(found.state[:, at["point.position"]] - found.state[:, at["goal.position"]])
        return float((apart < 0.1).mean())

    scripted = replace(task, world=Scripted())
    assert compare({}, scripted, **SMALL).policies == ("the world's scripted",)
    assert compare({}, task, **SMALL).policies == ()
    assert share_near(scripted, [(scripted, Scripted().demonstrator())]) > 0.15 > 0.1 > share_near(task, [])


@pytest.fixture
def card(task: Task, tmp_path: Path) -> str:
    path = tmp_path / "card.py"
    path.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})\nfrom pathlib import Path\n"
        f"from pointmass import pointmass_task\ntask = pointmass_task(Path({str(task.expert)!r}))\n"
    )
    return f"{path}:task"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["compare", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command(
    card: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = runs.SMALL | {"iterations": 2, "expert": True, "task": card, "method": "text2reward", "words": "automatic"}
    broken_first = runs.Scripted(runs.BROKEN, RENAMED.strip(), runs.TIMID)
    synthesize(runs.config("x", **small), llm=broken_first, root=Path("runs"), name="one")
    found = told(capsys, "one")
    assert [row["program"] for row in found["programs"]] == ["0.0", "1.0"]
    same, timid = found["programs"]
    assert same["text"] == 1.0 and same["epic"]["value"] < 1e-6 and same["numbers"] == {"shared": [0.01], "known": 1}
    assert timid["text"] < 0.8 and timid["epic"]["value"] > 0.3
    assert (found["policies"], found["published"]) == (["the best of the run", "the expert's"], None)
    mine = tmp_path / "mine.py"
    mine.write_text(RENAMED)
    found = told(capsys, str(mine), "--task", card, "--policy", "one")
    assert found["policies"] == ["one's best"] and found["programs"][0]["epic"]["value"] < 1e-6
    assert main(["compare", str(mine), "--task", card]) == 0
    text = capsys.readouterr().out
    assert "beside the expert reward, which is ours" in text and "1 of the 1 published numbers (0.01)" in text
    assert "EPIC distance 0.000 [0.000, 0.000]" in text
    mine.write_text(runs.BROKEN)
    assert main(["compare", str(mine), "--task", card]) == 1
    assert "no values: check fault" in capsys.readouterr().out
    assert main(["compare", str(mine)]) == 2
    assert main(["compare", "one", "--task", card]) == 2
    assert main(["compare", str(mine), "--task", "mujoco/ant-forward", "--policy", "one"]) == 2
    assert "one is a run of pointmass/reach" in capsys.readouterr().err


def test_a_run_whose_task_only_its_caller_has(task: Task, tmp_path: Path) -> None:
    model, task = runs.Scripted(runs.GOOD), replace(task, id="mine/reach")
    synthesize(runs.config("x", **runs.SMALL), task=task, llm=model, root=tmp_path, name="one")
    with pytest.raises(UsageError, match=r"compare_run\(run, task\)"):
        compare_run(tmp_path / "one")
    assert values(compare_run(tmp_path / "one", task), "0.0").epic.value < 1e-6


def test_a_policy_that_plans_runs_without_the_sandbox_at_the_users_word(
    task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outside.txt").write_text("what no sandbox shows")
    card = tmp_path / "card.py"
    card.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})\nfrom dataclasses import replace\n"
        f"from pathlib import Path\nfrom pointmass import forking_task\n"
        f"task = replace(forking_task(), expert=Path({str(task.expert)!r}))\n"
    )
    quick = {"samples": 8, "iterations": 1, "threads": 1}
    small = runs.SMALL | {"task": f"{card}:task", "method": "text2reward", "words": "automatic"}
    small |= {"optimiser": "mpc", "settings": quick, "select_episodes": 2, "report_episodes": 2, "unsafe": True}
    synthesize(runs.config("x", **small), llm=runs.Scripted(runs.GOOD), root=Path("runs"), name="one")
    assert isinstance(load_policy("runs/one/best"), PlannedPolicy)
    needs_it = f"open({str(tmp_path / 'outside.txt')!r}).close()\n" + PUBLISHED
    PlannedPolicy(Program(needs_it), PlannerSettings(**quick), 0).save(Path("runs/one/best"))
    mine = tmp_path / "mine.py"
    mine.write_text(RENAMED)
    for words in (["one"], [str(mine), "--task", f"{card}:task", "--policy", "one"]):
        assert main(["compare", *words]) != 0
        assert "outside.txt" in capsys.readouterr().err, "in the sandbox there is no such file"
        found = told(capsys, *words, "--unsafe")
        assert len(found["policies"]) == 1 and found["programs"][0]["epic"]["value"] < 1e-6
