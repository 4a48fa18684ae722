"""Open a cabinet's door: ManiSkill3's OpenCabinetDoor, Text2Reward's task of that name."""

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import native, progress

task = card(
    "open-cabinet-door",
    "OpenCabinetDoor-v1",
    "drive to the cabinet and pull its door open by the handle, as far as its goal, and let it come to rest",
    *native(
        progress(
            "handle",
            lambda state, _: np.maximum(state.door.goal_opening - state.door.opening, 0.0),
            "the opening that the door lacks",
            "door.goal_opening",
            "door.opening",
        )
    ),
    horizon=100,
    budget=5_000_000,
    robot="fetch",
    family="open-cabinet",
    reward_version=MANISKILL3,
)
