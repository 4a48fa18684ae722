"""Stand a peg on its end: ManiSkill3's LiftPegUpright."""

from types import SimpleNamespace

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import native, progress
from reward_agent.schema import Array


def tilt(state: SimpleNamespace, _: SimpleNamespace) -> Array:
    """Angle of the peg's long axis from the vertical, whichever end is up [rad]."""
    w, x, y, z = np.moveaxis(state.peg.orientation, -1, 0)
    result: Array = np.arccos(np.clip(np.abs(2 * (x * z - w * y)), 0.0, 1.0))
    return result


task = card(
    "lift-peg-upright",
    "LiftPegUpright-v1",
    "lift the peg that lies on the table and stand it upright on its end",
    *native(progress("peg", tilt, "the angle between the peg's long axis and the vertical", "peg.orientation")),
    horizon=50,
    budget=2_000_000,
    reward_version=MANISKILL3,
)
