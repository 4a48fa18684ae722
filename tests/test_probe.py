"""The probe in a real cell, on real transitions: each fault with a program that has it, each warning likewise."""

from __future__ import annotations

import numpy as np
import pytest
from pointmass import EXPERT, task

from reward_agent.envs.episodes import task_schema
from reward_agent.probe import Battery, ProbeReport, probe, record_battery
from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell, Limits
from reward_agent.static_check import check

SCHEMA = task_schema(task).visible()
NEARNESS = """
def compute_reward(state, action, next_state):
    near = -abs(next_state.point.position - next_state.goal.position)
    return near, {"near": near}
"""


@pytest.fixture(scope="module")
def battery() -> Battery:
    return record_battery(task)


def run(body: str, battery: Battery, limits: Limits | None = None) -> ProbeReport:
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    program = Program(f"import numpy as np\ndef compute_reward(state, action, next_state):\n{lines}")
    fields = check(program, SCHEMA).fields
    with Cell(limits=limits) as cell:
        return probe(program, SCHEMA.select(fields), battery, cell)


def fault(body: str, battery: Battery) -> Fault:
    report = run(body, battery)
    assert report.faults, "the probe saw nothing wrong"
    assert report.faults[0].stage == "probe"
    return report.faults[0]


def test_a_battery_is_real_visible_and_repeatable(battery: Battery) -> None:
    assert len(battery) == 256
    assert "secret.reached" not in battery.schema
    assert battery.schema.by_path.keys() == SCHEMA.by_path.keys()
    before, after = battery.schema.view(battery.state), battery.schema.view(battery.next_state)
    # the world's own law, row by row
    np.testing.assert_allclose(after.point.velocity, 0.9 * before.point.velocity + 0.2 * battery.action[:, 0])
    assert np.allclose(after.episode.time, before.episode.time + 0.05)
    assert before.episode.time.max() > 1.0
    assert (before.episode.time == 0).any()
    assert (battery.action == 0).any()
    assert np.ptp(battery.action) > 1
    np.testing.assert_array_equal(record_battery(task).next_state, battery.next_state)
    assert not np.array_equal(record_battery(task, seed=1).next_state, battery.next_state)
    assert len(record_battery(task, rows=10)) == 10


def test_a_selection_keeps_the_columns_of_its_fields(battery: Battery) -> None:
    schema = SCHEMA.select(["goal.position", "point.velocity"])
    state, action, next_state = battery.select(schema)
    np.testing.assert_array_equal(schema.view(state).goal.position, SCHEMA.view(battery.state).goal.position)
    np.testing.assert_array_equal(
        schema.view(next_state).point.velocity, SCHEMA.view(battery.next_state).point.velocity
    )
    assert action.shape == (256, 1)
    with pytest.raises(ValueError, match="read-only"):
        battery.state[0, 0] = 1


def test_the_expert_passes(battery: Battery) -> None:
    program = Program(EXPERT)
    with Cell() as cell:
        report = probe(program, SCHEMA.select(check(program, SCHEMA).fields), battery, cell)
    assert report.faults == ()
    assert report.term_names == ("near", "effort")
    assert report.microseconds_per_call is not None
    assert report.microseconds_per_call > 0


def test_a_reward_of_the_action_alone(battery: Battery) -> None:
    report = run("x = -action[:, 0] ** 2\nreturn x, {'x': x}", battery)
    assert (report.faults, report.term_names) == ((), ("x",))


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("x = np.log(next_state.point.velocity)\nreturn x, {'x': x}", "`x` is nan"),
        ("x = 1 / (0 * action[:, 0])\nreturn x, {'x': x}", "infinite"),
        ("x = action[:, 0]\nreturn x * np.nan, {'x': x}", "The total is nan"),
        ("x = action[:, 0]\ny = x - x.mean()\nreturn y, {'y': y}", "`y` of one environment depends on the others"),
        ("x = np.cumsum(action[:, 0])\nreturn x, {'x': x}", "depends on the others"),
        ("x = action[:, 0]\nreturn 2 * x, {'x': x}", "not the sum"),
        ("x = action\nreturn x[:, 0], {'x': x}", "shape"),
        ("x = np.sum(action)\nreturn x, {'x': x}", "shape"),
    ],
)
def test_faults(body: str, hint: str, battery: Battery) -> None:
    assert hint in fault(body, battery).message


def test_a_memory_the_check_cannot_see(battery: Battery) -> None:
    source = "import numpy as np\nCOUNT = iter(range(10**6))\n"
    source += (
        "def compute_reward(state, action, next_state):\n    x = action[:, 0] + next(COUNT)\n    return x, {'x': x}\n"
    )
    with Cell() as cell:
        report = probe(Program(source), SCHEMA.select([]), battery, cell)
    assert "given again" in report.faults[0].message


def test_an_exception_carries_its_line(battery: Battery) -> None:
    found = fault("x = action[:, 0]\ny = np.ones(7) + np.stack([x, x])\nreturn x, {'x': x}", battery)
    assert found.line == 4
    assert "ValueError" in found.message


def test_an_endless_loop_is_cut_off(battery: Battery) -> None:
    report = run("while True:\n    pass\nreturn 0, {}", battery, Limits(call_seconds=0.2, load_seconds=0.5))
    assert report.faults[0].stage == "probe"
    assert report.microseconds_per_call is None


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("x = 0 * action[:, 0] + 1\nreturn x, {'x': x}", "The total is 1 in every one of 256"),
        ("x = action[:, 0]\ny = 0 * x + 3\nreturn x + y, {'x': x, 'y': y}", "`y` is 3 in every one"),
        ("x = action[:, 0]\ny = 1e4 * x\nreturn x + y, {'x': x, 'y': y}", "`y` makes 100% of all variation"),
        ("x = 1e9 * action[:, 0]\nreturn x, {'x': x}", "clips"),
    ],
)
def test_warnings(body: str, hint: str, battery: Battery) -> None:
    report = run(body, battery)
    assert report.faults == ()
    assert hint in " ".join(report.warnings)


def test_rounding_is_no_fault(battery: Battery) -> None:
    body = "x = 1e8 + action[:, 0]\ny = np.sin(action[:, 0]) / 3 - 1e8\nreturn x + y, {'x': x, 'y': y}"
    assert run(body, battery).faults == ()
