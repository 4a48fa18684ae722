"""A small schema, and what the static check reports of a program on it."""

from __future__ import annotations

from reward_agent.program import Program
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
