"""Reward parameters: calls are read and never run, gathered into phases, compiled to programs that the cell runs."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reward_agent.codec import to_line
from reward_agent.envs.quadruped.names import LEGS
from reward_agent.envs.quadruped.world import QuadrupedWorld
from reward_agent.envs.registry import find_task, tasks
from reward_agent.parameters import Parameterised
from reward_agent.parameters.api import Function, RewardApi, Term
from reward_agent.parameters.calls import MAX_CALLS, Call, read_calls
from reward_agent.parameters.compiling import compile_plan, plan_in
from reward_agent.parameters.plan import Plan, gather
from reward_agent.program import Fault, Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.task import Task
from reward_agent.vet import vet

API = QuadrupedWorld().reward_api()
TASK = find_task("quadruped/spin")


def calls(text: str) -> tuple[Call, ...]:
    found = read_calls(f"Like this:\n```python\n{text}\n```\nThat is all.", API)
    assert isinstance(found, tuple), found
    return found


def fault(text: str) -> Fault:
    found = read_calls(f"```python\n{text}\n```", API)
    assert isinstance(found, Fault), found
    return found


def program(text: str, before: Plan | None = None) -> Program:
    made = compile_plan(gather(calls(text), API, before), API)
    assert isinstance(made, Program)
    return made


def test_values_are_read_with_plain_arithmetic() -> None:
    (call,) = calls("import numpy as np\nset_torso_targets(0.2, target_torso_pitch=-np.pi / 2, target_torso_roll=None)")
    assert call.values == {
        "target_torso_height": 0.2,
        "target_torso_pitch": pytest.approx(-math.pi / 2),
        "target_torso_roll": None,
    }
    (turned,) = calls("set_torso_targets(target_torso_heading=np.deg2rad(90) + 2 * 0.5)")
    assert turned.values["target_torso_heading"] == pytest.approx(math.pi / 2 + 1)


def test_the_last_block_counts_and_a_bare_reply_will_do() -> None:
    found = read_calls("```python\nreset_reward()\n```\nBetter:\n```\nset_torso_targets(0.3)\n```", API)
    assert found == (Call("set_torso_targets", {"target_torso_height": 0.3}),)
    assert read_calls("set_torso_targets(0.3)", API) == found


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("set_torso_targets(0.2)\nset_torso_target(0.3)", "Did you mean `set_torso_targets`", 2),
        ("set_torso_targets(target_height=0.3)", "no argument `target_height`", 1),
        ("set_torso_targets(target_torso_height=30)", "a number from 0 to 1", 1),
        ("set_torso_targets('low')", "is 'low'", 1),
        ("set_torso_targets(True)", "is True", 1),
        ("set_torso_targets(0.1, target_torso_height=0.2)", "`target_torso_height` twice", 1),
        ("set_foot_pos_parameters(lift_height=0.1)", "needs `foot_name`", 1),
        ("set_foot_pos_parameters('front')", 'one of "front_left"', 1),
        ("set_foot_stepping_parameters('front_left', should_activate=1)", "True or False", 1),
        ("height = 0.2\nset_torso_targets(height)", "no variables, loops", 1),
        ("for foot in 'ab':\n    set_torso_targets(0.1)", "is no call", 1),
        ("set_torso_targets(1 / 0)", "no finite number", 1),
        ("set_torso_targets(1e308 * 10)", "it must be a number", 1),
        ("set_torso_targets(abs(-1))", "is no literal", 1),
        ("set_torso_targets(**{'a': 1})", "`**`, which is not allowed", 1),
        ("set_torso_targets(*[0.2])", "`*` or `**`, which is not allowed", 1),
        ("set_foot_pos_parameters('front_rigth', 0.1)", 'Did you mean "front_right"?', 1),
        ("set_torso_targets(0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0)", "takes 9 arguments", 1),
        ("__import__('os').system('true')", "no function `__import__('os').system`", 1),
        ("set_torso_targets(0.2", "not valid Python", 1),
        ("execute_plan()", "calls nothing", None),
        ("\n".join(["reset_reward()"] * (MAX_CALLS + 1)), "at most 200", None),
    ],
)
def test_what_is_no_call_of_the_api_is_a_fault(text: str, message: str, line: int | None) -> None:
    found = fault(text)
    assert message in found.message
    assert found.line == line


def test_a_reply_without_calls_says_what_is_wanted() -> None:
    missing = read_calls("I would lift the paw.", API)
    assert isinstance(missing, Fault) and missing.stage == "extract" and "```python block" in missing.message
    cut = read_calls("```python\nset_torso_targets(0.2)\nset_to", API)
    assert isinstance(cut, Fault) and "cut off" in cut.message


def test_calls_go_on_from_what_is_in_force() -> None:
    first = gather(calls("set_torso_targets(0.2, target_torso_pitch=0.5)\nexecute_plan(3)"), API)
    lifted = "set_torso_targets(target_torso_pitch=None)\nset_foot_pos_parameters('front_left', 0.1)"
    then = gather(calls(lifted), API, first)
    (phase,) = then.phases
    assert [(call.function, call.values) for call in phase.calls()] == [
        ("set_torso_targets", {"target_torso_height": 0.2}),
        ("set_foot_pos_parameters", {"foot_name": "front_left", "lift_height": 0.1}),
    ]
    anew = gather(calls("reset_reward()\nset_torso_targets(0.3)"), API, then)
    assert [call.values for call in anew.phases[0].calls()] == [{"target_torso_height": 0.3}]


def test_each_foot_is_set_for_itself() -> None:
    plan = gather(
        calls(
            "set_foot_pos_parameters('front_left', 0.1)\nset_foot_pos_parameters('back_left', 0.2)\n"
            "set_foot_pos_parameters('front_left', extend_forward=0.05)"
        ),
        API,
    )
    back, front = plan.phases[0].settings.values()
    assert front.values == {"foot_name": "front_left", "lift_height": 0.1, "extend_forward": 0.05}
    assert back.values == {"foot_name": "back_left", "lift_height": 0.2}


@pytest.mark.parametrize(
    ("task", "text", "left"),
    [
        ("dexterous/lift-box", "end_effector_open()\nend_effector_close()", ["end_effector_close()"]),
        (
            "dexterous/lift-box",
            "end_effector_to_object('box', offset_z=0.2)\nend_effector_close()\nend_effector_to_object('box')",
            ["end_effector_close()", 'end_effector_to_object(name_obj="box")'],
        ),
        ("quadruped/spin", "walk(1)\nhead_towards(1.5)", ["head_towards(heading=1.5)"]),
        ("quadruped/spin", "head_towards(1.5)\nwalk(turning_speed=2)", ["walk(turning_speed=2)"]),
        (
            "quadruped/spin",
            "move_foot('back_left', 0.1, 0.05)\nmove_foot('front_left', 0.1)\nmove_foot('back_left', 0.2)",
            ['move_foot(foot_name="front_left", height=0.1)', 'move_foot(foot_name="back_left", height=0.2)'],
        ),
    ],
)
def test_a_skill_takes_the_place_of_what_was_called_before(task: str, text: str, left: list[str]) -> None:
    world = find_task(task).world
    assert isinstance(world, Parameterised)
    found = read_calls(text, world.primitives())
    assert isinstance(found, tuple)
    assert list(map(str, gather(found, world.primitives()).phases[-1].calls())) == left


@pytest.mark.parametrize(
    ("calls", "held", "gone"),
    [
        ("set_torso_pose(height=0.13)\nhead_towards(1.57)", ["position[:, 2] - 0.13", "torso_heading"], ["- 0.28"]),
        ("head_towards(1.57)\nset_torso_pose(height=0.13)", ["position[:, 2] - 0.13", "torso_heading"], ["- 0.28"]),
        ("head_towards(1.57)", ["position[:, 2] - 0.28"], []),
        ("move_foot('front_left', 0.1)\nwalk(1)", ["front_left_lift", "back_left_step"], ["front_left_step"]),
        ("walk(1)\nmove_foot('front_left', 0.1)", ["front_left_lift", "back_left_step"], ["front_left_step"]),
        (
            "move_foot('front_left', 0)\nwalk(1)",
            ["front_left_step", "back_left_step"],
            ["front_left_lift", "front_left_down"],
        ),
        ("move_foot('front_left', 0)", ["front_left_down"], ["front_left_lift"]),
        ("move_foot('front_left', 0, 0.1)\nwalk(1)", ["front_left_lift", "front_left_forward"], ["front_left_step"]),
        ("walk(1)", ["front_left_step", "back_left_step"], []),
    ],
)
def test_skills_do_not_pull_against_each_other(calls: str, held: list[str], gone: list[str]) -> None:
    world = find_task("quadruped/spin").world
    assert isinstance(world, Parameterised)
    api = world.primitives()
    found = read_calls(calls, api)
    assert isinstance(found, tuple)
    made = compile_plan(gather(found, api), api)
    assert isinstance(made, Program)
    assert all(part in made.source for part in held) and not any(part in made.source for part in gone)


def _hand_api() -> RewardApi:
    world = find_task("dexterous/lift-box").world
    assert isinstance(world, Parameterised)
    return world.reward_api()


def reward(text: str, api: RewardApi, **state: Any) -> float:
    """What calls are worth in one state, whose fields are given by path with `_` for dots."""
    found = read_calls(text, api)
    assert isinstance(found, tuple), found
    made = compile_plan(gather(found, api), api)
    assert isinstance(made, Program)
    space: dict[str, Any] = dict(HELPERS)
    exec(made.source, space)  # ours, of our own API
    at = SimpleNamespace(episode=SimpleNamespace(previous_action=np.zeros((1, 2)), time=np.zeros(1)), **state)
    total, _ = space["compute_reward"](at, np.zeros((1, 2)), at)
    return float(total[0])


@pytest.mark.parametrize(
    ("call", "place"),
    [
        ("end_effector_to_object('box', offset_z=0.2)", (0.1, 0.0, 0.245)),
        ("end_effector_to_object('box', offset_x=-0.1, offset_y=0.05)", (0.0, 0.05, 0.045)),
        ("end_effector_to(0.1, -0.2, 0.3)", (0.1, -0.2, 0.3)),
    ],
)
def test_the_palm_is_worth_most_where_a_skill_says(call: str, place: tuple[float, float, float]) -> None:
    world = find_task("dexterous/lift-box").world
    assert isinstance(world, Parameterised)
    box = SimpleNamespace(position=np.array([[0.1, 0.0, 0.045]]))

    def worth(*palm: float) -> float:
        return reward(call, world.primitives(), palm=SimpleNamespace(position=np.array([palm])), box=box)

    x, y, z = place
    assert worth(x, y, z) == 0.0
    for dx, dy, dz in ((0.05, 0, 0), (-0.05, 0, 0), (0, 0.05, 0), (0, -0.05, 0), (0, 0, 0.05), (0, 0, -0.05)):
        assert worth(x + dx, y + dy, z + dz) < -0.5


def test_what_a_function_refuses_and_what_is_left_unset() -> None:
    same = read_calls("set_l2_distance_reward('box', 'box')", _hand_api())
    assert isinstance(same, Fault) and "same thing" in same.message
    unset = gather(calls("set_torso_targets(0.2)\nexecute_plan(None)"), API)
    assert unset.phases[0].seconds == 4.0


DIGITS = "0x" + "f" * 5_000
"""An int of more digits than Python writes out in decimal."""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{DIGITS}()", "There is no function `...`"),
        (f"({DIGITS}).pi()", "There is no function `...`"),
        (f"set_torso_targets[{DIGITS}](1)", "There is no function `...`"),
        (f"set_torso_targets(({DIGITS}).pi)", "`...` is no literal"),
        (f"set_torso_targets(({DIGITS})(1))", "`...` is no literal"),
        (f"set_torso_targets({DIGITS})", "`...` is no finite number"),
        (f"set_torso_targets(-{DIGITS})", "`...` is no finite number"),
        (f"height = {DIGITS}", "`...` is no call"),
        ("a" * 50_000 + "()", f"no function `{'a' * 57}...`"),
        (f"a{'.b' * 50}()", f"no function `a{'.b' * 28}...`"),
        (f"set_torso_targets(1{'0' * 400})", "is no finite number"),
        (f"set_torso_targets({' + '.join(['0.001'] * 3_000)})", "nested too deep"),
        (f"set_torso_targets({'a' * 50_000}=1)", f"no argument `{'a' * 57}...`"),
        (f"set_torso_targets('{'a' * 50_000}')", f"is '{'a' * 56}...; it must be a number"),
        (f"set_torso_targets({'(' * 5_000}1{')' * 5_000})", "too many nested parentheses"),
        (f"set_torso_targets({'-' * 3_000}1)", "nested too deep"),
        (f"set_torso_targets(a{'.b' * 20_000})", "nested too deep"),
        (f"a{'()' * 20_000}", "nested too deep"),
        ("np.deg2rad(" * 180 + "1" + ")" * 180, "no function `np.deg2rad`"),
        (f"set_torso_targets({' * '.join(['1e300'] * 5)})", "is inf; it must be a number"),
        ("set_torso_targets('\\ud800')", "is '\\ud800'; it must be a number"),
        ("set_torso_targets('\ud800')", "not valid Python"),
    ],
    ids=lambda text: text[:40].encode("ascii", "replace").decode(),
)
def test_no_reply_breaks_the_reader_or_is_lost(text: str, message: str) -> None:
    found = fault(text)
    assert message in found.message and len(found.message) < 500
    assert to_line(found.message).encode(), "it can be journalled"
    assert isinstance(read_calls(text, API), Fault), "without a fence as well"


def test_a_program_of_many_phases_is_read_back_whole() -> None:
    feet = [f"set_foot_pos_parameters('{leg}', 0.1)" for leg in LEGS]
    text = "\n".join([*feet, "set_torso_targets(0.2)", *["set_torso_targets(0.3)\nexecute_plan(0.5)"] * 60])
    plan = gather(calls(text), API)
    made = compile_plan(plan, API)
    assert isinstance(made, Program)
    assert plan_in(made, API) == plan


def test_phases_follow_each_other_and_carry_over() -> None:
    plan = gather(
        calls("set_torso_targets(0.1)\nexecute_plan(2)\nset_torso_targets(target_torso_roll=1)\nexecute_plan(1.5)"), API
    )
    assert [phase.seconds for phase in plan.phases] == [2.0, 1.5]
    assert plan.phases[1].calls()[0].values["target_torso_height"] == 0.1


def test_a_program_holds_the_calls_that_made_it() -> None:
    text = (
        "set_torso_targets(0.1)\nexecute_plan(2)\nreset_reward()\n"
        "set_foot_stepping_parameters('back_right', swing_forward_back=-0.1)\nexecute_plan(4)"
    )
    plan = gather(calls(text), API)
    made = compile_plan(plan, API)
    assert isinstance(made, Program)
    assert plan_in(made, API) == plan
    assert plan_in(Program("def compute_reward(state, action, next_state): ..."), API) is None


def test_too_many_targets_are_a_fault() -> None:
    many = tuple(
        Function(f"set_{n}", "One of many.", (), lambda values, n=n: [Term(f"t{n}", "action[:, 0]")]) for n in range(33)
    )
    api = RewardApi("a robot", many)
    plan = gather([Call(function.name, {}) for function in many], api)
    found = compile_plan(plan, api)
    assert isinstance(found, Fault) and "at most 32" in found.message


def test_all_that_can_be_set_at_once_fits() -> None:
    stepping = "\n".join(
        f"set_foot_stepping_parameters('{leg}', swing_forward_back=0.1)\n"
        f"set_foot_pos_parameters('{leg}', 0.1, 0.0, 0.0)"
        for leg in ("front_left", "front_right", "back_left", "back_right")
    )
    torso = "set_torso_targets(0.2, 0.1, 0.1, 0, 0, 0.1, 0.1, 0.2, 0.1)"
    assert isinstance(compile_plan(gather(calls(f"{stepping}\n{torso}"), API), API), Program)


EVERYTHING = (
    "set_torso_targets(0.2, 0.1, -0.1, 1.0, -1.0, 0.3, 0.1, 0.5, 0.4)\n"
    "set_foot_pos_parameters('front_left', 0.1, 0.05, 0.02)\n"
    "set_foot_pos_parameters('back_right', 0.1, 0.05, 0.02)\n"
    "set_foot_stepping_parameters('front_right', swing_forward_back=0.1)"
)


@pytest.mark.needs("bubblewrap")
def test_programs_pass_check_and_probe() -> None:
    verdict = vet(program(f"{EVERYTHING}\nexecute_plan(2)\nreset_reward()\nset_torso_targets(0.1)"), TASK)
    assert verdict.ok, verdict.faults
    assert {"torso_height", "front_left_inward", "front_right_swing", "posture"} <= set(verdict.term_names)


PARAMETERISED = [task for task in tasks().values() if task.metrics and isinstance(task.world, Parameterised)]


@pytest.mark.parametrize("task", PARAMETERISED, ids=lambda task: task.id)
def test_experts_are_what_their_calls_compile_to(task: Task) -> None:
    assert task.expert and isinstance(task.world, Parameterised)
    shipped, api = Program(task.expert.read_text(encoding="utf-8")), task.world.reward_api()
    plan = plan_in(shipped, api)
    assert isinstance(plan, Plan)
    assert compile_plan(plan, api) == shipped, f"run scripts/compile_parameters.py {task.expert}"


HAND_CALLS = {
    "dexterous/lift-both": "set_l2_distance_reward('hand', 'box')\nset_l2_distance_reward('apple', 'box')\n"
    "set_obj_z_position_reward('apple', 0.3)\nset_obj_orientation_reward('box', 1.57)",
    "dexterous/open-drawer": "set_l2_distance_reward('drawer_handle', 'hand')\nset_joint_fraction_reward('drawer', 1)",
    "dexterous/turn-on-faucet": "set_joint_fraction_reward('faucet', 0.5)",
}
SKILLS = {
    "quadruped/spin": "head_towards(1)\nexecute_plan(1)\nwalk(0.5, turning_speed=1)\nexecute_plan(2)\n"
    "set_torso_pose(roll=1)\nmove_foot('back_left', 0.1, 0.05)",
    "dexterous/lift-box": "end_effector_to_object('box', offset_z=0.1)\nend_effector_open()\nexecute_plan(2)\n"
    "end_effector_close()\nexecute_plan(1)\nend_effector_to(0, 0, 0.5)",
}


@pytest.mark.needs("bubblewrap")
@pytest.mark.needs("robotics")
@pytest.mark.parametrize("name", [*HAND_CALLS, *(f"skills of {name}" for name in SKILLS)])
def test_every_function_makes_programs_that_pass(name: str) -> None:
    task = find_task(name.removeprefix("skills of "))
    assert isinstance(task.world, Parameterised)
    skills = name.startswith("skills of ")
    api = task.world.primitives() if skills else task.world.reward_api()
    calls = read_calls((SKILLS if skills else HAND_CALLS)[task.id], api)
    assert isinstance(calls, tuple), calls
    made = compile_plan(gather(calls, api), api)
    assert isinstance(made, Program)
    verdict = vet(made, task)
    assert verdict.ok, verdict.faults
    assert all(function in {call.function for call in calls} for function in api.by_name) or not skills


def test_what_a_scene_does_not_have_cannot_be_named() -> None:
    task = find_task("dexterous/open-drawer")
    assert isinstance(task.world, Parameterised)
    found = read_calls("set_l2_distance_reward('hand', 'box')", task.world.reward_api())
    assert isinstance(found, Fault) and '"drawer_handle"' in found.message


def test_the_prompt_names_every_function_and_argument() -> None:
    text = API.render()
    for function in API.functions:
        assert f"def {function.name}(" in text
        for argument in function.arguments:
            assert f"    {argument.name}: " in text
    assert "execute_plan(plan_duration=4.0)" in text and "reset_reward()" in text
    assert not np.isnan([argument.low for function in API.functions for argument in function.arguments]).any()
