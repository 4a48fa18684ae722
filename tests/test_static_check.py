"""The static check: every rule with a program it must refuse, and programs it must not."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from pointmass import EXPERT, task

from reward_agent.envs.episodes import task_schema
from reward_agent.portability import STANDARD
from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import ActionSpec, Constant, Entity, Field, StateSchema
from reward_agent.static_check import CheckReport, check

HEAD = "def compute_reward(state, action, next_state):\n"
BODY = (("position", (3,)), ("orientation", (4,)), ("contact", ()))
SCHEMA = StateSchema(
    fields=(
        *(
            Field(f"{body}.{name}", "doc", shape=shape, kind="bool" if name == "contact" else "float")
            for body in ("torso", "left_foot", "right_foot", "start.torso", "start.left_foot")
            for name, shape in BODY
        ),
        Field("joints.knee.angle", "doc"),
        Field("joints.angles", "doc", shape=(2,)),
        Field("episode.time", "doc"),
        Field("episode.previous_action", "doc", shape=(2,)),
    ),
    entities=(Entity("torso", "Body", "doc"),),
    action=ActionSpec(("hip", "knee"), (-1.0, -1.0), (1.0, 1.0)),
    constants=(Constant("dt", 0.01, "doc"), Constant("limits", (1.0, 2.0), "doc")),
)


def report(body: str, before: str = "import numpy as np") -> CheckReport:
    """Of a program with this body; its first line is line 3 when `before` is one line."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return check(Program(f"{before}\ndef compute_reward(state, action, next_state):\n{lines}"), SCHEMA)


def term(expression: str, before: str = "import numpy as np") -> CheckReport:
    """Of a program with one term, on line 3."""
    return report(f'x = {expression}\nreturn x, {{"x": x}}', before)


def messages(found: CheckReport, line: int | None = 3) -> str:
    assert found.faults, "the check saw nothing wrong"
    assert {fault.stage for fault in found.faults} == {"check"}
    assert found.faults[0].line == line
    return " ".join(fault.message for fault in found.faults)


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


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("s = next_state\nt = s.torso\nx = t.position[:, 0]", {"torso.position"}),
        ("x = sum(f.position[:, 2] for f in [next_state.left_foot, next_state.right_foot])",
         {"left_foot.position", "right_foot.position"}),
        ("def z(body):\n    return body.position[:, 2]\nx = z(next_state.torso) - z(state.left_foot)",
         {"torso.position", "left_foot.position"}),
        ("feet = {'l': next_state.left_foot}\nfeet['r'] = next_state.right_foot\nx = 0\nfor n, f in feet.items():\n"
         "    x = x + f.contact", {"left_foot.contact", "right_foot.contact"}),
        ("body = next_state.torso if len(action) > 3 else next_state.left_foot\nx = body.position[:, 0]",
         {"torso.position", "left_foot.position"}),
        ("x = next_state.start.torso.position[:, 0]", {"start.torso.position"}),
        ("feet = [next_state.torso, next_state.left_foot, next_state.right_foot]\n"
         "x = sum(f.position[:, 0] for f in feet[1:])\nx = x + feet[-1].position[:, 2]",
         {"torso.position", "left_foot.position", "right_foot.position"}),
        ("def f(a, b):\n    return a.position[:, 0] - b.position[:, 0]\n"
         "x = f(*[next_state.torso, next_state.left_foot])",
         {"torso.position", "left_foot.position"}),
        ("def f(a, b):\n    return a.position[:, 0] - b.position[:, 0]\n"
         "x = f(**{'a': next_state.torso, 'b': next_state.left_foot})", {"torso.position", "left_foot.position"}),
        ("x = sum(list(filter(None, map(lambda b: b.position[:, 0], [next_state.torso]))), start=0 * action[:, 0])",
         {"torso.position"}),
        ("f = np.vectorize(lambda i: next_state.torso.position[i, 0])\nx = f(np.arange(len(action)))",
         {"torso.position"}),
        ("[(b := s.torso) for s in [next_state]]\nx = b.position[:, 0]", {"torso.position"}),
        ("x = dict(zip(['a'], [next_state.torso]))['a'].position[:, 0]", {"torso.position"}),
        ("x = ([next_state.torso] + [state.left_foot])[1].position[:, 0]", {"torso.position", "left_foot.position"}),
        ("def feet():\n    yield next_state.left_foot\nx = sum(f.position[:, 0] for f in feet())",
         {"left_foot.position", "left_foot.orientation", "left_foot.contact"}),
        ("match next_state.torso:\n    case body:\n        x = body.position[:, 0]",
         {"torso.position", "torso.orientation", "torso.contact"}),
        ("x = max([next_state.torso], key=lambda b: b.position.sum()).position[:, 0]",
         {"torso.position"}),
        ("a = sum(f.position[:, 0] for f in (next_state.left_foot, next_state.right_foot))\n"
         "x = a + sum(f.contact for f in (next_state.torso, state.torso))",
         {"left_foot.position", "right_foot.position", "torso.contact"}),
        ("x = 0\nfor f in (next_state.left_foot, next_state.right_foot):\n    x = x + f.position[:, 0]\n"
         "for f in [next_state.torso]:\n    x = x + f.contact",
         {"left_foot.position", "right_foot.position", "torso.contact"}),
        ("x = 0\nfor f, w in ((next_state.left_foot, 1.0), (next_state.torso, 2.0)):\n    x = x + w * f.position[:, 0]",
         {"left_foot.position", "torso.position"}),
        ("left, right = next_state.left_foot, next_state.right_foot\nx = left.position[:, 0] + right.contact",
         {"left_foot.position", "right_foot.contact"}),
        ("x = 0\nfor f, j in zip([next_state.left_foot], [next_state.joints.knee]):\n    x = f.contact * j.angle",
         {"left_foot.contact", "joints.knee.angle"}),
        ("def z(body, *, of=next_state.torso):\n    return body.position[:, 2] - of.position[:, 2]\n"
         "x = z(body=next_state.left_foot)", {"torso.position", "left_foot.position"}),
        ("x = '{0.torso.position}'.format(next_state) and action[:, 0]",
         {"torso.position", "torso.orientation", "torso.contact"}),
        # it goes where it cannot be followed: all of the entities that are named, but nothing of `start`
        ("class Box:\n    pass\nb = Box()\nb.body = next_state.torso\nx = b.body.position[:, 0]",
         {"torso.position", "torso.orientation", "torso.contact"}),
        ("class Box:\n    pass\nb = Box()\nb.body = next_state\nx = b.body.torso.position[:, 0]",
         {"torso.position", "torso.orientation", "torso.contact"}),
        ("x = action[:, 0]", set()),
    ],
)  # fmt: skip
def test_fields_are_a_superset_of_what_is_read(body: str, fields: set[str]) -> None:
    found = report(body + "\nreturn x, {'x': x}")
    assert found.faults == ()
    assert set(found.fields) == fields


class Recorded:
    """A part of the state that notes which fields are read."""

    def __init__(self, prefix: str, read: set[str]) -> None:
        self._prefix, self._read = prefix, read

    def __getattr__(self, name: str) -> object:
        path = f"{self._prefix}.{name}".removeprefix(".")
        if path in SCHEMA:
            self._read.add(path)
            return np.ones((4, *SCHEMA.by_path[path].shape))
        if not any(known.startswith(f"{path}.") for known in SCHEMA.by_path):
            raise AttributeError(path)
        return Recorded(path, self._read)


@pytest.mark.parametrize(
    "body",
    [
        "held = [next_state.torso]\nheld[0] = held[0].position\nx = held[0][:, 0]",
        "feet = {}\nfeet['l'] = next_state.left_foot\nother = feet\nother['r'] = next_state.right_foot\n"
        "x = sum(f.position[:, 0] for f in feet.values())",
        "feet = []\nadd = feet.append\nadd(next_state.left_foot)\nx = feet[0].contact",
        "feet = []\nlist(map(feet.append, [next_state.left_foot]))\nx = feet.pop().contact",
        "feet = []\nlist.append(feet, next_state.left_foot)\nx = feet[0].contact",
        "feet = np.empty(1, dtype=object)\nfeet[0] = next_state.left_foot\nx = feet[0].contact",
        "left, right = [next_state.left_foot, next_state.right_foot][::-1]\nx = left.contact + right.position[:, 0]",
        "feet = [next_state.left_foot, next_state.right_foot]\nfeet.reverse()\nleft, right = feet\n"
        "x = left.contact + right.position[:, 0]",
        "later = []\nfor b in (next_state.torso,):\n    later.append(lambda: b.contact)\n"
        "for b in (next_state.left_foot,):\n    x = later[0]()",
        "later = []\nfor b in (next_state.torso,):\n    later += [lambda n=n: b.contact for n in range(2)]\n"
        "for b in (next_state.left_foot,):\n    x = later[0]()",
        "b = [[next_state.torso]]\nx = [c.contact for b in b for c in b][0]",
        "x = 0\nfor b in (next_state.torso,):\n    x = x + b.contact\nx = x + b.position[:, 0]",
        "x = 0\nfor b in (next_state.torso, next_state.left_foot):\n    for b in (b,):\n        x = x + b.contact",
        "b = next_state.torso\nfor i in range(2):\n    x = b.contact\n    b = next_state.left_foot",
        "def f():\n    return b.contact\nb = next_state.torso\nx = f()\nb = next_state.left_foot\nx = f()",
        "f = lambda n, b: b.contact if n else f(1, next_state.left_foot)\nx = f(0, next_state.torso)",
        "fs = {'a': lambda b: b.contact}\nx = fs['a'](next_state.torso)",
        "def f(*bodies, **more):\n    return bodies[1].contact + more['of'].position[:, 0]\n"
        "x = f(next_state, next_state.torso, of=next_state.left_foot)",
        "def apply(f, *a):\n    return f(*a)\nx = apply(lambda b, n: b.position[:, n], next_state.torso, 0)",
        "f = np.vectorize(lambda b: b.contact.sum())\nfeet = np.empty(1, object)\nfeet[0] = next_state.torso\n"
        "x = action[:, 0] + f(feet)",
        "x = sorted([next_state.torso], key=lambda b: b.contact.sum())[0].position[:, 0]",
        "def f(b=next_state.torso) -> next_state.joints.angles:\n    return b.contact\nx = f()",
        "f = (lambda s: lambda: s.torso)(next_state)\nx = f().contact",
        "x = [b for b in [next_state.torso] if (c := b.position[:, 0]).sum()][0].contact + c",
        "class Box:\n    def __init__(self, b):\n        self.b = b\nx = Box(next_state.torso).b.contact",
        "try:\n    raise ValueError(next_state.torso)\nexcept ValueError as e:\n    x = e.args[0].contact",
        "match next_state:\n    case object(torso=b):\n        x = b.contact",
        "t = ()\nt += (next_state.torso,)\nx = t[0].contact",
        "x = dict.fromkeys('ab', next_state.torso)['a'].contact",
        "x = ('{0.torso.contact}'.format(next_state) and 0) + action[:, 0]",
        "x = {next_state.torso: 1}.popitem()[0].contact",
        "*rest, b = next_state.left_foot, next_state.torso\nx = b.contact + rest[0].position[:, 0]",
        "q = []\nzip = q.append\nzip(next_state.torso)\nx = q[0].contact",
        "def f():\n    f.body = next_state.torso\nf()\nx = f.body.contact",
    ],
)
def test_nothing_is_read_that_is_not_among_the_fields(body: str) -> None:
    found = report(body + "\nreturn x, {'x': x}")
    read: set[str] = set()
    state = Recorded("", read)
    space: dict[str, Any] = {"np": np}
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    exec(f"def compute_reward(state, action, next_state):\n{lines}    return x\n", space)
    space["compute_reward"](state, np.ones((4, 2)), state)
    assert read
    assert read <= set(found.fields)
    assert not any("is not a field" in fault.message or "input" in fault.message for fault in found.faults)


def test_reading_time_is_noticed() -> None:
    found = term("next_state.episode.time * action[:, 0]")
    assert found.reads_time
    assert any("episode.time" in warning for warning in found.warnings)


def test_a_reward_that_never_looks_at_what_came_of_it() -> None:
    assert any("next_state" in warning for warning in term("state.torso.position[:, 0]").warnings)
    assert term("next_state.torso.position[:, 0]").warnings == ()


@pytest.mark.parametrize(
    ("expression", "portable"),
    [
        ("np.exp(-np.sum(action**2, axis=-1))", True),
        ("(action**2).sum(-1)", True),
        ("gaussian(norm(action))", True),
        ("np.linalg.vector_norm(action, axis=-1)", True),
        ("np.linalg.norm(action, axis=-1)", False),
        ("action.mean(-1)", False),
        ("action.copy()[:, 0]", False),
        ("np.einsum('ij,ij->i', action, action)", False),
        ("action[:, [0, 1]][:, 0]", False),
    ],
)
def test_portable(expression: str, portable: bool) -> None:
    found = term(expression)
    assert found.faults == ()
    assert found.portable is portable
    assert bool(found.unportable) is not portable


def test_in_place_writes_are_not_portable() -> None:
    found = report("x = action[:, 0] + 0.0\nx[x < 0] = 0.0\nreturn x, {'x': x}")
    assert (found.faults, found.portable) == ((), False)
    assert found.unportable == ("an in-place write (line 4)",)


def test_the_standard_names_are_those_of_the_standard() -> None:
    strict = pytest.importorskip("array_api_strict")
    for name in STANDARD:
        place = strict.linalg if name.startswith("linalg.") else strict
        assert hasattr(place, name.removeprefix("linalg.")), name


@pytest.mark.parametrize(
    "source",
    [
        HEAD + "    x = " + "-" * 3000 + "1\n    return x, {'x': x}",
        HEAD + "    x = " + "+".join(["action"] * 4000) + "\n    return x, {'x': x}",
        "def f(x): return f(f(f(x)))\n" + HEAD + "    return f(state), {'x': 1}",
        HEAD + "    x = " + "[" * 8 + "a" + " for a in a]" * 8 + "\n    return x, {'x': 1}",
        "\x00", "", "def compute_reward(state, action, next_state): ...", "def compute_reward(" * 100,
    ],
)  # fmt: skip
def test_odd_programs_neither_crash_nor_hang(source: str) -> None:
    check(Program(source), SCHEMA)


@pytest.mark.parametrize(
    "body",
    [
        "t = {}\n" + "".join(f"if constants.dt > {i}:\n    t['k{i}'] = next_state.torso\n" for i in range(200)),
        "t = u = next_state.torso\n" + "t = {'k0': t, 'b': t}\nu = {'k0': u, 'b': u}\n" * 200 + "t = t if t else u\n",
        "t = [next_state.torso]\n" + "t += [t, t]\n" * 200 + "t = {'k0': t[0]}\n",
        "t = {'k0': next_state.torso}\n" + "".join(f"f{i} = lambda x: [x, f{i - 1}(t)]\n" for i in range(1, 200)),
        "t = {'k0': next_state.torso}\n"
        + "".join(f"{'    ' * i}for i{i} in t:\n" for i in range(18))
        + "    " * 18
        + "1\n",
        "t = {'k0': next_state.torso}\n" + "t.update(f=lambda x: t, g=[lambda y: y])\n" * 700,
    ],
    ids=["if", "nested", "list", "functions", "loops", "too many functions"],
)
def test_a_text_whose_possibilities_multiply_is_read_in_seconds(body: str) -> None:
    begun = time.perf_counter()
    found = report(body + "x = t['k0'].position[:, 0]\nreturn x, {'x': x}")
    assert time.perf_counter() - begun < 10.0
    assert found.faults == ()
    assert "torso.position" in found.fields


def test_helpers_within_helpers_are_followed() -> None:
    helpers = "".join(f"def h{i}(x):\n    y = h{i + 1}(x) * 2.0\n    return h{i + 1}(y) + 1.0\n" for i in range(11))
    found = report(
        "terms = {}\nz = h0(next_state.torso).position[:, 2]\nterms['z'] = z\n"
        "later = next_state.start.torso.position[:, 2]\nreturn z, terms",
        "import numpy as np\n" + helpers + "def h11(x):\n    return np.tanh(x)",
    )
    assert found.faults == ()
    assert set(found.fields) == {"torso.position", "start.torso.position"}


@pytest.mark.parametrize(
    "body",
    [
        "def add(name, value):\n    held[name] = value\nadd('x', BODY)",
        "def add(to, name, value):\n    to[name] = value\nadd(held, 'x', BODY)",
        "other = held\nother['x'] = BODY",
        "for each in [held]:\n    each['x'] = BODY",
        "add = held.update\nadd(x=BODY)",
        "held.setdefault('x', BODY)",
        "held = {'inner': held}\nheld['inner']['x'] = BODY\nheld = held['inner']",
    ],
)
def test_a_container_changed_under_another_name(body: str) -> None:
    start = "y = action[:, 0]\nheld = {}\n" + body
    assert report(start.replace("BODY", "y") + "\nreturn y, held").faults == ()
    found = report(start.replace("BODY", "next_state.torso") + "\ny = held['x'].position[:, 0]\nreturn y, {'y': y}")
    assert found.faults == ()
    assert "torso.position" in found.fields
