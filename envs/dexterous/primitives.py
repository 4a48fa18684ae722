"""The hand's skills, for code as policies: where the hand goes, whether it is open, and what is asked of the scene.

As in the paper they are of the hand, not of what it does: a program has to make a task out of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from reward_agent.envs.dexterous.parameters import ALWAYS, DEFINITIONS, HAND, ROBOT, THINGS
from reward_agent.parameters.api import Argument, Function, RewardApi, Term, Values

_ADVICE = "- Things do not move by themselves: what is to move needs the hand brought to it and closed on it."
_OPEN, _CLOSED = 0.11, 0.05
"""Metres of the fingertips from the palm's point in an open hand and in one closed on something."""


def primitives(scene: str) -> RewardApi:
    """Moving to a thing or to a place beside it, opening and closing."""
    things = THINGS[scene]
    return RewardApi(
        robot=ROBOT[scene],
        functions=(_move_to_object(things), _MOVE_TO_PLACE, _OPEN_HAND, _CLOSE_HAND),
        always=ALWAYS,
        definitions=DEFINITIONS,
        advice=_ADVICE,
    )


def _move_to_object(things: tuple[str, ...]) -> Function:
    def terms(values: Values) -> Iterator[Term]:
        offset = [values["offset_x"], values["offset_y"], values["offset_z"]]
        there = f"next_state.{values['name_obj']}.position + np.array({offset})"
        yield Term(HAND, f"3.0 * near(norm(next_state.palm.position - ({there})), 0.05)")

    def along(axis: str, doc: str) -> Argument:
        return Argument(f"offset_{axis}", doc, "m", -0.4, 0.6, default=0.0)

    return Function(
        "end_effector_to_object",
        "Bring the palm to a thing, or to a place beside where it is.",
        (
            Argument("name_obj", "which thing", choices=things, required=True),
            along("x", "to its right"),
            along("y", "ahead of it"),
            along("z", "above it"),
        ),
        terms,
        skill="palm",
    )


def _to_place(values: Values) -> Iterator[Term]:
    place = [values["x"], values["y"], values["z"]]
    yield Term(HAND, f"3.0 * near(norm(next_state.palm.position - np.array({place})), 0.05)")


def _fingers(distance: float) -> Term:
    return Term("fingers", f"3.0 * near(fingers_to(next_state, next_state.palm.position) - {distance:g}, 0.02)")


_MOVE_TO_PLACE = Function(
    "end_effector_to",
    "Bring the palm to a place.",
    (
        Argument("x", "to the right", "m", -0.3, 0.3, required=True),
        Argument("y", "ahead", "m", -0.35, 0.3, required=True),
        Argument("z", "over the table", "m", 0.0, 0.68, required=True),
    ),
    _to_place,
    skill="palm",
)
_OPEN_HAND = Function(
    "end_effector_open", "Open the hand.", (), lambda values: iter([_fingers(_OPEN)]), skill="fingers"
)
_CLOSE_HAND = Function(
    "end_effector_close", "Close the hand.", (), lambda values: iter([_fingers(_CLOSED)]), skill="fingers"
)
