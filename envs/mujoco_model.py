"""What the worlds that hold a MuJoCo model ask of it in the same way: its joints, and motions by way of Jacobians."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_agent.schema import Array


def slides(model: Any, joint: int) -> bool:
    """Whether a joint of one axis slides along it; else it turns about it."""
    import mujoco

    return bool(model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE)


def joint_kind(model: Any, joint: int) -> str:
    """What schemas call a joint of one axis."""
    return "Slide" if slides(model, joint) else "Hinge"


def joint_doc(model: Any, joint: int, axis: str) -> str:
    """What a joint of one axis does, with its range; `axis` in words."""
    word, unit = ("along", "m") if slides(model, joint) else ("about", "rad")
    if not model.jnt_limited[joint]:
        return f"{word} {axis}"
    low, high = model.jnt_range[joint]
    return f"{word} {axis}, from {low:.3g} to {high:.3g} {unit}"


def axis_words(axis: Array) -> str:
    """A unit vector `(3,)`: `+x` where it is an axis, else its numbers."""
    main = int(np.abs(axis).argmax())
    if abs(axis[main]) > 0.999:
        return f"{'+' if axis[main] > 0 else '-'}{'xyz'[main]}"
    return "(" + ", ".join(f"{x:.2f}" for x in axis + 0.0) + ")"


def motion_by_jacobian(model: Any, data: Any, body: int, place: Array) -> tuple[Array, Array]:
    """Linear velocity `(3,)`, m/s, of a place that the body carries along, and the body's angular velocity, rad/s.

    In the world's axes; for witnesses, for batches have the simulator's own velocities. `data` is up to date.
    """
    import mujoco

    linear, angular = np.zeros((3, model.nv)), np.zeros((3, model.nv))
    mujoco.mj_jac(model, data, linear, angular, place, body)
    return linear @ data.qvel, angular @ data.qvel
