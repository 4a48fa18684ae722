"""Place a sphere in a shallow bin: ManiSkill3's PlaceSphere."""

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "place-sphere",
    "PlaceSphere-v1",
    "pick up the sphere, put it into the shallow bin and let go, so that it rests there",
    *native(
        progress(
            "sphere",
            lambda state, constants: distance(
                state.sphere.position,
                state.bin.position + np.array([0.0, 0.0, constants.bin_half_thickness + constants.sphere_radius]),
            ),
            "the way from the sphere to its place in the bin",
            "bin.position",
        )
    ),
    horizon=50,
    budget=3_000_000,
    reward_version=MANISKILL3,
)
