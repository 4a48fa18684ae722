"""ManiSkill's dense rewards in the contract, beside its own on transitions through every stage of each task."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from maniskill_assets import CABINETS
from maniskill_stages import record

from reward_agent.envs.episodes import task_schema
from reward_agent.envs.maniskill import tasks
from reward_agent.envs.maniskill.readiness import VERSION
from reward_agent.program import Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.static_check import check
from reward_agent.task import Task

pytestmark = pytest.mark.needs("vulkan")

NATIVE = (
    "lift-peg-upright",
    "peg-insertion-side",
    "pick-cube",
    "place-sphere",
    "poke-cube",
    "pull-cube",
    "pull-cube-tool",
    "push-cube",
    "push-t",
    "roll-ball",
    "stack-cube",
)
"""Those with a dense reward of ManiSkill3's that can run without downloads; all of them."""


def program(task: Task) -> Program:
    assert task.expert is not None
    return Program(task.expert.read_text(encoding="utf-8"))


def compute(task: Task, constants: SimpleNamespace) -> Any:
    scope: dict[str, Any] = {"constants": constants, **HELPERS}
    exec(compile(program(task).source, str(task.expert), "exec"), scope)
    return scope["compute_reward"]


@pytest.mark.parametrize("name", NATIVE)
def test_an_expert_is_maniskills_dense_reward(name: str) -> None:
    task = tasks()[f"maniskill/{name}"]
    full = task.world.schema()
    read = full.select(check(program(task), task_schema(task).visible()).fields)
    rows = record(task.world, read, seed=0)
    view = rows.schema.view
    total, terms = compute(task, full.constants_view())(view(rows.state), rows.action, view(rows.next_state))
    # ManiSkill adds up in single precision, to seven digits
    np.testing.assert_allclose(total, rows.reward, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(sum(terms.values()), total, rtol=0, atol=1e-12)
    unseen = {term for term, values in terms.items() if not np.any(values)}
    assert not unseen, f"stages that were never reached: {unseen}"
    assert 0 < (terms["done"] > 0).sum() < len(total)


def test_just_the_experts_that_are_shown_equal_name_what_they_equal() -> None:
    named = {card.id.removeprefix("maniskill/"): card.reward_version for card in tasks().values()}
    shown = dict.fromkeys((*NATIVE, *CABINETS), f"ManiSkill3 {VERSION}") | {"lift-cube": "ManiSkill2 LiftCube-v0"}
    assert named == {"plug-charger": "", "turn-faucet": ""} | shown


def test_the_version_that_cards_name_is_the_one_that_is_pinned_and_installed(repository: Path) -> None:
    extras = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert f"mani_skill=={VERSION}" in extras["maniskill"]
    assert version("mani_skill") == VERSION


@pytest.mark.parametrize("name", [*NATIVE, "lift-cube", "plug-charger"])
def test_an_expert_keeps_the_contract(name: str) -> None:
    task = tasks()[f"maniskill/{name}"]
    report = check(program(task), task_schema(task).visible())
    assert report.faults == ()
    assert report.portable == (name != "push-t")  # it counts points, which the Array API has no way for


def test_lifting_pays_maniskill2s_figures() -> None:
    task = tasks()["maniskill/lift-cube"]
    state = {
        "cube": SimpleNamespace(position=np.array([[0, 0, 0.02], [0, 0, 0.12], [0, 0, 0.221], [0, 0, 0.221]])),
        "gripper": SimpleNamespace(
            position=np.array([[0, 0, 0.12], [0, 0, 0.12], [0, 0, 0.221], [0, 0, 0.221]]),
            grasps_cube=np.array([False, True, True, True]),
        ),
        "joints": SimpleNamespace(velocities=np.array([[0.0], [0.0], [0.3], [-0.1]])),
    }
    constants = SimpleNamespace(cube_half_size=(0.02, 0.02, 0.02), table_top=0.0)
    now = SimpleNamespace(**state)
    total, _ = compute(task, constants)(now, np.zeros((4, 8)), now)
    np.testing.assert_allclose(total, [1 - np.tanh(0.5), 1 + 0.25 + 0.5, 1 + 0.25 + 1, 2.25], atol=1e-12)
