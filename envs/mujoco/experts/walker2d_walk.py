import numpy as np


def compute_reward(state, action, next_state):
    """Gymnasium's Walker2d-v5: move along +x, stay healthy, spend little effort."""
    speed = (next_state.torso.position[:, 0] - state.torso.position[:, 0]) / constants.dt
    height = next_state.torso.position[:, 2]
    healthy = (height > 0.8) & (height < 2.0) & (np.abs(next_state.joints.root_pitch.angle) < 1.0)
    terms = {
        "forward": speed,
        "healthy": np.where(healthy, 1.0, 0.0),
        "effort": -1e-3 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
