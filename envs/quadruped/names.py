"""What the parts of the quadruped are called, in the model and in the state schema."""

from __future__ import annotations

from reward_agent.envs.mujoco.names import Part, Robot

LEGS = ("front_left", "front_right", "back_left", "back_right")
JOINTS = ("abduction", "hip", "knee")
"""Of each leg, from the body outward."""
DRIVEN = tuple(f"{leg}_{joint}" for leg in LEGS for joint in JOINTS)
"""The joints in the order of action."""

ROBOT = Robot(
    parts=(
        Part("torso", "the trunk; its position is its middle, ahead is +x, left is +y", body="torso"),
        *(
            part
            for leg in LEGS
            for words in [leg.replace("_", " ")]
            for part in (
                Part(f"{leg}_hip", f"upper leg, {words}; its position is the hip joint", body=f"{leg}_thigh"),
                Part(f"{leg}_foot", f"foot, {words}; its position is its middle", geom=f"{leg}_foot", kind="Foot"),
            )
        ),
    ),
    joints={name: name for name in DRIVEN},
    root="torso",
    floor="floor",
    view=(1.6, 130, -20),
)
