"""Open a cabinet's drawer: ManiSkill3's OpenCabinetDrawer, Text2Reward's task of that name."""

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import native, progress

task = card(
    "open-cabinet-drawer",
    "OpenCabinetDrawer-v1",
    "drive to the cabinet and pull its drawer open by the handle, as far as its goal, and let it come to rest",
    *native(
        progress(
            "handle",
            lambda state, _: np.maximum(state.drawer.goal_opening - state.drawer.opening, 0.0),
            "the opening that the drawer lacks",
            "drawer.goal_opening",
            "drawer.opening",
        )
    ),
    horizon=100,
    budget=5_000_000,
    robot="fetch",
    family="open-cabinet",
    reward_version=MANISKILL3,
)
