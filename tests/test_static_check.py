"""The static check: what would fail, what is said of it, and what is let pass."""

from __future__ import annotations

import numpy as np
import pytest
from checked import SCHEMA, messages, report, term
from pointmass import EXPERT, task

from reward_agent.envs.episodes import task_schema
from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell
from reward_agent.static_check import check

SIGNATURE = "def compute_reward(state, action, next_state):\n"


def test_the_expert_of_the_tiny_world() -> None:
    found = check(Program(EXPERT), task_schema(task).visible())
    assert not found.faults
    assert set(found.fields) == {"point.position", "goal.position"}
    assert found.portable
    assert not found.reads_time


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("next_state.torso.positon[:, 2]", "next_state.torso.position"),
        ("next_state.tors.position[:, 2]", "next_state.torso"),
        ("next_state.joints.kne.angle", "next_state.joints.knee"),
        ("next_state.knee.angle", "joints.knee"),
        ("next_state.start.torso.positon[:, 2]", "next_state.start.torso.position"),
        ("(lambda body: body.positon)(next_state.torso)", "body.position"),
        ("sum(f.positon for f in (next_state.left_foot, next_state.right_foot))", "f.position"),
        ("np.random.randn(len(action))", "random"),
        ("np.load('x.npy')", "files"),
        ("eval('1') * action[:, 0]", "no other code"),
        ("open('/etc/passwd').read()", "no files"),
        ("__import__('os').getpid() * action[:, 0]", "not allowed"),
        ("getattr(next_state, 'torso').position[:, 0]", "by their path"),
        ("next_state.__dict__['torso'].position[:, 0]", "`__dict__`"),
        ("().__class__.__mro__[1]", "`__class__`"),
        ("action[:, 0] + print('hello')", "prints"),
    ],
)
def test_what_would_fail_is_said_with_its_line_and_the_mend(expression: str, hint: str) -> None:
    assert hint in messages(term(expression))


DIGITS = "0x" + "f" * 5_000
"""An int of more digits than Python writes out in decimal."""


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        (f"def compute_reward(state={DIGITS}):\n    return 1\n", "`compute_reward(...)` must take exactly these"),
        (f"kept = []\n{SIGNATURE}    kept.append({DIGITS})\n", "`...` changes `kept`"),
        (f"{SIGNATURE}    next_state.torso.position[{DIGITS}] = 1\n", "`...` writes into an input"),
        (f"{SIGNATURE}    return (state if {DIGITS} else state).tors\n", "`....tors` is not a field"),
        (f"{SIGNATURE}    return {'-' * 20_000}1\n", "nested too deeply"),
    ],
    ids=["signature", "memory", "input", "field", "deep"],
)
def test_what_cannot_be_written_out_is_a_fault(source: str, hint: str) -> None:
    found = check(Program(source), SCHEMA)
    assert any(hint in fault.message for fault in found.faults), found.faults


def said_by_the_cell(body: str, line: int) -> str:
    """What the cell says of a program that the check lets pass, on this line."""
    assert report(body).faults == ()
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    rows = np.random.default_rng(0).normal(size=(2, 8, SCHEMA.width))
    with Cell() as cell:
        source = "import numpy as np\ndef compute_reward(state, action, next_state):\n" + lines
        found = cell.load(Program(source), SCHEMA, (rows[0], np.zeros((8, 2)), rows[1]))
    assert isinstance(found, Fault)
    assert (found.stage, found.line) == ("probe", line)
    return found.message


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("next_state.torso.position.z", "[:, 2]"),
        ("next_state.torso.position.norm()", "no attribute 'norm'"),
        ("next_state['torso'].position[:, 2]", "name one of its fields"),
        ("next_state.torso[2]", "name one of its fields"),
        ("next_state.joints.knee.angle + next_state.torso", "fields: position"),
        ("np.abs(next_state.torso)", "fields: position"),
        ("norm(next_state.torso)", "fields: position"),
        ("abs(next_state.torso)", "name one of its fields"),
        ("next_state.torso.position[:, 3]", "index 3 is out of bounds for axis 1 with size 3"),
        ("action[:, 2]", "index 2 is out of bounds for axis 1 with size 2"),
        ("next_state.joints.knee.angle[:, 0]", "array is 1-dimensional, but 2 were indexed"),
        ("constants.dtt * action[:, 0]", "Did you mean 'dt'?"),
        ("constants.mass * action[:, 0]", "It has: dt, limits."),
        ("np.where(next_state.torso.position[:, 2] > 1 and action[:, 0] > 0, 1.0, 0.0)", "`&`"),
        ("1.0 if next_state.torso.contact else 0.0", "np.where"),
        ("0 < next_state.torso.position[:, 2] < 1", "(a < b) & (b < c)"),
        ("np.where(not next_state.torso.contact, 1.0, 0.0)", "`~`"),
        ("max(next_state.torso.position[:, 2], 0.0)", "np.maximum"),
        ("float(next_state.torso.position[:, 2])", "not an array"),
        ("np.float(1.0) * action[:, 0]", "no attribute 'float'"),
        ("gausian(action[:, 0])", "Did you mean `gaussian`?"),
        ("action[:, 0] + math.pi", "import math"),
    ],
)
def test_what_only_values_show_is_said_by_the_cell(expression: str, hint: str) -> None:
    assert hint in said_by_the_cell(f"x = {expression}\nreturn x, {{'x': x}}", 3)


@pytest.mark.parametrize(
    ("body", "line", "hint"),
    [
        ("x = next_state.torso.position[2]\nreturn x, {'x': x}", 4, "`field[:, 2]`"),
        ("x = action[0]\nreturn x, {'x': x}", 4, "`field[:, 2]`"),
        ("import math\nx = math.exp(action[:, 0])\nreturn x, {'x': x}", 4, "np.exp"),
        ("z = next_state.torso.position[:, 2]\nz -= 1.0\nreturn z, {'z': z}", 4, "z = z"),
        ("x = action[:, 0]\nnp.clip(x, -1, 1, out=x)\nreturn x, {'x': x}", 4, "Inputs cannot be changed"),
        ("x = action[:, 0]\nx.sort()\nreturn x, {'x': x}", 4, "Inputs cannot be changed"),
        ("x = action[:, 0]\nif x > 0:\n    x = -x\nreturn x, {'x': x}", 4, "np.where"),
        ("x = action[:, 0]\nreturn {'x': x}, x", 4, "total the first"),
        ("x = action[:, 0]\nreturn x, [x]", 4, "a list; it must be a dict"),
        ("x = action[:, 0]\nreturn x", 4, "returned an array"),
        ("x = action[:, 0]\nreturn {'x': x}", 4, "returned a dictionary"),
        ("x = action[:, 0]\nreturn x, {'x': x}, {}", 4, "a tuple of 3"),
        ("x = action[:, 0]\nreturn x, {}", 4, "empty"),
        ("x = action[:, 0]\nreturn x, {'my term': x}", 4, "identifier"),
        ("x = action[:, 0]\nreturn x, {f't{i}': x for i in range(33)}", 4, "at most 32"),
    ],
)
def test_what_is_returned_and_written_to_is_said_by_the_cell(body: str, line: int, hint: str) -> None:
    assert hint in said_by_the_cell(body, line)


@pytest.mark.parametrize(
    "expression",
    [
        "next_state.torso.position[:, -1]",
        "next_state.torso.position[:, 1:].sum(-1)",
        "next_state.torso.position[..., 2]",
        "next_state.torso.position[:, None, 2][:, 0]",
        "next_state.torso.position.T[2]",
        "np.where((action[:, 0] > 0) & ~next_state.torso.contact, 1.0, 0.0)",
        "np.linalg.norm(next_state.torso.position - state.torso.position, axis=-1)",
        "(next_state.torso.position[:, 2] > 1.0).astype(float)",
        "np.sqrt(np.square(next_state.torso.position[:, :2]).sum(axis=1))",
        "max(1.0, 2.0) * action[:, 0] * constants.limits[1] / constants.dt",
        "action[:, 0] if len(action) > 3 else action[:, 0] + 0.0",
        "[part for part in action.T][0]",
        "sum(action[:, i] for i in range(action.shape[1]))",
        "(lambda s: s.torso.position[:, 2])(next_state)",
        "np.stack([b.position[:, 2] for b in (next_state.left_foot, next_state.right_foot)]).max(0)",
        "next_state.start.torso.position[:, 0]",
        "np.einsum('ij,ij->i', action, action)",
        "(action[:, 0] > 0).any() * action[:, 0]",
        "(y := action[:, 0]) * y",
        "norm(action) + pitch(next_state.torso.orientation)",
    ],
)
def test_what_works_is_let_pass(expression: str) -> None:
    assert term(expression).faults == ()


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("x = xp.add(action[:, 0], 1.0)", "import numpy as np\nxp = np"),
        ("x = exp(action[:, 0])", "from numpy import *"),
        ("dir = action[:, 0]\nx = dir + 1.0", ""),
        ("def unused(b):\n    return nothing(b.nothing)\nx = action[:, 0]", ""),
        ("def unused():\n    return next_state.nothing\nx = action[:, 0]", ""),
        (
            "def f(y, options={}):\n    options = dict(options, k=1)\n    return y * options['k']\nx = f(action[:, 0])",
            "",
        ),
        ("x = action[:, 0] * len(action[0])", ""),
        ("held = {'a': 1}\ndef add():\n    held['b'] = 2\nadd()\nx = action[:, 0] * held['b']", "held = {'c': 3}"),
        ("held = [next_state.torso]\nheld[0] = held[0].position\nx = held[0].sum(-1)", ""),
        ("action = action * 2.0\naction *= 2.0\nx = action[:, 0]", ""),
        ("b = next_state.torso\nx = b.position[:, 0]\nb = next_state.joints.knee\nx = x + b.angle", ""),
        ("x = [m.tanh(b.position[:, 0]) for m, b in [(np, next_state.torso)]][0]", "import numpy as np"),
        ("rows = ((np, next_state.torso),)\nfor m, b in rows:\n    x = m.tanh(b.position[:, 0])", "import numpy as np"),
        ("total, terms = 0.0, {}\nterms['x'] = action[:, 0]\nx = total + sum(terms.values())", ""),
    ],
)
def test_a_program_that_runs_is_not_refused(body: str, before: str) -> None:
    found = report(body + "\nreturn x, {'x': x}", before)
    assert found.faults == ()
    rows = np.random.default_rng(0).normal(size=(2, 8, SCHEMA.width))
    lines = "".join(f"    {line}\n" for line in [*body.splitlines(), "return x, {'x': x}"])
    selected = SCHEMA.select(found.fields)
    columns = np.concatenate([np.r_[SCHEMA.columns[path]] for path in selected.by_path] or [np.zeros(0, int)]).astype(
        int
    )
    with Cell() as cell:
        program = Program(f"{before}\ndef compute_reward(state, action, next_state):\n{lines}")
        loaded = cell.load(program, selected, (rows[0][:, columns], np.zeros((8, 2)), rows[1][:, columns]))
    assert loaded == ("x",)


def test_reading_time_is_noticed() -> None:
    found = term("next_state.episode.time * action[:, 0]")
    assert found.reads_time
    assert any("episode.time" in warning for warning in found.warnings)


def test_a_reward_that_never_looks_at_what_came_of_it() -> None:
    assert any("next_state" in warning for warning in term("state.torso.position[:, 0]").warnings)
    assert term("next_state.torso.position[:, 0]").warnings == ()
