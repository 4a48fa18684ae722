import numpy as np

STRICT = True


def compute_reward(state, action, next_state):
    """Branches on plain numbers are allowed; on arrays they are not."""
    height = next_state.torso.position[:, 2]
    low = 0.9 * constants.torso_height
    if STRICT and low > 0.5:
        stand = np.where(height > low, 1.0, height / low)
    else:
        stand = height
    limit = max(1.0, float(constants.gear[0]) / 200.0)
    forward = np.minimum(next_state.torso.linear_velocity[:, 0], 3.0 * limit)
    terms = {"stand": stand, "forward": forward, "force": -1e-7 * np.sum(next_state.actuators.force**2, axis=-1)}
    return terms["stand"] + terms["forward"] + terms["force"], terms
