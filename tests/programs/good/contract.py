import numpy as np


def compute_reward(state, action, next_state):
    """Hop forward, upright, with little effort."""
    forward = next_state.torso.linear_velocity[:, 0]  # (N,) m/s
    upright = np.exp(-((pitch(next_state.torso.orientation) / 0.3) ** 2))
    terms = {"forward": forward, "upright": upright, "effort": -1e-3 * (action**2).sum(-1)}
    return sum(terms.values()), terms
