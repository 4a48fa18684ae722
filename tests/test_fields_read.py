"""Fields that a program may read: never fewer than it reads."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from checked import HEAD, SCHEMA, report

from reward_agent.program import Program
from reward_agent.static_check import check


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
