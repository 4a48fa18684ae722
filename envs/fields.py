"""Fields that bodies and joints have in any simulator: the same names, words and units, whichever world has them."""

from __future__ import annotations

from reward_agent.schema import Field


def position(entity: str, doc: str = "where it is") -> Field:
    """`(3,)`, in m."""
    return Field(f"{entity}.position", doc, "m", (3,))


def orientation(entity: str) -> Field:
    """`(4,)`, a quaternion wxyz."""
    return Field(f"{entity}.orientation", "quaternion wxyz, from its own frame to the world's", "", (4,))


def linear_velocity(entity: str, doc: str = "velocity of its position") -> Field:
    """`(3,)`, in m/s."""
    return Field(f"{entity}.linear_velocity", doc, "m/s", (3,))


def angular_velocity(entity: str) -> Field:
    """`(3,)`, in rad/s."""
    return Field(f"{entity}.angular_velocity", "angular velocity, in the world's axes", "rad/s", (3,))


def of_joint(entity: str, *, slides: bool) -> tuple[Field, Field]:
    """Where a joint of one axis is and its rate: in m and m/s if it slides, in rad and rad/s if it turns."""
    if slides:
        return (
            Field(f"{entity}.position", "how far it is along its axis", "m"),
            Field(f"{entity}.velocity", "velocity along its axis", "m/s"),
        )
    return (
        Field(f"{entity}.angle", "angle by the right-hand rule, unwrapped", "rad"),
        Field(f"{entity}.velocity", "rate of that angle", "rad/s"),
    )
