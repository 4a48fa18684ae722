"""MiniGrid's tasks: cards, metrics, experts, and the conformance of the world."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from minigrid_play import actions

from reward_agent.conformance import conform
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.minigrid import tasks
from reward_agent.envs.minigrid.metrics import quickness, stages, success, way_made
from reward_agent.envs.minigrid.names import HORIZONS, SUCCESS
from reward_agent.envs.registry import find_task
from reward_agent.program import Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.schema import Array
from reward_agent.scoring import roll_out
from reward_agent.static_check import check
from reward_agent.task import Episode, Task

TASKS = tasks()
each = pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.id.removeprefix("minigrid/"))


def test_cards_load_without_a_simulator() -> None:
    code = (
        "import sys; from reward_agent.envs.minigrid import tasks; assert len(tasks()) == 9; "
        "heavy = {'minigrid', 'pygame', 'torch', 'mujoco'} & sys.modules.keys(); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_nine_are_there() -> None:
    assert [*TASKS] == [
        "minigrid/doorkey-5x5",
        "minigrid/doorkey-6x6",
        "minigrid/doorkey-8x8",
        "minigrid/keycorridor-s3r1",
        "minigrid/keycorridor-s3r2",
        "minigrid/keycorridor-s3r3",
        "minigrid/lavacrossing-s9n1",
        "minigrid/lavacrossing-s9n2",
        "minigrid/unlockpickup",
    ]
    assert {task.benchmark: task.horizon for task in TASKS.values()} == HORIZONS
    assert find_task("doorkey-8x8").id == "minigrid/doorkey-8x8"
    assert {task.family for task in TASKS.values()} == {"doorkey", "keycorridor", "lavacrossing", "unlockpickup"}


@pytest.mark.needs("minigrid")
@each
def test_a_card_is_complete(task: Task) -> None:
    schema = task_schema(task)
    assert task.instruction and task.control and task.preset
    assert [metric.name for metric in task.metrics][::2] == ["success", "quickness"]
    assert task.graded is task.metrics[1], "what tells failures apart is what models are shown"
    for metric in task.metrics:
        assert set(metric.fields) <= schema.by_path.keys()
    assert task.expert is not None
    report = check(Program(task.expert.read_text(encoding="utf-8")), schema.visible())
    assert report.faults == ()
    assert report.portable, report.unportable
    assert "success" not in task.expert.read_text(encoding="utf-8")


def rewarded(task: Task, seed: int, taken: list[int]) -> tuple[Array, dict[str, Array]]:
    """What the expert gives for an episode of these actions, total and terms."""
    assert task.expert is not None
    schema = task_schema(task)
    episodes = Episodes(task, 1, schema.visible().by_path)
    episodes.reset(np.ones(1, bool), np.array([seed]))
    states = [episodes.states[0]]
    for action in taken:
        states.append(episodes.step(np.array([[float(action)]])).states[0])
    view, packed = episodes.schema.view, np.stack(states)
    scope: dict[str, Any] = {"constants": schema.constants_view(), **HELPERS}
    exec(compile(task.expert.read_text(encoding="utf-8"), str(task.expert), "exec"), scope)
    total, terms = scope["compute_reward"](view(packed[:-1]), np.array(taken), view(packed[1:]))
    return total, terms


@pytest.mark.needs("minigrid")
@each
def test_the_expert_pays_for_success_and_for_nothing_that_goes_round(task: Task) -> None:
    env = task.benchmark
    straight, _ = rewarded(task, 3, actions(env, 3, 100, 0.0))
    noisy, terms = rewarded(task, 3, actions(env, 3, 60, 1.0))
    assert np.isfinite(straight).all() and straight.shape == (len(actions(env, 3, 100, 0.0)),)
    assert straight.sum() > noisy.sum() + 5
    assert straight.min() >= -1, "on the best way nothing is taken back but a move for the sake of the door"
    assert np.allclose(sum(terms.values()), noisy)
    there_and_back, _ = rewarded(task, 3, [0, 1, 1, 0, 3, 4, 3, 4])
    assert there_and_back.sum() == 0


@pytest.mark.needs("minigrid")
@each
def test_metrics_of_real_episodes(task: Task) -> None:
    """The scripted way succeeds, and doing nothing does not; nothing is lost of the state an episode ends in."""
    taken = actions(task.benchmark, 5, 100, 0.0)
    turn = iter(taken)
    told = roll_out(task, lambda seen: np.array([[float(next(turn))]]), [5])
    assert told["success"].tolist() == [1.0] and told[task.metrics[1].name].tolist() == [1.0]
    assert told["quickness"].tolist() == pytest.approx([1 - len(taken) / task.horizon])
    assert next(turn, None) is None, "the episode ended with the last action"
    nothing = roll_out(task, lambda seen: np.full((len(seen), 1), 4.0), [5])
    assert [nothing[metric.name].tolist() for metric in task.metrics] == [[0.0]] * 3


def episode(passed: list[bool], **state: Any) -> Episode:
    spaces = {
        name: SimpleNamespace(**{key: np.array(value) for key, value in of.items()}) for name, of in state.items()
    }
    states = SimpleNamespace(outcome=SimpleNamespace(success=np.array(passed)), **spaces)
    return Episode(states, np.zeros((len(passed) - 1, 1)), passed[-1], SimpleNamespace(), 1.0)


def test_metrics_by_hand() -> None:
    won = episode([False, False, True], agent={"carrying": [1, 5, 5]}, door={"locked": [True, True, False]})
    assert success().score(won) == stages().score(won) == 1.0
    assert quickness(8).score(won) == 0.75
    held = episode([False] * 4, agent={"carrying": [1, 5, 1, 1]}, door={"locked": [True] * 4})
    assert (success().score(held), quickness(8).score(held)) == (0.0, 0.0)
    assert stages().score(held) == pytest.approx(1 / 3), "it was in hand, though it was dropped again"
    half = {"goal": {"path_length": [8.0, 5.0, 4.0]}}
    assert way_made().score(episode([False] * 3, lava={"distance": [3.0, 1.0, 2.0]}, **half)) == 0.5
    assert way_made().score(episode([False] * 3, lava={"distance": [3.0, 1.0, 0.0]}, **half)) == 0.0
    assert SUCCESS in success().fields


@pytest.mark.needs("minigrid")
@pytest.mark.parametrize("name", ["doorkey-5x5", "keycorridor-s3r1"])
def test_it_conforms(name: str) -> None:
    report = conform(TASKS[f"minigrid/{name}"])
    assert report.ok, [finding.text for finding in report.findings if finding.level == "failed"]
    assert "truth" in {finding.check for finding in report.findings if finding.level == "passed"}
