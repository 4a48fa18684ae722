"""Turn a faucet on: ManiSkill3's TurnFaucet, Text2Reward's task of that name; it has no dense reward of its own."""

import numpy as np

from reward_agent.envs.maniskill.card import card
from reward_agent.envs.maniskill.metrics import native, progress

task = card(
    "turn-faucet",
    "TurnFaucet-v1",
    "turn the handle of the faucet past its goal angle",
    *native(
        progress(
            "switch",
            lambda state, _: np.maximum(state.switch.goal_angle - state.switch.angle, 0.0),
            "the angle that the handle must turn",
            "switch.goal_angle",
            "switch.angle",
        )
    ),
    horizon=200,
    budget=4_000_000,
    robot="panda_wristcam",
)
