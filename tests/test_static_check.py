"""The static check: every rule with a program it must refuse, and programs it must not."""

from __future__ import annotations

import ast

import pytest
from pointmass import EXPERT, task

from reward_agent.envs.episodes import task_schema
from reward_agent.program import Program
from reward_agent.reading.expressions import MAX_WORK
from reward_agent.reading.numpy_names import STANDARD
from reward_agent.reading.reader import Reader
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
        ("next_state.torso.position.z", "[:, 2]"),
        ("next_state.torso.position.norm()", "no `.norm`"),
        ("next_state['torso'].position[:, 2]", "next_state.torso"),
        ("next_state.torso[2]", "by name"),
        ("next_state.joints.knee.angle + next_state.torso", "position"),
        ("np.abs(next_state.torso)", "position"),
        ("norm(next_state.torso)", "position"),
        ("abs(next_state.torso)", "position"),
        ("next_state.torso.position[2]", "[:, 2]"),
        ("next_state.torso.position[:, 3]", "no component 3"),
        ("action[:, 2]", "no component 2"),
        ("action[0]", "[:, 0]"),
        ("next_state.joints.knee.angle[:, 0]", "shape (N,)"),
        ("constants.dtt * action[:, 0]", "constants.dt"),
        ("constants.mass * action[:, 0]", "limits"),
        ("np.where(next_state.torso.position[:, 2] > 1 and action[:, 0] > 0, 1.0, 0.0)", "&"),
        ("1.0 if next_state.torso.contact else 0.0", "np.where"),
        ("0 < next_state.torso.position[:, 2] < 1", "(a < b) & (b < c)"),
        ("np.where(not next_state.torso.contact, 1.0, 0.0)", "~"),
        ("max(next_state.torso.position[:, 2], 0.0)", "np.maximum"),
        ("float(next_state.torso.position[:, 2])", "not an array"),
        ("np.float(1.0) * action[:, 0]", "does not exist"),
        ("np.random.randn(len(action))", "random"),
        ("np.load('x.npy')", "files"),
        ("gausian(action[:, 0])", "gaussian"),
        ("eval('1') * action[:, 0]", "no other code"),
        ("open('/etc/passwd').read()", "no files"),
        ("__import__('os').getpid() * action[:, 0]", "not allowed"),
        ("getattr(next_state, 'torso').position[:, 0]", "by their path"),
        ("next_state.__dict__['torso'].position[:, 0]", "`__dict__`"),
        ("().__class__.__mro__[1]", "`__class__`"),
        ("action[:, 0] + print('hello')", "prints"),
        ("action[:, 0] + math.pi", "import math"),
    ],
)
def test_what_would_fail_is_said_with_its_line_and_the_mend(expression: str, hint: str) -> None:
    assert hint in messages(term(expression))


def test_math_on_arrays() -> None:
    found = term("math.exp(next_state.joints.knee.angle)", before="import math")
    assert "np.exp" in messages(found)


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
    ("body", "line", "hint"),
    [
        ("next_state.torso.position[:, 2] = 0.0\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("z = next_state.torso.position[:, 2]\nz -= 1.0\nreturn z, {'z': z}", 4, "z = z"),
        ("action *= 2.0\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("x = action[:, 0]\nnp.clip(x, -1, 1, out=x)\nreturn x, {'x': x}", 4, "input"),
        ("x = action[:, 0]\nx.sort()\nreturn x, {'x': x}", 4, "input"),
        ("state.torso = None\nreturn action[:, 0], {'x': action[:, 0]}", 3, "input"),
        ("x = action[:, 0]\nif x > 0:\n    x = -x\nreturn x, {'x': x}", 4, "np.where"),
        ("x = action[:, 0]\nreturn {'x': x}, x", 4, "first"),
        ("x = action[:, 0]\nreturn x, [x]", 4, "list"),
        ("x = action[:, 0]\nreturn x", 4, "total alone"),
        ("x = action[:, 0]\nreturn {'x': x}", 4, "terms alone"),
        ("x = action[:, 0]\nreturn x, {'x': x}, {}", 4, "3 values"),
        ("x = action[:, 0]\nreturn x, {}", 4, "empty"),
        ("x = action[:, 0]\nreturn x, {'my term': x}", 4, "identifier"),
        ("x = action[:, 0]\nreturn x, {" + ", ".join(f"'t{i}': x" for i in range(33)) + "}", 4, "at most 32"),
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
         {"torso.position", "torso.orientation", "torso.contact"}),
        # it goes where it cannot be followed: all of the entity, but nothing of `start`
        ("class Box:\n    pass\nb = Box()\nb.body = next_state.torso\nx = b.body.position[:, 0]",
         {"torso.position", "torso.orientation", "torso.contact"}),
        ("class Box:\n    pass\nb = Box()\nb.body = next_state\nx = b.body.torso.position[:, 0]",
         {f.path for f in SCHEMA.fields if not f.path.startswith("start.")}),
        ("x = action[:, 0]", set()),
    ],
)  # fmt: skip
def test_fields_are_a_superset_of_what_is_read(body: str, fields: set[str]) -> None:
    found = report(body + "\nreturn x, {'x': x}")
    assert found.faults == ()
    assert set(found.fields) == fields


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


def test_giving_up_reads_everything_but_start() -> None:
    loops = "".join("    " * depth + f"for i{depth} in range(3):\n" for depth in range(1, 17))
    body = "    " * 17 + "x = next_state.torso.position[:, 0]\n"
    source = f"def compute_reward(state, action, next_state):\n{loops}{body}    return x, {{'x': x}}\n"
    found = check(Program(source), SCHEMA)
    assert set(found.fields) == {f.path for f in SCHEMA.fields if not f.path.startswith("start.")}
    assert not found.portable


@pytest.mark.parametrize(
    "body",
    [
        "t = {}\n" + "".join(f"if constants.dt > {i}:\n    t['k{i}'] = next_state.torso\n" for i in range(200)),
        "t = {}\n"
        + "".join(
            f"if constants.dt > {i}:\n    t['k{i}'] = next_state.torso\nelse:\n    t['j{i}'] = 1\n" for i in range(200)
        ),
        "t = u = next_state.torso\n" + "t = {'k0': t, 'b': t}\nu = {'k0': u, 'b': u}\n" * 200 + "t = t if t else u\n",
        "t = [next_state.torso]\n" + "t += [t, t]\n" * 200 + "t = {'k0': t[0]}\n",
    ],
    ids=["if", "if-else", "nested", "list"],
)
def test_a_text_whose_possibilities_multiply_is_read_in_few_steps(body: str) -> None:
    source = f"{HEAD}" + "".join(f"    {line}\n" for line in [*body.splitlines(), "x = t['k0'].position[:, 0]"])
    program = Program(source + "    return x, {'x': x}\n")
    tree = ast.parse(program.source)
    (entry,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    reader = Reader(SCHEMA, ())
    reader.read(tree, entry)
    assert reader.work < MAX_WORK, "it was all looked at"
    assert reader.faults == {}
    assert "torso.position" in reader.fields


def test_no_fault_is_made_up_once_it_gave_up() -> None:
    helpers = "".join(f"def h{i}(x):\n    y = h{i + 1}(x) * 2.0\n    return h{i + 1}(y) + 1.0\n" for i in range(11))
    found = report(
        "terms = {}\nz = h0(next_state.torso.position[:, 2])\nterms['z'] = z\n"
        "later = next_state.start.torso.position[:, 2]\nreturn z, terms",
        "import numpy as np\n" + helpers + "def h11(x):\n    return np.tanh(x)",
    )
    assert found.faults == ()
    assert set(found.fields) == set(SCHEMA.by_path)
    assert not found.portable
    assert any("too tangled" in warning for warning in found.warnings)


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
