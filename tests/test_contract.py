"""What breaks the contract by its syntax alone."""

from __future__ import annotations

import pytest
from checked import SCHEMA, messages, report, term

from reward_agent.program import Program
from reward_agent.static_check import check


@pytest.mark.parametrize(
    ("body", "line", "hint"),
    [
        ("next_state.torso.position[:, 2] = 0.0\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("action *= 2.0\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("state.torso = None\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("x = action[:, 0]", 2, "returns nothing"),
        ("x = action[:, 0]\nif len(action) > 5:\n    return\nreturn x, {'x': x}", 5, "None"),
        ("yield action[:, 0], {'x': action[:, 0]}", 3, "generator"),
        ("compute_reward.calls = 1\nreturn action[:, 0], {'x': action[:, 0]}", 3, "outlives"),
    ],
)
def test_statements_that_break_the_contract(body: str, line: int, hint: str) -> None:
    assert hint in " ".join(fault.message for fault in report(body).faults if fault.line == line)


@pytest.mark.parametrize(
    "body",
    [
        "memory['best'] = 1.0",
        "memory.update(best=1.0)",
        "memory.setdefault('x', []).append(1)",
        "del memory['x']",
        "global memory\n    memory = {}",
    ],
)
def test_memory_between_calls(body: str) -> None:
    head = "memory = {}\ndef compute_reward(state, action, next_state):\n"
    source = f"{head}    {body}\n    return action[:, 0], {{'x': action[:, 0]}}\n"
    found = check(Program(source), SCHEMA)
    assert any("memory" in fault.message and fault.line == 3 for fault in found.faults), found.faults


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "state, action",
        "state, next_state, action",
        "state, action, next_state, memory={}",
        "*args",
        "self, state, action",
    ],
)
def test_the_entry_must_be_callable_as_the_contract_says(parameters: str) -> None:
    source = f"import numpy as np\ndef compute_reward({parameters}):\n    return 0, {{}}\n"
    assert "def compute_reward(state, action, next_state):" in messages(check(Program(source), SCHEMA), 2)


def test_another_name_of_a_parameter_is_followed() -> None:
    source = "def compute_reward(obs, act, nxt):\n    x = nxt.torso.position[:, 0]\n    return x, {'x': x}\n"
    found = check(Program(source), SCHEMA)
    assert (found.faults, found.fields) == ((), ("torso.position",))


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from os import path",
        "import numpy.random as r",
        "from typing import Any",
        "from numpy.random import default_rng",
        "from . import x",
        "import random",
    ],
)
def test_imports(line: str) -> None:
    found = term("action[:, 0]", before=line)
    assert "cannot be imported" in messages(found, 1)
