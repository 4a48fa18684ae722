"""Plug a charger into a receptacle: ManiSkill3's PlugCharger, which has no dense reward of its own."""

from reward_agent.envs.maniskill.card import card
from reward_agent.envs.maniskill.metrics import angle_between, distance, native, progress

METRES_A_RADIAN = 0.1

task = card(
    "plug-charger",
    "PlugCharger-v1",
    "pick up the charger and plug it into the receptacle",
    *native(
        progress(
            "charger",
            lambda state, _: (
                distance(state.charger.position, state.goal.position)
                + METRES_A_RADIAN * angle_between(state.charger.orientation, state.goal.orientation)
            ),
            "the way from the charger to its goal and a tenth of a metre for each radian that it is turned off",
            "charger.orientation",
            "goal.position",
            "goal.orientation",
        )
    ),
    horizon=200,
    budget=5_000_000,
    robot="panda_wristcam",
)
