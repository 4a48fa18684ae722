"""Expert programs of the eleven tasks beside Meta-World's own dense reward, on the same transitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from metaworld_play import ELEVEN, Policy, at_random, play, scripted

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.metaworld import tasks
from reward_agent.envs.metaworld.native import make_native
from reward_agent.program import Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.schema import Array
from reward_agent.static_check import check
from reward_agent.task import Task

pytestmark = pytest.mark.needs("metaworld")

STEPS = 130


def remember_the_reset(env: Any) -> None:
    """Have Meta-World remember of its reset what was so then.

    It remembers where the gripper was a sub-step earlier, and of windows where the handle was in the layout before.
    """
    mujoco.mj_forward(env.model, env.data)
    env.init_tcp = env.tcp_center
    if hasattr(env, "window_handle_pos_init"):
        env.window_handle_pos_init = env._get_pos_objects()


def rewarded(task: Task, seed: int, actions: Array) -> tuple[Array, dict[str, Array]]:
    """What the expert gives for an episode of these actions, total and terms."""
    assert task.expert is not None
    schema = task_schema(task)
    episodes = Episodes(task, 1, schema.visible().by_path)
    episodes.reset(np.ones(1, bool), np.array([seed]))
    states = [episodes.states[0]]
    for action in actions:
        states.append(episodes.step(action[None]).states[0])
    view, packed = episodes.schema.view, np.stack(states)
    scope: dict[str, Any] = {"constants": schema.constants_view(), **HELPERS}
    exec(compile(task.expert.read_text(), str(task.expert), "exec"), scope)
    total, terms = scope["compute_reward"](view(packed[:-1]), actions, view(packed[1:]))
    return total, terms


def with_open_fingers(observation: Array) -> Array:
    """Pushes the button as its reward would have it, which the scripted policy does not: with open fingers."""
    hand, button = observation[:3], observation[4:7]
    before, behind = button + np.array([0, -0.08, 0.02]), button + np.array([0, 0.1, 0.02])
    aligned = np.abs(hand - before)[[0, 2]].max() < 0.015
    return np.clip(np.append(10 * ((behind if aligned else before) - hand), -1.0), -1, 1)


def policies(env: str) -> list[Policy]:
    """One for each episode, whose seed is its place."""
    noisy = (scripted(env, noise=0.3, seed=1), scripted(env, noise=1.0, seed=2))
    return [scripted(env), *noisy, at_random(3), *[with_open_fingers] * (env == "button-press-v3")]


@pytest.mark.parametrize("name", ELEVEN)
def test_it_is_meta_worlds_dense_reward(name: str) -> None:
    task = tasks()[f"metaworld/{name}"]
    env = make_native(f"{name}-v3")
    best = 0.0
    for seed, policy in enumerate(policies(f"{name}-v3")):
        theirs = play(env, policy, seed, STEPS, remember_the_reset)
        total, terms = rewarded(task, seed, theirs.actions)
        assert np.abs(total - theirs.rewards).max() < 1e-6
        assert np.allclose(total, sum(terms.values()), rtol=0, atol=1e-12)
        assert all(term.shape == total.shape for term in terms.values())
        best = max(best, float(theirs.rewards.max()))
    # a policy gets to where the reward is high, so that all of the formula was compared
    assert best > 6.0


REMEMBERED = {**dict.fromkeys(ELEVEN, 0.02), "door-close": 1e-6, "window-close": 2.0, "window-open": 4.0}
"""How far the reward, of 0 to 10, may be from Meta-World's as it stands, for what that remembers of its reset."""


@pytest.mark.parametrize("name", ELEVEN)
def test_as_it_stands_meta_world_remembers_another_reset(name: str) -> None:
    task = tasks()[f"metaworld/{name}"]
    theirs = play(f"{name}-v3", scripted(f"{name}-v3"), 0, STEPS)
    total, _ = rewarded(task, 0, theirs.actions)
    apart = float(np.abs(total - theirs.rewards).max())
    assert apart < REMEMBERED[name]
    if REMEMBERED[name] > 1e-6:
        assert apart > 1e-6


@pytest.mark.parametrize("name", ELEVEN)
def test_it_keeps_the_contract_and_is_portable(name: str) -> None:
    task = tasks()[f"metaworld/{name}"]
    assert task.expert is not None
    source = task.expert.read_text()
    report = check(Program(source), task_schema(task).visible())
    assert report.faults == ()
    assert report.portable
    # it may be shown to a model as an example, which is to learn of no benchmark from it
    assert not any(word in source.lower() for word in ("meta-world", "metaworld", "success", "native"))


def test_a_changed_formula_would_be_seen(tmp_path: Path) -> None:
    task = tasks()["metaworld/drawer-open"]
    assert task.expert is not None
    theirs = play("drawer-open-v3", scripted("drawer-open-v3"), 0, STEPS, remember_the_reset)
    changed = tmp_path / "changed.py"
    changed.write_text(task.expert.read_text().replace("0.02, WAY", "0.021, WAY"))
    total, _ = rewarded(replace(task, expert=changed), 0, theirs.actions)
    assert np.abs(total - theirs.rewards).max() > 1e-6
